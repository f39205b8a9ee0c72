//! Logs of products A and B, and what they are decoded with elsewhere.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hint::black_box;

use gizwits_codec_std::log::{
    Decoder, Format, Moment, Ndjson, Options, Products, Record, Sink, TextBlock,
};
use gizwits_codec_std::payload;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixture::{A, B, Fixture, PAYLOADS};
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
    for line in lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let found: Borrowed<'_> = serde_json::from_slice(line).unwrap();
        payload::parse_into(found.payload, None, bytes).unwrap();
        let decoded = product.decode(bytes).unwrap();
        let mut record = Record::bare(found.payload);
        record.timestamp = Moment::new(found.timestamp.get().into()).ok();
        record.kind = Some(found.kind.into());
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
    let [a, b] = [&*A, &*B].map(|fixture| of(fixture));
    let names = ["A", "B"].map(|product| {
        KERNELS.map(|name| -> &'static str { format!("{product}/log/{name}").leak() })
    });
    let runs = a.into_iter().chain(b);
    let pairs = names.into_iter().flatten().zip(runs);
    pairs.map(|(name, run)| Kernel { name, run }).collect()
}

const KERNELS: [&str; 4] = ["learnt", "strict", "borrowed", "naive"];

fn of(fixture: &'static Fixture) -> [Box<dyn FnMut()>; 4] {
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
    [by(false), by(true), Box::new(borrowed), Box::new(naive)]
}
