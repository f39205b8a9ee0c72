//! Decodes a command log to an Arrow IPC file, on all cores, and reads the record batches back. A
//! record that can't be decoded goes to `rejects`, with its line and the reason.
//!
//! ```console
//! $ cargo run -p gizwits-codec-std --features arrow --example log_to_arrow -- tests/fixtures/air-conditioner.json codec-std/examples/log.ndjson /tmp/log.arrow
//! 3 of 4 records decoded
//! {"file":"codec-std/examples/log.ndjson","line":4,"reason":{"kind":"incomplete","message":"the payload ends: 3 bytes missing, from byte 13 on","byte":13},"record":"{\"timestamp\":1517384264.311,\"type\":\"dev2app\",\"payload\":\"000000030b0000910401000018\"}"}
//! a batch of 3 rows and 15 columns
//!     timestamp: Timestamp(ms, "UTC")
//!     type: Utf8
//!     did: Utf8
//!     action: Dictionary(UInt8, Utf8)
//!     switch: Boolean
//!     fan_swing: Boolean
//!     mode: Dictionary(UInt8, Utf8)
//!     fan_speed: Dictionary(UInt8, Utf8)
//!     on_timing: UInt8
//!     off_timing: UInt8
//!     set_temp: UInt8
//!     room_temp: Int16
//!     alert_shutdown: Boolean
//!     alert_full: Boolean
//!     fault_roomtemp: Boolean
//! ```

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write, stdout};

use arrow_ipc::reader::FileReader;
use gizwits_codec_std::Product;
use gizwits_codec_std::log::{Arrow, Log, Products, Source, TableOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [definition, log, arrow] => run(definition, log, arrow, &mut stdout()),
        _ => Err("usage: log_to_arrow DEFINITION LOG ARROW".into()),
    }
}

pub(crate) fn run(
    definition: &str,
    log: &str,
    arrow: &str,
    out: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    let product = Product::from_json(&std::fs::read_to_string(definition)?)?;

    // The source may be plain, gzip or zstd, and several sources become one file.
    let source = Source::new(log, File::open(log)?);
    let file = BufWriter::new(File::create(arrow)?);
    let mut rejects = Vec::new();
    let summary = Log::new(&Products::one(product.clone()))
        .rejects(&mut rejects)
        .decode(
            [source],
            Arrow::file(&product, TableOptions::default(), file)?,
        )?;
    writeln!(
        out,
        "{} of {} records decoded",
        summary.decoded, summary.records
    )?;
    out.write_all(&rejects)?;

    for batch in FileReader::try_new(File::open(arrow)?, None)? {
        let batch = batch?;
        writeln!(
            out,
            "a batch of {} rows and {} columns",
            batch.num_rows(),
            batch.num_columns()
        )?;
        for field in batch.schema().fields() {
            writeln!(out, "    {}: {}", field.name(), field.data_type())?;
        }
    }
    Ok(())
}
