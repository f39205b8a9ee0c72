//! The C code of the pages compiles without a warning. Requires a C compiler, `cc`.

use std::path::Path;
use std::process::Command;

use gizwits_codec_std::codegen;
use gizwits_tests::program::Folder;
use gizwits_tests::vectors::product;

/// The blocks of C in a page.
fn blocks(page: &str) -> Vec<&str> {
    let after = page.split("```c\n").skip(1);
    after
        .filter_map(|rest| Some(rest.split_once("```")?.0))
        .collect()
}

#[test]
fn the_c_code_of_the_pages_compiles() {
    let code = codegen::c(&product("air-conditioner"), "aircon");
    let folder = Folder::new("c-pages");
    folder.write("aircon.h", &code.header);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (page, count) in [("README.md", 1), ("../docs/from-the-vendors-sdk.md", 2)] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let blocks = blocks(&text);
        assert_eq!(blocks.len(), count, "{page}");
        for (at, block) in blocks.into_iter().enumerate() {
            let source = folder.write("page.c", block);
            let mut command = Command::new("cc");
            command.args([
                "-std=c99",
                "-Wall",
                "-Wextra",
                "-Wredundant-decls",
                "-Wpedantic",
                "-Wconversion",
                "-Werror",
                "-fsyntax-only",
            ]);
            // Designated initialisers leave out what is null. The application calls the functions.
            command.args([
                "-Wno-missing-field-initializers",
                "-Wno-unused-function",
                "-DGIZWITS_LINK",
            ]);
            command.arg("-I").arg(root.join("include")).arg(&source);
            let ran = command.output().unwrap();
            let said = String::from_utf8_lossy(&ran.stderr);
            assert!(ran.status.success(), "{page}, block {}: {said}", at + 1);
        }
    }
}
