//! The law of the C ABI: for arbitrary definitions, payloads and frames it returns what the codec behind it returns,
//! values, bytes and refusals alike.

use std::collections::BTreeMap;

use gizwits::frame::gizwits_frame;
use gizwits::message::{gizwits_message, gizwits_value};
use gizwits::uart::{gizwits_uart_event, gizwits_uart_frame};
use gizwits_codec_core::m2m::{self, Event, Frame};
use gizwits_codec_core::{P0, PointId, PointValue, Protocol, Raw, uart};
use gizwits_codec_std::{
    self as codec, Action, Content, Decoded, Error, Product, Rounding, State, Value, payload,
};
use gizwits_tests::arbitrary::{self, Draw};
use gizwits_tests::reference;
use gizwits_tests::uart::wire;
use serde_json::json;

use crate::caller::{self, Answer, Device, Loaded, Refusal};

/// Checks the law for what `bytes` make up.
pub(crate) fn law(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    frames(&arbitrary::stream(&mut draw));
    serial(&mut draw);
    let protocol = draw.pick(&[arbitrary::Protocol::Standard, arbitrary::Protocol::VarLen]);
    let mut json = None;
    let text = match draw.below(8) {
        0 => arbitrary::broken_definition(&mut draw).into_bytes(),
        1 => {
            let length = draw.below(64) as usize;
            draw.bytes(length)
        }
        _ => {
            let definition = arbitrary::definition(&mut draw, protocol);
            json.insert(definition).to_string().into_bytes()
        }
    };
    let Some((product, loaded)) = definition(&text) else {
        return;
    };
    let points = json.as_ref().map(reference::points);
    let (device, mut state) = (Device::new(&loaded), product.state());
    for _ in 0..4 {
        let any = draw_byte(&mut draw);
        let mut p0 = vec![draw.pick(&[1, 2, 3, 4, 5, 6, 0x11, 0x12, 0x13, 0x14, 0x15, any])];
        p0.extend(body(&mut draw, &product, points.as_deref(), p0[0]));
        disturb(&mut draw, &mut p0);
        let mut bytes = match draw.below(3) {
            0 => frame(&mut draw, &p0),
            _ => p0,
        };
        disturb(&mut draw, &mut bytes);
        message(&product, &loaded, &bytes, &mut draw);
        merges(&product, &device, &mut state, &bytes);
    }
}

/// Merges a payload into a state in both ways, and compares all of both states.
fn merges(product: &Product, device: &Device, state: &mut State, bytes: &[u8]) {
    for options in [0, 1] {
        let decoded = match options {
            0 => product.decode(bytes),
            _ => product.lax().decode(bytes),
        };
        let merged = decoded.and_then(|decoded| product.merge(state, &decoded));
        same(product, device.merge(options, bytes), merged);
    }
    assert_eq!(device.json(), state.to_json());
    let values = device.values();
    assert_eq!(values.len(), state.view().iter().count());
    for (value, reading) in values.iter().zip(state.view().iter()) {
        same_value(value, reading);
        same_value(&device.value(value.point).unwrap(), reading);
    }
    if let Some(missing) = state.never_seen().next() {
        let refusal = device.value(missing.id().0).unwrap_err();
        assert_eq!(refusal.status, "no_value");
    }
    let past = product.layout().point_count();
    assert_eq!(device.value(past).unwrap_err().status, "unknown_point");
}

/// A stream of the serial line, with frames, headers, stuffing and noise.
fn serial_stream(draw: &mut Draw<'_>) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..draw.below(6) {
        let payload = draw.pick(&[&[][..], &[0xff], &[4, 0xff, 0xff, 0x55], &[0; 40]]);
        let mut piece = match draw.below(6) {
            0 => vec![0xff; draw.below(4) as usize],
            1 => draw.bytes(4),
            _ => wire(
                draw_byte(draw),
                draw_byte(draw),
                draw.pick(&[0, 1]),
                payload,
            ),
        };
        disturb(draw, &mut piece);
        stream.extend(piece);
    }
    stream
}

