//! The functions in queries.

#[cfg(feature = "cluster")]
mod cluster;
mod fill;
mod functions;
mod log;
mod narrowing;
mod records;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{SessionConfig, SessionContext};
use gizwits_codec_std::Product;

/// The path of a fixture.
fn fixture(name: &str) -> String {
    format!(
        "{}/../tests/fixtures/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    )
}

fn product(name: &str) -> Product {
    Product::from_json(&std::fs::read_to_string(fixture(name)).unwrap()).unwrap()
}

/// A session with the functions, in which `ac` is the air conditioner.
fn session() -> SessionContext {
    session_with(SessionConfig::new().with_target_partitions(2))
}

fn session_with(config: SessionConfig) -> SessionContext {
    let context = SessionContext::new_with_config(config);
    gizwits_datafusion::register(&context).define("ac", product("air-conditioner"));
    context
}

async fn rows(context: &SessionContext, query: &str) -> Vec<RecordBatch> {
    let frame = gizwits_datafusion::sql(context, query).await.unwrap();
    frame.collect().await.unwrap()
}

/// The cells of a result, one line for each row.
async fn cells(context: &SessionContext, query: &str) -> Vec<String> {
    let table = pretty_format_batches(&rows(context, query).await).unwrap();
    let table = table.to_string();
    let lines = table.lines().skip(3).filter(|line| line.starts_with('|'));
    let cells = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        cells.join(",")
    };
    lines.map(cells).collect()
}

/// The error of a query, in planning or execution.
async fn failure(context: &SessionContext, query: &str) -> String {
    let done = match gizwits_datafusion::sql(context, query).await {
        Ok(frame) => frame.collect().await.map(|_| ()),
        Err(error) => Err(error),
    };
    done.unwrap_err().strip_backtrace()
}
