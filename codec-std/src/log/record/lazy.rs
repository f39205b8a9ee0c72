//! A record whose members are read on demand.

use super::Record;
use super::shape::LineShape;
use super::timestamp::Timestamp;
use crate::text::cursor::STEP;

/// A record whose members are read on demand. Sinks get it with a [`Status`](crate::Status), which most of them
/// write without reading all members.
#[derive(Clone, Copy, Debug)]
pub struct LazyRecord<'a>(Origin<'a>);

#[derive(Clone, Copy, Debug)]
enum Origin<'a> {
    /// A line, the shape that it fits, and its kept members.
    Shaped(&'a [u8], &'a LineShape, &'a [u8]),
    /// The hex digits of a bare payload.
    Bare(&'a [u8]),
    /// A complete record, and whether its texts are known to need no escapes.
    Made(&'a Record<'a>, bool),
}

impl<'a> LazyRecord<'a> {
    /// The record of a line that fits a shape, with its kept members.
    #[inline(always)]
    pub(crate) fn learnt(line: &'a [u8], shape: &'a LineShape, extra: &'a [u8]) -> Self {
        LazyRecord(Origin::Shaped(line, shape, extra))
    }

    /// The record of a line that consists of the hex digits of a payload.
    #[inline(always)]
    pub(crate) fn bare(line: &'a [u8]) -> Self {
        LazyRecord(Origin::Bare(line))
    }

    /// A complete record, and whether its texts are known to need no escapes.
    #[inline(always)]
    pub(crate) fn made(record: &'a Record<'a>, plain: bool) -> Self {
        LazyRecord(Origin::Made(record, plain))
    }

    /// Returns the complete record.
    #[must_use]
    pub fn record(self) -> Record<'a> {
        match self.0 {
            Origin::Shaped(line, shape, extra) => Record {
                timestamp: shape.timestamp.map(|span| Timestamp(span.text(line))),
                kind: shape.kind.as_deref(),
                did: self.did(),
                product_key: self.product_key(),
                payload: std::str::from_utf8(self.payload()).unwrap_or_default(),
                extra,
            },
            Origin::Bare(line) => Record::bare(std::str::from_utf8(line).unwrap_or_default()),
            Origin::Made(record, _) => *record,
        }
    }

    #[inline(always)]
    pub(crate) fn product_key(self) -> Option<&'a str> {
        match self.0 {
            Origin::Shaped(_, shape, _) => shape.product_key.as_deref(),
            Origin::Bare(_) => None,
            Origin::Made(record, _) => record.product_key,
        }
    }

    #[inline(always)]
    pub(crate) fn did(self) -> Option<&'a str> {
        match self.0 {
            Origin::Shaped(line, shape, _) => shape.did.map(|span| span.text(line)),
            Origin::Bare(_) => None,
            Origin::Made(record, _) => record.did,
        }
    }

    #[inline(always)]
    pub(crate) fn payload(self) -> &'a [u8] {
        match self.0 {
            Origin::Shaped(line, shape, _) => {
                let end = line.len().wrapping_sub(shape.tail);
                line.get(shape.head..end).unwrap_or(&[])
            }
            Origin::Bare(line) => line,
            Origin::Made(record, _) => record.payload.as_bytes(),
        }
    }

    /// The head of the record in NDJSON if it can be copied: the first bytes of a text, and their number.
    #[inline(always)]
    pub(crate) fn head(self) -> Option<(&'a [u8], usize)> {
        match self.0 {
            Origin::Shaped(line, shape, _) => Some((line, shape.verbatim?)),
            Origin::Bare(_) => Some((BARE_HEAD, 1)),
            Origin::Made(..) => None,
        }
    }

    /// Whether the texts of the record are known to need no escapes.
    pub(crate) fn is_plain(self) -> bool {
        matches!(self.0, Origin::Made(_, true))
    }
}

/// The head of a record without members, and bytes after it, so that a fixed length can be copied.
const BARE_HEAD: &[u8] = &[b'{'; 2 * STEP];
