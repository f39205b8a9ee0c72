//! Control: from JSON to a frame, as strictly as the cloud takes it.

use std::collections::BTreeMap;

use gizwits_codec_std::core::{self, Access, Kind, P0};
use gizwits_codec_std::payload::{self, Encoding};
use gizwits_codec_std::{Action, Product};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::api::{Call, Failure, Mode, Nothing, refuse, refuse_because};
use crate::world::Definition;

/// What a device is told: either points or bytes. Values are kept as they were written, so that no digit
/// is lost.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"attrs": {"switch": true}}))]
pub(crate) struct Control {
    /// Bytes of the device's own protocol: a list of numbers, or text by `binary_coding`. The values of
    /// a control must be within their limits.
    #[schema(value_type = Option<RawBytes>)]
    raw: Option<Box<RawValue>>,
    /// Values by name of point.
    #[schema(value_type = Option<Object>)]
    attrs: Option<Box<RawValue>>,
    /// What text stands for bytes: hex, unless said.
    binary_coding: Option<BinaryCoding>,
}

/// Bytes.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is needed")]
enum RawBytes {
    /// As numbers.
    List(Vec<u8>),
    /// As text.
    Text(String),
}

/// What text stands for bytes.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum BinaryCoding {
    /// Two digits a byte.
    Hex,
    /// RFC 4648, section 4.
    Base64,
}

pub(crate) fn control(call: &Call<'_>, asked: Control) -> Result<Nothing, Failure> {
    let coding = asked.binary_coding.map(|coding| match coding {
        BinaryCoding::Hex => Encoding::Hex,
        BinaryCoding::Base64 => Encoding::Base64,
    });
    let (raw, attrs) = match (&asked.raw, &asked.attrs) {
        (Some(raw), None) => (Some(raw), None),
        (None, Some(attrs)) => match serde_json::from_str::<Map<String, Value>>(attrs.get()) {
            Ok(map) if !map.is_empty() => (None, Some((attrs, map))),
            _ => return refuse_because(5002, "attrs is an object with at least one point"),
        },
        _ => return refuse_because(5002, "either raw or attrs is needed"),
    };
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
    let p0 = match (raw, attrs) {
        (Some(raw), _) => {
            let p0 = bytes(raw, coding)?;
            if let Some(product) = call.store.product(call.product_key())
                && !call.modes.has(&Mode::UncheckedRaw)
            {
                check(product, &p0)?;
            }
            p0
        }
        (None, Some((attrs, map))) => match call.store.definitions.get(call.product_key()) {
            Some(Definition::Sound(product)) => encode(product, attrs.get(), &map, coding)?,
            Some(Definition::Malformed) => return refuse(5406),
            _ => return refuse(5402),
        },
        (None, None) => return refuse(5002),
    };
    call.store
        .send(device.id, device.reply_after, call.now, &p0)?;
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

/// The bytes of `raw`: a list of numbers, or text.
fn bytes(raw: &RawValue, coding: Option<Encoding>) -> Result<Vec<u8>, Failure> {
    let value = serde_json::from_str(raw.get()).ok();
    let bytes = value.and_then(|value| bytes_of(&value, coding));
    match bytes {
        // As much as the platform's frames are known to carry.
        Some(bytes) if !bytes.is_empty() && bytes.len() <= 65_535 => Ok(bytes),
        _ => refuse_because(5408, "raw is a list of bytes, or text by binary_coding"),
    }
}

/// A list of numbers, or text.
fn bytes_of(value: &Value, coding: Option<Encoding>) -> Option<Vec<u8>> {
    match value {
        Value::Array(list) => list
            .iter()
            .map(|byte| u8::try_from(byte.as_u64()?).ok())
            .collect(),
        Value::String(text) => binary(text, coding),
        _ => None,
    }
}

fn binary(text: &str, coding: Option<Encoding>) -> Option<Vec<u8>> {
    match coding {
        Some(Encoding::Base64) => payload::parse(text, coding).ok(),
        _ => {
            let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let bytes = payload::parse(text, Some(Encoding::Hex)).ok();
            bytes.filter(|_| plain)
        }
    }
}

/// The P0 that sets these points.
fn encode(
    product: &Product,
    json: &str,
    attrs: &Map<String, Value>,
    coding: Option<Encoding>,
) -> Result<Vec<u8>, Failure> {
    for name in attrs.keys() {
        if product.find(name).is_none() {
            return refuse_because(5405, format!("no point is named `{name}`"));
        }
    }
    let mut message = product.message(Action::Control);
    let mut binaries = Map::new();
    for (name, value) in attrs {
        let Some(attr) = product.find(name) else {
            continue;
        };
        if attr.point().access != Access::Writable {
            return refuse_because(5401, format!("`{name}` is not writable"));
        }
        match (attr.point().kind, value) {
            (Kind::Binary, _) => {}
            (Kind::Bool, Value::String(_)) => {
                return refuse_because(5401, format!("`{name}` is true or false, 1 or 0"));
            }
            _ => continue,
        }
        let len = attr.point().position.len as usize;
        let bytes = bytes_of(value, coding);
        match bytes {
            Some(bytes) if bytes.len() == len => {
                binaries.insert(name.clone(), payload::hex(&bytes).into());
            }
            _ => {
                return refuse_because(5401, format!("`{name}` has {len} bytes: no more, no less"));
            }
        }
    }
    // Only the binaries are written anew; the rest keeps its digits.
    let rest: BTreeMap<String, &RawValue> =
        serde_json::from_str(json).or_else(|error| refuse_because(5002, error.to_string()))?;
    let set = |message: &mut gizwits_codec_std::Message<'_>| match binaries.is_empty() {
        true => message.set_json(json),
        false => {
            for (name, value) in &rest {
                let value = match binaries.get(name) {
                    Some(hex) => hex.to_string(),
                    None => value.get().to_owned(),
                };
                let one = format!("{{{}:{value}}}", Value::from(name.as_str()));
                message.set_json(&one)?;
            }
            Ok(())
        }
    };
    match set(&mut message).and_then(|()| message.encode()) {
        Ok(p0) => Ok(p0),
        Err(error) => refuse_because(5401, error.message),
    }
}
