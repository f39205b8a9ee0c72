//! The MCU's side of the serial line: the rules of `Link`, and `Link` on a bad line.

use super::*;

/// Ten million bytes over a bad line, at a millisecond each: every request that arrives whole is answered at
/// once, whatever came before it, controls are acted on once, and in the end both know the same.
#[test]
fn soak() {
    const BYTES: u64 = 10_000_000;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut chance = move |below: u32| {
        // xorshift64*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let high = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        ((high * u64::from(below)) >> 32) as u32
    };
    let noise = Noise([120, 60, 120, 120]);
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let mut buffer = vec![0; Link::<climate::Product>::room()];
    let mut link: Link<'_, climate::Product> = Link::new(&info, &mut buffer);
    let mut status = climate::Status::new();
    let mut module = Module::<climate::Product>::new();
    let (mut bytes, mut now) = (0_u64, 0_u32);
    let (mut whole, mut broken, mut resent) = (0_u64, 0_u64, 0_u64);
    let (mut controls, mut acknowledged) = (0_usize, 0);
    let mut last_sn = None;
    while bytes < BYTES {
        if module.is_idle() {
            match chance(5) {
                0 => module.send(Command::HEARTBEAT, &[]),
                1 => module.send(Command::STATUS, &[0, chance(256) as u8]),
                2 => module.read(),
                3 => module.send(Command::INFO, &[]),
                _ => {
                    let mut control = vec![0x01, 0x7f, 0xff, 0xff, 0xff];
                    control.extend(
                        (0..24).map(|_| [0xff, 0x55, chance(256) as u8][chance(3) as usize]),
                    );
                    module.send(Command::TO_DEVICE, &control);
                }
            }
        }
        let frame = module.poll(now);
        let mut to_mcu = vec![frame];
        let mut sent = Vec::new();
        while let Some(frame) = to_mcu.pop() {
            let mut intact = !frame.is_empty();
            for byte in &frame {
                let (arrived, good) = noise.pass(*byte, &mut chance);
                intact &= good;
                for byte in arrived {
                    if let Some(LinkEvent::Control(update)) =
                        link.receive(byte, now, &mut |byte| sent.push(byte))
                    {
                        update.apply(&mut status, |_, _| {});
                        controls += 1;
                    }
                }
                now += 1;
                bytes += 1;
            }
            let is_request = frame
                .get(4)
                .is_some_and(|command| [1, 3, 7, 13].contains(command));
            if is_request {
                let sn = frame[5];
                resent += u64::from(last_sn.replace(sn) == Some(sn));
            }
            let _ = link.poll(now, &status, &mut |byte| sent.push(byte));
            if is_request && intact {
                whole += 1;
                let answers = witness::scan(&sent, 1024);
                let ack = (frame[4] + 1, frame[5]);
                assert!(
                    answers.iter().any(|one| matches!(one, RefEvent::Frame(command, sn, ..) if (*command, *sn) == ack)),
                    "no answer to {frame:02x?} that arrived whole: {answers:02x?}"
                );
            }
            broken += u64::from(is_request && !intact);
            for byte in std::mem::take(&mut sent) {
                let (arrived, _) = noise.pass(byte, &mut chance);
                for byte in arrived {
                    let answer = module.receive(byte);
                    if !answer.is_empty() {
                        to_mcu.push(answer);
                    }
                }
                now += 1;
                bytes += 1;
            }
        }
        now += 5;
        let acked = module.sent.drain(..).filter(|sent| sent.answer.is_some());
        acknowledged += acked
            .filter(|sent| sent.command == Command::TO_DEVICE && sent.payload.len() > 2)
            .count();
        module.received.clear();
        status.co2 = now as u16;
    }
    println!("{bytes} bytes, {whole} requests whole, {broken} broken, {resent} sent again");
    assert!(
        whole > 100_000 && broken > 2_000 && resent > 2_000,
        "{whole} {broken} {resent}"
    );
    // Each is acted on once; one more may have been, by noise that has the right sum or lost acknowledgements.
    assert!(acknowledged <= controls && controls < acknowledged + acknowledged / 50);

    for _ in 0..700_000 / 50 {
        now += 50;
        let mut sent = Vec::new();
        let _ = link.poll(now, &status, &mut |byte| sent.push(byte));
        for byte in sent {
            for answer in module.receive(byte) {
                let _ = link.receive(answer, now, &mut |_| {});
            }
        }
    }
    let expected = model::encode::<climate::Product>(&status).unwrap();
    assert_eq!(
        module.reports().next_back().map(|report| &report[1..]),
        Some(&expected[..])
    );
}

