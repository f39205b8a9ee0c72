//! NDJSON: each line is the head of a record and the members of [`Decoded::to_json`].

use std::io::{self, Write};

use gizwits_codec_core::P0;

use super::point_text::{PointWriter, TextFormat, max_len};
use super::{Format, Sink};
use crate::log::record::Record;
use crate::log::record::head::{append_head, head_len, put_head};
use crate::log::record::lazy::LazyRecord;
use crate::log::record::text::{Cursor, STEP, TextBlock};
use crate::message::{Content, Decoded, Status};
use crate::product::products::Products;

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
        let writer = |product| PointWriter::new(product, TextFormat::Json);
        NdjsonSink(self.products.iter().map(writer).collect())
    }

    fn write(&mut self, block: &mut TextBlock) -> io::Result<()> {
        block.write(&mut self.out)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn record_len(&self) -> usize {
        let len = |product| max_len(product, TextFormat::Json);
        self.products.iter().map(len).max().unwrap_or(0)
    }
}

/// The sink of [`Ndjson`], which writes records as lines of JSON.
#[derive(Debug)]
pub struct NdjsonSink(Vec<PointWriter>);

impl Sink for NdjsonSink {
    type Block = TextBlock;

    fn record(
        &mut self,
        out: &mut TextBlock,
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    ) {
        let Some(writer) = self.0.get_mut(product) else {
            return;
        };
        append_head(out, record, record.device(decoded).as_deref());
        let opening = match &decoded.content {
            Content::P0(P0::Report(view)) => Some((REPORT, view)),
            Content::P0(P0::Control(view)) => Some((CONTROL, view)),
            Content::P0(P0::Reply(view)) => Some((REPLY, view)),
            _ => None,
        };
        let written = opening.and_then(|(action, view)| {
            let mut room = out.room(writer.max_len + 2 * STEP);
            let begun = begin(action, &mut room);
            let sound = match view.is_whole() {
                true => writer.put_status(view.values(), &mut room),
                false => writer.put_view(decoded.product, view, &mut room),
            };
            end(begun, room).filter(|_| sound)
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
    }

    #[inline(always)]
    fn status(
        &mut self,
        out: &mut TextBlock,
        line: &LazyRecord<'_>,
        product: usize,
        status: &Status<'_, '_>,
    ) {
        if let Some(writer) = self.0.get_mut(product) {
            let most = writer.max_len + 2 * STEP;
            let mut room = match line.head() {
                Ok(head) => {
                    let mut room = out.room(head.len() + most);
                    room.put(head);
                    room
                }
                Err((record, plain)) => {
                    let mut room = out.room(head_len(&record, record.did) + most);
                    put_head(&mut room, &record, record.did, plain);
                    room
                }
            };
            let head = room.len;
            let action = if status.is_reply() { REPLY } else { REPORT };
            let begun = begin(action, &mut room);
            let sound = writer.put_status(status.values(), &mut room);
            let written = end(begun, room).filter(|_| sound);
            if written.is_some() {
                return out.keep(written);
            }
            // A value breaks the definition, which only the product can write. The head remains.
            out.keep(Some(head));
            out.with(|out| status.decoded().write_content(out));
            out.put(b"}\n");
        }
    }
}

/// The text before the points: a step that is copied at once, and the length of the text.
type Opening = (&'static [u8; STEP], usize);

const CONTROL: Opening = (b"\"action\":\"control\",\"attrs\":     ", 27);

const REPLY: Opening = (b"\"action\":\"reply\",\"attrs\":       ", 25);

const REPORT: Opening = (b"\"action\":\"report\",\"attrs\":      ", 26);

/// Begins the points. Returns the offset of their opening bracket.
#[inline(always)]
fn begin((text, len): Opening, out: &mut Cursor<'_>) -> usize {
    out.put_prefix(text, len);
    out.len
}

/// Ends the points and the record. Returns the number of written bytes.
#[inline(always)]
fn end(bracket: usize, mut out: Cursor<'_>) -> Option<usize> {
    // The bracket overwrites the comma before the first point. Without points there is no comma.
    if out.len == bracket {
        out.put_prefix(b"{", 1);
    }
    if let Some(to) = out.room.get_mut(bracket) {
        *to = b'{';
    }
    out.put_prefix(b"}}\n\0", 3);
    out.written()
}
