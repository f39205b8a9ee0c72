//! The records of one or several devices: fetched in parallel, and written page by page.

use std::collections::VecDeque;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use gizwits_codec_std::Product as Definition;
use gizwits_enterprise_client::blocking::{Blocking, Device, Product};
use gizwits_enterprise_client::log::{Log, Position, Record};
use gizwits_enterprise_client::{Call, Error, ErrorCode, Timestamp};
use indicatif::{HumanBytes, ProgressBar};

use super::checkpoint::Journal;
use crate::account::{Cloud, explained};
use crate::failure::{Failure, check_complete, refused, usage};
use crate::moment::{moment, time_span};
use crate::output::line::Output;
use crate::output::progress;
use crate::signals::interruption;
use crate::text::{counted, printable, tell};

/// The time for which the cloud keeps records.
pub(super) const RETENTION: Duration = Duration::from_secs(7 * 86_400);
const DAY: Duration = Duration::from_secs(86_400);

/// The arguments that say which records are exported, and where to.
#[derive(Args)]
pub(super) struct Export {
    /// The dids of the devices
    #[arg(
        value_name = "DID",
        required_unless_present = "all",
        value_parser = NonEmptyStringValueParser::new()
    )]
    dids: Vec<String>,
    /// Export the records of all devices of the product, including disabled devices
    #[arg(long, conflicts_with = "dids")]
    all: bool,
    /// The time span up to now by the clock of the server, such as 90m or 7d; the cloud keeps records for 7 days.
    /// Default: 1d, or 7d with --checkpoint
    #[arg(long, value_name = "TIME", value_parser = span)]
    since: Option<Duration>,
    /// The time of the first record, instead of --since: 2026-01-31, 2026-01-31 07:37, 2026-01-31T07:37:23Z,
    /// or seconds or milliseconds since 1970
    #[arg(long, value_name = "MOMENT", value_parser = moment, conflicts_with = "since")]
    from: Option<Timestamp>,
    /// The time before which the last record is, in the forms of --from. Default: now
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    until: Option<Timestamp>,
    /// The file that JSON records are appended to, instead of standard output. Requires --checkpoint
    #[arg(short, long = "output", value_name = "OUT", requires = "checkpoint", value_parser = regular_file)]
    out: Option<PathBuf>,
    /// The file that keeps the position in the log of each device, for the next run with the same file
    ///
    /// The next run continues where the last one ended, even if that was killed: no record is written twice, and
    /// none is left out. --since and --from apply to devices that the checkpoint does not contain. Once an
    /// export has ended, OUT may be moved away, or another OUT may be named.
    #[arg(long, value_name = "FILE", requires = "out")]
    checkpoint: Option<PathBuf>,
    /// The number of devices whose records are fetched at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
    /// The maximum time that a request waits for the reset of the rate limit, such as 1h. By default the command
    /// ends with an error when the limit is reached
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time_span)]
    max_wait: Duration,
}

/// The parser of --output.
fn regular_file(text: &str) -> Result<PathBuf, String> {
    match text {
        "-" => Err("expected a file: a checkpoint can't continue standard output".to_owned()),
        path => Ok(PathBuf::from(path)),
    }
}

/// The parser of --since.
fn span(text: &str) -> Result<Duration, String> {
    match time_span(text)? {
        since if since < Duration::from_secs(1) => Err("expected at least 1s".to_owned()),
        since if since > RETENTION => {
            Err("expected at most 7d: the cloud keeps records for 7 days".to_owned())
        }
        since => Ok(since),
    }
}

/// A record as a line of output.
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) text: String,
}

/// Formats the records of one device, in their order.
pub(super) type Render<T> = Box<dyn FnMut(&T) -> Line + Send>;

/// Returns the formatter of the device with this did.
pub(super) type Renders<T> = Box<dyn Fn(&str) -> Render<T> + Send + Sync>;

/// The log that is exported, and the form of its lines.
pub(super) struct Source<T> {
    /// The name of the command.
    pub(super) verb: &'static str,
    /// The options of the command that are not of [`Export`].
    pub(super) options: &'static str,
    pub(super) call: fn(&Device) -> Call<Blocking, Log<T>>,
    pub(super) render: Renders<T>,
}

/// A device whose records are fetched.
struct Task {
    index: usize,
    did: String,
    position: Position,
}

