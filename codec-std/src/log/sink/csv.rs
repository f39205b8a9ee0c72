//! CSV as in RFC 4180: a column for each point, and a row for each record.
//!
//! ```text
//! timestamp,type,did,action,switch,mode,…
//! 2018-01-31T07:37:32.294Z,app2dev,,control,1,,…
//! ```
//!
//! A cell is empty if the message does not have the point. Members without a column, such as the points
//! that a read asks for, are only in NDJSON.

use std::io::{self, Write};

use super::point_text::{PointWriter, TextFormat, max_len};
use super::table::{ACTIONS, head_names};
use super::{Format, Sink};
use crate::log::record::Record;
use crate::log::record::text::{TextBlock, cell, is_formula, is_plain};
use crate::log::record::timestamp::Timestamp;
use crate::message::Decoded;
use crate::product::Product;

/// The CSV format: a table of the records of one product.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{Csv, Log, Products, Source};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let mut table = Vec::new();
/// let input = Source::new("input", &b"014000000018\n"[..]);
/// let csv = Csv::new(&product, false, &mut table)?;
/// Log::new(&Products::one(product)).decode([input], csv)?;
/// let table = String::from_utf8(table)?;
/// assert!(table.starts_with("timestamp,type,did,action,switch,fan_swing,mode,"));
/// assert!(table.ends_with("\r\n,,,control,,,,,,,24,,,,\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Csv<W> {
    product: Product,
    keep: bool,
    format: TextFormat,
    out: W,
}

impl<W: Write> Csv<W> {
    /// Writes the names of the columns to `out`. Each block is one write, so `out` needs no buffer.
    ///
    /// With `keep`, the table has a column `extra` with a JSON object. It contains the members of the
    /// record that the codec does not use, and the members of [`Decoded::to_json`] about surplus flags and
    /// about bodies of another length.
    ///
    /// # Errors
    /// The error of the write.
    pub fn new(product: &Product, keep: bool, out: W) -> io::Result<Self> {
        Self::begin(product, keep, false, out)
    }

    /// Like [`new`](Self::new), but for spreadsheets: names, labels, types and dids that begin with `=`,
    /// `+`, `-`, `@`, a tab, CR or LF are prefixed with `'`, so that a spreadsheet does not interpret them
    /// as formulas.
    ///
    /// # Errors
    /// The error of the write.
    pub fn guarded(product: &Product, keep: bool, out: W) -> io::Result<Self> {
        Self::begin(product, keep, true, out)
    }

    fn begin(product: &Product, keep: bool, guarded: bool, mut out: W) -> io::Result<Self> {
        let names = head_names(product, keep);
        let names: Vec<String> = names.iter().map(|name| cell(name, guarded)).collect();
        writeln!(out, "{}\r", names.join(","))?;
        Ok(Csv {
            product: product.clone(),
            keep,
            format: TextFormat::Csv { guarded },
            out,
        })
    }
}

impl<W: Write> Format for Csv<W> {
    type Sink = CsvSink;

    fn sink(&self) -> CsvSink {
        CsvSink {
            writer: PointWriter::new(&self.product, self.format),
            keep: self.keep,
            guarded: self.format == TextFormat::Csv { guarded: true },
            extra: Vec::new(),
            day: (i64::MIN, String::new()),
        }
    }

    fn write(&mut self, block: &mut TextBlock) -> io::Result<()> {
        block.write(&mut self.out)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn record_len(&self) -> usize {
        max_len(&self.product, self.format)
    }
}

/// The sink of [`Csv`], which writes records as rows.
#[derive(Debug)]
pub struct CsvSink {
    writer: PointWriter,
    keep: bool,
    guarded: bool,
    extra: Vec<u8>,
    /// The day of the last record and its text. The next record usually has the same day.
    day: (i64, String),
}

const DAY: i64 = 24 * 60 * 60 * 1000;

impl CsvSink {
    /// Appends a time such as `2018-01-31T07:37:32.294Z`.
    fn put_time(&mut self, moment: &Timestamp<'_>, out: &mut TextBlock) {
        let millis = moment.millis();
        let day = millis.div_euclid(DAY);
        if day != self.day.0 {
            let date = jiff::Timestamp::from_millisecond(millis);
            let text = date.map_or(String::new(), |date| date.to_string());
            self.day = (
                day,
                text.split_once('T').map_or("", |(day, _)| day).to_owned(),
            );
        }
        out.put(self.day.1.as_bytes());
        let rest = millis.rem_euclid(DAY) as u32;
        let (seconds, part) = (rest / 1000, rest % 1000);
        let mut room = out.room(24);
        for (mark, number, digits) in [
            (b"T", seconds / 3600, 2),
            (b":", seconds / 60 % 60, 2),
            (b":", seconds % 60, 2),
            (b".", part, 3),
        ] {
            room.put_prefix(mark, 1);
            room.put_8(number, digits);
        }
        room.put_prefix(b"Z", 1);
        let written = room.written();
        out.keep(written);
    }
}

impl Sink for CsvSink {
    type Block = TextBlock;

    #[inline]
    fn record(
        &mut self,
        out: &mut TextBlock,
        record: &Record<'_>,
        _: usize,
        decoded: &Decoded<'_, '_>,
    ) {
        let did = record.device(decoded);
        if let Some(moment) = &record.timestamp {
            self.put_time(moment, out);
        }
        for text in [record.kind, did.as_deref()] {
            out.put(b",");
            match text.unwrap_or("") {
                text if self.guarded && is_formula(text) => {
                    out.put(cell(text, true).as_bytes());
                }
                text if is_plain(text) => out.put(text.as_bytes()),
                text => put_quoted(&[text.as_bytes()], out),
            }
        }
        out.put(b",");
        let action = ACTIONS.get(decoded.action_number()).unwrap_or(&"");
        out.put(action.as_bytes());
        if self.keep {
            out.put(b",");
            self.extra.clear();
            self.extra.extend(record.extra);
            if decoded.has_remarks() {
                decoded.write_remarks(&mut self.extra);
            }
            if let Some(extra) = self.extra.strip_prefix(b",") {
                // A JSON object contains quotes.
                put_quoted(&[b"{", extra, b"}"], out);
            }
        }
        let (view, writer) = (decoded.view(), &mut self.writer);
        let whole = view.filter(|view| view.is_whole());
        let mut room = out.room(writer.max_len);
        if !whole.is_some_and(|view| writer.put_status(view.values(), &mut room)) {
            // Discards the points that `put_status` wrote before it failed.
            room.len = 0;
            match &view {
                // Flagged values also have cells.
                Some(view) => {
                    writer.put_view(decoded.product, view, &mut room);
                }
                None => writer.put_nothing(decoded.product, &mut room),
            }
        }
        let written = room.written();
        out.keep(written);
        out.put(b"\r\n");
    }
}

/// Appends a cell in quotes, given in pieces. [`cell`] would allocate.
fn put_quoted(pieces: &[&[u8]], out: &mut TextBlock) {
    out.put(b"\"");
    for piece in pieces {
        for part in piece.split_inclusive(|byte| *byte == b'"') {
            out.put(part);
            if part.ends_with(b"\"") {
                out.put(b"\"");
            }
        }
    }
    out.put(b"\"");
}
