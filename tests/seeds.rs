//! The fuzz targets hold for their seeds, which have the inputs of past findings.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gizwits_enterprise_client::endpoint;
use gizwits_tests::targets::{self, TARGETS};

/// The targets that call C code. The tests of that code call them with their seeds.
const OF_C: [&str; 2] = ["c_abi", "generated_c"];

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// The names of the entries of a folder, without `.rs`.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let names = entries.map(|entry| name(entry.unwrap()));
    names
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect()
}

macro_rules! seeds {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            let target = TARGETS.iter().find(|(name, _)| *name == stringify!($name));
            let (name, target) = target.expect("the target is in the list");
            targets::seeds(name).for_each(|seed| target(&seed));
        })*

        /// The targets with a test of their seeds.
        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

seeds! {
    api_json capture definition encode_json lan_device lan_session layout link log m2m m2m_message payload_text scenario standard
    state uart uart_module var_len
}

/// A target that is not in the list would have no test, and one without an entry in the manifest would not be built.
#[test]
fn every_target_is_listed() {
    assert!(TARGETS.iter().map(|(name, _)| name).eq(TESTED));
    let listed = TESTED.iter().chain(&OF_C).map(|name| (*name).to_owned());
    let listed: BTreeSet<String> = listed.collect();
    assert_eq!(names(&fuzz().join("fuzz_targets")), listed);
    assert_eq!(names(&fuzz().join("seeds")), listed);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let bins = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"));
    let bins: BTreeSet<String> = bins
        .map(|file| file.trim_end_matches(".rs\"").to_owned())
        .collect();
    assert_eq!(bins, listed);
}

#[test]
fn answers_are_those_of_every_endpoint() {
    let called = gizwits_tests::answers::endpoints();
    assert_eq!(called, endpoint::ALL);
}