/// A message of the threads that fetch.
enum News {
    Page {
        index: usize,
        lines: Vec<Line>,
        position: Position,
    },
    End {
        index: usize,
        missing: u64,
        error: Option<Error>,
    },
}

/// The state that the fetching threads share.
struct Fetch<T> {
    source: Source<T>,
    product: Product,
    until: Option<Timestamp>,
    max_wait: Duration,
    tasks: Mutex<VecDeque<Task>>,
    stopped: AtomicBool,
}

impl<T: Record> Fetch<T> {
    /// Fetches the records of device after device.
    fn run(&self, news: &SyncSender<News>) {
        while let Some(task) = self.next_task() {
            // If nobody receives, the export has ended.
            if self.device(task, news).is_none() {
                return;
            }
        }
    }

    fn next_task(&self) -> Option<Task> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.pop_front()
    }

    fn device(&self, task: Task, news: &SyncSender<News>) -> Option<()> {
        let Task {
            index,
            did,
            position,
        } = task;
        let mut render = (self.source.render)(&did);
        let call = (self.source.call)(&self.product.device(did)).max_wait(self.max_wait);
        let mut reader = call.read_from(position);
        if let Some(until) = self.until {
            reader = reader.until(until);
        }
        let mut error = None;
        while error.is_none()
            && let Some(page) = reader.next_page()
        {
            if self.stopped.load(Ordering::Relaxed) {
                return None;
            }
            match page {
                Ok(records) => {
                    let lines = records.iter().map(&mut render).collect();
                    let position = reader.position().clone();
                    let page = News::Page {
                        index,
                        lines,
                        position,
                    };
                    news.send(page).ok()?;
                }
                Err(failed) => error = Some(failed),
            }
        }
        let missing = reader.missing();
        let end = News::End {
            index,
            missing,
            error,
        };
        news.send(end).ok()
    }
}

/// The progress of an export.
struct Progress {
    bar: ProgressBar,
    /// The begin and the present position of each device.
    devices: Vec<(String, Timestamp, Timestamp)>,
    ended: usize,
    records: usize,
    /// The time of the last record that was written.
    last: Option<Timestamp>,
    missing: u64,
    failed: bool,
}

impl Progress {
    fn show(&self) {
        let read = self.devices.iter().map(|(_, start, at)| at.since(*start));
        self.bar.set_position(read.sum::<Duration>().as_secs());
        let records = counted(self.records, "record");
        self.bar.set_message(match self.devices.len() {
            1 => records,
            all => format!("{records}, {} of {all} devices", self.ended),
        });
    }
}

impl Export {
    /// The output is JSON if it is a file.
    pub(super) fn is_to_file(&self) -> bool {
        self.out.is_some()
    }

    /// Whether lines should name their device.
    pub(super) fn has_many_devices(&self) -> bool {
        self.all || self.dids.len() > 1
    }

    /// The definition that records are decoded with. An export is kept, so it never uses a definition of the cache,
    /// which may have changed.
    pub(super) fn definition(&self, cloud: &Cloud) -> Result<Definition, Failure> {
        self.check_span()?;
        Ok(cloud.new_definition(self.max_wait)?)
    }

