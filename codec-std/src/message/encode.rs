//! Encodes payloads from JSON, text and values.

use std::borrow::Cow;

use gizwits_codec_core as core;
use gizwits_codec_core::m2m::{self, Frame};
use gizwits_codec_core::{Action, Decimal, Encoder, Kind, PointId, Rounding, Value};
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::explain::refusal;
use super::payload;
use crate::error::{Error, counted, shown};
use crate::product::Product;
use crate::product::attr::Attr;

/// A message that is being built: an action, and values of points by name.
///
/// ```
/// use gizwits_codec_std::{Action, Product, Value, payload};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let mut control = product.message(Action::Control);
/// control.set_word("switch", "on")?;
/// control.set("set_temp", Value::Number(24.into()))?;
/// control.set_json(r#"{"fan_speed":"中风"}"#)?;
/// assert_eq!(payload::hex(&control.encode()?), "014911000018");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Message<'p> {
    product: &'p Product,
    action: Action,
    rounding: Rounding,
    values: Vec<Option<Owned>>,
}

#[derive(Clone, Debug)]
enum Owned {
    Bool(bool),
    Enum(u32),
    Number(Decimal),
    Binary(Vec<u8>),
    /// No value: a point that a read asks for.
    Wanted,
}

impl Owned {
    fn value(&self) -> Option<Value<'_>> {
        Some(match self {
            Owned::Bool(value) => Value::Bool(*value),
            Owned::Enum(index) => Value::Enum(*index),
            Owned::Number(number) => Value::Number(*number),
            Owned::Binary(bytes) => Value::Binary(bytes),
            Owned::Wanted => return None,
        })
    }
}

impl Product {
    /// Returns an empty message with this action.
    #[must_use]
    pub fn message(&self, action: Action) -> Message<'_> {
        Message {
            product: self,
            action,
            rounding: Rounding::Exact,
            values: vec![None; self.attrs().len()],
        }
    }
}

