//! Logs in bulk: the cloud's raw records to text and columns, in blocks, on all cores, in order.
//!
//! ```text
//! Source -> blocks of whole lines -> Record -> Decoded -> Sink -> blocks -> Format
//!   one thread at a time            all threads                             the caller's thread
//! ```
//!
//! A record is a line of JSON as the Enterprise API has it (`timestamp`, `type`, `payload`, possibly
//! `did`, `product_key` and others), an object in a page of the API, or a bare payload. Inputs are plain,
//! gzip or zstd. One bad record never ends a log: it is counted, and told with its line.
//!
//! Memory is bounded whatever the input's size: the blocks that are under way are two more than there are
//! threads, and go round; each has a bounded number of lines as well as of bytes.
//!
//! ```
//! use gizwits_codec_std::Product;
//! use gizwits_codec_std::log::{Log, Ndjson, Products, Source};
//!
//! let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
//! let products = Products::one(Product::from_json(&definition)?);
//! let input = r#"{"timestamp":1517384252.294,"type":"app2dev","payload":"0000000309000090010101000010"}
//! {"timestamp":1517384252.301,"type":"app2dev","payload":"00000003090000900101"}
//! "#;
//!
//! let (mut out, mut rejects) = (Vec::new(), Vec::new());
//! let source = Source::new("input", input.as_bytes());
//! let summary = Log::new(&products).rejects(&mut rejects).decode([source], Ndjson::new(&products, &mut out))?;
//! assert_eq!((summary.records, summary.decoded), (2, 1));
//! assert_eq!(
//!     String::from_utf8(out)?,
//!     "{\"timestamp\":1517384252.294,\"type\":\"app2dev\",\"action\":\"control\",\"attrs\":{\"switch\":1}}\n",
//! );
//! assert!(String::from_utf8(rejects)?.contains(r#""line":2,"reason":{"kind":"incomplete""#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "arrow")]
mod arrow;
mod columns;
mod csv;
mod decoder;
mod ndjson;
#[cfg(feature = "parquet")]
mod parquet;
mod plan;
mod products;
mod record;
mod reject;
mod shape;
mod source;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use gizwits_codec_core::P0;

use crate::decode::{Content, Decoded, Status};
use crate::error::Error;
use crate::payload::Encoding;
use crate::product::Product;

#[cfg(feature = "arrow")]
pub use arrow::{Arrow, Batches, schema};
pub use columns::{Column, Columns};
pub use csv::{Csv, CsvSink};
pub use decoder::Decoder;
pub use ndjson::{Ndjson, NdjsonSink, TextBlock};
#[cfg(feature = "parquet")]
pub use parquet::{Parquet, ParquetBlock, ParquetSink};
pub use products::Products;
pub use record::{Line, Moment, Record};
pub use source::Source;

use decoder::too_long;
use source::{Block, Bounds, Cutter, What};

/// The reasons of rejects besides [`Error::KINDS`], and what they mean.
pub const KINDS: &[(&str, &str)] = &[
    ("json", "the line begins like an object and is not JSON"),
    (
        "record",
        "a member is missing, stands twice or is not a text",
    ),
    (
        "timestamp",
        "the timestamp is neither a number of seconds nor RFC 3339, or outside the years -9999 to 9999",
    ),
    ("depth", "arrays and objects are nested more than 32 deep"),
    (
        "unknown_device",
        "neither the record, its frame nor the input names a device, and values of one device are wanted",
    ),
    (
        "other_device",
        "the record or its frame names another device than the one that the input is of",
    ),
    (
        "device_limit",
        "the record is of one more device than values are kept for",
    ),
    ("not_utf8", "the line is not UTF-8 text"),
    ("line_length", "the line is longer than the limit"),
    (
        "unknown_product",
        "no definition that was given is of the record's product",
    ),
    (
        "unreadable",
        "the input can't be read on, or is no page of the API",
    ),
];

/// The longest line unless told otherwise: 1 MiB.
pub const LINE_LIMIT: usize = 1 << 20;

/// How deep the arrays and objects of a record may be nested. In a debug build the parser takes some 30 kB of
/// stack for a level, which threads with the usual 2 MiB have for all of these.
pub const DEPTH_LIMIT: usize = 32;

/// The most devices whose values are kept, unless another limit is set: one million.
pub const DEVICE_LIMIT: usize = 1_000_000;

/// A form of output: makes the sinks that workers fill, and writes what they filled in order.
pub trait Format {
    /// What a worker fills.
    type Sink: Sink;

    /// A sink for one more worker.
    fn sink(&self) -> Self::Sink;

    /// Writes a block and leaves it empty. Blocks come in the order of the input.
    ///
    /// # Errors
    /// If writing fails.
    fn write(&mut self, block: &mut <Self::Sink as Sink>::Block) -> io::Result<()>;

