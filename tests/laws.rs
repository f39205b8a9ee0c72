//! The laws over arbitrary definitions, values and streams.

use bytes::BytesMut;
use gizwits_codec_core::m2m::{self, Event};
use gizwits_codec_core::{rules, uart};
use gizwits_codec_std::M2mCodec;
use gizwits_codec_std::capture::{CaptureDecoder, Framing, M2mStream, Piece};
use gizwits_codec_std::picture::Picture;
use gizwits_tests::arbitrary::{self, Draw, Protocol};
use gizwits_tests::{answers, capture, laws, log, packets, scenario, vectors};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio_util::codec::{Decoder, Encoder};

/// The number of drawn inputs: that of `PROPTEST_CASES`, which an emulated processor has little time for, or 300.
fn config() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(300),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn standard(bytes in vec(any::<u8>(), 0..3000)) {
        laws::standard(&bytes);
    }

    #[test]
    fn var_len(bytes in vec(any::<u8>(), 0..3000)) {
        laws::var_len(&bytes);
    }

    #[test]
    fn layouts(bytes in vec(any::<u8>(), 0..600)) {
        laws::layout(&bytes);
    }

    #[test]
    fn values_as_json(head in any::<[u8; 2]>(), text in vec(any::<u8>(), 0..300)) {
        laws::encode_json(&[&head[..], &[1], &text].concat());
    }

    #[test]
    fn texts_that_are_nearly_values(
        head in any::<[u8; 2]>(),
        text in r#"\{("[a-z_]{1,9}":["a-z0-9.,:eE\[\]{}-]{0,9},?){0,3}\}?"#,
    ) {
        laws::encode_json(&[&head[..], &[0], text.as_bytes()].concat());
    }

    #[test]
    fn saved_states(head: u8, bytes in vec(any::<u8>(), 0..200)) {
        laws::state(&[&[head, 1], &bytes[..]].concat());
    }

    #[test]
    fn answers_of_the_api(
        head in any::<[u8; 3]>(),
        text in r#"[\[{"\x01-\x03a-z:,0-9\]}]{0,60}"#,
    ) {
        answers::api_json(&[&head[..], text.as_bytes()].concat());
    }

    #[test]
    fn scenarios_that_are_nearly_right(
        edits in vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..4),
    ) {
        let mut text = include_bytes!("../fuzz/seeds/scenario/annotated").to_vec();
        for (at, byte, replace) in edits {
            let at = at.index(text.len());
            match replace {
                true => text[at] = byte,
                false => { text.remove(at); }
            }
        }
        scenario::scenario(&text);
    }

    #[test]
    fn m2m_streams(bytes in vec(any::<u8>(), 0..600)) {
        laws::m2m(&bytes);
    }

    #[test]
    fn m2m_messages(bytes in vec(any::<u8>(), 0..600)) {
        laws::m2m_message(&bytes);
    }

    #[test]
    fn uart_modules(bytes in vec(any::<u8>(), 0..1200)) {
        laws::uart_module(&bytes);
    }

    #[test]
    fn lan_sessions(bytes in vec(any::<u8>(), 0..1200)) {
        laws::lan_session(&bytes);
    }

    #[test]
    fn lan_devices(bytes in vec(any::<u8>(), 0..2000)) {
        laws::lan_device(&bytes);
    }

    #[test]
    fn captured_streams(bytes in vec(any::<u8>(), 0..1200)) {
        capture::streams(&bytes);
    }

    #[test]
    fn captured_texts(bytes in vec(any::<u8>(), 0..600)) {
        for framing in [None, Some(Framing::P0), Some(Framing::UartStream), Some(Framing::M2mStream)] {
            capture::texts(&bytes, framing);
        }
    }

    #[test]
    fn texts_that_are_nearly_captured(text in "([0-9a-f:, '\"\\\\x\n-]|ffff|00000003|0015|RX){0,40}") {
        for framing in [None, Some(Framing::P0), Some(Framing::UartStream), Some(Framing::M2mStream)] {
            capture::any_text(text.as_bytes(), framing);
        }
    }

    #[test]
    fn packets(bytes in vec(any::<u8>(), 0..200)) {
        packets::forms(&bytes);
    }

    #[test]
    fn payload_texts(bytes in vec(any::<u8>(), 0..100)) {
        capture::payload_text(&bytes);
    }

    #[test]
    fn texts_that_are_nearly_payloads(text in "[0-9a-fx,: \\[\\]{}<>'\"b\\\\-]{0,24}") {
        capture::payload_text(text.as_bytes());
    }

    #[test]
    fn definitions(bytes in vec(any::<u8>(), 0..2000)) {
        let json = arbitrary::definition(&mut Draw::new(&bytes), Protocol::Standard);
        laws::definition(json.to_string().as_bytes());
        let json = arbitrary::definition(&mut Draw::new(&bytes), Protocol::VarLen);
        laws::definition(format!("{json:#}").as_bytes());
    }

    /// The place of each of many findings is the one that a count from byte 0 gives.
    #[test]
    fn places_of_findings(bytes in vec(any::<u8>(), 0..2000)) {
        laws::definition(arbitrary::broken_definition(&mut Draw::new(&bytes)).as_bytes());
    }

    #[test]
    fn scales(bytes in vec(any::<u8>(), 0..60)) {
        laws::scale(&bytes);
    }

    /// A definition with a few bytes changed is read or refused, never more.
    #[test]
    fn broken_definitions(
        which in any::<prop::sample::Index>(),
        edits in vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..6),
    ) {
        let names = vectors::fixtures();
        let mut text = vectors::fixture(&names[which.index(names.len())]).into_bytes();
        for (at, byte, replace) in edits {
            let at = at.index(text.len());
            match replace {
                true => text[at] = byte,
                false => { text.remove(at); }
            }
        }
        laws::definition(&text);
    }

    /// tokio's codec finds the frames of a stream however it is cut, and writes them.
    #[test]
    fn tokio_codec(bytes in vec(any::<u8>(), 0..600), chunk in 1_usize..50) {
        let stream = arbitrary::stream(&mut Draw::new(&bytes));
        let mut expected = Vec::new();
        let mut rest = &stream[..];
        loop {
            let found = m2m::scan(rest, m2m::DEFAULT_LIMIT);
            rest = &rest[found.consumed..];
            match found.event {
                Some(Event::Frame(frame)) => expected.push(frame),
                Some(Event::Service { .. }) => {}
                None => break,
            }
        }
        let mut codec = M2mCodec::new();
        let (mut buffer, mut frames) = (BytesMut::new(), Vec::new());
        for chunk in stream.chunks(chunk) {
            buffer.extend_from_slice(chunk);
            while let Some(frame) = codec.decode(&mut buffer).unwrap() {
                frames.push(frame);
            }
        }
        prop_assert_eq!(buffer.len(), rest.len());
        prop_assert_eq!(codec.decode_eof(&mut buffer).is_err(), !rest.is_empty());
        let found: Vec<_> = frames.iter().map(|frame| frame.as_frame()).collect();
        prop_assert_eq!(&found, &expected);
        let mut written = BytesMut::new();
        for frame in expected {
            codec.encode(frame, &mut written).unwrap();
        }
        for frame in frames {
            prop_assert_eq!(codec.decode(&mut written).unwrap(), Some(frame));
        }
    }
}

