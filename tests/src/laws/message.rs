//! Laws of messages of both protocols.

use std::collections::{BTreeMap, BTreeSet};

use gizwits_codec_core::layout::LayoutRef;
use gizwits_codec_core::{
    Access, Action, Decimal, Encoder, ErrorKind, P0, PointId, PointValue, Raw as CoreRaw, Value,
    View,
};
use gizwits_codec_std::{Product, State};

use crate::arbitrary::{self, Draw, Protocol};
use crate::reference::{self, Raw, RefKind, RefPoint};

/// An arbitrary standard product: whatever is decoded or encoded, the slow decoder says the same.
///
/// # Panics
/// If the law is broken.
pub fn standard(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let json = arbitrary::definition(&mut draw, Protocol::Standard);
    let product = match Product::from_json(&json.to_string()) {
        Ok(product) => product,
        Err(invalid) => panic!("a valid definition is refused: {invalid}\n{json:#}"),
    };
    let points = reference::points(&json);
    let layout = product.layout();
    assert_eq!(layout.status_len(), reference::status_len(&points));
    assert_eq!(layout.writable_len(), reference::writable_len(&points));
    assert_eq!(layout.flags_len(), reference::flags_len(&points));

    // Values as they should be: there and back, by numbers and by JSON.
    let values = arbitrary::raw_values(&mut draw, &points, true);
    let status = reference::encode_status(&points, &values);
    for (action, code) in [(Action::Reply, 3), (Action::Report, 4)] {
        let p0 = [&[code], &status[..]].concat();
        round_trip(&product, &points, action, &p0, &reference::decode_status);
    }
    let mut flagged = values;
    flagged.retain(|id, _| *id < usize::from(layout.writable_count()) && draw.bool());
    let control = [&[1], &reference::encode_control(&points, &flagged)[..]].concat();
    if !flagged.is_empty() {
        round_trip(
            &product,
            &points,
            Action::Control,
            &control,
            &reference::decode_control,
        );
    }

    // Any bytes of the right length decode as the slow decoder has them.
    let body = draw.bytes(layout.status_len());
    let view = layout.view(&body).expect("the length is right");
    let expected = reference::decode_status(&points, &body).expect("the length is right");
    agrees(&points, view, &expected);
    let p0 = [&[4], &body[..]].concat();
    assert_eq!(
        decoded(&product, &p0),
        expected_json(&points, "report", &expected)
    );
    let body = draw.bytes(layout.p0_len(Action::Control) - 1);
    match (
        layout.view_control(&body),
        reference::decode_control(&points, &body),
    ) {
        (Ok(view), Some(expected)) => agrees(&points, view, &expected),
        (Err(error), None) => assert!(matches!(
            error.kind,
            ErrorKind::NotWritable | ErrorKind::UnknownFlag
        )),
        (ours, theirs) => panic!("{ours:?}, and the slow decoder has {theirs:?}"),
    }
    // What was flagged as impossible the encoder refuses, and nothing else.
    let mut out = vec![0; layout.p0_len(Action::Report)];
    let mut encoder = Encoder::begin(layout, Action::Report, &mut out).expect("room");
    for reading in view {
        let set = encoder.set(reading.id(), reading.value());
        assert_eq!(set.err().map(|error| error.kind), reading.flagged());
    }

    lengths(layout, &p0, &control);

    // And nothing at all makes it panic.
    let junk = draw.bytes(body.len().min(64));
    let _ = P0::parse(layout, &junk);
    let _ = product.decode(&junk).map(|decoded| decoded.to_json());
}

