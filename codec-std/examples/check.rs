//! Checks the definition of a product and prints every problem, with its place in the file. The exit
//! status is 1 if the definition can't be used. Warnings alone leave it at 0.
//!
//! ```console
//! $ cargo run -p gizwits-codec-std --example check -- codec-std/examples/broken.json
//! codec-std/examples/broken.json:1:1: warning: product_key is missing
//! codec-std/examples/broken.json:15:21: error: `scene` overlaps `switch` (bits 0..1 of byte 0; `switch` has bit 0 of byte 0)
//!     help: the next free bit is 1
//!     at /entities/0/attrs/1/position (overlap)
//! codec-std/examples/broken.json:19:43: error: `level`: type is "status_writeable": expected "status_writable", "status_readonly", "alert" or "fault"
//!     at /entities/0/attrs/2/type (unknown_word)
//! errors: 2, warnings: 1
//! ```

use std::error::Error;
use std::io::{Write, stdout};
use std::process::ExitCode;

use gizwits_codec_std::{Check, Severity, check};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Some(path) = std::env::args().nth(1) else {
        return Err("usage: check DEFINITION".into());
    };
    Ok(match run(&path, &mut stdout())? {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Returns whether the definition can be used.
pub(crate) fn run(path: &str, out: &mut dyn Write) -> Result<bool, Box<dyn Error>> {
    let json = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let Check {
        product,
        diagnostics,
        errors,
        warnings,
        ..
    } = check(&json);
    for finding in &diagnostics {
        // The text has line and column. `span` has the bytes, for an editor.
        writeln!(out, "{path}:{finding}")?;
        if !finding.help.is_empty() {
            writeln!(out, "    help: {}", finding.help)?;
        }
        if finding.severity == Severity::Error {
            writeln!(out, "    at {} ({})", finding.pointer, finding.kind)?;
        }
    }
    // The first findings are kept, all are counted.
    let more = (errors + warnings).saturating_sub(diagnostics.len());
    if more > 0 {
        writeln!(out, "and {more} more")?;
    }
    writeln!(out, "errors: {errors}, warnings: {warnings}")?;
    if let Some(product) = &product {
        let layout = product.layout();
        writeln!(
            out,
            "{}: {} points, {} bytes",
            product.name(),
            layout.point_count(),
            layout.status_len()
        )?;
    }
    Ok(product.is_some())
}
