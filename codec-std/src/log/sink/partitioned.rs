//! A format that writes each partition of a log with a format of its own.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::partition::{Partition, PartitionKey};
use super::{Format, Sink};
use crate::error::{Error, counted};
use crate::log::record::Record;
use crate::log::record::lazy::LazyRecord;
use crate::message::{Decoded, Status};

/// A format that distributes records to one format for each partition.
///
/// Records of a partition keep the order of the log. A record whose partition can't have a folder is rejected, as
/// [`Partition`] describes.
///
/// ```
/// use std::cell::RefCell;
/// use std::collections::BTreeSet;
///
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{Log, Ndjson, Partition, Partitioned, Products, Source};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let products = Products::one(Product::from_json(&definition)?);
/// let folders = RefCell::new(BTreeSet::new());
/// let partition = Partition { time: None, did: true };
/// let partitioned = Partitioned::new(partition, Ndjson::new(&products, std::io::sink()), |folder| {
///     folders.borrow_mut().insert(folder.to_owned());
///     Ok(Ndjson::new(&products, std::io::sink()))
/// });
/// let input = "{\"did\":\"a\",\"payload\":\"02\"}\n{\"did\":\"b\",\"payload\":\"02\"}\n";
/// Log::new(&products).decode([Source::new("input", input.as_bytes())], partitioned)?;
/// assert_eq!(folders.into_inner(), ["did=a", "did=b"].map(str::to_owned).into());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Partitioned<F, O> {
    partition: Partition,
    /// A format that no block is written to. It only creates sinks, which have to exist before the first partition.
    template: Arc<Mutex<F>>,
    open: O,
    formats: HashMap<PartitionKey, F>,
    limit: usize,
    untimed: u64,
}

/// The default of [`Partitioned::limit`].
const LIMIT: usize = 10_000;

impl<F, O: FnMut(&str) -> io::Result<F>> Partitioned<F, O> {
    /// Creates a format without any partition.
    ///
    /// `open` creates the format of a partition when its first block is written. The argument is
    /// [`Partition::folder`]. `template` is a format like those of the partitions, to which nothing is written
    /// except for its beginning. Tables must have the same partition in
    /// [`TableOptions::partition`](crate::log::TableOptions::partition).
    pub fn new(partition: Partition, template: F, open: O) -> Self {
        Partitioned {
            partition,
            template: Arc::new(Mutex::new(template)),
            open,
            formats: HashMap::new(),
            limit: LIMIT,
            untimed: 0,
        }
    }

    /// Sets the maximum number of partitions. A log with more of them ends with an error. All formats exist until
    /// the end of the log, so each partition takes memory. Default: 10,000.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

impl<F, O> Partitioned<F, O> {
    /// The number of partitions so far.
    pub fn len(&self) -> usize {
        self.formats.len()
    }

    /// Whether there is no partition so far.
    pub fn is_empty(&self) -> bool {
        self.formats.is_empty()
    }

    /// The number of records without a timestamp, if records are partitioned by time.
    pub fn untimed(&self) -> u64 {
        self.untimed
    }
}

impl<F, O> fmt::Debug for Partitioned<F, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partitioned")
            .field("partition", &self.partition)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// The sink of [`Partitioned`].
pub struct PartitionedSink<F: Format> {
    partition: Partition,
    template: Arc<Mutex<F>>,
    /// The sinks of the parts of the current block, and sinks that are reused for further parts.
    sinks: Vec<F::Sink>,
}

impl<F: Format> fmt::Debug for PartitionedSink<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartitionedSink")
            .field("partition", &self.partition)
            .finish_non_exhaustive()
    }
}

/// A block of records, divided into parts of one partition each.
#[derive(Debug)]
pub struct PartitionedBlock<B> {
    /// The index of the part of each partition.
    index: HashMap<PartitionKey, usize>,
    /// The keys of the parts in use.
    keys: Vec<PartitionKey>,
    /// The blocks of the parts, and empty blocks that are reused for further parts.
    blocks: Vec<B>,
    /// The part of the last record. The next record usually has the same partition.
    last: usize,
    untimed: u64,
}

impl<B> Default for PartitionedBlock<B> {
    fn default() -> Self {
        PartitionedBlock {
            index: HashMap::new(),
            keys: Vec::new(),
            blocks: Vec::new(),
            last: 0,
            untimed: 0,
        }
    }
}

