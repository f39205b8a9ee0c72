//! Laws of M2M frames and of the messages in them.

use std::sync::LazyLock;

use gizwits_codec_core::m2m::{self, Decoder, Event};
use gizwits_codec_core::{ErrorKind, P0, PointId};
use gizwits_codec_std::Product;

use super::message::agrees;
use crate::arbitrary::{self, Draw};
use crate::reference::{self, RefEvent, RefPoint};

/// A stream of frames and garbage: the slow scanner finds the same events, and so does the decoder
/// however the stream is cut. Whatever was decoded encodes to a frame that decodes to it.
///
/// # Panics
/// If the law is broken.
pub fn m2m(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let stream = match draw.bool() {
        true => arbitrary::stream(&mut draw),
        false => draw.bytes(bytes.len()),
    };
    let limit = [3, 16, 300, 4096, m2m::DEFAULT_LIMIT][draw.below(5) as usize];
    let (expected, pending) = reference::m2m_scan(&stream, limit);

    let mut rest = &stream[..];
    let mut events = Vec::new();
    let mut skipped = 0;
    loop {
        let found = m2m::scan(rest, limit);
        rest = &rest[found.consumed..];
        skipped += found.skipped;
        match found.event {
            Some(event) => events.push(owned(event)),
            None => break,
        }
    }
    assert_eq!((&events, rest.len()), (&expected, pending));

    let mut buffer = vec![0; limit + 8];
    let mut decoder = Decoder::new(&mut buffer);
    let mut chunked = Vec::new();
    let mut rest = &stream[..];
    while !rest.is_empty() {
        let (mut chunk, behind) = rest.split_at((1 + draw.below(40) as usize).min(rest.len()));
        rest = behind;
        while !chunk.is_empty() {
            let before = chunk.len();
            chunk = decoder.push(chunk);
            let events = chunked.len();
            while let Some(event) = decoder.next_event() {
                chunked.push(owned(event));
            }
            assert!(
                chunk.len() < before || chunked.len() > events,
                "it is stuck"
            );
        }
    }
    assert_eq!((chunked, decoder.skipped()), (expected.clone(), skipped));

    for event in &expected {
        let RefEvent::Frame {
            flag,
            command,
            sn,
            did,
            body,
        } = event
        else {
            continue;
        };
        let frame = m2m::Frame {
            flag: *flag,
            command: *command,
            sn: *sn,
            did: did.as_deref(),
            body,
        };
        if let Some(p0) = frame.p0() {
            whatever_its_surplus(p0);
        }
        let mut out = vec![0; body.len() + 96];
        let len = frame.encode(&mut out).expect("it was decoded");
        let limit = m2m::DEFAULT_LIMIT;
        assert_eq!(
            m2m::parse(&out[..len], limit),
            Ok((Event::Frame(frame), &[][..]))
        );
        for cut in (0..len).take(40) {
            let error = m2m::parse(&out[..cut], limit).expect_err("it is cut");
            assert!(error.is_incomplete() && error.byte == Some(cut as u32));
        }
        let error = frame.encode(&mut vec![0; len - 1]).expect_err("no room");
        assert_eq!(error.kind, ErrorKind::OutOfSpace { needed: len as u32 });
    }
}

/// The fields of the bodies of M2M commands: `t` is a text behind its length, a digit that many bytes, `r` the rest, and
/// `h` a list of networks.
const M2M_BODIES: [(u16, &str); 20] = [
    (0x0001, "tt"),
    (0x0002, ""),
    (0x0003, ""),
    (0x0004, "tttt8r"),
    (0x0005, "tttt8r"),
    (0x0006, ""),
    (0x0007, "t"),
    (0x0008, "t"),
    (0x0009, "1"),
    (0x000a, ""),
    (0x000b, "r"),
    (0x000c, ""),
    (0x000d, "h"),
    (0x0010, "r"),
    (0x0013, ""),
    (0x0014, "888888tt"),
    (0x0015, ""),
    (0x0016, ""),
    (0x0019, "ttt"),
    (0x0062, "r"),
];

/// Whether a body has exactly these fields.
fn has_fields(fields: &str, body: &[u8]) -> bool {
    let text = |body: &[u8]| -> Option<usize> {
        let len = 2 + usize::from(*body.first()?) * 256 + usize::from(*body.get(1)?);
        (body.len() >= len).then_some(len)
    };
    let mut rest = body;
    for field in fields.chars() {
        let taken = match field {
            't' => text(rest),
            'r' => Some(rest.len()),
            'h' => loop {
                if rest.is_empty() {
                    break Some(0);
                }
                match text(rest).filter(|len| rest.len() > *len) {
                    Some(len) => rest = &rest[len + 1..],
                    None => break None,
                }
            },
            digit => Some(digit as usize - '0' as usize).filter(|len| *len <= rest.len()),
        };
        match taken {
            Some(len) => rest = &rest[len..],
            None => return false,
        }
    }
    rest.is_empty()
}

