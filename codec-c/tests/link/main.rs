//! The serial link behind the C ABI, with generated C code: it does what the link of the core does, event by event and
//! byte by byte. Requires a C compiler, `cc`.

mod generated;
mod pair;

use std::ptr::{null, null_mut};

use gizwits::link::*;
use gizwits::status::gizwits_status as S;
use gizwits_codec_core::link::Timing;
use gizwits_codec_core::model::Model;
use gizwits_tests::arbitrary::Draw;
use gizwits_tests::generated::{air_conditioner, climate, wave_pump};
use gizwits_tests::uart::wire;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};

use generated::{Generated, INFO, NONE, Running};
use pair::Pair;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_standard_product_is_like_the_core(bytes in vec(any::<u8>(), 0..600)) {
        law::<climate::Product>(Generated::get("climate"), &bytes);
    }

    #[test]
    fn a_product_with_limits_is_like_the_core(bytes in vec(any::<u8>(), 0..600)) {
        law::<air_conditioner::Product>(Generated::get("air-conditioner"), &bytes);
    }

    #[test]
    fn a_var_len_product_is_like_the_core(bytes in vec(any::<u8>(), 0..600)) {
        law::<wave_pump::Product>(Generated::get("wave-pump"), &bytes);
    }
}

/// Checks that both links do the same for what `bytes` make up.
fn law<M: Model>(generated: &'static Generated, bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let mut pair = Pair::<M>::new(generated);
    pair.with(|both| {
        while !draw.is_empty() {
            both.step(&mut draw);
        }
    });
}

#[test]
fn every_table_compiles_without_a_warning() {
    for name in gizwits_tests::vectors::fixtures() {
        generated::compile(&name, &["-std=c99", "-fsyntax-only"], &[]);
        generated::compile(&name, &["-x", "c++", "-std=c++20", "-fsyntax-only"], &[]);
    }
}

/// 31 flags, and values of which some are ff.
fn control() -> Vec<u8> {
    [&[0x01, 0x7f, 0xff, 0xff, 0xff][..], &[0x1f, 0xff], &[1; 22]].concat()
}

#[test]
fn two_frames_at_once_with_escaped_bytes() {
    let mut link = Running::new(Generated::get("climate"), 0);
    let bytes = [wire(3, 1, 0, &control()), wire(3, 2, 0, &[0x02])].concat();
    assert!(bytes.windows(2).any(|two| two == [0xff, 0x55]));
    let (event, used) = link.receive_bytes(&bytes, 0);
    assert_eq!((event.kind, event.number), (gizwits_event::Control, 0));
    // SAFETY: the data is in the memory of the link until the next byte.
    let data = unsafe { std::slice::from_raw_parts(event.data, event.length.into()) };
    assert_eq!(data, control());
    assert_eq!(used, wire(3, 1, 0, &control()).len());
    assert_eq!(link.sent(), wire(4, 1, 0, &[]));
    let (event, rest) = link.receive_bytes(&bytes[used..], 0);
    assert_eq!(
        (event.kind, used + rest),
        (gizwits_event::None, bytes.len())
    );
    assert_eq!(link.poll(0).kind, gizwits_event::None);
    let values = [&control()[5..], &[0; 14]].concat();
    let reply = wire(4, 2, 0, &[&[0x03][..], &values].concat());
    let report = wire(5, 0, 0, &[&[0x04][..], &values].concat());
    assert_eq!(link.sent(), [reply, report].concat());
    let (event, _) = link.receive_bytes(&wire(6, 0, 0, &[]), 0);
    assert_eq!((event.kind, event.command), (gizwits_event::Acked, 5));
    assert_eq!(link.wait(1_000), 5_000);
}

#[test]
fn what_nobody_acknowledges_is_sent_three_times() {
    let mut link = Running::new(Generated::get("climate"), 0);
    let mut times = Vec::new();
    for now in 0..6_500 {
        let event = link.poll(now);
        if event.kind != gizwits_event::None {
            assert_eq!(
                (event.kind, event.command, now),
                (gizwits_event::Unanswered, 5, 600)
            );
        }
        if !link.sent().is_empty() {
            times.push(now);
        }
    }
    assert_eq!(times, [0, 200, 400, 6_000, 6_200, 6_400]);
    link.set_timing(gizwits_link_timing {
        full: 1_000,
        measured: 500,
        resend: 100,
        tries: 1,
    });
    assert_eq!(link.poll(6_600).kind, gizwits_event::Unanswered);
}

