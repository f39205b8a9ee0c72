//! The threads of a log, and the blocks that go round between them.

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
use crate::error::Error;
use crate::product::products::Products;

/// A block becomes about so many bytes at most.
const BLOCK: usize = 32 << 20;

/// The least size in bytes that is counted for a record: that of a reject.
const REJECT: usize = 256;

/// The counts of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// All records, good and bad.
    pub records: u64,
    /// The records that were decoded.
    pub decoded: u64,
    /// The decoded records whose length differs from that of their points, which only [`Options::lax`]
    /// accepts.
    pub inexact: u64,
    /// The others, by the kind of their error.
    pub rejected: BTreeMap<&'static str, u64>,
    /// The bytes that were read, decompressed.
    pub bytes: u64,
}

impl Summary {
    fn add(&mut self, other: &Summary) {
        self.records += other.records;
        self.decoded += other.decoded;
        self.inexact += other.inexact;
        self.bytes += other.bytes;
        for (kind, count) in &other.rejected {
            *self.rejected.entry(kind).or_default() += count;
        }
    }
}

/// A log to be decoded.
pub struct Log<'r> {
    products: Products,
    options: Options,
    threads: usize,
    ordered: bool,
    eager: bool,
    rejects: Option<Box<dyn Write + 'r>>,
    watch: Option<Watch<'r>>,
}

/// Is told how far a log is.
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

/// A block that goes round: lines on the way to a worker, output on the way back.
#[derive(Default)]
struct Job<B> {
    lines: Block,
    out: B,
    rejects: Vec<u8>,
    summary: Summary,
    failed: Option<io::Error>,
}

impl<'r> Log<'r> {
    /// A log of these products, on as many threads as there are cores.
    #[must_use]
    pub fn new(products: &Products) -> Self {
        Log {
            products: products.clone(),
            options: Options::default(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            ordered: false,
            eager: false,
            rejects: None,
            watch: None,
        }
    }

    /// How records are read.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// How many threads read and decode, at least one; the caller's writes. Each has a block of its own in
    /// memory, with what is made of it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// One sink has all records, in their order. Then one thread decodes at a time, while another reads.
    /// [`Options::fill`] does the same, since what a device said before is in order.
    #[must_use]
    pub fn ordered(mut self, ordered: bool) -> Self {
        self.ordered = ordered;
        self
    }

    /// Passes on at once what an input has, for inputs that grow.
    #[must_use]
    pub fn eager(mut self, eager: bool) -> Self {
        self.eager = eager;
        self
    }

    /// Sets the output for bad records, which are written as lines of JSON.
    #[must_use]
    pub fn rejects(mut self, out: impl Write + 'r) -> Self {
        self.rejects = Some(Box::new(out));
        self
    }

    /// Is called with what there is so far, after every block.
    #[must_use]
    pub fn watch(mut self, watch: impl FnMut(&Summary) + 'r) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Decodes it all.
    ///
    /// # Errors
    /// If writing fails. An input that can't be read is a reject.
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
                tell: self.rejects.is_some(),
            }))
        };
        let (count, one) = match self.ordered || self.options.fill {
            true => (self.threads.min(2), Some(worker())),
            false => (self.threads, None),
        };
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
        for _ in 0..count + 2 {
            let _ = free.send(Job::default());
        }
        let panicked = || io::Error::other("a thread of the log panicked");
        let mut all = Summary::default();
        for turn in turns {
            // Who was to bring one and is gone has panicked. The others may wait for input yet.
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
        if let Some(rejects) = &mut self.rejects {
            rejects.flush()?;
        }
        Ok(all)
    }
}

/// The input, which one thread reads at a time.
struct Input<I, B> {
    cutter: Cutter<I>,
    idle: Receiver<Job<B>>,
    /// Is told which thread has the next block.
    order: Sender<usize>,
}

/// Reads blocks and decodes them, in turns with the other threads.
///
/// A thread has its worker before it leaves the input to the next one, so that threads who share a worker
/// have it in the order of the blocks. If one panics with either, the others end when they come to it.
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
    /// The longest line.
    limit: usize,
    /// Whether anybody wants the rejects.
    tell: bool,
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
                *summary.rejected.entry(error.kind).or_default() += 1;
                if self.tell {
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

        fn record(&mut self, (): &mut (), _: &Record<'_>, _: usize, _: &Decoded<'_, '_>) {
            panic!("as it should");
        }
    }

    /// Gives lines that are no records and then panics, or a record and then nothing, ever.
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

    /// A log whose decoder or reader panics ends, and not as a success.
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

    /// Keeps the timestamps of records, in the order in which a sink has them.
    struct Times(Arc<Mutex<Vec<Vec<i64>>>>);

    /// The number of its list.
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

        fn record(&mut self, (): &mut (), record: &Record<'_>, _: usize, _: &Decoded<'_, '_>) {
            let millis = record.timestamp.as_ref().map(Timestamp::millis);
            self.1.lock().unwrap()[self.0].extend(millis);
        }
    }

    /// One sink has all records in their order, on however many threads and in however many blocks.
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