    /// Writes what comes last.
    ///
    /// # Errors
    /// If writing fails.
    fn finish(&mut self) -> io::Result<()>;

    /// About how many bytes of input a block has.
    fn block_len(&self) -> usize {
        1 << 20
    }

    /// About how many bytes it makes of a record at most: with the memory that a block may take, this
    /// limits its lines.
    fn record_len(&self) -> usize {
        0
    }
}

/// A block becomes about so many bytes at most.
const BLOCK: usize = 32 << 20;
/// So many bytes, at least, are counted for a record: those of a reject.
const REJECT: usize = 256;

/// What one worker makes of records.
pub trait Sink: Send + 'static {
    /// What it makes of a block of lines.
    type Block: Default + Send + 'static;

    /// Adds a record of one of the products to the block.
    fn record(
        &mut self,
        block: &mut Self::Block,
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    );

    /// Adds what nearly all records are: a status in a plain frame. The record is made only if it is asked
    /// for, so sinks that can do with less have one of their own.
    #[inline]
    fn status(
        &mut self,
        block: &mut Self::Block,
        line: &Line<'_>,
        product: usize,
        status: &Status<'_, '_>,
    ) {
        self.record(block, &line.record(), product, &status.decoded());
    }

    /// Ends a block.
    ///
    /// # Errors
    /// If it can't be made.
    fn end(&mut self, _: &mut Self::Block) -> io::Result<()> {
        Ok(())
    }
}

/// Formats of one product each, side by side: tables, which have the columns of one product.
#[derive(Debug)]
pub struct ByProduct<F>(Vec<F>);

impl<F: Format> ByProduct<F> {
    /// A format for each of the products of a log, in their order.
    pub fn new(formats: Vec<F>) -> Self {
        ByProduct(formats)
    }
}

impl<F: Format> Format for ByProduct<F> {
    type Sink = ByProduct<F::Sink>;

    fn sink(&self) -> Self::Sink {
        ByProduct(self.0.iter().map(F::sink).collect())
    }

    fn write(&mut self, blocks: &mut Vec<<F::Sink as Sink>::Block>) -> io::Result<()> {
        let mut pairs = self.0.iter_mut().zip(blocks);
        pairs.try_for_each(|(format, block)| format.write(block))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.0.iter_mut().try_for_each(F::finish)
    }

    fn block_len(&self) -> usize {
        self.0.iter().map(F::block_len).max().unwrap_or(1)
    }

    fn record_len(&self) -> usize {
        self.0.iter().map(F::record_len).max().unwrap_or(0)
    }
}

impl<S: Sink> ByProduct<S> {
    /// What is of this product.
    #[inline(always)]
    fn of<'s>(
        &'s mut self,
        blocks: &'s mut Vec<S::Block>,
        product: usize,
    ) -> Option<(&'s mut S, &'s mut S::Block)> {
        blocks.resize_with(self.0.len(), S::Block::default);
        self.0.get_mut(product).zip(blocks.get_mut(product))
    }
}

impl<S: Sink> Sink for ByProduct<S> {
    type Block = Vec<S::Block>;

    fn record(
        &mut self,
        blocks: &mut Self::Block,
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    ) {
        if let Some((sink, block)) = self.of(blocks, product) {
            sink.record(block, record, 0, decoded);
        }
    }

    #[inline(always)]
    fn status(
        &mut self,
        blocks: &mut Self::Block,
        line: &Line<'_>,
        product: usize,
        status: &Status<'_, '_>,
    ) {
        if let Some((sink, block)) = self.of(blocks, product) {
            sink.status(block, line, 0, status);
        }
    }

    fn end(&mut self, blocks: &mut Self::Block) -> io::Result<()> {
        blocks.resize_with(self.0.len(), S::Block::default);
        let mut pairs = self.0.iter_mut().zip(blocks);
        pairs.try_for_each(|(sink, block)| sink.end(block))
    }
}

/// The names of the columns of a table: of the record, then of the product's points.
///
/// A point whose name is taken stands as `attrs.NAME`.
pub(crate) fn head_names(product: &Product, keep: bool) -> Vec<String> {
    let head = ["timestamp", "type", "did", "action"].into_iter();
    let mut names: Vec<String> = head
        .chain(keep.then_some("extra"))
        .map(str::to_owned)
        .collect();
    for attr in product.attrs() {
        let mut name = attr.name().to_owned();
        while names.contains(&name) {
            name = format!("attrs.{name}");
        }
        names.push(name);
    }
    names
}

/// What a record is, if that has a word.
pub(crate) fn action(decoded: &Decoded<'_, '_>) -> Option<&'static str> {
    Some(ACTIONS[action_number(decoded)?])
}

