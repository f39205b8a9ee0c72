//! Laws of definitions and of the scales in them.

use gizwits_codec_core::definition::Definition;
use gizwits_codec_core::{Action, Layout};
use gizwits_codec_std::{Check, Diagnostic, Product, Severity, check};

use super::message::decoded;
use crate::arbitrary::{self, Draw};
use crate::reference;

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
