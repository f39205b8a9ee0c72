//! The laws of the codec over their seeds and over drawn inputs, the same ones in every run.
//!
//! `gizwits-tests` checks the same laws with more inputs, and needs a minute to build and to run. These tests are built in
//! seconds, because they depend neither on the client nor on the simulator, and they wait for nothing. `tests/platforms/run` builds
//! `core` and `std` for other processors. `tests/mutants/run` builds `core` for each mutant of the core, and `cases`, which has
//! those tests of the core that are no laws: vectors, layouts and the serial line.

use gizwits_tests::targets::{TARGETS, Target, seeds};

/// The laws about text and files, which are those of the std layer.
const OF_STD: [&str; 3] = ["capture", "log", "payload_text"];

/// The number of drawn inputs for each law.
const INPUTS: usize = 120;

/// The greatest length of a drawn input in bytes.
const MAX_LEN: usize = 1500;

/// Checks the laws of the core and of its definitions, one after another.
///
/// # Panics
/// If a law is broken, or a law has no seeds.
pub fn check_core() {
    check(|name| !OF_STD.contains(&name));
}

/// Checks the laws of the std layer alone, one after another.
///
/// # Panics
/// If a law is broken, or a law has no seeds.
pub fn check_std() {
    check(|name| OF_STD.contains(&name));
}

fn check(chosen: impl Fn(&str) -> bool) {
    for (name, target) in TARGETS.iter().filter(|(name, _)| chosen(name)) {
        seeds(name).for_each(|seed| target(&seed));
        check_drawn(*target);
    }
}

/// Calls a target with random bytes.
fn check_drawn(target: Target) {
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..INPUTS {
        let mut input = vec![0; rng.usize(..=MAX_LEN)];
        rng.fill(&mut input);
        target(&input);
    }
}
