//! What a device is told: attrs or bytes, and how binaries are written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::error::Error;
use crate::exchange::call::{Call, Context, Operation, Received};
use crate::exchange::driver::Parts;
use crate::http::redaction::quoted;
use crate::mode::Front;
use crate::model::scalar::Extra;

/// How binaries of a control are written: its `binary_coding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// Hex, two digits a byte.
    Hex,
    /// Base64.
    Base64,
}

/// [`Device::control`](crate::api::device::Device::control)
#[derive(Clone, Debug)]
pub struct Control {
    what: Result<What, String>,
    coding: Option<Coding>,
    #[cfg(feature = "codec")]
    checked: bool,
    #[cfg(feature = "codec")]
    encoded: bool,
    #[cfg(feature = "codec")]
    rounding: gizwits_codec_std::Rounding,
}

#[derive(Clone, Debug)]
enum What {
    /// A JSON object.
    Attrs(String),
    Raw(Vec<u8>),
}

impl Control {
    fn new(what: Result<What, String>) -> Self {
        Control {
            what,
            #[cfg(feature = "codec")]
            checked: true,
            coding: None,
            #[cfg(feature = "codec")]
            encoded: false,
            #[cfg(feature = "codec")]
            rounding: gizwits_codec_std::Rounding::Exact,
        }
    }

    pub(crate) fn attrs(attrs: &impl Serialize) -> Self {
        let json = serde_json::to_string(attrs).map_err(|error| error.to_string());
        Control::new(match json {
            Ok(json) if json == "{}" => Err("it sets no point".to_owned()),
            Ok(json) if json.starts_with('{') => Ok(What::Attrs(json)),
            Ok(_) => Err("an object of names and values is expected".to_owned()),
            Err(error) => Err(error),
        })
    }

    pub(crate) fn raw(bytes: Vec<u8>) -> Self {
        Control::new(match bytes.is_empty() {
            true => Err("it has no bytes".to_owned()),
            false => Ok(What::Raw(bytes)),
        })
    }

    fn coding(&self) -> String {
        match self.coding {
            Some(Coding::Hex) => r#""binary_coding":"hex","#.to_owned(),
            Some(Coding::Base64) => r#""binary_coding":"base64","#.to_owned(),
            None => String::new(),
        }
    }

