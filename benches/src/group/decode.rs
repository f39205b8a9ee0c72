//! Payloads to numbers and values, with a layout that is known at run time.

use std::hint::black_box;

use gizwits_codec_core::{Decimal, LayoutRef, P0, PointId, Raw, Value};

use crate::fixture::{A, B, B5, B50, B100, C, Fixture, L4, W5, W50, W100};
use crate::generated;
use crate::kernel::{Kernel, Output};
use crate::peer::popcount::Runs;
use crate::peer::{naive, tidy};

/// The kernels of the group.
#[must_use]
pub fn kernels() -> Vec<Kernel> {
    let mut all = Vec::new();
    for (name, fixture) in standard() {
        all.extend(raw(name, fixture));
        all.extend(decimals(name, fixture));
        all.push(floats(name, fixture));
        if name != "C" {
            all.push(constants(name, "f64"));
        }
        all.push(values(name, fixture));
        if name != "C" {
            all.push(constants(name, "values"));
        }
        all.push(whole(name, fixture));
    }
    for (name, fixture) in var_len() {
        all.push(packed(name, fixture));
        all.push(walk(name, fixture));
        all.push(decimals_of(name, fixture));
        all.push(merge(name, fixture));
        if name.starts_with('W') {
            all.push(last(name, fixture));
            all.push(popcount(name, fixture));
        }
    }
    all
}

/// The standard products.
pub(super) fn standard() -> [(&'static str, &'static Fixture); 3] {
    [("A", &A), ("B", &B), ("C", &C)]
}

/// The var_len products.
pub(super) fn var_len() -> [(&'static str, &'static Fixture); 7] {
    [
        ("B5", &B5),
        ("B50", &B50),
        ("B100", &B100),
        ("W5", &W5),
        ("W50", &W50),
        ("W100", &W100),
        ("L4", &L4),
    ]
}

/// The numbers of decimals.
pub(super) fn exact(decimals: &[Decimal]) -> Output {
    Output::Numbers(decimals.iter().map(|decimal| decimal.to_f64()).collect())
}

/// Raw integers as they are in the message; 0 for a binary.
fn raw(name: &str, fixture: &'static Fixture) -> Vec<Kernel> {
    let points = fixture.points();
    let output = |out: &Vec<u32>| Output::Numbers(out.iter().copied().map(f64::from).collect());
    let layout = fixture.product.layout();
    let mut all = vec![Kernel::new(
        format!("decode/{name}/raw/layout"),
        fixture.bodies,
        move || vec![0; points],
        move |out, body| {
            if let Ok(view) = layout.view(body) {
                let mut slots = out.iter_mut();
                view.iter().for_each(|value| {
                    if let Some(slot) = slots.next() {
                        *slot = number(value.raw());
                    }
                });
            }
        },
        output,
    )];
    if name != "C" {
        all.push(constants(name, "raw"));
    }
    #[cfg(feature = "peers")]
    {
        let ranges = crate::peer::bits::ranges(&fixture.product);
        all.push(Kernel::new(
            format!("decode/{name}/raw/bitvec"),
            fixture.bodies,
            move || vec![0; points],
            move |out, body| crate::peer::bits::decode(&ranges, body, out),
            output,
        ));
    }
    all
}

fn number(raw: Raw<'_>) -> u32 {
    match raw {
        Raw::Number(raw) => raw,
        Raw::Bytes(_) => 0,
    }
}

