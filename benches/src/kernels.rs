//! The table of all that is measured, and the check that it all decodes to the same.

use std::hint::black_box;

use gizwits_codec_core::{Decimal, Kind, LayoutRef, PointId, PointValue, Raw, Value};
use gizwits_codec_std::payload::{self, Encoding};
use gizwits_codec_std::{Attr, Product};

use crate::fixture::{A, B, Fixture, L4, Messages, W5, W50, W100};
use crate::popcount::Runs;
use crate::{generated, naive};

/// One decoder with one form of output.
pub struct Kernel {
    /// `A/raw/layout`: the product, the output, the decoder.
    pub name: &'static str,
    /// Decodes all [`PAYLOADS`](crate::fixture::PAYLOADS) payloads once.
    pub run: Box<dyn FnMut()>,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Two kernels to hold against each other.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The line's head.
    pub title: &'static str,
    /// The kernel above the fraction bar.
    pub over: &'static str,
    /// The one below.
    pub under: &'static str,
}

/// The ratios that matter.
pub const PAIRS: [Pair; 22] = [
    Pair {
        title: "A to raw integers: run-time layout / generated constants",
        over: "A/raw/layout",
        under: "A/raw/constants",
    },
    Pair {
        title: "A to exact values: run-time layout / generated constants",
        over: "A/value/layout",
        under: "A/value/constants",
    },
    Pair {
        title: "A to exact numbers in a slice: run-time layout / constants to exact values",
        over: "A/decimal/layout",
        under: "A/value/constants",
    },
    Pair {
        title: "A to f64: run-time layout / generated constants",
        over: "A/f64/layout",
        under: "A/f64/constants",
    },
    Pair {
        title: "A: run-time layout to exact values / generated struct",
        over: "A/value/layout",
        under: "A/struct/constants",
    },
    Pair {
        title: "A: naive map / run-time layout to exact values",
        over: "A/map/naive",
        under: "A/value/layout",
    },
    Pair {
        title: "A hex to NDJSON: naive / Product",
        over: "A/ndjson/naive",
        under: "A/ndjson/product",
    },
    Pair {
        title: "B to raw integers: run-time layout / generated constants",
        over: "B/raw/layout",
        under: "B/raw/constants",
    },
    Pair {
        title: "B to exact values: run-time layout / generated constants",
        over: "B/value/layout",
        under: "B/value/constants",
    },
    Pair {
        title: "B to exact numbers in a slice: run-time layout / constants to exact values",
        over: "B/decimal/layout",
        under: "B/value/constants",
    },
    Pair {
        title: "B to f64: run-time layout / generated constants",
        over: "B/f64/layout",
        under: "B/f64/constants",
    },
    Pair {
        title: "B: run-time layout to exact values / generated struct",
        over: "B/value/layout",
        under: "B/struct/constants",
    },
    Pair {
        title: "B: naive map / run-time layout to exact values",
        over: "B/map/naive",
        under: "B/value/layout",
    },
    Pair {
        title: "B hex to NDJSON: naive / Product",
        over: "B/ndjson/naive",
        under: "B/ndjson/product",
    },
    Pair {
        title: "W, 36 of 71 points / 4 of 71",
        over: "W50/raw/view",
        under: "W5/raw/view",
    },
    Pair {
        title: "W, 71 of 71 points / 4 of 71",
        over: "W100/raw/view",
        under: "W5/raw/view",
    },
    Pair {
        title: "4 of 1024 points (L) / 4 of 71 (W)",
        over: "L4/raw/view",
        under: "W5/raw/view",
    },
    Pair {
        title: "L, 4 of 1024 points: a walk over all points / view",
        over: "L4/raw/walk",
        under: "L4/raw/view",
    },
    Pair {
        title: "W, 36 of 71 points: a walk over all points / view",
        over: "W50/raw/walk",
        under: "W50/raw/view",
    },
    Pair {
        title: "W, the last of 4 points: popcounts alone / view",
        over: "W5/last/popcount",
        under: "W5/last/view",
    },
    Pair {
        title: "W, the last of 36 points: popcounts alone / view",
        over: "W50/last/popcount",
        under: "W50/last/view",
    },
    Pair {
        title: "W, the last of 71 points: popcounts alone / view",
        over: "W100/last/popcount",
        under: "W100/last/view",
    },
];

/// The decoders of one product that the macro in [`generated`] wrote, over slices.
macro_rules! constants {
    ($module:ident, $decode:ident, $status:ident, $out:ident) => {
        if let (Ok(status), Ok(out)) = ($status.try_into(), $out.try_into()) {
            generated::$module::$decode(status, out);
        }
    };
}

