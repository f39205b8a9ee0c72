//! Fixtures and vectors: the data in `tests/fixtures` and `tests/vectors`.

use std::path::Path;

use gizwits_codec_std::Product;
use serde_json::Value;

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