/// A body of an M2M command is read if it has the fields of its command, encodes to the same bytes, and a body that is
/// cut or too long is refused at the byte where it differs.
///
/// # Panics
/// If the law is broken.
pub fn m2m_message(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let (command, fields) = M2M_BODIES[draw.below(20) as usize];
    let mut body = Vec::new();
    let text = |draw: &mut Draw<'_>, body: &mut Vec<u8>| {
        let len = [0, 1, 6, 10, 22, 32, 300][draw.below(7) as usize];
        body.extend((len as u16).to_be_bytes());
        body.extend(draw.bytes(len));
    };
    for field in fields.chars() {
        match field {
            't' => text(&mut draw, &mut body),
            'r' => {
                let len = draw.below(30) as usize;
                body.extend(draw.bytes(len));
            }
            'h' => {
                for _ in 0..draw.below(4) {
                    text(&mut draw, &mut body);
                    body.push(draw.below(256) as u8);
                }
            }
            digit => body.extend(draw.bytes(digit as usize - '0' as usize)),
        }
    }
    match draw.below(4) {
        0 => body.truncate(draw.below(body.len() as u32 + 1) as usize),
        1 => body.extend(draw.bytes(2)),
        2 if !body.is_empty() => {
            let at = draw.below(body.len() as u32) as usize;
            body[at] ^= 1 << draw.below(8);
        }
        _ => {}
    }
    let frame = m2m::Frame {
        flag: 0,
        command,
        sn: None,
        did: None,
        body: &body,
    };
    let message = frame.message();
    assert_eq!(message.is_ok(), has_fields(fields, &body), "{message:?}");
    match message {
        Ok(message) => {
            assert_eq!((message.command(), message.sn()), (command, None));
            let mut out = vec![0; body.len()];
            assert_eq!(message.encode_body(&mut out), Ok(body.len()));
            assert_eq!(out, body);
            let (mut out, mut expected) = (vec![0; body.len() + 16], vec![0; body.len() + 16]);
            let len = message.encode(&mut out).expect("it was decoded");
            assert_eq!(Ok(len), frame.encode(&mut expected));
            assert_eq!(out, expected);
            let error = message
                .encode(&mut vec![0; len - 1])
                .expect_err("there is no room");
            assert_eq!(error.kind, ErrorKind::OutOfSpace { needed: len as u32 });
            for cut in (0..body.len()).rev().take(40) {
                let frame = m2m::Frame {
                    body: &body[..cut],
                    ..frame
                };
                match frame.message() {
                    Ok(_) => assert!(has_fields(fields, &body[..cut])),
                    Err(error) => {
                        assert!(error.is_incomplete() && error.byte == Some(cut as u32));
                    }
                }
            }
        }
        Err(error) if error.is_incomplete() => assert_eq!(error.byte, Some(body.len() as u32)),
        Err(error) => {
            let end = error.byte.expect("it has a place") as usize;
            let extra = (body.len() - end) as u32;
            assert_eq!(error.kind, ErrorKind::Trailing { extra });
            assert!(has_fields(fields, &body[..end]));
        }
    }
}

/// A product of 12 points, whose mask has four spare bits.
static TWELVE: LazyLock<(Product, Vec<RefPoint>)> = LazyLock::new(|| {
    let product = crate::vectors::product("names-var-len");
    let json = serde_json::from_str(&product.to_json()).expect("it was written");
    (product, reference::points(&json))
});

/// A read, reply or report that a frame brings is what the slow decoder has, and with any other spare
/// bits of its mask it is the same.
fn whatever_its_surplus(p0: &[u8]) {
    let (product, points) = &*TWELVE;
    let layout = product.layout();
    let [action @ (0x12..=0x14), body @ ..] = p0 else {
        return;
    };
    let mut spoilt = body.to_vec();
    for spare in 0..=0xf {
        if let (0x13.., Some(first)) = (*action, spoilt.first_mut()) {
            *first = *first & 0xf | spare << 4;
        }
        let p0 = [&[*action], &spoilt[..]].concat();
        match P0::parse(layout, &p0) {
            Ok(P0::Read(wanted)) => {
                let expected = reference::decode_read(points, &spoilt);
                let wanted = wanted.ids().map(PointId::index).collect();
                assert_eq!(Some(wanted), expected);
            }
            Ok(P0::Reply(view) | P0::Report(view)) => {
                let expected = reference::decode_var_len(points, body);
                agrees(points, view, &expected.expect("it was decoded"));
                let bits = reference::surplus(points, &spoilt[..2]);
                assert!(view.surplus_flags().eq(bits));
            }
            Err(_) if *action == 0x12 => {
                assert_eq!(reference::decode_read(points, &spoilt), None);
            }
            Err(_) => assert_eq!(reference::decode_var_len(points, body), None),
            Ok(other) => panic!("{other:?}"),
        }
    }
}

fn owned(event: Event<'_>) -> RefEvent {
    match event {
        Event::Frame(frame) => RefEvent::Frame {
            flag: frame.flag,
            command: frame.command,
            sn: frame.sn,
            did: frame.did.map(<[u8]>::to_vec),
            body: frame.body.to_vec(),
        },
        Event::Service { command } => RefEvent::Service { command },
    }
}
