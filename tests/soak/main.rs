//! Client and simulator through a relay that makes the faults of real networks: `soak [SECONDS]`, 120 by default.
//!
//! The time is divided into rounds. After each round, the log of the simulator is compared with what the clients know:
//! no control was executed twice, no record is lost or repeated, every call ended within its allowance, and no task,
//! file or thread is left. The figures of a round are appended to `soak/rounds-SECONDS-PROGRAM.ndjson` in the target
//! folder. A run that was stopped continues after its last round, unless the program has changed. Memory, files and
//! threads are compared between the rounds of one process, so a process runs at least two.

mod relay;
mod resources;
mod round;
mod table;
mod traffic;
mod watcher;

use std::error::Error;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use round::Figures;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds: u64 = match std::env::args().nth(1) {
        None => 120,
        Some(text) => text
            .parse()
            .ok()
            .filter(|seconds| *seconds >= 20)
            .ok_or_else(|| format!("`{text}`: expected a number of seconds from 20"))?,
    };
    let length = (seconds / 4).clamp(10, 600);
    let rounds = seconds / length;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = PathBuf::from(target).join("soak");
    fs::create_dir_all(&folder)?;
    let program = program()?;
    discard_others(&folder, &program)?;
    let path = folder.join(format!("rounds-{seconds}-{program}.ndjson"));
    let mut done = read(&path)?;
    if done.len() as u64 >= rounds {
        done.clear();
        File::create(&path)?;
    }
    let earlier = done.len();
    if earlier > 0 {
        println!("continues {} after round {earlier}", path.display());
    }
    let rounds = rounds.max(earlier as u64 + 2);
    // The first runtime of a process opens the files of the signal handler, which stay open.
    drop(
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?,
    );
    let mut file = File::options().append(true).create(true).open(&path)?;
    for number in done.len() as u64..rounds {
        let figures = round::run(number, Duration::from_secs(length))?;
        if !figures.broken.is_empty() {
            println!("round {number} of {rounds}:");
            for promise in &figures.broken {
                println!("  {promise}");
            }
            return Err("a promise was broken".into());
        }
        let mut line = serde_json::to_vec(&figures)?;
        line.push(b'\n');
        file.write_all(&line)?;
        done.push(figures);
    }
    print!("{}", table::of(&done, &done[earlier..]));
    let leaks = table::leaks(&done[earlier..]);
    match leaks.is_empty() {
        true => Ok(()),
        false => Err(leaks.join("; ").into()),
    }
}

/// The hash of this program: of client, simulator, relay and comparison.
fn program() -> Result<String, Box<dyn Error>> {
    let mut file = File::open(std::env::current_exe()?)?;
    let mut hasher = DefaultHasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(format!("{:016x}", hasher.finish())),
            count => hasher.write(&buffer[..count]),
        }
    }
}

/// Deletes the rounds of other programs, whose figures say nothing about this one.
fn discard_others(folder: &Path, program: &str) -> Result<(), Box<dyn Error>> {
    let own = format!("-{program}.ndjson");
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("rounds-") && !name.ends_with(&own) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The rounds of a file. A line that a killed process left incomplete is dropped.
fn read(path: &PathBuf) -> Result<Vec<Figures>, Box<dyn Error>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("{}: {error}", path.display()).into()),
    };
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        File::options()
            .write(true)
            .open(path)?
            .set_len(whole as u64)?;
    }
    let lines = text[..whole].lines().zip(1..);
    let rounds = lines.map(|(line, number)| {
        serde_json::from_str(line)
            .map_err(|error| format!("{}:{number}: {error}: delete the file", path.display()))
    });
    Ok(rounds.collect::<Result<_, _>>()?)
}
