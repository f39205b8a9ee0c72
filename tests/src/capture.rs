//! Captures: the laws of streams and of the notations of bytes.

use std::io;

use gizwits_codec_core::m2m::{self, Event};
use gizwits_codec_core::uart;
use gizwits_codec_std::capture::{
    CaptureDecoder, CaptureReader, Entry, Framing, M2mStream, Piece, UartStream,
};
use gizwits_codec_std::payload::{self, Encoding};

use crate::arbitrary::{self, Draw};
use crate::uart as line;

/// A piece of a stream: its offset, its bytes, and the frame or the kind of its error.
type Owned = (u64, Vec<u8>, Result<String, &'static str>);

fn owned<F: std::fmt::Debug>(piece: &Piece<'_, F>) -> Owned {
    let frame = piece.frame.as_ref();
    let frame = frame.map(|frame| format!("{frame:?}"));
    let frame = frame.map_err(|error| error.kind);
    (piece.offset, piece.bytes.to_vec(), frame)
}

fn m2m_pieces(stream: &[u8], mut cut: impl FnMut() -> usize) -> Vec<Owned> {
    let mut pieces = Vec::new();
    let mut each = |piece: Piece<'_, ()>| pieces.push(owned(&piece));
    let (mut found, mut rest) = (M2mStream::new(), stream);
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(cut().min(rest.len()));
        rest = behind;
        found.push(chunk, &mut each);
    }
    found.finish(&mut each);
    pieces
}

fn uart_pieces(stream: &[u8], mut cut: impl FnMut() -> usize) -> Vec<Owned> {
    let mut pieces = Vec::new();
    let mut each = |piece: Piece<'_, uart::Frame<'_>>| pieces.push(owned(&piece));
    let (mut found, mut rest) = (UartStream::new(), stream);
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(cut().min(rest.len()));
        rest = behind;
        found.push(chunk, &mut each);
    }
    found.finish(&mut each);
    pieces
}

/// The pieces of a stream do not depend on how it is cut, contain every byte once, and the frames among them are those of
/// the core's decoders. Whatever they contain is decoded without a definition or has an error.
///
/// # Panics
/// If the law is broken.
pub fn streams(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let stream = arbitrary::stream(&mut draw);
    let whole = m2m_pieces(&stream, || usize::MAX);
    assert_eq!(whole, m2m_pieces(&stream, || 1));
    assert_eq!(whole, m2m_pieces(&stream, || 1 + draw.below(40) as usize));
    assert!(whole.first().is_none_or(|(offset, ..)| *offset == 0));
    for (n, (offset, bytes, frame)) in whole.iter().enumerate() {
        let next = whole.get(n + 1);
        let end = offset + bytes.len() as u64;
        let begin = next.map_or(stream.len() as u64, |(offset, ..)| *offset);
        // Garbage keeps its first bytes only.
        let is_long = *frame == Err("garbage") && bytes.len() == 64;
        assert!(begin == end || is_long && begin > end, "{whole:?}");
        assert_eq!(bytes[..], stream[*offset as usize..][..bytes.len()]);
        if *frame == Err("incomplete") {
            // Such a frame ends at the first whole frame within it.
            assert!(next.is_none_or(|(.., frame)| frame.is_ok()), "{whole:?}");
            let is_frame = |at| {
                matches!(
                    m2m::parse(&bytes[at..], m2m::DEFAULT_LIMIT),
                    Ok((Event::Frame(_), _))
                )
            };
            assert!(!(1..bytes.len()).any(is_frame), "{whole:?}");
        }
        if frame.is_ok() {
            let json = CaptureDecoder::new().m2m(bytes).map(|one| one.to_json());
            if let Ok(json) = json {
                serde_json::from_str::<serde_json::Value>(&json).expect("it is JSON");
            }
        }
    }
    // The frames that a scan of the core finds, up to the first that is incomplete.
    let mut rest = &stream[..];
    let mut frames = whole.iter().filter(|(.., frame)| frame.is_ok());
    loop {
        let found = m2m::scan(rest, m2m::DEFAULT_LIMIT);
        let begin = stream.len() - rest.len() + found.skipped;
        rest = &rest[found.consumed..];
        match found.event {
            Some(event) => {
                let (offset, bytes, _) = frames.next().expect("the core finds a frame");
                assert_eq!(*offset, begin as u64);
                let parsed = m2m::parse(bytes, m2m::DEFAULT_LIMIT).map(|(event, _)| event);
                assert_eq!(parsed, Ok(event));
                if let Event::Frame(_) = event {
                    assert_eq!(bytes.len(), found.consumed - found.skipped);
                }
            }
            None => break,
        }
    }

    let (stream, _) = line::line(&mut draw);
    let whole = uart_pieces(&stream, || usize::MAX);
    assert_eq!(whole, uart_pieces(&stream, || 1));
    assert_eq!(whole, uart_pieces(&stream, || 1 + draw.below(40) as usize));
    let mut buffer = vec![0; uart::MAX_PAYLOAD + 4];
    let mut decoder = uart::Decoder::new(&mut buffer);
    let mut expected = Vec::new();
    for byte in &stream {
        expected.extend(decoder.push(*byte).map(|event| match event {
            uart::Event::Frame(frame) => Ok(format!("{frame:?}")),
            _ => Err("checksum"),
        }));
    }
    let frames = whole.iter().map(|(.., frame)| frame.clone());
    let frames: Vec<_> = frames
        .filter(|frame| matches!(frame, Ok(_) | Err("checksum")))
        .collect();
    assert_eq!(frames, expected, "{stream:02x?}");
    let mut stream = UartStream::new();
    let decoder = CaptureDecoder::new();
    stream.push(bytes, &mut |piece| {
        if let Ok(frame) = piece.frame
            && let Ok(captured) = decoder.uart(frame)
        {
            serde_json::from_str::<serde_json::Value>(&captured.to_json()).expect("it is JSON");
        }
    });
}