/// The number of unused sinks and blocks that are kept for the next block.
const KEPT: usize = 64;

impl<F: Format + Send + 'static, O: FnMut(&str) -> io::Result<F>> Format for Partitioned<F, O> {
    type Sink = PartitionedSink<F>;

    fn sink(&self) -> Self::Sink {
        PartitionedSink {
            partition: self.partition,
            template: Arc::clone(&self.template),
            sinks: Vec::new(),
        }
    }

    fn write(&mut self, block: &mut <Self::Sink as Sink>::Block) -> io::Result<()> {
        self.untimed += std::mem::take(&mut block.untimed);
        block.index.clear();
        for (key, part) in block.keys.drain(..).zip(&mut block.blocks) {
            if !self.formats.contains_key(&key) {
                if self.formats.len() >= self.limit {
                    let limit = counted(self.limit, "partition");
                    return Err(io::Error::other(format!(
                        "the log has more than {limit}: raise the limit, or partition by longer times or not by \
                         device"
                    )));
                }
                let format = (self.open)(&self.partition.folder_of(&key))?;
                self.formats.insert(key.clone(), format);
            }
            if let Some(format) = self.formats.get_mut(&key) {
                format.write(part)?;
            }
        }
        block.blocks.truncate(KEPT);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.formats.values_mut().try_for_each(F::finish)
    }

    fn block_len(&self) -> usize {
        lock(&self.template).block_len()
    }

    fn record_len(&self) -> usize {
        lock(&self.template).record_len()
    }
}

/// Locks a template. Creating a sink changes nothing in it, so a panic leaves it sound.
fn lock<F>(template: &Mutex<F>) -> std::sync::MutexGuard<'_, F> {
    template.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The sink and the block of a partition.
type Part<'s, F> = (
    &'s mut <F as Format>::Sink,
    &'s mut <<F as Format>::Sink as Sink>::Block,
);

impl<F: Format> PartitionedSink<F> {
    /// Returns the sink and the block of the partition of a record.
    ///
    /// # Errors
    /// If the partition can't have a folder.
    fn part<'s>(
        &'s mut self,
        block: &'s mut PartitionedBlock<<F::Sink as Sink>::Block>,
        record: &Record<'_>,
        did: Option<&str>,
    ) -> Result<Part<'s, F>, Box<Error>> {
        let (span, did) = self.partition.parts(record.timestamp.as_ref(), did);
        let last = block.keys.get(block.last);
        if last.is_none_or(|key| key.span != span || key.did.as_deref() != did) {
            Partition::check(did)?;
            let key = PartitionKey {
                span,
                did: did.map(Box::from),
            };
            let next = block.keys.len();
            block.last = *block.index.entry(key.clone()).or_insert(next);
            if block.last == next {
                block.keys.push(key);
            }
        }
        if self.partition.time.is_some() && span.is_none() {
            block.untimed += 1;
        }
        let part = block.last;
        if self.sinks.len() <= part {
            let template = &self.template;
            self.sinks.resize_with(part + 1, || lock(template).sink());
        }
        if block.blocks.len() <= part {
            block.blocks.resize_with(part + 1, Default::default);
        }
        Ok((&mut self.sinks[part], &mut block.blocks[part]))
    }
}

impl<F: Format + Send + 'static> Sink for PartitionedSink<F> {
    type Block = PartitionedBlock<<F::Sink as Sink>::Block>;

    fn record(
        &mut self,
        block: &mut Self::Block,
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    ) -> Result<(), Box<Error>> {
        let did = record.device(decoded);
        let (sink, block) = self.part(block, record, did.as_deref())?;
        sink.record(block, record, product, decoded)
    }

    fn status(
        &mut self,
        block: &mut Self::Block,
        line: &LazyRecord<'_>,
        product: usize,
        status: &Status<'_, '_>,
    ) -> Result<(), Box<Error>> {
        let record = line.record();
        let (sink, block) = self.part(block, &record, record.did)?;
        sink.status(block, line, product, status)
    }

    fn end(&mut self, block: &mut Self::Block) -> io::Result<()> {
        let parts = block.keys.len();
        let mut pairs = self.sinks.iter_mut().zip(&mut block.blocks).take(parts);
        pairs.try_for_each(|(sink, block)| sink.end(block))?;
        block.last = 0;
        self.sinks.truncate(KEPT);
        Ok(())
    }
}