/// Readers with the default limit accept the frame of the longest status.
#[test]
fn the_longest_status_has_a_frame() {
    let mut p0 = vec![7; rules::MAX_STATUS as usize + 1];
    p0[0] = 4;
    let frame = m2m::Frame {
        flag: 1,
        command: m2m::REQUEST,
        sn: Some(7),
        did: Some(&[b'd'; m2m::MAX_DID]),
        body: &p0,
    };
    let mut bytes = vec![0; p0.len() + 96];
    let len = frame.encode(&mut bytes).unwrap();
    bytes.truncate(len);
    let parsed = m2m::parse(&bytes, m2m::DEFAULT_LIMIT);
    assert_eq!(parsed, Ok((Event::Frame(frame), &[][..])));

    let mut buffer = vec![0; m2m::DEFAULT_LIMIT + 8];
    let mut decoder = m2m::Decoder::new(&mut buffer);
    assert!(decoder.push(&bytes).is_empty());
    assert_eq!(decoder.next_event(), Some(Event::Frame(frame)));

    let mut pieces = Vec::new();
    let mut stream = M2mStream::new();
    let mut each = |piece: Piece<'_, ()>| pieces.push((piece.bytes.len(), piece.frame));
    stream.push(&bytes, &mut each);
    stream.finish(&mut each);
    assert_eq!(pieces, [(len, Ok(()))]);

    let mut stream = BytesMut::from(&bytes[..]);
    let decoded = M2mCodec::new().decode(&mut stream).unwrap().unwrap();
    assert_eq!(decoded.as_frame(), frame);
}

/// A did that is not UTF-8 is `0x` and hex in every form of a frame.
#[test]
fn a_did_that_is_no_text_is_hex() {
    let did = &b"d\xff"[..];
    let m2m = [&b"\0\0\0\x03\x08\x01\0\x90\0\x02"[..], did, b"\x02"].concat();
    let uart = uart::Frame {
        command: uart::Command::TO_DEVICE,
        sn: 1,
        flags: 1,
        payload: &[&[2], did, b"\x02"].concat(),
    };
    let decoder = CaptureDecoder::new();
    for captured in [decoder.decode(&m2m), decoder.uart(uart)] {
        let json: serde_json::Value = serde_json::from_str(&captured.unwrap().to_json()).unwrap();
        assert_eq!(json["frame"]["did"], "0x64ff", "{json}");
    }
    let product = vectors::product("air-conditioner");
    let picture = Picture::of_message(&product.decode(&m2m).unwrap(), &m2m);
    let rows = format!("{:?}", picture.rows);
    assert!(rows.contains("did 0x64ff"), "{rows}");
}

/// Every fixture is read without a finding, prints itself, and the core agrees about it.
#[test]
fn fixtures() {
    for name in vectors::fixtures() {
        let text = vectors::fixture(&name);
        let found = gizwits_codec_std::check(&text).diagnostics;
        assert!(found.is_empty(), "{name}: {found:?}");
        laws::definition(text.as_bytes());
        laws::definition(format!("\u{feff}{text}").as_bytes());
    }
}

#[test]
fn a_service_message_has_a_limit() {
    capture::long_service_messages();
}

#[test]
fn the_longest_serial_frame_is_found() {
    capture::longest_serial_frame();
}

proptest! {
    // A log takes as long as the inputs of ten other laws.
    #![proptest_config(ProptestConfig { cases: config().cases / 2, ..config() })]

    #[test]
    fn logs(bytes in vec(any::<u8>(), 0..6000)) {
        log::law(&log::arbitrary(&mut Draw::new(&bytes)));
    }
}
