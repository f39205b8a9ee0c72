//! Logs in bulk beside what they are decoded with elsewhere, for products A and B.
//!
//! ```text
//! cargo bench -p gizwits-benches --bench log
//! cargo bench -p gizwits-benches --bench log -- --quick
//! ```
//!
//! Each pair takes turns in this process, so that what slows the machine down slows both; the median of
//! their ratios is printed. All but the last lines are of one core.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use gizwits_benches::fixture::{A, B, Fixture};
use gizwits_benches::log::{borrowed, decoded, naive, records};
use gizwits_codec_std::log::{Decoder, Format, Ndjson, Options, Products, TextBlock};

/// So many records are decoded at once: they stay in the L2 cache, as the blocks of a log do.
const RECORDS: usize = 2000;

/// Something that is measured: decodes the log once.
struct Kernel {
    name: String,
    run: Box<dyn FnMut()>,
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut kernels = Vec::new();
    kernels.extend(of("A", &A));
    kernels.extend(of("B", &B));
    let mut group = criterion.benchmark_group("log");
    group.throughput(Throughput::Elements(RECORDS as u64));
    for kernel in &mut kernels {
        group.bench_function(&kernel.name, |bencher| bencher.iter(&mut kernel.run));
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
        ] {
            let place = |name: &str| {
                let name = format!("{product}/{name}");
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
                    times[turn] = time(&mut kernel.run, rounds[turn]) / f64::from(rounds[turn]);
                }
                times[0] / times[1]
            });
            print(&format!("{product}, {title}"), ratios.collect());
        }
    }
    for product in ["A", "B"] {
        for name in ["learnt", "strict"] {
            let kernel = kernels
                .iter_mut()
                .find(|one| one.name == format!("{product}/{name}"));
            let kernel = kernel.expect("a kernel");
            let rounds = rounds(&mut kernel.run, sample);
            let times = (0..pairs).map(|_| time(&mut kernel.run, rounds) / f64::from(rounds));
            let mut times: Vec<f64> = times.collect();
            times.sort_by(f64::total_cmp);
            println!(
                "{product}, {name}: {:.0} ns a record, as far as this machine's time can be trusted",
                times[times.len() / 2] / RECORDS as f64 * 1e9
            );
        }
    }
}

/// The kernels of a product.
fn of(name: &str, fixture: &'static Fixture) -> Vec<Kernel> {
    let products = Products::one(fixture.product.clone());
    let log: &'static [u8] = records(fixture, RECORDS).leak();
    let text: &'static str = std::str::from_utf8(log).expect("ASCII");
    let sink = || Ndjson::new(&products, std::io::sink()).sink();
    let by = |strict| {
        let options = Options {
            strict,
            ..Options::default()
        };
        let mut decoder = Decoder::new(&products, options, sink());
        let mut block = TextBlock::default();
        Box::new(move || {
            block.clear();
            decoded(&mut decoder, log, &mut block);
            black_box(block.as_bytes());
        })
    };
    let (mut block, mut bytes, mut own) = (TextBlock::default(), Vec::new(), sink());
    vec![
        Kernel {
            name: format!("{name}/learnt"),
            run: by(false),
        },
        Kernel {
            name: format!("{name}/strict"),
            run: by(true),
        },
        Kernel {
            name: format!("{name}/borrowed"),
            run: Box::new(move || {
                block.clear();
                borrowed(&fixture.product, &mut own, &mut bytes, log, &mut block);
                black_box(block.as_bytes());
            }),
        },
        Kernel {
            name: format!("{name}/naive"),
            run: Box::new(move || {
                for line in text.lines() {
                    black_box(naive(&fixture.definition, line));
                }
            }),
        },
    ]
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

fn time(run: &mut dyn FnMut(), rounds: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..rounds {
        run();
    }
    start.elapsed().as_secs_f64()
}
