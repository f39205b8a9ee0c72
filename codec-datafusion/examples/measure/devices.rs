//! Queries by device, which need all records of a device in one partition.

use std::hint::black_box;
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::ipc::CompressionType;
use datafusion::arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Partitioning, col};
use gizwits_codec_std::Product;

use crate::clock::{Costs, cpu_time, seconds};
use crate::{Outcome, ROUNDS, query, session};

/// The number of partitions of a shuffle.
const PARTITIONS: usize = 16;

/// The measured costs of a shuffle by device.
#[derive(Debug)]
pub(crate) struct Figures {
    /// The bytes of a record, with LZ4.
    pub(crate) bytes: f64,
    /// The CPU seconds per million records to distribute, write, sort and fill.
    pub(crate) fill: f64,
}

/// Measures queries by device over the Parquet file of a folder.
pub(crate) async fn measure(
    product: &Product,
    attr: &str,
    records: usize,
    folder: &Path,
) -> Outcome<Figures> {
    let context = session(product, 1);
    let file = folder.join("log.parquet");
    let view = format!(
        "CREATE VIEW log AS SELECT did, timestamp, action, {attr} FROM gizwits_log('{}', 'product')",
        file.display()
    );
    gizwits_datafusion::sql(&context, &view)
        .await?
        .collect()
        .await?;
    let columns = "SELECT count(did), count(timestamp), count(action), count(ATTR) FROM log"
        .replace("ATTR", attr);
    let last = format!("SELECT did, max(timestamp), avg({attr}) FROM log GROUP BY did");
    let filled = format!(
        "SELECT count(filled) FROM (
             SELECT gizwits_fill({attr}, action) OVER (PARTITION BY did ORDER BY timestamp) AS filled FROM log
         )"
    );
    let mut costs = Costs::new(records);
    for _ in 0..ROUNDS {
        let columns = query(&context, &columns).await?;
        let last = query(&context, &last).await?;
        let filled = query(&context, &filled).await?;
        let by_device = Partitioning::Hash(vec![col("did")], PARTITIONS);
        let names = ["did", "timestamp", "action", attr];
        let shuffled = context.table("log").await?.repartition(by_device)?;
        let shuffled = shuffled.aggregate(vec![], names.map(|name| count(col(name))).to_vec())?;
        let start = cpu_time();
        black_box(shuffled.collect().await?);
        let shuffled = seconds(start);
        costs.add("read", columns);
        costs.add("group", last - columns);
        costs.add("fill", filled - columns);
        costs.add("shuffle", shuffled - columns);
    }
    // What a cluster writes for a shuffle: batches of rows in the format of Arrow, with LZ4.
    let sample = context
        .sql("SELECT * FROM log LIMIT 100000")
        .await?
        .collect()
        .await?;
    let rows: usize = sample.iter().map(RecordBatch::num_rows).sum();
    let (lz4, write) = written(&sample, Some(CompressionType::LZ4_FRAME))?;
    let (plain, _) = written(&sample, None)?;
    let per = |bytes: usize| bytes as f64 / rows as f64;

    println!(
        "| {}, {records} records by device, from Parquet | CPU s per million |",
        product.name()
    );
    println!("| --- | ---: |");
    for (title, work) in [
        (
            "read `did`, `timestamp`, `action` and one attribute",
            "read",
        ),
        ("group by device: last time and mean", "group"),
        ("`gizwits_fill` of one attribute: sort and fill", "fill"),
        ("shuffle in memory, to 16 partitions by device", "shuffle"),
    ] {
        println!("| {title} | {:.3} |", costs.of(work));
    }
    println!(
        "| write the rows of a shuffle, LZ4 | {:.3} |",
        write * 1e6 / rows as f64
    );
    println!();
    println!(
        "Bytes per record of a shuffle: {:.1}, with LZ4 {:.1}.",
        per(plain),
        per(lz4)
    );
    println!();
    Ok(Figures {
        bytes: per(lz4),
        fill: costs.of("fill") + costs.of("shuffle") + write * 1e6 / rows as f64,
    })
}

/// The bytes of batches in the stream format of Arrow, and the CPU seconds to write them.
fn written(batches: &[RecordBatch], packing: Option<CompressionType>) -> Outcome<(usize, f64)> {
    const REPEATS: usize = 20;
    let options = IpcWriteOptions::default().try_with_compression(packing)?;
    let start = cpu_time();
    let mut len = 0;
    for _ in 0..REPEATS {
        let schema = batches[0].schema();
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options.clone())?;
        for batch in batches {
            writer.write(batch)?;
        }
        len = writer.into_inner()?.len();
    }
    Ok((len, seconds(start) / REPEATS as f64))
}
