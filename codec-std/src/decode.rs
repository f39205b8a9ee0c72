//! Payloads to JSON.

use std::io::Write as _;

use gizwits_codec_core::m2m::{self, Event};
use gizwits_codec_core::{Action, ErrorKind, Kind, P0, Protocol, Raw, Reading, Value, View};

use crate::error::Error;
use crate::payload;
use crate::product::{Attr, Product};

/// A payload, taken apart; it borrows the product and the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Decoded<'p, 'b> {
    pub(crate) product: &'p Product,
    /// The M2M frame or service message around it, if there was one.
    pub envelope: Option<Event<'b>>,
    /// What is in it.
    pub content: Content<'p, 'b>,
}

/// What is in a payload.
#[derive(Clone, Copy, Debug)]
pub enum Content<'p, 'b> {
    /// A P0 of the product.
    P0(P0<'p, 'b>),
    /// The body of a frame that carries no P0.
    Body(&'b [u8]),
}

impl Product {
    /// Takes an M2M frame or a bare P0 apart: what begins with 00000003 is a frame.
    ///
    /// # Errors
    /// See [`Error::KINDS`]; `byte` counts from the first byte given.
    #[inline]
    pub fn decode<'p, 'b>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        if let Some(status) = Status::of(self, bytes) {
            return Ok(status.decoded());
        }
        if bytes.starts_with(&m2m::PREFIX) {
            self.decode_m2m(bytes)
        } else {
            self.decode_p0(bytes)
        }
    }

    /// Takes a bare P0 apart.
    ///
    /// # Errors
    /// As for [`decode`](Self::decode).
    pub fn decode_p0<'p, 'b>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        match P0::parse(self.layout(), bytes) {
            Ok(p0) => Ok(Decoded {
                product: self,
                envelope: None,
                content: Content::P0(p0),
            }),
            Err(error) => Err(self.explain_p0(error, bytes)),
        }
    }

    /// Takes an M2M frame apart, and the P0 in it.
    ///
    /// # Errors
    /// As for [`decode`](Self::decode); bytes after the frame are `trailing`.
    pub fn decode_m2m<'p, 'b>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        let (event, rest) = m2m::parse(bytes, usize::MAX).map_err(|error| self.explain(error))?;
        let content = match event {
            // How long a service message is, its head doesn't say.
            Event::Service { .. } => Content::Body(rest),
            Event::Frame(_) if !rest.is_empty() => {
                let extra = u32::try_from(rest.len()).unwrap_or(u32::MAX);
                let end = bytes.len().saturating_sub(rest.len()) as u32;
                let kind = gizwits_codec_core::ErrorKind::Trailing { extra };
                return Err(self.explain(gizwits_codec_core::Error::new(kind).at(end)));
            }
            Event::Frame(frame) => match frame.p0() {
                Some(p0) => Content::P0(P0::parse(self.layout(), p0).map_err(|error| {
                    self.explain_p0(
                        error.behind(bytes.len().saturating_sub(p0.len()) as u32),
                        p0,
                    )
                })?),
                None => Content::Body(frame.body),
            },
        };
        Ok(Decoded {
            product: self,
            envelope: Some(event),
            content,
        })
    }
}

/// What nearly all frames are: a reply or report with all points of a standard product, without did
/// and sn.
#[derive(Clone, Copy, Debug)]
pub struct Status<'p, 'b> {
    product: &'p Product,
    command: u8,
    action: u8,
    body: &'b [u8],
}

impl<'p, 'b> Status<'p, 'b> {
    /// `None` if the bytes are anything else, which says nothing against them.
    #[inline(always)]
    pub(crate) fn of(product: &'p Product, bytes: &'b [u8]) -> Option<Self> {
        let (len, command, body) = match *bytes {
            [0, 0, 0, 3, len @ ..0x80, 0, 0, command, ref body @ ..] => {
                (usize::from(len), command, body)
            }
            [0, 0, 0, 3, low, high @ ..0x80, 0, 0, command, ref body @ ..] if low >= 0x80 => {
                let len = usize::from(high) << 7 | usize::from(low & 0x7f);
                (len, command, body)
            }
            _ => return None,
        };
        let &[action @ (3 | 4), ref values @ ..] = body else {
            return None;
        };
        (matches!(command, 0x90 | 0x91)
            && len == body.len() + 3
            && values.len() == product.layout().status_len()
            && product.protocol() == Protocol::Standard)
            .then_some(Status {
                product,
                command,
                action,
                body,
            })
    }

