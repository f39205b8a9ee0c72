//! Values, ranges and errors of messages as text for people.

use gizwits_codec_core as core;
use gizwits_codec_core::{ErrorKind, Kind, PointValue, Protocol, Value};

use super::payload;
use crate::error::{Error, counted};
use crate::product::Product;
use crate::product::attr::Attr;

impl Product {
    /// Returns the value of a point for people: `on` or `off`, a label, a number or hex.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let report = [0x04, 0x11, 0x00, 0x00, 0x10, 0x1e, 0x00, 0x00];
    /// let view = product.decode(&report)?.view().unwrap();
    /// let texts: Vec<String> = view.iter().map(|value| product.show(value)).collect();
    /// assert_eq!(texts[..4], ["on", "off", "制冷", "中风"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn show(&self, reading: PointValue<'_, '_>) -> String {
        match (reading.value(), self.attr(reading.id())) {
            (Value::Bool(on), _) => if on { "on" } else { "off" }.to_owned(),
            (Value::Enum(index), attr) => attr
                .and_then(|attr| attr.labels().get(index as usize).cloned())
                .unwrap_or_else(|| index.to_string()),
            (Value::Number(number), _) => number.to_string(),
            (Value::Binary(bytes), _) => payload::hex(bytes),
        }
    }

    /// Describes how a value breaks the definition, such as `above its maximum (16..30, step 1)`; `None` for a
    /// valid value.
    #[must_use]
    pub fn flagged(&self, reading: PointValue<'_, '_>) -> Option<String> {
        let range = self.range(reading.id());
        Some(match reading.flagged()? {
            ErrorKind::PastLabels => "past its labels".to_owned(),
            ErrorKind::BelowMin => format!("below its minimum ({range})"),
            _ => format!("above its maximum ({range})"),
        })
    }

    /// Returns the valid values of a point for people: the range and step of an integer, the labels of an enum,
    /// the length of a binary. Empty if no point has this id.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let range = |name| product.range(product.find(name).unwrap().id());
    /// assert_eq!(range("room_temp"), "-10..35, step 1");
    /// assert_eq!(range("fan_speed"), "低风, 中风, 高风");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn range(&self, id: core::PointId) -> String {
        let layout = self.layout();
        let (Some(attr), Some(scale), Some((min, max))) =
            (self.attr(id), layout.scale(id), layout.limits(id))
        else {
            return String::new();
        };
        match attr.point().kind {
            Kind::Bool => "on or off".to_owned(),
            Kind::Enum { .. } => {
                let (labels, shown) = (attr.labels(), attr.labels().len().min(12));
                let dots = if labels.len() > shown { ", …" } else { "" };
                format!("{}{dots}", labels[..shown].join(", "))
            }
            Kind::Binary => counted(max as usize, "byte"),
            _ => {
                let (low, high) = (scale.value(min), scale.value(max));
                format!("{low}..{high}, step {}", scale.ratio())
            }
        }
    }

    /// Converts the core's error of a P0, with the names of the definition.
    pub(crate) fn explain_p0(&self, error: core::Error, p0: &[u8]) -> Error {
        let mut explained = self.explain(error);
        if self.protocol() == Protocol::Standard {
            return explained;
        }
        let mask = self.layout().mask_len();
        if let [0x12, asked @ ..] = p0 {
            let asked = counted(asked.len(), "byte");
            explained.message = format!(
                "the mask of the read has {asked}: expected {mask}, or any number of ff bytes to ask for \
                 all points"
            );
        } else if let core::ErrorKind::Incomplete { missing } = error.kind
            && (1..=mask).contains(&p0.len())
        {
            let (mask, byte) = (counted(mask, "byte"), error.byte.unwrap_or(0));
            explained.message = format!(
                "the payload ends within its mask: {missing} of {mask} missing, from byte {byte} on"
            );
        }
        explained
    }

    /// Converts an error of the core, with the names of the definition.
    pub(crate) fn explain(&self, error: core::Error) -> Error {
        use core::ErrorKind as K;
        let point = error.point.and_then(|id| self.attr(id)).map(Attr::name);
        let byte = error.byte.unwrap_or(0);
        let message = match error.kind {
            K::Incomplete { missing } => {
                let mut message = String::with_capacity(96 + point.map_or(0, str::len));
                message.push_str("the payload ends");
                if let Some(name) = point {
                    message.push_str(" before `");
                    message.push_str(name);
                    message.push('`');
                }
                message.push_str(": ");
                put_bytes(&mut message, missing, " missing", byte);
                message
            }
            K::Trailing { extra } => {
                let mut message = String::with_capacity(64);
                put_bytes(&mut message, extra, " after the end", byte);
                message
            }
            K::UnknownAction { action } => {
                let known = match self.protocol() {
                    Protocol::Standard => "0x01 to 0x06",
                    Protocol::VarLen => "0x11 to 0x14, 0x05 and 0x06",
                };
                format!("unknown action {action:#04x} in byte {byte}: this product has {known}")
            }
            K::OtherProtocol { action } => {
                let (other, own) = match self.protocol() {
                    Protocol::Standard => ("var_len", "standard"),
                    Protocol::VarLen => ("standard", "var_len"),
                };
                format!(
                    "action {action:#04x} in byte {byte} belongs to {other} products, but this product is {own}"
                )
            }
            K::UnknownFlag => {
                let last = self.layout().point_count().saturating_sub(1);
                let flag = error.bit.unwrap_or(0);
                format!("flag {flag} is set in byte {byte}, but the last point is {last}")
            }
            K::NotWritable => format!("`{}` is not writable", point.unwrap_or("?")),
            K::NotM2m => "not an M2M frame: the payload does not begin with 00000003".to_owned(),
            K::FrameLength => {
                "the M2M frame has an impossible length, which begins at byte 4".to_owned()
            }
            kind => match point {
                Some(name) => format!("`{name}`: {kind}"),
                None => kind.to_string(),
            },
        };
        let explained = Error::new(error.kind.name(), message).at(error.byte, error.bit);
        match point {
            Some(name) => explained.about(name),
            None => explained,
        }
    }

    /// Converts an error of the core's encoder about a value. The message names the point, the value and the
    /// valid values.
    #[must_use]
    pub fn refused(&self, value: Value<'_>, error: core::Error) -> Error {
        let Some(attr) = error.point.and_then(|id| self.attr(id)) else {
            return self.explain(error);
        };
        let (name, id) = (attr.name(), attr.id());
        let (range, layout) = (self.range(id), self.layout());
        let scale = layout.scale(id).unwrap_or(core::Scale::IDENTITY);
        let (min, max) = layout.limits(id).unwrap_or_default();
        let given = match value {
            Value::Bool(value) => format!("{name} = {value}"),
            Value::Enum(index) => format!("{name} = {index}"),
            Value::Number(number) => format!("{name} = {number}"),
            Value::Binary(bytes) => format!("{name} of {}", counted(bytes.len(), "byte")),
        };
        let message = match error.kind {
            ErrorKind::BelowMin => {
                let min = scale.value(min);
                format!("{given} is below its minimum {min} ({range})")
            }
            ErrorKind::AboveMax => {
                let max = scale.value(max);
                format!("{given} is above its maximum {max} ({range})")
            }
            ErrorKind::OffStep { below } => {
                let (low, high) = (scale.value(below), scale.value(below.saturating_add(1)));
                format!("{given} is between the steps {low} and {high} ({range})")
            }
            ErrorKind::PastLabels => format!("{given} is past its labels: 0..{max} ({range})"),
            ErrorKind::NotWritable => {
                let writable = |attr: &&Attr| attr.point().access == core::Access::Writable;
                let names: Vec<&str> = self.attrs().filter(writable).map(Attr::name).collect();
                let names = names.join(", ");
                format!("`{name}` is not writable; writable points: {names}")
            }
            ErrorKind::WrongAction => format!("{given}: a read sets no values"),
            _ => return self.explain(error),
        };
        refusal(error.kind.name(), attr, message)
    }
}