/// Reads the frames of a serial stream in both ways, as a stream and one by one, and writes them again.
pub(crate) fn serial(draw: &mut Draw<'_>) {
    let stream = serial_stream(draw);
    let room = draw.pick(&[0, 3, 4, 8, 64]);
    let mut memory = vec![0; room];
    let (mut ours, mut theirs) = (uart::Decoder::new(&mut memory), caller::Uart::new(room));
    let size = 1 + draw.below(64) as usize;
    for piece in stream.chunks(size) {
        let (mut rest, mut at) = (piece, 0);
        loop {
            let event = ours.next_event(&mut rest);
            let is_last = event.is_none();
            at += theirs.read(&piece[at..], |found| same_event(found, event));
            assert_eq!(at, piece.len() - rest.len());
            if is_last {
                break;
            }
        }
    }
    let start = draw.below(stream.len() as u32 + 1) as usize;
    let mut memory = vec![0; room];
    let ours = uart::parse(&stream[start..], &mut memory);
    let parsed = caller::parse_uart(&stream[start..], room, |frame, consumed| {
        let (own, rest) = ours.expect("it is parsed");
        same_uart(frame, own);
        assert_eq!(consumed, stream.len() - start - rest.len());
        let mut out = [0; 256];
        let length = own.encode(&mut out).unwrap();
        assert_eq!(caller::encode_uart(frame).as_deref(), Ok(&out[..length]));
    });
    if let Err(refusal) = parsed {
        let error = ours.expect_err("it is refused");
        let ours = (error.kind.name(), error.to_string(), error.byte);
        assert_eq!((&*refusal.status, refusal.text, refusal.byte), ours);
    }
}

fn same_event(theirs: &gizwits_uart_event, ours: Option<uart::Event<'_>>) {
    let sums = (theirs.kind, theirs.expected, theirs.found);
    match ours {
        None => assert_eq!(sums, (0, 0, 0)),
        Some(uart::Event::Frame(frame)) => {
            assert_eq!(sums, (1, 0, 0));
            same_uart(&theirs.frame, frame);
        }
        Some(uart::Event::Corrupt {
            sn,
            expected,
            found,
        }) => {
            assert_eq!((sums, theirs.frame.sn), ((2, expected, found), sn));
        }
        Some(uart::Event::TooLong { payload }) => {
            assert_eq!(
                (sums, theirs.frame.payload_length),
                ((3, 0, 0), payload.into())
            );
        }
    }
}

fn same_uart(theirs: &gizwits_uart_frame, ours: uart::Frame<'_>) {
    let payload = caller::bytes(theirs.payload, theirs.payload_length);
    assert_eq!(payload, Some(ours.payload));
    let head = (theirs.command, theirs.sn, theirs.flags);
    assert_eq!(head, (ours.command.0, ours.sn, ours.flags));
}

fn draw_byte(draw: &mut Draw<'_>) -> u8 {
    draw.below(256) as u8
}

/// Changes a payload a little, or not at all.
fn disturb(draw: &mut Draw<'_>, bytes: &mut Vec<u8>) {
    match draw.below(8) {
        0 => bytes.truncate(draw.below(bytes.len() as u32 + 1) as usize),
        1 => bytes.push(draw_byte(draw)),
        2 if !bytes.is_empty() => {
            let place = draw.below(bytes.len() as u32) as usize;
            bytes[place] = draw_byte(draw);
        }
        _ => {}
    }
}

/// A body with values of the product, for most of its actions.
fn body(
    draw: &mut Draw<'_>,
    product: &Product,
    points: Option<&[reference::RefPoint]>,
    action: u8,
) -> Vec<u8> {
    let (layout, canonical) = (product.layout(), draw.bool());
    let Some(points) = points else {
        return draw.bytes(layout.status_len());
    };
    let mut values: BTreeMap<usize, reference::Raw> =
        arbitrary::raw_values(draw, points, canonical);
    match (layout.protocol(), action) {
        (Protocol::Standard, 1) => {
            values.retain(|id, _| *id < usize::from(layout.writable_count()) && draw.bool());
            reference::encode_control(points, &values)
        }
        (Protocol::Standard, 3 | 4) => reference::encode_status(points, &values),
        (Protocol::VarLen, 0x11 | 0x13 | 0x14) => {
            values.retain(|_, _| draw.bool());
            reference::encode_var_len(points, &values)
        }
        (Protocol::VarLen, 0x12) => draw.bytes(layout.mask_len()),
        _ => Vec::new(),
    }
}

fn frame(draw: &mut Draw<'_>, p0: &[u8]) -> Vec<u8> {
    let sn = draw.bool().then_some(7);
    let action = draw.pick(&[Action::Control, Action::Read, Action::Reply, Action::Report]);
    let did = draw.bool().then_some("3kKk1nGTbVhJ9ZpQx2mR7w");
    codec::wrap_m2m(p0, action, sn, did).expect("a frame")
}

