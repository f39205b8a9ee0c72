//! A data point with its names and labels.

use std::collections::HashMap;

use gizwits_codec_core::{Access, Kind, Point, PointId, Position, Protocol, UintSpec, Unit};
use serde_json::{Value, json};

/// One data point of a product: the core's [`Point`] with its names and labels.
#[derive(Clone, Debug)]
pub struct Attr {
    name: String,
    display_name: String,
    desc: String,
    protocol: Protocol,
    point: Point,
    labels: Vec<String>,
    /// The name as the key of a JSON object: `"name":`.
    pub(crate) key: Box<str>,
    /// Each label as JSON, or its index if another label of the enum is equal.
    pub(crate) rendered: Box<[Box<str>]>,
}

impl Attr {
    pub(crate) fn new(
        (name, display_name, desc): (String, String, String),
        protocol: Protocol,
        point: Point,
        labels: Vec<String>,
    ) -> Self {
        let mut uses: HashMap<&str, u32> = HashMap::new();
        for label in &labels {
            *uses.entry(label).or_default() += 1;
        }
        let rendered = labels
            .iter()
            .enumerate()
            .map(|(index, label)| match uses.get(label.as_str()) {
                Some(1) => Value::from(label.as_str()).to_string().into(),
                _ => index.to_string().into(),
            })
            .collect();
        Attr {
            key: format!("{}:", Value::from(name.as_str())).into(),
            name,
            display_name,
            desc,
            protocol,
            point,
            labels,
            rendered,
        }
    }

    /// The point's id.
    #[must_use]
    pub fn id(&self) -> PointId {
        PointId(self.point.id)
    }

    /// The name of the point in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name for people; empty if the definition has none.
    #[must_use]
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// The description, which often contains the unit; empty if the definition has none.
    #[must_use]
    pub fn desc(&self) -> &str {
        &self.desc
    }

    /// The access, kind and position of the point.
    pub fn point(&self) -> &Point {
        &self.point
    }

    /// Whether the point is a bool.
    #[must_use]
    pub fn is_bool(&self) -> bool {
        matches!(self.point.kind, Kind::Bool)
    }

    /// The labels of an enum; empty for other kinds.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Returns the index of a label; `None` if no label or more than one is equal to it.
    #[must_use]
    pub fn label_index(&self, label: &str) -> Option<u32> {
        let mut equal = self.labels.iter().zip(0..).filter(|(one, _)| *one == label);
        match (equal.next(), equal.next()) {
            (Some((_, index)), None) => Some(index),
            _ => None,
        }
    }

    /// Returns the label of a raw value; `None` if the value has no label, or another label of the enum is
    /// equal. Messages then contain the index.
    #[must_use]
    pub fn label(&self, raw: u32) -> Option<&str> {
        let own = self.rendered.get(raw as usize)?.starts_with('"');
        let label = self.labels.get(raw as usize).filter(|_| own);
        label.map(String::as_str)
    }

    /// Returns the data type of the point as a definition spells it: `bool`, `enum`, `uint8`, `uint16`, `uint32` or
    /// `binary`.
    #[must_use]
    pub fn data_type(&self) -> &'static str {
        data_type(self.point.kind)
    }

    /// Returns the location of the point for people: `byte 3`, `bytes 4..7`, `bits 3..4 of byte 0`. In a
    /// var_len product the location depends on the message, so this is the bit of the mask:
    /// `bit 12 of the mask`.
    #[must_use]
    pub fn location(&self) -> String {
        location(self.protocol, &self.point)
    }

    /// The byte offset in the status and, for a point in bits, the bit offset. Both are `None` in a var_len
    /// product, where they depend on the message.
    pub(crate) fn origin(&self) -> (Option<u32>, Option<u32>) {
        let position = &self.point.position;
        match (self.protocol, position.unit) {
            (Protocol::VarLen, _) => (None, None),
            (_, Unit::Byte) => (Some(position.byte_offset), None),
            (_, Unit::Bit) => (Some(position.byte_offset), Some(position.bit_offset)),
        }
    }
}

pub(crate) fn location(protocol: Protocol, point: &Point) -> String {
    if protocol == Protocol::VarLen {
        return format!("bit {} of the mask", point.id);
    }
    let position = &point.position;
    let (unit, first) = (unit_word(position.unit), start(position));
    let last = first.saturating_add(position.len.saturating_sub(1));
    let range = match first == last {
        true => format!("{unit} {first}"),
        false => format!("{unit}s {first}..{last}"),
    };
    match position.unit {
        Unit::Bit => format!("{range} of byte {}", position.byte_offset),
        Unit::Byte => range,
    }
}

/// The offset in the unit of the position: a bit of the bit area, or a byte of the status.
pub(super) fn start(position: &Position) -> u32 {
    match position.unit {
        Unit::Bit => position.bit_offset,
        Unit::Byte => position.byte_offset,
    }
}

/// The access as a definition spells it.
pub(crate) fn access_type(access: Access) -> &'static str {
    match access {
        Access::Writable => "status_writable",
        Access::ReadOnly => "status_readonly",
        Access::Alert => "alert",
        Access::Fault => "fault",
    }
}

/// The access for people.
pub(crate) fn access_word(access: Access) -> &'static str {
    match access {
        Access::Writable => "writable",
        Access::ReadOnly => "read-only",
        Access::Alert => "alert",
        Access::Fault => "fault",
    }
}

/// The unit of a position as a definition spells it.
pub(crate) fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Bit => "bit",
        Unit::Byte => "byte",
    }
}

/// The data type as a definition spells it.
pub(crate) fn data_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "bool",
        Kind::Enum { .. } => "enum",
        Kind::Uint8(_) => "uint8",
        Kind::Uint16(_) => "uint16",
        Kind::Uint32(_) => "uint32",
        Kind::Binary => "binary",
    }
}

/// The limits and scale of an integer, and the greatest raw value of its type.
pub(crate) fn uint_spec(kind: Kind) -> Option<(UintSpec, u32)> {
    match kind {
        Kind::Uint8(spec) => Some((spec, u8::MAX.into())),
        Kind::Uint16(spec) => Some((spec, u16::MAX.into())),
        Kind::Uint32(spec) => Some((spec, u32::MAX)),
        Kind::Bool | Kind::Enum { .. } | Kind::Binary => None,
    }
}

/// Returns the JSON of an attr.
pub(super) fn attr_json(attr: &Attr) -> Value {
    let point = attr.point();
    let position = &point.position;
    let mut json = json!({
        "id": point.id,
        "name": attr.name(),
        "display_name": attr.display_name(),
        "type": access_type(point.access),
        "data_type": data_type(point.kind),
        "position": {
            "byte_offset": position.byte_offset,
            "bit_offset": position.bit_offset,
            "len": position.len,
            "unit": unit_word(position.unit),
        },
    });
    if !attr.desc().is_empty() {
        json["desc"] = attr.desc().into();
    }
    if let Some((spec, _)) = uint_spec(point.kind) {
        json["uint_spec"] = json!({
            "min": spec.min,
            "max": spec.max,
            "ratio": spec.ratio,
            "addition": spec.addition,
        });
    }
    if let Kind::Enum { .. } = point.kind {
        json["enum"] = json!(attr.labels());
    }
    json
}