/// An arbitrary var_len product and arbitrary masks: whatever is decoded, encoded or merged, the slow
/// decoder says the same.
///
/// # Panics
/// If the law is broken.
pub fn var_len(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let json = arbitrary::definition(&mut draw, Protocol::VarLen);
    let product = match Product::from_json(&json.to_string()) {
        Ok(product) => product,
        Err(invalid) => panic!("a valid definition is refused: {invalid}\n{json:#}"),
    };
    let points = reference::points(&json);
    let layout = product.layout();
    assert_eq!(layout.flags_len(), reference::mask_len(&points));

    // Values as they should be, of any of the points: there and back, by numbers and by JSON.
    let slow: &Reader = &reference::decode_var_len;
    let values = arbitrary::raw_values(&mut draw, &points, true);
    let mut state = product.state();
    let mut last: BTreeMap<usize, Raw> = BTreeMap::new();
    for (action, code) in [(Action::Reply, 0x13), (Action::Report, 0x14)] {
        let present = mask(&mut draw, &points);
        let mut some = values.clone();
        some.retain(|id, _| present.contains(id));
        let p0 = [&[code], &reference::encode_var_len(&points, &some)[..]].concat();
        round_trip(&product, &points, action, &p0, slow);
        packed_lengths(&product, &p0);
        merges(&product, &mut state, &p0, &mut last, &some);
    }
    let mut controlled = values;
    let writable = |id: usize| layout.access(PointId(id as u16)) == Some(Access::Writable);
    let present = mask(&mut draw, &points);
    controlled.retain(|id, _| present.contains(id) && writable(*id));
    let slow: &Reader = &reference::decode_var_len_control;
    let control = [
        &[0x11],
        &reference::encode_var_len(&points, &controlled)[..],
    ]
    .concat();
    if !controlled.is_empty() {
        round_trip(&product, &points, Action::Control, &control, slow);
    }
    assert_eq!(
        product
            .decode(&control)
            .map(|decoded| product.merge(&mut state, &decoded)),
        Ok(Ok(false))
    );

    // Any values behind any mask decode as the slow decoder has them, and merge. What is flagged as
    // impossible the encoder refuses, and nothing else.
    let present = mask(&mut draw, &points);
    let bits: usize = lengths_of(&points, &present, true).sum();
    let len = bits.div_ceil(8) + lengths_of(&points, &present, false).sum::<usize>();
    let head: BTreeMap<usize, Raw> = BTreeMap::new();
    let mut body = reference::encode_var_len(&points, &head);
    for id in &present {
        let byte = body.len() - 1 - id / 8;
        body[byte] |= 1 << (id % 8);
    }
    body.extend(draw.bytes(len));
    let expected = reference::decode_var_len(&points, &body).expect("the length is right");
    let p0 = [&[0x14], &body[..]].concat();
    assert_eq!(
        decoded(&product, &p0),
        expected_json(&points, "report", &expected)
    );
    let view = layout.view(&body).expect("the length is right");
    agrees(&points, view, &expected);
    assert!(!layout.view_lax(&body).is_whole_body());
    merges(
        &product,
        &mut state,
        &p0,
        &mut last,
        &expected.iter().cloned().collect(),
    );
    let mut out = vec![0; layout.p0_len(Action::Report)];
    let mut encoder = Encoder::begin(layout, Action::Report, &mut out).expect("room");
    for reading in view {
        let set = encoder.set(reading.id(), reading.value());
        assert_eq!(set.err().map(|error| error.kind), reading.flagged());
    }
    // A control may not have them all.
    let controls = product.decode(&[&[0x11], &body[..]].concat()).map(|_| ());
    match present.iter().find(|id| !writable(**id)) {
        Some(id) => {
            let error = controls.expect_err("it sets a point that is not writable");
            assert_eq!(
                (error.kind, error.byte),
                (
                    "not_writable",
                    Some(layout.mask_len() as u32 - *id as u32 / 8)
                )
            );
            assert_eq!(error.point.as_deref(), Some(points[*id].name.as_str()));
        }
        None => assert_eq!(controls, Ok(())),
    }

    surplus(&mut draw, &product, &points, &p0);

    // A device that answers with everything, whatever it was asked.
    let everything: BTreeMap<usize, Raw> = arbitrary::raw_values(&mut draw, &points, false);
    let whole = reference::encode_var_len(&points, &everything);
    let values = &whole[layout.mask_len()..];
    let answer = [&body[..layout.mask_len()], values].concat();
    let lax = layout.view_lax(&answer);
    match layout.view(&answer) {
        Ok(view) => assert!(!lax.is_whole_body() && lax.iter().count() == view.iter().count()),
        Err(_) => {
            assert!(lax.is_whole_body());
            let everything: Vec<(usize, Raw)> = everything.into_iter().collect();
            agrees(&points, lax, &everything);
        }
    }

    // Reads.
    let names: Vec<&str> = present.iter().map(|id| points[*id].name.as_str()).collect();
    let read = [&[0x12], &body[..layout.mask_len()]].concat();
    let json = format!(
        r#"{{"action":"read","wanted":{}}}"#,
        serde_json::json!(names)
    );
    assert_eq!(decoded(&product, &read), json);
    let mut message = product.message(Action::Read);
    for name in names.iter().rev() {
        message.want(name).expect("a name of the product");
    }
    let encoded = message.encode().expect("a read");
    match names.is_empty() {
        false => assert_eq!(encoded, read),
        true => assert_eq!(
            P0::parse(layout, &encoded).map(|p0| match p0 {
                P0::Read(wanted) => wanted.ids().count(),
                other => panic!("{other:?}"),
            }),
            Ok(points.len())
        ),
    }

    // And nothing at all makes it panic.
    let junk = draw.bytes(body.len().min(64));
    let _ = P0::parse(layout, &junk);
    let _ = product.decode(&junk).map(|decoded| decoded.to_json());
    let lax = layout.view_lax(&junk);
    assert!(lax.iter().count() <= points.len() && lax.missing() + lax.extra().len() < 1 << 17);
}

