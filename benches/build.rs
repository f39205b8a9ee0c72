//! Writes the code of products A and B as firmware includes it, which `src/generated.rs` compiles.

use std::path::Path;

use gizwits_codec_std::{Product, codegen};

fn main() -> std::io::Result<()> {
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    for name in ["product-a", "product-b"] {
        let definition = format!("../tests/fixtures/{name}.json");
        println!("cargo::rerun-if-changed={definition}");
        let product = Product::from_json(&std::fs::read_to_string(&definition)?)
            .unwrap_or_else(|invalid| panic!("{definition}: {invalid}"));
        let code = Path::new(&out).join(format!("{name}.rs"));
        std::fs::write(code, codegen::rust(&product))?;
    }
    Ok(())
}
