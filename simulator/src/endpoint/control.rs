//! Controls: JSON to the frame that a device receives, checked as strictly as the cloud checks it.

use std::collections::BTreeMap;

use gizwits_codec_std::core::{self, Access, Kind, P0};
use gizwits_codec_std::payload::{self, Encoding};
use gizwits_codec_std::{Action, Product};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use crate::api::{Call, Failure, Mode, Nothing, refuse, refuse_because};

/// A control: either `attrs` or `raw`.
// Values are kept as raw JSON: reading numbers as floats would lose digits.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"attrs": {"switch": true}}))]
pub(crate) struct Control {
    /// The payload for the device: a list of bytes, or text in the encoding of `binary_coding`. If the
    /// payload is a control, its values must be within their limits.
    #[schema(value_type = Option<RawBytes>)]
    raw: Option<Box<RawValue>>,
    /// The values to set, by the names of data points.
    #[schema(value_type = Option<Object>)]
    attrs: Option<BTreeMap<String, Box<RawValue>>>,
    /// The encoding of bytes as text, in `raw` and in binary data points. Default: `hex`.
    binary_coding: Option<BinaryCoding>,
}

/// The payload of a raw control.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is needed")]
enum RawBytes {
    /// A list of bytes.
    List(Vec<u8>),
    /// Text in the encoding that `binary_coding` names.
    Text(String),
}

/// The encoding of bytes as text.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum BinaryCoding {
    /// Two hex digits per byte, without a prefix and without spaces.
    Hex,
    /// Base64 as in RFC 4648, section 4.
    Base64,
}

pub(crate) fn control(call: &Call<'_>, asked: Control) -> Result<Nothing, Failure> {
    let coding = match asked.binary_coding {
        Some(BinaryCoding::Base64) => Encoding::Base64,
        Some(BinaryCoding::Hex) | None => Encoding::Hex,
    };
    if asked.raw.is_some() == asked.attrs.is_some() {
        return refuse_because(5002, "expected either raw or attrs");
    }
    if asked.attrs.as_ref().is_some_and(BTreeMap::is_empty) {
        return refuse_because(5002, "attrs: expected at least one data point");
    }
    let device = call.device()?;
    if !call.product()?.remote_control {
        return refuse(5404);
    }
    if device.disabled {
        return refuse(5304);
    }
    if !device.online {
        return refuse(5305);
    }
    let p0 = match asked.raw {
        Some(raw) => {
            // Frames of the platform are known to carry up to 65,535 bytes.
            let p0 = bytes(&raw, coding).filter(|p0| (1..=65_535).contains(&p0.len()));
            let Some(p0) = p0 else {
                let message = "raw: expected a list of 1 to 65535 bytes, or text by binary_coding";
                return refuse_because(5408, message);
            };
            if let Some(product) = call.store.product(call.product_key())
                && !call.modes.has(&Mode::UncheckedRaw)
            {
                check(product, &p0)?;
            }
            p0
        }
        None => encode(call.definition()?, asked.attrs.unwrap_or_default(), coding)?,
    };
    let (device, delay) = (device.id, device.reply_after);
    call.store.send(device, delay, call.now, &p0)?;
    Ok(Nothing {})
}

/// Refuses a raw control with values outside their limits. Any other payload is sent as it is: the device
/// ignores what it can't read.
fn check(product: &Product, p0: &[u8]) -> Result<(), Failure> {
    let Ok(P0::Control(view)) = P0::parse(product.layout(), p0) else {
        return Ok(());
    };
    let outside = view.iter().filter_map(|reading| {
        let error = core::Error::new(reading.flagged()?).about(reading.id());
        Some(product.refused(reading.value(), error).message)
    });
    let outside: Vec<String> = outside.collect();
    match outside.is_empty() {
        true => Ok(()),
        false => refuse_because(5401, outside.join("; ")),
    }
}

/// Reads bytes from a JSON list of numbers, or from JSON text in this encoding.
fn bytes(json: &RawValue, coding: Encoding) -> Option<Vec<u8>> {
    if !json.get().starts_with('"') {
        return serde_json::from_str(json.get()).ok();
    }
    let text: String = serde_json::from_str(json.get()).ok()?;
    // `payload::parse` also accepts a prefix and spaces, which the cloud is not known to accept.
    let plain = coding != Encoding::Hex || text.bytes().all(|byte| byte.is_ascii_hexdigit());
    payload::parse(&text, Some(coding)).ok().filter(|_| plain)
}

/// Encodes the P0 that sets these points.
///
/// Values of binary points are converted to hex for `set_json`. All other values keep their digits.
fn encode(
    product: &Product,
    mut attrs: BTreeMap<String, Box<RawValue>>,
    coding: Encoding,
) -> Result<Vec<u8>, Failure> {
    if let Some(name) = attrs.keys().find(|name| product.find(name).is_none()) {
        return refuse_because(5405, format!("no point is named `{name}`"));
    }
    for (name, value) in &mut attrs {
        let Some(attr) = product.find(name) else {
            continue;
        };
        if attr.point().access != Access::Writable {
            return refuse_because(5401, format!("`{name}` is not writable"));
        }
        match attr.point().kind {
            Kind::Bool if value.get().starts_with('"') => {
                return refuse_because(5401, format!("`{name}`: expected true, false, 1 or 0"));
            }
            Kind::Binary => {
                let len = attr.point().position.len as usize;
                let Some(bytes) = bytes(value, coding).filter(|bytes| bytes.len() == len) else {
                    let message = format!("`{name}`: expected exactly {len} bytes");
                    return refuse_because(5401, message);
                };
                // A string can always be written as JSON.
                *value = to_raw_value(&payload::hex(&bytes)).unwrap_or_default();
            }
            _ => {}
        }
    }
    let json =
        serde_json::to_string(&attrs).or_else(|error| refuse_because(5401, error.to_string()))?;
    let mut message = product.message(Action::Control);
    let set = message.set_json(&json);
    set.and_then(|()| message.encode())
        .or_else(|error| refuse_because(5401, error.message))
}
