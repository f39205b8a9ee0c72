//! Decodes payloads: M2M frames and bare P0 messages.

use gizwits_codec_core as core;
use gizwits_codec_core::m2m::{self, Event};
use gizwits_codec_core::{P0, Protocol};

use super::decoded::{Content, Decoded};
use crate::error::Error;
use crate::product::Product;

impl Product {
    /// Decodes an M2M frame or a bare P0. Bytes that begin with `00000003` are a frame.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let report = [0x04, 0x01, 0x00, 0x00, 0x10, 0x1e, 0x00, 0x00];
    /// let decoded = product.decode(&report)?;
    /// assert!(decoded.to_json().starts_with(r#"{"action":"report","attrs":{"switch":1,"#));
    ///
    /// let error = product.decode(&report[..7]).unwrap_err();
    /// assert_eq!((error.kind, error.byte), ("incomplete", Some(7)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::KINDS`] lists all kinds. `byte` counts from the first given byte, even in a frame.
    #[inline]
    pub fn decode<'p, 'b>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        self.any::<false>(bytes)
    }

    /// Decodes a bare P0.
    ///
    /// # Errors
    /// The errors of [`decode`](Self::decode).
    pub fn decode_p0<'p, 'b>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        self.p0::<false>(bytes)
    }

    /// Decodes an M2M frame and the P0 in it.
    ///
    /// # Errors
    /// The errors of [`decode`](Self::decode); `not_m2m` if the bytes do not begin with `00000003`, and
    /// `trailing` if bytes follow the frame.
    pub fn decode_m2m<'p, 'b>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        self.m2m::<false>(bytes)
    }

    /// Returns a decoder that accepts replies and reports of any length.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    /// # let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// # let product = Product::from_json(&definition)?;
    ///
    /// // The status of this product has 7 bytes.
    /// let report = [0x04, 0x01, 0x00, 0x00, 0x10, 0x1e];
    /// assert_eq!(product.decode(&report).unwrap_err().kind, "incomplete");
    /// let decoded = product.lax().decode(&report)?;
    /// assert_eq!(decoded.view().map(|view| view.missing()), Some(2));
    /// assert!(decoded.to_json().ends_with(r#""set_temp":16,"room_temp":20},"missing":2}"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn lax(&self) -> Lax<'_> {
        Lax(self)
    }

    #[inline]
    fn any<'p, 'b, const LAX: bool>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        if let Some(status) = Status::of(self, bytes) {
            return Ok(status.decoded());
        }
        if bytes.starts_with(&m2m::PREFIX) {
            self.m2m::<LAX>(bytes)
        } else {
            self.p0::<LAX>(bytes)
        }
    }

    #[inline]
    fn parse<'p, 'b, const LAX: bool>(&'p self, p0: &'b [u8]) -> Result<P0<'p, 'b>, core::Error> {
        match LAX {
            false => P0::parse(self.layout(), p0),
            true => P0::parse_lax(self.layout(), p0),
        }
    }

    fn p0<'p, 'b, const LAX: bool>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        if bytes.is_empty() {
            return Err(Error::empty());
        }
        match self.parse::<LAX>(bytes) {
            Ok(p0) => Ok(Decoded::new(self, None, Content::P0(p0))),
            Err(error) => Err(self.explain_p0(error, bytes)),
        }
    }

    fn m2m<'p, 'b, const LAX: bool>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        let (event, rest) = m2m::parse(bytes, usize::MAX).map_err(|error| self.explain(error))?;
        let behind = |len: usize| bytes.len().saturating_sub(len) as u32;
        let content = match event {
            // A service message has no length field, so its body is all that follows.
            Event::Service { .. } => Content::Body(rest),
            Event::Frame(_) if !rest.is_empty() => {
                return Err(Error::trailing(bytes, rest));
            }
            Event::Frame(frame) => match frame.p0() {
                Some(p0) => Content::P0(
                    self.parse::<LAX>(p0)
                        .map_err(|error| self.explain_p0(error.offset_by(behind(p0.len())), p0))?,
                ),
                None => Content::Body(frame.body),
            },
        };
        Ok(Decoded::new(self, Some(event), content))
    }
}