impl Message<'_> {
    /// Sets the rounding of numbers between two steps. Default: [`Rounding::Exact`], which refuses them.
    ///
    /// ```
    /// use gizwits_codec_std::{Action, Product, Rounding};
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let mut control = product.message(Action::Control);
    /// control.set_word("set_temp", "20.6")?;
    /// assert_eq!(control.encode().unwrap_err().kind, "off_step");
    /// let bytes = control.rounding(Rounding::HalfUp).encode()?;
    /// assert_eq!(bytes[5], 21);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn rounding(mut self, rounding: Rounding) -> Self {
        self.rounding = rounding;
        self
    }

    /// Sets a point to a value that a person typed.
    ///
    /// | kind | text |
    /// | --- | --- |
    /// | bool | `true`, `false`, `on`, `off`, `1`, `0` |
    /// | enum | a label, or its index |
    /// | integer | an engineering value such as `7.32` |
    /// | binary | hex, or base64 after `base64:`. A short value is padded with zeros at its end |
    ///
    /// # Errors
    /// `unknown_point`, `duplicate_point`, `wrong_kind`, `unknown_label`, `binary_length`. Limits and steps are
    /// checked by [`encode`](Self::encode).
    pub fn set_word(&mut self, name: &str, word: &str) -> Result<(), Error> {
        let attr = self.product.expect(name)?;
        let given = || format!("{name} = {word}");
        let wrong = |expected: &str| wrong_kind(attr, given, expected);
        let value = match attr.point().kind {
            Kind::Bool => match word.to_ascii_lowercase().as_str() {
                "true" | "on" | "1" => Owned::Bool(true),
                "false" | "off" | "0" => Owned::Bool(false),
                _ => return Err(wrong("true, false, on, off, 1 or 0")),
            },
            Kind::Enum { .. } => match attr.label(word).or_else(|| word.parse().ok()) {
                Some(index) => Owned::Enum(index),
                None => return Err(self.unknown_label(attr, given)),
            },
            Kind::Binary => Owned::Binary(binary(attr, given, word)?),
            _ => Owned::Number(word.parse().map_err(|_| wrong("a number"))?),
        };
        self.put(attr.id(), value)
    }

    /// Sets points from a JSON object that follows the Enterprise API, such as
    /// `{"switch":true,"mode":"cool","set_temp":24,"blob":"0102"}`. For an enum, a string is a label and a
    /// number is an index. A binary can also be a list of bytes.
    ///
    /// ```
    /// use gizwits_codec_std::{Action, Product, payload};
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let mut control = product.message(Action::Control);
    /// control.set_json(r#"{"switch":true,"mode":"除湿"}"#)?;
    /// assert_eq!(payload::hex(&control.encode()?), "010509000000");
    ///
    /// let error = control.set_json(r#"{"fan_sped":1}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "unknown point `fan_sped`: did you mean `fan_speed`?");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `json` if the text is not a JSON object; the errors of [`set_word`](Self::set_word).
    pub fn set_json(&mut self, json: &str) -> Result<(), Error> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let members = reader
            .deserialize_map(Members)
            .and_then(|members| reader.end().map(|()| members))
            .map_err(|error| Error::new("json", format!("not a JSON object: {error}")))?;
        for (name, value) in members {
            self.set_json_value(&name, value.get())?;
        }
        Ok(())
    }

    fn set_json_value(&mut self, name: &str, json: &str) -> Result<(), Error> {
        let attr = self.product.expect(name)?;
        // Only an error needs the text.
        let given = || format!("{name} = {}", shown(json));
        let wrong = |expected: &str| wrong_kind(attr, given, expected);
        let value = match (attr.point().kind, string(json)) {
            (Kind::Bool, _) => match json {
                "true" | "1" | r#""1""# => Owned::Bool(true),
                "false" | "0" | r#""0""# => Owned::Bool(false),
                _ => return Err(wrong("true, false, 1 or 0")),
            },
            (Kind::Enum { .. }, Some(label)) => match attr.label(&label) {
                Some(index) => Owned::Enum(index),
                None => return Err(self.unknown_label(attr, given)),
            },
            (Kind::Enum { .. }, None) => {
                Owned::Enum(json.parse().map_err(|_| wrong("a label or its index"))?)
            }
            (Kind::Binary, Some(text)) => Owned::Binary(binary(attr, given, &text)?),
            (Kind::Binary, None) => {
                let bytes = serde_json::from_str(json);
                let bytes = bytes.map_err(|_| wrong("hex, base64:… or a list of bytes"))?;
                Owned::Binary(padded(attr, given, bytes)?)
            }
            // A float would lose digits.
            _ => Owned::Number(json.parse().map_err(|_| wrong("a number"))?),
        };
        self.put(attr.id(), value)
    }

    /// Sets a point to a value. Its kind, limits and step are checked by [`encode`](Self::encode).
    ///
    /// # Errors
    /// `unknown_point` if no point has this name, `duplicate_point` if the point is already set.
    pub fn set(&mut self, name: &str, value: Value<'_>) -> Result<(), Error> {
        let id = self.product.expect(name)?.id();
        let value = match value {
            Value::Bool(value) => Owned::Bool(value),
            Value::Enum(index) => Owned::Enum(index),
            Value::Number(number) => Owned::Number(number),
            Value::Binary(bytes) => Owned::Binary(bytes.to_vec()),
        };
        self.put(id, value)
    }

    /// Adds a point to a read of a var_len product. A read without points asks for all points.
    ///
    /// # Errors
    /// `unknown_point`, `duplicate_point`; `wrong_action` if the message is not a read of a var_len product.
    pub fn want(&mut self, name: &str) -> Result<(), Error> {
        let attr = self.product.expect(name)?;
        let error = match (self.action, self.product.protocol()) {
            (Action::Read, core::Protocol::VarLen) => return self.put(attr.id(), Owned::Wanted),
            (Action::Read, core::Protocol::Standard) => {
                let message =
                    "a read of a standard product names no points: it asks for all of them";
                Error::new("wrong_action", message)
            }
            _ => {
                let message =
                    format!("`{name}` has no value: only a read can name points without values");
                Error::new("wrong_action", message).about(name)
            }
        };
        Err(error)
    }

    fn put(&mut self, id: PointId, value: Owned) -> Result<(), Error> {
        match self.values.get_mut(id.index()) {
            Some(slot @ None) => {
                *slot = Some(value);
                Ok(())
            }
            _ => {
                let name = self.product.attr(id).map_or("?", Attr::name);
                let message = format!("`{name}` is given twice");
                Err(Error::new("duplicate_point", message).about(name))
            }
        }
    }

    /// Returns the bytes of the P0.
    ///
    /// # Errors
    /// `below_min`, `above_max`, `off_step`, `past_labels` or `not_writable` for a value that the definition
    /// does not allow; `nothing_set` for a control without values; `missing_points` for a reply or report of a
    /// standard product that lacks points; `wrong_action` for a read with values.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let given = || self.product.attrs().zip(&self.values);
        let nothing = self.values.iter().all(Option::is_none);
        let protocol = self.product.protocol();
        if self.action == Action::Control && nothing {
            let message = "a control sets at least one point: NAME=VALUE";
            return Err(Error::new("nothing_set", message));
        }
        let is_status = matches!(self.action, Action::Reply | Action::Report);
        if is_status && protocol == core::Protocol::Standard {
            let missing = given().filter(|(_, value)| value.is_none());
            let missing: Vec<&str> = missing.map(|(attr, _)| attr.name()).collect();
            if !missing.is_empty() {
                let missing = missing.join(", ");
                let message =
                    format!("a status of a standard product has all points; missing: {missing}");
                return Err(Error::new("missing_points", message));
            }
        }
        let layout = self.product.layout();
        let mut out = vec![0; layout.p0_len(self.action)];
        let mut encoder = Encoder::begin(layout, self.action, &mut out)?.rounding(self.rounding);
        let wants_all = self.action == Action::Read && protocol == core::Protocol::VarLen;
        for (attr, value) in given() {
            match value.as_ref().map(Owned::value) {
                None if !(wants_all && nothing) => {}
                None | Some(None) => encoder.want(attr.id())?,
                Some(Some(value)) => encoder
                    .set(attr.id(), value)
                    .map_err(|error| self.product.refused(value, error))?,
            }
        }
        let len = encoder.finish().len();
        out.truncate(len);
        Ok(out)
    }

    fn unknown_label(&self, attr: &Attr, given: impl Fn() -> String) -> Error {
        let labels = self.product.range(attr.id());
        let last = attr.labels().len().saturating_sub(1);
        let message = format!(
            "{} is not a label: expected {labels} (or an index, 0..{last})",
            given()
        );
        refusal("unknown_label", attr, message)
    }
}

