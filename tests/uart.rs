//! The UART: vectors, and the laws of frames and of the link.

// The paths serve both programs that have this file.
#[path = "uart/commands.rs"]
mod commands;
#[path = "uart/link.rs"]
mod link;
#[path = "uart/module.rs"]
mod module;

use gizwits_codec_core::link::testing::Module;
use gizwits_codec_core::link::{Event as LinkEvent, Link, Request, SendError};
use gizwits_codec_core::model::{self, DefaultPolicy, Model, Policy, Replacement};
use gizwits_codec_core::uart::{self, Command, Decoder, DeviceInfo, Event, Frame};
use gizwits_codec_core::{Action, ErrorKind};
use gizwits_codec_std::payload;
use gizwits_tests::generated::{air_conditioner, climate, wave_pump};
use gizwits_tests::noise::Noise;
use gizwits_tests::uart::{self as witness, RefEvent};
use gizwits_tests::vectors::{product, vectors};
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

    #[test]
    fn alarms(bytes in vec(any::<u8>(), 0..1200)) {
        witness::alarms(&bytes);
    }
}

fn hex(text: &Value) -> Vec<u8> {
    match text.as_str().unwrap() {
        "" => Vec::new(),
        text => payload::parse(text, None).unwrap(),
    }
}

/// Returns the frames of a line, as command, sn and payload.
fn whole(wire: &[u8]) -> Vec<(u8, u8, Vec<u8>)> {
    let frames = witness::scan(wire, 1024).into_iter();
    let frame = |event| match event {
        RefEvent::Frame(command, sn, _, payload) => (command, sn, payload),
        other => panic!("{other:?}"),
    };
    frames.map(frame).collect()
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

/// Every length is taken, or refused, by the decoder of a stream as by the parser and the slow decoder. The
/// longest frame is written and read.
#[test]
fn every_length_is_taken_or_refused() {
    let mut buffer = [0; 4];
    let mut roomy = vec![0; usize::from(u16::MAX)];
    for length in 0..=u16::MAX {
        let mut line = vec![0xff, 0xff];
        for byte in length.to_be_bytes() {
            line.push(byte);
            line.extend((byte == 0xff).then_some(0x55));
        }
        let mut decoder = Decoder::new(&mut buffer);
        let events: Vec<u16> = line
            .iter()
            .filter_map(|byte| match decoder.push(*byte)? {
                Event::TooLong { payload } => Some(payload),
                event => panic!("{event:?} of {length}"),
            })
            .collect();
        let payload = length.wrapping_sub(5);
        let is_possible = usize::from(payload) <= uart::MAX_PAYLOAD && length >= 5;
        assert_eq!(events == [payload], is_possible && length > 5, "{length}");
        assert_eq!(decoder.is_within(), length == 5, "{length}");
        let reference = witness::scan(&line, 4);
        let reference = reference.iter().map(|event| match event {
            RefEvent::TooLong(payload) => *payload,
            event => panic!("{event:?} of {length}"),
        });
        assert!(reference.eq(events), "{length}");
        let kind = uart::parse(&line, &mut buffer).unwrap_err().kind;
        match length {
            5 => assert_eq!(kind, ErrorKind::Incomplete { missing: 5 }),
            _ if is_possible => assert_eq!(kind, ErrorKind::FrameLimit, "{length}"),
            // The third ff moves the header one byte on.
            0xff00.. => assert_eq!(kind, ErrorKind::Stuffing, "{length}"),
            _ => assert_eq!(kind, ErrorKind::FrameLength, "{length}"),
        }
        // With room for all, every possible length begins a frame, and no other does.
        if length < 0xff00 {
            let mut decoder = Decoder::new(&mut roomy);
            let nothing = line.iter().all(|byte| decoder.push(*byte).is_none());
            assert!(nothing && decoder.is_within() == is_possible, "{length}");
            let kind = uart::parse(&line, &mut roomy).unwrap_err().kind;
            let missing = ErrorKind::Incomplete {
                missing: length.into(),
            };
            assert_eq!(kind == missing, is_possible, "{length}");
        }
    }

    let payload = vec![0xff; uart::MAX_PAYLOAD + 1];
    let frame = |payload| Frame {
        command: Command::FROM_DEVICE,
        sn: 0,
        flags: 0,
        payload,
    };
    let longest = frame(&payload[1..]);
    let mut wire = vec![0; 2 * (payload.len() + uart::OVERHEAD)];
    let len = longest.encode(&mut wire).unwrap();
    let mut buffer = vec![0; payload.len() + Decoder::OVERHEAD];
    assert_eq!(
        uart::parse(&wire[..len], &mut buffer),
        Ok((longest, &[][..]))
    );
    let error = frame(&payload).encode(&mut wire).unwrap_err();
    assert_eq!(error.kind, ErrorKind::FrameLimit);
}

/// A wrong checksum is told with the right one, by the parser and by the decoder of a stream.
#[test]
fn a_wrong_checksum_is_told_with_the_right_one() {
    let wire = b"\xff\xff\0\x05\x07\x02\0\0\x0f";
    let mut buffer = [0; 32];
    let error = uart::parse(wire, &mut buffer).expect_err("it is wrong");
    let text = "wrong checksum (expected 0x0e, found 0x0f): byte 8";
    assert_eq!(error.to_string(), text);
    let error = gizwits_codec_std::Error::from(error);
    assert_eq!((error.kind, &*error.message), ("checksum", text));
    let mut decoder = Decoder::new(&mut buffer);
    let event = decoder.next_event(&mut &wire[..]);
    let corrupt = Event::Corrupt {
        sn: 2,
        expected: 0x0e,
        found: 0x0f,
    };
    assert_eq!(event, Some(corrupt));
}

/// No bytes before a frame, between two frames, or in place of the last byte of a frame hide the next frame.
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

#[test]
fn a_secret_is_not_shown() {
    let open = uart::DeviceInfo::new(&[b'k'; 32]);
    let secret = open.secret(&[b'S'; 32]);
    assert_ne!(open, secret);
    assert_eq!(format!("{open:?}"), format!("{secret:?}"));
}
