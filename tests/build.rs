//! Writes the code of every fixture, which `tests/codegen.rs` compiles.

use std::fmt::Write as _;
use std::path::Path;

use gizwits_codec_core::{Decimal, Scale};
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
    let renamed = renamed()?;
    std::fs::write(Path::new(&out).join("renamed.rs"), renamed)?;
    let _ = writeln!(
        all,
        "/// The fixture `names` with the names of `names.toml`, and derives for defmt.\n\
         pub mod renamed {{ include!(concat!(env!(\"OUT_DIR\"), \"/renamed.rs\")); }}"
    );
    std::fs::write(Path::new(&out).join("scales.rs"), scales_modules(&out)?)?;
    let _ = writeln!(
        all,
        "/// Calls a macro with the module and the name of every fixture.\n\
         #[macro_export] macro_rules! each_fixture {{ ($call:ident) => {{ {calls} }}; }}"
    );
    std::fs::write(Path::new(&out).join("generated.rs"), all)
}

/// The modules of the products of many scales. Only `tests/codegen.rs` has them, because they take longer to compile than all
/// other modules.
fn scales_modules(out: &str) -> std::io::Result<String> {
    let mut modules = String::new();
    for (name, json) in scales() {
        std::fs::write(Path::new(out).join(format!("{name}.json")), &json)?;
        let product =
            Product::from_json(&json).unwrap_or_else(|invalid| panic!("{name}: {invalid}"));
        std::fs::write(
            Path::new(out).join(format!("{name}.rs")),
            codegen::rust(&product),
        )?;
        let _ = writeln!(
            modules,
            "/// A product of many scales.\n\
             pub mod {name} {{ include!(concat!(env!(\"OUT_DIR\"), \"/{name}.rs\")); \
             /// The definition of the product.\n\
             pub const JSON: &str = include_str!(concat!(env!(\"OUT_DIR\"), \"/{name}.json\")); }}"
        );
    }
    Ok(modules)
}

/// The code of the fixture `names` with other names and with derives for defmt.
fn renamed() -> std::io::Result<String> {
    println!("cargo::rerun-if-changed=names.toml");
    let product = Product::from_json(&std::fs::read_to_string("fixtures/names.json")?);
    let product = product.unwrap_or_else(|invalid| panic!("names: {invalid}"));
    let names = codegen::Names::from_toml(&std::fs::read_to_string("names.toml")?, &product);
    let names = names.unwrap_or_else(|invalid| panic!("names.toml: {invalid}"));
    let options = codegen::Options::new().names(names).defmt(true);
    Ok(options.rust(&product))
}

/// Definitions of a few hundred numbers: each width with scales at the borders of 32 and 64 bits, and with
/// others that a generator draws. Scales that no definition may have are left out.
fn scales() -> Vec<(String, String)> {
    let (i32_max, i32_min) = (i64::from(i32::MAX), i64::from(i32::MIN));
    let ratios = [
        1,
        2,
        5,
        40_000,
        10_000_000,
        i32_max,
        i32_max + 1,
        999_999_999_999_999,
    ];
    let additions = [
        0,
        1,
        -1,
        -40,
        255,
        -1_000_000_000,
        i32_max,
        i32_max + 1,
        -i32_max,
        i32_min,
        i32_min - 1,
        -999_999_999_999_999,
        999_999_999_999_999,
    ];
    let mut numbers = Vec::new();
    for ratio in ratios {
        for addition in additions {
            numbers.push((Decimal::new(ratio, 0), Decimal::new(addition, 0)));
        }
    }
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut chance = move |below: u64| {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 8) % below
    };
    for _ in 0..150 {
        let mut decimal = |sign: i64| {
            let bits = chance(50) as u32;
            let coefficient = (chance(1 << bits.max(1)) as i64).min(999_999_999_999_999);
            Decimal::new(sign * coefficient, chance(8) as u8)
        };
        let ratio = decimal(1);
        numbers.push((
            ratio,
            decimal(if ratio.coefficient() % 2 == 0 { 1 } else { -1 }),
        ));
    }
    let mut products = Vec::new();
    for (name, bytes) in [("scales_8", 1_u32), ("scales_16", 2), ("scales_32", 4)] {
        let most = u32::MAX >> (32 - 8 * bytes);
        let mut attrs = Vec::new();
        let sound =
            |(ratio, addition): &&(Decimal, Decimal)| Scale::new(*ratio, *addition, most).is_ok();
        for (id, (ratio, addition)) in numbers.iter().filter(sound).enumerate() {
            // Every third point has all values of its width.
            let third = most / 3;
            let (min, max) = match id % 3 {
                0 => (0, most),
                1 => (0, 2 * third),
                _ => (third, most),
            };
            attrs.push(format!(
                "{{\"id\": {id}, \"name\": \"n{id}\", \"type\": \"status_writable\", \
                 \"data_type\": \"uint{}\", \"position\": {{\"unit\": \"byte\", \"byte_offset\": {}, \
                 \"bit_offset\": 0, \"len\": {bytes}}}, \"uint_spec\": {{\"min\": {min}, \"max\": {max}, \
                 \"ratio\": {ratio}, \"addition\": {addition}}}}}",
                8 * bytes,
                id * bytes as usize,
            ));
        }
        let attrs = attrs.join(",\n");
        products.push((
            name.to_owned(),
            format!(
                "{{\"name\": \"{name}\", \"product_key\": \"{:032}\", \"protocolType\": \"standard\", \
                 \"packetVersion\": \"0x00000004\", \"entities\": [{{\"id\": 0, \"name\": \"entity0\", \
                 \"attrs\": [\n{attrs}\n]}}]}}",
                bytes
            ),
        ));
    }
    products
}