/// Loads a definition in both ways.
pub(crate) fn definition(text: &[u8]) -> Option<(Product, Loaded)> {
    let loaded = Loaded::new(text);
    let Ok(text) = std::str::from_utf8(text) else {
        assert_eq!(loaded.unwrap_err().status, "invalid_utf8");
        assert_eq!(caller::check(text).unwrap_err().status, "invalid_utf8");
        return None;
    };
    let problems = codec::check(text).diagnostics;
    let problems: Vec<_> = problems
        .iter()
        .map(|one| {
            json!({
                "severity": one.severity.to_string(), "kind": one.kind, "pointer": one.pointer, "line": one.line,
                "column": one.column, "message": one.message, "label": one.label, "help": one.help,
            })
        })
        .collect();
    let checked: serde_json::Value =
        serde_json::from_str(&caller::check(text.as_bytes()).unwrap()).unwrap();
    assert_eq!(checked, serde_json::Value::from(problems));
    match (Product::from_json(text), loaded) {
        (Ok(product), Ok(loaded)) => {
            for attr in product.attrs() {
                assert_eq!(loaded.name(attr.id().0).as_deref(), Ok(attr.name()));
                assert_eq!(loaded.find(attr.name()), Ok(attr.id().0));
            }
            let past = product.layout().point_count();
            assert_eq!(loaded.name(past).unwrap_err().status, "unknown_point");
            Some((product, loaded))
        }
        (Err(invalid), Err(refusal)) => {
            let text = invalid.to_string();
            assert_eq!(refusal.status, "definition");
            assert_eq!(refusal.text, &text[..text.floor_char_boundary(1023)]);
            None
        }
        (ours, theirs) => panic!("{ours:?}, but {theirs:?}"),
    }
}

/// Compares an answer with a result of the codec.
fn same<T: PartialEq + std::fmt::Debug>(
    product: &Product,
    theirs: Answer<T>,
    ours: Result<T, Error>,
) {
    let ours = ours.map_err(|error| Refusal {
        point: error
            .point
            .and_then(|name| Some(product.find(&name)?.id().0)),
        status: error.kind.to_owned(),
        text: error.message,
        byte: error.byte,
        bit: error.bit,
    });
    assert_eq!(theirs, ours);
}

/// Decodes a payload in all ways, and encodes what it has.
pub(crate) fn message(product: &Product, loaded: &Loaded, bytes: &[u8], draw: &mut Draw<'_>) {
    for options in 0..6 {
        let decoded = match options {
            0 => product.decode(bytes),
            1 => product.lax().decode(bytes),
            2 => product.decode_p0(bytes),
            3 => product.lax().decode_p0(bytes),
            4 => product.decode_m2m(bytes),
            _ => product.lax().decode_m2m(bytes),
        };
        let json = decoded.as_ref().map(Decoded::to_json).map_err(Clone::clone);
        same(product, loaded.json(options, bytes), json);
        let judged = loaded.values(options, bytes, |message, values| {
            let decoded = decoded.as_ref().expect("it is decoded");
            head(message, decoded, bytes);
            points(product, loaded, decoded, (options, bytes), values);
            if options == 0 {
                encodes(product, loaded, decoded, (message, values), draw);
            }
        });
        same(
            product,
            judged,
            decoded.as_ref().map(drop).map_err(Clone::clone),
        );
    }
}

/// Compares all of a message but its values.
fn head(message: &gizwits_message, decoded: &Decoded<'_, '_>, payload: &[u8]) {
    assert_eq!(message.has_frame == 1, decoded.envelope.is_some());
    if let Some(event) = decoded.envelope {
        same_frame(&message.frame, event);
    }
    let p0 = caller::bytes(message.p0, message.p0_length);
    match (decoded.envelope, decoded.content) {
        (None, _) => assert_eq!(p0, Some(payload)),
        (Some(_), Content::Body(_)) => assert_eq!(p0, None),
        (Some(_), _) => assert!(payload.ends_with(p0.unwrap())),
    }
    let view = decoded.view();
    assert_eq!(message.missing, view.map_or(0, |view| view.missing()));
    assert_eq!(message.extra, view.map_or(0, |view| view.extra().len()));
    let action = match decoded.content {
        Content::Body(_) => 0,
        Content::P0(P0::Transparent { .. }) => 5,
        Content::P0(P0::Gateway { .. }) => 6,
        _ => 1 + decoded.action().unwrap() as i32,
    };
    assert_eq!(message.action, action);
}

