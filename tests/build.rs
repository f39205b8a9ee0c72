//! Writes the code of every fixture, which `tests/codegen.rs` compiles.

use std::fmt::Write as _;
use std::path::Path;

use gizwits_codec_std::{Product, codegen};

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=fixtures");
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    let mut all = String::new();
    let mut calls = String::new();
    let mut fixtures: Vec<_> = std::fs::read_dir("fixtures")?.collect::<Result<_, _>>()?;
    fixtures.sort_by_key(std::fs::DirEntry::path);
    for fixture in fixtures {
        let path = fixture.path();
        println!("cargo::rerun-if-changed={}", path.display());
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let product = Product::from_json(&std::fs::read_to_string(&path)?);
        let product = product.unwrap_or_else(|invalid| panic!("{}: {invalid}", path.display()));
        std::fs::write(
            Path::new(&out).join(format!("{name}.rs")),
            codegen::rust(&product),
        )?;
        let module = name.replace('-', "_");
        let _ = writeln!(
            all,
            "/// Of the fixture.\npub mod {module} {{ include!(concat!(env!(\"OUT_DIR\"), \"/{name}.rs\")); }}"
        );
        let _ = writeln!(calls, "$call!({module}, {name:?});");
    }
    let _ = writeln!(
        all,
        "/// Calls a macro with the module and the name of every fixture.\n\
         #[macro_export] macro_rules! each_fixture {{ ($call:ident) => {{ {calls} }}; }}"
    );
    std::fs::write(Path::new(&out).join("generated.rs"), all)
}