/// A var_len product with this many points of all kinds: messages with all points, with one, with every second one and
/// with all but one are decoded and encoded as the slow decoder has them. The core counts points in machine words, so
/// the numbers around the borders of words are the ones to try.
///
/// # Panics
/// If the law is broken.
pub fn number_of_points(count: usize) {
    let kinds = [
        ("bool", "bit", 1),
        ("uint8", "byte", 1),
        ("enum", "bit", 3),
        ("binary", "byte", 5),
        ("uint32", "byte", 4),
        ("uint16", "byte", 2),
    ];
    let attr = |(id, (kind, unit, len))| {
        serde_json::json!({
            "id": id, "name": format!("point{id}"), "type": "status_writable", "data_type": kind,
            "position": {"byte_offset": 0, "bit_offset": 0, "len": len, "unit": unit},
            "enum": ["a", "b", "c", "d", "e", "f", "g", "h"],
            "uint_spec": {"min": 0, "max": 255, "ratio": 1, "addition": 0},
        })
    };
    let attrs: Vec<_> = (0..count)
        .zip(kinds.into_iter().cycle())
        .map(attr)
        .collect();
    let json = serde_json::json!({
        "name": "counted", "product_key": "", "protocolType": "var_len", "packetVersion": "0x00000004",
        "entities": [{"id": 0, "name": "entity0", "attrs": attrs}],
    });
    let product = Product::from_json(&json.to_string()).expect("a sound definition");
    let (layout, points) = (product.layout(), reference::points(&json));
    let last = count - 1;
    let masks: [&dyn Fn(usize) -> bool; 6] = [
        &|_| true,
        &|id| id == last,
        &|id| id != last,
        &|id| id != 0,
        &|id| id % 2 == 0,
        &|id| id % 64 >= 62 || id % 64 <= 1,
    ];
    for mask in masks {
        let value = |point: &RefPoint| match point.kind {
            RefKind::Binary => Raw::Bytes((0..point.len).map(|n| (point.id + n) as u8).collect()),
            RefKind::Bool => Raw::Number(1),
            RefKind::Enum(_) => Raw::Number(point.id as u64 % 8),
            RefKind::Uint { .. } => Raw::Number(point.id as u64 % 251 + 1),
        };
        let present = points.iter().filter(|point| mask(point.id));
        let values: BTreeMap<usize, Raw> = present.map(|point| (point.id, value(point))).collect();
        let body = reference::encode_var_len(&points, &values);
        let view = layout.view(&body);
        let view = view.unwrap_or_else(|error| panic!("{count} points, {error}: {body:02x?}"));
        let expected: Vec<(usize, Raw)> = values.into_iter().collect();
        agrees(&points, view, &expected);
        let mut out = vec![0; layout.p0_len(Action::Report)];
        let mut report = Encoder::begin(layout, Action::Report, &mut out).expect("room");
        for reading in view {
            report.set(reading.id(), reading.value()).expect("a value");
        }
        assert_eq!(report.finish()[1..], body[..], "{count} points");
    }
}

/// Draws the points of a message: none, few, half, most, all of them, or a run.
fn mask(draw: &mut Draw<'_>, points: &[RefPoint]) -> BTreeSet<usize> {
    let percent = [10, 50, 90, 100, 0][draw.below(5) as usize];
    let ids = points.iter().map(|point| point.id);
    ids.filter(|_| percent == 100 || (percent > 0 && draw.chance(percent)))
        .collect()
}