/// Compares values with those of the codec, and each with what its point has when it is decoded alone.
fn points(
    product: &Product,
    loaded: &Loaded,
    decoded: &Decoded<'_, '_>,
    (options, bytes): (u32, &[u8]),
    values: &[gizwits_value],
) {
    let alone = |id: u16| loaded.value(options, bytes, id, |value| value.kind);
    match (decoded.view(), decoded.content) {
        (Some(view), _) => {
            assert_eq!(values.len(), view.iter().count());
            for (value, reading) in values.iter().zip(view.iter()) {
                same_value(value, reading);
                let id = reading.id().0;
                loaded
                    .value(options, bytes, id, |value| same_value(value, reading))
                    .unwrap();
            }
            let missing = product.attrs().find(|attr| view.read(attr.id()).is_none());
            if let Some(attr) = missing {
                assert_eq!(alone(attr.id().0).unwrap_err().status, "no_value");
            }
        }
        (None, Content::P0(P0::Read(wanted))) if product.protocol() == Protocol::VarLen => {
            let ids: Vec<u16> = wanted.ids().map(|id| id.0).collect();
            assert!(values.iter().map(|value| value.point).eq(ids));
            assert!(values.iter().all(|value| value.kind == 0));
        }
        _ => {
            assert!(values.is_empty());
            assert_eq!(alone(0).unwrap_err().status, "no_value");
        }
    }
    assert_eq!(alone(u16::MAX).unwrap_err().status, "unknown_point");
}

fn same_value(value: &gizwits_value, reading: PointValue<'_, '_>) {
    assert_eq!(PointId(value.point), reading.id());
    let raw = match reading.raw() {
        Raw::Number(raw) => raw,
        Raw::Bytes(_) => 0,
    };
    assert_eq!(value.raw, raw);
    let flagged = reading.flagged().map_or("ok", |kind| kind.name());
    assert_eq!(caller::name(value.flagged), flagged);
    let bytes = caller::bytes(value.bytes, value.length);
    let exact = (value.exact.coefficient, value.exact.scale);
    match reading.value() {
        Value::Bool(on) => assert_eq!((value.kind, value.raw == 1), (1, on)),
        Value::Enum(index) => assert_eq!((value.kind, value.raw), (2, index)),
        Value::Number(number) => {
            assert_eq!(
                (value.kind, exact),
                (3, (number.coefficient(), number.scale()))
            );
            assert_eq!(value.number, number.to_f64());
        }
        Value::Binary(own) => assert_eq!((value.kind, bytes), (4, Some(own))),
    }
}

/// Encodes the values of a message in both ways, also with another action, and with numbers that are changed.
fn encodes(
    product: &Product,
    loaded: &Loaded,
    decoded: &Decoded<'_, '_>,
    (message, values): (&gizwits_message, &[gizwits_value]),
    draw: &mut Draw<'_>,
) {
    let actions = [Action::Control, Action::Read, Action::Reply, Action::Report];
    let mut values = values.to_vec();
    if let [_, ..] = &values[..]
        && draw.below(4) == 0
    {
        let place = draw.below(values.len() as u32) as usize;
        values[place].exact.coefficient += i64::from(draw.below(5)) - 2;
        values[place].point = draw.pick(&[values[place].point, values[0].point]);
    }
    let drawn = draw.pick(&[1, 2, 3, 4]);
    for number in [message.action, drawn] {
        let Some(action) = actions.get((number - 1) as usize).copied() else {
            continue;
        };
        for (options, rounding) in [(0, Rounding::Exact), (1, Rounding::HalfUp)] {
            let mut message = product.message(action).rounding(rounding);
            let ours = values.iter().try_for_each(|value| {
                let name = product.attr(PointId(value.point)).unwrap().name();
                match message_value(value) {
                    Some(given) => message.set(name, given),
                    None => message.want(name),
                }
            });
            let ours = ours.and_then(|()| message.encode());
            same(product, loaded.encode(number, options, &values), ours);
        }
        let json: serde_json::Value = serde_json::from_str(&decoded.to_json()).unwrap();
        let mut text = json
            .get("attrs")
            .unwrap_or(&json!({}))
            .to_string()
            .into_bytes();
        disturb(draw, &mut text);
        json_encodes(product, loaded, (number, action), &text);
    }
}

