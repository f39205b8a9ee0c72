//! A decoded frame or P0 of a capture.

use std::borrow::Cow;

use gizwits_codec_core::m2m::{self, Event};
use gizwits_codec_core::{Action, P0, Protocol, uart};
use serde_json::json;

use crate::error::Error;
use crate::message::{Content, Decoded, Description, json as members, payload};
use crate::product::Product;
use crate::text;

/// A decoder of frames and P0s with the definition of a product, or without a definition.
///
/// Without a definition, frames, transparent data and all messages between modules and their clients are decoded. The
/// values of data points stay bytes.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::capture::CaptureDecoder;
///
/// let report = b"\0\0\0\x03\x0b\0\0\x91\x04\x01\0\0\x10\0\0\0";
/// let captured = CaptureDecoder::new().decode(report)?;
/// assert_eq!(
///     captured.to_json(),
///     r#"{"frame":{"command":"0x0091","flag":0},"action":"report","protocol":"standard","body":"01000010000000"}"#,
/// );
/// assert!(captured.needs_definition());
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let captured = CaptureDecoder::new().product(&product).decode(report)?;
/// assert_eq!(captured.to_json(), product.decode(report)?.to_json());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CaptureDecoder<'p> {
    product: Option<&'p Product>,
    lax: bool,
}

/// A decoded frame or P0. [`CaptureDecoder`] returns it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Captured<'p, 'b> {
    /// The frame around the message; `None` for a bare P0.
    pub envelope: Option<Envelope<'b>>,
    /// The message.
    pub meaning: Meaning<'p, 'b>,
}

/// The frame around a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope<'b> {
    /// A frame or service message of networks.
    M2m(Event<'b>),
    /// A frame of the serial line.
    Uart {
        /// The frame.
        frame: uart::Frame<'b>,
        /// The did of the sub-device at the start of the payload, if bit 0 of the flags is set.
        did: Option<&'b [u8]>,
    },
}

/// The message of a frame.
#[derive(Debug)]
pub enum Meaning<'p, 'b> {
    /// A P0 of the product, or the body of a frame without a P0.
    Decoded(Decoded<'p, 'b>),
    /// A P0 without the definition of its product.
    P0 {
        /// The name of the action: `control`, `read`, `reply`, `report`, `transparent` or `gateway`.
        action: &'static str,
        /// The protocol of the product, if the action tells it.
        protocol: Option<Protocol>,
        /// The action byte.
        code: u8,
        /// The bytes after the action.
        body: &'b [u8],
    },
    /// A message without a P0.
    Body {
        /// The name and fields of the message. `None` for a message without documentation.
        description: Option<Description>,
        /// The bytes of the message.
        body: &'b [u8],
    },
}

impl<'p> CaptureDecoder<'p> {
    /// Returns a decoder without a definition.
    #[must_use]
    pub fn new() -> Self {
        CaptureDecoder::default()
    }

    /// Sets the product whose P0s are decoded. Default: none.
    #[must_use]
    pub fn product(mut self, product: &'p Product) -> Self {
        self.product = Some(product);
        self
    }

    /// Sets whether replies and reports of any length are decoded, as by [`Product::lax`]. Default: false.
    #[must_use]
    pub fn lax(mut self, lax: bool) -> Self {
        self.lax = lax;
        self
    }