/// Appends `2 bytes missing, from byte 7 on`. These messages are written for every payload of a wrong length, in a
/// fraction of the instructions of `format!`.
fn put_bytes(message: &mut String, number: u32, problem: &str, byte: u32) {
    let bytes = if number == 1 { " byte" } else { " bytes" };
    message.push_str(itoa::Buffer::new().format(number));
    message.push_str(bytes);
    message.push_str(problem);
    message.push_str(", from byte ");
    message.push_str(itoa::Buffer::new().format(byte));
    message.push_str(" on");
}

/// An error about a value, with the point and its location in the status.
pub(super) fn refusal(kind: &'static str, attr: &Attr, message: String) -> Error {
    let (byte, bit) = attr.origin();
    Error::new(kind, message).about(attr.name()).at(byte, bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_wrong_lengths() {
        let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json").unwrap();
        let product = Product::from_json(&definition).unwrap();
        let report = [4, 1, 0, 0, 16, 30, 0, 0, 9, 9];
        for (payload, message, point) in [
            (
                &report[..7],
                "the payload ends before `fault_roomtemp`: 1 byte missing, from byte 7 on",
                Some("fault_roomtemp"),
            ),
            (
                &report[..1],
                "the payload ends before `switch`: 7 bytes missing, from byte 1 on",
                Some("switch"),
            ),
            (&report[..9], "1 byte after the end, from byte 8 on", None),
            (&report[..], "2 bytes after the end, from byte 8 on", None),
            (
                &[],
                "the payload is empty: expected an M2M frame, which begins with 00000003, or a P0",
                None,
            ),
            (
                &[0, 0, 0, 3, 12, 0],
                "the payload ends: 11 bytes missing, from byte 6 on",
                None,
            ),
        ] {
            let error = product.decode(payload).unwrap_err();
            assert_eq!(
                (error.message.as_str(), error.point.as_deref()),
                (message, point)
            );
        }
    }
}