fn lengths_of<'a>(
    points: &'a [RefPoint],
    present: &'a BTreeSet<usize>,
    bit: bool,
) -> impl Iterator<Item = usize> + 'a {
    let of = points
        .iter()
        .filter(move |point| point.bit == bit && present.contains(&point.id));
    of.map(|point| point.len)
}

/// A var_len message cut anywhere, or with more behind it, is the right error, and the lax view has
/// what is whole.
fn packed_lengths(product: &Product, p0: &[u8]) {
    let layout = product.layout();
    let mask_len = layout.mask_len();
    let whole = layout.view(&p0[1..]).expect("the length is right");
    for len in cuts(p0.len()) {
        let error = P0::parse(layout, &p0[..len]).expect_err("it is cut");
        // How long it would be is in the mask.
        let end = match len {
            0 => 1,
            len if len <= mask_len => 1 + mask_len,
            _ => p0.len(),
        };
        let missing = (end - len) as u32;
        assert_eq!(error.kind, ErrorKind::Incomplete { missing });
        assert_eq!(error.byte, Some(len as u32));
        let Some(body) = p0[..len].get(1..) else {
            continue;
        };
        let lax = layout.view_lax(body);
        if lax.is_whole_body() {
            // By chance as long as that would be.
            assert_eq!(body.len(), mask_len + layout.status_len());
            continue;
        }
        assert_eq!(lax.missing(), missing as usize);
        assert!(lax.extra().is_empty());
        for reading in lax {
            assert_eq!(whole.get(reading.id()), Some(reading.value()));
        }
        assert_eq!(len > mask_len, error.point.is_some());
        assert_eq!(
            error.point.and_then(|id| lax.get(id)),
            None,
            "the point named is one that is cut"
        );
    }
    let long = [p0, &[1, 2, 3]].concat();
    let error = P0::parse(layout, &long).expect_err("it is too long");
    assert_eq!(
        (error.kind, error.byte),
        (ErrorKind::Trailing { extra: 3 }, Some(p0.len() as u32))
    );
    let lax = layout.view_lax(&long[1..]);
    if !lax.is_whole_body() {
        assert_eq!((lax.missing(), lax.extra()), (0, &[1, 2, 3][..]));
        assert!(
            lax.iter()
                .map(|one| one.value())
                .eq(whole.iter().map(|one| one.value()))
        );
    }
}

/// Mask bits past the last point change nothing about a report, refuse a control and ask for nothing.
fn surplus(draw: &mut Draw<'_>, product: &Product, points: &[RefPoint], p0: &[u8]) {
    let layout = product.layout();
    let mask_len = layout.mask_len();
    let mut spoilt = p0.to_vec();
    if let spare @ 1.. = points.len() % 8 {
        spoilt[1] |= [0xff, draw.bytes(1)[0]][usize::from(draw.bool())] << spare;
    }
    let (body, mask) = (&spoilt[1..], &spoilt[1..=mask_len]);
    let bits = reference::surplus(points, mask);

    // As if they were not set, behind a whole body as well as behind one that is cut or goes on.
    let clean = layout.view(&p0[1..]).expect("the length is right");
    let view = layout.view(body).expect("the length is right");
    let expected = reference::decode_var_len(points, body).expect("the length is right");
    agrees(points, view, &expected);
    assert!(view.surplus_flags().eq(bits.iter().copied()));
    assert_eq!(clean.surplus_flags().next(), None);
    assert_eq!(view.is_whole(), clean.is_whole());
    let merged = |view: View<'_, '_>| {
        let (mut known, mut status) = (vec![0; mask_len], vec![0; layout.status_len()]);
        view.merge_into(&mut known, &mut status).expect("room");
        (known, status)
    };
    assert_eq!(merged(view), merged(clean));
    let goes_on = [body, &[1, 2, 3]].concat();
    for _ in 0..4 {
        let len = draw.below(goes_on.len() as u32 + 1) as usize;
        let clean = [p0, &[1, 2, 3]].concat();
        let clean = layout.view_lax(&clean[1..=len]);
        let view = layout.view_lax(&goes_on[..len]);
        assert!(
            view.iter()
                .map(owned_reading)
                .eq(clean.iter().map(owned_reading))
        );
        assert_eq!(
            (view.missing(), view.extra(), view.is_whole_body()),
            (clean.missing(), clean.extra(), clean.is_whole_body())
        );
        if len >= mask_len {
            assert!(view.surplus_flags().eq(bits.iter().copied()));
        }
    }

    let control = [&[0x11], body].concat();
    if let Some(first) = bits.first() {
        let error = P0::parse(layout, &control).expect_err("nobody knows the point");
        assert_eq!(
            (error.kind, error.byte, error.bit),
            (ErrorKind::UnknownFlag, Some(1), Some(u32::from(*first)))
        );
        assert_eq!(reference::decode_var_len_control(points, body), None);
    }

    // A read with this mask, with nothing but ones, and with any other.
    let ones = vec![0xff; draw.below(2 * mask_len as u32 + 4) as usize];
    let len = draw.below(mask_len as u32 + 3);
    let any = draw.bytes(len as usize);
    for mask in [mask, &ones, &any] {
        let read = [&[0x12], mask].concat();
        match (
            P0::parse(layout, &read),
            reference::decode_read(points, mask),
        ) {
            (Ok(P0::Read(wanted)), Some(expected)) => {
                assert!(
                    wanted
                        .ids()
                        .map(PointId::index)
                        .eq(expected.iter().copied())
                );
                assert_eq!(wanted.is_all(), expected.len() == points.len());
                let bits = reference::surplus(points, mask);
                assert!(wanted.surplus_flags().eq(bits));
                for point in points {
                    let id = PointId(point.id as u16);
                    assert_eq!(wanted.contains(id), expected.contains(&point.id));
                }
            }
            (Err(error), None) => {
                let (have, need) = (mask.len() as u32, mask_len as u32);
                assert_eq!(error.byte, Some(1 + have.min(need)));
                assert_eq!(
                    error.kind,
                    match have.checked_sub(need) {
                        Some(extra) => ErrorKind::Trailing { extra },
                        None => ErrorKind::Incomplete {
                            missing: need - have
                        },
                    }
                );
            }
            (ours, theirs) => panic!("{ours:?}, and the slow decoder has {theirs:?}"),
        }
    }
}

