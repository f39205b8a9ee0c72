//! The laws over their seeds and over drawn inputs, the same ones in every run.
//!
//! `gizwits-tests` checks the same laws with more inputs, and needs a minute to build and to run. A mutant of the core costs
//! seconds with this package, because it depends on nothing that reads the definitions of a server or stores a world.

use std::fs;
use std::path::{Path, PathBuf};

use gizwits_tests::targets::{TARGETS, Target};

/// The laws that say nothing about the core: they are about text and files.
const OF_STD: [&str; 3] = ["capture", "log", "payload_text"];

/// The number of drawn inputs for each law, and the greatest length of one in bytes.
const INPUTS: usize = 120;
const MAX_LEN: usize = 1500;

/// Checks each law of the core.
///
/// # Panics
/// If a law is broken, or a law has no seeds.
pub fn check() {
    for (name, target) in TARGETS {
        if !OF_STD.contains(name) {
            seeds(name, *target);
            drawn(*target);
        }
    }
}

/// Calls a target with the inputs in its folder of seeds.
fn seeds(name: &str, target: Target) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder of the seeds is readable")
        .map(|entry| entry.expect("the folder is readable").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{name} has no seeds");
    for file in files {
        target(&fs::read(file).expect("a seed is readable"));
    }
}

/// Calls a target with random bytes.
fn drawn(target: Target) {
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..INPUTS {
        let len = rng.usize(..=MAX_LEN);
        let mut input = vec![0; len];
        rng.fill(&mut input);
        target(&input);
    }
}