/// The set temperature is above its maximum of 30: the last valid status is sent, and the event names point and rule.
#[test]
fn no_invalid_value_is_sent() {
    let mut link = Running::new(Generated::get("air-conditioner"), 0);
    link.poll(0);
    let valid = wire(5, 0, 0, &[0x04, 0, 0, 0, 16, 0, 0, 0]);
    assert_eq!(link.sent(), valid);
    link.receive_bytes(&wire(6, 0, 0, &[]), 0);
    link.set(&[0x04, 1, 0, 0, 31, 0, 0, 0]);
    let event = link.poll(1);
    assert_eq!(
        (event.kind, event.number),
        (gizwits_event::Invalid, 6 << 4 | 8)
    );
    link.receive_bytes(&wire(3, 9, 0, &[0x02]), 1);
    assert_eq!(link.poll(2).kind, gizwits_event::None);
    assert_eq!(link.sent(), wire(4, 9, 0, &[0x03, 0, 0, 0, 16, 0, 0, 0]));
    link.set(&[0x04, 1, 0, 0, 30, 0, 0, 0]);
    let event = link.poll(3);
    assert_eq!((event.kind, event.number), (gizwits_event::Invalid, 0));
    assert_eq!(link.sent(), wire(5, 1, 0, &[0x04, 1, 0, 0, 30, 0, 0, 0]));
}

#[test]
fn the_macros_of_the_header_are_those_of_the_core() {
    let generated = Generated::get("climate");
    assert_eq!(generated.info, [INFO.bytes(), b"\0"].concat());
    let gizwits_link_timing {
        full,
        measured,
        resend,
        tries,
    } = generated.timing;
    let core = Timing::VENDOR;
    assert_eq!(
        (full, measured, resend, tries),
        (core.full, core.measured, core.resend, core.tries)
    );
    // `sizeof` counts the NUL, `strlen` does not.
    let mut running = Running::new(generated, 0);
    for length in [74, 75] {
        let mut options = running.options();
        options.info_length = length;
        // SAFETY: all memory lives as long as `running`.
        let status = unsafe { gizwits_link_init(running.link(), &raw const options) };
        assert_eq!(status, S::Ok);
        running.sent();
        running.receive_bytes(&wire(1, 3, 0, &[]), 0);
        assert_eq!(running.sent(), wire(2, 3, 0, INFO.bytes()));
    }
}

/// A change of the options of a link.
type Change<'a> = &'a dyn Fn(&mut gizwits_link_options);