/// Returns what a link sends at a time, as command, sn and payload.
fn sent<M: Model, P: Policy>(
    link: &mut Link<'_, M, P>,
    now: u32,
    status: &M::Status,
) -> Vec<(u8, u8, Vec<u8>)> {
    let mut sent = Vec::new();
    let _ = link.poll(now, status, &mut |byte| sent.push(byte));
    whole(&sent)
}

/// Returns what a link answers to a frame, and whether it has an event.
fn told<M: Model, P: Policy>(
    link: &mut Link<'_, M, P>,
    now: u32,
    frame: &[u8],
) -> (Vec<(u8, u8, Vec<u8>)>, bool) {
    let (mut sent, mut said) = (Vec::new(), false);
    for byte in frame {
        said |= link
            .receive(*byte, now, &mut |byte| sent.push(byte))
            .is_some();
    }
    (whole(&sent), said)
}

#[test]
fn reports_follow_the_vendors_rules() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let mut buffer = [0; Link::<climate::Product>::room()];
    let mut link: Link<'_, climate::Product> = Link::new(&info, &mut buffer);
    let mut status = climate::Status::new();
    let mut now = u32::MAX - 5_000; // The clock turns over.
    let acked = |link: &mut Link<'_, climate::Product>, now, status: &_| {
        let sent = sent(link, now, status);
        for (command, sn, _) in &sent {
            told(link, now, &witness::wire(command + 1, *sn, 0, &[]));
        }
        sent.len()
    };
    assert_eq!(acked(&mut link, now, &status), 1, "the first");
    assert_eq!(acked(&mut link, now, &status), 0);
    let wait = |link: &Link<'_, climate::Product>, now| link.wait(now);
    assert_eq!(wait(&link, now), 6_000);
    // Measured: after 6 s.
    status.co2 = 400;
    for later in [1, 3_000, 2_998] {
        now = now.wrapping_add(later);
        assert_eq!(acked(&mut link, now, &status), 0);
    }
    now = now.wrapping_add(1);
    assert_eq!(acked(&mut link, now, &status), 1);
    // Writable: at once.
    status.power = true;
    assert_eq!(acked(&mut link, now.wrapping_add(1), &status), 1);
    // Everything: after 600 s.
    now = now.wrapping_add(1);
    assert_eq!(acked(&mut link, now.wrapping_add(599_999), &status), 0);
    assert_eq!(wait(&link, now.wrapping_add(599_999)), 1);
    assert_eq!(acked(&mut link, now.wrapping_add(600_000), &status), 1);
    // As configured.
    link.timing.measured = 10;
    link.timing.full = 100;
    now = now.wrapping_add(600_100);
    assert_eq!(acked(&mut link, now, &status), 1);
    status.co2 = 500;
    assert_eq!(acked(&mut link, now.wrapping_add(9), &status), 0);
    assert_eq!(acked(&mut link, now.wrapping_add(10), &status), 1);
}

#[test]
fn what_nobody_acknowledges_is_sent_three_times() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let mut buffer = [0; Link::<climate::Product>::room()];
    let mut link: Link<'_, climate::Product> = Link::new(&info, &mut buffer);
    let status = climate::Status::new();
    let mut times = Vec::new();
    let mut given_up = None;
    for now in 0..8_000 {
        let mut sent = Vec::new();
        if let Some(LinkEvent::Unanswered(command)) =
            link.poll(now, &status, &mut |byte| sent.push(byte))
        {
            given_up.get_or_insert((now, command));
        }
        times.extend(whole(&sent).into_iter().map(|(_, sn, _)| (now, sn)));
    }
    let expected = [
        (0, 0),
        (200, 0),
        (400, 0),
        (6_000, 1),
        (6_200, 1),
        (6_400, 1),
    ];
    assert_eq!(times, expected);
    assert_eq!(given_up, Some((600, Command::FROM_DEVICE)));
}