    /// Fetches and writes the records.
    pub(super) fn run<T: Record>(
        &self,
        product: &Product,
        source: Source<T>,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        self.check_span()?;
        let now = product.now()?;
        let start = self.start(now)?;
        let mut journal = match (&self.checkpoint, &self.out) {
            (Some(path), Some(out)) => {
                let key = product.key().as_str();
                Some(Journal::open(path, out, source.verb, key)?)
            }
            _ => None,
        };
        let (dids, unlisted) = self.dids(product)?;
        let mut tasks: Vec<Task> = Vec::new();
        let mut has_new = false;
        for (index, did) in dids.into_iter().enumerate() {
            let known = journal.as_ref().and_then(|journal| journal.position(&did));
            if let Some(known) = known
                && known.from() < now.minus(RETENTION + Duration::from_secs(60))
            {
                tell(format_args!(
                    "warning: {}: the records from {} to {} have expired before they were exported",
                    printable(&did),
                    known.from(),
                    now.minus(RETENTION)
                ));
            }
            has_new |= known.is_none();
            let position = known.cloned().unwrap_or_else(|| Position::at(start));
            tasks.push(Task {
                index,
                did,
                position,
            });
        }
        if let Some(until) = self.until.filter(|until| has_new && *until <= start) {
            tell(format_args!(
                "warning: no record is from {start} on and before {until}: devices that the checkpoint does not \
                 contain are left out"
            ));
        }
        let end = self.until.map_or(now, |until| until.min(now));
        let devices = tasks.iter().map(|task| {
            let at = task.position.from().max(now.minus(RETENTION)).min(end);
            (task.did.clone(), at, at)
        });
        let devices: Vec<_> = devices.collect();
        let span = devices.iter().map(|(_, start, _)| end.since(*start)).sum();
        let mut progress = Progress {
            bar: progress::of_time(span, journal.is_some()),
            devices,
            ended: 0,
            records: 0,
            last: None,
            missing: unlisted,
            failed: false,
        };
        // The devices that wait longest come first, so that a rate limit can't always stop before the same ones.
        tasks.sort_by_key(|task| task.position.from());
        let (verb, options) = (source.verb, source.options);
        let fetch = Arc::new(Fetch {
            source,
            product: product.clone(),
            until: self.until,
            max_wait: self.max_wait,
            tasks: Mutex::new(tasks.into()),
            stopped: AtomicBool::new(false),
        });
        let interrupted = interruption();
        let news = self.start_threads(&fetch, progress.devices.len())?;
        let ended = write(&news, &mut journal, &mut progress, &interrupted, output);
        fetch.stopped.store(true, Ordering::Relaxed);
        progress.bar.finish_and_clear();
        output.out.flush()?;
        // Also after a failure, the output is complete up to the positions of the checkpoint.
        let length = journal.map(Journal::finish).transpose()?;
        self.report(ended, &progress, length, (verb, options), output)
    }

    /// Refuses a span that is empty at any time.
    fn check_span(&self) -> Result<(), Failure> {
        match (self.from, self.until) {
            (Some(from), Some(until)) if until <= from => Err(usage(format_args!(
                "no record is from {from} on and before {until}: choose an earlier --from or a later --until"
            ))),
            _ => Ok(()),
        }
    }

    /// The time of the first record of a device that the checkpoint does not contain. `now` is the time by the server's
    /// clock.
    fn start(&self, now: Timestamp) -> Result<Timestamp, Failure> {
        let default = if self.checkpoint.is_some() {
            RETENTION
        } else {
            DAY
        };
        let start = match self.from {
            None => now.minus(self.since.unwrap_or(default)),
            Some(from) if from > now => {
                return Err(usage(format_args!(
                    "--from {from} is in the future: the time of the server is {now}"
                )));
            }
            // `from` may come from the message of an interrupted command, and records may have expired since then.
            Some(from) if from < now.minus(RETENTION) => {
                let oldest = now.minus(RETENTION);
                if let Some(until) = self.until.filter(|until| *until <= oldest)
                    && self.checkpoint.is_none()
                {
                    return Err(usage(format_args!(
                        "no record before {until} is left: the cloud keeps records for 7 days, now those from {oldest} on"
                    )));
                }
                tell(format_args!(
                    "warning: --from {from} is moved to {oldest}: the cloud keeps records for 7 days"
                ));
                oldest
            }
            Some(from) => from,
        };
        match self.until {
            Some(until) if until <= start && self.checkpoint.is_none() => Err(usage(format_args!(
                "no record is from {start} on and before {until}: choose an earlier --from or a later --until"
            ))),
            _ => Ok(start),
        }
    }

    /// The devices to export, and the number of devices that the server counted but did not return.
    fn dids(&self, product: &Product) -> Result<(Vec<String>, u64), Failure> {
        let mut dids: Vec<String> = Vec::new();
        if !self.all {
            for did in &self.dids {
                if !dids.contains(did) {
                    dids.push(did.clone());
                }
            }
            return Ok((dids, 0));
        }
        let search = product.devices().search().show_disabled(true).limit(1000);
        let mut devices = search.max_wait(self.max_wait).iter();
        for device in devices.by_ref() {
            dids.push(device?.did.as_str().to_owned());
        }
        Ok((dids, devices.missing()))
    }

