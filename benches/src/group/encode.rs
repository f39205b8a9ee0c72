//! Values to reports and controls.

use std::hint::black_box;
use std::sync::LazyLock;

use gizwits_codec_core::{Action, Encoder, Raw, Value};

use super::decode;
use crate::fixture::{A, Fixture, Values};
use crate::kernel::{Kernel, Output};
use crate::peer::{naive, serde};

/// The kernels of the group.
#[must_use]
pub fn kernels() -> Vec<Kernel> {
    let mut all = Vec::new();
    for (name, fixture) in decode::standard() {
        let values = fixture.values();
        all.push(raws(name, fixture, values));
        all.push(exact(name, fixture, values));
        all.extend(json(name, fixture, values));
    }
    for (name, fixture) in decode::var_len().into_iter().take(3) {
        all.push(raws(name, fixture, fixture.values()));
    }
    all.extend(control());
    all
}

fn bytes(out: &(Vec<u8>, usize)) -> Output {
    Output::Bytes(out.0[..out.1].to_vec())
}

/// Raw values through the encoder; binaries as values.
fn raws(name: &str, fixture: &'static Fixture, values: &'static [Values]) -> Kernel {
    let layout = fixture.product.layout();
    Kernel::new(
        format!("encode/{name}/raw/encoder"),
        values,
        move || (vec![0; layout.p0_len(Action::Report)], 0),
        move |(out, len), values| {
            if let Ok(mut encoder) = Encoder::begin(layout, Action::Report, out) {
                for (id, raw) in &values.raws {
                    let _ = black_box(match *raw {
                        Raw::Number(raw) => encoder.set_raw(*id, raw),
                        Raw::Bytes(bytes) => encoder.set(*id, Value::Binary(bytes)),
                    });
                }
                *len = encoder.finish().len();
            }
        },
        bytes,
    )
}

/// Engineering values through the encoder.
fn exact(name: &str, fixture: &'static Fixture, values: &'static [Values]) -> Kernel {
    let layout = fixture.product.layout();
    Kernel::new(
        format!("encode/{name}/values/encoder"),
        values,
        move || (vec![0; layout.p0_len(Action::Report)], 0),
        move |(out, len), values| {
            if let Ok(mut encoder) = Encoder::begin(layout, Action::Report, out) {
                for (id, value) in &values.exact {
                    let _ = black_box(encoder.set(*id, *value));
                }
                *len = encoder.finish().len();
            }
        },
        bytes,
    )
}

/// JSON text to a report.
fn json(name: &str, fixture: &'static Fixture, values: &'static [Values]) -> Vec<Kernel> {
    let bytes = |out: &Vec<u8>| Output::Bytes(out.clone());
    let mut all = vec![Kernel::new(
        format!("encode/{name}/json/product"),
        values,
        Vec::new,
        |out, values| {
            let mut report = fixture.product.message(Action::Report);
            *out = match report.set_json(&values.json) {
                Ok(()) => report.encode().unwrap_or_default(),
                Err(_) => Vec::new(),
            };
        },
        bytes,
    )];
    if name == "A" {
        all.push(Kernel::new(
            "encode/A/json/serde struct",
            values,
            Vec::new,
            |out, values| {
                out.clear();
                let status = serde_json::from_str::<serde::Status>(&values.json).ok();
                out.extend(
                    status
                        .and_then(|status| status.encode())
                        .unwrap_or_default(),
                );
            },
            bytes,
        ));
    }
    let len = fixture.product.layout().status_len();
    all.push(Kernel::new(
        format!("encode/{name}/json/naive"),
        values,
        Vec::new,
        move |out, values| {
            out.clear();
            out.push(4);
            out.extend(naive::encode(&fixture.definition, len, &values.json));
        },
        bytes,
    ));
    all
}

/// Controls of A with all of its 7 writable points, as JSON text.
static CONTROLS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let json = A.values().iter().map(|values| {
        let mut control: serde_json::Value =
            serde_json::from_str(&values.json).expect("the JSON of a report");
        let writable = ["switch", "louver", "work_mode", "fan_speed"];
        let numbers = ["on_hours", "off_hours", "target_temp"];
        let names = writable.iter().chain(&numbers);
        let members = names.map(|name| format!("{name:?}:{}", control[*name].take()));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    });
    json.collect()
});

fn control() -> Vec<Kernel> {
    let product = &A.product;
    let inputs: &'static [String] = &CONTROLS;
    let bytes = |out: &Vec<u8>| Output::Bytes(out.clone());
    vec![
        Kernel::new(
            "encode/A/control/product",
            inputs,
            Vec::new,
            |out, json| {
                let mut control = product.message(Action::Control);
                *out = match control.set_json(json) {
                    Ok(()) => control.encode().unwrap_or_default(),
                    Err(_) => Vec::new(),
                };
            },
            bytes,
        ),
        Kernel::new(
            "encode/A/control/serde struct",
            inputs,
            Vec::new,
            |out, json| {
                out.clear();
                let control = serde_json::from_str::<serde::Control>(json).ok();
                out.extend(
                    control
                        .and_then(|control| control.encode())
                        .unwrap_or_default(),
                );
            },
            bytes,
        ),
    ]
}
