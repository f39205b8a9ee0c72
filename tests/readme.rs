//! Tests of README.md: its commands print the output that it shows, and its Rust is code that is compiled and run here.

use gizwits_tests::program;

#[path = "readme/build.rs"]
mod build;
#[path = "readme/client.rs"]
mod client;
#[path = "readme/firmware.rs"]
mod firmware;
#[path = "readme/server.rs"]
mod server;

#[test]
fn the_rust_of_the_readme_is_code_of_these_tests() {
    let readme = std::fs::read_to_string(program::root().join("README.md")).unwrap();
    let blocks: Vec<&str> = readme.split("```rust\n").skip(1).collect();
    let files = ["server", "client", "build", "firmware"];
    assert_eq!(blocks.len(), files.len());
    for (block, file) in blocks.iter().zip(files) {
        let path = program::root().join(format!("tests/readme/{file}.rs"));
        let code = std::fs::read_to_string(path).unwrap();
        let (_, code) = code.split_once("// README: begin\n").unwrap();
        let (code, _) = code.split_once("// README: end\n").unwrap();
        let (block, _) = block.split_once("```").unwrap();
        assert_eq!(block, code, "tests/readme/{file}.rs");
    }
}

/// The dependencies that READMEs show are those of the workspace: their names, versions and features.
#[test]
fn the_dependencies_that_are_shown_exist() {
    let root = program::root();
    let table = |path: &str| -> toml::Table {
        let text = std::fs::read_to_string(root.join(path)).unwrap();
        text.parse().unwrap()
    };
    let version = table("Cargo.toml")["workspace"]["package"]["version"].clone();
    let mut shown = 0;
    for readme in ["README.md", "codec-core/README.md", "codec-std/README.md"] {
        let text = std::fs::read_to_string(root.join(readme)).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let block: toml::Table = block.split("```").next().unwrap().parse().unwrap();
            for (kind, dependencies) in &block {
                assert!(
                    ["dependencies", "build-dependencies", "dev-dependencies"].contains(&&**kind)
                );
                for (name, dependency) in dependencies.as_table().unwrap() {
                    let folder = name.strip_prefix("gizwits-").unwrap();
                    let manifest = table(&format!("{folder}/Cargo.toml"));
                    assert_eq!(manifest["package"]["name"].as_str(), Some(&**name));
                    let wanted = dependency.get("version").unwrap_or(dependency).as_str();
                    let version = version.as_str().unwrap();
                    assert!(
                        version.starts_with(&format!("{}.", wanted.unwrap())),
                        "{name}"
                    );
                    let features = dependency.get("features").and_then(toml::Value::as_array);
                    for feature in features.into_iter().flatten() {
                        let feature = feature.as_str().unwrap();
                        assert!(
                            manifest["features"].get(feature).is_some(),
                            "{name}: {feature}"
                        );
                    }
                    shown += 1;
                }
            }
        }
    }
    assert!(shown >= 3, "{shown} dependencies are shown");
}

#[test]
fn what_it_shows_is_what_they_print() {
    let readme = std::fs::read_to_string(program::root().join("README.md")).unwrap();
    let blocks = readme.split("```console\n").skip(1);
    let mut shown = 0;
    for block in blocks.map(|block| block.split("```").next().unwrap()) {
        for example in format!("\n{block}").split("\n$ ").skip(1) {
            let (command, output) = example.split_once('\n').unwrap_or((example, ""));
            let words = match command.split_once(" -- ") {
                Some((_, arguments)) => arguments,
                None => match command.strip_prefix("gizwits ") {
                    Some(arguments) => arguments,
                    None => continue,
                },
            };
            let words: Vec<&str> = words.split(' ').collect();
            let ran = program::run(env!("CARGO_BIN_EXE_gizwits"), &words, b"");
            // What is different every time is not shown as output.
            if !output.trim().is_empty() {
                assert_eq!(ran.stdout.trim_end(), output.trim_end(), "{command}");
            }
            assert_eq!(ran.code, 0, "{command}");
            shown += 1;
        }
    }
    assert!(shown >= 4, "{shown} commands are shown");
}
