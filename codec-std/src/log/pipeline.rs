//! The threads of a log, and the blocks that they exchange.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use super::decoder::{Decoder, Options, too_long};
use super::rejects;
use super::sink::{Format, Sink};
use super::source::Source;
use super::source::block::{Block, Bounds, PartKind, SAMPLE};
use super::source::cutter::Cutter;
use super::states::States;
use crate::error::Error;
use crate::product::products::Products;

/// The approximate maximum size of the output of a block, in bytes.
const BLOCK: usize = 32 << 20;

/// The minimum size that is counted for a record, in bytes: the size of a reject.
const REJECT: usize = 256;

/// The counts of a log: records, rejects and bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The number of all records, decoded and rejected.
    pub records: u64,
    /// The number of decoded records.
    pub decoded: u64,
    /// The number of decoded records whose length does not fit their points. Only [`Options::lax`] accepts such
    /// records.
    pub inexact: u64,
    /// The number of rejected records, by the kind of the error: one of
    /// [`Error::KINDS`](crate::Error::KINDS) or [`KINDS`](super::KINDS).
    pub rejected: BTreeMap<&'static str, u64>,
    /// The first rejected record of each kind, in the order of the log.
    pub first_rejects: Vec<FirstReject>,
    /// The number of bytes that were read, after decompression.
    pub bytes: u64,
}

/// The first rejected record of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FirstReject {
    /// The name of the input.
    pub input: String,
    /// The number of the line, from 1.
    pub line: u64,
    /// The kind of the error.
    pub kind: &'static str,
    /// The message of the error.
    pub message: String,
}

impl Summary {
    /// Adds the counts of what follows.
    fn add(&mut self, other: &Summary) {
        self.records += other.records;
        self.decoded += other.decoded;
        self.inexact += other.inexact;
        self.bytes += other.bytes;
        for reject in &other.first_rejects {
            if !self.rejected.contains_key(reject.kind) {
                self.first_rejects.push(reject.clone());
            }
        }
        for (kind, count) in &other.rejected {
            *self.rejected.entry(kind).or_default() += count;
        }
    }
}

/// The decoding of a log: its options, threads and outputs. [`decode`](Self::decode) runs it.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{Csv, Log, Options, Products, Source, TableOptions};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let input = "{\"timestamp\":1517384252,\"type\":\"app2dev\",\"payload\":\"014000000018\"}\n";
///
/// let mut table = Vec::new();
/// let log = Log::new(&Products::one(product.clone())).options(Options { lax: true, ..Options::default() });
/// let summary = log.threads(1).decode(
///     [Source::new("input", input.as_bytes())],
///     Csv::new(&product, TableOptions::default(), &mut table)?,
/// )?;
/// assert_eq!((summary.decoded, summary.rejected.len()), (1, 0));
/// let table = String::from_utf8(table)?;
/// assert!(table.ends_with("\r\n2018-01-31T07:37:32.000Z,app2dev,,control,,,,,,,24,,,,\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Log<'r> {
    products: Products,
    options: Options,
    threads: usize,
    ordered: bool,
    eager: bool,
    rejects: Option<Box<dyn Write + 'r>>,
    states: Option<&'r mut States>,
    watch: Option<Watch<'r>>,
}

/// A callback with the counts so far.
type Watch<'r> = Box<dyn FnMut(&Summary) + 'r>;

impl fmt::Debug for Log<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("products", &self.products)
            .field("options", &self.options)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// A block that circulates: it carries lines to a worker, and output back to the caller's thread.
#[derive(Default)]
struct Job<B> {
    lines: Block,
    out: B,
    rejects: Vec<u8>,
    summary: Summary,
    failed: Option<io::Error>,
}

