//! The laws of values as JSON: to payloads, and as saved states.

use std::collections::{BTreeMap, BTreeSet};

use gizwits_codec_core::{Kind, Protocol};
use gizwits_codec_std::text::{is_invisible, printable};
use gizwits_codec_std::{Action, Decimal, Error, Product, payload};
use serde_json::value::RawValue;

use crate::arbitrary::{self, Draw};
use crate::log::PRODUCTS;

/// The kinds of errors that are about a point of the product.
const ABOUT_POINTS: [&str; 9] = [
    "wrong_kind",
    "unknown_label",
    "past_labels",
    "below_min",
    "above_max",
    "off_step",
    "binary_length",
    "not_writable",
    "duplicate_point",
];

type Members = BTreeMap<String, Box<RawValue>>;

/// Any text as the JSON of a message of one of the products: its payload has the points of the text with their values
/// and no others, or the error says what is wrong and names the point.
///
/// The first two bytes pick the product and the action. If the third is odd, the rest draws the members of an object,
/// otherwise it is the text itself.
///
/// # Panics
/// If the law is broken.
pub fn encode_json(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let product = &PRODUCTS[draw.below(PRODUCTS.len() as u32) as usize];
    let action = draw.pick(&[Action::Control, Action::Report, Action::Reply, Action::Read]);
    let text = match (draw.bool(), bytes.get(3..)) {
        (true, _) => object(&mut draw, product, action),
        (false, rest) => String::from_utf8_lossy(rest.unwrap_or_default()).into_owned(),
    };
    let mut p0 = vec![0xaa; 3];
    let encoded = product.encode_json(&text, action, &mut p0);
    let mut message = product.message(action);
    let in_steps = message.set_json(&text).and_then(|()| message.encode());
    assert_eq!(in_steps.as_ref().err(), encoded.as_ref().err(), "{text}");
    let members: Result<Members, _> = serde_json::from_str(&text);
    match encoded {
        Ok(()) => {
            assert_eq!(in_steps.as_ref(), Ok(&p0), "{text}");
            let members = members.expect("only JSON objects are encoded");
            has_members(product, action, &p0, &members);
        }
        Err(error) => {
            assert!(p0.is_empty(), "{text}");
            assert_eq!(error.kind == "json", members.is_err(), "{error}: {text}");
            names_its_point(product, &error, &members.unwrap_or_default());
        }
    }
}

/// A payload has the values that a JSON object gives, and encodes to itself again.
fn has_members(product: &Product, action: Action, p0: &[u8], members: &Members) {
    if action == Action::Read {
        return assert!(members.is_empty() && p0.len() == product.layout().p0_len(action));
    }
    let json = match product.decode_p0(p0) {
        Ok(decoded) => decoded.to_json(),
        Err(error) => panic!("{error}: {}", payload::hex(p0)),
    };
    let decoded: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&json).expect("JSON");
    assert!(!decoded.contains_key("flagged"), "{json}");
    let attrs = decoded["attrs"].get();
    let again: Members = serde_json::from_str(attrs).expect("an object");
    assert!(again.keys().eq(members.keys()), "{json}");
    for (name, given) in members {
        let number = |json: &RawValue| json.get().parse::<Decimal>();
        if let (Ok(given), Ok(read)) = (number(given), number(&again[name])) {
            assert_eq!(given, read, "{name} of {json}");
        }
    }
    let mut twice = Vec::new();
    let encoded = product.encode_json(attrs, action, &mut twice);
    assert_eq!((encoded, &twice[..]), (Ok(()), p0), "{json}");
}

/// An error is of a documented kind, fits a screen, and names the point that it is about.
fn names_its_point(product: &Product, error: &Error, members: &Members) {
    assert!(
        Error::KINDS.iter().any(|(kind, _)| *kind == error.kind),
        "{error:?}"
    );
    let message = &error.message;
    let is_short = !message.is_empty() && message.len() <= 1003;
    assert!(is_short && !message.contains(is_invisible), "{error:?}");
    if let Some(point) = &error.point {
        let is_known = product.attrs().any(|attr| attr.name() == point);
        assert!(
            is_known && message.contains(&*printable(point)),
            "{error:?}"
        );
    }
    assert!(
        error.point.is_some() || !ABOUT_POINTS.contains(&error.kind),
        "{error:?}"
    );
    if error.kind == "unknown_point" {
        let known: BTreeSet<&str> = product.attrs().map(|attr| attr.name()).collect();
        let start = |name: &String| name.chars().take(40).collect::<String>();
        let mut unknown = members.keys().filter(|name| !known.contains(&***name));
        assert!(
            unknown.any(|name| message.contains(&*printable(&start(name)))),
            "{error:?}"
        );
    }
}

