//! A record of a log and its device.

pub(crate) mod foreign;
pub(crate) mod head;
pub(crate) mod lazy;
mod packet;
pub(crate) mod reader;
mod scanner;
pub(crate) mod shape;
pub(crate) mod text;
pub(crate) mod timestamp;

use std::borrow::Cow;

use gizwits_codec_core::m2m::{self, Event};

use self::timestamp::Timestamp;
use crate::message::Decoded;

/// A record of a command log, which borrows its line.
///
/// ```
/// use gizwits_codec_std::log::{Record, Timestamp};
///
/// let record = Record {
///     timestamp: Some(Timestamp::new("1517384252.294")?),
///     did: Some("fTZ6jUmwmuTUkEdbXWePQ3"),
///     ..Record::bare("014000000018")
/// };
/// assert_eq!(record.timestamp.map(|timestamp| timestamp.millis()), Some(1_517_384_252_294));
/// # Ok::<(), gizwits_codec_std::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// The time of the record.
    pub timestamp: Option<Timestamp<'a>>,
    /// The member `type`, the direction: `dev2app` or `app2dev`.
    pub kind: Option<&'a str>,
    /// The id of the device.
    pub did: Option<&'a str>,
    /// The product key of the device.
    pub product_key: Option<&'a str>,
    /// The payload as hex, base64 or a list of bytes.
    pub payload: &'a str,
    /// The other members as JSON, each after a comma. Empty unless [`Options::keep`](super::Options::keep) is
    /// set. A payload of a packet with several has `packet_payload`, its number from 1.
    pub extra: &'a [u8],
}

impl<'a> Record<'a> {
    /// Returns a record with a payload only.
    #[must_use]
    pub fn bare(payload: &'a str) -> Self {
        Record {
            payload,
            ..Record::default()
        }
    }

    /// Returns the id of the device: the member `did`, or else the did of the frame in the payload.
    #[must_use]
    pub fn device(&self, decoded: &Decoded<'_, 'a>) -> Option<Cow<'a, str>> {
        match (self.did, decoded.envelope) {
            (Some(did), _) => Some(did.into()),
            (None, Some(Event::Frame(frame))) => frame.did.map(crate::text::did),
            (None, _) => None,
        }
    }
}

/// Returns the did of the frame in a payload.
pub(crate) fn framed(payload: &[u8]) -> Option<Cow<'_, str>> {
    match m2m::parse(payload, usize::MAX) {
        Ok((Event::Frame(frame), _)) => frame.did.map(crate::text::did),
        _ => None,
    }
}

/// The members of a record. Texts with escapes are owned, because the line contains them in another form.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    pub(crate) timestamp: Option<Cow<'a, str>>,
    pub(crate) kind: Option<Cow<'a, str>>,
    pub(crate) did: Option<Cow<'a, str>>,
    pub(crate) product_key: Option<Cow<'a, str>>,
    pub(crate) payload: Option<Cow<'a, str>>,
    pub(crate) extra: Cow<'a, [u8]>,
    /// The keys and JSON values of all other members. Collected only to learn the shape of the line.
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
            extra: &self.extra,
        }
    }
}