/// The words, in the order of their numbers.
pub(crate) const ACTIONS: [&str; 5] = ["control", "read", "reply", "report", "transparent"];

/// The numbers of what a [`Status`] is.
pub(crate) const REPLY: usize = 2;
pub(crate) const REPORT: usize = 3;

pub(crate) fn action_number(decoded: &Decoded<'_, '_>) -> Option<usize> {
    match decoded.content {
        Content::P0(P0::Control(_)) => Some(0),
        Content::P0(P0::Read { .. }) => Some(1),
        Content::P0(P0::Reply(_)) => Some(REPLY),
        Content::P0(P0::Report(_)) => Some(REPORT),
        Content::P0(P0::Transparent { .. }) => Some(4),
        Content::P0(P0::Gateway { .. }) | Content::Body(_) => None,
    }
}

/// How records are read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How payloads are written, if not told by each.
    pub encoding: Option<Encoding>,
    /// Members without a meaning here are kept.
    pub keep: bool,
    /// Every line goes through the strict parser. Makes no difference but in time.
    pub strict: bool,
    /// Reports and replies of var_len products carry the last known values of their device's other points.
    /// Those that name no device are rejected.
    pub fill: bool,
    /// Reports and replies that name no device are rejected, whatever their product.
    pub known_devices: bool,
    /// The most devices of a product whose values are kept for [`fill`](Self::fill), one million by default:
    /// each takes about 160 bytes and those of its status. Records of further devices are rejected.
    pub device_limit: usize,
    /// Replies and reports of any length are decoded, as by [`Product::lax`].
    pub lax: bool,
    /// The longest line, in bytes.
    pub line_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            encoding: None,
            keep: false,
            strict: false,
            fill: false,
            known_devices: false,
            device_limit: DEVICE_LIMIT,
            lax: false,
            line_limit: LINE_LIMIT,
        }
    }
}

/// What became of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// All records, good and bad.
    pub records: u64,
    /// Those that were decoded.
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

/// What goes round: lines on the way there, what was made of them on the way back.
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

    /// What an input has just now goes on at once, for those who follow one that grows.
    #[must_use]
    pub fn eager(mut self, eager: bool) -> Self {
        self.eager = eager;
        self
    }

    /// Where the bad records go, as lines of JSON.
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

/// What is read by one thread at a time.
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
        job.rejects.clear();
        let mut summary = Summary {
            bytes: job.lines.bytes.len() as u64,
            ..Summary::default()
        };
        let ends = job.lines.parts.iter().skip(1).map(|part| part.start);
        let ends: Vec<usize> = ends.chain([job.lines.bytes.len()]).collect();
        for (part, end) in job.lines.parts.iter().zip(ends) {
            let bytes = job.lines.bytes.get(part.start..end).unwrap_or(&[]);
            let (tell, rejects) = (self.tell, &mut job.rejects);
            let mut reject = |line: u64, record: &[u8], error: &Error, len: Option<u64>| {
                *summary.rejected.entry(error.kind).or_default() += 1;
                if tell {
                    reject::write(rejects, (&part.origin.name, line), error, record, len);
                }
            };
            let limit = self.limit;
            self.decoder.set_device(part.origin.did.as_deref());
            summary.records += match &part.what {
                What::Lines => self.decoder.lines(bytes, &mut job.out, |n, line, error| {
                    match line.len() > limit {
                        true => {
                            let head = line.get(..source::SAMPLE).unwrap_or(line);
                            reject(part.line + n, head, error, Some(line.len() as u64));
                        }
                        false => reject(part.line + n, line, error, None),
                    }
                }),
                What::Long(len) => {
                    let error = too_long(*len, limit);
                    reject(part.line, bytes, &error, Some(*len));
                    1
                }
                What::Damaged(why) => {
                    reject(
                        part.line,
                        bytes,
                        &Error::new("unreadable", why.clone()),
                        None,
                    );
                    1
                }
            };
        }
        if let Err(error) = self.decoder.end(&mut job.out) {
            job.failed = Some(error);
        }
        summary.decoded = summary.records - summary.rejected.values().sum::<u64>();
        summary.inexact = self.decoder.take_inexact();
        job.summary = summary;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let definition = include_str!("../../tests/fixtures/air-conditioner.json");
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
            let millis = record.timestamp.as_ref().map(Moment::millis);
            self.1.lock().unwrap()[self.0].extend(millis);
        }
    }

    /// One sink has all records in their order, on however many threads and in however many blocks.
    #[test]
    fn ordered_is_one_sink_and_in_order() {
        let definition = include_str!("../../tests/fixtures/air-conditioner.json");
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
