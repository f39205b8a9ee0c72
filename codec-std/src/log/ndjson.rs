//! NDJSON: what [`Decoded::to_json`] says of each record, behind what the record says of itself.

use std::io::{self, Write};

use gizwits_codec_core::P0;
use gizwits_codec_core::m2m::Event;

use super::text::{Plan, Style, Text};
use super::{Format, Products, Record, Sink};
use crate::decode::{Content, Decoded};

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
        let plans = self.products.iter().map(|one| Plan::new(one, Style::Json));
        plans.map(|plan| plan.most()).max().unwrap_or(0)
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

    #[inline]
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
        match record.head {
            Some(head) if record.did.is_some() || !has_did(decoded) => out.put(head.as_bytes()),
            _ => {
                let did = record.device(decoded);
                put_head(out, record, did.as_deref(), record.extra);
            }
        }
        let (action, view) = match decoded.content {
            Content::P0(P0::Report(view)) => (&b"\"action\":\"report\",\"attrs\":{"[..], view),
            Content::P0(P0::Control(view)) => (&b"\"action\":\"control\",\"attrs\":{"[..], view),
            Content::P0(P0::Reply(view)) => (&b"\"action\":\"reply\",\"attrs\":{"[..], view),
            _ => {
                out.with(|out| decoded.write_content(out));
                return out.put(b"}\n");
            }
        };
        let start = out.len();
        out.put(action);
        // The comma in front of the first point takes the place of the bracket, which comes again.
        let bracket = out.len() - 1;
        out.cut(bracket);
        let sound = match view.is_whole() {
            true => plan.put_status(view.values(), out),
            false => plan.put_view(decoded.product, view, out),
        };
        if sound {
            if out.len() == bracket {
                out.put(b"{");
            }
            out.set(bracket, b'{');
            out.put(b"}}\n");
        } else {
            out.cut(start);
            out.with(|out| decoded.write_content(out));
            out.put(b"}\n");
        }
    }
}

/// What the record says of itself: `{"timestamp":…,"type":…,"did":…,`.
pub(crate) fn put_head(out: &mut Text, record: &Record<'_>, did: Option<&str>, extra: &[u8]) {
    let texts = [record.kind.as_deref(), did];
    out.put(b"{");
    if let Some(timestamp) = &record.timestamp {
        out.put(b"\"timestamp\":");
        out.put(timestamp.json().as_bytes());
        out.put(b",");
    }
    for (key, text) in [&b"\"type\":"[..], b"\"did\":"].into_iter().zip(texts) {
        if let Some(text) = text {
            out.put(key);
            put_text(out, text);
            out.put(b",");
        }
    }
    if let Some(extra) = extra.strip_prefix(b",") {
        out.put(extra);
        out.put(b",");
    }
}

/// Whether the frame of a payload names its device.
fn has_did(decoded: &Decoded<'_, '_>) -> bool {
    matches!(decoded.envelope, Some(Event::Frame(frame)) if frame.did.is_some())
}

/// A text as JSON.
fn put_text(out: &mut Text, text: &str) {
    if text.bytes().all(super::record::plain) {
        out.put(b"\"");
        out.put(text.as_bytes());
        out.put(b"\"");
    } else {
        out.with(|out| {
            let _ = serde_json::to_writer(out, text);
        });
    }
}
