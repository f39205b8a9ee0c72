//! The UART: vectors, the laws of frames and of the link.

use gizwits_codec_core::link::{Event as LinkEvent, Link};
use gizwits_codec_core::model::Model;
use gizwits_codec_core::uart::{self, Command, Decoder, DeviceInfo, Event, Frame};
use gizwits_codec_std::payload;
use gizwits_tests::generated::climate;
use gizwits_tests::module::{Module, Noise};
use gizwits_tests::uart::{self as witness, RefEvent};
use gizwits_tests::vectors::vectors;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn frames(bytes in vec(any::<u8>(), 0..1200)) {
        witness::frames(&bytes);
    }

    #[test]
    fn link(bytes in vec(any::<u8>(), 0..1200)) {
        witness::link(&bytes);
    }
}

fn hex(text: &Value) -> Vec<u8> {
    match text.as_str().unwrap() {
        "" => Vec::new(),
        text => payload::parse(text, None).unwrap(),
    }
}

#[test]
fn vectors_decode_and_encode() {
    let vectors = vectors("uart.json");
    assert!(vectors.len() > 25);
    for vector in &vectors {
        let id = vector["id"].as_str().unwrap();
        let (wire, expect) = (hex(&vector["wire"]), &vector["expect"]);
        let mut buffer = [0; 512];
        let (frame, rest) = uart::parse(&wire, &mut buffer).expect(id);
        assert!(rest.is_empty(), "{id}");
        assert_eq!(frame.command.name(), expect["command"].as_str(), "{id}");
        assert_eq!(u64::from(frame.sn), expect["sn"], "{id}");
        assert_eq!(u64::from(frame.flags), expect["flags"], "{id}");
        assert_eq!(frame.payload, hex(&expect["payload"]), "{id}");
        let message = frame.message().expect(id);
        if let Some(expected) = expect["message"].as_str() {
            assert_eq!(format!("{message:?}"), expected, "{id}");
        }
        if let uart::Message::DeviceInfo(info) = message {
            assert_eq!(info.bytes(), frame.payload, "{id}");
        }
        if let uart::Message::Time(time) = message {
            assert_eq!(
                (time.year(), time.date(), time.time()),
                (2026, (11, 24), (10, 30, 45))
            );
            assert_eq!(time.unix(), 1_781_218_381);
        }
        let mut written = [0; 512];
        let len = frame.encode(&mut written).unwrap();
        if vector["canonical"] != false {
            assert_eq!(written[..len], wire, "{id}");
        }
    }
}

/// What stands before a frame, between two, or in place of the last byte of the one before hides none.
#[test]
fn frames_are_found_behind_anything() {
    let heartbeat = witness::wire(Command::HEARTBEAT.0, 1, 0, &[]);
    for before in [
        "",
        "ff",
        "ffff",
        "ffffff",
        "ffff00",
        "ffff000503",
        "ffff0005030100",
        "ffff000503010000",
        "ff55",
        "ffff00ff55",
        "ffff7fff",
        "ffff0000",
        "ffffff55",
        "ffff00050301ff",
        "ffff0005030100ff55",
    ] {
        let line = [&hex(&Value::from(before))[..], &heartbeat].concat();
        let mut buffer = [0; 300];
        let mut decoder = Decoder::new(&mut buffer);
        let mut frames = 0;
        let mut rest = &line[..];
        while let Some(event) = decoder.next_event(&mut rest) {
            frames += usize::from(matches!(
                event,
                Event::Frame(Frame {
                    command: Command::HEARTBEAT,
                    sn: 1,
                    ..
                })
            ));
        }
        assert_eq!(frames, 1, "behind {before}");
    }
}

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
    let mut module = Module::default();
    let (mut bytes, mut now) = (0_u64, 0_u32);
    let (mut whole, mut broken, mut resent) = (0_u64, 0_u64, 0_u64);
    let (mut controls, mut acknowledged) = (0_usize, 0);
    let mut last_sn = None;
    while bytes < BYTES {
        if module.is_idle() {
            match chance(5) {
                0 => module.send(0x07, &[]),
                1 => module.send(0x0d, &[0, chance(256) as u8]),
                2 => module.send(0x03, &[0x02]),
                3 => module.send(0x01, &[]),
                _ => {
                    let mut control = vec![0x01, 0x7f, 0xff, 0xff, 0xff];
                    control.extend(
                        (0..24).map(|_| [0xff, 0x55, chance(256) as u8][chance(3) as usize]),
                    );
                    // A mode that is one.
                    control[5] &= 0x3f;
                    module.send(0x03, &control);
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
                        update.apply(&mut status);
                        controls += 1;
                        // Noise that has the right sum.
                        if let climate::Mode::Unknown(_) = status.mode {
                            status.mode = climate::Mode::Fan;
                        }
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
        let acked = module.acked.drain(..);
        acknowledged += acked
            .filter(|(command, payload, _)| *command == 3 && payload.len() > 2)
            .count();
        module.frames.clear();
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
    let mut expected = climate::Product::VALUES;
    climate::Product::encode(&status, &mut expected).unwrap();
    assert_eq!(
        module.report().map(|report| &report[1..]),
        Some(&expected[..])
    );
}