#[test]
fn a_control_that_comes_again_is_acknowledged_and_not_done() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let mut buffer = [0; Link::<climate::Product>::room()];
    let mut link: Link<'_, climate::Product> = Link::new(&info, &mut buffer);
    let control = [&[0x01, 0, 0, 0, 1, 0, 1][..], &[0; 22]].concat();
    let frame = witness::wire(3, 9, 0, &control);
    let ack = vec![(4, 9, vec![])];
    assert_eq!(told(&mut link, 0, &frame), (ack.clone(), true));
    assert_eq!(told(&mut link, 200, &frame), (ack.clone(), false));
    assert_eq!(
        told(&mut link, 1_400, &frame),
        (ack, true),
        "much later it is another"
    );
    let other = witness::wire(3, 10, 0, &control);
    assert_eq!(
        told(&mut link, 1_400, &other),
        (vec![(4, 10, vec![])], true)
    );
    // Cut, unknown, for a point that there isn't, broken.
    for (frame, code) in [
        (witness::wire(3, 11, 0, &control[..20]), 3),
        (witness::wire(0x60, 11, 0, &[]), 2),
        (
            witness::wire(3, 11, 0, &[&[0x01, 0x80], &control[2..]].concat()),
            3,
        ),
        (witness::wire(3, 11, 0, &[]), 3),
    ] {
        assert_eq!(
            told(&mut link, 2_000, &frame),
            (vec![(0x12, 11, vec![code])], true)
        );
    }
    let mut broken = other;
    broken[20] ^= 1;
    assert_eq!(
        told(&mut link, 2_000, &broken),
        (vec![(0x12, 10, vec![1])], false)
    );
}

/// A control is a repetition until a second has passed since it came last, to the millisecond, also while the clock wraps
/// around.
#[test]
fn a_control_is_a_repetition_for_exactly_a_second() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let control = [&[0x01, 0, 0, 0, 1, 0, 1][..], &[0; 22]].concat();
    let frame = witness::wire(3, 9, 0, &control);
    let ack = vec![(4, 9, vec![])];
    let begins = [0, 1, u32::MAX - 2_500, u32::MAX - 999, u32::MAX];
    let distances = [0, 1, 500, 998, 999, 1_000, 1_001, 1_500, 60_000];
    for (begin, distance) in begins
        .into_iter()
        .flat_map(|begin| distances.map(|distance| (begin, distance)))
    {
        let mut buffer = [0; Link::<climate::Product>::room()];
        let mut link: Link<'_, climate::Product> = Link::new(&info, &mut buffer);
        assert_eq!(told(&mut link, begin, &frame), (ack.clone(), true));
        let mut now = begin;
        // A repetition is one of the control that came last, done or not.
        for _ in 0..3 {
            now = now.wrapping_add(distance);
            let expected = (ack.clone(), distance >= 1_000);
            assert_eq!(
                told(&mut link, now, &frame),
                expected,
                "{begin} + {distance}"
            );
        }
    }
}

