//! NDJSON: each line is the head of a record and the members of [`Decoded::to_json`].

use std::io::{self, Write};

use gizwits_codec_core::P0;

use super::{Format, Sink};
use crate::error::Error;
use crate::log::record::Record;
use crate::log::record::head::append_head;
use crate::log::record::lazy::LazyRecord;
use crate::log::record::text::TextBlock;
use crate::message::{Content, Decoded, Status};
use crate::product::Product;
use crate::product::products::Products;
use crate::product::text_plan::{TextPlan, Written};
use crate::text::cursor::{Cursor, STEP};

/// The NDJSON format: a record for each line,
/// `{"timestamp":…,"type":…,"did":…,"action":…,"attrs":{…}}`.
///
/// Members that the record lacks are left out. The members after `did` are those of [`Decoded::to_json`],
/// without `frame`.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{Log, Ndjson, Products, Source};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let products = Products::one(Product::from_json(&definition)?);
/// let mut lines = Vec::new();
/// let input = Source::new("input", &b"{\"did\":\"a\",\"payload\":\"014000000018\"}"[..]);
/// Log::new(&products).decode([input], Ndjson::new(&products, &mut lines))?;
/// assert_eq!(
///     String::from_utf8(lines)?,
///     "{\"did\":\"a\",\"action\":\"control\",\"attrs\":{\"set_temp\":24}}\n",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Ndjson<W> {
    products: Products,
    out: W,
}

impl<W: Write> Ndjson<W> {
    /// Creates a format that writes to `out`. Each block is one write, so `out` needs no buffer.
    pub fn new(products: &Products, out: W) -> Self {
        let products = products.clone();
        Ndjson { products, out }
    }
}

impl<W: Write> Format for Ndjson<W> {
    type Sink = NdjsonSink;

    fn sink(&self) -> NdjsonSink {
        NdjsonSink(self.products.clone())
    }

    fn write(&mut self, block: &mut TextBlock) -> io::Result<()> {
        block.write(&mut self.out)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn record_len(&self) -> usize {
        let lens = self
            .products
            .iter()
            .map(|product| product.json_plan().max_len);
        lens.max().unwrap_or(0)
    }
}

/// The sink of [`Ndjson`], which writes records as lines of JSON.
#[derive(Debug)]
pub struct NdjsonSink(Products);

impl Sink for NdjsonSink {
    type Block = TextBlock;

    fn record(
        &mut self,
        out: &mut TextBlock,
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    ) -> Result<(), Box<Error>> {
        let Some(product) = self.0.get(product) else {
            return Ok(());
        };
        let plan = product.json_plan();
        append_head(out, record, record.device(decoded).as_deref(), false);
        let opening = match &decoded.content {
            Content::P0(P0::Report(view)) => Some((REPORT, view)),
            Content::P0(P0::Control(view)) => Some((CONTROL, view)),
            Content::P0(P0::Reply(view)) => Some((REPLY, view)),
            _ => None,
        };
        let written = opening.and_then(|(action, view)| {
            let mut room = out.room(plan.max_len + plan.flags_len + 2 * STEP);
            let start = begin(action, &mut room);
            let points = plan.put_view(view, &mut room);
            end(plan, (start, points), view.values(), &mut room)
        });
        match written {
            written @ Some(_) => {
                out.keep(written);
                if decoded.has_remarks() {
                    out.cut(b"}\n".len());
                    out.with(|out| decoded.write_remarks(out));
                    out.put(b"}\n");
                }
            }
            None => {
                out.with(|out| decoded.write_content(out));
                out.put(b"}\n");
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn status(
        &mut self,
        out: &mut TextBlock,
        line: &LazyRecord<'_>,
        product: usize,
        status: &Status<'_, '_>,
    ) -> Result<(), Box<Error>> {
        let Some(plan) = self.0.get(product).map(Product::json_plan) else {
            return Ok(());
        };
        let head = line.head();
        if head.is_none() {
            let record = line.record();
            append_head(out, &record, record.did, line.is_plain());
        }
        let (head, len) = head.unwrap_or_default();
        let mut room = out.room(len + plan.max_len + plan.flags_len + 2 * STEP);
        room.put_start(head, len);
        let action = if status.is_reply() { REPLY } else { REPORT };
        let start = begin(action, &mut room);
        let points = plan.put_status(status.values(), &mut room);
        let written = end(plan, (start, points), status.values(), &mut room);
        if written.is_some() {
            out.keep(written);
            return Ok(());
        }
        // Only the product can write all points. The head remains.
        out.keep(Some(len));
        let status = *status;
        out.with(move |out| status.decoded().write_content(out));
        out.put(b"}\n");
        Ok(())
    }
}

/// The text before the points: a step that is copied at once, and the length of the text.
type Opening = (&'static [u8; STEP], usize);

const CONTROL: Opening = (b"\"action\":\"control\",\"attrs\":     ", 27);

const REPLY: Opening = (b"\"action\":\"reply\",\"attrs\":       ", 25);

const REPORT: Opening = (b"\"action\":\"report\",\"attrs\":      ", 26);

/// Appends the action. Returns the length before the points.
#[inline(always)]
fn begin((text, len): Opening, out: &mut Cursor<'_>) -> usize {
    out.put_prefix(text, len);
    out.len
}

/// Ends the points, which are those of a status from `start`, and the line. Returns the number of bytes in the room;
/// `None` if the points were written partly.
#[inline(always)]
fn end(
    plan: &TextPlan,
    (start, points): (usize, Written),
    status: &[u8],
    out: &mut Cursor<'_>,
) -> Option<usize> {
    match points {
        Written::Sound => out.close_object(start, b"}}\n"),
        Written::Partly => return None,
        Written::Flagged(first, last) => {
            out.close_object(start, b"}");
            out.len = plan.put_flags((first, last), status, out.lend());
            out.put_prefix(b"}\n", 2);
        }
    }
    out.written()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Decoder, Options};
    use gizwits_codec_core::{Protocol, m2m};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// A status of any bytes, of which many break the definition, is written as the product writes it.
        #[test]
        fn statuses_of_any_bytes(seed: u32, valid in 0_u8..4) {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
            for file in std::fs::read_dir(folder).unwrap() {
                let json = std::fs::read_to_string(file.unwrap().path()).unwrap();
                let product = Product::from_json(&json).unwrap();
                if product.protocol() == Protocol::VarLen {
                    continue;
                }
                // Zeros between other bytes break fewer rules.
                let bytes = (0..product.layout().status_len() as u32).map(|n| {
                    let random = (seed ^ n).wrapping_mul(0x9e37_79b1) >> 7;
                    if random as u8 % 4 < valid { 0 } else { (random >> 8) as u8 }
                });
                let p0: Vec<u8> = [4].into_iter().chain(bytes).collect();
                let frame = m2m::Frame { flag: 0, command: 0x91, sn: None, did: None, body: &p0 };
                let mut bytes = vec![0; p0.len() + 16];
                let len = frame.encode(&mut bytes).unwrap();
                let line = crate::payload::hex(&bytes[..len]) + "\n";
                let decoded = product.decode_p0(&p0).unwrap();
                let expected = decoded.to_json() + "\n";
                let products = Products::one(product.clone());
                let sink = Ndjson::new(&products, io::sink()).sink();
                let mut block = TextBlock::default();
                let mut decoder = Decoder::new(&products, Options::default(), sink);
                decoder.lines(line.as_bytes(), &mut block, |_, _, error| panic!("{error}"));
                prop_assert_eq!(std::str::from_utf8(block.as_bytes()).unwrap(), &expected);
            }
        }
    }
}
