//! A decoder like those in carefully written services. It compiles the definition to a list of typed attributes
//! once, and a decode returns a list of names and values. Floats do the scaling.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value as Json;

/// A compiled attribute.
#[derive(Clone, Debug)]
pub struct Attr {
    name: String,
    kind: Kind,
    start: usize,
    end: usize,
    shift: usize,
    width: usize,
}

#[derive(Clone, Debug)]
enum Kind {
    Bool,
    Enum(Vec<String>),
    Number { ratio: f64, addition: f64 },
    Binary,
}

/// A decoded value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A bool.
    Bool(bool),
    /// The label of an enum.
    Label(String),
    /// A scaled number.
    Number(f64),
    /// A binary.
    Binary(Vec<u8>),
}

/// The attributes of a definition.
///
/// # Panics
/// If the definition is invalid.
#[must_use]
pub fn compile(definition: &Json) -> Vec<Attr> {
    let attrs = definition["entities"][0]["attrs"].as_array().unwrap();
    let number = |json: &Json| json.as_u64().unwrap() as usize;
    let end_bit =
        |attr: &Json| number(&attr["position"]["bit_offset"]) + number(&attr["position"]["len"]);
    let compile = |attr: &Json| {
        let position = &attr["position"];
        let (start, len) = (number(&position["byte_offset"]), number(&position["len"]));
        let same_area = |other: &&Json| {
            other["position"]["unit"] == "bit"
                && other["position"]["byte_offset"] == position["byte_offset"]
        };
        let (bytes, shift, width) = match position["unit"] == "bit" {
            true => {
                let bits = attrs.iter().filter(same_area).map(end_bit).max().unwrap();
                (bits.div_ceil(8), number(&position["bit_offset"]), len)
            }
            false => (len, 0, 8 * len),
        };
        let label = |label: &Json| label.as_str().unwrap().to_owned();
        Attr {
            name: attr["name"].as_str().unwrap().to_owned(),
            kind: match attr["data_type"].as_str().unwrap() {
                "bool" => Kind::Bool,
                "enum" => Kind::Enum(attr["enum"].as_array().unwrap().iter().map(label).collect()),
                "binary" => Kind::Binary,
                _ => Kind::Number {
                    ratio: attr["uint_spec"]["ratio"].as_f64().unwrap(),
                    addition: attr["uint_spec"]["addition"].as_f64().unwrap(),
                },
            },
            start,
            end: start + bytes,
            shift,
            width,
        }
    };
    attrs.iter().map(compile).collect()
}

/// The points of a status.
///
/// # Panics
/// If the status is too short.
#[must_use]
pub fn decode(attrs: &[Attr], status: &[u8]) -> Vec<(String, Value)> {
    let decode = |attr: &Attr| {
        let bytes = &status[attr.start..attr.end];
        let raw = || {
            let word = bytes
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte));
            word >> attr.shift & (u64::MAX >> (64 - attr.width))
        };
        let value = match &attr.kind {
            Kind::Bool => Value::Bool(raw() != 0),
            Kind::Enum(labels) => Value::Label(labels[raw() as usize].clone()),
            Kind::Number { ratio, addition } => Value::Number(raw() as f64 * ratio + addition),
            Kind::Binary => Value::Binary(bytes.to_vec()),
        };
        (attr.name.clone(), value)
    };
    attrs.iter().map(decode).collect()
}

/// The number of each value, to compare it: 0 for a binary.
///
/// # Panics
/// If a label is unknown.
#[must_use]
pub fn numbers(attrs: &[Attr], values: &[(String, Value)]) -> Vec<f64> {
    let number = |(attr, (_, value)): (&Attr, &(String, Value))| match (&attr.kind, value) {
        (_, Value::Bool(on)) => f64::from(u8::from(*on)),
        (Kind::Enum(labels), Value::Label(label)) => {
            labels.iter().position(|one| one == label).unwrap() as f64
        }
        (_, Value::Number(number)) => *number,
        _ => 0.0,
    };
    attrs.iter().zip(values).map(number).collect()
}

/// Writes a report as JSON.
///
/// # Panics
/// Never: memory takes it.
pub fn write_json(values: &[(String, Value)], out: &mut Vec<u8>) {
    #[derive(serde::Serialize)]
    struct Report<'a> {
        action: &'static str,
        attrs: Members<'a>,
    }
    let report = Report {
        action: "report",
        attrs: Members(values),
    };
    serde_json::to_writer(out, &report).unwrap();
}

struct Members<'a>(&'a [(String, Value)]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            match value {
                Value::Bool(on) => map.serialize_entry(name, &u8::from(*on))?,
                Value::Label(label) => map.serialize_entry(name, label)?,
                Value::Number(number) => map.serialize_entry(name, number)?,
                Value::Binary(bytes) => {
                    map.serialize_entry(name, &gizwits_codec_std::payload::hex(bytes))?;
                }
            }
        }
        map.end()
    }
}
