//! Generated records: reports with random values within their limits.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{BinaryArray, RecordBatch, StringArray, TimestampMillisecondArray};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use flate2::write::GzEncoder;
use gizwits_codec_std::core::m2m::Frame;
use gizwits_codec_std::core::{Action, Encoder, Kind, Value};
use gizwits_codec_std::{Product, payload};

use crate::Outcome;

/// The number of devices, each of which reports every 10 minutes.
pub(crate) const DEVICES: usize = 10_000;
const INTERVAL_MS: i64 = 600_000;

/// The number of records of a batch.
const BATCH: usize = 8192;

/// The records of a product, the same ones every time.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    product: Product,
    random: u64,
    next: usize,
}

/// A report of a device.
#[derive(Debug)]
struct Report {
    millis: i64,
    did: String,
    payload: Vec<u8>,
}

impl Records {
    pub(crate) fn new(product: &Product) -> Self {
        Records {
            product: product.clone(),
            random: 3,
            next: 0,
        }
    }

    /// A random number from 0 to `max`, by SplitMix64.
    fn upto(&mut self, max: u32) -> u32 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let high = (bits ^ (bits >> 31)) >> 32;
        ((high * (u64::from(max) + 1)) >> 32) as u32
    }

    fn draw(&mut self) -> Outcome<Report> {
        let product = self.product.clone();
        let layout = product.layout();
        let mut body = vec![0; layout.p0_len(Action::Report)];
        let mut encoder = Encoder::begin(layout, Action::Report, &mut body)?;
        for attr in product.attrs() {
            let (min, max) = layout.limits(attr.id()).unwrap_or_default();
            if attr.point().kind == Kind::Binary {
                let bytes: Vec<u8> = (0..max).map(|_| self.upto(255) as u8).collect();
                encoder.set(attr.id(), Value::Binary(&bytes))?;
            } else {
                encoder.set_raw(attr.id(), min + self.upto(max - min))?;
            }
        }
        let body = encoder.finish();
        let frame = Frame {
            flag: 0,
            command: 0x91,
            sn: None,
            did: None,
            body,
        };
        let mut payload = vec![0; body.len() + 32];
        let len = frame.encode(&mut payload)?;
        payload.truncate(len);
        let (round, device) = (self.next / DEVICES, self.next % DEVICES);
        self.next += 1;
        Ok(Report {
            // The reports of all devices are spread over the interval.
            millis: 1_700_000_000_000
                + INTERVAL_MS * round as i64
                + INTERVAL_MS * device as i64 / DEVICES as i64,
            did: did(device),
            payload,
        })
    }

    /// Batches of `count` records with payloads as text and, in the column `bytes`, as binary.
    pub(crate) fn batches(mut self, count: usize) -> Outcome<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        for start in (0..count).step_by(BATCH) {
            let rows = start..count.min(start + BATCH);
            let rows = rows
                .map(|_| self.draw())
                .collect::<Outcome<Vec<Report>>>()?;
            let times = rows.iter().map(|report| report.millis);
            let times = TimestampMillisecondArray::from_iter_values(times).with_timezone("UTC");
            let texts = rows.iter().map(|report| payload::hex(&report.payload));
            let texts = StringArray::from_iter_values(texts);
            let bytes = BinaryArray::from_iter_values(rows.iter().map(|report| &report.payload));
            batches.push(RecordBatch::try_from_iter([
                ("timestamp", Arc::new(times) as _),
                ("payload", Arc::new(texts) as _),
                ("bytes", Arc::new(bytes) as _),
            ])?);
        }
        Ok(batches)
    }

    /// Writes `count` records to a folder: as NDJSON, plain, in gzip and in zstd, and with their payloads as a
    /// binary column of Parquet.
    pub(crate) fn write(mut self, count: usize, folder: &Path) -> Outcome<()> {
        let create = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
        let mut plain = create("log.ndjson")?;
        let mut gzip = GzEncoder::new(create("log.ndjson.gz")?, flate2::Compression::default());
        let mut zstd = zstd::Encoder::new(create("log.ndjson.zst")?, 3)?;
        let mut raw = None;
        let mut lines = String::new();
        for start in (0..count).step_by(BATCH) {
            let rows = start..count.min(start + BATCH);
            let rows = rows
                .map(|_| self.draw())
                .collect::<Outcome<Vec<Report>>>()?;
            lines.clear();
            for report in &rows {
                let (seconds, millis) = (report.millis / 1000, report.millis % 1000);
                let (did, payload) = (&report.did, payload::hex(&report.payload));
                writeln!(
                    lines,
                    r#"{{"timestamp":{seconds}.{millis:03},"type":"dev2app","did":"{did}","payload":"{payload}"}}"#
                )?;
            }
            for out in [&mut plain as &mut dyn Write, &mut gzip, &mut zstd] {
                out.write_all(lines.as_bytes())?;
            }
            let batch = raw_batch(&rows)?;
            let writer = match &mut raw {
                Some(writer) => writer,
                None => raw.insert(raw_writer(create("raw.parquet")?, batch.schema())?),
            };
            writer.write(&batch)?;
        }
        plain.flush()?;
        gzip.finish()?.flush()?;
        zstd.finish()?.flush()?;
        raw.map_or(Ok(()), |writer| writer.close().map(|_| ()))?;
        Ok(())
    }
}

fn raw_batch(rows: &[Report]) -> Outcome<RecordBatch> {
    let times = rows.iter().map(|report| report.millis);
    let times = TimestampMillisecondArray::from_iter_values(times).with_timezone("UTC");
    let dids = rows.iter().map(|report| &report.did);
    let payloads = rows.iter().map(|report| &report.payload);
    Ok(RecordBatch::try_from_iter([
        ("timestamp", Arc::new(times) as _),
        ("did", Arc::new(StringArray::from_iter_values(dids)) as _),
        (
            "payload",
            Arc::new(BinaryArray::from_iter_values(payloads)) as _,
        ),
    ])?)
}

fn raw_writer(out: BufWriter<File>, schema: SchemaRef) -> Outcome<ArrowWriter<BufWriter<File>>> {
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(zstd).build();
    Ok(ArrowWriter::try_new(out, schema, Some(properties))?)
}

/// The name of a device: 22 letters and digits, as the cloud gives them.
fn did(device: usize) -> String {
    const SIGNS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut bits = device as u64 + 1;
    let mut sign = || {
        bits = bits
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(SIGNS[(bits >> 33) as usize % SIGNS.len()])
    };
    (0..22).map(|_| sign()).collect()
}
