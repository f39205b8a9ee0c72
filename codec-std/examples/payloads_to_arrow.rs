//! Decodes a column of payloads to an Arrow record batch, as a program does that reads them from a
//! database: a row for each payload, and a column for each of the chosen points. A payload that can't be
//! decoded is a row without values. Numbers with decimal places are doubles.
//!
//! ```console
//! $ cargo run -p gizwits-codec-std --features arrow --example payloads_to_arrow -- tests/fixtures/fractions.json codec-std/examples/payloads.txt
//! 4 rows, 2 rejected
//! valid: [true, true, false, false]
//!     enabled: Boolean [ true, null, null, null, ]
//!     half_step: Float64 [ 10.0, 15.0, null, null, ]
//!     shifted: Int16 [ 187, null, null, null, ]
//!     hundredths: Float64 [ 9.5, null, null, null, ]
//!     tenths: Float64 [ -1700.0, null, null, null, ]
//!     thousandths: Float64 [ 1.0, null, null, null, ]
//!     counter: UInt32 [ 42, null, null, null, ]
//!     quarters: Float64 [ 2.25, null, null, null, ]
//! ```

use std::error::Error;
use std::io::{Write, stdout};

use arrow_array::{Array, RecordBatch};
use gizwits_codec_std::log::{Numbers, PayloadDecoder};
use gizwits_codec_std::{Attr, Product};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [definition, payloads] => run(definition, payloads, &mut stdout()),
        _ => Err("usage: payloads_to_arrow DEFINITION PAYLOADS".into()),
    }
}

pub(crate) fn run(
    definition: &str,
    payloads: &str,
    out: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    let product = Product::from_json(&std::fs::read_to_string(definition)?)?;
    let points: Vec<_> = product.attrs().map(Attr::id).collect();

    // A decoder is kept between batches: it keeps its memory.
    let mut decoder = PayloadDecoder::with_numbers(&product, &points, Numbers::Float64);
    let mut rejected = 0;
    for payload in std::fs::read_to_string(payloads)?.lines() {
        // `push` takes bytes, and `push_equal` many payloads of one length at once.
        rejected += usize::from(!decoder.push_text(payload));
    }
    let (fields, columns, nulls) = decoder.finish()?.into_parts();
    let rows = columns.first().map_or(0, |column| column.len());
    writeln!(out, "{rows} rows, {rejected} rejected")?;
    let valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    let valid: Vec<bool> = (0..rows).map(valid).collect();
    writeln!(out, "valid: {valid:?}")?;
    // The fields of the struct are the columns of a batch, which any program that knows Arrow reads.
    let schema = arrow_schema::Schema::new(fields);
    let batch = RecordBatch::try_new(schema.into(), columns)?;
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let (name, data_type) = (field.name(), field.data_type());
        let values = format!("{column:?}")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let values = values.split_once('[').map_or("", |(_, values)| values);
        writeln!(out, "    {name}: {data_type} [{values}")?;
    }
    Ok(())
}
