//! CPU time, and the costs of works that take turns.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Outcome;

/// The CPU time that all threads of this process have used.
pub(crate) fn cpu_time() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.map(str::parse::<u64>).sum::<Result<_, _>>()?;
    // A tick is 10 ms on every Linux.
    Ok(Duration::from_millis(10 * ticks))
}

/// The CPU seconds since a time.
pub(crate) fn seconds(from: Duration) -> Outcome<f64> {
    Ok((cpu_time()? - from).as_secs_f64())
}

/// The CPU seconds of works by name, of each round.
#[derive(Debug)]
pub(crate) struct Costs {
    records: usize,
    rounds: BTreeMap<&'static str, Vec<f64>>,
}

impl Costs {
    /// Creates costs of works that each process this number of records.
    pub(crate) fn new(records: usize) -> Self {
        Costs {
            records,
            rounds: BTreeMap::new(),
        }
    }

    /// Adds the seconds of a work in the next round.
    pub(crate) fn add(&mut self, work: &'static str, seconds: f64) {
        self.rounds.entry(work).or_default().push(seconds);
    }

    /// The CPU seconds of a work for a million records: the median of all rounds.
    pub(crate) fn of(&self, work: &str) -> f64 {
        let million = self.records as f64 / 1e6;
        median(self.rounds[work].iter().map(|seconds| seconds / million))
    }

    /// The median of the ratios of two works in the same round.
    pub(crate) fn ratio(&self, work: &str, other: &str) -> f64 {
        let pairs = self.rounds[work].iter().zip(&self.rounds[other]);
        median(pairs.map(|(work, other)| work / other))
    }
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