/// The state has the last value of each point that it was told.
fn merges(
    product: &Product,
    state: &mut State,
    p0: &[u8],
    last: &mut BTreeMap<usize, Raw>,
    values: &BTreeMap<usize, Raw>,
) {
    let decoded = product.decode(p0).expect("it decodes");
    assert_eq!(product.merge(state, &decoded), Ok(true));
    last.extend(values.iter().map(|(id, raw)| (*id, raw.clone())));
    let readings: Vec<(usize, Raw)> = state.view().iter().map(owned_reading).collect();
    let expected: Vec<(usize, Raw)> = last.clone().into_iter().collect();
    assert_eq!(readings, expected);
    let unseen = state.never_seen().map(|attr| attr.id().index());
    let expected = (0..product.attrs().len()).filter(|id| !last.contains_key(id));
    assert!(unseen.eq(expected));
}

type Reader = dyn Fn(&[RefPoint], &[u8]) -> Option<Vec<(usize, Raw)>>;

/// A canonical P0 decodes to what the slow decoder says, and that encodes to the P0 again.
fn round_trip(product: &Product, points: &[RefPoint], action: Action, p0: &[u8], slow: &Reader) {
    let expected = slow(points, &p0[1..]).expect("the slow decoder reads what it wrote");
    let word = match action {
        Action::Control => "control",
        Action::Read => "read",
        Action::Reply => "reply",
        Action::Report => "report",
    };
    let json = expected_json(points, word, &expected);
    assert_eq!(decoded(product, p0), json);
    let view = match P0::parse(product.layout(), p0) {
        Ok(P0::Control(view) | P0::Reply(view) | P0::Report(view)) => view,
        other => panic!("{other:?}"),
    };
    agrees(points, view, &expected);

    let mut out = vec![0xaa; product.layout().p0_len(action) + 3];
    let mut encoder = Encoder::begin(product.layout(), action, &mut out).expect("room");
    // The order makes no difference.
    let readings: Vec<_> = view.into_iter().collect();
    for reading in readings.iter().rev() {
        encoder
            .set(reading.id(), reading.value())
            .expect("it was decoded from a canonical P0");
    }
    assert_eq!(encoder.finish(), p0);

    let mut message = product.message(action);
    let attrs = reference::json_attrs(points, &expected);
    message.set_json(&attrs).expect("values that were decoded");
    assert_eq!(message.encode().expect("values that were decoded"), p0);
    let encoded = product.encode_json(&attrs, action, &mut out);
    encoded.expect("values that were decoded");
    assert_eq!(out, p0);
}

