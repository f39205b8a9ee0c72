//! Logs of products A and B, and what they are decoded with elsewhere.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use gizwits_codec_std::log::{
    Batches, Decoder, Format, Log, Ndjson, Options, Parquet, ParquetBlock, Products, Record, Sink,
    Source, TableOptions, TextBlock, Timestamp,
};
use gizwits_codec_std::payload;
use serde::Deserialize;
use serde_json::{Value, json};

use ::parquet::arrow::ArrowWriter;

use crate::fixture::{A, B, Fixture, Lazy, PAYLOADS, Reports, lazy};
use crate::kernel::{Kernel, Output};
use crate::peer::naive;

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

/// A record to JSON as services write it: everything is a [`Value`], points go into a map by name.
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
        sink.record(block, &record, 0, &decoded).unwrap();
    }
}

/// Decodes lines, none of which may fail.
///
/// # Panics
/// If one fails.
pub fn decoded<S: Sink>(decoder: &mut Decoder<S>, lines: &[u8], block: &mut S::Block) {
    decoder.lines(lines, block, |number, _, error| {
        panic!("line {number}: {error}")
    });
    decoder.end(block).expect("memory");
}

/// The kernels of the group. Each decodes [`PAYLOADS`] records, which stay in the L2 cache, as the blocks of a log do.
#[must_use]
pub fn kernels() -> Vec<Kernel> {
    let mut all = Vec::new();
    for (name, fixture) in [("A", &*A), ("B", &*B)] {
        let log = one(records(fixture, PAYLOADS));
        all.extend(ndjson(name, fixture, log));
        all.push(above(name, fixture));
        all.push(batch(name, fixture, log));
        all.extend(parquet(name, fixture));
    }
    all
}

/// A log as one input.
fn one(log: Vec<u8>) -> &'static [&'static [u8]] {
    let log: &'static [u8] = log.leak();
    vec![log].leak()
}

/// Records to NDJSON.
fn ndjson(name: &str, fixture: &'static Fixture, log: &'static [&'static [u8]]) -> [Kernel; 4] {
    let title = |program: &str| format!("logs/{name}/NDJSON/{program}");
    let text = |block: &TextBlock| Output::json(block.as_bytes());
    let (mut learnt, mut strict) = (decoder(fixture, false), decoder(fixture, true));
    let (mut sink, mut bytes) = (sink(fixture), Vec::new());
    [
        Kernel::new(
            title("learnt shape"),
            log,
            TextBlock::default,
            move |block, log| {
                block.clear();
                decoded(&mut learnt, log, block);
            },
            text,
        ),
        Kernel::new(
            title("strict parser"),
            log,
            TextBlock::default,
            move |block, log| {
                block.clear();
                decoded(&mut strict, log, block);
            },
            text,
        ),
        Kernel::new(
            title("serde_json borrowed"),
            log,
            TextBlock::default,
            move |block, log| {
                block.clear();
                borrowed(&fixture.product, &mut sink, &mut bytes, log, block);
            },
            text,
        ),
        Kernel::new(
            title("naive"),
            log,
            String::new,
            |out, log| {
                out.clear();
                for line in std::str::from_utf8(log).unwrap_or_default().lines() {
                    out.push_str(&naive(&fixture.definition, line));
                    out.push('\n');
                }
            },
            |out| Output::json(out.as_bytes()),
        ),
    ]
    .map(|kernel| kernel.items(PAYLOADS))
}

fn sink(fixture: &Fixture) -> <Ndjson<std::io::Sink> as Format>::Sink {
    Ndjson::new(&Products::one(fixture.product.clone()), std::io::sink()).sink()
}

/// A decoder to NDJSON.
pub(crate) fn decoder(
    fixture: &Fixture,
    strict: bool,
) -> Decoder<<Ndjson<std::io::Sink> as Format>::Sink> {
    let options = Options {
        strict,
        ..Options::default()
    };
    let products = Products::one(fixture.product.clone());
    Decoder::new(&products, options, sink(fixture))
}

/// Records with one value above its maximum, as devices send them.
fn above(name: &str, fixture: &'static Fixture) -> Kernel {
    let mut log = String::new();
    for (number, report) in fixture.reports.iter().enumerate() {
        let mut report = report.to_vec();
        // The hours of A, the heat sink of B.
        let range = if name == "A" { 2..3 } else { 3..5 };
        report[range].fill(0xff);
        record(&mut log, &payload::hex(&report), number);
    }
    let mut decoder = decoder(fixture, false);
    let kernel = Kernel::new(
        format!("logs/{name}/NDJSON, a value above its maximum/learnt shape"),
        one(log.into_bytes()),
        TextBlock::default,
        move |block, log| {
            block.clear();
            decoded(&mut decoder, log, block);
        },
        |block| Output::json(block.as_bytes()),
    );
    kernel.items(PAYLOADS)
}

fn batches(fixture: &Fixture) -> Decoder<Batches> {
    let products = Products::one(fixture.product.clone());
    let batches = Batches::new(&fixture.product, TableOptions::default());
    Decoder::new(&products, Options::default(), batches)
}

/// Records to Arrow batches.
fn batch(name: &str, fixture: &'static Fixture, log: &'static [&'static [u8]]) -> Kernel {
    let mut decoder = batches(fixture);
    let kernel = Kernel::new(
        format!("logs/{name}/Arrow/batches"),
        log,
        || None,
        move |block, log| {
            *block = None;
            decoded(&mut decoder, log, block);
        },
        |_| Output::Nothing,
    );
    kernel.items(PAYLOADS)
}

/// Records to Parquet with zstd: our encoding for each column, and the writer's default settings.
fn parquet(name: &str, fixture: &'static Fixture) -> [Kernel; 2] {
    // Values of their own in each, as devices have them: what repeats suits a dictionary too well. They are made
    // when a kernel runs, because that takes longer than to make all other inputs.
    let many = lazy(|| {
        let (mut many, mut reports) = (String::new(), Reports::new(&fixture.product));
        for number in 0..32 * PAYLOADS {
            record(&mut many, &payload::hex(&reports.draw()), number);
        }
        many.into_bytes()
    });
    let products = Products::one(fixture.product.clone());
    let mut own =
        Parquet::new(&fixture.product, TableOptions::default(), std::io::sink()).expect("memory");
    let mut decoder = Decoder::new(&products, Options::default(), own.sink());
    let ours = Kernel::new(
        format!("logs/{name}/Parquet/encoding for each column"),
        many,
        ParquetBlock::default,
        move |block, log: &'static Lazy| {
            decoded(&mut decoder, log, block);
            own.write(block).expect("a sink");
        },
        |_| Output::Nothing,
    );
    let mut decoder = batches(fixture);
    let defaults = Kernel::new(
        format!("logs/{name}/Parquet/ArrowWriter's defaults"),
        many,
        || None,
        move |block: &mut Option<_>, log: &'static Lazy| {
            decoded(&mut decoder, log, block);
            let batch = block.take().expect("records");
            let zstd = ::parquet::basic::Compression::ZSTD(::parquet::basic::ZstdLevel::default());
            let properties = ::parquet::file::properties::WriterProperties::builder();
            let properties = properties.set_compression(zstd).build();
            let out = std::io::sink();
            let mut writer =
                ArrowWriter::try_new(out, batch.schema(), Some(properties)).expect("memory");
            writer.write(&batch).expect("a sink");
            writer.close().expect("a sink");
        },
        |_| Output::Nothing,
    );
    [ours, defaults].map(|kernel| kernel.items(32 * PAYLOADS))
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