/// A JSON object of points of a product: mostly of all that a message needs, with values that are mostly right.
fn object(draw: &mut Draw<'_>, product: &Product, action: Action) -> String {
    let is_status = matches!(action, Action::Reply | Action::Report);
    let is_whole = is_status && product.protocol() == Protocol::Standard;
    let percent = draw.pick(&[10, 50, 100]);
    let wrong = draw.pick(&[0, 0, 5, 40]);
    let mut members = Vec::new();
    for attr in product.attrs() {
        if !is_whole && !draw.chance(percent) {
            continue;
        }
        let (min, max) = product.layout().limits(attr.id()).expect("a point");
        let scale = product.layout().scale(attr.id()).expect("a point");
        let raw = min + draw.below((max - min).saturating_add(1));
        let label = attr.labels().get(raw as usize);
        let value = match (draw.chance(wrong), label) {
            (true, _) => wrong_value(draw, scale.value(raw)),
            (false, Some(label)) if draw.bool() => serde_json::Value::from(&**label).to_string(),
            (false, _) if attr.point().kind == Kind::Binary => {
                let len = draw.below(max + 1) as usize;
                format!("\"{}\"", payload::hex(&draw.bytes(len)))
            }
            (false, _) => scale.value(raw).to_string(),
        };
        let mut name = attr.name().to_owned();
        if draw.chance(wrong / 4) {
            name.push_str(draw.pick(&["x", "\u{202e}", "_very_long_name_that_no_definition_has"]));
        }
        members.push(format!("{}:{value}", serde_json::Value::from(name)));
    }
    if draw.chance(wrong / 4)
        && let Some(first) = members.first().cloned()
    {
        members.push(first);
    }
    format!("{{{}}}", members.join(","))
}

/// A value of any kind, or a number near the right one.
fn wrong_value(draw: &mut Draw<'_>, number: Decimal) -> String {
    match draw.below(4) {
        0 => arbitrary::number(draw),
        1 => format!("{number}e{}", draw.below(3)),
        2 => format!("{number}{}", draw.pick(&["1", "0", ".5", "00"])),
        _ => draw
            .pick(&[
                "null",
                "true",
                "[]",
                "{}",
                "[1,2]",
                "\"\"",
                "\"on\"",
                "\"zz\"",
                "\"0x0\"",
                "-1",
                "1e99",
                "\"base64:AQ==\"",
                "\"\\u0030\"",
                "4294967296",
                "[256]",
                "\"\u{202e}\"",
            ])
            .to_owned(),
    }
}

/// Any text as a saved state of one of the products, or a saved state with a few bytes changed: it is restored or has an
/// error that says what is wrong, and what was restored is saved as the same text again.
///
/// The first byte picks the product. If the second is odd, the third byte says where the text of a state, which the rest
/// draws, is changed; otherwise the rest is the text itself.
///
/// # Panics
/// If the law is broken.
pub fn state(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let product = &PRODUCTS[draw.below(PRODUCTS.len() as u32) as usize];
    let (text, is_saved) = match (draw.bool(), bytes.get(2..)) {
        (true, _) => drawn_state(&mut draw, product),
        (false, rest) => (
            String::from_utf8_lossy(rest.unwrap_or_default()).into_owned(),
            false,
        ),
    };
    match product.restore(&text) {
        Ok(state) => {
            let saved = state.snapshot();
            let again = match product.restore(&saved) {
                Ok(again) => again,
                Err(error) => panic!("it saves what it does not restore: {error}\n{saved}"),
            };
            assert_eq!(again.snapshot(), saved);
            assert_eq!(again.to_json(), state.to_json());
            let known = state.view().iter().count() + state.never_seen().count();
            assert_eq!(known, product.attrs().len());
            let read: BTreeMap<String, serde_json::Value> =
                serde_json::from_str(&saved).expect("JSON");
            let given: BTreeMap<String, serde_json::Value> =
                serde_json::from_str(&text).expect("only JSON is restored");
            let names = |state: &BTreeMap<String, serde_json::Value>| -> BTreeSet<String> {
                let points = state["points"].as_object().expect("an object");
                points.keys().cloned().collect()
            };
            assert_eq!(names(&read), names(&given), "{text}");
        }
        Err(error) => {
            assert!(
                !is_saved,
                "it saves what it does not restore: {error}\n{text}"
            );
            names_its_point(product, &error, &points_of(&text));
        }
    }
}

/// The text of a state whose values the rest of the bytes are, with some characters replaced; and whether none is.
fn drawn_state(draw: &mut Draw<'_>, product: &Product) -> (String, bool) {
    let edits: Vec<(u32, char)> = (0..draw.below(3))
        .map(|_| {
            let with = draw.pick(&['0', '9', 'g', '"', '}', ',', '-', '.', 'e', '{', '\u{202e}']);
            (draw.below(u32::from(u16::MAX)), with)
        })
        .collect();
    let mut state = product.state();
    let body = draw.bytes(product.layout().mask_len() + product.layout().status_len());
    let _ = state.update(product.layout().view_lax(&body));
    let mut text: Vec<char> = state.snapshot().chars().collect();
    let is_saved = edits.is_empty();
    for (at, with) in edits {
        let at = at as usize % text.len();
        text[at] = with;
    }
    (text.into_iter().collect(), is_saved)
}

/// The points of a saved state, if it has any.
fn points_of(text: &str) -> Members {
    let state: Members = serde_json::from_str(text).unwrap_or_default();
    let points = state
        .get("points")
        .map(|points| serde_json::from_str(points.get()));
    points.and_then(Result::ok).unwrap_or_default()
}