/// A service message ends at its limit, and the bytes behind it are garbage, however the stream is cut.
///
/// # Panics
/// If the law is broken.
pub fn long_service_messages() {
    let service = b"\0\0\0\x03\x02\x0e";
    let frame = b"\0\0\0\x03\x03\0\0\x15";
    for len in [
        m2m::DEFAULT_LIMIT,
        m2m::DEFAULT_LIMIT + 1,
        2 * m2m::DEFAULT_LIMIT,
    ] {
        let mut stream = service.to_vec();
        stream.resize(len, b'x');
        stream.extend(frame);
        for cut in [usize::MAX, 50_000, 4096] {
            let pieces = m2m_pieces(&stream, || cut);
            let found: Vec<_> = pieces
                .iter()
                .map(|(offset, bytes, frame)| {
                    (*offset as usize, bytes.len(), frame.as_ref().err().copied())
                })
                .collect();
            let limit = m2m::DEFAULT_LIMIT;
            let garbage = (len > limit).then(|| (limit, (len - limit).min(64), Some("garbage")));
            let mut expected = vec![(0, limit, None)];
            expected.extend(garbage);
            expected.push((len, frame.len(), None));
            assert_eq!(found, expected, "{len} in pieces of {cut}");
        }
    }
}

/// The longest frame of the serial line is found, and the frame behind it, however the stream is cut.
///
/// # Panics
/// If the law is broken.
pub fn longest_serial_frame() {
    let payload = vec![0x5a; uart::MAX_PAYLOAD];
    let frame = uart::Frame {
        command: uart::Command(0x05),
        sn: 7,
        flags: 0,
        payload: &payload,
    };
    let mut stream = vec![0; uart::MAX_PAYLOAD + 64];
    let len = frame.encode(&mut stream).expect("it is the longest");
    stream.truncate(len);
    stream.extend_from_within(..);
    for cut in [usize::MAX, 4096, 1] {
        let pieces = uart_pieces(&stream, || cut);
        let found: Vec<_> = pieces
            .iter()
            .map(|(offset, bytes, frame)| (*offset as usize, bytes.len(), frame.is_ok()))
            .collect();
        assert_eq!(
            found,
            [(0, len, true), (len, len, true)],
            "in pieces of {cut}"
        );
    }
}

