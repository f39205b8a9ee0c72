//! Measures queries over generated records, with the CPU time of scan, decode and aggregate.
//!
//! ```console
//! $ cargo run --release --example measure -- 10000000
//! ```
//!
//! All times are CPU seconds of this process, on one thread, because other programs may use the machine. The
//! column kernel is a loop over the same texts without DataFusion: a `PayloadDecoder`, which makes Arrow arrays.
//! The raw kernel is a loop without Arrow: hex to bytes, decoding, and `Columns`.
//! Records are in memory, so the scan is a query that reads the length of every text. The times of
//! `gizwits_decode` include it.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{AsArray as _, RecordBatch, StringArray, TimestampMillisecondArray};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use gizwits_codec_std::core::PointId;
use gizwits_codec_std::log::{Columns, PayloadDecoder};
use gizwits_codec_std::{Product, payload};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The CPU time that this process has used.
fn cpu_time() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.map(str::parse::<u64>).sum::<Result<_, _>>()?;
    // A tick is 10 ms on every Linux.
    Ok(Duration::from_millis(10 * ticks))
}

fn seconds(from: Duration) -> Outcome<f64> {
    Ok((cpu_time()? - from).as_secs_f64())
}

/// Batches of reports in frames, with random values, one record a second.
fn records(product: &Product, count: usize) -> Outcome<Vec<RecordBatch>> {
    let len = product.layout().status_len();
    let mut random = 1_u64;
    let mut text = || {
        let mut body = vec![0x04];
        body.extend((0..len).map(|_| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 56) as u8
        }));
        let frame = gizwits_codec_std::core::m2m::Frame {
            flag: 0,
            command: 0x91,
            sn: None,
            did: None,
            body: &body,
        };
        let mut bytes = vec![0; len + 32];
        let len = frame.encode(&mut bytes).unwrap_or(0);
        payload::hex(&bytes[..len])
    };
    let mut batches = Vec::new();
    for start in (0..count).step_by(8192) {
        let rows = start..count.min(start + 8192);
        let times = rows
            .clone()
            .map(|n| Some(1_700_000_000_000 + 1000 * n as i64));
        let times: TimestampMillisecondArray = times.collect();
        let texts: StringArray = rows.map(|_| Some(text())).collect();
        batches.push(RecordBatch::try_from_iter([
            ("timestamp", Arc::new(times.with_timezone("UTC")) as _),
            ("payload", Arc::new(texts) as _),
        ])?);
    }
    Ok(batches)
}

/// The raw kernel. Returns its CPU seconds.
fn raw_kernel(product: &Product, batches: &[RecordBatch]) -> Outcome<f64> {
    let start = cpu_time()?;
    let mut columns = Columns::new(product);
    let (mut bytes, mut statuses) = (Vec::new(), Vec::new());
    for batch in batches {
        for text in batch.column(1).as_string::<i32>().iter().flatten() {
            payload::parse_into(text, None, &mut bytes)?;
            if let Some(view) = product.decode(&bytes)?.view() {
                statuses.extend_from_slice(view.values());
            }
            if statuses.len() >= 64 << 10 {
                columns.extend(&statuses);
                statuses.clear();
            }
        }
        columns.extend(&statuses);
        statuses.clear();
        black_box(columns.columns());
        columns.clear();
    }
    seconds(start)
}

/// The column kernel. Returns its CPU seconds.
fn column_kernel(product: &Product, batches: &[RecordBatch]) -> Outcome<f64> {
    let start = cpu_time()?;
    let points: Vec<PointId> = product.attrs().map(|attr| attr.id()).collect();
    let mut decoder = PayloadDecoder::new(product, &points);
    for batch in batches {
        for text in batch.column(1).as_string::<i32>().iter().flatten() {
            decoder.push_text(text);
        }
        black_box(decoder.finish()?);
    }
    seconds(start)
}

async fn query(context: &SessionContext, query: &str) -> Outcome<f64> {
    let frame = gizwits_datafusion::sql(context, query).await?;
    let start = cpu_time()?;
    black_box(frame.collect().await?);
    seconds(start)
}

async fn measure(name: &str, product: &Product, attr: &str, count: usize) -> Outcome<()> {
    let batches = records(product, count)?;
    let schema: SchemaRef = batches[0].schema();
    let config = SessionConfig::new().with_target_partitions(1);
    let context = SessionContext::new_with_config(config);
    gizwits_datafusion::register(&context).define("product", product.clone());
    let table = MemTable::try_new(schema, vec![batches.clone()])?;
    context.register_table("raw", Arc::new(table))?;

    let raw = raw_kernel(product, &batches)?;
    let plain = column_kernel(product, &batches)?;
    // A struct is not null, so its columns are made and not read.
    let all = "SELECT count(gizwits_decode('product', payload)) FROM raw";
    let one = format!("SELECT count(gizwits_attr('product', payload, '{attr}')) FROM raw");
    let scan = query(&context, "SELECT min(octet_length(payload)) FROM raw").await?;
    let all = query(&context, all).await?;
    let one = query(&context, &one).await?;
    let hours = format!(
        "SELECT date_trunc('hour', timestamp) h, avg((gizwits_decode('product', payload)).{attr})
         FROM raw GROUP BY h"
    );
    let hours = query(&context, &hours).await?;
    let per = |seconds: f64| format!("{:8.1}", seconds * 1e9 / count as f64);
    println!("{name}, {count} records, CPU nanoseconds per record:");
    println!("  raw kernel, all attributes     {}", per(raw));
    println!("  column kernel, all attributes  {}", per(plain));
    println!(
        "  gizwits_decode, all            {}   {:.2} times the column kernel",
        per(all),
        all / plain
    );
    println!(
        "  gizwits_decode, one            {}   {:.2} times as fast as all",
        per(one),
        all / one
    );
    println!("  average of each hour           {}", per(hours));
    println!("    scan                         {}", per(scan));
    println!("    decode                       {}", per(one));
    println!(
        "    aggregate                    {}",
        per(hours - scan - one)
    );
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let count = std::env::args()
        .nth(1)
        .map_or(Ok(10_000_000), |count| count.parse())?;
    let product = |name: &str| -> Outcome<Product> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
        let json = std::fs::read_to_string(format!("{folder}/{name}.json"))?;
        Ok(Product::from_json(&json)?)
    };
    measure(
        "air conditioner",
        &product("air-conditioner")?,
        "room_temp",
        count,
    )
    .await?;
    let large = product("product-b")?;
    let attr = large.attrs().find(|attr| attr.data_type() == "uint16");
    let attr = attr.or(large.attrs().last()).map_or("", |attr| attr.name());
    measure("product B", &large, attr, count / 10).await
}
