//! NDJSON: what [`Decoded::to_json`] says of each record, behind what the record says of itself.

use std::io::{self, Write};

use gizwits_codec_core::P0;

use super::plan::{Plan, Style, most};
use super::record::Line;
use super::text::{Cursor, STEP, Text};
use super::{Format, Products, Record, Sink};
use crate::decode::{Content, Decoded, Status};

/// `{"timestamp":…,"type":…,"did":…,"action":…,"attrs":{…}}`, one record a line.
#[derive(Debug)]
pub struct Ndjson<W> {
    products: Products,
    out: W,
}

impl<W: Write> Ndjson<W> {
    /// Writes to `out`, which is not buffered any further.
    pub fn new(products: &Products, out: W) -> Self {
        let products = products.clone();
        Ndjson { products, out }
    }
}

impl<W: Write> Format for Ndjson<W> {
    type Sink = NdjsonSink;

    fn sink(&self) -> NdjsonSink {
        let plans = self.products.iter().map(|one| Plan::new(one, Style::Json));
        NdjsonSink(plans.collect())
    }

    fn write(&mut self, block: &mut TextBlock) -> io::Result<()> {
        block.write(&mut self.out)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn record_len(&self) -> usize {
        let most = self.products.iter().map(|one| most(one, Style::Json));
        most.max().unwrap_or(0)
    }
}

/// Lines of text that are ready to be written.
#[derive(Debug, Default)]
pub struct TextBlock(pub(crate) Text);

impl TextBlock {
    /// The lines.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Forgets the lines, not their room.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn write(&mut self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(self.0.as_slice())?;
        out.flush()?;
        self.0.clear();
        Ok(())
    }
}

/// Writes records as lines of JSON.
#[derive(Debug)]
pub struct NdjsonSink(Vec<Plan>);

impl Sink for NdjsonSink {
    type Block = TextBlock;

    fn record(
        &mut self,
        TextBlock(out): &mut TextBlock,
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    ) {
        let Some(plan) = self.0.get_mut(product) else {
            return;
        };
        append_head(out, record, record.device(decoded).as_deref());
        let (action, view) = match &decoded.content {
            Content::P0(P0::Report(view)) => (REPORT, view),
            Content::P0(P0::Control(view)) => (CONTROL, view),
            Content::P0(P0::Reply(view)) => (REPLY, view),
            _ => {
                out.with(|out| decoded.write_content(out));
                return out.put(b"}\n");
            }
        };
        let mut room = out.room(plan.most() + 2 * STEP);
        let begun = begin(action, &mut room);
        let sound = match view.is_whole() {
            true => plan.put_status(view.values(), &mut room),
            false => plan.put_view(decoded.product, view, &mut room),
        };
        match end(begun, room).filter(|_| sound) {
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
        block: &mut TextBlock,
        line: &Line<'_>,
        product: usize,
        status: &Status<'_, '_>,
    ) {
        if let Some(plan) = self.0.get_mut(product) {
            let out = &mut block.0;
            let most = plan.most() + 2 * STEP;
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
            let action = if status.is_reply() { REPLY } else { REPORT };
            let begun = begin(action, &mut room);
            let sound = plan.put_status(status.values(), &mut room);
            let written = end(begun, room).filter(|_| sound);
            if written.is_some() {
                return out.keep(written);
            }
        }
        self.record(block, &line.record(), product, &status.decoded());
    }
}

/// What the points stand behind, in steps that are copied at once: so many bytes count.
type Opening = (&'static [u8; STEP], usize);

const CONTROL: Opening = (b"\"action\":\"control\",\"attrs\":     ", 27);
const REPLY: Opening = (b"\"action\":\"reply\",\"attrs\":       ", 25);
const REPORT: Opening = (b"\"action\":\"report\",\"attrs\":      ", 26);

/// Begins the points; returns where their bracket goes.
#[inline(always)]
fn begin((text, len): Opening, out: &mut Cursor<'_>) -> usize {
    out.put_of(text, len);
    out.len
}

/// Ends points and record; returns how much was written.
#[inline(always)]
fn end(bracket: usize, mut out: Cursor<'_>) -> Option<usize> {
    // It takes the place of the comma in front of the first point.
    if out.len == bracket {
        out.put_of(b"{", 1);
    }
    out.set(bracket, b'{');
    out.put_of(b"}}\n\0", 3);
    out.written()
}

/// Appends what the record says of itself.
pub(crate) fn append_head(out: &mut Text, record: &Record<'_>, did: Option<&str>) {
    let mut room = out.room(head_len(record, did));
    put_head(&mut room, record, did, false);
    let written = room.written();
    out.keep(written);
}

/// No more is written by [`put_head`].
fn head_len(record: &Record<'_>, did: Option<&str>) -> usize {
    let texts = record.kind.map_or(0, str::len) + did.map_or(0, str::len);
    let timestamp = record.timestamp.map_or(0, |moment| moment.json().len());
    // An escape is up to 6 bytes long.
    64 + timestamp + 6 * texts + record.extra.len()
}

/// What the record says of itself: `{"timestamp":…,"type":…,"did":…,`. Texts that are plain need no escapes.
#[inline(always)]
fn put_head(out: &mut Cursor<'_>, record: &Record<'_>, did: Option<&str>, plain: bool) {
    out.put_of(b"{", 1);
    if let Some(timestamp) = &record.timestamp {
        out.put_of(b"\"timestamp\":   ", 12);
        out.put(timestamp.json().as_bytes());
        out.put_of(b",", 1);
    }
    if let Some(kind) = record.kind {
        out.put_of(b"\"type\": ", 7);
        put_text(out, kind, plain);
    }
    if let Some(did) = did {
        out.put_of(b"\"did\":  ", 6);
        put_text(out, did, plain);
    }
    if let Some(extra) = record.extra.strip_prefix(b",") {
        out.put(extra);
        out.put_of(b",", 1);
    }
}

/// A text as JSON, and a comma.
#[inline(always)]
fn put_text(out: &mut Cursor<'_>, text: &str, plain: bool) {
    if plain || text.bytes().all(super::shape::plain) {
        out.put_of(b"\"", 1);
        out.put(text.as_bytes());
        out.put_of(b"\",", 2);
    } else {
        let _ = serde_json::to_writer(&mut *out, text);
        out.put_of(b",", 1);
    }
}
