//! Checks, times and counts all kernels and prints one table.
//!
//! ```text
//! cargo measure -- [--quick] [--write] [PART OF A NAME]
//! cargo measure -- instructions [--write]
//! cargo measure -- check [PART OF A NAME]
//! ```
//!
//! `--quick` takes about a minute and its times are less exact. `--write` replaces the marked parts of
//! `docs/performance.md` and its plots. With a part of a name, only kernels whose name contains it run. `instructions`
//! counts the kernels in `benches/instructions.txt` and fails if a count has grown by more than 4 %.
//! `check` only compares the outputs.

use std::io;
use std::process::ExitCode;
use std::time::Instant;

use gizwits_benches::group::{self, logs};
use gizwits_benches::kernel::{self, Kernel};
use gizwits_benches::plot::{self, Line};
use gizwits_benches::table::{self, Results, Row};
use gizwits_benches::timing::{self, Effort};
use gizwits_benches::{fixture, growth, instructions, page};
use gizwits_codec_std::log::Products;

fn main() -> io::Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str| args.iter().any(|arg| arg == name);
    match args.first().map(String::as_str) {
        // Called by this program under valgrind.
        Some("count") => {
            instructions::run(&args[1..]);
            Ok(ExitCode::SUCCESS)
        }
        Some("instructions") => Ok(match instructions::compare(flag("--write"))? {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }),
        Some("check") => {
            let part = args.get(1).map_or("", String::as_str);
            let compared = kernel::check(&mut group::kernels(part), 50);
            println!("{compared} outputs compared: all programs agree");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            let filter = args.iter().find(|arg| !arg.starts_with('-'));
            measure(
                flag("--quick"),
                flag("--write"),
                filter.map_or("", String::as_str),
            )
        }
    }
}

