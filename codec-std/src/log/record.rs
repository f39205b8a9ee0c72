//! One record of a log, and its device.

pub(crate) mod head;
pub(crate) mod lazy;
pub(crate) mod reader;
pub(crate) mod shape;
pub(crate) mod text;
pub(crate) mod timestamp;

use std::borrow::Cow;

use gizwits_codec_core::m2m::{self, Event};

use self::timestamp::Timestamp;
use crate::message::{Decoded, payload};

/// One record of a command log, over its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it was.
    pub timestamp: Option<Timestamp<'a>>,
    /// `dev2app` or `app2dev`.
    pub kind: Option<&'a str>,
    /// The device.
    pub did: Option<&'a str>,
    /// The product key of the device.
    pub product_key: Option<&'a str>,
    /// Hex, base64, or a list of bytes.
    pub payload: &'a str,
    /// The other members as JSON, a comma before each; empty unless they are kept.
    pub extra: &'a [u8],
}

impl<'a> Record<'a> {
    /// A payload, and nothing about it.
    #[must_use]
    pub fn bare(payload: &'a str) -> Self {
        Record {
            payload,
            ..Record::default()
        }
    }

    /// The device: what the record says, or else the frame of its payload.
    #[must_use]
    pub fn device(&self, decoded: &Decoded<'_, 'a>) -> Option<Cow<'a, str>> {
        match (self.did, decoded.envelope) {
            (Some(did), _) => Some(did.into()),
            (None, Some(Event::Frame(frame))) => frame.did.map(did_text),
            (None, _) => None,
        }
    }
}

/// The device that the frame of a payload names.
pub(crate) fn framed(payload: &[u8]) -> Option<Cow<'_, str>> {
    match m2m::parse(payload, usize::MAX) {
        Ok((Event::Frame(frame), _)) => frame.did.map(did_text),
        _ => None,
    }
}

/// A did as text; as `0x` and hex if it isn't UTF-8.
fn did_text(did: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(did) {
        Ok(did) => did.into(),
        Err(_) => format!("0x{}", payload::hex(did)).into(),
    }
}

/// The members of a record. Texts with escapes are owned, since they do not stand in the line.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    pub(crate) timestamp: Option<Cow<'a, str>>,
    pub(crate) kind: Option<Cow<'a, str>>,
    pub(crate) did: Option<Cow<'a, str>>,
    pub(crate) product_key: Option<Cow<'a, str>>,
    pub(crate) payload: Option<Cow<'a, str>>,
    pub(crate) extra: &'a [u8],
    /// The members without a meaning here, collected only to learn the shape of the line.
    pub(crate) others: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Members<'_> {
    pub(crate) fn record(&self) -> Record<'_> {
        Record {
            timestamp: self.timestamp.as_deref().map(Timestamp),
            kind: self.kind.as_deref(),
            did: self.did.as_deref(),
            product_key: self.product_key.as_deref(),
            payload: self.payload.as_deref().unwrap_or(""),
            extra: self.extra,
        }
    }
}
