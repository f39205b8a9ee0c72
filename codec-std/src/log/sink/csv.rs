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
use std::sync::Arc;

use gizwits_codec_core::{PointId, Raw, Scale, View};

use super::table::{ACTIONS, TableOptions, flagged_names, head_names};
use super::{Format, Sink};
use crate::error::Error;
use crate::log::record::Record;
use crate::log::record::text::TextBlock;
use crate::log::record::timestamp::Timestamp;
use crate::message::Decoded;
use crate::product::Product;
use crate::product::attr::Attr;
use crate::product::point_text::PointFormat;
use crate::product::text_plan::{TextPlan, Written};
use crate::text::cursor::Cursor;
use crate::text::digits::four_digits;

/// The CSV format: a table of the records of one product.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{Csv, Log, Products, Source, TableOptions};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let mut table = Vec::new();
/// let input = Source::new("input", &b"014000000018\n"[..]);
/// let csv = Csv::new(&product, TableOptions::default(), &mut table)?;
/// Log::new(&Products::one(product)).decode([input], csv)?;
/// let table = String::from_utf8(table)?;
/// assert!(table.starts_with("timestamp,type,did,action,switch,fan_swing,mode,"));
/// assert!(table.ends_with("\r\n,,,control,,,,,,,24,,,,\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Csv<W> {
    cells: CellFormat,
    plan: Arc<TextPlan>,
    options: TableOptions,
    out: W,
}

/// Points as cells, each after a comma. Guarded labels are never formulas in a spreadsheet.
#[derive(Clone, Copy, Debug)]
struct CellFormat {
    guarded: bool,
}

impl PointFormat for CellFormat {
    fn key(&self, _: &Attr) -> String {
        ",".to_owned()
    }

    fn label(&self, attr: &Attr, index: u32) -> String {
        match attr.label(index) {
            Some(label) => cell(label, self.guarded),
            None => index.to_string(),
        }
    }

    fn quotes(&self) -> bool {
        false
    }
}

impl<W: Write> Csv<W> {
    /// Writes the names of the columns to `out`. Each block is one write, so `out` needs no buffer.
    ///
    /// # Errors
    /// The error of the write.
    pub fn new(product: &Product, options: TableOptions, mut out: W) -> io::Result<Self> {
        let guarded = options.guard;
        let names = head_names(product, &options);
        let names: Vec<String> = names.iter().map(|name| cell(name, guarded)).collect();
        let mark = if options.bom { "\u{feff}" } else { "" };
        writeln!(out, "{mark}{}\r", names.join(","))?;
        let cells = CellFormat { guarded };
        Ok(Csv {
            plan: TextPlan::new(product, &cells).into(),
            cells,
            options,
            out,
        })
    }
}

impl<W: Write> Format for Csv<W> {
    type Sink = CsvSink;

    fn sink(&self) -> CsvSink {
        CsvSink {
            plan: self.plan.clone(),
            cells: self.cells,
            options: self.options,
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
        self.plan.max_len
    }
}

/// The sink of [`Csv`], which writes records as rows.
#[derive(Debug)]
pub struct CsvSink {
    plan: Arc<TextPlan>,
    cells: CellFormat,
    options: TableOptions,
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
            let ascii = (four_digits(number) | 0x3030_3030) >> (8 * (4 - digits));
            room.put_prefix(&ascii.to_le_bytes(), digits);
        }
        room.put_prefix(b"Z", 1);
        let written = room.written();
        out.keep(written);
    }
}

impl CsvSink {
    /// Appends a cell of text.
    #[inline(always)]
    fn put_text(&self, text: Option<&str>, out: &mut TextBlock) {
        out.put(b",");
        match text.unwrap_or("") {
            text if self.cells.guarded && is_formula(text) => {
                out.put(cell(text, true).as_bytes());
            }
            text if is_plain(text) => out.put(text.as_bytes()),
            text => put_quoted(&[text.as_bytes()], out),
        }
    }

    /// Appends the names of the points whose value breaks the definition.
    fn put_flagged(&self, product: &Product, view: Option<&View<'_, '_>>, out: &mut TextBlock) {
        let names = flagged_names(product, view).collect::<Vec<_>>().join(" ");
        out.put(cell(&names, self.cells.guarded).as_bytes());
    }

