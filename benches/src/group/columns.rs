//! Statuses to columns of raw values, and payloads to Arrow's columns.

use std::hint::black_box;

use gizwits_codec_core::{PointId, Raw};
use gizwits_codec_std::log::{Column, Columns, PayloadDecoder};

use crate::fixture::{A, B, Fixture, Lazy, PAYLOADS, lazy};
use crate::kernel::{Kernel, Output};

/// The bytes of the rows that come from memory.
const MEMORY: usize = 64 << 20;

/// The kernels of the group.
#[must_use]
pub fn kernels() -> Vec<Kernel> {
    let mut all = Vec::new();
    for (name, fixture) in [("A", &*A), ("B", &*B)] {
        let rows: &'static [u8] = fixture.bodies.concat().leak();
        let times = MEMORY / rows.len();
        let few = lazy(move || rows.to_vec());
        all.push(columns(
            format!("columns/{name}/in cache/columns"),
            fixture,
            few,
            numbers,
        ));
        all.push(row_by_row(name, fixture, rows));
        let many = lazy(move || rows.repeat(times));
        let [read, copy] = controls(name, fixture, many);
        let kernel = columns(
            format!("columns/{name}/in memory/columns"),
            fixture,
            many,
            |_| Output::Nothing,
        );
        for kernel in [kernel, read, copy] {
            all.push(kernel.items(times * PAYLOADS));
        }
        all.extend(arrow(name, fixture));
    }
    all
}

/// Payloads to Arrow's columns, of all points and of the one in the middle: as hex, as bytes, and as bytes that are known to
/// have one length.
fn arrow(name: &str, fixture: &'static Fixture) -> Vec<Kernel> {
    let all: &'static [PointId] = fixture
        .product
        .attrs()
        .map(|attr| attr.id())
        .collect::<Vec<_>>()
        .leak();
    let one = &all[all.len() / 2..][..1];
    let hex: &'static [&'static [String]] = vec![fixture.lines].leak();
    let bytes: &'static [&'static [&'static [u8]]] = vec![fixture.reports].leak();
    let equal: &'static [Vec<u8>] = vec![fixture.reports.concat()].leak();
    let len = equal[0].len() / PAYLOADS;
    let decoder =
        |points: &'static [PointId]| move || PayloadDecoder::new(&fixture.product, points);
    let rows = |decoder: &mut PayloadDecoder| {
        black_box(decoder.finish().expect("within the limits of Arrow"));
    };
    let mut kernels = Vec::new();
    for (program, points) in [("one point", one), ("all points", all)] {
        kernels.push(Kernel::new(
            format!("columns/{name}/Arrow from hex/{program}"),
            hex,
            decoder(points),
            move |decoder, payloads| {
                for payload in *payloads {
                    decoder.push_text(black_box(payload));
                }
                rows(decoder);
            },
            |_| Output::Nothing,
        ));
        kernels.push(Kernel::new(
            format!("columns/{name}/Arrow from bytes/{program}"),
            bytes,
            decoder(points),
            move |decoder, payloads| {
                for payload in *payloads {
                    decoder.push(black_box(payload));
                }
                rows(decoder);
            },
            |_| Output::Nothing,
        ));
        kernels.push(Kernel::new(
            format!("columns/{name}/Arrow from bytes of one length/{program}"),
            equal,
            decoder(points),
            move |decoder, payloads| {
                decoder.push_equal(black_box(payloads), len);
                rows(decoder);
            },
            |_| Output::Nothing,
        ));
    }
    // The programs of a case are next to each other.
    kernels.sort_by(|one, two| one.case().cmp(two.case()));
    kernels
        .into_iter()
        .map(|kernel| kernel.items(PAYLOADS))
        .collect()
}

fn columns(
    name: String,
    fixture: &'static Fixture,
    rows: &'static [Lazy],
    output: fn(&Columns) -> Output,
) -> Kernel {
    let kernel = Kernel::new(
        name,
        rows,
        || Columns::new(&fixture.product),
        |columns, rows| {
            columns.clear();
            columns.extend(black_box(rows.as_slice()));
        },
        output,
    );
    kernel.items(PAYLOADS)
}

/// The raw values of [`PAYLOADS`] rows, column by column; 0 for a binary.
fn numbers(columns: &Columns) -> Output {
    let numbers = |column: &Column| -> Vec<f64> {
        match column {
            Column::U8(values) => values.iter().copied().map(f64::from).collect(),
            Column::U16(values) => values.iter().copied().map(f64::from).collect(),
            Column::U32(values) => values.iter().copied().map(f64::from).collect(),
            Column::Bytes(..) => vec![0.0; PAYLOADS],
        }
    };
    Output::Numbers(columns.columns().iter().flat_map(numbers).collect())
}

/// One status after the other, and one point of it after the other.
fn row_by_row(name: &str, fixture: &'static Fixture, rows: &'static [u8]) -> Kernel {
    let layout = fixture.product.layout();
    let kernel = Kernel::new(
        format!("columns/{name}/in cache/row by row"),
        vec![rows].leak(),
        || vec![Vec::<u32>::new(); fixture.points()],
        move |columns, rows| {
            columns.iter_mut().for_each(Vec::clear);
            for status in rows.chunks_exact(layout.status_len()) {
                if let Ok(view) = layout.view(status) {
                    let mut columns = columns.iter_mut();
                    view.iter().for_each(|value| {
                        if let Some(column) = columns.next() {
                            column.push(match value.raw() {
                                Raw::Number(raw) => raw,
                                Raw::Bytes(_) => 0,
                            });
                        }
                    });
                }
            }
        },
        |columns| Output::Numbers(columns.iter().flatten().copied().map(f64::from).collect()),
    );
    kernel.items(PAYLOADS)
}

/// Work that can't be avoided: the rows are read and as many bytes are written as the columns have. And a plain
/// copy of the rows.
fn controls(name: &str, fixture: &'static Fixture, rows: &'static [Lazy]) -> [Kernel; 2] {
    let mut columns = Columns::new(&fixture.product);
    columns.extend(fixture.bodies.concat().as_slice());
    let width = |column: &Column| match column {
        Column::U8(values) | Column::Bytes(_, values) => values.len(),
        Column::U16(values) => 2 * values.len(),
        Column::U32(values) => 4 * values.len(),
    };
    let bytes = columns.columns().iter().map(width).sum::<usize>() / PAYLOADS;
    let stride = fixture.product.layout().status_len();
    let read = Kernel::new(
        format!("columns/{name}/in memory/read and fill"),
        rows,
        Vec::new,
        move |filled, rows| {
            filled.resize(rows.len() / stride * bytes, 0_u8);
            let sum = |sum: u64, eight: &[u8; 8]| sum.wrapping_add(u64::from_ne_bytes(*eight));
            black_box(
                black_box(rows.as_slice())
                    .as_chunks::<8>()
                    .0
                    .iter()
                    .fold(0, sum),
            );
            filled.fill(black_box(7));
        },
        |_| Output::Nothing,
    );
    let copy = Kernel::new(
        format!("columns/{name}/in memory/memcpy of the rows"),
        rows,
        Vec::new,
        |copy, rows| {
            copy.resize(rows.len(), 0_u8);
            copy.copy_from_slice(black_box(rows.as_slice()));
        },
        |_| Output::Nothing,
    );
    [read, copy]
}
