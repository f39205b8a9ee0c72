//! The table of all that is measured, and the check that it all decodes to the same.

use std::hint::black_box;

use gizwits_codec_core::{LayoutRef, PointId, Raw, Value, View};
use gizwits_codec_std::payload::{self, Encoding};
use gizwits_codec_std::{Decimal, Product};

use crate::fixture::{A, B, Fixture};
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
pub const PAIRS: [Pair; 12] = [
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
        numbers("A/value/constants", a, Value::Bool(false), |_, status, out| {
            constants!(a, values, status, out);
        }),
        numbers("A/f64/layout", a, 0.0, floats),
        numbers("A/f64/constants", a, 0.0, |_, status, out| {
            constants!(a, floats, status, out);
        }),
        each("A/struct/constants", a, |status| {
            black_box(status.try_into().map(generated::a::Status::new)).is_ok()
        }),
        each("A/map/naive", a, |status| {
            !black_box(naive::decode(&a.definition, status)).is_empty()
        }),
        product("A/ndjson/product", a),
        naive("A/ndjson/naive", a),
        numbers("B/raw/layout", b, 0, raw),
        numbers("B/raw/constants", b, 0, |_, status, out| {
            constants!(b, raw, status, out);
        }),
        numbers("B/value/layout", b, Value::Bool(false), values),
        numbers("B/value/constants", b, Value::Bool(false), |_, status, out| {
            constants!(b, values, status, out);
        }),
        numbers("B/f64/layout", b, 0.0, floats),
        numbers("B/f64/constants", b, 0.0, |_, status, out| {
            constants!(b, floats, status, out);
        }),
        each("B/struct/constants", b, |status| {
            black_box(status.try_into().map(generated::b::Status::new)).is_ok()
        }),
        each("B/map/naive", b, |status| {
            !black_box(naive::decode(&b.definition, status)).is_empty()
        }),
        product("B/ndjson/product", b),
        naive("B/ndjson/naive", b),
    ]
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