/// Code with constants instead of a layout, and the output that it writes.
fn constants(name: &str, output: &str) -> Kernel {
    macro_rules! kernel {
        ($module:ident, $fixture:ident, $decode:ident, $empty:expr, $output:expr) => {
            Kernel::new(
                format!("decode/{name}/{output}/constants"),
                $fixture.bodies,
                || [$empty; generated::$module::POINTS],
                |out, body| {
                    if let Ok(status) = (*body).try_into() {
                        generated::$module::$decode(status, out);
                    }
                },
                $output,
            )
        };
    }
    match (name, output) {
        ("A", "raw") => kernel!(a, A, raw, 0, |out| Output::Numbers(
            out.map(f64::from).to_vec()
        )),
        ("A", "decimals") => kernel!(a, A, decimals, Decimal::ZERO, |out| exact(out)),
        ("A", "f64") => kernel!(a, A, floats, 0.0, |out| Output::Numbers(out.to_vec())),
        ("A", "values") => kernel!(a, A, values, Value::Bool(false), |out| of_values(out)),
        (_, "raw") => kernel!(b, B, raw, 0, |out| Output::Numbers(
            out.map(f64::from).to_vec()
        )),
        (_, "decimals") => kernel!(b, B, decimals, Decimal::ZERO, |out| exact(out)),
        (_, "f64") => kernel!(b, B, floats, 0.0, |out| Output::Numbers(out.to_vec())),
        _ => kernel!(b, B, values, Value::Bool(false), |out| of_values(out)),
    }
}

fn of_values(values: &[Value<'_>]) -> Output {
    let number = |value: &Value<'_>| match value {
        Value::Bool(on) => f64::from(u8::from(*on)),
        Value::Enum(index) => f64::from(*index),
        Value::Number(number) => number.to_f64(),
        Value::Binary(_) => 0.0,
    };
    Output::Numbers(values.iter().map(number).collect())
}

/// The exact numbers of all points in a slice of the caller.
fn decimals(name: &str, fixture: &'static Fixture) -> Vec<Kernel> {
    let mut all = vec![decimals_of(name, fixture)];
    if name != "C" {
        all.push(constants(name, "decimals"));
    }
    let attrs = tidy::compile(&fixture.definition);
    let same = attrs.clone();
    all.push(Kernel::new(
        format!("decode/{name}/decimals/tidy"),
        fixture.bodies,
        Vec::new,
        move |out, body| *out = tidy::decode(&attrs, body),
        move |out| Output::Numbers(tidy::numbers(&same, out)),
    ));
    all.push(Kernel::new(
        format!("decode/{name}/decimals/naive"),
        fixture.bodies,
        std::collections::HashMap::new,
        |out, body| *out = naive::decode(&fixture.definition, body),
        |out| {
            let number = |attr: &gizwits_codec_std::Attr| match &out[attr.name()] {
                serde_json::Value::String(label) => f64::from(attr.label_index(label).unwrap_or(0)),
                other => other.as_f64().unwrap_or_default(),
            };
            Output::Numbers(fixture.product.attrs().map(number).collect())
        },
    ));
    #[cfg(feature = "peers")]
    match name {
        "A" => all.push(Kernel::new(
            "decode/A/decimals/deku",
            fixture.bodies,
            || None,
            |out, body| *out = crate::peer::deku::A::new(body),
            |out| Output::Numbers(out.as_ref().map_or(Vec::new(), |out| out.numbers())),
        )),
        // Its struct has raw values, so there is nothing to compare: `codegen/B/struct` does.
        "B" => all.push(Kernel::new(
            "decode/B/decimals/deku",
            fixture.bodies,
            || None,
            |out, body| *out = crate::peer::deku::B::new(body),
            |_| Output::Nothing,
        )),
        _ => {}
    }
    all
}

fn decimals_of(name: &str, fixture: &'static Fixture) -> Kernel {
    let (layout, points) = (fixture.product.layout(), fixture.points());
    Kernel::new(
        format!("decode/{name}/decimals/layout"),
        fixture.bodies,
        move || vec![Decimal::ZERO; points],
        move |out, body| {
            if let Ok(view) = layout.view(body) {
                let _ = black_box(view.read_decimals(out));
            }
        },
        |out| exact(out),
    )
}

/// The numbers of all points as floats.
fn floats(name: &str, fixture: &'static Fixture) -> Kernel {
    let (layout, points) = (fixture.product.layout(), fixture.points());
    Kernel::new(
        format!("decode/{name}/f64/layout"),
        fixture.bodies,
        move || vec![0.0; points],
        move |out, body| {
            if let Ok(view) = layout.view(body) {
                let _ = black_box(view.read_f64s(out));
            }
        },
        |out| Output::Numbers(out.clone()),
    )
}

