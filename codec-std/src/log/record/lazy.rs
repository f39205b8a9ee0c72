//! A record whose members are read on demand.

use std::borrow::Cow;

use super::Record;
use super::shape::LineShape;
use super::timestamp::Timestamp;

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
    pub fn record(&self) -> Record<'a> {
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
    pub(crate) fn product_key(&self) -> Option<&'a str> {
        match self.0 {
            Origin::Shaped(_, shape, _) => shape.product_key.as_deref(),
            Origin::Bare(_) => None,
            Origin::Made(record, _) => record.product_key,
        }
    }

    #[inline(always)]
    pub(crate) fn did(&self) -> Option<&'a str> {
        match self.0 {
            Origin::Shaped(line, shape, _) => shape.did.map(|span| span.text(line)),
            Origin::Bare(_) => None,
            Origin::Made(record, _) => record.did,
        }
    }

    #[inline(always)]
    pub(crate) fn payload(&self) -> &'a [u8] {
        match self.0 {
            Origin::Shaped(line, shape, _) => {
                let end = line.len().wrapping_sub(shape.tail);
                line.get(shape.head..end).unwrap_or(&[])
            }
            Origin::Bare(line) => line,
            Origin::Made(record, _) => record.payload.as_bytes(),
        }
    }

    /// The head of the line if NDJSON can copy it unchanged; otherwise the record, and whether its texts are
    /// known to need no escapes.
    #[inline(always)]
    pub(crate) fn head(&self) -> Result<&'a [u8], (Cow<'a, Record<'a>>, bool)> {
        match self.0 {
            Origin::Shaped(line, shape, _) => {
                let head = shape.verbatim.and_then(|len| line.get(..len));
                head.ok_or_else(|| (Cow::Owned(self.record()), false))
            }
            Origin::Bare(_) => Ok(b"{"),
            Origin::Made(record, plain) => Err((Cow::Borrowed(record), plain)),
        }
    }
}
