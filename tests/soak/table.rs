//! The table of a soak, and the resources that grew from round to round.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::round::Figures;

/// The memory that may be added from the first to the last round, in KiB. The allocator keeps pages of threads that
/// have ended, a leak of a buffer for each call is larger by far.
const MEMORY: u64 = 32 * 1024;

fn sum(rounds: &[Figures], of: impl Fn(&Figures) -> u64) -> u64 {
    rounds.iter().map(of).sum()
}

fn sums<'f>(
    rounds: &'f [Figures],
    of: impl Fn(&'f Figures) -> &'f BTreeMap<String, u64>,
) -> String {
    let mut all: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, count) in rounds.iter().flat_map(of) {
        *all.entry(name).or_default() += count;
    }
    let all = all.iter().map(|(name, count)| format!("{name} {count}"));
    all.collect::<Vec<_>>().join(", ")
}

/// The figures of all rounds as a table in Markdown. `own` are the rounds of this process, the others have other memory,
/// files and threads.
pub(crate) fn of(rounds: &[Figures], own: &[Figures]) -> String {
    let mut table = String::from("| figure | value |\n| --- | --- |\n");
    let mut row = |name: &str, value: String| {
        let _ = writeln!(table, "| {name} | {value} |");
    };
    let max = |of: fn(&Figures) -> u64| rounds.iter().map(of).max().unwrap_or(0);
    row(
        "duration",
        format!(
            "{} s in {} rounds",
            sum(rounds, |one| one.seconds),
            rounds.len()
        ),
    );
    row(
        "calls answered",
        sum(rounds, |one| one.answered).to_string(),
    );
    let failed = sum(rounds, |one| one.failed.values().sum());
    row(
        "calls failed",
        format!("{failed}: {}", sums(rounds, |one| &one.failed)),
    );
    row("longest call", format!("{} ms", max(|one| one.longest_ms)));
    let faults = sum(rounds, |one| one.faults.values().sum());
    row(
        "faults injected",
        format!("{faults}: {}", sums(rounds, |one| &one.faults)),
    );
    let (sent, unsure) = (
        sum(rounds, |one| one.controls),
        sum(rounds, |one| one.controls_unsure),
    );
    row(
        "controls sent",
        format!("{sent}, of which {unsure} without an answer"),
    );
    row(
        "controls executed",
        sum(rounds, |one| one.controls_executed).to_string(),
    );
    row(
        "controls executed twice",
        sum(rounds, |one| one.controls_twice).to_string(),
    );
    let (records, restarts) = (
        sum(rounds, |one| one.records),
        sum(rounds, |one| one.restarts),
    );
    row(
        "records exported",
        format!("{records}, with {restarts} restarts at a checkpoint"),
    );
    let (lost, repeated) = (
        sum(rounds, |one| one.records_lost),
        sum(rounds, |one| one.records_repeated),
    );
    row("records lost, repeated", format!("{lost}, {repeated}"));
    let (events, streams) = (
        sum(rounds, |one| one.events),
        sum(rounds, |one| one.streams),
    );
    row(
        "events watched",
        format!("{events} over {streams} streams, none lost or repeated"),
    );
    if let [first, .., last] = own {
        let mib = |kib: u64| format!("{:.1} MiB", kib as f64 / 1024.0);
        let both = |one: u64, two: u64| format!("{one}, {two}");
        row(
            "memory after the first and last round",
            format!("{}, {}", mib(first.memory), mib(last.memory)),
        );
        let growth = |one: &Figures| one.memory_late.saturating_sub(one.memory_early);
        let growth = rounds.iter().map(growth).max().unwrap_or(0);
        row(
            "largest growth of memory in the last two thirds of a round",
            mib(growth),
        );
        row(
            "open files after the first and last round",
            both(first.files, last.files),
        );
        row(
            "threads after the first and last round",
            both(first.threads, last.threads),
        );
        row("tasks left after a round", max(|one| one.tasks).to_string());
    }
    table
}

/// The resources that grew from the first to the last of the rounds of this process. The first round warms up.
pub(crate) fn leaks(own: &[Figures]) -> Vec<String> {
    let [first, .., last] = own else {
        return vec![format!("{} rounds: expected two to compare", own.len())];
    };
    let mut leaks = Vec::new();
    for (name, first, last, more) in [
        ("KiB of memory", first.memory, last.memory, MEMORY),
        ("open files", first.files, last.files, 0),
        ("threads", first.threads, last.threads, 0),
    ] {
        if last > first + more {
            leaks.push(format!(
                "{last} {name} after the last round, {first} after the first"
            ));
        }
    }
    leaks
}