/// All kernels, those of a group together.
#[must_use]
pub fn all() -> Vec<Kernel> {
    let (a, b) = (&*A, &*B);
    vec![
        numbers("A/raw/layout", a, 0, raw),
        numbers("A/raw/constants", a, 0, |_, status, out| {
            constants!(a, raw, status, out);
        }),
        numbers("A/value/layout", a, Value::Bool(false), values),
        numbers(
            "A/value/constants",
            a,
            Value::Bool(false),
            |_, status, out| {
                constants!(a, values, status, out);
            },
        ),
        numbers("A/decimal/layout", a, Decimal::ZERO, decimals),
        numbers("A/f64/layout", a, 0.0, floats),
        numbers("A/f64/constants", a, 0.0, |_, status, out| {
            constants!(a, floats, status, out);
        }),
        each("A/struct/constants", a, |status| {
            if let Ok(status) = status.try_into() {
                black_box(&generated::a::Status::new(status));
            }
        }),
        each("A/map/naive", a, |status| {
            black_box(&naive::decode(&a.definition, status));
        }),
        product("A/ndjson/product", a),
        each_line("A/ndjson/naive", a, |line| {
            black_box(&naive::ndjson(&a.definition, line));
        }),
        numbers("B/raw/layout", b, 0, raw),
        numbers("B/raw/constants", b, 0, |_, status, out| {
            constants!(b, raw, status, out);
        }),
        numbers("B/value/layout", b, Value::Bool(false), values),
        numbers(
            "B/value/constants",
            b,
            Value::Bool(false),
            |_, status, out| {
                constants!(b, values, status, out);
            },
        ),
        numbers("B/decimal/layout", b, Decimal::ZERO, decimals),
        numbers("B/f64/layout", b, 0.0, floats),
        numbers("B/f64/constants", b, 0.0, |_, status, out| {
            constants!(b, floats, status, out);
        }),
        each("B/struct/constants", b, |status| {
            if let Ok(status) = status.try_into() {
                black_box(&generated::b::Status::new(status));
            }
        }),
        each("B/map/naive", b, |status| {
            black_box(&naive::decode(&b.definition, status));
        }),
        product("B/ndjson/product", b),
        each_line("B/ndjson/naive", b, |line| {
            black_box(&naive::ndjson(&b.definition, line));
        }),
        messages("W5/raw/view", &W5),
        walk("W5/raw/walk", &W5),
        last("W5/last/view", &W5),
        popcount("W5/last/popcount", &W5),
        messages("W50/raw/view", &W50),
        walk("W50/raw/walk", &W50),
        last("W50/last/view", &W50),
        popcount("W50/last/popcount", &W50),
        messages("W100/raw/view", &W100),
        walk("W100/raw/walk", &W100),
        last("W100/last/view", &W100),
        popcount("W100/last/popcount", &W100),
        messages("L4/raw/view", &L4),
        walk("L4/raw/walk", &L4),
    ]
}

/// Every point of var_len messages as it is on the wire; of a binary 0.
fn messages(name: &'static str, messages: &'static Messages) -> Kernel {
    let layout = messages.product.layout();
    let mut out = Vec::new();
    let run = Box::new(move || {
        for body in &messages.bodies {
            packed(layout, body, &mut out);
            black_box(&mut out);
        }
    });
    Kernel { name, run }
}

/// The last point of var_len messages alone, which is a binary.
fn last(name: &'static str, messages: &'static Messages) -> Kernel {
    let layout = messages.product.layout();
    let id = PointId(layout.points() - 1);
    let run = Box::new(move || {
        for body in &messages.bodies {
            black_box(read(layout, body, id));
        }
    });
    Kernel { name, run }
}

fn read<'b>(layout: LayoutRef<'_>, body: &'b [u8], id: PointId) -> Option<&'b [u8]> {
    match layout.view(body).ok()?.read(id)?.raw() {
        Raw::Bytes(bytes) => Some(bytes),
        Raw::Number(_) => None,
    }
}

/// The same by popcounts.
fn popcount(name: &'static str, messages: &'static Messages) -> Kernel {
    let runs = Runs::new(&messages.product);
    let id = PointId(messages.product.layout().points() - 1);
    let run = Box::new(move || {
        for body in &messages.bodies {
            black_box(runs.bytes(body, id));
        }
    });
    Kernel { name, run }
}

