//! Decoded frames.

use gizwits_codec_std::core::m2m::Event;
use gizwits_codec_std::core::{P0, PointValue, Protocol, Raw};
use gizwits_codec_std::{Action, Content, Error, Product, Value, payload};
use serde_json::json;

use crate::model::values::{AttrValue, Attrs};

/// A frame, decoded.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// The command of the M2M frame; none if the payload was a bare P0.
    pub command: Option<u16>,
    /// The sequence number of the M2M frame, if it has one.
    pub sn: Option<u32>,
    /// The content.
    pub body: Body,
}

/// The content of a frame.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Body {
    /// Data points.
    Points {
        /// Whether the points are set or reported.
        action: Action,
        /// The values that are there; none of a read.
        attrs: Attrs,
        /// The data points that a read of a var_len product asks for; none if it asks for all.
        wanted: Option<Vec<String>>,
        /// Names of points whose values are outside the definition, and the reasons.
        flagged: Vec<(String, &'static str)>,
    },
    /// Bytes that the protocol doesn't look into, or doesn't know.
    Bytes(Vec<u8>),
}

impl Message {
    /// The values, if it holds data points.
    #[must_use]
    pub fn attrs(&self) -> Option<&Attrs> {
        match &self.body {
            Body::Points { attrs, .. } => Some(attrs),
            Body::Bytes(_) => None,
        }
    }

    /// The action, if it is one of data points.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        match &self.body {
            Body::Points { action, .. } => Some(*action),
            Body::Bytes(_) => None,
        }
    }

    /// Decodes an M2M frame or a bare P0.
    ///
    /// # Errors
    /// Those of [`Product::decode`].
    pub fn decode(definition: &Product, bytes: &[u8]) -> Result<Self, Error> {
        let decoded = definition.decode(bytes)?;
        let (command, sn) = match decoded.envelope {
            Some(Event::Frame(frame)) => (Some(frame.command), frame.sn),
            Some(Event::Service { command }) => (Some(command), None),
            None => (None, None),
        };
        let body = match (decoded.action(), decoded.content) {
            (Some(action), _) => {
                let mut attrs = Attrs::new();
                let mut flagged = Vec::new();
                for reading in decoded.view().into_iter().flatten() {
                    let Some(attr) = definition.attr(reading.id()) else {
                        continue;
                    };
                    attrs.insert(attr.name().to_owned(), value(definition, reading));
                    if let Some(kind) = reading.flagged() {
                        flagged.push((attr.name().to_owned(), kind.name()));
                    }
                }
                let name = |id| Some(definition.attr(id)?.name().to_owned());
                let wanted = match decoded.content {
                    Content::P0(P0::Read(wanted)) if definition.protocol() == Protocol::VarLen => {
                        Some(wanted.ids().filter_map(name).collect())
                    }
                    _ => None,
                };
                Body::Points {
                    action,
                    attrs,
                    wanted,
                    flagged,
                }
            }
            (None, Content::P0(P0::Transparent { data, .. })) => Body::Bytes(data.to_vec()),
            (None, Content::P0(P0::Gateway { action, body })) => {
                Body::Bytes([&[action], body].concat())
            }
            (None, Content::Body(body)) => Body::Bytes(body.to_vec()),
            (None, _) => Body::Bytes(Vec::new()),
        };
        Ok(Message { command, sn, body })
    }
}

/// A value as `/data` writes it.
fn value(definition: &Product, reading: PointValue<'_, '_>) -> AttrValue {
    match (reading.raw(), reading.value()) {
        (Raw::Number(raw), Value::Enum(_)) => match label(definition, reading, raw) {
            Some(label) => AttrValue::from(label),
            None => AttrValue::from(raw),
        },
        // A number where JSON holds it exactly, otherwise text.
        (_, Value::Number(number)) => json!(number).into(),
        (Raw::Number(raw), _) => AttrValue::from(raw),
        (Raw::Bytes(bytes), _) => AttrValue::from(payload::hex(bytes)),
    }
}

/// The label, unless another index has the same.
pub(crate) fn label<'p>(
    definition: &'p Product,
    reading: PointValue<'_, '_>,
    raw: u32,
) -> Option<&'p str> {
    let attr = definition.attr(reading.id())?;
    let label = attr.labels().get(raw as usize)?;
    attr.label(label)?;
    Some(label)
}
