//! Instructions an item by callgrind. Unlike times they do not depend on the load of the machine, so they can be
//! compared with a file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::kernel::Kernel;
use crate::{group, growth};

/// The number of inputs that are counted. The first round fills buffers and learns line shapes, and is not counted.
const INPUTS: usize = 200;

/// Runs the kernels with these names, for callgrind.
pub fn run(names: &[String]) {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for kernel in &mut named(&names) {
        kernel.run_first(INPUTS);
        measured(kernel);
    }
}

/// The kernels with these names in the order of the names.
fn named(names: &[&str]) -> Vec<Kernel> {
    let mut kernels = group::named(names);
    if names.iter().any(|name| name.starts_with("growth/")) {
        kernels.extend(growth::kernels());
        kernels.retain(|kernel| names.contains(&&*kernel.name));
    }
    kernels.sort_by_key(|kernel| names.iter().position(|name| *name == kernel.name));
    kernels
}

/// The function whose instructions are counted.
#[inline(never)]
fn measured(kernel: &mut Kernel) {
    kernel.run_first(INPUTS);
}

/// Returns the instructions an item of each kernel. `None` if valgrind is not installed.
///
/// # Errors
/// If valgrind fails.
pub fn count(kernels: &[Kernel]) -> io::Result<Option<BTreeMap<String, f64>>> {
    if kernels.is_empty() {
        return Ok(Some(BTreeMap::new()));
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Ok(None);
    }
    let folder = std::env::temp_dir().join(format!("gizwits-measure-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let counted = dumps(kernels, &folder);
    fs::remove_dir_all(&folder)?;
    counted.map(Some)
}

/// Counts all kernels in one process, which writes one file at the end of each call of [`measured`].
fn dumps(kernels: &[Kernel], folder: &Path) -> io::Result<BTreeMap<String, f64>> {
    let out = folder.join("out");
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .args([
            "--toggle-collect=*instructions::measured*",
            // Another pattern, because valgrind 3.19 keeps only one option for a pattern.
            "--dump-after=*measured*",
        ])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .arg("count")
        .args(kernels.iter().map(|kernel| &kernel.name))
        .output()?;
    if !ran.status.success() {
        let text = String::from_utf8_lossy(&ran.stderr).into_owned();
        return Err(io::Error::other(text));
    }
    let mut counts = BTreeMap::new();
    for (number, kernel) in kernels.iter().enumerate() {
        let text = fs::read_to_string(folder.join(format!("out.{}", number + 1)))?;
        let total = text.lines().find_map(|line| line.strip_prefix("summary: "));
        let total = total.and_then(|total| total.trim().parse::<f64>().ok());
        let total = total.ok_or_else(|| io::Error::other("callgrind has written no summary"))?;
        counts.insert(kernel.name.clone(), total / kernel.first_items(INPUTS));
    }
    Ok(counts)
}

/// The kernels whose counts are in `benches/instructions.txt`.
const FILE: &str = "benches/instructions.txt";

/// The part of a count by which two runs of one program may differ. A copy of memory takes more instructions for some
/// alignments, and the alignment of a buffer depends on the addresses that the process gets: one kernel has 383 or 395.
const TOLERANCE: f64 = 0.04;

/// Counts the kernels in the file and compares. With `write`, writes the counts to the file. Returns whether no
/// count has grown by more than 4 %. The counts belong to the compiler that the file names: with another compiler
/// they are printed and not compared.
///
/// # Errors
/// If the file can't be read or written, a kernel does not exist, or valgrind is missing or fails.
pub fn compare(write: bool) -> io::Result<bool> {
    let text = fs::read_to_string(FILE)?;
    let (head, lines) = text.split_once('\n').unwrap_or((&text, ""));
    let compiler = format!("# {}", version("rustc", "--version"));
    let before: BTreeMap<&str, f64> = lines
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, count)| (name, count.parse().unwrap_or(0.0)))
        .collect();
    let names: Vec<&str> = before.keys().copied().collect();
    let kernels = named(&names);
    if kernels.len() < names.len() {
        let text = format!("{FILE} names kernels that do not exist");
        return Err(io::Error::other(text));
    }
    let counts = count(&kernels)?;
    let counts = counts.ok_or_else(|| io::Error::other("valgrind is missing"))?;
    let same = compiler == head;
    if !same {
        println!("{compiler}, and {FILE} is of {head}: nothing is compared");
    }
    let (mut new, mut good) = (format!("{compiler}\n"), true);
    for (kernel, (_, before)) in kernels.iter().zip(before) {
        let now = counts[&kernel.name].round();
        new += &format!("{} {now}\n", kernel.name);
        let verdict = if now > before * (1.0 + TOLERANCE) {
            good &= !same;
            format!("more than {:.0} % above {before}", 100.0 * TOLERANCE)
        } else if now < before * (1.0 - TOLERANCE) {
            format!("below {before}: run benches/instructions --write")
        } else {
            String::new()
        };
        println!("{:<55} {now:>9}  {verdict}", kernel.name);
    }
    if write {
        fs::write(FILE, new)?;
    }
    Ok(good || write)
}

/// The first line that a program prints about its version.
pub(crate) fn version(program: &str, argument: &str) -> String {
    let ran = Command::new(program).arg(argument).output();
    let text = ran.map(|ran| String::from_utf8_lossy(&ran.stdout).into_owned());
    text.unwrap_or_default()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}