/// The same as [`messages`], with a test for each point of the product.
fn walk(name: &'static str, messages: &'static Messages) -> Kernel {
    let definition = serde_json::from_str(&messages.product.to_json());
    let slots = naive::slots(&definition.unwrap_or_default());
    let mut out = Vec::new();
    let run = Box::new(move || {
        for body in &messages.bodies {
            naive::walk(&slots, body, &mut out);
            black_box(&mut out);
        }
    });
    Kernel { name, run }
}

#[inline]
fn packed(layout: LayoutRef<'_>, body: &[u8], out: &mut Vec<(u16, u32)>) {
    out.clear();
    if let Ok(view) = layout.view(body) {
        view.iter().for_each(|reading| {
            out.push(match reading.raw() {
                Raw::Number(raw) => (reading.id().0, raw),
                Raw::Bytes(_) => (reading.id().0, 0),
            });
        });
    }
}

/// A kernel that fills a slot a point.
fn numbers<T: Copy + 'static>(
    name: &'static str,
    fixture: &'static Fixture,
    empty: T,
    mut decode: impl FnMut(LayoutRef<'static>, &'static [u8], &mut [T]) + 'static,
) -> Kernel {
    let layout = fixture.product.layout();
    let mut out = vec![empty; layout.points().into()];
    let run = Box::new(move || {
        for status in fixture.statuses() {
            decode(layout, status, &mut out);
            black_box(&mut out);
        }
    });
    Kernel { name, run }
}

/// A kernel over statuses that sees to its output itself.
fn each(
    name: &'static str,
    fixture: &'static Fixture,
    mut decode: impl FnMut(&'static [u8]) + 'static,
) -> Kernel {
    let run = Box::new(move || fixture.statuses().for_each(&mut decode));
    Kernel { name, run }
}

/// The same over lines of hex.
fn each_line(
    name: &'static str,
    fixture: &'static Fixture,
    mut decode: impl FnMut(&'static str) + 'static,
) -> Kernel {
    let run = Box::new(move || fixture.lines.iter().for_each(|line| decode(line)));
    Kernel { name, run }
}

/// Hex to NDJSON as a program of this workspace does it, in buffers that are used again.
fn product(name: &'static str, fixture: &'static Fixture) -> Kernel {
    let (mut bytes, mut out) = (Vec::new(), Vec::new());
    each_line(name, fixture, move |line| {
        out.clear();
        ndjson(&fixture.product, line, &mut bytes, &mut out);
        black_box(&mut out);
    })
}

fn ndjson(product: &Product, line: &str, bytes: &mut Vec<u8>, out: &mut Vec<u8>) {
    if payload::parse_into(line, Some(Encoding::Hex), bytes).is_ok()
        && let Ok(decoded) = product.decode(bytes)
    {
        decoded.write_json(out);
        out.push(b'\n');
    }
}

/// Every point as it is on the wire; of a binary 0.
#[inline]
fn raw(layout: LayoutRef<'_>, status: &[u8], out: &mut [u32]) {
    fill(layout, status, out, |reading| match reading.raw() {
        Raw::Number(raw) => raw,
        Raw::Bytes(_) => 0,
    });
}

/// Every point's engineering value.
#[inline]
fn values<'b>(layout: LayoutRef<'_>, status: &'b [u8], out: &mut [Value<'b>]) {
    fill(layout, status, out, |reading| reading.value());
}

/// Every point's engineering value as a float; of a binary 0.
#[inline]
fn floats(layout: LayoutRef<'_>, status: &[u8], out: &mut [f64]) {
    if let Ok(view) = layout.view(status) {
        let _ = view.read_f64s(out);
    }
}

/// The exact number of every point; of a binary 0.
#[inline]
fn decimals(layout: LayoutRef<'_>, status: &[u8], out: &mut [Decimal]) {
    if let Ok(view) = layout.view(status) {
        let _ = view.read_decimals(out);
    }
}

#[inline]
fn fill<'l, 'b, T>(
    layout: LayoutRef<'l>,
    status: &'b [u8],
    out: &mut [T],
    convert: impl Fn(PointValue<'l, 'b>) -> T,
) {
    if let Ok(view) = layout.view(status) {
        let mut slots = out.iter_mut();
        view.iter().for_each(|reading| {
            if let Some(slot) = slots.next() {
                *slot = convert(reading);
            }
        });
    }
}

