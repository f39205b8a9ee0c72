//! The traffic of the soak: what programs do with a client, all day and at once.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gizwits_enterprise_client::log::Position;
use gizwits_enterprise_client::{Error, Product, RetryPolicy, Timestamp, blocking};
use serde_json::json;

use crate::watcher::Frame;

/// The time limit of a request.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);
/// The time within which a call has to end: three attempts of the request and two waits between them. The call may
/// wait as long for another caller's fetch of the token, and as long again for its own.
pub(crate) const ALLOWANCE: Duration = Duration::from_secs(20);

/// The pause of a program after a call that failed.
const PAUSE: Duration = Duration::from_millis(100);

/// The retry policy of the clients.
pub(crate) fn policy() -> RetryPolicy {
    let waits = RetryPolicy::default().base(Duration::from_millis(100));
    waits.attempts(3).cap(Duration::from_millis(400))
}

/// The counts of the calls.
#[derive(Default)]
pub(crate) struct Counts {
    /// The calls that succeeded.
    pub(crate) answered: AtomicU64,
    /// The calls that failed, by the kind of the error.
    pub(crate) failed: Mutex<BTreeMap<&'static str, u64>>,
    /// The calls that had no result within the allowance.
    pub(crate) late: AtomicU64,
    /// The duration of the longest call in milliseconds.
    pub(crate) longest: AtomicU64,
    /// The results that can't be right, each with its reason.
    pub(crate) wrong: Mutex<Vec<String>>,
}

impl Counts {
    fn add<T>(&self, began: Instant, result: &Result<T, Error>) {
        let took = began.elapsed();
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.longest.fetch_max(millis, Ordering::Relaxed);
        if took > ALLOWANCE {
            self.late.fetch_add(1, Ordering::Relaxed);
        }
        match result {
            Ok(_) => drop(self.answered.fetch_add(1, Ordering::Relaxed)),
            Err(error) => {
                *lock(&self.failed).entry(error.name()).or_default() += 1;
                // A fault of the network is no refusal: the API has no reason to refuse any of these calls.
                if !matches!(error, Error::Transport(_)) {
                    self.wrong(error.to_string());
                }
            }
        }
    }

    fn wrong(&self, reason: String) {
        lock(&self.wrong).push(reason);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The outcome of a control, as far as the client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The server answered.
    Yes,
    /// The server may have received the control.
    Perhaps,
    /// The server has not received the control.
    No,
}

/// The payload of the control with a number. The action 5 passes bytes on to the MCU of a device.
pub(crate) fn payload(number: u64) -> Vec<u8> {
    [&[5][..], &number.to_be_bytes()].concat()
}

/// The state that the tasks and threads of a round share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) counts: Counts,
    /// The number of the last control.
    pub(crate) numbers: AtomicU64,
    /// Whether the time of the round is over.
    pub(crate) is_over: AtomicBool,
    /// Whether the exports are complete, so that the watchers may end.
    pub(crate) is_complete: AtomicBool,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Sends controls to a device until the round is over. Each has a number of its own.
pub(crate) async fn control(
    product: Product,
    did: String,
    shared: Arc<Shared>,
) -> Vec<(u64, Sent)> {
    let (device, counts) = (product.device(did), &shared.counts);
    let mut sent = Vec::new();
    while !shared.is_over() {
        let number = shared.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let began = Instant::now();
        let result = device.control_raw(payload(number)).send().await;
        counts.add(began, &result);
        let has_failed = result.is_err();
        sent.push((
            number,
            match result {
                Ok(_) => Sent::Yes,
                Err(error) if error.may_have_arrived() => Sent::Perhaps,
                Err(_) => Sent::No,
            },
        ));
        if has_failed {
            tokio::time::sleep(PAUSE).await;
        }
        // A control with values, too, so that the device reports.
        let began = Instant::now();
        let attrs = json!({"set_temp": 16 + number % 15, "switch": number.is_multiple_of(2)});
        let result = device.control(attrs).send().await;
        counts.add(began, &result);
    }
    sent
}

/// An export of the frames of a device. Each page is written before the checkpoint, as a program does that may be
/// killed at any time.
pub(crate) struct Export {
    frames: Vec<Frame>,
    /// The position as JSON, and the number of frames that belong to it.
    checkpoint: (String, usize),
    /// The number of times that the export began again at its checkpoint.
    pub(crate) restarts: u64,
}

impl Export {
    pub(crate) fn new(from: Timestamp) -> Self {
        let position = serde_json::to_string(&Position::at(from));
        Export {
            frames: Vec::new(),
            checkpoint: (position.unwrap_or_default(), 0),
            restarts: 0,
        }
    }