    fn start_threads<T: Record>(
        &self,
        fetch: &Arc<Fetch<T>>,
        tasks: usize,
    ) -> Result<Receiver<News>, Failure> {
        let threads = usize::from(self.parallel).min(tasks);
        let (sender, news) = sync_channel(threads);
        for _ in 0..threads {
            let (fetch, sender) = (Arc::clone(fetch), sender.clone());
            std::thread::Builder::new()
                .name("fetch".to_owned())
                .spawn(move || fetch.run(&sender))?;
        }
        Ok(news)
    }

    /// Tells how the export ended, and how to continue it.
    fn report(
        &self,
        ended: Result<(), Failure>,
        progress: &Progress,
        length: Option<u64>,
        (verb, options): (&str, &str),
        output: &Output<'_>,
    ) -> Result<(), Failure> {
        let total = counted(progress.records, "record");
        let Err(failure) = ended else {
            if io::stderr().is_terminal() {
                match (&self.out, length) {
                    (Some(out), Some(length)) => {
                        let devices = counted(progress.devices.len(), "device");
                        let (out, length) = (out.display().to_string(), HumanBytes(length));
                        let out = printable(&out);
                        tell(format_args!("{total} of {devices} -> {out} {length}"));
                    }
                    _ => tell(total),
                }
            }
            check_complete(progress.missing)?;
            return match progress.failed {
                true => Err(Failure::Some),
                false => Ok(()),
            };
        };
        let after = match failure {
            Failure::Interrupted => "interrupted after ",
            _ => "",
        };
        match (&*progress.devices, progress.last) {
            _ if length.is_some() => tell(format_args!(
                "{after}{total}; to continue, run the same command again"
            )),
            // The next command begins with the last record: other records may have the same timestamp.
            ([(did, ..)], Some(last)) => {
                let until = self
                    .until
                    .map_or(String::new(), |until| format!(" --until {until}"));
                tell(format_args!(
                    "{after}{total}; to continue: {}{verb}{options} {did} --from {last}{until}",
                    output.command
                ));
            }
            (_, Some(_)) => tell(format_args!(
                "{after}{total}; an export with --output and --checkpoint can be continued"
            )),
            (_, None) => {}
        }
        Err(failure)
    }
}

/// Writes the pages that the threads fetch, until all devices have ended.
fn write(
    news: &Receiver<News>,
    journal: &mut Option<Journal>,
    progress: &mut Progress,
    interrupted: &AtomicBool,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let check = || match interrupted.load(Ordering::Relaxed) {
        true => Err(Failure::Interrupted),
        false => Ok(()),
    };
    while progress.ended < progress.devices.len() {
        check()?;
        let one = match news.recv_timeout(Duration::from_millis(100)) {
            Ok(one) => one,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(refused("a thread of the export has failed"));
            }
        };
        match one {
            News::Page {
                index,
                lines,
                position,
            } => {
                let Some((did, start, at)) = progress.devices.get_mut(index) else {
                    continue;
                };
                *at = position.from().max(*start);
                match journal {
                    Some(journal) => {
                        let all: String =
                            lines.iter().flat_map(|line| [&line.text, "\n"]).collect();
                        journal.append(all.as_bytes(), did, position)?;
                        progress.records += lines.len();
                        progress.last = lines.last().map(|line| line.at).or(progress.last);
                    }
                    None => {
                        for line in lines {
                            writeln!(output.out, "{}", line.text)?;
                            progress.records += 1;
                            progress.last = Some(line.at);
                            check()?;
                        }
                        output.out.flush()?;
                    }
                }
            }
            News::End {
                index,
                missing,
                error,
            } => {
                progress.ended += 1;
                progress.missing += missing;
                let did = progress.devices.get(index).map_or("", |(did, ..)| did);
                match error {
                    None => {}
                    // Other devices are not affected.
                    Some(error) if progress.devices.len() > 1 && is_of_device(&error) => {
                        tell(format_args!("{} ({})", explained(&error), printable(did)));
                        progress.failed = true;
                    }
                    Some(error) => return Err(error.into()),
                }
            }
        }
        progress.show();
    }
    Ok(())
}

/// Whether an error concerns one device and no other.
fn is_of_device(error: &Error) -> bool {
    let codes = [
        ErrorCode::DeviceNotExist,
        ErrorCode::DeviceNotOfProduct,
        ErrorCode::DeviceNotBound,
        ErrorCode::DeviceDisabled,
        ErrorCode::DatapointNotFound,
    ];
    error.code().is_some_and(|code| codes.contains(&code))
}