/// Holds every decoder against the others on every payload.
///
/// # Panics
/// If two differ.
pub fn check() {
    check_product(&A, |status, raws, exact, doubles| {
        constants!(a, raw, status, raws);
        constants!(a, values, status, exact);
        constants!(a, floats, status, doubles);
        generated::a::Status::new(status.try_into().unwrap()).coefficients()
    });
    check_product(&B, |status, raws, exact, doubles| {
        constants!(b, raw, status, raws);
        constants!(b, values, status, exact);
        constants!(b, floats, status, doubles);
        generated::b::Status::new(status.try_into().unwrap()).coefficients()
    });
    for messages in [&W5, &W50, &W100, &L4] {
        let slots = naive::slots(&serde_json::from_str(&messages.product.to_json()).unwrap());
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for body in &messages.bodies {
            packed(messages.product.layout(), body, &mut ours);
            naive::walk(&slots, body, &mut theirs);
            assert_eq!(ours, theirs, "{}", payload::hex(body));
            let layout = messages.product.layout();
            if layout.points() <= 128 {
                let runs = Runs::new(&messages.product);
                let binary = |attr: &&Attr| matches!(attr.point().kind, Kind::Binary);
                for id in messages.product.attrs().filter(binary).map(Attr::id) {
                    assert_eq!(read(layout, body, id), runs.bytes(body, id));
                }
            }
        }
    }
}

/// `generated` fills the three slices, and returns what the typed struct has.
fn check_product(
    fixture: &'static Fixture,
    generated: impl Fn(&'static [u8], &mut [u32], &mut [Value<'static>], &mut [f64]) -> Vec<i64>,
) {
    let product = &fixture.product;
    let layout = product.layout();
    let points = usize::from(layout.points());
    let (mut bytes, mut line_out) = (Vec::new(), Vec::new());
    for (status, line) in fixture.statuses().zip(&fixture.lines) {
        let mut raws = [vec![9; points], vec![8; points]];
        let mut exact = [vec![Value::Enum(9); points], vec![Value::Enum(8); points]];
        let mut doubles = [vec![9.5; points], vec![8.5; points]];
        raw(layout, status, &mut raws[0]);
        values(layout, status, &mut exact[0]);
        floats(layout, status, &mut doubles[0]);
        let typed = generated(status, &mut raws[1], &mut exact[1], &mut doubles[1]);
        assert_eq!(raws[0], raws[1], "{line}");
        assert_eq!(exact[0], exact[1], "{line}");
        assert_eq!(doubles[0], doubles[1], "{line}");
        let coefficients: Vec<i64> = exact[0].iter().map(|value| coefficient(*value)).collect();
        assert_eq!(typed, coefficients, "{line}");
        let mut numbers = vec![Decimal::ZERO; points];
        decimals(layout, status, &mut numbers);
        let numbers: Vec<i64> = numbers.iter().map(|one| one.coefficient()).collect();
        assert_eq!(numbers, coefficients, "{line}");

        line_out.clear();
        ndjson(product, line, &mut bytes, &mut line_out);
        let ours: serde_json::Value = serde_json::from_slice(&line_out).unwrap();
        let theirs = naive::ndjson(&fixture.definition, line);
        let theirs: serde_json::Value = serde_json::from_str(&theirs).unwrap();
        let map = naive::decode(&fixture.definition, status);
        let members = ["action", "attrs"];
        assert!(ours.as_object().unwrap().keys().eq(members), "{line}");
        assert_eq!(ours["action"], theirs["action"], "{line}");
        for json in [&ours["attrs"], &theirs["attrs"]] {
            assert_eq!(json.as_object().unwrap().len(), points, "{line}");
        }
        assert_eq!(map.len(), points, "{line}");
        for (attr, (exact, double)) in product.attrs().zip(exact[0].iter().zip(&doubles[0])) {
            let name = attr.name();
            for json in [&ours["attrs"][name], &theirs["attrs"][name], &map[name]] {
                let same = match exact {
                    Value::Enum(index) => json.as_str() == Some(&attr.labels()[*index as usize]),
                    Value::Binary(bytes) => json.as_str() == Some(&payload::hex(bytes)),
                    // The naive floats are off by their rounding.
                    _ => json
                        .as_f64()
                        .is_some_and(|json| (json - double).abs() <= 1e-9 * double.abs().max(1.0)),
                };
                assert!(same, "{name} is {exact:?} or {json} in {line}");
            }
        }
    }
}

/// The integer that a typed struct has for a value; of a binary 0.
fn coefficient(value: Value<'_>) -> i64 {
    match value {
        Value::Bool(on) => on.into(),
        Value::Enum(index) => index.into(),
        Value::Number(number) => number.coefficient(),
        Value::Binary(_) => 0,
    }
}