    /// The frames that were exported.
    pub(crate) fn frames(&self) -> &[Frame] {
        &self.frames[..self.checkpoint.1]
    }

    /// Exports from the checkpoint until now. An error ends the run, as a kill would.
    pub(crate) async fn run(
        &mut self,
        product: &Product,
        did: &str,
        counts: &Counts,
    ) -> Result<(), Error> {
        let (position, length) = &self.checkpoint;
        self.frames.truncate(*length);
        let position: Position = match serde_json::from_str(position) {
            Ok(position) => position,
            Err(error) => {
                counts.wrong(format!("a position can't be read: {error}"));
                return Ok(());
            }
        };
        let mut reader = product.device(did).cmd_log().limit(20).read_from(position);
        loop {
            let began = Instant::now();
            let Some(result) = reader.next_page().await else {
                if reader.missing() > 0 {
                    counts.wrong(format!("{} records are missing", reader.missing()));
                }
                return Ok(());
            };
            counts.add(began, &result);
            let page = result.inspect_err(|_| self.restarts += 1)?;
            let frame = |record: gizwits_enterprise_client::log::Command| {
                (record.timestamp.millis(), record.payload)
            };
            self.frames.extend(page.into_iter().map(frame));
            match serde_json::to_string(reader.position()) {
                Ok(position) => self.checkpoint = (position, self.frames.len()),
                Err(error) => counts.wrong(format!("a position can't be written: {error}")),
            }
        }
    }
}

/// Exports the frames of a device again and again until the round is over.
pub(crate) async fn export(
    product: Product,
    did: String,
    shared: Arc<Shared>,
    from: Timestamp,
) -> Export {
    let mut export = Export::new(from);
    while !shared.is_over() {
        // The errors are counted.
        let _ = export.run(&product, &did, &shared.counts).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    export
}

/// Lists all devices, page by page, and shows some of them, until the round is over. Blocks the thread.
pub(crate) fn list(product: &blocking::Product, devices: usize, shared: &Shared) {
    let counts = &shared.counts;
    while !shared.is_over() {
        let mut dids = HashSet::new();
        let mut listed = 0;
        let mut items = product.devices().search().limit(20).iter();
        let is_whole = loop {
            let began = Instant::now();
            match items.next() {
                None => break true,
                Some(result) => {
                    // Most items come from the page before and are no call.
                    if began.elapsed() > Duration::from_millis(1) || result.is_err() {
                        counts.add(began, &result);
                    }
                    match result {
                        Ok(device) => {
                            listed += 1;
                            dids.insert(device.did);
                        }
                        Err(_) => {
                            std::thread::sleep(PAUSE);
                            break false;
                        }
                    }
                }
            }
        };
        if is_whole && (listed, dids.len()) != (devices, devices) {
            counts.wrong(format!(
                "a list has {listed} devices, {} of them different: expected {devices}",
                dids.len()
            ));
        }
        for did in dids.into_iter().take(5) {
            let began = Instant::now();
            let result = product.device(did).data().limit(1).send();
            counts.add(began, &result);
            if shared.is_over() {
                return;
            }
        }
    }
}