/// The air conditioner's status of no values, and its link.
fn air_conditioner<P: Policy>(
    info: &DeviceInfo,
    check: impl FnOnce(Link<'_, air_conditioner::Product, P>, air_conditioner::Status),
) {
    let mut buffer = [0; Link::<air_conditioner::Product>::room()];
    check(Link::new(info, &mut buffer), air_conditioner::Status::new());
}

/// switch on, mode 2, fan_speed 3 (0 to 2 have labels), set_temp 99 (16 to 30), all flagged.
const PARTLY_INVALID: [u8; 6] = [0x01, 0b0100_1101, 0b0011_1001, 0, 0, 99];

#[test]
fn a_control_sets_its_valid_points() {
    let info = DeviceInfo::new(air_conditioner::Product::PRODUCT_KEY);
    air_conditioner::<DefaultPolicy>(&info, |mut link, mut status| {
        let (mut sent, mut told) = (Vec::new(), Vec::new());
        for byte in witness::wire(3, 7, 0, &PARTLY_INVALID) {
            let event = link.receive(byte, 0, &mut |byte| sent.push(byte));
            if let Some(LinkEvent::Control(update)) = event {
                assert!(!update.is_valid());
                update.apply(&mut status, |point, why| told.push((point.0, why)));
                let control = update.control(|_, _| {});
                assert_eq!((control.fan_speed, control.set_temp), (None, None));
                assert_eq!(control.switch, Some(true));
            }
        }
        assert_eq!(whole(&sent), [(4, 7, vec![])], "it is acknowledged");
        assert_eq!(told, [(3, ErrorKind::PastLabels), (6, ErrorKind::AboveMax)]);
        let mut expected = air_conditioner::Status::new();
        expected.switch = true;
        expected.mode = air_conditioner::Mode::from(2);
        assert_eq!(status, expected);
        let sent = self::sent(&mut link, 0, &status);
        assert_eq!(sent[0].2, [0x04, 0b1001, 0, 0, 16, 0, 0, 0]);
    });
}

/// Refuses controls with an invalid value as a whole.
enum Refusing {}

impl Policy for Refusing {
    const REFUSE_CONTROLS: bool = true;
}

#[test]
fn a_control_is_refused_as_a_whole_if_the_application_wants_it() {
    let info = DeviceInfo::new(air_conditioner::Product::PRODUCT_KEY);
    air_conditioner::<Refusing>(&info, |mut link, _| {
        let (mut sent, mut refused) = (Vec::new(), 0);
        for byte in witness::wire(3, 7, 0, &PARTLY_INVALID) {
            match link.receive(byte, 0, &mut |byte| sent.push(byte)) {
                Some(LinkEvent::Refused(payload)) => {
                    assert_eq!(payload, PARTLY_INVALID);
                    refused += 1;
                }
                event => assert!(event.is_none(), "{event:?}"),
            }
        }
        assert_eq!((whole(&sent), refused), (vec![(0x12, 7, vec![3])], 1));
        // Without the two it is one.
        let valid = [0x01, 0b0000_0101, 0b1001, 0, 0, 0];
        assert_eq!(
            told(&mut link, 0, &witness::wire(3, 8, 0, &valid)),
            (vec![(4, 8, vec![])], true)
        );
    });
}

/// Returns the reports of a link with an impossible sensor value and label, each with the points that the link says are
/// invalid.
fn reports_of_invalid<P: Policy>() -> Vec<(Option<Vec<u16>>, Vec<u8>)> {
    let info = DeviceInfo::new(air_conditioner::Product::PRODUCT_KEY);
    let mut reports = Vec::new();
    air_conditioner::<P>(&info, |mut link, mut status| {
        let mut turn = |status: &air_conditioner::Status| {
            let mut sent = Vec::new();
            let event = link.poll(0, status, &mut |byte| sent.push(byte));
            let said = match event {
                Some(LinkEvent::Invalid) => Some(link.invalid().map(|point| point.0).collect()),
                _ => None,
            };
            let frames = whole(&sent);
            for (command, sn, _) in &frames {
                self::told(&mut link, 0, &witness::wire(command + 1, *sn, 0, &[]));
            }
            let payload = frames
                .into_iter()
                .next()
                .map_or(vec![], |(_, _, payload)| payload);
            reports.push((said, payload));
        };
        status.fan_speed = air_conditioner::FanSpeed::from(1);
        status.room_temp = 20;
        turn(&status);
        // The sensor fails, and its fault bit says so; the label is none.
        status.room_temp = 120;
        status.fan_speed = air_conditioner::FanSpeed::from(3);
        status.fault_roomtemp = true;
        turn(&status);
        turn(&status);
        status.fan_speed = air_conditioner::FanSpeed::from(2);
        turn(&status);
        status.room_temp = 21;
        status.fault_roomtemp = false;
        turn(&status);
    });
    reports
}

/// Keeps numbers, and saturates enums.
enum Keeping {}

impl Policy for Keeping {
    const NUMBERS: Replacement = Replacement::Keep;
    const ENUMS: Replacement = Replacement::Saturate;
}

#[test]
fn a_status_that_no_report_can_hold_is_reported_all_the_same() {
    let report = |fan_speed: u8, room_temp: u8, fault| {
        vec![0x04, fan_speed << 4, 0, 0, 16, room_temp, 0, fault]
    };
    // Room temperatures are 10 higher on the wire; 35 is the greatest.
    let expected = [
        (None, report(1, 30, 0)),
        (Some(vec![3, 7]), report(1, 45, 1)),
        (None, vec![]),
        (Some(vec![7]), report(2, 45, 1)),
        (Some(vec![]), report(2, 31, 0)),
    ];
    assert_eq!(reports_of_invalid::<DefaultPolicy>(), expected);
    let expected = [
        (None, report(1, 30, 0)),
        (Some(vec![3, 7]), report(2, 30, 1)),
        (None, vec![]),
        (Some(vec![7]), vec![]),
        (Some(vec![]), report(2, 31, 0)),
    ];
    assert_eq!(reports_of_invalid::<Keeping>(), expected);
}

/// An application that always has a request keeps no alert back.
#[test]
fn requests_keep_no_report_back() {
    let info = DeviceInfo::new(air_conditioner::Product::PRODUCT_KEY);
    let (mut buffer, mut outbox) = ([0; 80], [0; 4]);
    let mut link: Link<'_, air_conditioner::Product> =
        Link::new(&info, &mut buffer).with_outbox(&mut outbox);
    let mut status = air_conditioner::Status::new();
    let mut actions = Vec::new();
    for turn in 0..12 {
        let _ = link.send(&[turn]);
        status.alert_full = turn >= 5;
        for (command, sn, payload) in sent(&mut link, turn.into(), &status) {
            told(
                &mut link,
                turn.into(),
                &witness::wire(command + 1, sn, 0, &[]),
            );
            actions.push((payload[0], turn));
        }
    }
    // The first report, and that of the alert, each after one request.
    assert_eq!(actions.len(), 12);
    let reports: Vec<_> = actions.iter().filter(|(action, _)| *action == 4).collect();
    assert_eq!(reports.len(), 2);
    assert!(
        reports[0].1 <= 1 && (5..=6).contains(&reports[1].1),
        "{reports:?}"
    );
}

/// A read is answered whatever the status holds.
#[test]
fn a_read_of_invalid_values_is_answered() {
    let info = DeviceInfo::new(air_conditioner::Product::PRODUCT_KEY);
    air_conditioner::<DefaultPolicy>(&info, |mut link, mut status| {
        status.room_temp = i32::MIN;
        status.alert_full = true;
        told(&mut link, 0, &witness::wire(3, 9, 0, &[0x02]));
        let sent = sent(&mut link, 0, &status);
        assert_eq!(sent[0], (4, 9, vec![0x03, 0, 0, 0, 16, 0, 0b10, 0]));
    });
}

#[test]
fn requests_and_bytes() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY).software(b"00000007");
    let mut buffer = [0; Link::<climate::Product>::room()];
    let mut outbox = [0; 4];
    let mut link: Link<'_, climate::Product> =
        Link::new(&info, &mut buffer).with_outbox(&mut outbox);
    let status = climate::Status::new();
    // Once the first report is out, nothing is due but requests.
    let (_, sn, _) = sent(&mut link, 0, &status)[0];
    told(&mut link, 0, &witness::wire(6, sn, 0, &[]));
    let requests = [
        (Request::configure(uart::ConfigMode::AirLink), 0x09, vec![2]),
        (Request::RESET, 0x0b, vec![]),
        (Request::TEST, 0x13, vec![]),
        (Request::BIND, 0x15, vec![]),
        (Request::REBOOT, 0x29, vec![]),
    ];
    for (request, command, payload) in requests {
        link.request(request).unwrap();
        let sent = sent(&mut link, 0, &status);
        let (_, sn, _) = sent[0];
        assert_eq!(sent, [(command, sn, payload)]);
        let late = witness::wire(command + 1, sn.wrapping_add(1), 0, &[]);
        assert!(!told(&mut link, 0, &late).1);
        assert_eq!(
            link.request(Request::TIME),
            Err(gizwits_codec_core::link::Busy)
        );
        let acked = witness::wire(command + 1, sn, 0, &[]);
        let mut event = None;
        for byte in acked {
            if let Some(LinkEvent::Acked(command)) = link.receive(byte, 0, &mut |_| {}) {
                event = Some(command.0);
            }
        }
        assert_eq!(event, Some(command));
    }
    assert!(link.send(b"12345").is_err());
    link.send(b"1234").unwrap();
    let (_, sn, _) = sent(&mut link, 0, &status)[0];
    assert_eq!(
        sent(&mut link, 200, &status),
        [(5, sn, b"\x061234".to_vec())]
    );
    told(&mut link, 200, &witness::wire(6, sn, 0, &[]));

    link.request(Request::TIME).unwrap();
    let (command, sn, _) = sent(&mut link, 200, &status)[0];
    let time = [7, 0xea, 11, 24, 10, 30, 45, 0x6a, 0x2b, 0x3c, 0x4d];
    let mut unix = 0;
    for byte in witness::wire(command + 1, sn, 0, &time) {
        if let Some(LinkEvent::Time(time)) = link.receive(byte, 200, &mut |_| {}) {
            unix = time.unix();
        }
    }
    assert_eq!(unix, 1_781_218_381);
    let (answer, _) = told(&mut link, 0, &witness::wire(1, 7, 0, &[]));
    assert_eq!(answer, [(2, 7, info.bytes().to_vec())]);
    assert_eq!(&answer[0].2[24..32], b"00000007");
}

