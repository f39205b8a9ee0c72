//! The UART: vectors, the laws of frames and of the link.

use gizwits_codec_core::uart::{self, Command, Decoder, Event, Frame};
use gizwits_codec_std::payload;
use gizwits_tests::{uart as witness, vectors::vectors};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn frames(bytes in vec(any::<u8>(), 0..1200)) {
        witness::frames(&bytes);
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
