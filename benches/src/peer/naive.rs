//! What services write: the definition is walked as JSON for every payload, values go into a map by
//! name, and floats do the scaling.

use std::collections::HashMap;

use serde_json::{Value, json};

/// The bytes of a line of hex.
#[must_use]
pub fn unhex(line: &str) -> Vec<u8> {
    (0..line.len() / 2)
        .map(|n| u8::from_str_radix(&line[2 * n..2 * n + 2], 16).unwrap())
        .collect()
}

/// The points of a status by name.
#[must_use]
pub fn decode(definition: &Value, status: &[u8]) -> HashMap<String, Value> {
    let attrs = definition["entities"][0]["attrs"].as_array().unwrap();
    let areas = areas(attrs);
    let mut values = HashMap::new();
    for attr in attrs {
        let position = &attr["position"];
        let len = position["len"].as_u64().unwrap();
        let start = position["byte_offset"].as_u64().unwrap();
        let bytes = match position["unit"].as_str().unwrap() {
            "bit" => areas[&start],
            _ => len,
        };
        let bytes = &status[start as usize..(start + bytes) as usize];
        let value = match attr["data_type"].as_str().unwrap() {
            "bool" => json!(field(bytes, position)),
            "enum" => attr["enum"][field(bytes, position) as usize].clone(),
            "binary" => json!(
                bytes
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<String>()
            ),
            _ => {
                let ratio = attr["uint_spec"]["ratio"].as_f64().unwrap();
                let addition = attr["uint_spec"]["addition"].as_f64().unwrap();
                json!(integer(bytes) as f64 * ratio + addition)
            }
        };
        values.insert(attr["name"].as_str().unwrap().to_owned(), value);
    }
    values
}

/// A line of hex to a line of JSON.
#[must_use]
pub fn ndjson(definition: &Value, line: &str) -> String {
    let report = unhex(line);
    json!({"action": "report", "attrs": decode(definition, &report[1..])}).to_string()
}

/// A point of a var_len product to [`walk`] over.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Whether it is in bits.
    bit: bool,
    binary: bool,
    /// The length in bits or bytes.
    len: usize,
}

/// The points of a var_len product in the order of their ids.
#[must_use]
pub fn slots(definition: &Value) -> Vec<Slot> {
    let attrs = definition["entities"][0]["attrs"].as_array().unwrap();
    let slot = |attr: &Value| Slot {
        bit: attr["position"]["unit"] == "bit",
        binary: attr["data_type"] == "binary",
        len: attr["position"]["len"].as_u64().unwrap() as usize,
    };
    attrs.iter().map(slot).collect()
}

/// A var_len body to raw integers, binaries to 0, as a careful program does it that asks each point
/// of the product whether it is there: once for the length of the bit area, once for its value.
pub fn walk(slots: &[Slot], body: &[u8], out: &mut Vec<(u16, u32)>) {
    out.clear();
    let (mask, values) = body.split_at(slots.len().div_ceil(8));
    let there = |id: usize| mask[mask.len() - 1 - id / 8] >> (id % 8) & 1 == 1;
    let mut bits = 0;
    for (id, slot) in slots.iter().enumerate() {
        if slot.bit && there(id) {
            bits += slot.len;
        }
    }
    let (area, mut rest) = values.split_at(bits.div_ceil(8));
    bits = 0;
    for (id, Slot { bit, binary, len }) in slots.iter().enumerate() {
        if !there(id) {
            continue;
        }
        if *bit {
            let mut raw = 0;
            for n in 0..*len {
                let at = bits + n;
                raw |= u32::from(area[area.len() - 1 - at / 8] >> (at % 8) & 1) << n;
            }
            bits += len;
            out.push((id as u16, raw));
        } else {
            let (value, behind) = rest.split_at(*len);
            rest = behind;
            out.push((id as u16, if *binary { 0 } else { integer(value) as u32 }));
        }
    }
}

fn integer(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

fn field(area: &[u8], position: &Value) -> u64 {
    let offset = position["bit_offset"].as_u64().unwrap();
    let len = position["len"].as_u64().unwrap();
    (integer(area) >> offset) & ((1 << len) - 1)
}

/// A status of the values in a JSON object.
#[must_use]
pub fn encode(definition: &Value, len: usize, json: &str) -> Vec<u8> {
    let values: HashMap<String, Value> = serde_json::from_str(json).unwrap();
    let mut status = vec![0; len];
    let attrs = definition["entities"][0]["attrs"].as_array().unwrap();
    let areas = areas(attrs);
    for attr in attrs {
        let position = &attr["position"];
        let start = position["byte_offset"].as_u64().unwrap() as usize;
        let len = position["len"].as_u64().unwrap() as usize;
        let value = &values[attr["name"].as_str().unwrap()];
        let raw = match attr["data_type"].as_str().unwrap() {
            "bool" => value.as_u64().unwrap(),
            "enum" => {
                let labels = attr["enum"].as_array().unwrap();
                labels.iter().position(|label| label == value).unwrap() as u64
            }
            "binary" => {
                let bytes = unhex(value.as_str().unwrap());
                status[start..start + len].copy_from_slice(&bytes);
                continue;
            }
            _ => {
                let ratio = attr["uint_spec"]["ratio"].as_f64().unwrap();
                let addition = attr["uint_spec"]["addition"].as_f64().unwrap();
                ((value.as_f64().unwrap() - addition) / ratio).round() as u64
            }
        };
        if position["unit"] == "bit" {
            let bit = position["bit_offset"].as_u64().unwrap() as usize;
            let area = areas[&(start as u64)] as usize;
            for n in 0..len {
                let at = bit + n;
                status[start + area - 1 - at / 8] |= ((raw >> n & 1) as u8) << (at % 8);
            }
        } else {
            status[start..start + len].copy_from_slice(&raw.to_be_bytes()[8 - len..]);
        }
    }
    status
}

/// The length in bytes of each bit area, by its first byte.
fn areas(attrs: &[Value]) -> HashMap<u64, u64> {
    let mut areas: HashMap<u64, u64> = HashMap::new();
    for attr in attrs {
        let position = &attr["position"];
        if position["unit"] == "bit" {
            let end = position["bit_offset"].as_u64().unwrap() + position["len"].as_u64().unwrap();
            let area = areas
                .entry(position["byte_offset"].as_u64().unwrap())
                .or_default();
            *area = end.div_ceil(8).max(*area);
        }
    }
    areas
}
