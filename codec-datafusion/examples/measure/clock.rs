//! CPU time, and the costs of works that take turns.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The CPU time that all threads of this process have used.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The CPU seconds since a time.
pub(crate) fn seconds(from: Duration) -> f64 {
    (cpu_time() - from).as_secs_f64()
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
