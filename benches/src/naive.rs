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

fn integer(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

fn field(area: &[u8], position: &Value) -> u64 {
    let offset = position["bit_offset"].as_u64().unwrap();
    let len = position["len"].as_u64().unwrap();
    (integer(area) >> offset) & ((1 << len) - 1)
}