#[test]
fn misuse_returns_a_status() {
    let generated = Generated::get("climate");
    let mut running = Running::new(generated, 4);
    let good = running.options();
    let mut link = NONE;
    // SAFETY: what is wrong is refused before it is used.
    unsafe {
        let mut event = gizwits_link_event::default();
        let mut used = 0;
        assert_eq!(
            gizwits_link_poll(&raw mut link, 0, &raw mut event),
            S::InvalidHandle
        );
        assert_eq!(
            gizwits_link_poll(null_mut(), 0, &raw mut event),
            S::NullPointer
        );
        assert_eq!(
            gizwits_link_init(null_mut(), &raw const good),
            S::NullPointer
        );
        assert_eq!(gizwits_link_init(&raw mut link, null()), S::NullPointer);
        let odd = (&raw mut link).byte_add(1);
        assert_eq!(gizwits_link_init(odd, &raw const good), S::Misaligned);
        let mut init = |change: Change<'_>| {
            let mut options = good;
            change(&mut options);
            let status = gizwits_link_init(&raw mut link, &raw const options);
            let after = gizwits_link_request(&raw mut link, GIZWITS_REQUEST_TIME, 0);
            assert_eq!(after, S::InvalidHandle);
            status
        };
        let own = running.link();
        let mut table = *good.product;
        table.differs = None;
        let table = &raw const table;
        let changes: [(Change<'_>, S); 15] = [
            (&|options| options.product = null(), S::NullPointer),
            (&|options| options.product = table, S::NullPointer),
            (
                &|options| options.product = options.product.byte_add(1),
                S::Misaligned,
            ),
            (&|options| options.info = null(), S::NullPointer),
            (&|options| options.info_length = 0, S::InvalidLength),
            (&|options| options.info_length = 73, S::InvalidLength),
            (&|options| options.info_length = 104, S::InvalidLength),
            (
                &|options| options.info_length = usize::MAX,
                S::InvalidLength,
            ),
            (&|options| options.status = null_mut(), S::NullPointer),
            (&|options| options.state = null_mut(), S::NullPointer),
            (&|options| options.memory = null_mut(), S::NullPointer),
            (&|options| options.write = None, S::NullPointer),
            (&|options| options.memory_length = 72, S::OutOfSpace),
            (&|options| options.outbox_length = usize::MAX, S::OutOfSpace),
            (
                &|options| options.memory_length = usize::MAX,
                S::InvalidLength,
            ),
        ];
        for (at, (change, expected)) in changes.into_iter().enumerate() {
            assert_eq!(init(change), expected, "{at}");
        }
        let inside: [Change<'_>; 3] = [
            &|options| (options.memory, options.memory_length) = (own.cast(), 100),
            &|options| options.state = own.cast(),
            &|options| options.status = own.byte_add(8).cast(),
        ];
        for change in inside {
            let mut options = good;
            change(&mut options);
            assert_eq!(gizwits_link_init(own, &raw const options), S::Overlap);
        }
        assert_eq!(gizwits_link_init(own, &raw const good), S::Ok);

        assert_eq!(gizwits_link_poll(own, 0, null_mut()), S::NullPointer);
        assert_eq!(gizwits_link_receive(own, 0, 0, null_mut()), S::NullPointer);
        assert_eq!(gizwits_link_receive(own, 0, 0, own.cast()), S::Overlap);
        event.kind = gizwits_event::Invalid;
        let none = gizwits_link_receive_bytes(own, null(), 0, 0, &raw mut event, &raw mut used);
        assert_eq!((none, event.kind), (S::Ok, gizwits_event::None));
        let odd = (&raw mut event).byte_add(1);
        assert_eq!(gizwits_link_receive(own, 0, 0, odd), S::Misaligned);
        let bytes = [0; 4];
        let event = &raw mut event;
        let read = gizwits_link_receive_bytes(own, bytes.as_ptr(), 4, 0, event, null_mut());
        assert_eq!(read, S::NullPointer);
        // The number is not written into the link, which still reads.
        let read = gizwits_link_receive_bytes(own, bytes.as_ptr(), 4, 0, event, own.cast());
        assert_eq!(read, S::Overlap);
        let read = gizwits_link_receive_bytes(own, null(), 4, 0, event, &raw mut used);
        assert_eq!((read, used), (S::NullPointer, 0));
        let read = gizwits_link_receive_bytes(own, null(), 0, 0, event, &raw mut used);
        assert_eq!((read, used, (*event).kind), (S::Ok, 0, gizwits_event::None));
        assert_eq!(gizwits_link_wait(own, 0, null_mut()), S::NullPointer);
        assert_eq!(gizwits_link_set_timing(own, null()), S::NullPointer);
        assert_eq!(gizwits_link_send(own, null(), 1), S::NullPointer);
        assert_eq!(
            gizwits_link_send(own, bytes.as_ptr(), 65_275),
            S::InvalidLength
        );
        assert_eq!(gizwits_link_send(own, [0; 5].as_ptr(), 5), S::OutOfSpace);
        assert_eq!(gizwits_link_answer(own, 0x19, 0, null(), 1), S::NullPointer);
        assert_eq!(gizwits_link_request(own, 7, 0), S::InvalidArgument);
        for command in [0, 1, 0x0d, 0x2b, 0xff] {
            assert_eq!(gizwits_link_request(own, command, 1), S::InvalidArgument);
        }
        assert_eq!(gizwits_link_send(own, bytes.as_ptr(), 4), S::Ok);
        assert_eq!(gizwits_link_send(own, bytes.as_ptr(), 1), S::Busy);
        assert_eq!(gizwits_link_request(own, GIZWITS_REQUEST_TIME, 0), S::Busy);
    }
    // A control of this product is longer than all other frames.
    let mut long = Running::new(Generated::get("wave-pump"), 0);
    let mut short = long.options();
    assert!(short.memory_length > 73);
    short.memory_length -= 1;
    // SAFETY: all memory lives as long as `long`.
    let status = unsafe { gizwits_link_init(long.link(), &raw const short) };
    assert_eq!(status, S::OutOfSpace);
    let mut invalid = Running::new(Generated::get("air-conditioner"), 0);
    invalid.set(&[0x04, 0, 0, 0, 31, 0, 0, 0]);
    assert_eq!(invalid.restart(), S::InvalidArgument);
}
