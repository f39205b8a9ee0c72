//! Compiles the generated C code of all fixtures and of drawn products, which the target `generated_c` calls, with the
//! sanitizer and the coverage of the fuzzer.

use std::path::{Path, PathBuf};

use gizwits_tests::generated_c::{self, DRAWN_TO_FUZZ};

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=../tests/c");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let sources = Path::new("../tests/c");
    let mut build = cc::Build::new();
    build.compiler("clang").include(sources).include(&out);
    // The compiler takes a minute for optimized code with these checks.
    build.flag("-fsanitize=fuzzer-no-link").opt_level(0);
    let sanitizers = std::env::var("CARGO_CFG_SANITIZE").unwrap_or_default();
    if sanitizers.split(',').any(|name| name == "address") {
        build.flag("-fsanitize=address");
    }
    // Undefined behaviour traps, because the fuzzer is not linked with the messages of this sanitizer.
    build
        .flag("-fsanitize=undefined")
        .flag("-fsanitize-trap=undefined");

    let products = generated_c::products(DRAWN_TO_FUZZ);
    for product in &products {
        let file = |suffix: &str| out.join(format!("{}{suffix}", product.name));
        std::fs::write(file(".h"), &product.code.header)?;
        std::fs::write(file(".c"), &product.code.source)?;
        std::fs::write(file("-driver.c"), product.driver())?;
        build.file(file(".c")).file(file("-driver.c"));
    }
    std::fs::write(out.join("table.c"), generated_c::table(&products))?;
    build.file(out.join("table.c")).file(sources.join("line.c"));
    build.compile("generated_c");
    Ok(())
}
