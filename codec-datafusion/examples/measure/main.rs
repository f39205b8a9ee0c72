//! Measures queries over generated records: in memory, in files of each format, and by device.
//!
//! ```console
//! $ cargo run --release --example measure -- 10000000
//! ```
//!
//! Prints the tables of `docs/scale-out.md`. The arguments are the number of records of the air conditioner
//! (product B has a tenth), and the devices and reports a day to which the costs are extrapolated; by default a
//! billion and 144. Files are written to the folder for temporary files and removed at the end. They take about
//! 350 bytes per record.
//!
//! All times are CPU seconds of this process per million records, on one thread, because other programs may use
//! the machine. They are the median of several rounds, in which all works take turns. A ratio is the median of
//! the ratios of the rounds.
//!
//! The environment variable GIZWITS names a command-line tool, whose `log decode` then writes the Parquet file.

mod clock;
mod devices;
mod extrapolation;
mod files;
mod functions;
mod records;

use std::error::Error;
use std::hint::black_box;
use std::path::Path;

use datafusion::prelude::{SessionConfig, SessionContext};
use gizwits_codec_std::Product;

use clock::{cpu_time, seconds};
use extrapolation::Fleet;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The number of rounds of each measurement.
const ROUNDS: usize = 5;

/// A session with this number of partitions, in which the product is called `product`.
fn session(product: &Product, partitions: usize) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(partitions);
    let context = SessionContext::new_with_config(config).enable_url_table();
    gizwits_datafusion::register(&context).define("product", product.clone());
    context
}

/// Runs a query and returns its CPU seconds.
async fn query(context: &SessionContext, query: &str) -> Outcome<f64> {
    let frame = gizwits_datafusion::sql(context, query).await?;
    let start = cpu_time();
    black_box(frame.collect().await?);
    Ok(seconds(start))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: f64| args.next().map_or(Ok(default), |number| number.parse());
    let count = number(1e7)? as usize;
    let fleet = Fleet {
        devices: number(1e9)?,
        reports: number(144.0)?,
    };
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures"));
    for (name, attr, count) in [
        ("air-conditioner", "room_temp", count),
        ("product-b", "heatsink", count.div_ceil(10)),
    ] {
        let definition = fixtures.join(name).with_extension("json");
        let product = Product::from_json(&std::fs::read_to_string(&definition)?)?;
        functions::measure(&product, attr, count).await?;
        let folder = tempfile::tempdir()?;
        let formats = files::measure(&product, &definition, attr, count, folder.path()).await?;
        let shuffle = devices::measure(&product, attr, count, folder.path()).await?;
        extrapolation::print(fleet, &formats, &shuffle);
    }
    Ok(())
}