    /// Decodes an M2M frame or a bare P0. Bytes that begin with `00000003` are a frame.
    ///
    /// # Errors
    /// The errors of [`Product::decode`].
    pub fn decode<'b>(&self, bytes: &'b [u8]) -> Result<Captured<'p, 'b>, Error> {
        match bytes.starts_with(&m2m::PREFIX) {
            true => self.m2m(bytes),
            false => self.p0(bytes),
        }
    }

    /// Decodes a bare P0.
    ///
    /// # Errors
    /// The errors of [`Product::decode_p0`]; without a definition, `incomplete` if there are no bytes and
    /// `unknown_action`.
    pub fn p0<'b>(&self, bytes: &'b [u8]) -> Result<Captured<'p, 'b>, Error> {
        let decoded = match (self.product, self.lax) {
            (None, _) => None,
            (Some(product), false) => Some(product.decode_p0(bytes)?),
            (Some(product), true) => Some(product.lax().decode_p0(bytes)?),
        };
        let meaning = match decoded {
            Some(decoded) => Meaning::Decoded(decoded),
            None => bare(bytes)?,
        };
        Ok(Captured {
            envelope: None,
            meaning,
        })
    }

    /// Decodes an M2M frame or a service message.
    ///
    /// # Errors
    /// The errors of [`Product::decode_m2m`]; without a definition, those of [`p0`](Self::p0).
    pub fn m2m<'b>(&self, bytes: &'b [u8]) -> Result<Captured<'p, 'b>, Error> {
        if let Some(product) = self.product {
            let decoded = match self.lax {
                false => product.decode_m2m(bytes)?,
                true => product.lax().decode_m2m(bytes)?,
            };
            return Ok(Captured {
                envelope: decoded.envelope.map(Envelope::M2m),
                meaning: Meaning::Decoded(decoded),
            });
        }
        let (event, rest) = m2m::parse(bytes, usize::MAX)?;
        let meaning = match event {
            Event::Service { .. } => Meaning::Body {
                description: None,
                body: rest,
            },
            Event::Frame(_) if !rest.is_empty() => {
                return Err(Error::trailing(bytes, rest));
            }
            Event::Frame(frame) => match frame.p0() {
                Some(p0) => bare(p0).map_err(|error| error.offset_by(bytes.len() - p0.len()))?,
                None => Meaning::Body {
                    description: Description::of_m2m(&frame),
                    body: frame.body,
                },
            },
        };
        Ok(Captured {
            envelope: Some(Envelope::M2m(event)),
            meaning,
        })
    }

    /// Decodes the payload of a UART frame.
    ///
    /// # Errors
    /// The errors of [`p0`](Self::p0). `byte` counts from the start of the payload.
    pub fn uart<'b>(&self, frame: uart::Frame<'b>) -> Result<Captured<'p, 'b>, Error> {
        let (did, payload) = match frame.payload {
            // Some modules set the flag without a did: if no did fits, the bytes are the payload.
            [len, rest @ ..] if frame.flags & 1 == 1 => {
                match rest.split_at_checked((*len).into()) {
                    Some((did, payload)) => (Some(did), payload),
                    None => (None, frame.payload),
                }
            }
            payload => (None, payload),
        };
        let inner = uart::Frame { payload, ..frame };
        let before = frame.payload.len() - payload.len();
        let meaning = match inner.message() {
            Ok(uart::Message::P0([])) => Meaning::Body {
                description: None,
                body: payload,
            },
            Ok(uart::Message::P0(p0)) => {
                let captured = self.p0(p0).map_err(|error| error.offset_by(before))?;
                captured.meaning
            }
            _ => Meaning::Body {
                description: Description::of_uart(&inner),
                body: payload,
            },
        };
        Ok(Captured {
            envelope: Some(Envelope::Uart { frame, did }),
            meaning,
        })
    }
}

/// The P0 of an unknown product.
fn bare<'p, 'b>(p0: &'b [u8]) -> Result<Meaning<'p, 'b>, Error> {
    let Some((&code, body)) = p0.split_first() else {
        return Err(Error::empty());
    };
    let (action, protocol) = match (Action::from_code(code), code) {
        (Some((action, protocol)), _) => (action.name(), Some(protocol)),
        (None, 0x05 | 0x06) => ("transparent", None),
        (None, 0x71..=0x73) => ("gateway", None),
        _ => {
            let message = format!(
                "unknown action {code:#04x} in byte 0: expected 0x01 to 0x06, 0x11 to 0x14, or 0x71 to 0x73"
            );
            return Err(Error::new("unknown_action", message).at(Some(0), None));
        }
    };
    Ok(Meaning::P0 {
        action,
        protocol,
        code,
        body,
    })
}

impl Captured<'_, '_> {
    /// Whether the message has data points whose names and values need the definition of the product.
    #[must_use]
    pub fn needs_definition(&self) -> bool {
        match self.meaning {
            Meaning::P0 { action, body, .. } => {
                !body.is_empty() && !matches!(action, "transparent" | "gateway")
            }
            _ => false,
        }
    }

