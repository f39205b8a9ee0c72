//! Logs in bulk beside what they are decoded with elsewhere, for products A and B.
//!
//! ```text
//! cargo bench -p gizwits-benches --bench log
//! cargo bench -p gizwits-benches --bench log -- --quick
//! ```
//!
//! Each pair takes turns in this process, so that what slows the machine down slows both; the median of
//! their ratios is printed. All but the last lines are of one core.

use std::time::Duration;

use criterion::{Criterion, Throughput};
use gizwits_benches::fixture::{self, PAYLOADS};
use gizwits_benches::log;
use gizwits_codec_std::log::Products;
use rustix::time::ClockId;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut kernels = log::kernels();
    let mut group = criterion.benchmark_group("log");
    group.throughput(Throughput::Elements(PAYLOADS as u64));
    for kernel in &mut kernels {
        group.bench_function(kernel.name, |bencher| bencher.iter(&mut kernel.run));
    }
    group.finish();
    criterion.final_summary();

    let flag = |name: &str| std::env::args().any(|arg| arg == name);
    if !flag("--bench") || flag("--test") || flag("--list") {
        return;
    }
    let (pairs, sample) = match flag("--quick") {
        true => (15, Duration::from_millis(5)),
        false => (31, Duration::from_millis(20)),
    };
    println!();
    for product in ["A", "B"] {
        for (title, over, under) in [
            (
                "log to NDJSON: serde_json::Value and HashMap / learnt shape",
                "naive",
                "learnt",
            ),
            (
                "log to NDJSON: serde_json::Value and HashMap / strict",
                "naive",
                "strict",
            ),
            (
                "log to NDJSON: serde_json's borrowed struct / learnt shape",
                "borrowed",
                "learnt",
            ),
            (
                "log to NDJSON: serde_json's borrowed struct / strict",
                "borrowed",
                "strict",
            ),
            (
                "columns: kernels / reading the rows and filling the columns",
                "columns",
                "memory",
            ),
            (
                "log to Parquet, zstd: the writer's default settings / an encoding for each column",
                "defaults",
                "parquet",
            ),
        ] {
            let place = |name: &str| {
                let name = format!("{product}/log/{name}");
                kernels
                    .iter()
                    .position(|kernel| kernel.name == name)
                    .expect("a kernel")
            };
            let (over, under) = (place(over), place(under));
            let rounds = [over, under].map(|n| rounds(&mut kernels[n].run, sample));
            let ratios = (0..pairs).map(|n| {
                let mut times = [0.0; 2];
                for turn in [n % 2, 1 - n % 2] {
                    let kernel = &mut kernels[[over, under][turn]];
                    // What the other has left in the caches is its own affair.
                    (kernel.run)();
                    times[turn] = time(&mut kernel.run, rounds[turn]) / f64::from(rounds[turn]);
                }
                times[0] / times[1]
            });
            print(&format!("{product}, {title}"), ratios.collect());
        }
    }
    let products = Products::one(fixture::A.product.clone());
    let many: &'static [u8] = log::records(&fixture::A, 1_000_000).leak();
    // As long as the log takes, about.
    let one = log::decoding(&products, many, 1);
    let turns = (1e7 * one / log::arithmetic(10_000_000, 1)) as u64;
    let up = |seconds: &dyn Fn(usize) -> f64| seconds(1) / seconds(2);
    let ups = (0..pairs).map(|_| {
        let ours = up(&|threads| log::decoding(&products, many, threads));
        ours / up(&|threads| log::arithmetic(turns, threads))
    });
    print(
        "A, two threads: speed-up over one / that of arithmetic alone",
        ups.collect(),
    );
    for product in ["A", "B"] {
        for name in ["learnt", "strict"] {
            let kernel = kernels
                .iter_mut()
                .find(|one| one.name == format!("{product}/log/{name}"));
            let kernel = kernel.expect("a kernel");
            let rounds = rounds(&mut kernel.run, sample);
            let times = (0..pairs).map(|_| time(&mut kernel.run, rounds) / f64::from(rounds));
            let mut times: Vec<f64> = times.collect();
            times.sort_by(f64::total_cmp);
            println!(
                "{product}, {name}: {:.0} ns a record, as far as this machine's time can be trusted",
                times[times.len() / 2] / PAYLOADS as f64 * 1e9
            );
        }
    }
}

fn print(title: &str, mut ratios: Vec<f64>) {
    ratios.sort_by(f64::total_cmp);
    println!(
        "{title} = {:.2} (median of {} pairs, half are {:.2} to {:.2})",
        ratios[ratios.len() / 2],
        ratios.len(),
        ratios[ratios.len() / 4],
        ratios[ratios.len() * 3 / 4],
    );
}

/// How many rounds a sample takes.
fn rounds(run: &mut dyn FnMut(), sample: Duration) -> u32 {
    let mut rounds = 1;
    while time(run, rounds) < sample.as_secs_f64() {
        rounds *= 2;
    }
    rounds
}

/// The seconds of this thread alone: others may have the machine as well.
fn time(run: &mut dyn FnMut(), rounds: u32) -> f64 {
    let start = rustix::time::clock_gettime(ClockId::ThreadCPUTime);
    for _ in 0..rounds {
        run();
    }
    let end = rustix::time::clock_gettime(ClockId::ThreadCPUTime);
    (end.tv_sec - start.tv_sec) as f64 + (end.tv_nsec - start.tv_nsec) as f64 / 1e9
}
