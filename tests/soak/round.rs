//! A round of the soak: a world, a relay and clients, and the comparison at the end.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gizwits_enterprise_client::{Builder, Enterprise, Limiter, Mode, Timestamp, blocking};
use gizwits_simulator::{Credentials, Options, Request, Scenario, Server, Simulator};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::relay::{Fault, Relay, seeded};
use crate::resources::Resources;
use crate::traffic::{self, Export, Sent, Shared, lock};
use crate::watcher::{self, Frame, Watched};

/// The number of devices: enough for several pages.
const DEVICES: usize = 65;
/// The number of devices that are controlled, watched and exported. They report all the time.
const BUSY: usize = 3;
/// The exchanges with a fault, of 1,000.
const FAULTS: u32 = 120;

/// The figures of a round.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) seconds: u64,
    pub(crate) answered: u64,
    pub(crate) failed: BTreeMap<String, u64>,
    pub(crate) longest_ms: u64,
    pub(crate) faults: BTreeMap<String, u64>,
    pub(crate) controls: u64,
    pub(crate) controls_unsure: u64,
    pub(crate) controls_executed: u64,
    pub(crate) controls_twice: u64,
    pub(crate) records: u64,
    pub(crate) records_lost: u64,
    pub(crate) records_repeated: u64,
    pub(crate) restarts: u64,
    pub(crate) events: u64,
    pub(crate) streams: u64,
    /// KiB after a third of the round, and at its end.
    pub(crate) memory_early: u64,
    pub(crate) memory_late: u64,
    /// After the round, when everything of it is dropped.
    pub(crate) memory: u64,
    pub(crate) tasks: u64,
    pub(crate) files: u64,
    pub(crate) threads: u64,
    /// The promises that did not hold.
    #[serde(skip)]
    pub(crate) broken: Vec<String>,
}

fn scenario() -> String {
    let key = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
    let mut text = format!(
        "seed = 7\nhistory = \"10m\"\n[[enterprise]]\nid = \"soak\"\nsecret = \"soak-enterprise\"\n\
         quota = 1000000000\n[[product]]\nkey = \"{key}\"\nsecret = \"soak-product\"\n\
         definition = \"air-conditioner\"\n"
    );
    for number in 0..DEVICES {
        let _ = write!(
            text,
            "[[device]]\nproduct = \"{key}\"\nmac = \"AABBCC{number:06}\"\n\
             initial = {{ switch = true, set_temp = 24, room_temp = 20 }}\n"
        );
        if number < BUSY {
            text += "[[device.walk]]\npoint = \"room_temp\"\nevery = \"1s\"\nstep = 1\nmin = 10\nmax = 30\n";
        }
    }
    text
}

