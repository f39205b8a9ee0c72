//! Logs of products A and B, and what they are decoded with elsewhere.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use gizwits_codec_std::log::{
    Batches, Column, Columns, Decoder, Format, Log, Ndjson, Options, Parquet, ParquetBlock,
    Products, Record, Sink, Source, TextBlock, Timestamp,
};
use gizwits_codec_std::payload;
use serde::Deserialize;
use serde_json::{Value, json};

use ::parquet::arrow::ArrowWriter;

use crate::fixture::{A, B, Fixture, PAYLOADS, Reports};
use crate::kernels::Kernel;
use crate::naive;

/// A log as the API has it: so many reports of a product in frames, one each 500 ms.
#[must_use]
pub fn records(fixture: &Fixture, count: usize) -> Vec<u8> {
    let mut log = String::new();
    for (number, line) in fixture.lines.iter().cycle().take(count).enumerate() {
        record(&mut log, line, number);
    }
    log.into_bytes()
}

/// Appends record `number` of a log, whose P0 is this hex.
///
/// # Panics
/// Never: memory takes it.
pub fn record(log: &mut String, p0: &str, number: usize) {
    let (seconds, millis) = (1_517_384_243 + number / 2, 44 + number % 2 * 500);
    // Flag and command count, too; the length is a varint.
    let len = p0.len() / 2 + 3;
    let _ = write!(
        log,
        r#"{{"timestamp":{seconds}.{millis:03},"type":"dev2app","payload":"00000003"#
    );
    match len {
        ..0x80 => write!(log, "{len:02x}"),
        _ => write!(log, "{:02x}{:02x}", len & 0x7f | 0x80, len >> 7),
    }
    .expect("memory");
    let _ = writeln!(log, r#"000091{p0}"}}"#);
}

/// What services write: everything is a [`Value`], points go into a map by name.
///
/// # Panics
/// If the record is not one of [`records`].
#[must_use]
pub fn naive(definition: &Value, line: &str) -> String {
    let record: Value = serde_json::from_str(line).unwrap();
    let bytes = naive::unhex(record["payload"].as_str().unwrap());
    let p0 = match bytes[4] {
        0x80.. => &bytes[9..],
        _ => &bytes[8..],
    };
    let attrs: HashMap<String, Value> = naive::decode(definition, &p0[1..]);
    json!({
        "timestamp": record["timestamp"],
        "type": record["type"],
        "action": "report",
        "attrs": attrs,
    })
    .to_string()
}

/// A record for serde_json, which borrows what it can.
#[derive(Debug, Deserialize)]
pub struct Borrowed<'a> {
    /// The time as it stands.
    #[serde(borrow)]
    pub timestamp: &'a serde_json::value::RawValue,
    /// `dev2app` or `app2dev`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Hex.
    pub payload: &'a str,
}

/// Lines through serde_json's borrowed struct and then the same as ever.
///
/// # Panics
/// If a line is not one of [`records`].
pub fn borrowed<S: Sink>(
    product: &gizwits_codec_std::Product,
    sink: &mut S,
    bytes: &mut Vec<u8>,
    lines: &[u8],
    block: &mut S::Block,
) {
    for line in std::str::from_utf8(lines).unwrap().lines() {
        let found: Borrowed<'_> = serde_json::from_str(line).unwrap();
        payload::parse_into(found.payload, None, bytes).unwrap();
        let decoded = product.decode(bytes).unwrap();
        let mut record = Record::bare(found.payload);
        record.timestamp = Timestamp::new(found.timestamp.get()).ok();
        record.kind = Some(found.kind);
        sink.record(block, &record, 0, &decoded);
    }
}

/// The same lines through a decoder, none of which may fail.
///
/// # Panics
/// If one fails.
pub fn decoded<S: Sink>(decoder: &mut Decoder<S>, lines: &[u8], block: &mut S::Block) {
    decoder.lines(lines, block, |number, _, error| {
        panic!("line {number}: {error}")
    });
    decoder.end(block).expect("memory");
}

