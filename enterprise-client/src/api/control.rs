//! Controls of a device, as attrs or as bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
#[cfg(feature = "codec")]
use gizwits_codec_std::{Action, Value};
use serde::Serialize;
use serde_json::json;

use crate::api::device::Device;
use crate::endpoint::{self, page};
use crate::error::Error;
use crate::exchange::{
    Accepted, Call, Context, Definition, Operation, Received, RequestParts, Requests,
};
use crate::http::quoted;
use crate::mode::Mode;
#[cfg(feature = "codec")]
use crate::model::label;

/// The coding of the binaries of a control, the member `binary_coding` of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// Hexadecimal, two digits for each byte.
    Hex,
    /// Base64.
    Base64,
}

/// The operation of [`Device::control`] and [`Device::control_raw`].
#[derive(Clone, Debug)]
pub struct Control {
    /// The content, or the error of a content that is not valid.
    content: Result<Content, String>,
    coding: Option<Coding>,
    /// Whether the content is checked against the definition.
    checked: bool,
    encoded: bool,
    #[cfg(feature = "codec")]
    rounding: gizwits_codec_std::Rounding,
}

#[derive(Clone, Debug)]
enum Content {
    /// A JSON object of names and values.
    Attrs(String),
    Raw(Vec<u8>),
}

impl<M: Mode> Device<M> {
    /// Sets data points. The attrs are a JSON object of names and values, or a type that serde serializes as
    /// such an object. With the feature `codec`, the client checks the attrs against the product's definition
    /// before it sends them, and sends them in the form of the definition.
    ///
    /// An answer means that the server sent the command, not that the device executed it: the status may be
    /// the old one for a moment. The device must be online. The client never sends a control again that the
    /// server may have received.
    #[doc = page!(CONTROL)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use serde_json::json;
    ///
    /// let device = product.device("cBYkSjoE2xspYMhaUHdk5k");
    /// device.control(json!({"set_temp": 24, "switch": true})).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn control(&self, attrs: impl Serialize) -> Call<M, Control> {
        let json = serde_json::to_string(&attrs).map_err(|error| error.to_string());
        self.control_with(json.and_then(|json| match json {
            json if json == "{}" => Err("it sets no point".to_owned()),
            json if json.starts_with('{') => Ok(Content::Attrs(json)),
            _ => Err("an object of names and values is expected".to_owned()),
        }))
    }

    /// Sends bytes to the device: usually a P0, whose first byte is the action. Early editions of the API
    /// documentation ask for the whole M2M frame, which `wrap_m2m` of the codec creates.
    ///
    /// The server doesn't check the bytes. If the client knows the product's definition from an earlier call or
    /// from `set_definition`, it refuses bytes that are not a message of the product, and bytes that set a point
    /// to a value that the definition doesn't allow. `unchecked` switches this check off.
    #[doc = page!(CONTROL)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// // A P0 with the action 2, which asks the device for a report.
    /// product.device("cBYkSjoE2xspYMhaUHdk5k").control_raw([2]).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn control_raw(&self, bytes: impl Into<Vec<u8>>) -> Call<M, Control> {
        let bytes = bytes.into();
        self.control_with(match bytes.is_empty() {
            true => Err("it has no bytes".to_owned()),
            false => Ok(Content::Raw(bytes)),
        })
    }

    fn control_with(&self, content: Result<Content, String>) -> Call<M, Control> {
        let control = Control {
            content,
            coding: None,
            checked: cfg!(feature = "codec"),
            encoded: false,
            #[cfg(feature = "codec")]
            rounding: gizwits_codec_std::Rounding::Exact,
        };
        self.call(endpoint::CONTROL, control)
    }
}