fn measure(quick: bool, write: bool, filter: &str) -> io::Result<ExitCode> {
    let began = Instant::now();
    let mut kernels = group::kernels(filter);
    let compared = kernel::check(&mut kernels, if quick { 50 } else { 1000 });
    println!("{compared} outputs compared: all programs agree\n");
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    let mut results = Results {
        rows: timed(&mut kernels, effort),
        ..Results::default()
    };
    let mut grown = match filter {
        "" | "growth" => growth::kernels(),
        _ => Vec::new(),
    };
    // Rows from memory and Parquet take long under callgrind, and what they cost is not instructions.
    kernels.retain(|kernel| {
        !["in memory", "Parquet"]
            .iter()
            .any(|part| kernel.name.contains(part))
    });
    if quick {
        // The stage `instructions` counts the others.
        kernels.retain(|kernel| kernel.name.contains("/decimals/"));
    }
    kernels.append(&mut grown);
    match instructions::count(&kernels)? {
        Some(counts) => results.counts = counts,
        None => println!("valgrind is missing: no instructions are counted"),
    }
    print!("{}", results.tables());
    let goals = results.goals();
    println!("{goals}");
    let (points, linear) = points(&results);
    println!("{points}");
    let mut plots = vec![
        ("programs", programs(&results)),
        ("points", points_plot(&results)),
    ];
    let (mut records_text, mut threads_text) = (String::new(), String::new());
    if filter.is_empty() {
        if !quick {
            threads_text = threads();
            println!("{threads_text}\n");
        }
        let costs = records(quick);
        records_text = records_table(&costs);
        println!("{records_text}");
        plots.push(("records", records_plot(&costs)));
    }
    println!("{} s", began.elapsed().as_secs());
    if write {
        let parts = [
            ("machine", page::machine()),
            ("goals", goals),
            ("tables", results.tables()),
            ("points", points),
            ("records", records_text),
            ("threads", threads_text),
        ];
        page::write(&parts, &plots)?;
    }
    Ok(match linear {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn timed(kernels: &mut [Kernel], effort: Effort) -> Vec<Row> {
    let mut rows = Vec::new();
    for case in kernel::cases(kernels) {
        let timings = timing::measure(case, effort);
        for (kernel, timing) in case.iter().zip(timings) {
            rows.push(Row {
                name: kernel.name.clone(),
                first: case[0].name.clone(),
                timing,
            });
        }
    }
    rows
}

/// Instructions a point against the number of points, and whether all grow linearly.
fn points(results: &Results) -> (String, bool) {
    let head = [
        "instructions a point",
        "8",
        "64",
        "256",
        "1,024",
        "1,024 / 256",
    ];
    let (mut cells, mut linear) = (vec![head.map(str::to_owned)], true);
    for kind in growth::KINDS {
        let cost = |points: usize| {
            let count = results.counts.get(&growth::name(kind, points));
            count.map(|count| count / points as f64)
        };
        let [Some(a), Some(b), Some(c), Some(d)] = growth::POINTS.map(cost) else {
            continue;
        };
        let factor = d / c;
        let good = factor <= growth::BOUND;
        linear &= good;
        let verdict = if good { "" } else { " (not linear)" };
        let ratio = format!("{factor:.2}{verdict}");
        cells.push([
            kind.to_owned(),
            table::number(a),
            table::number(b),
            table::number(c),
            table::number(d),
            ratio,
        ]);
    }
    (table::markdown(&cells, 1), linear)
}

fn points_plot(results: &Results) -> String {
    let lines = growth::KINDS.map(|kind| {
        let point = |points: usize| {
            let count = results.counts.get(&growth::name(kind, points));
            count.map(|count| (points as f64, *count))
        };
        Line {
            name: kind.to_owned(),
            points: growth::POINTS.into_iter().filter_map(point).collect(),
        }
    });
    plot::growth(
        "Instructions against the number of points",
        "points",
        "instructions",
        &lines,
    )
}

/// The speed-up by a second thread beside that of arithmetic alone, which is what the machine has to give.
fn threads() -> String {
    let products = Products::one(fixture::A.product.clone());
    let log: &'static [u8] = logs::records(&fixture::A, 300_000).leak();
    let one = logs::decoding(&products, log, 1);
    let rounds = (1e7 * one / logs::arithmetic(10_000_000, 1)) as u64;
    let (mut ours, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        ours.push(logs::decoding(&products, log, 1) / logs::decoding(&products, log, 2));
        alone.push(logs::arithmetic(rounds, 1) / logs::arithmetic(rounds, 2));
    }
    let text = format!(
        "Two threads decode a log of A {:.2} times as fast as one. A loop of arithmetic without memory becomes {:.2} \
         times as fast in the same run, which is all that the machine has to give.",
        timing::median(ours),
        timing::median(alone),
    );
    page::wrapped(&text, 0)
}

/// The microseconds of logs of so many records.
fn records(quick: bool) -> Vec<(usize, f64)> {
    let most = if quick { 100_000 } else { usize::MAX };
    let sizes = growth::RECORDS.into_iter().filter(|size| *size <= most);
    let cost = |records: usize| {
        // The best of three, because other programs can only make it slower.
        let turns = if records > 1_000_000 { 1 } else { 3 };
        let times = (0..turns).map(|_| growth::log_microseconds(records));
        (records, times.fold(f64::MAX, f64::min))
    };
    sizes.map(cost).collect()
}

fn records_table(costs: &[(usize, f64)]) -> String {
    let mut cells = vec![["records", "ms", "ns a record"].map(str::to_owned)];
    for (records, microseconds) in costs {
        cells.push([
            table::number(*records as f64),
            table::number(microseconds / 1e3),
            table::number(microseconds * 1e3 / *records as f64),
        ]);
    }
    table::markdown(&cells, 0)
}

fn records_plot(costs: &[(usize, f64)]) -> String {
    let line = Line {
        name: "log of A".to_owned(),
        points: costs
            .iter()
            .map(|(records, cost)| (*records as f64, cost / 1e3))
            .collect(),
    };
    plot::growth(
        "A log to NDJSON, one worker",
        "records",
        "milliseconds",
        &[line],
    )
}

/// The programs that decode A and B to numbers, by instructions.
fn programs(results: &Results) -> String {
    let mut bars = Vec::new();
    for product in ["A", "B"] {
        for row in &results.rows {
            let case = format!("decode/{product}/decimals/");
            let Some(program) = row.name.strip_prefix(&case) else {
                continue;
            };
            if let Some(count) = results.counts.get(&row.name) {
                let name = match program {
                    "layout" => format!("{product}: layout known at run time"),
                    "constants" => format!("{product}: constants, by hand"),
                    other => format!("{product}: {other}"),
                };
                bars.push((name, *count, program == "layout"));
            }
        }
    }
    plot::bars(
        "Instructions to decode a payload to numbers (logarithmic)",
        &bars,
    )
}