/// An entry of a capture: its offset, its bytes, and its JSON or the kind of its error.
type OwnedEntry = (Option<u64>, Vec<u8>, Result<String, &'static str>);

/// The entries that a reader passes on.
fn entries(
    framing: Option<Framing>,
    mut read: impl FnMut(&mut CaptureReader<'_>, &mut dyn FnMut(Entry<'_, '_>) -> io::Result<()>),
) -> Vec<OwnedEntry> {
    let mut entries = Vec::new();
    let mut sink = |entry: Entry<'_, '_>| {
        let json = entry.captured.as_ref().map(|captured| captured.to_json());
        if let Ok(json) = &json {
            serde_json::from_str::<serde_json::Value>(json).expect("it is JSON");
        }
        let json = json.map_err(|error| error.kind);
        entries.push((entry.offset, entry.bytes.to_vec(), json));
        Ok(())
    };
    let mut reader = CaptureReader::new(CaptureDecoder::new()).framing(framing);
    read(&mut reader, &mut sink);
    entries
}

/// Whatever a text is, a reader of captures passes on something for each of its lines, unless the line is a part of a
/// stream, and it does not matter how the text arrives.
///
/// # Panics
/// If the law is broken.
pub fn any_text(bytes: &[u8], framing: Option<Framing>) {
    let is_stream = framing.is_some_and(Framing::is_stream);
    let read = |bytes: &[u8]| {
        entries(framing, |reader, mut sink| {
            reader.read(bytes, &mut sink).expect("memory");
            reader.finish(&mut sink).expect("memory");
        })
    };
    let whole = read(bytes);
    if is_stream {
        return;
    }
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines =
        lines.filter(|line| !std::str::from_utf8(line).is_ok_and(|line| line.trim().is_empty()));
    let by_line: Vec<OwnedEntry> = lines
        .flat_map(|line| {
            let entries = read(line);
            assert!(!entries.is_empty(), "{}", line.escape_ascii());
            entries
        })
        .collect();
    // A mark is allowed at the start of an input only.
    if !bytes.windows(3).any(|three| three == b"\xef\xbb\xbf") {
        assert_eq!(whole, by_line, "{}", bytes.escape_ascii());
    }
}

/// A stream as raw bytes, as payloads in any notation, and in the lines of a log between addresses and times has the same
/// frames.
///
/// # Panics
/// If the law is broken.
pub fn texts(bytes: &[u8], framing: Option<Framing>) {
    any_text(bytes, framing);
    let mut draw = Draw::new(bytes);
    let stream = match framing {
        Some(Framing::M2mStream) => arbitrary::stream(&mut draw),
        Some(Framing::UartStream) => line::line(&mut draw).0,
        _ => return,
    };
    let raw = entries(framing, |reader, mut sink| {
        reader.read_raw(&stream[..], &mut sink).expect("memory");
        reader.finish(&mut sink).expect("memory");
    });
    let pieces = match framing {
        Some(Framing::M2mStream) => m2m_pieces(&stream, || usize::MAX),
        _ => uart_pieces(&stream, || usize::MAX),
    };
    let offsets = |entries: &[OwnedEntry]| -> Vec<(Option<u64>, Vec<u8>)> {
        entries
            .iter()
            .map(|(offset, bytes, _)| (*offset, bytes.clone()))
            .collect()
    };
    let of_pieces = pieces
        .iter()
        .map(|(offset, bytes, _)| (Some(*offset), bytes.clone()));
    assert_eq!(offsets(&raw), of_pieces.collect::<Vec<_>>());

    // Payloads of any length, each in a notation of its own.
    let payloads = entries(framing, |reader, mut sink| {
        let mut rest = &stream[..];
        while !rest.is_empty() {
            let (payload, behind) = rest.split_at((1 + draw.below(40) as usize).min(rest.len()));
            rest = behind;
            let escaped: String = payload
                .iter()
                .map(|byte| format!("\\x{byte:02x}"))
                .collect();
            let spaced: Vec<String> = payload.iter().map(|byte| format!("{byte:02x}")).collect();
            let text = match draw.below(5) {
                0 => payload::hex(payload),
                1 => format!("<Buffer {}>", spaced.join(" ")),
                2 => format!("0x{}", spaced.join(", 0x")),
                3 => format!("bytearray(b'{escaped}')"),
                _ => format!("\"{}\"", escaped.replace("\\x0", "\" \"\\x0")),
            };
            reader.text(&text, &mut sink).expect("memory");
        }
        reader.finish(&mut sink).expect("memory");
    });
    assert_eq!(payloads, raw, "{}", payload::hex(&stream));

    // The frames in lines of a log, whole or in two lines.
    let is_service = |bytes: &[u8]| {
        let parsed = m2m::parse(bytes, m2m::DEFAULT_LIMIT);
        matches!(parsed, Ok((Event::Service { .. }, _)))
    };
    let frames = raw.iter().filter(|(_, bytes, json)| {
        // Nothing tells where a service message ends, and runs in lines have at least four bytes.
        json.is_ok() && bytes.len() >= 8 && !is_service(bytes)
    });
    let frames: Vec<&OwnedEntry> = frames.collect();
    let mut noise = 0;
    let in_lines = entries(framing, |reader, mut sink| {
        let mut line = |bytes: &[u8]| {
            let spaced: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let text = format!(
                "2024-01-31 12:30:00.123 RX({}): {} ok",
                bytes.len(),
                spaced.join(" ")
            );
            reader.text(&text, &mut sink).expect("memory");
        };
        for (_, bytes, _) in &frames {
            let cut = 4 + draw.below(bytes.len() as u32 - 7) as usize;
            match draw.bool() {
                true => line(bytes),
                false => {
                    line(&bytes[..cut]);
                    line(&bytes[cut..]);
                }
            }
        }
        for text in [
            "12:30:00 peer aa:bb:cc:dd:ee:ff joined at 20240131",
            "12:30:00 peer ff:ff:ff:ff:ff:ff joined at 1706704200",
        ] {
            noise += 1;
            reader.text(text, &mut sink).expect("memory");
        }
        reader.finish(&mut sink).expect("memory");
    });
    let (found, refused): (Vec<_>, Vec<_>) =
        in_lines.iter().partition(|(offset, ..)| offset.is_some());
    assert_eq!(refused.len(), noise, "{refused:?}");
    let found: Vec<_> = found.iter().map(|(_, bytes, json)| (bytes, json)).collect();
    let expected: Vec<_> = frames
        .iter()
        .map(|(_, bytes, json)| (bytes, json))
        .collect();
    assert_eq!(found, expected);
}

/// Every notation of bytes, written by other code than the one that reads it.
#[must_use]
pub fn notations(bytes: &[u8]) -> Vec<String> {
    let join = |separator: &str, byte: fn(&u8) -> String| {
        let bytes: Vec<String> = bytes.iter().map(byte).collect();
        bytes.join(separator)
    };
    let escaped = join("", |byte| format!("\\x{byte:02x}"));
    let python: String = bytes
        .iter()
        .map(|byte| byte.escape_ascii().to_string())
        .collect();
    let c = join(", ", |byte| format!("0x{byte:02X}"));
    let spaced = join(" ", |byte| format!("{byte:02x}"));
    let groups: Vec<String> = bytes.chunks(4).map(payload::hex).collect();
    vec![
        payload::hex(bytes),
        format!("0x{}", payload::hex(bytes).to_uppercase()),
        join("-", |byte| format!("{byte:02x}")),
        join(":", |byte| format!("{byte:02X}")),
        format!("'{spaced}'"),
        format!("<Buffer {spaced}>"),
        format!("<{}>", groups.join(" ")),
        format!("{{{c},}};"),
        join(" ", |byte| format!("{byte:#x}")),
        format!("[{c}]"),
        c,
        format!("{bytes:?}"),
        format!(
            "{:?}",
            bytes.iter().map(|byte| *byte as i8).collect::<Vec<_>>()
        ),
        escaped.clone(),
        format!("\"{escaped}\""),
        format!("b'{python}'"),
        format!("\"{}\"", escaped.replace("\\x0", "\" \"\\x0")),
        format!("{{{}}}", join(", ", |byte| format!("'\\x{byte:02x}'"))),
        format!("{{{}}}", join(", ", |byte| format!("\\x{byte:02x}"))),
        format!("[{}]", join(",", |byte| format!("\"0x{byte:02x}\""))),
        format!("bytearray(b'{escaped}')"),
        payload::base64(bytes),
        format!("\"{}\"", payload::base64(bytes)),
        spaced,
    ]
}

/// Every notation of a frame is read as the same bytes, alone and in a line of a log if it is hex. Any text is read or has
/// an error, and a text of a given encoding is never read as another one.
///
/// # Panics
/// If the law is broken.
pub fn payload_text(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let hex = payload::parse(text, Some(Encoding::Hex));
        let any = payload::parse(text, None);
        if let (Ok(hex), Ok(any)) = (&hex, &any)
            && !text.trim().starts_with(['[', '{', '('])
            && !text.contains([',', ';'])
        {
            assert_eq!(hex, any, "{text}");
        }
        let read = [&hex, &any].into_iter().flatten();
        assert!(!read.into_iter().any(Vec::is_empty), "{text}");
        for run in payload::hex_runs(text) {
            let again = payload::parse(&text[run.range], None);
            assert_eq!(again, Ok(run.bytes), "{text}");
        }
    }
    let frame = m2m::Frame {
        flag: 0,
        command: 0x90,
        sn: None,
        did: None,
        body: bytes,
    };
    let mut out = vec![0; bytes.len() + 16];
    let len = frame.encode(&mut out).expect("there is room");
    out.truncate(len);
    // Python prints bytes so, and the text of their hex or base64.
    for (text, encoding) in [
        (payload::hex(&out), Encoding::Hex),
        (payload::base64(&out), Encoding::Base64),
    ] {
        let literal = format!("b'{text}'");
        let error = payload::parse(&literal, None).expect_err("two readings");
        assert_eq!(error.kind, "ambiguous", "{literal}");
        assert_eq!(payload::parse(&literal, Some(encoding)).as_ref(), Ok(&out));
    }
    // A comma or space is a byte within quotes, and no byte within brackets. Otherwise it has two readings.
    let escaped: String = out.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    for (end, byte) in [
        (",", Some(b',')),
        (";", Some(b';')),
        (" ", Some(b' ')),
        ("", None),
    ] {
        let more: Vec<u8> = out.iter().copied().chain(byte).chain([0]).collect();
        let text = format!("{escaped}{end}\\x00");
        assert_eq!(
            payload::parse(&format!("b'{text}'"), None).as_ref(),
            Ok(&more)
        );
        let without: Vec<u8> = out.iter().copied().chain([0]).collect();
        assert_eq!(
            payload::parse(&format!("[{text}]"), None).as_ref(),
            Ok(&without)
        );
        for text in [text, format!("{escaped}{end}")] {
            let kind = payload::parse(&text, None).map_err(|error| error.kind);
            match byte {
                Some(b' ') if text.ends_with(' ') => assert_eq!(kind.as_ref(), Ok(&out)),
                Some(_) => assert_eq!(kind, Err("ambiguous"), "{text}"),
                None => assert!(kind.is_ok(), "{text}"),
            }
        }
    }
    for (index, text) in notations(&out).into_iter().enumerate() {
        assert_eq!(payload::parse(&text, None).as_ref(), Ok(&out), "{text}");
        if index < 3 {
            let line = format!("2024-01-31 12:30:00,123 DEBUG recv({len}): {text}");
            let runs = payload::hex_runs(&line);
            assert_eq!(runs.len(), 1, "{line}");
            assert_eq!(runs[0].bytes, out);
        }
    }
}