/// Transparent data and its action fill a payload at most.
#[test]
fn an_outbox_holds_no_more_than_a_payload() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let mut buffer = [0; Link::<climate::Product>::room()];
    let mut outbox = vec![0; 2 * uart::MAX_PAYLOAD];
    let mut link: Link<'_, climate::Product> =
        Link::new(&info, &mut buffer).with_outbox(&mut outbox);
    let status = climate::Status::new();
    let (_, sn, _) = sent(&mut link, 0, &status)[0];
    told(&mut link, 0, &witness::wire(6, sn, 0, &[]));

    let data = vec![0x5a; uart::MAX_PAYLOAD];
    let limit = uart::MAX_PAYLOAD as u16 - 1;
    assert_eq!(link.send(&data), Err(SendError::TooLong { limit }));
    link.send(&data[1..]).unwrap();
    assert_eq!(link.send(&data), Err(SendError::Busy));
    let mut wire = Vec::new();
    let _ = link.poll(0, &status, &mut |byte| wire.push(byte));
    let mut payload = vec![0x06];
    payload.extend(&data[1..]);
    assert_eq!(wire, witness::wire(5, sn + 1, 0, &payload));
}

/// One call writes the answer to a read and the data of the outbox.
#[test]
fn the_longest_call_includes_the_outbox() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    for len in [0, 1, 300] {
        let mut buffer = [0; Link::<climate::Product>::room()];
        let (mut outbox, data) = (vec![0; len], vec![0xff; len]);
        let mut link: Link<'_, climate::Product> =
            Link::new(&info, &mut buffer).with_outbox(&mut outbox);
        link.send(&data).unwrap();
        told(&mut link, 0, &witness::wire(3, 7, 0, &[0x02]));
        let mut wire = Vec::new();
        let _ = link.poll(0, &climate::Status::new(), &mut |byte| wire.push(byte));
        let [(4, 7, _), (5, 0, data)] = &whole(&wire)[..] else {
            panic!("{wire:02x?}");
        };
        assert_eq!(data.len(), 1 + len);
        assert!(wire.len() <= Link::<climate::Product>::longest(len));
        assert_eq!(
            wire.len() > Link::<climate::Product>::longest(0),
            len == 300
        );
    }
}