/// The values of all points through the iterator.
fn values(name: &str, fixture: &'static Fixture) -> Kernel {
    let (layout, points) = (fixture.product.layout(), fixture.points());
    Kernel::new(
        format!("decode/{name}/values/layout"),
        fixture.bodies,
        move || vec![Value::Bool(false); points],
        move |out, body| {
            if let Ok(view) = layout.view(body) {
                let mut slots = out.iter_mut();
                view.iter().for_each(|value| {
                    if let Some(slot) = slots.next() {
                        *slot = value.value();
                    }
                });
            }
        },
        |out| of_values(out),
    )
}

/// A whole P0 with its action.
fn whole(name: &str, fixture: &'static Fixture) -> Kernel {
    let (layout, points) = (fixture.product.layout(), fixture.points());
    Kernel::new(
        format!("decode/{name}/p0/layout"),
        fixture.reports,
        move || vec![Decimal::ZERO; points],
        move |out, report| {
            if let Ok(P0::Report(view)) = P0::parse(layout, report) {
                let _ = black_box(view.read_decimals(out));
            }
        },
        |out| exact(out),
    )
}

type Pairs = Vec<(u16, u32)>;

fn of_pairs(pairs: &Pairs) -> Output {
    let numbers = pairs
        .iter()
        .flat_map(|(id, raw)| [f64::from(*id), f64::from(*raw)]);
    Output::Numbers(numbers.collect())
}

/// Ids and raw values of the points that a var_len message has.
fn packed(name: &str, fixture: &'static Fixture) -> Kernel {
    let layout: LayoutRef<'static> = fixture.product.layout();
    Kernel::new(
        format!("decode/{name}/raw/layout"),
        fixture.bodies,
        Pairs::new,
        move |out, body| {
            out.clear();
            if let Ok(view) = layout.view(body) {
                view.iter()
                    .for_each(|value| out.push((value.id().0, number(value.raw()))));
            }
        },
        of_pairs,
    )
}

/// The output of [`packed`] by a program that tests the mask for each point of the product.
fn walk(name: &str, fixture: &'static Fixture) -> Kernel {
    let slots = naive::slots(&fixture.definition);
    Kernel::new(
        format!("decode/{name}/raw/walk"),
        fixture.bodies,
        Pairs::new,
        move |out, body| naive::walk(&slots, body, out),
        of_pairs,
    )
}

/// A message merged into the state of its device.
fn merge(name: &str, fixture: &'static Fixture) -> Kernel {
    let product = &fixture.product;
    Kernel::new(
        format!("decode/{name}/merge/layout"),
        fixture.bodies,
        || product.state(),
        |state, body| {
            if let Ok(view) = product.layout().view(body) {
                let _ = black_box(state.update(view));
            }
        },
        |_| Output::Nothing,
    )
}

/// The last point of var_len messages alone, which is a binary.
fn last(name: &str, fixture: &'static Fixture) -> Kernel {
    let layout = fixture.product.layout();
    let id = PointId(layout.point_count() - 1);
    Kernel::new(
        format!("decode/{name}/last/layout"),
        fixture.bodies,
        || None,
        move |out, body| {
            let point = layout.view(body).ok().and_then(|view| view.read(id));
            *out = point.and_then(|point| match point.raw() {
                Raw::Bytes(bytes) => Some(bytes),
                Raw::Number(_) => None,
            });
        },
        |out| Output::Bytes(out.unwrap_or_default().to_vec()),
    )
}

/// The output of [`last`] by popcounts.
fn popcount(name: &str, fixture: &'static Fixture) -> Kernel {
    let runs = Runs::new(&fixture.product);
    let id = PointId(fixture.product.layout().point_count() - 1);
    Kernel::new(
        format!("decode/{name}/last/popcount"),
        fixture.bodies,
        || None,
        move |out, body| *out = runs.bytes(body, id),
        |out| Output::Bytes(out.unwrap_or_default().to_vec()),
    )
}