fn message_value(value: &gizwits_value) -> Option<Value<'_>> {
    let number = || codec::Decimal::new(value.exact.coefficient, value.exact.scale);
    Some(match value.kind {
        1 => Value::Bool(value.raw == 1),
        2 => Value::Enum(value.raw),
        3 => Value::Number(number()),
        4 => Value::Binary(caller::bytes(value.bytes, value.length).unwrap_or_default()),
        _ => return None,
    })
}

/// Encodes JSON in both ways.
pub(crate) fn json_encodes(
    product: &Product,
    loaded: &Loaded,
    (number, action): (i32, Action),
    json: &[u8],
) {
    let exact = loaded.encode_json(number, 0, json);
    let rounded = loaded.encode_json(number, 1, json);
    let Ok(json) = std::str::from_utf8(json) else {
        assert_eq!(exact.unwrap_err().status, "invalid_utf8");
        assert_eq!(rounded.unwrap_err().status, "invalid_utf8");
        return;
    };
    let mut p0 = Vec::new();
    same(
        product,
        exact,
        product.encode_json(json, action, &mut p0).map(|()| p0),
    );
    let mut message = product.message(action).rounding(Rounding::HalfUp);
    same(
        product,
        rounded,
        message.set_json(json).and_then(|()| message.encode()),
    );
}

fn same_frame(theirs: &gizwits_frame, event: Event<'_>) {
    let frame = match event {
        Event::Frame(frame) => frame,
        Event::Service { command } => {
            assert_eq!((theirs.is_service, theirs.command), (1, command));
            return;
        }
    };
    let sn = (theirs.has_sn == 1).then_some(theirs.sn);
    let did = caller::bytes(theirs.did, theirs.did_length);
    let body = caller::bytes(theirs.body, theirs.body_length);
    let theirs = (
        theirs.is_service,
        theirs.flag,
        theirs.command,
        sn,
        did,
        body,
    );
    assert_eq!(
        theirs,
        (
            0,
            frame.flag,
            frame.command,
            frame.sn,
            frame.did,
            Some(frame.body)
        )
    );
}

/// Reads the frames of a stream in both ways, and writes them again.
pub(crate) fn frames(stream: &[u8]) {
    let hex = payload::hex(stream);
    assert_eq!(
        caller::payload(hex.as_bytes()).ok(),
        payload::parse(&hex, None).ok()
    );
    for limit in [m2m::DEFAULT_LIMIT, 40] {
        let mut rest = stream;
        loop {
            parses(rest, limit);
            let scan = m2m::scan(rest, limit);
            caller::scan(rest, limit, |frame, consumed, skipped| {
                assert_eq!((consumed, skipped), (scan.consumed, scan.skipped));
                assert_eq!(frame.is_some(), scan.event.is_some());
                if let (Some(frame), Some(event)) = (frame, scan.event) {
                    same_frame(frame, event);
                }
            });
            rest = &rest[scan.consumed..];
            if scan.event.is_none() {
                break;
            }
        }
    }
}

fn parses(bytes: &[u8], limit: usize) {
    let ours = m2m::parse(bytes, limit);
    let parsed = caller::parse(bytes, limit, |frame, consumed| {
        let (event, rest) = ours.expect("it is parsed");
        same_frame(frame, event);
        assert_eq!(consumed, bytes.len() - rest.len());
        let Event::Frame(own) = event else {
            assert_eq!(
                caller::encode_frame(frame).unwrap_err().status,
                "invalid_argument"
            );
            return;
        };
        rewrites(frame, own);
        let mut without = *frame;
        without.has_sn ^= 1;
        let sn = (own.sn.is_none()).then_some(frame.sn);
        rewrites(&without, Frame { sn, ..own });
    });
    if let Err(refusal) = parsed {
        let error = ours.expect_err("it is refused");
        let ours = (error.kind.name(), error.to_string(), error.byte);
        assert_eq!((&*refusal.status, refusal.text, refusal.byte), ours);
    }
}

fn rewrites(theirs: &gizwits_frame, ours: Frame<'_>) {
    let mut out = vec![0; ours.body.len() + 100];
    match (caller::encode_frame(theirs), ours.encode(&mut out)) {
        (Ok(bytes), Ok(length)) => assert_eq!(bytes, &out[..length]),
        (Err(refusal), Err(error)) => assert_eq!(refusal.status, error.kind.name()),
        (theirs, ours) => panic!("{theirs:?}, but {ours:?}"),
    }
}
