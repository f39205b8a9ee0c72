//! Times of the programs of a case, which take turns in one process, so that what slows the machine down slows all of
//! them. Times on a shared machine are noise; their ratios are not.

use std::time::Duration;

use rustix::time::ClockId;

use crate::kernel::Kernel;

/// The effort of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// The number of turns of each program.
    pub turns: usize,
    /// The least time of one turn.
    pub sample: Duration,
}

impl Effort {
    /// The effort of `--quick`.
    pub const QUICK: Effort = Effort {
        turns: 7,
        sample: Duration::from_micros(500),
    };
    /// The effort of a complete run.
    pub const FULL: Effort = Effort {
        turns: 21,
        sample: Duration::from_millis(3),
    };
}

/// The time of a program.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The median time of an item, in nanoseconds.
    pub nanoseconds: f64,
    /// The median of its time over the time of the first program in the same turn.
    pub ratio: f64,
}

/// Measures the programs of a case.
pub fn measure(case: &mut [Kernel], effort: Effort) -> Vec<Timing> {
    let rounds: Vec<u32> = case
        .iter_mut()
        .map(|kernel| {
            kernel.run();
            let mut rounds = 1;
            while seconds(|| repeat(kernel, rounds)) < effort.sample.as_secs_f64() {
                rounds *= 2;
            }
            rounds
        })
        .collect();
    let mut times = vec![Vec::with_capacity(effort.turns); case.len()];
    for turn in 0..effort.turns {
        // Each program is the first one in its turn.
        for n in 0..case.len() {
            let n = (n + turn) % case.len();
            // The caches hold what the program before has left there.
            case[n].run();
            let taken = seconds(|| repeat(&mut case[n], rounds[n]));
            times[n].push(taken / f64::from(rounds[n]) / case[n].items as f64 * 1e9);
        }
    }
    let ratios = |times: &Vec<f64>, first: &Vec<f64>| -> Vec<f64> {
        let pairs = times.iter().zip(first);
        pairs.map(|(own, first)| own / first).collect()
    };
    let timings = times.iter().map(|own| Timing {
        nanoseconds: median(own.clone()),
        ratio: median(ratios(own, &times[0])),
    });
    timings.collect()
}

fn repeat(kernel: &mut Kernel, rounds: u32) {
    for _ in 0..rounds {
        kernel.run();
    }
}

/// The middle of some numbers.
#[must_use]
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// The seconds that this thread has used a processor: other programs may use the machine as well.
pub fn seconds(run: impl FnOnce()) -> f64 {
    clock(ClockId::ThreadCPUTime, run)
}

/// The seconds that all threads of this process have used processors.
pub fn process_seconds(run: impl FnOnce()) -> f64 {
    clock(ClockId::ProcessCPUTime, run)
}

fn clock(clock: ClockId, run: impl FnOnce()) -> f64 {
    let start = rustix::time::clock_gettime(clock);
    run();
    let end = rustix::time::clock_gettime(clock);
    (end.tv_sec - start.tv_sec) as f64 + (end.tv_nsec - start.tv_nsec) as f64 / 1e9
}
