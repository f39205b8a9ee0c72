//! Encodes payloads from JSON, text and values.

use std::borrow::Cow;

use gizwits_codec_core as core;
use gizwits_codec_core::m2m::{self, Frame};
use gizwits_codec_core::uart::{self, Command};
use gizwits_codec_core::{Action, Decimal, Encoder, Kind, PointId, Rounding, Value};
use serde::Deserialize;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::explain::refusal;
use super::members::{self, Given};
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

    /// Encodes a JSON object of points, as [`Message::set_json`] describes it, into a buffer: the bytes of the P0
    /// replace its content.
    ///
    /// Does not allocate if the buffer has been used before, unless the text has escapes, numbers with exponents, or
    /// binaries that are not plain hex. A number between two steps is refused: [`Message::rounding`] is for others.
    ///
    /// ```
    /// use gizwits_codec_std::{Action, Product, payload};
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let mut p0 = Vec::new();
    /// product.encode_json(r#"{"switch":true,"mode":"除湿"}"#, Action::Control, &mut p0)?;
    /// assert_eq!(payload::hex(&p0), "010509000000");
    ///
    /// let error = product.encode_json(r#"{"set_temp":31}"#, Action::Control, &mut p0).unwrap_err();
    /// assert_eq!(error.kind, "above_max");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`Message::set_json`] and [`Message::encode`]. The buffer is empty then.
    pub fn encode_json(&self, json: &str, action: Action, p0: &mut Vec<u8>) -> Result<(), Error> {
        if self.encode_members(json, action, p0).is_some() {
            return Ok(());
        }
        p0.clear();
        let mut message = self.message(action);
        message.set_each(json)?;
        p0.extend_from_slice(&message.encode()?);
        Ok(())
    }

    /// Encodes in one pass, without an error for what is refused.
    fn encode_members(&self, json: &str, action: Action, out: &mut Vec<u8>) -> Option<()> {
        let layout = self.layout();
        let (p0_len, mask_len) = (layout.p0_len(action), layout.mask_len());
        // Behind the P0 there is space for the set of points that were given, and for a binary.
        out.resize(p0_len + mask_len + layout.status_len(), 0);
        let (p0, space) = out.split_at_mut(p0_len);
        let (seen, bytes) = space.split_at_mut(mask_len);
        seen.fill(0);
        let mut encoder = Encoder::begin(layout, action, p0).ok()?;
        let mut count = 0;
        members::read(self, json, |id, given| {
            let (byte, bit) = (seen.get_mut(id.index() / 8)?, 1 << (id.0 % 8));
            if *byte & bit != 0 {
                return None;
            }
            *byte |= bit;
            count += 1;
            match given {
                Given::Raw(raw) => encoder.set_raw(id, raw).ok(),
                Given::Hex(digits) => {
                    let len = self.attr(id)?.point().position.len as usize;
                    let bytes = bytes.get_mut(..len)?;
                    let (head, rest) = bytes.split_at_mut_checked(digits.len() / 2)?;
                    faster_hex::hex_decode(digits, head).ok()?;
                    rest.fill(0);
                    encoder.set(id, Value::Binary(bytes)).ok()
                }
            }
        })?;
        let enough = match (action, self.protocol()) {
            (Action::Read, _) => return None,
            (Action::Control, _) => 1,
            (_, core::Protocol::Standard) => layout.point_count(),
            (_, core::Protocol::VarLen) => 0,
        };
        let len = encoder.finish().len();
        out.truncate(len);
        (count >= enough).then_some(())
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
        let attr = self.product.require(name)?;
        let given = || format!("{name} = {word}");
        let wrong = |expected: &str| wrong_kind(attr, given, expected);
        let value = match attr.point().kind {
            Kind::Bool => match word.to_ascii_lowercase().as_str() {
                "true" | "on" | "1" => Owned::Bool(true),
                "false" | "off" | "0" => Owned::Bool(false),
                _ => return Err(wrong("true, false, on, off, 1 or 0")),
            },
            Kind::Enum { .. } => match attr.label_index(word).or_else(|| word.parse().ok()) {
                Some(index) => Owned::Enum(index),
                None => return Err(self.unknown_label(attr, given)),
            },
            Kind::Binary => Owned::Binary(binary(attr, given, word)?),
            _ => Owned::Number(
                word.parse()
                    .map_err(|_| self.no_decimal(attr, given, word))?,
            ),
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
        let is_empty = self.values.iter().all(Option::is_none);
        if is_empty && self.set_all(json).is_some() {
            return Ok(());
        }
        if is_empty {
            self.values.fill(None);
        }
        self.set_each(json)
    }

    /// Sets points in one pass, without an error for what is refused.
    fn set_all(&mut self, json: &str) -> Option<()> {
        let (product, values) = (self.product, &mut self.values);
        members::read(product, json, |id, given| {
            let value = match (given, product.attr(id)?.point()) {
                (Given::Raw(raw), point) => match point.kind {
                    Kind::Bool => Owned::Bool(raw != 0),
                    Kind::Enum { .. } => Owned::Enum(raw),
                    _ => Owned::Number(product.layout().scale(id)?.value(raw)),
                },
                (Given::Hex(digits), point) => {
                    let mut bytes = vec![0; point.position.len as usize];
                    faster_hex::hex_decode(digits, bytes.get_mut(..digits.len() / 2)?).ok()?;
                    Owned::Binary(bytes)
                }
            };
            let slot = values.get_mut(id.index()).filter(|slot| slot.is_none())?;
            *slot = Some(value);
            Some(())
        })
    }

    /// Sets one point after the other, or returns the first error. The law for the readers of one pass.
    fn set_each(&mut self, json: &str) -> Result<(), Error> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let members = reader
            .deserialize_map(Members)
            .and_then(|members| reader.end().map(|()| members))
            .map_err(|error| Error::new("json", format!("not a JSON object: {error}")))?;
        for (Key(name), value) in members {
            self.set_json_value(&name, value.get())?;
        }
        Ok(())
    }

    fn set_json_value(&mut self, name: &str, json: &str) -> Result<(), Error> {
        let attr = self.product.require(name)?;
        // Only an error needs the text.
        let given = || format!("{name} = {}", shown(json));
        let wrong = |expected: &str| wrong_kind(attr, given, expected);
        let value = match (attr.point().kind, string(json)) {
            (Kind::Bool, _) => match json {
                "true" | "1" | r#""1""# => Owned::Bool(true),
                "false" | "0" | r#""0""# => Owned::Bool(false),
                _ => return Err(wrong("true, false, 1 or 0")),
            },
            (Kind::Enum { .. }, Some(label)) => match attr.label_index(&label) {
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
            _ => Owned::Number(
                json.parse()
                    .map_err(|_| self.no_decimal(attr, given, json))?,
            ),
        };
        self.put(attr.id(), value)
    }

    /// Sets a point to a value. Its kind, limits and step are checked by [`encode`](Self::encode).
    ///
    /// # Errors
    /// `unknown_point` if no point has this name, `duplicate_point` if the point is already set.
    pub fn set(&mut self, name: &str, value: Value<'_>) -> Result<(), Error> {
        let id = self.product.require(name)?.id();
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
        let attr = self.product.require(name)?;
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

    /// Returns the error of a text that is no number, or a number with more digits than a [`Decimal`] holds.
    fn no_decimal(&self, attr: &Attr, given: impl Fn() -> String, text: &str) -> Error {
        let is_plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
        let number: Option<f64> = match text.bytes().all(is_plain) {
            true => text.parse().ok(),
            false => None,
        };
        let layout = self.product.layout();
        let (Some(number), Some(scale), Some((min, max))) =
            (number, layout.scale(attr.id()), layout.limits(attr.id()))
        else {
            return wrong_kind(attr, given, "a number");
        };
        let (min, max) = (scale.value(min), scale.value(max));
        let (kind, limit) = if number > max.to_f64() {
            ("above_max", format!("above its maximum {max}"))
        } else if number < min.to_f64() {
            ("below_min", format!("below its minimum {min}"))
        } else {
            return wrong_kind(attr, given, "a number with at most 18 digits");
        };
        let range = self.product.range(attr.id());
        refusal(kind, attr, format!("{} is {limit} ({range})", given()))
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

/// A key, which is borrowed unless it has escapes.
#[derive(Deserialize)]
struct Key<'t>(#[serde(borrow)] Cow<'t, str>);

/// Deserializes the members of a JSON object as a list, so that duplicate keys can be refused.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Key<'de>, &'de RawValue)>;

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
/// use gizwits_codec_std::{Action, payload, wrap_m2m};
///
/// let frame = wrap_m2m(&[0x02], Action::Read, None, None)?;
/// assert_eq!(payload::hex(&frame), "000000030400009002");
/// # Ok::<(), gizwits_codec_std::Error>(())
/// ```
///
/// # Errors
/// `did_length` if the did is longer than 64 bytes, `frame_limit` if the P0 is too long for a frame.
pub fn wrap_m2m(
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

/// Wraps a P0 in a UART frame, with its stuffing and checksum.
///
/// A control or read is sent to the device ([`Command::TO_DEVICE`]), a reply acknowledges a read
/// ([`Command::TO_DEVICE_ACK`]), and a report comes from the device ([`Command::FROM_DEVICE`]).
///
/// ```
/// use gizwits_codec_std::{Action, payload, wrap_uart};
///
/// let wire = wrap_uart(&[0x02], Action::Read, 7)?;
/// assert_eq!(payload::hex(&wire), "ffff0006030700000212");
/// # Ok::<(), gizwits_codec_std::Error>(())
/// ```
///
/// # Errors
/// `frame_limit` if the P0 is too long for a frame.
pub fn wrap_uart(p0: &[u8], action: Action, sn: u8) -> Result<Vec<u8>, Error> {
    let frame = uart::Frame {
        command: match action {
            Action::Control | Action::Read => Command::TO_DEVICE,
            Action::Reply => Command::TO_DEVICE_ACK,
            Action::Report => Command::FROM_DEVICE,
        },
        sn,
        flags: 0,
        payload: p0,
    };
    // Stuffing at most doubles the bytes.
    let mut out = vec![0; 2 * (p0.len() + uart::OVERHEAD)];
    let len = frame.encode(&mut out)?;
    out.truncate(len);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::Index;
    use std::sync::LazyLock;

    const ACTIONS: [Action; 4] = [Action::Control, Action::Read, Action::Reply, Action::Report];

    static FIXTURES: LazyLock<Vec<Product>> = LazyLock::new(|| {
        let files = std::fs::read_dir("../tests/fixtures").unwrap();
        let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        texts
            .map(|text| Product::from_json(&text).unwrap())
            .collect()
    });

    /// Values as a program writes them, and values that are nearly so.
    fn value(attr: &Attr, product: &Product, form: usize, number: u32) -> String {
        let (min, max) = product.layout().limits(attr.id()).unwrap();
        let raw = min + (u64::from(number) % (u64::from(max - min) + 1)) as u32;
        let scale = product.layout().scale(attr.id()).unwrap();
        let pick = |texts: &[&str]| texts[number as usize % texts.len()].to_owned();
        let len = attr.point().position.len as usize + form % 3;
        let bytes: Vec<u8> = (0..len as u32)
            .map(|n| number.rotate_left(n) as u8)
            .collect();
        let hex = payload::hex(&bytes);
        match (attr.point().kind, form) {
            (_, 16..) => pick(&[
                "null",
                "{}",
                "[]",
                "{\"a\":[1,{}]}",
                "",
                "nul",
                "\"",
                "\"\\ud800\"",
                "1 2",
            ]),
            (Kind::Bool, _) => pick(&[
                "true",
                "false",
                "0",
                "1",
                "\"0\"",
                "\"1\"",
                "2",
                "1.0",
                "-0",
                "01",
                "\"true\"",
                "tru",
                "\"\\u0031\"",
            ]),
            (Kind::Enum { .. }, 0..8) => attr.rendered[raw as usize].to_string(),
            (Kind::Enum { .. }, 8..12) => raw.to_string(),
            (Kind::Enum { .. }, _) => pick(&[
                "-0",
                "01",
                "1.0",
                "1e0",
                "\"1\"",
                "\"none\"",
                "9",
                "4294967296",
                "\"\\n\"",
            ]),
            (Kind::Binary, 0..6) => format!("\"{}\"", &hex[..hex.len().min(2 * max as usize)]),
            (Kind::Binary, 6) => format!("\"{}\"", &hex[..number as usize % (hex.len() + 1)]),
            (Kind::Binary, 7) => format!("\"{}\"", hex.to_uppercase()),
            (Kind::Binary, 8) => format!("\"0x{hex}\""),
            (Kind::Binary, 9) => format!("\"base64:{}\"", payload::base64(&number.to_le_bytes())),
            (Kind::Binary, _) => pick(&[
                "[1,2]",
                "[256]",
                "\"\"",
                "\"zz\"",
                "\"0g\"",
                "\"01 02\"",
                "\"\\u0030\\u0030\"",
                "\"é\"",
                "12",
            ]),
            (_, 0..8) => scale.value(raw).to_string(),
            (_, 8) => scale.value(number).to_string(),
            (_, 9) => {
                scale.value(max).to_string() + if number.is_multiple_of(2) { "1" } else { ".01" }
            }
            (_, 10) => format!(
                "{}{}",
                scale.value(raw),
                &"e0 .0 00 E-2 e+1 . e"
                    .split(' ')
                    .nth(number as usize % 7)
                    .unwrap()
            ),
            (_, 11) => format!("\"{}\"", scale.value(raw)),
            (_, 12) => format!("-{}", scale.value(raw)),
            _ => pick(&[
                "-0",
                "00",
                "01",
                "-",
                ".5",
                "1.",
                "+1",
                "1e400",
                "1.5e-3",
                "999999999999999999",
                "9223372036854775807",
                "9223372036854775808",
                "18446744073709551616",
                "-9223372036854775808",
                "0.0000000000000000001",
                "1.000000000000000000000000",
                "123456789012345678.5",
                "4294967295",
                "4294967296",
                "0x10",
            ]),
        }
    }

    /// One member, from the choices that a test drew.
    fn member(product: &Product, at: usize, (key_form, form, number): (u8, u8, u32)) -> String {
        let attr = product.attrs().nth(at).unwrap();
        let key = match key_form {
            0..230 => attr.key.to_string(),
            230..236 => attr.key.replace(':', " \n:\t"),
            236..240 => {
                let mut rest = attr.name().chars();
                let first = rest.next().map_or(0, u32::from);
                let rest = serde_json::Value::from(rest.as_str()).to_string();
                format!("\"\\u{first:04x}{}:", &rest[1..])
            }
            240..244 => attr.key.replace("\":", "x\":"),
            244..248 => "\"\":".to_owned(),
            248..250 => "\"a\nb\":".to_owned(),
            _ => attr.key.replace(':', ""),
        };
        // Most values are sound, so that the reader gets far.
        let form = usize::from(form);
        let form = if form < 200 { form % 8 } else { form % 17 };
        format!("{key}{}", value(attr, product, form, number))
    }

    fn plain(product: &Product, json: &str, action: Action) -> Result<Vec<u8>, Error> {
        let mut message = product.message(action);
        message.set_each(json)?;
        message.encode()
    }

    /// The readers of one pass agree with the plain path.
    fn law(product: &Product, json: &str, action: Action) {
        let expected = plain(product, json, action);
        let mut out = vec![0xaa; 5];
        let result = product.encode_json(json, action, &mut out);
        assert!(result.is_ok() || out.is_empty());
        assert_eq!(result.map(|()| out), expected, "{json}");
        let (mut one, mut two) = (product.message(action), product.message(action));
        assert_eq!(one.set_json(json), two.set_each(json), "{json}");
        // What was set before an error stays set.
        assert_eq!(one.encode(), two.encode(), "{json}");
        assert_eq!(one.set_json(json), two.set_each(json), "{json}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn one_pass_is_the_plain_path(
            (which, action, all) in any::<(Index, Index, bool)>(),
            members in proptest::collection::vec((any::<Index>(), any::<(u8, u8, u32)>()), 0..12),
            (space, end) in any::<(u8, u8)>(),
            edits in proptest::collection::vec(any::<(Index, Index, u8)>(), 0..4),
        ) {
            let product = which.get(&FIXTURES);
            let action = *action.get(&ACTIONS);
            let count = product.attrs().len();
            let texts: Vec<String> = match (all, &members[..]) {
                (true, [first, ..]) => (0..count)
                    .map(|at| {
                        let (_, (_, _, number)) = members[at % members.len()];
                        // One of all points may be odd.
                        let odd = (at == first.0.index(count)).then_some(first.1);
                        member(product, at, odd.unwrap_or((0, 0, number)))
                    })
                    .collect(),
                _ => members.iter().map(|(at, drawn)| member(product, at.index(count), *drawn)).collect(),
            };
            let comma = match space { 0..150 => ",", 150..200 => ", ", 200..250 => " ,\r\n\t", _ => ",," };
            let (open, close) = match end {
                0..200 => ("{", "}"),
                200..220 => (" {\n", " } \n"),
                220..230 => ("{", ",}"),
                230..240 => ("{", "}x"),
                240..245 => ("", ""),
                _ => ("{ ", ""),
            };
            let mut json = format!("{open}{}{close}", texts.join(comma));
            law(product, &json, action);
            for (at, with, how) in edits {
                let mut chars: Vec<char> = json.chars().collect();
                let at = at.index(chars.len() + 1);
                let with = *with.get(&"{}[]\":,\\0159eE.-+tfn \n\u{1}é\u{2028}".chars().collect::<Vec<_>>());
                match how {
                    0..100 => chars.insert(at, with),
                    100..200 if at < chars.len() => chars[at] = with,
                    200..240 if at < chars.len() => { chars.remove(at); }
                    _ => chars.truncate(at),
                }
                json = chars.into_iter().collect();
                law(product, &json, action);
            }
        }
    }

    /// The one pass takes all that a payload decodes to, so the law above is about it.
    #[test]
    fn decoded_values_take_one_pass() {
        for product in &*FIXTURES {
            for pick in [|min, _| min, |_, max| max, |min, max| min + (max - min) / 3] {
                let layout = product.layout();
                let mut p0 = vec![0; layout.p0_len(Action::Report)];
                let mut encoder = Encoder::begin(layout, Action::Report, &mut p0).unwrap();
                for id in (0..layout.point_count()).map(PointId) {
                    let (min, max) = layout.limits(id).unwrap();
                    if encoder.set_raw(id, pick(min, max)).is_err() {
                        encoder
                            .set(id, Value::Binary(&vec![7; max as usize]))
                            .unwrap();
                    }
                }
                let p0 = encoder.finish().to_vec();
                let json = product.decode(&p0).unwrap().to_json();
                let json: serde_json::Value = serde_json::from_str(&json).unwrap();
                let mut out = Vec::new();
                let taken =
                    product.encode_members(&json["attrs"].to_string(), Action::Report, &mut out);
                assert_eq!((taken, out), (Some(()), p0), "{}", product.name());
            }
        }
    }
}