/// A decoder that accepts replies and reports of any length, for devices that send more or fewer points
/// than their definition has. [`Product::lax`] returns it.
///
/// Complete points are decoded. [`View::missing`](gizwits_codec_core::View::missing),
/// [`View::extra`](gizwits_codec_core::View::extra),
/// [`View::is_whole_body`](gizwits_codec_core::View::is_whole_body) and [`Decoded::to_json`] report the
/// difference. Frames, controls and reads must still have their exact lengths.
#[derive(Clone, Copy, Debug)]
pub struct Lax<'p>(&'p Product);

impl<'p> Lax<'p> {
    /// Like [`Product::decode`].
    ///
    /// # Errors
    /// The errors of [`Product::decode`], except for the length of a reply or report.
    pub fn decode<'b>(self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        self.0.any::<true>(bytes)
    }

    /// Like [`Product::decode_p0`].
    ///
    /// # Errors
    /// The errors of [`decode`](Self::decode).
    pub fn decode_p0<'b>(self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        self.0.p0::<true>(bytes)
    }

    /// Like [`Product::decode_m2m`].
    ///
    /// # Errors
    /// The errors of [`decode`](Self::decode).
    pub fn decode_m2m<'b>(self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        self.0.m2m::<true>(bytes)
    }
}

/// A reply or report of a standard product, bare or in an M2M frame without did and sn: the form of nearly all
/// payloads in a log.
#[derive(Clone, Copy, Debug)]
pub struct Status<'p, 'b> {
    product: &'p Product,
    /// The command of the frame; `None` for a bare P0.
    command: Option<u8>,
    action: u8,
    body: &'b [u8],
}

/// The first 8 bytes of a frame with a status whose length has one byte: prefix, length, flag and command.
const SHORT: u64 = 0x0000_0003_0000_0090;
const SHORT_MASK: u64 = 0xffff_ffff_80ff_fffe;

/// The first 8 bytes of a frame whose length has two bytes: prefix, length, flag and half of the command.
const LONG: u64 = 0x0000_0003_8000_0000;
const LONG_MASK: u64 = 0xffff_ffff_8080_ffff;

impl<'p, 'b> Status<'p, 'b> {
    /// Returns the status of a payload; `None` if the payload has any other form, valid or not.
    #[inline(always)]
    pub(crate) fn of(product: &'p Product, bytes: &'b [u8]) -> Option<Self> {
        // The length is a varint of 7 bits for each byte, low bits first. Two bytes are enough for 16 KiB.
        let head = bytes
            .first_chunk()
            .map_or(0, |head| u64::from_be_bytes(*head));
        let (len, command, body) = if head & SHORT_MASK == SHORT {
            let len = (head >> 24) as usize & 0x7f;
            (len, Some(head as u8), bytes.get(8..)?)
        } else if head & LONG_MASK == LONG {
            let (low, high) = (head >> 24 & 0x7f, head >> 16 & 0x7f);
            let &[command @ (0x90 | 0x91), ref body @ ..] = bytes.get(8..)? else {
                return None;
            };
            ((high << 7 | low) as usize, Some(command), body)
        } else {
            (bytes.len() + 3, None, bytes)
        };
        let &[action @ (3 | 4), ref values @ ..] = body else {
            return None;
        };
        (len == body.len() + 3
            && values.len() == product.layout().status_len()
            && product.protocol() == Protocol::Standard)
            .then_some(Status {
                product,
                command,
                action,
                body,
            })
    }

    /// Whether the status is a reply. Otherwise it is a report.
    #[inline]
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.action == 3
    }

    /// The index of the action in [`ACTION_WORDS`](super::ACTION_WORDS).
    #[cfg(feature = "log")]
    pub(crate) fn action_number(&self) -> usize {
        usize::from(self.action.wrapping_sub(1))
    }

    /// The bytes of all points.
    #[inline]
    #[must_use]
    pub fn values(&self) -> &'b [u8] {
        self.body.get(1..).unwrap_or(&[])
    }

    /// Returns the status in the form of any other payload.
    #[must_use]
    pub fn decoded(self) -> Decoded<'p, 'b> {
        let view = self.product.layout().view_lax(self.values());
        let frame = |command: u8| {
            Event::Frame(m2m::Frame {
                flag: 0,
                command: command.into(),
                sn: None,
                did: None,
                body: self.body,
            })
        };
        let p0 = match self.is_reply() {
            true => P0::Reply(view),
            false => P0::Report(view),
        };
        Decoded::new(self.product, self.command.map(frame), Content::P0(p0))
    }
}
