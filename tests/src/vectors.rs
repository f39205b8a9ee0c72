//! Fixtures and vectors: the data in `tests/fixtures` and `tests/vectors`.

use std::path::Path;

use gizwits_codec_std::Product;
use serde_json::{Value, json};

/// The JSON text of a fixture.
///
/// # Panics
/// If there is none of this name.
#[must_use]
pub fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/{name}.json"));
    match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// The names of all fixtures.
///
/// # Panics
/// If the folder can't be read.
#[must_use]
pub fn fixtures() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let entries = std::fs::read_dir(folder).expect("a folder of fixtures");
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            name.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

/// A fixture as a product.
///
/// # Panics
/// If it is not a valid definition.
#[must_use]
pub fn product(name: &str) -> Product {
    match Product::from_json(&fixture(name)) {
        Ok(product) => product,
        Err(invalid) => panic!("{name}: {invalid}"),
    }
}

/// The vectors of a file: payloads, and what they decode to.
///
/// # Panics
/// If the file can't be read.
#[must_use]
pub fn vectors(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(file);
    let text = std::fs::read_to_string(&path).expect("a file of vectors");
    serde_json::from_str(&text).expect("a list of vectors")
}

/// A small definition to break rules of: two bools, an enum, a uint8, a binary; a read-only uint16; an
/// alert.
#[must_use]
pub fn sound() -> Value {
    let bits = |bit: u32, len: u32, byte: u32| json!({"unit": "bit", "byte_offset": byte, "bit_offset": bit, "len": len});
    let bytes = |byte: u32, len: u32| json!({"unit": "byte", "byte_offset": byte, "bit_offset": 0, "len": len});
    let attr = |id: u32, name: &str, access: &str, data_type: &str, position: Value| json!({"id": id, "name": name, "type": access, "data_type": data_type, "position": position});
    let mut attrs = vec![
        attr(0, "power", "status_writable", "bool", bits(0, 1, 0)),
        attr(1, "light", "status_writable", "bool", bits(1, 1, 0)),
        attr(2, "mode", "status_writable", "enum", bits(2, 2, 0)),
        attr(3, "level", "status_writable", "uint8", bytes(1, 1)),
        attr(4, "blob", "status_writable", "binary", bytes(2, 3)),
        attr(5, "heat", "status_readonly", "uint16", bytes(5, 2)),
        attr(6, "smoke", "alert", "bool", bits(0, 1, 7)),
    ];
    attrs[2]["enum"] = json!(["a", "b", "c"]);
    attrs[3]["uint_spec"] = json!({"min": 0, "max": 100, "ratio": 1, "addition": 0});
    attrs[5]["uint_spec"] = json!({"min": 0, "max": 60000, "ratio": 0.01, "addition": -90.5});
    json!({
        "name": "sound", "product_key": "0123456789abcdef0123456789abcdef",
        "protocolType": "standard", "packetVersion": "0x00000004",
        "entities": [{"id": 0, "name": "entity0", "attrs": attrs}],
    })
}
