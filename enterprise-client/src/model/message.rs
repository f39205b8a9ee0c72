//! Decoded frames of a log.

use gizwits_codec_std::core::m2m::Event;
use gizwits_codec_std::core::{P0, PointValue, Protocol, Raw};
use gizwits_codec_std::{Action, Content, Error, Product, Value, payload};
use serde_json::json;

use crate::model::values::{AttrValue, Attrs};

/// A decoded frame.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// The command of the M2M frame. `None` if the payload was a P0 without a frame.
    pub command: Option<u16>,
    /// The sequence number of the M2M frame, if it has one.
    pub sn: Option<u32>,
    /// The content of the frame.
    pub body: Body,
}

/// The content of a frame.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Body {
    /// A message with data points.
    Points {
        /// The action of the message, for example a control or a report.
        action: Action,
        /// The values of the points in the message. Empty for a read.
        attrs: Attrs,
        /// The names of the points that a read of a var_len product asks for. `None` if the read asks for all
        /// points.
        wanted: Option<Vec<String>>,
        /// The names of the points whose values the definition doesn't allow, with the kinds of error.
        flagged: Vec<(String, &'static str)>,
    },
    /// Transparent data, the body of a gateway message, or the body of a frame of an unknown kind.
    Bytes(Vec<u8>),
}

impl Message {
    /// The values, if the frame contains data points.
    #[must_use]
    pub fn attrs(&self) -> Option<&Attrs> {
        match &self.body {
            Body::Points { attrs, .. } => Some(attrs),
            Body::Bytes(_) => None,
        }
    }

    /// The action, if the frame contains data points.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        match &self.body {
            Body::Points { action, .. } => Some(*action),
            Body::Bytes(_) => None,
        }
    }

    /// Decodes an M2M frame, or a P0 without a frame.
    ///
    /// # Errors
    /// The errors of [`Product::decode`](crate::codec::Product::decode).
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use gizwits_enterprise_client::Message;
    ///
    /// let definition = product.definition().await?;
    /// let device = product.device("cBYkSjoE2xspYMhaUHdk5k");
    /// let report = device.cmd_log().limit(1).send().await?.objects.remove(0);
    /// let bytes = gizwits_enterprise_client::codec::payload::parse(&report.payload, None)?;
    /// println!("{:?}", Message::decode(&definition, &bytes)?.attrs());
    /// # Ok(())
    /// # }
    /// ```
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

/// Converts a value to the form that `/data` returns.
fn value(definition: &Product, reading: PointValue<'_, '_>) -> AttrValue {
    match (reading.raw(), reading.value()) {
        (Raw::Number(raw), Value::Enum(_)) => match label(definition, reading, raw) {
            Some(label) => AttrValue::from(label),
            None => AttrValue::from(raw),
        },
        // A number that JSON can't represent exactly becomes a text.
        (_, Value::Number(number)) => json!(number).into(),
        (Raw::Number(raw), _) => AttrValue::from(raw),
        (Raw::Bytes(bytes), _) => AttrValue::from(payload::hex(bytes)),
    }
}

/// The label of an enum index. `None` if another index has the same label.
pub(crate) fn label<'p>(
    definition: &'p Product,
    reading: PointValue<'_, '_>,
    raw: u32,
) -> Option<&'p str> {
    let attr = definition.attr(reading.id())?;
    let label = attr.labels().get(raw as usize)?;
    attr.label_index(label)?;
    Some(label)
}