impl<'r> Log<'r> {
    /// Creates a log of these products, with one thread for each core.
    #[must_use]
    pub fn new(products: &Products) -> Self {
        Log {
            products: products.clone(),
            options: Options::default(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            ordered: false,
            eager: false,
            rejects: None,
            states: None,
            watch: None,
        }
    }

    /// Sets how records are read. Default: [`Options::default`].
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Sets the number of threads that read and decode, at least 1. The caller's thread writes. Each thread
    /// needs memory for a block and its output. Default: the number of cores.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Sets whether a single sink receives all records, in order. One thread then decodes while another reads.
    /// [`Options::fill`] implies it, because states depend on the order of records. Default: false.
    #[must_use]
    pub fn ordered(mut self, ordered: bool) -> Self {
        self.ordered = ordered;
        self
    }

    /// Sets whether available lines are decoded at once instead of waiting for a full block. For inputs that
    /// grow. Default: false.
    #[must_use]
    pub fn eager(mut self, eager: bool) -> Self {
        self.eager = eager;
        self
    }

    /// Sets the output for rejected records, which are written as lines of JSON. Default: rejected records are
    /// only counted.
    #[must_use]
    pub fn rejects(mut self, out: impl Write + 'r) -> Self {
        self.rejects = Some(Box::new(out));
        self
    }

    /// Sets the states with which [`Options::fill`] begins. After the log, they are the states at its end. If the log
    /// ends with an error, they are empty. Default: no device has a known value.
    #[must_use]
    pub fn states(mut self, states: &'r mut States) -> Self {
        self.states = Some(states);
        self
    }

    /// Sets a function that is called with the counts so far after every block.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    /// use gizwits_codec_std::log::{Log, Ndjson, Products, Source};
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let products = Products::one(Product::from_json(&definition)?);
    /// let mut seen = 0;
    /// let log = Log::new(&products).watch(|summary| seen = summary.records);
    /// log.decode([Source::new("input", &b"02\n02\n"[..])], Ndjson::new(&products, std::io::sink()))?;
    /// assert_eq!(seen, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn watch(mut self, watch: impl FnMut(&Summary) + 'r) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Decodes all records of the sources and writes them to the format.
    ///
    /// # Errors
    /// The error of a write. An unreadable input is not an error but a reject.
    pub fn decode<F: Format>(
        mut self,
        sources: impl IntoIterator<Item = Source, IntoIter: Send + 'static>,
        mut format: F,
    ) -> io::Result<Summary> {
        type Block<F> = <<F as Format>::Sink as Sink>::Block;
        let bounds = Bounds {
            bytes: format.block_len().max(1),
            lines: (BLOCK / format.record_len().max(REJECT)).max(1),
            line: self.options.line_limit,
            eager: self.eager,
        };
        let (free, idle) = channel();
        let (order, turns) = channel();
        let input = Arc::new(Mutex::new(Input {
            cutter: Cutter::new(sources.into_iter().fuse(), bounds),
            idle,
            order,
        }));
        let worker = || {
            Arc::new(Mutex::new(Worker {
                decoder: Decoder::new(&self.products, self.options, format.sink()),
                limit: self.options.line_limit,
                write_rejects: self.rejects.is_some(),
            }))
        };
        let (count, one) = match self.ordered || self.options.fill {
            true => (self.threads.min(2), Some(worker())),
            false => (self.threads, None),
        };
        let lock = || one.as_ref().and_then(|worker| worker.lock().ok());
        if let (Some(states), Some(mut worker)) = (&mut self.states, lock()) {
            let empty = States::new(&self.products);
            worker.decoder.set_states(std::mem::replace(*states, empty));
        }
        let (mut done, mut threads) = (Vec::new(), Vec::new());
        for turn in 0..count {
            let (ready, finished) = channel::<Job<Block<F>>>();
            let input = Arc::clone(&input);
            let worker = one.clone().unwrap_or_else(worker);
            let thread = thread::Builder::new().name("decode".to_owned());
            threads.push(thread.spawn(move || run(turn, &input, &worker, &ready))?);
            done.push(finished);
        }
        drop(input);
        // Two more blocks than threads, so that no thread waits while the caller writes.
        for _ in 0..count + 2 {
            let _ = free.send(Job::default());
        }
        let panicked = || io::Error::other("a thread of the log panicked");
        let mut all = Summary::default();
        for turn in turns {
            // A thread that announced a block and ended without it has panicked. Joining the other threads here
            // could take forever, because they may wait for input.
            let mut job = done[turn].recv().map_err(|_| panicked())?;
            if let Some(error) = job.failed.take() {
                return Err(error);
            }
            format.write(&mut job.out)?;
            if let Some(rejects) = &mut self.rejects {
                rejects.write_all(&job.rejects)?;
            }
            all.add(&job.summary);
            if let Some(watch) = &mut self.watch {
                watch(&all);
            }
            let _ = free.send(job);
        }
        for thread in threads {
            thread.join().map_err(|_| panicked())?;
        }
        format.finish()?;
        if let (Some(states), Some(mut worker)) = (self.states, lock()) {
            *states = worker.decoder.take_states();
        }
        if let Some(rejects) = &mut self.rejects {
            rejects.flush()?;
        }
        Ok(all)
    }
}

/// The input, which is behind a lock: one thread reads at a time.
struct Input<I, B> {
    cutter: Cutter<I>,
    idle: Receiver<Job<B>>,
    /// Announces which thread brings the next block.
    order: Sender<usize>,
}

/// Reads blocks and decodes them, in turn with the other threads.
///
/// A thread locks its worker before it unlocks the input, so threads that share a worker use it in the order of
/// the blocks. If a thread panics while it holds a lock, the other threads end at that lock.
fn run<I: Iterator<Item = Source>, S: Sink>(
    turn: usize,
    input: &Mutex<Input<I, S::Block>>,
    worker: &Mutex<Worker<S>>,
    ready: &Sender<Job<S::Block>>,
) {
    while let Ok(mut input) = input.lock() {
        let Ok(mut job) = input.idle.recv() else {
            return;
        };
        if !input.cutter.fill(&mut job.lines) || input.order.send(turn).is_err() {
            return;
        }
        let Ok(mut worker) = worker.lock() else {
            return;
        };
        drop(input);
        worker.job(&mut job);
        drop(worker);
        if ready.send(job).is_err() {
            return;
        }
    }
}

struct Worker<S> {
    decoder: Decoder<S>,
    /// The maximum length of a line in bytes.
    limit: usize,
    /// Whether rejects are written.
    write_rejects: bool,
}

impl<S: Sink> Worker<S> {
    fn job(&mut self, job: &mut Job<S::Block>) {
        let (bytes, parts, limit) = (&job.lines.bytes, &job.lines.parts, self.limit);
        let summary = &mut job.summary;
        *summary = Summary {
            bytes: bytes.len() as u64,
            ..Summary::default()
        };
        job.rejects.clear();
        for (n, part) in parts.iter().enumerate() {
            let end = parts.get(n + 1).map_or(bytes.len(), |next| next.start);
            let bytes = bytes.get(part.start..end).unwrap_or(&[]);
            let mut reject = |line: u64, record: &[u8], error: &Error, len: Option<u64>| {
                let count = summary.rejected.entry(error.kind).or_default();
                *count += 1;
                if *count == 1 {
                    summary.first_rejects.push(FirstReject {
                        input: part.origin.name.clone(),
                        line: part.line + line,
                        kind: error.kind,
                        message: error.message.clone(),
                    });
                }
                if self.write_rejects {
                    let place = (&*part.origin.name, part.line + line);
                    rejects::write(&mut job.rejects, place, error, record, len);
                }
            };
            self.decoder.set_device(part.origin.did.as_deref());
            summary.records += match &part.what {
                PartKind::Lines => self.decoder.lines(bytes, &mut job.out, |n, line, error| {
                    let is_long = line.len() > limit;
                    let head = line.get(..SAMPLE).filter(|_| is_long).unwrap_or(line);
                    reject(n, head, error, is_long.then_some(line.len() as u64));
                }),
                PartKind::Long(len) => {
                    reject(0, bytes, &too_long(*len, limit), Some(*len));
                    1
                }
                PartKind::Damaged(why) => {
                    reject(0, bytes, &Error::new("unreadable", why.clone()), None);
                    1
                }
            };
        }
        job.failed = self.decoder.end(&mut job.out).err();
        summary.decoded = summary.records - summary.rejected.values().sum::<u64>();
        summary.inexact = self.decoder.take_inexact();
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Record;
    use super::super::record::timestamp::Timestamp;
    use super::*;
    use crate::message::Decoded;
    use crate::product::Product;

    /// Panics at a record.
    struct Panics;

    impl Format for Panics {
        type Sink = Panics;

        fn sink(&self) -> Panics {
            Panics
        }

        fn write(&mut self, (): &mut ()) -> io::Result<()> {
            Ok(())
        }

        fn finish(&mut self) -> io::Result<()> {
            panic!("the log is not whole");
        }

        fn block_len(&self) -> usize {
            1
        }
    }

    impl Sink for Panics {
        type Block = ();

        fn record(
            &mut self,
            (): &mut (),
            _: &Record<'_>,
            _: usize,
            _: &Decoded<'_, '_>,
        ) -> Result<(), Box<Error>> {
            panic!("as it should");
        }
    }

    /// A reader of lines that are not records, which then panics; or of a record, which then blocks forever.
    struct Lines(u8, &'static [u8]);

    impl io::Read for Lines {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.0 -= 1;
            match (self.0, self.1) {
                (0, b"-\n") => panic!("as it should"),
                (0, _) => loop {
                    thread::park();
                },
                _ => (&mut &*self.1).read(to),
            }
        }
    }

    /// A log whose decoder or reader panics ends with an error.
    #[test]
    fn whoever_panics_fails_the_log() {
        let definition = include_str!("../../../tests/fixtures/air-conditioner.json");
        let products = Products::one(Product::from_json(definition).unwrap());
        for fill in [false, true] {
            for threads in 1..4 {
                for line in [&b"-\n"[..], b"0000000309000090010101000010\n"] {
                    let options = Options {
                        fill,
                        ..Options::default()
                    };
                    let source = Source::new("lines", Lines(50, line));
                    let log = Log::new(&products).options(options).threads(threads);
                    let failed = log.decode([source], Panics).unwrap_err();
                    assert_eq!(failed.to_string(), "a thread of the log panicked");
                }
            }
        }
    }

    /// The first reject of each kind is that of the log, whatever the blocks and threads.
    #[test]
    fn the_first_reject_of_each_kind_is_kept() {
        let definition = include_str!("../../../tests/fixtures/air-conditioner.json");
        let products = Products::one(Product::from_json(definition).unwrap());
        let lines = ["zz", "0304", "zz", "{}", "0304", "{", "{}"];
        let first = [
            ("a", 1, "not_hex_or_base64"),
            ("a", 2, "incomplete"),
            ("a", 4, "record"),
            ("b", 1, "json"),
        ];
        for threads in 1..4 {
            let (a, b) = (lines[..5].join("\n"), lines[5..].join("\n"));
            let sources = [
                Source::new("a", io::Cursor::new(a)),
                Source::new("b", io::Cursor::new(b)),
            ];
            let format = crate::log::Ndjson::new(&products, io::sink());
            let log = Log::new(&products).threads(threads).eager(true);
            let summary = log.decode(sources, format).unwrap();
            let found = summary.first_rejects.iter();
            let found = found.map(|one| (&*one.input, one.line, one.kind));
            assert_eq!(found.collect::<Vec<_>>(), first);
            assert!(
                summary
                    .first_rejects
                    .iter()
                    .all(|one| !one.message.is_empty())
            );
            assert_eq!(summary.rejected.values().sum::<u64>(), lines.len() as u64);
        }
    }

    /// Collects the timestamps of records, in the order in which each sink gets them.
    struct Times(Arc<Mutex<Vec<Vec<i64>>>>);

    /// A sink with the index of its list.
    struct TimesSink(usize, Arc<Mutex<Vec<Vec<i64>>>>);

    impl Format for Times {
        type Sink = TimesSink;

        fn sink(&self) -> TimesSink {
            let mut lists = self.0.lock().unwrap();
            lists.push(Vec::new());
            TimesSink(lists.len() - 1, Arc::clone(&self.0))
        }

        fn write(&mut self, (): &mut ()) -> io::Result<()> {
            Ok(())
        }

        fn finish(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn block_len(&self) -> usize {
            1
        }

        fn record_len(&self) -> usize {
            BLOCK / 7
        }
    }

    impl Sink for TimesSink {
        type Block = ();

        fn record(
            &mut self,
            (): &mut (),
            record: &Record<'_>,
            _: usize,
            _: &Decoded<'_, '_>,
        ) -> Result<(), Box<Error>> {
            let millis = record.timestamp.as_ref().map(Timestamp::millis);
            self.1.lock().unwrap()[self.0].extend(millis);
            Ok(())
        }
    }

    /// An ordered log has one sink, with all records in order, for any number of threads and blocks.
    #[test]
    fn ordered_is_one_sink_and_in_order() {
        let definition = include_str!("../../../tests/fixtures/air-conditioner.json");
        let products = Products::one(Product::from_json(definition).unwrap());
        let payload = "0000000309000090010101000010";
        let line =
            |n| format!("{{\"timestamp\":{n},\"type\":\"app2dev\",\"payload\":\"{payload}\"}}\n");
        let text: String = (1..=3000).map(line).collect();
        for (threads, fill) in [(1, false), (2, false), (5, false), (5, true)] {
            let options = Options {
                fill,
                ..Options::default()
            };
            let log = Log::new(&products).options(options).threads(threads);
            let lists = Arc::new(Mutex::new(Vec::new()));
            let source = Source::new("log", io::Cursor::new(text.clone()));
            let format = Times(Arc::clone(&lists));
            log.ordered(!fill).decode([source], format).unwrap();
            let expected: Vec<i64> = (1..=3000).map(|n| n * 1000).collect();
            assert_eq!(*lists.lock().unwrap(), [expected]);
        }
    }
}