impl Control {
    fn body(&self, definition: Option<&Definition>) -> Result<String, Error> {
        let content = self.content.as_ref();
        let content = content
            .map_err(|error| Error::Invalid(format!("the control can't be sent: {error}")))?;
        #[cfg(feature = "codec")]
        let content = &self.checked(content, definition)?;
        #[cfg(not(feature = "codec"))]
        let _ = definition;
        let coding = match self.coding {
            Some(Coding::Hex) => r#""binary_coding":"hex","#,
            Some(Coding::Base64) => r#""binary_coding":"base64","#,
            None => "",
        };
        let (name, value) = match (content, self.coding) {
            (Content::Attrs(json), _) => ("attrs", json.clone()),
            (Content::Raw(bytes), Some(coding)) => ("raw", quoted(&coding.write(bytes))),
            (Content::Raw(bytes), None) => ("raw", json!(bytes).to_string()),
        };
        Ok(format!(r#"{{{coding}"{name}":{value}}}"#))
    }

    /// Checks the content against the definition, if it is known and the check is not switched off. Returns
    /// the content to send.
    #[cfg(feature = "codec")]
    fn checked(
        &self,
        content: &Content,
        definition: Option<&Definition>,
    ) -> Result<Content, Error> {
        match (content, definition) {
            (Content::Attrs(json), Some(definition)) if self.checked || self.encoded => {
                let mut message = definition.message(Action::Control).rounding(self.rounding);
                message.set_json(json)?;
                let p0 = message.encode()?;
                return Ok(match self.encoded {
                    true => Content::Raw(p0),
                    false => Content::Attrs(self.completed(definition, &p0)?),
                });
            }
            (Content::Attrs(_), None) if self.encoded => {
                let message = "`encoded` needs the product's definition: call `definition` first";
                return Err(Error::Invalid(message.to_owned()));
            }
            (Content::Raw(bytes), Some(definition)) if self.checked => check(definition, bytes)?,
            _ => {}
        }
        Ok(content.clone())
    }

    /// Converts the encoded control back to attrs: each point has the form of the definition.
    #[cfg(feature = "codec")]
    fn completed(&self, definition: &Definition, p0: &[u8]) -> Result<String, Error> {
        let decoded = definition.decode_p0(p0)?;
        let members = decoded.view().into_iter().flatten().filter_map(|reading| {
            let attr = definition.attr(reading.id())?;
            let value = match reading.value() {
                Value::Bool(value) => value.to_string(),
                Value::Enum(index) => match label(definition, reading, index) {
                    Some(label) => quoted(label),
                    None => index.to_string(),
                },
                Value::Number(number) => number.to_string(),
                Value::Binary(bytes) => quoted(&self.coding.unwrap_or(Coding::Hex).write(bytes)),
            };
            Some(format!("{}:{value}", quoted(attr.name())))
        });
        Ok(format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
    }
}

/// Refuses raw bytes that are not a message of the product, or contain a value that the encoder refuses.
#[cfg(feature = "codec")]
fn check(definition: &Definition, bytes: &[u8]) -> Result<(), gizwits_codec_std::Error> {
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

impl<M: Mode> Call<M, Control> {
    /// Sets the coding of binaries and of raw bytes. Default: hex for binaries, which is the server's default,
    /// and a list of numbers for raw bytes.
    pub fn binary_coding(mut self, coding: Coding) -> Self {
        self.operation.coding = Some(coding);
        self
    }
}

#[cfg(feature = "codec")]
impl<M: Mode> Call<M, Control> {
    /// Sends attrs or bytes without a check against the definition, for devices that accept more than their
    /// definition. A device whose firmware doesn't check its values executes a value that is out of range.
    /// Default: controls are checked.
    pub fn unchecked(mut self) -> Self {
        self.operation.checked = false;
        self
    }

    /// Encodes the attrs, and sends the bytes of the P0 in place of the attrs. Default: attrs are sent as JSON.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use serde_json::json;
    ///
    /// let device = product.device("cBYkSjoE2xspYMhaUHdk5k");
    /// device.control(json!({"set_temp": 24})).encoded().send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn encoded(mut self) -> Self {
        self.operation.encoded = true;
        self
    }

    /// Sets the rounding of numbers between two steps. Default: such numbers are refused.
    pub fn rounding(mut self, rounding: gizwits_codec_std::Rounding) -> Self {
        self.operation.rounding = rounding;
        self
    }
}

impl Operation for Control {
    type Output = Accepted;

    fn requests(&self, parts: &RequestParts, context: &Context<'_>) -> Requests {
        let body = Some(self.body(context.definition)?);
        Ok(vec![RequestParts {
            body,
            ..parts.clone()
        }])
    }

    fn read(&self, received: &Received<'_>) -> Result<Accepted, Error> {
        received.json()
    }

    fn wants_definition(&self) -> bool {
        (self.checked || self.encoded) && matches!(self.content, Ok(Content::Attrs(_)))
    }
}