    /// Whether it is a reply, not a report.
    #[inline]
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.action == 3
    }

    /// The bytes of the points.
    #[inline]
    #[must_use]
    pub fn values(&self) -> &'b [u8] {
        self.body.get(1..).unwrap_or(&[])
    }

    /// The same as any other payload.
    #[must_use]
    pub fn decoded(&self) -> Decoded<'p, 'b> {
        let view = self.product.layout().view_lax(self.values());
        Decoded {
            product: self.product,
            envelope: Some(Event::Frame(m2m::Frame {
                flag: 0,
                command: self.command.into(),
                sn: None,
                did: None,
                body: self.body,
            })),
            content: Content::P0(match self.is_reply() {
                true => P0::Reply(view),
                false => P0::Report(view),
            }),
        }
    }
}

impl<'p, 'b> Decoded<'p, 'b> {
    /// The action, if it is one with data points.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        match self.content {
            Content::P0(P0::Control(_)) => Some(Action::Control),
            Content::P0(P0::Read { .. }) => Some(Action::Read),
            Content::P0(P0::Reply(_)) => Some(Action::Reply),
            Content::P0(P0::Report(_)) => Some(Action::Report),
            _ => None,
        }
    }

    /// The points of a control, reply or report.
    #[must_use]
    pub fn view(&self) -> Option<View<'p, 'b>> {
        match self.content {
            Content::P0(P0::Control(view) | P0::Reply(view) | P0::Report(view)) => Some(view),
            _ => None,
        }
    }

    /// One line of JSON: `{"frame":…,"action":…,"attrs":…,"flagged":…,"wanted":…,"body":…}`, without
    /// the members that are not there.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Appends what [`to_json`](Self::to_json) returns: no allocation once the buffer is large
    /// enough.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        match self.envelope {
            Some(Event::Frame(frame)) => {
                let _ = write!(
                    out,
                    r#""frame":{{"command":"{:#06x}","flag":{}"#,
                    frame.command, frame.flag
                );
                if let Some(sn) = frame.sn {
                    let _ = write!(out, r#","sn":{sn}"#);
                }
                if let Some(did) = frame.did {
                    out.extend(br#","did":"#);
                    match std::str::from_utf8(did) {
                        Ok(did) => {
                            let _ = serde_json::to_writer(&mut *out, did);
                        }
                        Err(_) => put_hex(out, "0x", did),
                    }
                }
                out.extend(b"},");
            }
            Some(Event::Service { command }) => {
                let _ = write!(out, r#""frame":{{"command":"{command:#06x}"}},"#);
            }
            None => {}
        }
        self.write_content(out);
        out.push(b'}');
    }

    /// The members behind the frame.
    pub(crate) fn write_content(&self, out: &mut Vec<u8>) {
        match self.content {
            Content::P0(P0::Control(view)) => {
                out.extend(br#""action":"control","#);
                self.product.write_points(out, view);
            }
            Content::P0(P0::Reply(view)) => {
                out.extend(br#""action":"reply","#);
                self.product.write_points(out, view);
            }
            Content::P0(P0::Report(view)) => {
                out.extend(br#""action":"report","#);
                self.product.write_points(out, view);
            }
            Content::P0(P0::Read(wanted)) => {
                out.extend(br#""action":"read""#);
                if self.product.protocol() == Protocol::VarLen {
                    out.extend(br#","wanted":"#);
                    let attrs = wanted.ids().filter_map(|id| self.product.attr(id));
                    write_names(out, attrs);
                }
            }
            Content::P0(P0::Transparent { data, .. }) => {
                out.extend(br#""action":"transparent","body":"#);
                put_hex(out, "", data);
            }
            Content::P0(P0::Gateway { action, body }) => {
                let _ = write!(out, r#""body":"{action:02x}"#);
                payload::put_hex(out, body);
                out.push(b'"');
            }
            Content::Body(body) => {
                out.extend(br#""body":"#);
                put_hex(out, "", body);
            }
        }
    }
}

impl Product {
    /// `"attrs":{…}`, and `,"flagged":{…}` where something is.
    pub(crate) fn write_points(&self, out: &mut Vec<u8>, view: View<'_, '_>) {
        out.extend(br#""attrs":{"#);
        let mut flagged = false;
        view.iter().for_each(|reading| {
            if let Some(attr) = self.attr(reading.id()) {
                out.extend(attr.key.as_bytes());
                write_value(out, attr, &reading);
                out.push(b',');
                flagged |= reading.flagged().is_some();
            }
        });
        close(out, b'}');
        if flagged {
            out.extend(br#","flagged":{"#);
            for reading in view {
                if let Some(kind) = reading.flagged()
                    && let Some(attr) = self.attr(reading.id())
                {
                    let _ = write!(out, r#"{}"{}","#, attr.key, kind.name());
                }
            }
            close(out, b'}');
        }
    }
}

fn write_value(out: &mut Vec<u8>, attr: &Attr, reading: &Reading<'_, '_>) {
    match (reading.raw(), reading.value()) {
        (Raw::Number(raw), Value::Enum(_)) => match attr.rendered.get(raw as usize) {
            Some(label) => out.extend(label.as_bytes()),
            None => put_number(out, raw),
        },
        (Raw::Number(raw), Value::Number(number)) => {
            if number.scale() == 0 && number.coefficient() == i64::from(raw) {
                put_number(out, raw);
            } else {
                let _ = write!(out, "{number}");
            }
        }
        (Raw::Number(raw), _) => put_number(out, raw),
        (Raw::Bytes(bytes), _) => put_hex(out, "", bytes),
    }
}

/// The names of attrs as a list.
pub(crate) fn write_names<'p>(out: &mut Vec<u8>, attrs: impl Iterator<Item = &'p Attr>) {
    out.push(b'[');
    for attr in attrs {
        out.extend(attr.key.trim_end_matches(':').as_bytes());
        out.push(b',');
    }
    close(out, b']');
}

/// Closes an object or list whose last member may have left a comma.
fn close(out: &mut Vec<u8>, end: u8) {
    match out.last_mut() {
        Some(comma @ b',') => *comma = end,
        _ => out.push(end),
    }
}

fn put_number(out: &mut Vec<u8>, number: u32) {
    let _ = write!(out, "{number}");
}

fn put_hex(out: &mut Vec<u8>, prefix: &str, bytes: &[u8]) {
    out.push(b'"');
    out.extend(prefix.as_bytes());
    payload::put_hex(out, bytes);
    out.push(b'"');
}

impl Product {
    /// The value of a reading in words, for people: a label, a number, hex.
    #[must_use]
    pub fn show(&self, reading: Reading<'_, '_>) -> String {
        match (reading.value(), self.attr(reading.id())) {
            (Value::Bool(on), _) => if on { "on" } else { "off" }.to_owned(),
            (Value::Enum(index), attr) => attr
                .and_then(|attr| attr.labels().get(index as usize).cloned())
                .unwrap_or_else(|| index.to_string()),
            (Value::Number(number), _) => number.to_string(),
            (Value::Binary(bytes), _) => payload::hex(bytes),
        }
    }

    /// What the definition doesn't foresee about a value, in words: `above its maximum (16..30, step 1)`.
    #[must_use]
    pub fn odd(&self, reading: Reading<'_, '_>) -> Option<String> {
        let range = self.range(reading.id());
        Some(match reading.flagged()? {
            ErrorKind::PastLabels => "past its labels".to_owned(),
            ErrorKind::BelowMin => format!("below its minimum ({range})"),
            _ => format!("above its maximum ({range})"),
        })
    }

    /// The range and step of a point's values in words: `16..30, step 1`; the labels of an enum.
    #[must_use]
    pub fn range(&self, id: gizwits_codec_core::PointId) -> String {
        let layout = self.layout();
        let (Some(attr), Some(scale), Some((min, max))) =
            (self.attr(id), layout.scale(id), layout.limits(id))
        else {
            return String::new();
        };
        match attr.point().kind {
            Kind::Bool => "on or off".to_owned(),
            Kind::Enum { .. } => {
                let shown: Vec<&str> = attr.labels().iter().map(String::as_str).take(12).collect();
                let dots = if attr.labels().len() > 12 {
                    ", …"
                } else {
                    ""
                };
                format!("{}{dots}", shown.join(", "))
            }
            Kind::Binary => match max {
                1 => "1 byte".to_owned(),
                _ => format!("{max} bytes"),
            },
            _ => {
                let (low, high) = (scale.value(min), scale.value(max));
                format!("{low}..{high}, step {}", scale.ratio())
            }
        }
    }
}
