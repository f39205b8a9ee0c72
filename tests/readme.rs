//! Tests of README.md and README.zh.md: their commands print the output that they show, their Rust is code that is compiled
//! and run here, and the two agree.

use std::collections::BTreeSet;

use gizwits_tests::program;

mod build;
mod client;
mod firmware;
mod server;

/// The front page in English, and in Chinese.
const FRONT_PAGES: [&str; 2] = ["README.md", "README.zh.md"];

fn read(page: &str) -> String {
    let text = std::fs::read_to_string(program::root().join(page));
    text.unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// The parts of a page that are the same in every language.
#[derive(Debug, Default, PartialEq)]
struct Parts {
    /// The fenced blocks, with their language.
    blocks: Vec<String>,
    /// The levels of the headings.
    levels: Vec<usize>,
    /// The numbers of columns of the rows of tables.
    rows: Vec<usize>,
    /// The destinations of links and pictures.
    links: BTreeSet<String>,
    /// The text in backticks: commands, options and names.
    codes: BTreeSet<String>,
}

fn parts(page: &str) -> Parts {
    let mut parts = Parts::default();
    let mut is_in_block = false;
    for line in page.lines() {
        if is_in_block {
            let block = parts.blocks.last_mut().unwrap();
            *block += &format!("{line}\n");
            is_in_block = line != "```";
        } else if line.starts_with("```") {
            parts.blocks.push(format!("{line}\n"));
            is_in_block = true;
        } else {
            if line.starts_with('#') {
                parts.levels.push(line.find(' ').unwrap());
            }
            if line.starts_with('|') {
                parts.rows.push(line.matches('|').count());
            }
            let links = line.split("](").skip(1);
            let links = links.map(|link| link.split(')').next().unwrap().to_owned());
            // Each page has a link to the other one.
            parts
                .links
                .extend(links.filter(|link| !FRONT_PAGES.contains(&&**link)));
            let codes = line.split('`').skip(1).step_by(2).map(str::to_owned);
            parts.codes.extend(codes);
        }
    }
    assert!(!is_in_block);
    parts
}

/// The Chinese page has the commands, outputs, code, links, names and tables of the English one, in the same order.
#[test]
fn the_pages_agree() {
    let [english, chinese] = FRONT_PAGES.map(|page| parts(&read(page)));
    assert!(english.blocks.len() >= 8 && english.links.len() >= 20 && english.codes.len() >= 20);
    assert_eq!(english, chinese);
    for (page, other) in [(0, 1), (1, 0)] {
        let head: String = read(FRONT_PAGES[page]).lines().take(4).collect();
        assert!(
            head.contains(&format!("]({})", FRONT_PAGES[other])),
            "{head}"
        );
    }
}

/// The files that the pages link to exist.
#[test]
fn no_link_is_broken() {
    for link in parts(&read(FRONT_PAGES[0])).links {
        let path = link.split('#').next().unwrap();
        assert!(
            link.starts_with("https://") || program::root().join(path).exists(),
            "{link}"
        );
    }
}

#[test]
fn the_rust_of_the_readmes_is_code_of_these_tests() {
    FRONT_PAGES
        .iter()
        .for_each(|page| rust_is_tested(&read(page)));
}

fn rust_is_tested(readme: &str) {
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
    let readmes = ["codec-core/README.md", "codec-std/README.md"];
    for readme in FRONT_PAGES.iter().chain(&readmes) {
        let text = read(readme);
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
fn what_they_show_is_what_the_commands_print() {
    FRONT_PAGES
        .iter()
        .for_each(|page| prints_what_it_shows(&read(page)));
}

fn prints_what_it_shows(readme: &str) {
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