/// No frame has the sequence number ff, which some modules do not stuff.
#[test]
fn sequence_numbers_end_at_fe() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let mut buffer = [0; Link::<climate::Product>::room()];
    let mut link: Link<'_, climate::Product> = Link::new(&info, &mut buffer);
    let status = climate::Status::new();
    for turn in 0..600 {
        let [(command, sn, _)] = sent(&mut link, 0, &status)[..] else {
            panic!("one frame at a time");
        };
        assert_eq!(u32::from(sn), turn % 0xff);
        told(&mut link, 0, &witness::wire(command + 1, sn, 0, &[]));
        link.request(Request::TIME).unwrap();
    }
}

/// A read of a var_len product is answered with what it wants, a change is reported alone.
#[test]
fn some_points_of_a_var_len_product() {
    let info = DeviceInfo::new(wave_pump::Product::PRODUCT_KEY);
    let mut buffer = [0; Link::<wave_pump::Product>::room()];
    let mut link: Link<'_, wave_pump::Product> = Link::new(&info, &mut buffer);
    let mut status = wave_pump::Status::new();
    let first = sent(&mut link, 0, &status);
    let [(5, sn, _)] = first[..] else {
        panic!("{first:?}")
    };
    told(&mut link, 0, &witness::wire(6, sn, 0, &[]));
    (status.flow, status.mode) = (75, wave_pump::Mode::from(2));
    let report = sent(&mut link, 1, &status);
    let pump = product("wave-pump");
    let mut expected = pump.message(gizwits_codec_std::Action::Report);
    expected.set_json(r#"{"Flow": 75, "Mode": 2}"#).unwrap();
    assert_eq!(report[0].2, expected.encode().unwrap());
    told(&mut link, 1, &witness::wire(6, report[0].1, 0, &[]));

    let read = [0x12, 0, 0, 0, 0, 0, 0, 0, 0x80, 0];
    assert_eq!(
        told(&mut link, 1, &witness::wire(3, 44, 0, &read)),
        (vec![], false)
    );
    let reply = [0x13, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 75];
    assert_eq!(sent(&mut link, 1, &status), [(4, 44, reply.to_vec())]);

    // The mask of a reply has no bit past the last point, and nothing but ones asks for all.
    let surplus = [0x12, 0x80, 0, 0, 0, 0, 0, 0, 0x80, 0];
    told(&mut link, 1, &witness::wire(3, 45, 0, &surplus));
    assert_eq!(sent(&mut link, 1, &status), [(4, 45, reply.to_vec())]);
    let full = [&[0x7f][..], &[0xff; 8]].concat();
    for ones in 1..12 {
        let all = [&[0x12][..], &vec![0xff; ones]].concat();
        told(&mut link, 1, &witness::wire(3, 46, 0, &all));
        let reply = sent(&mut link, 1, &status);
        let [(4, 46, payload)] = &reply[..] else {
            panic!("{ones}: {reply:?}")
        };
        assert_eq!(payload[..10], [&[0x13], &full[..]].concat());
        let len = wave_pump::Product::LAYOUT.p0_len(Action::Reply);
        assert_eq!(payload.len(), len);
    }
    let other = [0x12, 0, 0xff];
    let (refused, _) = told(&mut link, 1, &witness::wire(3, 47, 0, &other));
    assert_eq!(refused, [(0x12, 47, vec![3])]);

    // A report that was lost may have had what the next one doesn't: that has everything.
    status.flow = 76;
    let lost = sent(&mut link, 2, &status);
    assert_eq!(lost[0].2, [0x14, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 76]);
    let times = [202, 402, 602].map(|now| sent(&mut link, now, &status).len());
    assert_eq!(times, [1, 1, 0]);
    status.switch_on = true;
    let all = sent(&mut link, 603, &status);
    assert_eq!(
        all[0].2.len(),
        wave_pump::Product::LAYOUT.p0_len(Action::Report)
    );
}
