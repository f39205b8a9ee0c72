//! The header is the one that cbindgen makes of the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The sources, in the order in which the header describes them. `lib.rs` is left out: cbindgen follows its `mod` lines, and
/// would declare everything once more.
fn sources() -> Vec<PathBuf> {
    const FIRST: [&str; 10] = [
        "version", "status", "error", "frame", "uart", "products", "product", "point", "message",
        "payload",
    ];
    let mut sources: Vec<PathBuf> = FIRST
        .iter()
        .map(|name| format!("src/{name}.rs").into())
        .collect();
    let mut rest = Vec::new();
    find(Path::new("src"), &mut rest);
    rest.retain(|source| !sources.contains(source) && source != Path::new("src/lib.rs"));
    rest.sort();
    sources.extend(rest);
    sources
}

fn find(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => find(&path, sources),
            false => sources.push(path),
        }
    }
}

fn header() -> String {
    let config = cbindgen::Config::from_file("cbindgen.toml").unwrap();
    let builder = cbindgen::Builder::new().with_config(config);
    let builder = sources()
        .into_iter()
        .fold(builder, |builder, source| builder.with_src(source));
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    String::from_utf8(header).unwrap()
}

/// `UPDATE_HEADER=1 cargo test -p gizwits-codec-c --test header` writes the header.
#[test]
fn the_header_is_that_of_the_sources() {
    let (path, header) = ("include/gizwits.h", header());
    if std::env::var_os("UPDATE_HEADER").is_some() {
        fs::write(path, &header).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == header,
        "{path} differs from the sources: UPDATE_HEADER=1 cargo test -p gizwits-codec-c --test header"
    );
}

/// A second declaration is a warning of gcc with `-Wredundant-decls`.
#[test]
fn each_function_is_declared_once() {
    let header = header();
    // A function is declared at the start of a line, after the type that it returns.
    let declared: Vec<_> = header
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("gizwits_"))
        .collect();
    assert!(declared.len() > 30, "{declared:?}");
    let mut seen = BTreeSet::new();
    for name in declared {
        assert!(seen.insert(name), "{name} is declared twice");
    }
}
