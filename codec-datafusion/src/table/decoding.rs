//! Decodes the parts of a partition into record batches.

use std::io::{self, Write};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::{DataFusionError, Result, exec_err};
use gizwits_codec_std::core::PointId;
use gizwits_codec_std::log::{
    Batches, Format, LazyRecord, Log, Products, Record, Sink, Source, Summary, TableOptions,
};
use gizwits_codec_std::{Decoded, Error, Product, Status};

use super::time_range::TimeRange;

/// The decoding of a partition.
pub(super) struct Decoding {
    pub(super) product: Product,
    /// The points that the query uses.
    pub(super) points: Arc<[PointId]>,
    /// The columns of the query, among the columns of the record and those of `points`.
    pub(super) columns: Arc<[usize]>,
    /// The records that can pass the filters of the query.
    pub(super) times: Option<TimeRange>,
}

impl Decoding {
    /// Decodes the sources and passes every batch to `send`, which returns whether more batches are needed.
    pub(super) fn run(
        self,
        sources: impl Iterator<Item = Source> + Send + 'static,
        send: impl FnMut(RecordBatch) -> bool,
    ) -> Result<Summary> {
        let products = Products::one(self.product.clone());
        let mut unreadable = Unreadable::default();
        let log = Log::new(&products).threads(1).rejects(&mut unreadable);
        let mut stopped = false;
        let done = log.decode(
            sources,
            Sending {
                decoding: &self,
                send,
                stopped: &mut stopped,
            },
        );
        if stopped {
            return Ok(Summary::default());
        }
        let summary = done.map_err(DataFusionError::IoError)?;
        match unreadable.first {
            Some(line) => exec_err!("the log cannot be read to its end: {line}"),
            None => Ok(summary),
        }
    }
}

/// A format that passes batches on.
struct Sending<'d, F> {
    decoding: &'d Decoding,
    send: F,
    /// Set when no more batches are needed.
    stopped: &'d mut bool,
}

impl<F: FnMut(RecordBatch) -> bool> Format for Sending<'_, F> {
    type Sink = Timed;

    fn sink(&self) -> Timed {
        let Decoding {
            product, points, ..
        } = self.decoding;
        Timed {
            batches: Batches::of_points(product, TableOptions::default(), points),
            times: self.decoding.times,
        }
    }

    fn write(&mut self, batch: &mut Option<RecordBatch>) -> io::Result<()> {
        let Some(batch) = batch.take() else {
            return Ok(());
        };
        let batch = batch.project(&self.decoding.columns);
        match (self.send)(batch.map_err(io::Error::other)?) {
            true => Ok(()),
            false => {
                *self.stopped = true;
                Err(io::Error::other("the query needs no more rows"))
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Batches of the records in a range of time.
struct Timed {
    batches: Batches,
    times: Option<TimeRange>,
}

impl Timed {
    fn accepts(&self, record: &Record<'_>) -> bool {
        let millis = || record.timestamp.as_ref().map(|time| time.millis());
        self.times.is_none_or(|times| times.contains(millis()))
    }
}

impl Sink for Timed {
    type Block = Option<RecordBatch>;

    fn record(
        &mut self,
        block: &mut Self::Block,
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    ) -> Result<(), Box<Error>> {
        match self.accepts(record) {
            true => self.batches.record(block, record, product, decoded),
            false => Ok(()),
        }
    }

    fn status(
        &mut self,
        block: &mut Self::Block,
        line: &LazyRecord<'_>,
        product: usize,
        status: &Status<'_, '_>,
    ) -> Result<(), Box<Error>> {
        match self.times.is_none() || self.accepts(&line.record()) {
            true => self.batches.status(block, line, product, status),
            false => Ok(()),
        }
    }

    fn end(&mut self, block: &mut Self::Block) -> io::Result<()> {
        self.batches.end(block)
    }
}

/// Keeps the first reject of an input that could not be read. Other rejects are only counted.
#[derive(Debug, Default)]
struct Unreadable {
    first: Option<String>,
}

impl Write for &mut Unreadable {
    fn write(&mut self, rejects: &[u8]) -> io::Result<usize> {
        if self.first.is_none() {
            let lines = rejects.split(|byte| *byte == b'\n');
            self.first = { lines }.find_map(unreadable);
        }
        Ok(rejects.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The file, line and reason of a reject if its input could not be read.
fn unreadable(reject: &[u8]) -> Option<String> {
    let reject: serde_json::Value = serde_json::from_slice(reject).ok()?;
    let (file, reason) = (reject["file"].as_str()?, &reject["reason"]);
    let message = reason["message"].as_str()?;
    (reason["kind"] == "unreadable").then(|| format!("{file}:{}: {message}", reject["line"]))
}
