//! Decoding with a layout that is known only at run time, beside generated constants and beside
//! naive code, for products A and B (`tests/fixtures/product-a.json`, `product-b.json`); and messages
//! of var_len products W (71 points, `wave-pump.json`) and L (1,024) that have 5 %, 50 % and 100 % of
//! the points, or 4 of the 1,024.
//!
//! ```text
//! cargo bench -p gizwits-benches --bench decode
//! cargo bench -p gizwits-benches --bench decode -- --quick
//! ```
//!
//! Every decoder is first checked against the others on every payload. After criterion's groups
//! come ratios: both kernels of a pair take turns in this process, so that what slows the machine
//! down slows both. Absolute times are noise on a shared machine, the ratios are not.
//!
//! `benches/instructions` counts the instructions of each kernel, which don't depend on the load of the machine.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use gizwits_benches::fixture::PAYLOADS;
use gizwits_benches::kernels::{self, Kernel, PAIRS};

fn main() {
    kernels::check();
    println!("all decoders agree on {PAYLOADS} payloads of each product");
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut kernels = kernels::all();
    groups(&mut criterion, &mut kernels);
    criterion.final_summary();

    let flag = |name: &str| std::env::args().any(|arg| arg == name);
    if flag("--bench") && !flag("--test") && !flag("--list") {
        println!();
        let effort = if flag("--quick") {
            Effort {
                pairs: 21,
                sample: Duration::from_millis(1),
            }
        } else {
            Effort {
                pairs: 31,
                sample: Duration::from_millis(5),
            }
        };
        ratios(&mut kernels, effort);
    }
}

/// One group an output, with every decoder that has it.
fn groups(criterion: &mut Criterion, kernels: &mut [Kernel]) {
    for kernels in kernels.chunk_by_mut(|one, two| split(one.name).0 == split(two.name).0) {
        let Some(first) = kernels.first() else {
            continue;
        };
        let mut group = criterion.benchmark_group(split(first.name).0);
        group.throughput(Throughput::Elements(PAYLOADS as u64));
        for kernel in kernels {
            group.bench_function(split(kernel.name).1, |bencher| {
                bencher.iter(&mut kernel.run)
            });
        }
        group.finish();
    }
}

/// `A/raw` and `layout`.
fn split(name: &'static str) -> (&'static str, &'static str) {
    name.rsplit_once('/').unwrap_or(("", name))
}

/// How long a ratio is measured.
#[derive(Clone, Copy)]
struct Effort {
    /// An odd number.
    pairs: usize,
    /// The least time of one sample.
    sample: Duration,
}

/// Prints a line for each pair: `A to …: x / y = 1.42 (median of 31 pairs, half are 1.40 to 1.45)`.
fn ratios(kernels: &mut [Kernel], effort: Effort) {
    for pair in PAIRS {
        let place = |name| kernels.iter().position(|kernel| kernel.name == name);
        let (Some(over), Some(under)) = (place(pair.over), place(pair.under)) else {
            panic!("no kernel of {pair:?}");
        };
        let rounds = [over, under].map(|n| rounds(&mut kernels[n], effort.sample));
        let mut ratios: Vec<f64> = (0..effort.pairs)
            .map(|n| {
                // Each goes first every other time.
                let mut times = [0.0; 2];
                for turn in [n % 2, 1 - n % 2] {
                    let kernel = &mut kernels[[over, under][turn]];
                    times[turn] = time(kernel, rounds[turn]) / f64::from(rounds[turn]);
                }
                times[0] / times[1]
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        println!(
            "{} = {:.2} (median of {} pairs, half are {:.2} to {:.2})",
            pair.title,
            ratios[ratios.len() / 2],
            ratios.len(),
            ratios[ratios.len() / 4],
            ratios[ratios.len() * 3 / 4],
        );
    }
}

/// How many rounds a sample takes.
fn rounds(kernel: &mut Kernel, sample: Duration) -> u32 {
    let mut rounds = 1;
    while time(kernel, rounds) < sample.as_secs_f64() {
        rounds *= 2;
    }
    rounds
}

fn time(kernel: &mut Kernel, rounds: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..rounds {
        (kernel.run)();
    }
    start.elapsed().as_secs_f64()
}