/// Runs a round of a length and compares both sides. The number of the round is the seed of its faults.
pub(crate) fn run(number: u64, length: Duration) -> Result<Figures, Box<dyn Error>> {
    let mut figures = Figures {
        seconds: length.as_secs(),
        ..Figures::default()
    };
    let before = Resources::now();
    world(number, length, &mut figures)?;
    // Sockets and threads end soon after their owners.
    let patience = Instant::now();
    while Resources::now().files > before.files || Resources::now().threads > before.threads {
        if patience.elapsed() > Duration::from_secs(10) {
            let now = Resources::now();
            figures.broken.push(format!(
                "left after the round: {now:?}, before it {before:?}"
            ));
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let after = Resources::now();
    figures.memory = after.memory;
    figures.files = after.files;
    figures.threads = after.threads;
    Ok(figures)
}

fn builder<M: Mode>(builder: Builder<M>, url: &str, account: &Credentials) -> Builder<M> {
    builder
        .id(account.enterprise_id.as_str())
        .secret(account.enterprise_secret.as_str())
        .base_url(url)
        .timeout(traffic::TIMEOUT)
        .connect_timeout(Duration::from_secs(1))
        .limiter(Limiter::unlimited())
        .retry(traffic::policy())
}

fn world(number: u64, length: Duration, figures: &mut Figures) -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("gizwits-soak-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let simulator = Simulator::builder()
        .scenario(Scenario::from_toml(&scenario(), None)?)
        .file(folder.join("world.db"))
        .build()?;
    let from = Timestamp::from_millis(simulator.now());
    let server = Server::start(simulator, Options::default())?;
    let account = server.simulator().credentials()?.swap_remove(0);
    let relay = Relay::start(server.address(), seeded(number, FAULTS))?;
    let url = format!("http://{}", relay.address());
    let shared = Arc::new(Shared::default());
    let (key, secret) = (
        account.product_key.as_str(),
        account.product_secret.as_str(),
    );
    let product = builder(Enterprise::builder(), &url, &account)
        .build()?
        .product(key, secret);
    let listing = builder(blocking::Enterprise::builder(), &url, &account)
        .build()?
        .product(key, secret);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let work = async {
        let busy = account.dids[..BUSY].iter().cloned();
        let (mut controls, mut exports) = (JoinSet::new(), JoinSet::new());
        let mut watchers = JoinSet::new();
        for did in busy {
            let of = || (product.clone(), did.clone(), Arc::clone(&shared));
            let (product, device, state) = of();
            controls.spawn(async move {
                let sent = traffic::control(product, device.clone(), state).await;
                (device, sent)
            });
            let (product, device, state) = of();
            exports.spawn(async move {
                let export = traffic::export(product, device.clone(), state, from).await;
                (device, export)
            });
            let (address, key, device, state) = (
                relay.address(),
                key.to_owned(),
                did.clone(),
                Arc::clone(&shared),
            );
            watchers.spawn(async move {
                let watched = watcher::watch(address, key, device.clone(), state).await;
                (device, watched)
            });
        }
        let sent: HashMap<String, Vec<(u64, Sent)>> =
            controls.join_all().await.into_iter().collect();
        let mut exports: HashMap<String, Export> = exports.join_all().await.into_iter().collect();
        // The network is well again, and what is left comes now. The present second may get more records.
        relay.set_faulty(false);
        tokio::time::sleep(Duration::from_secs(3)).await;
        for (did, export) in &mut exports {
            for _ in 0..5 {
                if export.run(&product, did, &shared.counts).await.is_ok() {
                    break;
                }
            }
        }
        shared.is_complete.store(true, Ordering::Relaxed);
        let watched: HashMap<String, Watched> = watchers.join_all().await.into_iter().collect();
        (sent, exports, watched)
    };
    let (sent, exports, watched) = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| traffic::list(&listing, DEVICES, &shared));
        }
        scope.spawn(|| {
            std::thread::sleep(length / 3);
            figures.memory_early = Resources::now().memory;
            std::thread::sleep(length - length / 3);
            figures.memory_late = Resources::now().memory;
            shared.is_over.store(true, Ordering::Relaxed);
        });
        runtime.block_on(work)
    });
    let counts = &shared.counts;
    figures.answered = counts.answered.load(Ordering::Relaxed);
    let failed = lock(&counts.failed).clone().into_iter();
    figures.failed = failed
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    figures.longest_ms = counts.longest.load(Ordering::Relaxed);
    let faults = Fault::ALL.map(|fault| (fault.name().to_owned(), relay.count(fault)));
    figures.faults = faults.into_iter().collect();
    figures.broken.append(&mut lock(&counts.wrong));
    let late = counts.late.load(Ordering::Relaxed);
    if late > 0 {
        let allowance = traffic::ALLOWANCE.as_secs();
        figures
            .broken
            .push(format!("{late} calls took longer than {allowance} s"));
    }
    for did in &account.dids[..BUSY] {
        let truth = log(server.simulator(), &account, did, from)?;
        compare_controls(&truth, &sent[did], figures);
        compare_export(&truth, &exports[did], from, did, figures);
        compare_watcher(&truth, &watched[did], did, figures);
    }
    if !server.simulator().is_sound()? {
        figures.broken.push("the database is damaged".to_owned());
    }
    drop((product, listing, runtime));
    // Only the task that accepts is left once the connections of the clients are closed.
    let patience = Instant::now();
    while relay.tasks() > 1 && patience.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    figures.tasks = relay.tasks() as u64 - 1;
    if figures.tasks > 0 {
        figures
            .broken
            .push(format!("{} connections were never closed", figures.tasks));
    }
    drop(relay);
    server.stop();
    fs::remove_dir_all(&folder)?;
    Ok(())
}

/// The frames of a device, in the order of the log, as the simulator itself has them.
fn log(
    simulator: &Simulator,
    account: &Credentials,
    did: &str,
    from: Timestamp,
) -> Result<Vec<(Frame, bool)>, Box<dyn Error>> {
    let base = format!("/v1/products/{}", account.product_key);
    let body = serde_json::to_vec(account)?;
    let token = simulator.answer(&Request::new("POST", format!("{base}/access_token")).body(body));
    let token: Value = serde_json::from_slice(&token.body)?;
    let token = token["token"].as_str().ok_or("no token")?;
    let (start, end) = (from.seconds(), simulator.now() / 1000 + 1);
    let mut frames = Vec::new();
    loop {
        let skip = frames.len();
        let target = format!(
            "{base}/devices/{did}/cmd?start_ts={start}&end_ts={end}&sort=asc&limit=1000&skip={skip}"
        );
        let answer = simulator.answer(&Request::new("GET", target).token(token));
        let page: Value = serde_json::from_slice(&answer.body)?;
        let objects = page["objects"].as_array().ok_or("no objects")?;
        if objects.is_empty() {
            return Ok(frames);
        }
        for object in objects {
            let at = (object["timestamp"].as_f64().unwrap_or_default() * 1000.0).round() as i64;
            let payload = object["payload"].as_str().unwrap_or_default().to_owned();
            frames.push(((at, payload), object["type"] == "app2dev"));
        }
    }
}

