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
    let start = cpu_time()?;
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
    seconds(start)
}

/// The column kernel: a `PayloadDecoder`, which makes Arrow arrays. Returns its CPU seconds.
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

/// Measures the functions over `count` records of a product.
pub(crate) async fn measure(product: &Product, attr: &str, count: usize) -> Outcome<()> {
    let batches = Records::new(product).batches(count)?;
    let context = session(product, 1);
    let table = MemTable::try_new(batches[0].schema(), vec![batches.clone()])?;
    context.register_table("raw", Arc::new(table))?;

    let scan = "SELECT min(octet_length(payload)) FROM raw";
    // A struct is not null, so its columns are made and not read.
    let all = "SELECT count(gizwits_decode('product', payload)) FROM raw";
    let one = format!("SELECT count(gizwits_attr('product', payload, '{attr}')) FROM raw");
    let hours = format!(
        "SELECT date_trunc('hour', timestamp) h, avg((gizwits_decode('product', payload)).{attr})
         FROM raw GROUP BY h"
    );
    let mut costs = Costs::new(count);
    for _ in 0..ROUNDS {
        costs.add("raw", raw_kernel(product, &batches)?);
        costs.add("column", column_kernel(product, &batches)?);
        let scan = query(&context, scan).await?;
        let one = query(&context, &one).await?;
        let hours = query(&context, &hours).await?;
        costs.add("all", query(&context, all).await?);
        costs.add("one", one);
        costs.add("hours", hours);
        costs.add("scan", scan);
        costs.add("decode", one - scan);
        costs.add("aggregate", hours - one);
    }
    let cost = |work: &str| costs.of(work);
    println!(
        "| {}, {count} records in memory | CPU s per million | |",
        product.name()
    );
    println!("| --- | ---: | --- |");
    println!("| raw kernel, all attributes | {:.3} | |", cost("raw"));
    println!(
        "| column kernel, all attributes | {:.3} | |",
        cost("column")
    );
    println!(
        "| `gizwits_decode`, all attributes | {:.3} | {:.2} times the column kernel |",
        cost("all"),
        costs.ratio("all", "column")
    );
    println!(
        "| `gizwits_decode`, `{attr}` | {:.3} | {:.2} times as fast as all attributes |",
        cost("one"),
        costs.ratio("all", "one")
    );
    println!("| mean of `{attr}` per hour | {:.3} | |", cost("hours"));
    for part in ["scan", "decode", "aggregate"] {
        println!("| - {part} | {:.3} | |", cost(part));
    }
    println!();
    Ok(())
}