    /// Returns the product key that the message names, as discovery replies and module infos do.
    #[must_use]
    pub fn product_key(&self) -> Option<String> {
        let description = self.description()?;
        description.product_key().map(str::to_owned)
    }

    /// Returns the name and fields of a message without a P0.
    #[must_use]
    pub fn description(&self) -> Option<Cow<'_, Description>> {
        match (&self.meaning, self.envelope) {
            (Meaning::Body { description, .. }, _) => description.as_ref().map(Cow::Borrowed),
            (Meaning::Decoded(decoded), Some(Envelope::M2m(Event::Frame(frame))))
                if matches!(decoded.content, Content::Body(_)) =>
            {
                Description::of_m2m(&frame).map(Cow::Owned)
            }
            _ => None,
        }
    }

    /// Returns the message as one line of JSON.
    ///
    /// The members are those of [`Decoded::to_json`]. Without a definition, a P0 with data points has `protocol`
    /// (`standard` or `var_len`) and `body` in place of `attrs`. The `frame` of a UART frame has `line` (`uart`), `command`,
    /// `name` if the command is known, `sn`, `flags`, `did` if the frame is about a sub-device, and `checksum`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Appends the JSON of [`to_json`](Self::to_json) to a buffer.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        match self.envelope {
            Some(Envelope::M2m(event)) => members::put_envelope(out, event),
            Some(Envelope::Uart { frame, did }) => {
                out.extend(br#""frame":{"line":"uart""#);
                for (name, value) in [
                    ("command", Some(json!(format!("{:#04x}", frame.command.0)))),
                    ("name", frame.command.name().map(|name| json!(name))),
                    ("sn", Some(json!(frame.sn))),
                    ("flags", Some(json!(frame.flags))),
                    ("did", did.map(|did| json!(text::did(did)))),
                    (
                        "checksum",
                        Some(json!(format!("{:#04x}", Envelope::checksum(&frame)))),
                    ),
                ] {
                    if let Some(value) = value {
                        out.extend(format!(r#","{name}":{value}"#).as_bytes());
                    }
                }
                out.extend(b"},");
            }
            None => {}
        }
        match &self.meaning {
            Meaning::Decoded(decoded) => decoded.write_content(out),
            Meaning::P0 {
                action: "gateway",
                code,
                body,
                ..
            } => out.extend(format!(r#""body":"{code:02x}{}""#, payload::hex(body)).as_bytes()),
            Meaning::P0 {
                action,
                protocol,
                body,
                ..
            } => {
                out.extend(format!(r#""action":"{action}""#).as_bytes());
                if let Some(protocol) = protocol {
                    out.extend(format!(r#","protocol":"{}""#, protocol.name()).as_bytes());
                }
                if !body.is_empty() || protocol.is_none() {
                    out.extend(format!(r#","body":"{}""#, payload::hex(body)).as_bytes());
                }
            }
            Meaning::Body { description, body } => {
                members::put_body(out, description.as_ref(), body);
            }
        }
        out.push(b'}');
    }
}

impl Envelope<'_> {
    /// Returns the checksum of a UART frame: the low byte of the sum of its bytes after the header.
    ///
    /// ```
    /// use gizwits_codec_std::capture::Envelope;
    /// use gizwits_codec_std::core::uart::{Command, Frame};
    ///
    /// let heartbeat = Frame { command: Command::HEARTBEAT, sn: 2, flags: 0, payload: &[] };
    /// assert_eq!(Envelope::checksum(&heartbeat), 0x0e);
    /// ```
    #[must_use]
    pub fn checksum(frame: &uart::Frame<'_>) -> u8 {
        let len = (frame.payload.len() as u16).wrapping_add(5).to_be_bytes();
        let [high, low] = frame.flags.to_be_bytes();
        let head = [frame.command.0, frame.sn, high, low];
        let bytes = len.iter().chain(&head).chain(frame.payload);
        bytes.fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
    }
}

/// Whether a P0 can be a message of a product: it is decoded, and is not data without points.
pub(super) fn has_points(decoded: &Decoded<'_, '_>) -> bool {
    matches!(
        decoded.content,
        Content::P0(P0::Control(_) | P0::Read(_) | P0::Reply(_) | P0::Report(_))
    )
}