pub(super) fn decoded(product: &Product, p0: &[u8]) -> String {
    match product.decode_p0(p0) {
        Ok(decoded) => decoded.to_json(),
        Err(error) => panic!("{error}"),
    }
}

fn expected_json(points: &[RefPoint], action: &str, values: &[(usize, Raw)]) -> String {
    let attrs = reference::json_attrs(points, values);
    let flagged: Vec<String> = reference::flagged(points, values)
        .iter()
        .map(|(name, why)| format!("{}:\"{why}\"", serde_json::Value::from(name.as_str())))
        .collect();
    let flagged = match flagged.is_empty() {
        true => String::new(),
        false => format!(",\"flagged\":{{{}}}", flagged.join(",")),
    };
    format!(r#"{{"action":"{action}","attrs":{attrs}{flagged}}}"#)
}

/// A view has just these raw values, by iteration and by id.
pub(super) fn agrees(points: &[RefPoint], view: View<'_, '_>, expected: &[(usize, Raw)]) {
    numbers(points.len(), view);
    for filler in [0x00, 0xff, 0xa5] {
        merging(points, view, filler);
    }
    let readings: Vec<(usize, Raw)> = view.iter().map(owned_reading).collect();
    assert_eq!(readings, expected);
    for point in points {
        let id = PointId(point.id as u16);
        let there = expected.iter().find(|(id, _)| *id == point.id);
        let ours = view.read(id).map(|reading| owned_reading(reading).1);
        assert_eq!(ours.as_ref(), there.map(|(_, raw)| raw));
    }
    // Where it says that a value stands, it stands.
    for reading in view {
        let span = reading.span();
        let bytes = &view.values()[span.bytes];
        let point = &points[reading.id().index()];
        let number = || {
            let window = bytes
                .iter()
                .fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
            let bits = if point.bit { point.len } else { 8 * point.len };
            (window >> span.shift) & ((1 << bits) - 1)
        };
        match reading.raw() {
            CoreRaw::Bytes(value) => assert_eq!((bytes, span.shift), (value, 0)),
            CoreRaw::Number(raw) => assert_eq!(number(), u64::from(raw)),
        }
    }
}

/// Merging sets the bits of the points that the message has, each at its offset in a status with all points, and
/// leaves all other bits alone. Both buffers contain `filler` before.
///
/// # Panics
/// If the law is broken.
fn merging(points: &[RefPoint], view: View<'_, '_>, filler: u8) {
    let layout = view.layout();
    let (mask_len, status_len) = (layout.mask_len(), layout.status_len());
    let (mut known, mut status) = (vec![filler; mask_len], vec![filler; status_len]);
    let (mut all, zeros) = (vec![0xff; mask_len], vec![0; status_len]);
    all[0] >>= (8 - layout.point_count() % 8) % 8;
    let offsets = layout
        .view_known(&all, &zeros)
        .expect("the lengths are right");
    let copy_bit = |to: &mut [u8], n: usize, is_set: bool| {
        let byte = to.len() - 1 - n / 8;
        to[byte] = to[byte] & !(1 << (n % 8)) | u8::from(is_set) << (n % 8);
    };
    for reading in view {
        let id = reading.id();
        copy_bit(&mut known, id.index(), true);
        let at = offsets.read(id).expect("the point exists").span();
        let to = &mut status[at.bytes];
        match reading.raw() {
            CoreRaw::Bytes(bytes) => to.copy_from_slice(bytes),
            CoreRaw::Number(raw) => {
                let point = &points[id.index()];
                let bits = if point.bit { point.len } else { 8 * point.len };
                for n in 0..bits {
                    copy_bit(to, usize::from(at.shift) + n, raw >> n & 1 == 1);
                }
            }
        }
    }
    let mut merged = (vec![filler; mask_len], vec![filler; status_len]);
    view.merge_into(&mut merged.0, &mut merged.1)
        .expect("the lengths are right");
    assert_eq!(merged, (known, status));
    assert!(view.merge_into(&mut merged.0[1..], &mut merged.1).is_err());
    assert!(view.merge_into(&mut merged.0, &mut merged.1[1..]).is_err());
}

/// The slices of numbers and values and a loop of `next` have what `for_each` has; entries of absent points are left alone.
///
/// # Panics
/// If the law is broken.
pub fn numbers(points: usize, view: View<'_, '_>) {
    let absent = Decimal::new(-1, 3);
    let mut expected = vec![absent; points];
    view.iter().for_each(|reading| {
        expected[reading.id().index()] = match reading.value() {
            Value::Bool(value) => u32::from(value).into(),
            Value::Enum(index) => index.into(),
            Value::Number(number) => {
                // By the table of scales, and not by the prepared row that decoding and encoding read.
                let scale = view.layout().scale(reading.id()).unwrap();
                let CoreRaw::Number(raw) = reading.raw() else {
                    panic!("a number")
                };
                assert_eq!(scale.value(raw), number);
                scale.value(raw)
            }
            Value::Binary(_) => Decimal::ZERO,
        };
    });
    let mut decimals = vec![absent; points];
    view.read_decimals(&mut decimals).unwrap();
    let both = |decimals: &[Decimal]| {
        let both = decimals.iter().map(|one| (one.coefficient(), one.scale()));
        both.collect::<Vec<_>>()
    };
    assert_eq!(both(&decimals), both(&expected));
    let mut floats = vec![absent.to_f64(); points];
    view.read_f64s(&mut floats).unwrap();
    assert!(
        floats
            .iter()
            .copied()
            .map(f64::to_bits)
            .eq(expected.iter().map(|one| one.to_f64().to_bits()))
    );
    assert!(view.read_decimals(&mut decimals[1..]).is_err());
    let stale = Some(Value::Enum(u32::MAX));
    let mut values = vec![stale; points + 1];
    view.read_values(&mut values).unwrap();
    let ids = (0..points as u16).map(PointId);
    assert!(
        ids.map(|id| view.get(id))
            .eq(values[..points].iter().copied())
    );
    assert_eq!(values[points], stale);
    assert!(view.read_values(&mut values[2..]).is_err());
    let mut all = view.iter();
    view.iter().for_each(|reading| {
        let next = all
            .next()
            .map(|next| (next.id(), next.value(), next.flagged()));
        assert_eq!(
            next,
            Some((reading.id(), reading.value(), reading.flagged()))
        );
    });
    assert!(all.next().is_none());
}

fn owned_reading(reading: PointValue<'_, '_>) -> (usize, Raw) {
    let raw = match reading.raw() {
        CoreRaw::Number(number) => Raw::Number(u64::from(number)),
        CoreRaw::Bytes(bytes) => Raw::Bytes(bytes.to_vec()),
    };
    (reading.id().index(), raw)
}

/// Every length below `len`, or a hundred of them.
fn cuts(len: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by((len / 100).max(1))
}

/// A body of any other length is the right error, and the lax view has what is whole.
fn lengths(layout: LayoutRef<'_>, report: &[u8], control: &[u8]) {
    for p0 in [report, control] {
        for len in cuts(p0.len()) {
            let error = P0::parse(layout, &p0[..len]).expect_err("it is cut");
            let missing = (p0.len() - len) as u32;
            // Without its action byte nobody knows how long it would be.
            let missing = if len == 0 { 1 } else { missing };
            assert_eq!(error.kind, ErrorKind::Incomplete { missing });
            assert_eq!(error.byte, Some(len as u32));
        }
        for extra in 1..4 {
            let long = [p0, &vec![0; extra][..]].concat();
            let error = P0::parse(layout, &long).expect_err("it is too long");
            let kind = ErrorKind::Trailing {
                extra: extra as u32,
            };
            assert_eq!((error.kind, error.byte), (kind, Some(p0.len() as u32)));
        }
    }
    let body = &report[1..];
    let whole = layout.view(body).expect("the length is right");
    for len in cuts(body.len() + 1) {
        let lax = layout.view_lax(&body[..len]);
        assert_eq!(lax.missing(), body.len() - len);
        assert!(lax.extra().is_empty());
        for reading in lax {
            assert_eq!(whole.get(reading.id()), Some(reading.value()));
        }
        let cut = layout
            .view(&body[..len])
            .err()
            .and_then(|error| error.point);
        if let Some(id) = cut {
            assert_eq!(lax.get(id), None, "the point named is one that is cut");
        }
    }
    let long = [body, &[1, 2, 3]].concat();
    let lax = layout.view_lax(&long);
    assert_eq!((lax.missing(), lax.extra()), (0, &[1, 2, 3][..]));
    assert!(
        lax.iter()
            .map(|reading| reading.value())
            .eq(whole.iter().map(|one| one.value()))
    );
}