    /// Appends a cell for each point of the product. The cells of points that the message does not have are empty, and
    /// values that break the definition also have cells.
    #[inline(never)]
    fn put_cells(&self, product: &Product, view: Option<&View<'_, '_>>, out: &mut Cursor<'_>) {
        let layout = product.layout();
        let mut next = 0;
        let skip = |next: &mut u16, id: PointId, out: &mut Cursor<'_>| {
            for _ in *next..id.0 {
                out.put_prefix(b",", 1);
            }
            *next = id.0 + 1;
        };
        view.into_iter().flatten().for_each(|reading| {
            let id = reading.id();
            skip(&mut next, id, out);
            let done = self.plan.put_point(&reading, out);
            if let Raw::Number(raw) = reading.raw()
                && !done
            {
                let label = product.attr(id).and_then(|attr| attr.label(raw));
                let scale = layout.scale(id).unwrap_or(Scale::IDENTITY);
                let _ = match label {
                    Some(label) => write!(out, ",{}", cell(label, self.cells.guarded)),
                    None => write!(out, ",{}", scale.value(raw)),
                };
            }
        });
        skip(&mut next, PointId(layout.point_count()), out);
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
    ) -> Result<(), Box<Error>> {
        let did = record.device(decoded);
        if let Some(moment) = &record.timestamp {
            self.put_time(moment, out);
        }
        self.put_text(record.kind, out);
        if !self.options.partition.did {
            self.put_text(did.as_deref(), out);
        }
        out.put(b",");
        let action = ACTIONS.get(decoded.action_number()).unwrap_or(&"");
        out.put(action.as_bytes());
        if self.options.extra {
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
        let view = decoded.view();
        if self.options.flagged {
            out.put(b",");
            self.put_flagged(decoded.product, view.as_ref(), out);
        }
        let whole = view.filter(|view| view.is_whole());
        let mut room = out.room(self.plan.max_len);
        let written = whole.map(|view| self.plan.put_status(view.values(), &mut room));
        if !matches!(written, Some(Written::Sound | Written::Flagged(..))) {
            // Discards the points that `put_status` wrote before it failed.
            room.len = 0;
            self.put_cells(decoded.product, view.as_ref(), &mut room);
        }
        let written = room.written();
        out.keep(written);
        out.put(b"\r\n");
        Ok(())
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

/// Whether a cell needs no quotes by RFC 4180.
#[inline]
pub(crate) fn is_plain(cell: &str) -> bool {
    let odd = |byte| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    !cell.bytes().any(odd)
}

/// Whether a spreadsheet may interpret a cell as a formula, possibly after trimming it.
#[inline]
pub(crate) fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// Returns a text as a cell of RFC 4180. In guarded output, a formula begins with `'`, which makes it text.
pub(crate) fn cell(text: &str, guarded: bool) -> String {
    let guard = if guarded && is_formula(text) { "'" } else { "" };
    match is_plain(text) {
        true => format!("{guard}{text}"),
        false => format!("\"{guard}{}\"", text.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Decoder, Options, Products};

    /// A row has a cell for each point, also if the message has only some of the points, and binaries among them.
    #[test]
    fn binaries_of_messages_with_some_points() {
        let binary = |id: u32| {
            serde_json::json!({
                "id": id, "name": format!("b{id}"), "type": "status_writable", "data_type": "binary",
                "position": {"byte_offset": 2 * id, "bit_offset": 0, "len": 2, "unit": "byte"},
            })
        };
        let definition = serde_json::json!({
            "name": "binaries", "product_key": "0123456789abcdef0123456789abcdef",
            "protocolType": "standard", "packetVersion": "0x00000004",
            "entities": [{"id": 0, "name": "entity0", "attrs": [binary(0), binary(1), binary(2)]}],
        });
        let product = Product::from_json(&definition.to_string()).unwrap();
        let csv = Csv::new(&product, TableOptions::default(), io::sink()).unwrap();
        let products = Products::one(product);
        let mut decoder = Decoder::new(&products, Options::default(), csv.sink());
        let mut block = TextBlock::default();
        let lines = b"0106000001020304\n0102000001020000\n0107a1a2b1b2c1c2\n";
        decoder.lines(lines, &mut block, |_, _, error| panic!("{error}"));
        let rows = ",,,control,,0102,0304\r\n,,,control,,0102,\r\n,,,control,a1a2,b1b2,c1c2\r\n";
        assert_eq!(
            block.as_bytes().escape_ascii().to_string(),
            rows.as_bytes().escape_ascii().to_string()
        );
    }
}
