//! The laws, each over bytes that somebody makes up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use gizwits_codec_core::definition::Definition;
use gizwits_codec_core::layout::LayoutRef;
use gizwits_codec_core::m2m::{self, Decoder, Event};
use gizwits_codec_core::{
    Access, Action, Decimal, Encoder, ErrorKind, Layout, P0, PointId, PointValue, Raw as CoreRaw,
    Value, View,
};
use gizwits_codec_std::{Check, Diagnostic, Product, Severity, State, check};

use crate::arbitrary::{self, Draw, Protocol};
use crate::reference::{self, Raw, RefEvent, RefPoint};

/// Any text as a definition: it is read or refused. What is read prints as a definition of the same
/// product, and the reader without an allocator agrees about it.
///
/// # Panics
/// If the law is broken.
pub fn definition(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let found = check(&text);
    for one in &found.diagnostics {
        let place = naive_place(&text, one.span.start);
        assert_eq!((one.line, one.column), place, "{one:?}");
        assert!(
            text.get(one.span.clone()).is_some(),
            "a span outside the text: {one:?}"
        );
        let long = one.message.len().max(one.pointer.len());
        assert!(long <= 1003, "{long} bytes: {one:?}");
    }
    let counted = found.errors + found.warnings;
    assert_eq!(found.diagnostics.len(), counted.min(Check::MAX_DIAGNOSTICS));
    let sorted = |one: &Diagnostic| (one.span.start, one.severity);
    assert!(found.diagnostics.is_sorted_by_key(sorted));
    assert_eq!(found.errors == 0, found.product.is_some());
    let core = Definition::<1024>::parse(&text);
    let Some(product) = found.product else {
        assert!(!found.diagnostics.is_empty(), "refused without a word");
        return;
    };
    let printed = product.to_json();
    let again = match Product::from_json(&printed) {
        Ok(again) => again,
        Err(invalid) => panic!("it prints what it does not read: {invalid}\n{printed}"),
    };
    assert_eq!(again.to_json(), printed);
    assert_eq!(again.layout(), product.layout());

    // The core leaves escapes as they stand.
    if !text.contains('\\') {
        let core = match core {
            Ok(core) => core,
            Err(error) => panic!("the core refuses it: {error}"),
        };
        let points: Vec<_> = product.attrs().map(|attr| *attr.point()).collect();
        assert_eq!(core.points(), points);
        for attr in product.attrs() {
            assert_eq!(core.point_name(attr.id()), Some(attr.name()));
        }
        let layout = core.layout::<1024>();
        assert_eq!(layout.as_ref().map(Layout::get), Ok(product.layout()));
    }
}

/// Line and column of a byte, counted from the first one.
fn naive_place(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..byte];
    let before = before.strip_prefix('\u{feff}').unwrap_or(before);
    let lines: Vec<&str> = before.split('\n').collect();
    (lines.len(), 1 + lines[lines.len() - 1].chars().count())
}

/// An integer of any width and any scale: the definition is refused for its scale, or each raw value is
/// decoded to the exact engineering value and encoded back.
///
/// # Panics
/// If the law is broken.
pub fn scale(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let width = draw.pick(&[1, 2, 4]);
    let (ratio, addition) = (arbitrary::number(&mut draw), arbitrary::number(&mut draw));
    let (bits, max) = (8 * width, u64::MAX >> (64 - 8 * width));
    let text = format!(
        r#"{{"protocolType": "standard", "entities": [{{"attrs": [{{"id": 0, "name": "n",
        "type": "status_writable", "data_type": "uint{bits}",
        "position": {{"byte_offset": 0, "bit_offset": 0, "len": {width}, "unit": "byte"}},
        "uint_spec": {{"min": 0, "max": {max}, "ratio": {ratio}, "addition": {addition}}}}}]}}]}}"#
    );
    definition(text.as_bytes());
    let product = match Product::from_json(&text) {
        Ok(product) => product,
        Err(invalid) => {
            for one in invalid.diagnostics {
                let scale = ["ratio", "digits", "scale_overflow"].contains(&one.kind);
                assert!(
                    scale || one.severity == Severity::Warning,
                    "{one:?}\n{text}"
                );
            }
            return;
        }
    };
    let json = serde_json::from_str(&text).expect("JSON");
    let mut point = reference::points(&json).remove(0);
    (point.ratio, point.addition) = (ratio, addition);
    for raw in [
        0,
        1,
        max / 2,
        max - 1,
        max,
        u64::from(draw.below(u32::MAX)) & max,
    ] {
        let p0 = [&[0x04], &raw.to_be_bytes()[8 - width..]].concat();
        let value = reference::engineering(&point, raw);
        assert_eq!(
            decoded(&product, &p0),
            format!(r#"{{"action":"report","attrs":{{"n":{value}}}}}"#)
        );
        let mut report = product.message(Action::Report);
        report.set_word("n", &value).expect("a value of the range");
        assert_eq!(report.encode().as_ref(), Ok(&p0));
    }
}

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
    flagged.retain(|id, _| *id < usize::from(layout.writable()) && draw.bool());
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

/// Some of the points, all or none: few, half, most of them, or a run.
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

fn decoded(product: &Product, p0: &[u8]) -> String {
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
fn agrees(points: &[RefPoint], view: View<'_, '_>, expected: &[(usize, Raw)]) {
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
    all[0] >>= (8 - layout.points() % 8) % 8;
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