/// The kernels, each of which decodes [`PAYLOADS`] records once: they stay in the L2 cache, as the blocks
/// of a log do.
#[must_use]
pub fn kernels() -> Vec<Kernel> {
    let [a, b] = [&*A, &*B].map(of);
    let names = ["A", "B"].map(|product| {
        KERNELS.map(|name| -> &'static str { format!("{product}/log/{name}").leak() })
    });
    let runs = a.into_iter().chain(b);
    let pairs = names.into_iter().flatten().zip(runs);
    pairs.map(|(name, run)| Kernel { name, run }).collect()
}

const KERNELS: [&str; 9] = [
    "learnt", "strict", "borrowed", "naive", "columns", "memory", "batch", "parquet", "defaults",
];

fn of(fixture: &'static Fixture) -> [Box<dyn FnMut()>; 9] {
    let products = Products::one(fixture.product.clone());
    let log: &'static [u8] = records(fixture, PAYLOADS).leak();
    let sink = || Ndjson::new(&products, std::io::sink()).sink();
    let by = |strict| {
        let options = Options {
            strict,
            ..Options::default()
        };
        let mut decoder = Decoder::new(&products, options, sink());
        let mut block = TextBlock::default();
        Box::new(move || {
            block.clear();
            decoded(&mut decoder, log, &mut block);
            black_box(block.as_bytes());
        })
    };
    let (mut block, mut bytes, mut own) = (TextBlock::default(), Vec::new(), sink());
    let borrowed = move || {
        block.clear();
        borrowed(&fixture.product, &mut own, &mut bytes, log, &mut block);
        black_box(block.as_bytes());
    };
    let naive = move || {
        for line in std::str::from_utf8(log).unwrap_or_default().lines() {
            black_box(naive(&fixture.definition, line));
        }
    };
    let rows: Vec<u8> = fixture.statuses().flatten().copied().collect();
    // So many of them that they come from memory, not from a cache.
    let times = (64 << 20) / rows.len();
    let rows: &'static [u8] = rows.repeat(times).leak();
    let mut columns = Columns::new(&fixture.product);
    columns.extend(rows);
    let len: usize = columns.columns().iter().map(width).sum();
    let mut filled = vec![0_u8; len];
    let mut batches = Decoder::new(
        &products,
        Options::default(),
        Batches::new(&fixture.product, false),
    );
    let batch = move || {
        let mut block = None;
        decoded(&mut batches, log, &mut block);
        black_box(&block);
    };
    // Values of their own in each, as devices have them: what repeats suits a dictionary too well.
    let (mut many, mut reports) = (String::new(), Reports::new(&fixture.product));
    for number in 0..32 * PAYLOADS {
        record(&mut many, &payload::hex(&reports.draw()), number);
    }
    let many: &'static [u8] = many.into_bytes().leak();
    let parquet = Parquet::new(&fixture.product, false, 1, std::io::sink()).expect("memory");
    let mut encoder = Decoder::new(&products, Options::default(), parquet.sink());
    let mut own = Parquet::new(&fixture.product, false, 1, std::io::sink()).expect("memory");
    let parquet = move || {
        let mut block = ParquetBlock::default();
        decoded(&mut encoder, many, &mut block);
        own.write(&mut block).expect("a sink");
    };
    let mut batches = Decoder::new(
        &products,
        Options::default(),
        Batches::new(&fixture.product, false),
    );
    let defaults = move || {
        let mut block = None;
        decoded(&mut batches, many, &mut block);
        let batch = block.expect("records");
        let zstd = ::parquet::basic::Compression::ZSTD(::parquet::basic::ZstdLevel::default());
        let properties = ::parquet::file::properties::WriterProperties::builder();
        let properties = properties.set_compression(zstd).build();
        let out = std::io::sink();
        let mut writer =
            ArrowWriter::try_new(out, batch.schema(), Some(properties)).expect("memory");
        writer.write(&batch).expect("a sink");
        writer.close().expect("a sink");
    };
    [
        by(false),
        by(true),
        Box::new(borrowed),
        Box::new(naive),
        Box::new(move || {
            columns.clear();
            columns.extend(black_box(rows));
            black_box(columns.columns());
        }),
        // What cannot be less: the rows are read, so many bytes as the columns have are written.
        Box::new(move || {
            let sum = |sum: u64, eight: &[u8; 8]| sum.wrapping_add(u64::from_ne_bytes(*eight));
            black_box(black_box(rows).as_chunks::<8>().0.iter().fold(0, sum));
            filled.fill(black_box(7));
            black_box(&filled);
        }),
        Box::new(batch),
        Box::new(parquet),
        Box::new(defaults),
    ]
}

/// The bytes of a column.
fn width(column: &Column) -> usize {
    match column {
        Column::U8(values) | Column::Bytes(_, values) => values.len(),
        Column::U16(values) => 2 * values.len(),
        Column::U32(values) => 4 * values.len(),
    }
}

/// The seconds in which so many threads decode a log to NDJSON that nobody keeps: four times, so that it
/// is no matter how long the threads take to begin.
///
/// # Panics
/// If they can't.
#[must_use]
pub fn decoding(products: &Products, log: &'static [u8], threads: usize) -> f64 {
    let out = Ndjson::new(products, std::io::sink());
    let start = Instant::now();
    let log = Log::new(products)
        .threads(threads)
        .decode([(); 4].map(|()| Source::new("log", log)), out);
    let seconds = start.elapsed().as_secs_f64();
    assert!(log.is_ok_and(|summary| summary.decoded == summary.records));
    seconds
}

/// The seconds in which so many threads do so many rounds of arithmetic and nothing else: the control of
/// [`decoding`].
#[must_use]
pub fn arithmetic(rounds: u64, threads: usize) -> f64 {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut number = black_box(1_u64);
                for _ in 0..rounds / threads as u64 {
                    number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7);
                }
                black_box(number);
            });
        }
    });
    start.elapsed().as_secs_f64()
}
