//! The functions over records in memory, beside the kernels without DataFusion.

use std::hint::black_box;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray as _, RecordBatch};
use datafusion::datasource::MemTable;
use gizwits_codec_std::core::PointId;
use gizwits_codec_std::log::{Columns, PayloadDecoder};
use gizwits_codec_std::{Product, payload};

use crate::clock::{Costs, cpu_time, seconds};
use crate::records::Records;
use crate::{Outcome, ROUNDS, query, session};

/// The raw kernel: hex to bytes, decoding, and `Columns`. Returns its CPU seconds.
fn raw_kernel(product: &Product, batches: &[RecordBatch]) -> Outcome<f64> {
    let start = cpu_time();
    let mut columns = Columns::new(product);
    let (mut bytes, mut statuses) = (Vec::new(), Vec::new());
    for batch in batches {
        for text in batch.column(1).as_string::<i32>().iter().flatten() {
            payload::parse_into(text, None, &mut bytes)?;
            if let Some(view) = product.decode(&bytes)?.view() {
                statuses.extend_from_slice(view.values());
            }
        }
        columns.extend(&statuses);
        statuses.clear();
        black_box(columns.columns());
        columns.clear();
    }
    Ok(seconds(start))
}

/// The column kernel: a `PayloadDecoder`, which makes Arrow arrays. Returns its CPU seconds.
fn column_kernel(product: &Product, batches: &[RecordBatch]) -> Outcome<f64> {
    let start = cpu_time();
    let points: Vec<PointId> = product.attrs().map(|attr| attr.id()).collect();
    let mut decoder = PayloadDecoder::new(product, &points);
    for batch in batches {
        for text in batch.column(1).as_string::<i32>().iter().flatten() {
            decoder.push_text(text);
        }
        black_box(decoder.finish()?);
    }
    Ok(seconds(start))
}

/// Measures the functions over `count` records of a product.
pub(crate) async fn measure(product: &Product, attr: &str, count: usize) -> Outcome<()> {
    let batches = Records::new(product).batches(count)?;
    let context = session(product, 1);
    let table = MemTable::try_new(batches[0].schema(), vec![batches.clone()])?;
    context.register_table("raw", Arc::new(table))?;

    let scan = "SELECT min(octet_length(payload)) FROM raw";
    // A struct is not null, so its columns are made and not read.
    let all =
        |payload: &str| format!("SELECT count(gizwits_decode('product', {payload})) FROM raw");
    let one = |payload: &str| {
        format!("SELECT count(gizwits_attr('product', {payload}, '{attr}')) FROM raw")
    };
    let hours = format!(
        "SELECT date_trunc('hour', timestamp) h, avg((gizwits_decode('product', payload)).{attr})
         FROM raw GROUP BY h"
    );
    let mut costs = Costs::new(count);
    for _ in 0..ROUNDS {
        costs.add("raw", raw_kernel(product, &batches)?);
        costs.add("column", column_kernel(product, &batches)?);
        let scan = query(&context, scan).await?;
        let attr = query(&context, &one("payload")).await?;
        let hours = query(&context, &hours).await?;
        costs.add("all", query(&context, &all("payload")).await?);
        costs.add("one", attr);
        costs.add("all of bytes", query(&context, &all("bytes")).await?);
        costs.add("one of bytes", query(&context, &one("bytes")).await?);
        costs.add("hours", hours);
        costs.add("scan", scan);
        costs.add("decode", attr - scan);
        costs.add("aggregate", hours - attr);
    }
    let row = |label: &str, work: &str, note: &str| {
        println!("| {label} | {:.3} | {note} |", costs.of(work));
    };
    let faster = |all: &str, one: &str| {
        let ratio = costs.ratio(all, one);
        format!("{ratio:.2} times as fast as all attributes")
    };
    let head = format!("{}, {count} records in memory", product.name());
    println!("| {head} | CPU s per million | |\n| --- | ---: | --- |");
    row("raw kernel, all attributes", "raw", "");
    row("column kernel, all attributes", "column", "");
    let times = format!(
        "{:.2} times the column kernel",
        costs.ratio("all", "column")
    );
    row("`gizwits_decode` of hex, all attributes", "all", &times);
    let (label, note) = (
        format!("`gizwits_decode` of hex, `{attr}`"),
        faster("all", "one"),
    );
    row(&label, "one", &note);
    row(
        "`gizwits_decode` of bytes, all attributes",
        "all of bytes",
        "",
    );
    let label = format!("`gizwits_decode` of bytes, `{attr}`");
    row(
        &label,
        "one of bytes",
        &faster("all of bytes", "one of bytes"),
    );
    row(&format!("mean of `{attr}` per hour"), "hours", "");
    for part in ["scan", "decode", "aggregate"] {
        row(&format!("- {part}"), part, "");
    }
    println!();
    Ok(())
}
