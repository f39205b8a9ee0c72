//! Generated logs, and what the pipeline makes of them.

use std::io::Write as _;
use std::path::Path;

use gizwits_codec_std::Product;
use gizwits_codec_std::log::{Log, Options, Parquet, Products, Source, TableOptions};

/// The payload of a record: a report in a frame, a control or a rejected payload.
pub(crate) fn payload(n: u32) -> String {
    let random = n.wrapping_mul(2_654_435_761).rotate_left(9);
    let [a, b, c, d] = random.to_be_bytes();
    match n % 50 {
        7 => format!("0140000000{:02x}", 16 + a % 15),
        23 => "0401".to_owned(),
        _ => format!(
            "000000030b00009004{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}00",
            a & 0x2f,
            b % 25,
            c % 25,
            16 + d % 15,
            a % 46,
            b & 3
        ),
    }
}

/// The time of a record, a minute after the one before.
pub(crate) fn millis(n: u32) -> i64 {
    1_700_000_000_123 + i64::from(n) * 60_000
}

/// Lines of records.
pub(crate) fn ndjson(records: std::ops::Range<u32>) -> String {
    let mut lines = String::new();
    for n in records {
        let (seconds, millis) = (millis(n) / 1000, millis(n) % 1000);
        let (payload, device) = (payload(n), n % 5);
        lines += &format!(
            "{{\"timestamp\":{seconds}.{millis:03},\"type\":\"dev2app\",\"did\":\"device{device}\",\"payload\":\"{payload}\"}}\n"
        );
    }
    lines
}

/// Writes what `gizwits log decode` writes.
pub(crate) fn write_parquet(product: &Product, options: Options, lines: &str, to: &Path) {
    let mut file = std::fs::File::create(to).unwrap();
    let parquet = Parquet::new(product, TableOptions::default(), &mut file).unwrap();
    let source = Source::new("lines", std::io::Cursor::new(lines.to_owned()));
    let log = Log::new(&Products::one(product.clone())).options(options);
    log.decode([source], parquet).unwrap();
    file.flush().unwrap();
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}