/// A control was executed once if the client got an answer, at most once if it may have arrived, and never if not.
fn compare_controls(truth: &[(Frame, bool)], sent: &[(u64, Sent)], figures: &mut Figures) {
    let mut executed: HashMap<&str, u64> = HashMap::new();
    for ((_, payload), _) in truth.iter().filter(|(_, to_device)| *to_device) {
        // The payload is the end of the frame.
        let start = payload.len().saturating_sub(2 * traffic::payload(0).len());
        *executed.entry(&payload[start..]).or_default() += 1;
    }
    for (number, sent) in sent {
        let payload: String = traffic::payload(*number)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let count = executed.get(payload.as_str()).copied().unwrap_or(0);
        let is_right = match sent {
            Sent::Yes => count == 1,
            Sent::Perhaps => count <= 1,
            Sent::No => count == 0,
        };
        if !is_right {
            let message = format!("control {number} ({sent:?}) was executed {count} times");
            figures.broken.push(message);
        }
        figures.controls += 1;
        figures.controls_unsure += u64::from(*sent == Sent::Perhaps);
        figures.controls_executed += count;
        figures.controls_twice += u64::from(count > 1);
    }
}

/// The export has every frame of the round once and in order, up to the second of its newest frame.
fn compare_export(
    truth: &[(Frame, bool)],
    export: &Export,
    from: Timestamp,
    did: &str,
    figures: &mut Figures,
) {
    let frames = export.frames();
    figures.records += frames.len() as u64;
    figures.restarts += export.restarts;
    let end = frames.last().map_or(0, |(at, _)| at - at % 1000);
    let is_compared = |frame: &&Frame| (from.millis()..end).contains(&frame.0);
    let expected = || truth.iter().map(|(frame, _)| frame).filter(is_compared);
    let exported = || frames.iter().filter(is_compared);
    let mut rest: HashMap<&Frame, i64> = HashMap::new();
    for frame in expected() {
        *rest.entry(frame).or_default() += 1;
    }
    for frame in exported() {
        *rest.entry(frame).or_default() -= 1;
    }
    let lost: i64 = rest.values().filter(|count| **count > 0).sum();
    let repeated: i64 = rest.values().filter(|count| **count < 0).sum();
    figures.records_lost += lost.unsigned_abs();
    figures.records_repeated += repeated.unsigned_abs();
    if !expected().eq(exported()) {
        figures.broken.push(format!(
            "export of {did}: {lost} records are lost and {} repeated, or they are in another order",
            repeated.unsigned_abs()
        ));
    }
    // The frames of the last seconds came after the last page.
    let late = truth.iter().filter(|((at, _), _)| *at >= end).count();
    if expected().next().is_none() || late > 200 {
        let message = format!(
            "export of {did}: {} records, {late} are later",
            frames.len()
        );
        figures.broken.push(message);
    }
}

/// Each run of a watcher has consecutive frames of the log.
fn compare_watcher(truth: &[(Frame, bool)], watched: &Watched, did: &str, figures: &mut Figures) {
    figures.streams += watched.connections;
    for run in watched.runs.iter().filter(|run| !run.is_empty()) {
        figures.events += run.len() as u64;
        let starts = (0..truth.len()).filter(|start| truth[*start].0 == run[0]);
        let same = |start: usize| {
            let log = truth[start..].iter().map(|(frame, _)| frame);
            let same = log.zip(run).take_while(|(one, other)| one == other);
            (same.count(), start)
        };
        let (same, start) = starts.map(same).max().unwrap_or((0, 0));
        if same < run.len() {
            figures.broken.push(format!(
                "watcher of {did}: event {same} of {} is {:?}: expected {:?}, before it {:?}",
                run.len(),
                run.get(same.saturating_sub(1)..(same + 4).min(run.len())),
                truth.get(start + same..(start + same + 4).min(truth.len())),
                truth.get((start + same).saturating_sub(2)..start + same),
            ));
        }
    }
    if watched.runs.iter().all(Vec::is_empty) {
        figures.broken.push(format!("watcher of {did}: no events"));
    }
}
