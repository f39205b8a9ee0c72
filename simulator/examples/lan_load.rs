//! Holds 1,000 devices on the local network in one process, with a client for each in another process, and prints what that
//! costs and which heartbeats were missed.
//!
//! `cargo run --profile dist -p gizwits-simulator --example lan_load -- [SECONDS]`
//!
//! The default is 60 seconds. Each device needs three open files (`ulimit -n 4096`). The figures come from `/proc`, and the
//! addresses from the network 127.0.0.0/8, both of which Linux has.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead as _, Write as _};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use gizwits_lan::{ClientEvent, ClientOptions, Connection};
use gizwits_simulator::{LanOptions, Options, Scenario, Server, Simulator};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

const DEVICES: usize = 1000;
/// The time between two heartbeats of a client.
const HEARTBEAT: Duration = Duration::from_secs(4);
/// The time that a device has to answer a heartbeat. A later answer is a missed one.
const ANSWER: Duration = Duration::from_secs(1);

type Done<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Done {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("clients") => clients(seconds(arguments.next())?),
        first => devices(seconds(first.map(str::to_owned))?),
    }
}

fn seconds(text: Option<String>) -> Done<u64> {
    let text = text.unwrap_or_else(|| "60".to_owned());
    let seconds = text.parse();
    seconds.map_err(|_| format!("{text}: expected a number of seconds").into())
}

/// Air conditioners whose room temperature changes every ten seconds.
fn scenario() -> String {
    let key = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
    let mut text = format!(
        "[[enterprise]]\nid = \"e\"\nsecret = \"s\"\n\
         [[product]]\nkey = \"{key}\"\nsecret = \"s\"\ndefinition = \"air-conditioner\"\n"
    );
    for n in 0..DEVICES {
        let _ = write!(
            text,
            "[[device]]\nproduct = \"{key}\"\nmac = \"5CCF7F{n:06X}\"\n\
             [[device.walk]]\npoint = \"room_temp\"\nevery = \"10s\"\nstep = 1\n"
        );
    }
    text
}

/// The CPU time of this process in seconds, and the most memory that it had, in MB.
fn costs() -> Done<(f64, f64)> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|one| one.parse::<f64>().ok()).sum();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let memory = memory.and_then(|text| text.split_whitespace().next());
    let memory: f64 = memory.unwrap_or_default().parse()?;
    // Linux counts 100 ticks per second for programs.
    Ok((ticks / 100.0, memory / 1024.0))
}

/// Serves the devices while a process of clients runs.
fn devices(span: u64) -> Done {
    let scenario = Scenario::from_toml(&scenario(), None)?;
    let mut lan = LanOptions::default();
    lan.port = Some(0);
    let mut options = Options::default();
    options.lan = Some(lan);
    let server = Server::start(Simulator::builder().scenario(scenario).build()?, options)?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["clients", &span.to_string()])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().ok_or("no pipe")?;
    let (before, _) = costs()?;
    for device in server.lan() {
        writeln!(input, "{}", device.tcp)?;
    }
    drop(input);
    let is_well = child.wait()?.success();
    let (after, memory) = costs()?;
    println!(
        "devices: {:.1} s of CPU time, {memory:.0} MB",
        after - before
    );
    server.stop();
    match is_well {
        true => Ok(()),
        false => Err("a client missed a heartbeat or lost its connection".into()),
    }
}

/// The counts of a client.
#[derive(Default)]
struct Seen {
    reports: u64,
    /// The reason for which the connection ended before its time.
    lost: Option<String>,
}

async fn client(address: SocketAddr, end: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut options = ClientOptions::default();
    options.heartbeat_interval = HEARTBEAT;
    options.request_timeout = Duration::from_secs(30);
    // The connection ends if an answer to a heartbeat is missing.
    options.idle_timeout = HEARTBEAT + ANSWER;
    let mut connection = match Connection::open(address, options).await {
        Ok(connection) => connection,
        Err(error) => {
            seen.lost = Some(error.to_string());
            return seen;
        }
    };
    while let Ok(event) = timeout_at(end, connection.next()).await {
        match event {
            Some(ClientEvent::P0 { .. }) => seen.reports += 1,
            Some(ClientEvent::Closed(why)) => seen.lost = Some(why.to_string()),
            Some(_) => {}
            None => break,
        }
    }
    seen
}

/// Runs a client for each address of standard input.
#[tokio::main(flavor = "current_thread")]
async fn clients(span: u64) -> Done {
    let span = Duration::from_secs(span);
    let end = Instant::now() + span;
    let mut all = JoinSet::new();
    for line in std::io::stdin().lock().lines() {
        all.spawn(client(line?.parse()?, end));
    }
    let count = all.len();
    let seen = all.join_all().await;
    sleep_until(end).await;
    let reports: u64 = seen.iter().map(|one| one.reports).sum();
    let lost: Vec<&String> = seen.iter().filter_map(|one| one.lost.as_ref()).collect();
    let (cpu, memory) = costs()?;
    println!(
        "{count} devices and {count} clients for {} s, a heartbeat each {} s: {} missed one or were lost, {reports} reports",
        span.as_secs(),
        HEARTBEAT.as_secs(),
        lost.len(),
    );
    println!("clients: {cpu:.1} s of CPU time, {memory:.0} MB");
    match lost.first() {
        None => Ok(()),
        Some(why) => {
            Err(format!("{} connections ended, the first because {why}", lost.len()).into())
        }
    }
}
