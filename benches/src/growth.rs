//! Costs against the number of points of a product and the number of records of a log: they must grow linearly.

use std::hint::black_box;
use std::io::{self, Read};

use gizwits_codec_core::{Action, Decimal, Encoder, Layout, Point, Protocol, Raw, Value};
use gizwits_codec_std::Product;
use gizwits_codec_std::log::{Log, Ndjson, Products, Source};

use crate::fixture::{A, Fixture, PAYLOADS, standard, var_len};
use crate::group::{layout, logs};
use crate::kernel::{Kernel, Output};
use crate::timing;

/// The numbers of points.
pub const POINTS: [usize; 4] = [8, 64, 256, 1024];

/// The numbers of records of a log. `--quick` leaves out the last two.
pub const RECORDS: [usize; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The factor by which the cost of a point may differ between 256 and 1,024 points. Products of up to 128 points have
/// faster kernels for merges.
pub const BOUND: f64 = 1.25;

/// The kinds of work whose growth is measured.
pub const KINDS: [&str; 6] = ["decode", "encode", "JSON", "merge", "layout", "definition"];

/// The name of the kernel of a kind with so many points.
#[must_use]
pub fn name(kind: &str, points: usize) -> String {
    format!("growth/{kind}/{points} points")
}

/// The kernels: each kind with each number of points.
#[must_use]
pub fn kernels() -> Vec<Kernel> {
    let mut all = Vec::new();
    for points in POINTS {
        let definition: &'static str = standard(points).leak();
        let fixture: &'static Fixture = Box::leak(Box::new(Fixture::of(definition, None, 50)));
        let half = Fixture::of(&var_len(definition), Some(points / 2), 50);
        all.push(decode(points, fixture));
        all.push(encode(points, fixture));
        all.push(json(points, fixture));
        all.push(merge(points, Box::leak(Box::new(half))));
        all.push(match points {
            8 => layout::<8>(),
            64 => layout::<64>(),
            256 => layout::<256>(),
            _ => layout::<1024>(),
        });
        all.push(Kernel::new(
            name("definition", points),
            vec![definition].leak(),
            || None,
            |out, text| *out = Product::from_json(text).ok(),
            |_| Output::Nothing,
        ));
    }
    all
}

fn decode(points: usize, fixture: &'static Fixture) -> Kernel {
    let layout = fixture.product.layout();
    Kernel::new(
        name("decode", points),
        fixture.bodies,
        move || vec![Decimal::ZERO; points],
        move |out, body| {
            if let Ok(view) = layout.view(body) {
                let _ = black_box(view.read_decimals(out));
            }
        },
        |_| Output::Nothing,
    )
}

fn encode(points: usize, fixture: &'static Fixture) -> Kernel {
    let layout = fixture.product.layout();
    Kernel::new(
        name("encode", points),
        fixture.values(),
        move || vec![0; layout.p0_len(Action::Report)],
        move |out, values| {
            if let Ok(mut encoder) = Encoder::begin(layout, Action::Report, out) {
                for (id, raw) in &values.raws {
                    let _ = black_box(match *raw {
                        Raw::Number(raw) => encoder.set_raw(*id, raw),
                        Raw::Bytes(bytes) => encoder.set(*id, Value::Binary(bytes)),
                    });
                }
                black_box(encoder.finish());
            }
        },
        |_| Output::Nothing,
    )
}

fn json(points: usize, fixture: &'static Fixture) -> Kernel {
    Kernel::new(
        name("JSON", points),
        fixture.reports,
        Vec::new,
        |out, report| {
            out.clear();
            if let Ok(decoded) = fixture.product.decode(report) {
                decoded.write_json(out);
            }
        },
        |_| Output::Nothing,
    )
}

fn merge(points: usize, fixture: &'static Fixture) -> Kernel {
    let product = &fixture.product;
    Kernel::new(
        name("merge", points),
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

fn layout<const N: usize>() -> Kernel {
    let points: &'static [Vec<Point>] = vec![layout::points(N)].leak();
    Kernel::new(
        name("layout", N),
        points,
        || None,
        |out, points| *out = Layout::<N, 8>::new(Protocol::Standard, points).ok(),
        |_| Output::Nothing,
    )
}

/// The microseconds of processor time a log of so many records of A takes to become NDJSON, by one worker.
///
/// # Panics
/// If a record is not decoded.
#[must_use]
pub fn log_microseconds(records: usize) -> f64 {
    let products = Products::one(A.product.clone());
    let block = logs::records(&A, PAYLOADS);
    // Short logs are decoded several times, so that there is something to measure.
    let times = (100_000 / records).max(1);
    let mut decoded = 0;
    let taken = timing::process_seconds(|| {
        for _ in 0..times {
            let log = Repeat {
                block: block.clone(),
                blocks: records / PAYLOADS,
                at: 0,
            };
            let out = Ndjson::new(&products, io::sink());
            let source = Source::new("log", log);
            let summary = Log::new(&products).threads(1).decode([source], out);
            decoded += summary.map_or(0, |summary| summary.decoded);
        }
    });
    assert_eq!(decoded as usize, times * records);
    taken * 1e6 / times as f64
}

/// A block of records so many times: a log of 1 GB that is not in memory.
struct Repeat {
    block: Vec<u8>,
    blocks: usize,
    at: usize,
}

impl Read for Repeat {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() && self.blocks > 0 {
            (self.blocks, self.at) = (self.blocks - 1, 0);
        }
        if self.blocks == 0 {
            return Ok(0);
        }
        let len = (&self.block[self.at..]).read(out)?;
        self.at += len;
        Ok(len)
    }
}
