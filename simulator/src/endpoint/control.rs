//! Control: from JSON to a frame, as strictly as the cloud takes it.

use std::collections::BTreeMap;

use gizwits_codec_std::core::{self, Access, Kind, P0};
use gizwits_codec_std::payload::{self, Encoding};
use gizwits_codec_std::{Action, Product};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use crate::api::{Call, Failure, Mode, Nothing, refuse, refuse_because};

/// A control: either points or bytes. Values are kept as they were written, so that no digit is lost.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"attrs": {"switch": true}}))]
pub(crate) struct Control {
    /// Bytes of the device's own protocol: a list of numbers, or text by `binary_coding`. The values of
    /// a control must be within their limits.
    #[schema(value_type = Option<RawBytes>)]
    raw: Option<Box<RawValue>>,
    /// Values by name of point.
    #[schema(value_type = Option<Object>)]
    attrs: Option<BTreeMap<String, Box<RawValue>>>,
    /// The encoding of bytes as text. Default: hex.
    binary_coding: Option<BinaryCoding>,
}

/// Bytes.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is needed")]
enum RawBytes {
    /// A list of numbers.
    List(Vec<u8>),
    /// Text in the encoding that `binary_coding` names.
    Text(String),
}

/// The encoding of bytes as text.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum BinaryCoding {
    /// Two digits a byte.
    Hex,
    /// RFC 4648, section 4.
    Base64,
}

pub(crate) fn control(call: &Call<'_>, asked: Control) -> Result<Nothing, Failure> {
    let coding = match asked.binary_coding {
        Some(BinaryCoding::Base64) => Encoding::Base64,
        Some(BinaryCoding::Hex) | None => Encoding::Hex,
    };
    if asked.raw.is_some() == asked.attrs.is_some() {
        return refuse_because(5002, "either raw or attrs is needed");
    }
    if asked.attrs.as_ref().is_some_and(BTreeMap::is_empty) {
        return refuse_because(5002, "attrs is an object with at least one point");
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
            // As much as the platform's frames are known to carry.
            let p0 = bytes(&raw, coding).filter(|p0| (1..=65_535).contains(&p0.len()));
            let Some(p0) = p0 else {
                let message = "raw is a list of bytes, or text by binary_coding";
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

/// Refuses a control with values outside their limits. Whatever else is no sound control goes to the
/// device, which ignores it.
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

/// The bytes that a list of numbers, or text, stands for.
fn bytes(json: &RawValue, coding: Encoding) -> Option<Vec<u8>> {
    if !json.get().starts_with('"') {
        return serde_json::from_str(json.get()).ok();
    }
    let text: String = serde_json::from_str(json.get()).ok()?;
    // Digits alone: no prefix and no spaces.
    let sound = coding != Encoding::Hex || text.bytes().all(|byte| byte.is_ascii_hexdigit());
    payload::parse(&text, Some(coding)).ok().filter(|_| sound)
}

/// The P0 that sets these points. Only bytes are written anew; other values keep their digits.
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
                return refuse_because(5401, format!("`{name}` is true or false, 1 or 0"));
            }
            Kind::Binary => {
                let len = attr.point().position.len as usize;
                let Some(bytes) = bytes(value, coding).filter(|bytes| bytes.len() == len) else {
                    let message = format!("`{name}` has {len} bytes: no more, no less");
                    return refuse_because(5401, message);
                };
                // Text is always JSON.
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