    fn raw_body(&self, bytes: &[u8]) -> String {
        let raw = match self.coding {
            Some(coding) => quoted(&coding.write(bytes)),
            None => {
                let bytes: Vec<String> = bytes.iter().map(u8::to_string).collect();
                format!("[{}]", bytes.join(","))
            }
        };
        format!(r#"{{{}"raw":{raw}}}"#, self.coding())
    }

    fn attrs_body(&self, attrs: &str) -> String {
        format!(r#"{{{}"attrs":{attrs}}}"#, self.coding())
    }

    fn body(&self, context: &Context<'_>) -> Result<String, Error> {
        match &self.what {
            Err(error) => Err(Error::invalid(format!(
                "the control can't be sent: {error}"
            ))),
            Ok(What::Raw(bytes)) => {
                #[cfg(feature = "codec")]
                if let Some(definition) = context.definition.filter(|_| self.checked) {
                    check(definition, bytes)?;
                }
                Ok(self.raw_body(bytes))
            }
            #[cfg(feature = "codec")]
            Ok(What::Attrs(json)) if self.checked || self.encoded => match context.definition {
                Some(definition) => self.checked_body(json, definition),
                None if self.encoded => Err(Error::invalid(
                    "without the product's definition there are no raw bytes: get it first",
                )),
                None => Ok(self.attrs_body(json)),
            },
            Ok(What::Attrs(json)) => {
                let _ = context;
                Ok(self.attrs_body(json))
            }
        }
    }

    #[cfg(feature = "codec")]
    fn checked_body(
        &self,
        json: &str,
        definition: &crate::exchange::call::Definition,
    ) -> Result<String, Error> {
        use gizwits_codec_std::{Action, Value};
        let mut message = definition.message(Action::Control).rounding(self.rounding);
        message.set_json(json)?;
        let p0 = message.encode()?;
        if self.encoded {
            return Ok(self.raw_body(&p0));
        }
        // What goes out is what the bytes say, so it is complete and canonical.
        let mut members = Vec::new();
        let decoded = definition.decode_p0(&p0)?;
        for reading in decoded.view().into_iter().flatten() {
            let Some(attr) = definition.attr(reading.id()) else {
                continue;
            };
            let value = match reading.value() {
                Value::Bool(value) => value.to_string(),
                Value::Enum(index) => {
                    match crate::model::message::label(definition, reading, index) {
                        Some(label) => quoted(label),
                        None => index.to_string(),
                    }
                }
                Value::Number(number) => number.to_string(),
                Value::Binary(bytes) => quoted(&self.coding.unwrap_or(Coding::Hex).write(bytes)),
            };
            members.push(format!("{}:{value}", quoted(attr.name())));
        }
        Ok(self.attrs_body(&format!("{{{}}}", members.join(","))))
    }
}

/// Refuses raw bytes that are no message of the product, or hold a value that the encoder refuses.
#[cfg(feature = "codec")]
fn check(
    definition: &crate::exchange::call::Definition,
    bytes: &[u8],
) -> Result<(), gizwits_codec_std::Error> {
    let held = definition.decode(bytes).and_then(|decoded| {
        let (Some(action), Some(view)) = (decoded.action(), decoded.view()) else {
            return Ok(());
        };
        let mut message = definition.message(action);
        for reading in view.iter() {
            if let Some(attr) = definition.attr(reading.id()) {
                message.set(attr.name(), reading.value())?;
            }
        }
        message.encode().map(drop)
    });
    held.map_err(|mut error| {
        error.message += "; `unchecked` sends the bytes as they are";
        error
    })
}

impl Coding {
    fn write(self, bytes: &[u8]) -> String {
        match self {
            Coding::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            Coding::Base64 => STANDARD.encode(bytes),
        }
    }
}

impl<C: Front> Call<C, Control> {
    /// Writes binaries, or the raw bytes, in this coding and says so. Unless told otherwise binaries
    /// are hex, which is the server's default, and raw bytes a list of numbers.
    pub fn binary_coding(mut self, coding: Coding) -> Self {
        self.operation.coding = Some(coding);
        self
    }
}

#[cfg(feature = "codec")]
impl<C: Front> Call<C, Control> {
    /// Sends attrs or bytes as they are, whatever the definition says. A firmware that trusts its
    /// cloud obeys a value outside of the limits, so this is for devices that know more than the
    /// definition. Controls are checked unless told otherwise.
    pub fn unchecked(mut self) -> Self {
        self.operation.checked = false;
        self
    }

    /// Sends the attrs as the bytes of their P0.
    pub fn as_raw(mut self) -> Self {
        self.operation.encoded = true;
        self
    }

    /// Rounds numbers that are off the step instead of refusing them.
    pub fn rounding(mut self, rounding: gizwits_codec_std::Rounding) -> Self {
        self.operation.rounding = rounding;
        self
    }
}

impl Operation for Control {
    type Output = Accepted;

    fn requests(&self, parts: &Parts, context: &Context<'_>) -> Result<Vec<Parts>, Error> {
        let mut parts = parts.clone();
        parts.body = Some(self.body(context)?);
        Ok(vec![parts])
    }

    fn read(&self, received: &Received<'_>) -> Result<Accepted, Error> {
        Accepted::read(received)
    }

    #[cfg(feature = "codec")]
    fn wants_definition(&self) -> bool {
        (self.checked || self.encoded) && matches!(self.what, Ok(What::Attrs(_)))
    }
}

/// An answer without content: the server took it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Accepted {
    /// Members that this crate doesn't know.
    pub extra: Extra,
}

impl Accepted {
    /// Nothing, `null` and `{}` are the same.
    pub(crate) fn read(received: &Received<'_>) -> Result<Self, Error> {
        if received.is_empty() {
            return Ok(Accepted::default());
        }
        let extra: Option<Extra> = received.json()?;
        Ok(Accepted {
            extra: extra.unwrap_or_default(),
        })
    }
}