/// Returns the content of a JSON string; `None` for any other JSON value.
fn string(json: &str) -> Option<Cow<'_, str>> {
    let content = json.strip_prefix('"')?.strip_suffix('"')?;
    match content.contains('\\') {
        false => Some(Cow::Borrowed(content)),
        true => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

fn wrong_kind(attr: &Attr, given: impl Fn() -> String, expected: &str) -> Error {
    let message = format!("{}: expected {expected}", given());
    refusal("wrong_kind", attr, message)
}

fn binary(attr: &Attr, given: impl Fn() -> String, text: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let (is_sound, expected) = match text.strip_prefix("base64:") {
        Some(text) => (
            text.is_empty() || payload::base64_into(text, &mut bytes),
            "base64 after `base64:`",
        ),
        None => {
            let mut digits = text.strip_prefix("0x").unwrap_or(text).to_owned();
            // A short value is padded at its end, so an odd digit is the high half of its byte.
            if !digits.len().is_multiple_of(2) {
                digits.push('0');
            }
            let is_hex = digits.is_empty() || payload::hex_into(&digits, &mut bytes);
            (is_hex, "hex, or `base64:` and base64")
        }
    };
    if !is_sound {
        return Err(wrong_kind(attr, given, expected));
    }
    padded(attr, given, bytes)
}

fn padded(attr: &Attr, given: impl Fn() -> String, mut bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    let len = attr.point().position.len as usize;
    if bytes.len() > len {
        let have = counted(bytes.len(), "byte");
        let message = format!("{} has {have}; the point has {len}", given());
        return Err(refusal("binary_length", attr, message));
    }
    bytes.resize(len, 0);
    Ok(bytes)
}

/// Deserializes the members of a JSON object as a list, so that duplicate keys can be refused.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object {\"NAME\":VALUE,…}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        std::iter::from_fn(|| map.next_entry().transpose()).collect()
    }
}

/// Wraps a P0 in an M2M frame.
///
/// | action | command without an sn | command with an sn |
/// | --- | --- | --- |
/// | control, read | 0x0090 | 0x0093 |
/// | report | 0x0091 | 0x0093 |
/// | reply | 0x0091 | 0x0094 |
///
/// ```
/// use gizwits_codec_std::{Action, payload, wrap};
///
/// let frame = wrap(&[0x02], Action::Read, None, None)?;
/// assert_eq!(payload::hex(&frame), "000000030400009002");
/// # Ok::<(), gizwits_codec_std::Error>(())
/// ```
///
/// # Errors
/// `did_length` if the did is longer than 64 bytes, `frame_limit` if the P0 is too long for a frame.
pub fn wrap(
    p0: &[u8],
    action: Action,
    sn: Option<u32>,
    did: Option<&str>,
) -> Result<Vec<u8>, Error> {
    let command = match (action, sn) {
        (Action::Reply, Some(_)) => m2m::ACK,
        (_, Some(_)) => m2m::REQUEST,
        (Action::Control | Action::Read, None) => m2m::TO_DEVICE,
        (Action::Reply | Action::Report, None) => m2m::FROM_DEVICE,
    };
    let frame = Frame {
        flag: 0,
        command,
        sn,
        did: did.map(str::as_bytes),
        body: p0,
    };
    // 24 bytes are enough for prefix, length, flag, command, sn and the length of the did.
    let room = did.map_or(0, str::len).saturating_add(p0.len());
    let mut out = vec![0; room.saturating_add(24)];
    let len = frame.encode(&mut out)?;
    out.truncate(len);
    Ok(out)
}
