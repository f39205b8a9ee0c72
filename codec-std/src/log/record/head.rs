//! The head of a record in NDJSON: timestamp, type, did and kept members.

use super::Record;
use super::text::TextBlock;
use crate::text::cursor::Cursor;

/// Appends the head of a record. `plain` means that its texts need no escapes.
#[inline(never)]
pub(crate) fn append_head(
    out: &mut TextBlock,
    record: &Record<'_>,
    did: Option<&str>,
    plain: bool,
) {
    let mut room = out.room(head_len(record, did));
    put_head(&mut room, record, did, plain);
    let written = room.written();
    out.keep(written);
}

/// The maximum number of bytes that [`put_head`] writes.
fn head_len(record: &Record<'_>, did: Option<&str>) -> usize {
    let texts = record.kind.map_or(0, str::len) + did.map_or(0, str::len);
    let timestamp = record.timestamp.map_or(0, |moment| moment.json().len());
    // An escape is up to 6 bytes long.
    64 + timestamp + 6 * texts + record.extra.len()
}

/// Appends the head of a record: `{"timestamp":…,"type":…,"did":…,`. `plain` means that its texts need no
/// escapes.
#[inline(always)]
fn put_head(out: &mut Cursor<'_>, record: &Record<'_>, did: Option<&str>, plain: bool) {
    out.put_prefix(b"{", 1);
    if let Some(timestamp) = &record.timestamp {
        out.put_prefix(b"\"timestamp\":   ", 12);
        out.put(timestamp.json().as_bytes());
        out.put_prefix(b",", 1);
    }
    if let Some(kind) = record.kind {
        out.put_prefix(b"\"type\": ", 7);
        put_text(out, kind, plain);
    }
    if let Some(did) = did {
        out.put_prefix(b"\"did\":  ", 6);
        put_text(out, did, plain);
    }
    if let Some(extra) = record.extra.strip_prefix(b",") {
        out.put(extra);
        out.put_prefix(b",", 1);
    }
}

/// Appends a text as a JSON string, and a comma.
#[inline(always)]
pub(crate) fn put_text(out: &mut Cursor<'_>, text: &str, plain: bool) {
    if plain || text.bytes().all(is_plain) {
        out.put_prefix(b"\"", 1);
        out.put(text.as_bytes());
        out.put_prefix(b"\",", 2);
    } else {
        let _ = serde_json::to_writer(&mut *out, text);
        out.put_prefix(b",", 1);
    }
}

/// Whether a byte is ASCII that a JSON string contains without an escape.
#[inline]
pub(crate) fn is_plain(byte: u8) -> bool {
    (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\'
}
