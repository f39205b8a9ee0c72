//! The record batches of a log, pulled by the caller.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};

use super::pipeline::Summary;
use super::sink::Format;
use super::sink::arrow::{Batches, row_len, schema};
use super::sink::table::TableOptions;
use crate::product::Product;

/// A reader of the record batches of a log, for callers that pull, such as query engines and Arrow's C stream
/// interface.
///
/// A thread decodes the log ahead of the caller and waits while two batches are unread, so memory does not
/// depend on the length of the input. Dropping the reader ends the decoding.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{BatchReader, Log, Products, Source, TableOptions};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let products = Products::one(product.clone());
/// let mut reader = BatchReader::spawn(&product, TableOptions::default(), move |batches| {
///     Log::new(&products).decode([Source::new("input", &b"014000000018\n0140\n"[..])], batches)
/// })?;
/// assert_eq!(reader.next().unwrap()?.num_rows(), 1);
/// assert!(reader.next().is_none());
/// assert_eq!(reader.summary().unwrap().rejected["incomplete"], 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BatchReader {
    schema: SchemaRef,
    batches: Receiver<RecordBatch>,
    /// A batch that [`wait`](Self::wait) has received.
    next: Option<RecordBatch>,
    /// The thread that decodes, until it has ended.
    thread: Option<JoinHandle<io::Result<Summary>>>,
    summary: Option<Summary>,
}

/// The format of a [`BatchReader`], which sends record batches to the reader.
#[derive(Debug)]
pub struct BatchSender {
    product: Product,
    options: TableOptions,
    batches: SyncSender<RecordBatch>,
}

impl BatchReader {
    /// Starts a thread that decodes a log of one product. `decode` must pass the format to
    /// [`Log::decode`](super::Log::decode).
    ///
    /// # Errors
    /// The error of starting the thread.
    pub fn spawn(
        product: &Product,
        options: TableOptions,
        decode: impl FnOnce(BatchSender) -> io::Result<Summary> + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, batches) = sync_channel(1);
        let sender = BatchSender {
            product: product.clone(),
            options,
            batches: sender,
        };
        let thread = thread::Builder::new().name("log".to_owned());
        Ok(BatchReader {
            schema: schema(product, options),
            batches,
            next: None,
            thread: Some(thread.spawn(move || decode(sender))?),
            summary: None,
        })
    }

    /// Waits until [`next`](Iterator::next) returns without blocking, but not longer than `timeout`. Returns
    /// whether it does.
    pub fn wait(&mut self, timeout: Duration) -> bool {
        if self.next.is_none() && self.thread.is_some() {
            match self.batches.recv_timeout(timeout) {
                Ok(batch) => self.next = Some(batch),
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => {}
            }
        }
        true
    }

    /// The counts of the whole log, after the last batch.
    #[must_use]
    pub fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }
}

impl Iterator for BatchReader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(batch) = self.next.take().or_else(|| self.batches.recv().ok()) {
            return Some(Ok(batch));
        }
        // The sender is gone, so the thread has ended or is about to.
        let ended = self.thread.take()?.join();
        match ended.unwrap_or_else(|_| Err(io::Error::other("the thread of the log panicked"))) {
            Ok(summary) => {
                self.summary = Some(summary);
                None
            }
            Err(error) => Some(Err(ArrowError::IoError(error.to_string(), error))),
        }
    }
}

impl RecordBatchReader for BatchReader {
    fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }
}

impl fmt::Debug for BatchReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchReader")
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}

impl Format for BatchSender {
    type Sink = Batches;

    fn sink(&self) -> Batches {
        Batches::new(&self.product, self.options)
    }

    fn write(&mut self, block: &mut Option<RecordBatch>) -> io::Result<()> {
        let Some(batch) = block.take() else {
            return Ok(());
        };
        let dropped = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the reader was dropped");
        self.batches.send(batch).map_err(dropped)
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn record_len(&self) -> usize {
        row_len(&self.product, self.options)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::log::{Log, Products, Source};

    /// An endless log, which counts its bytes.
    struct Endless(Arc<AtomicUsize>);

    impl Read for Endless {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let line = b"014000000018\n";
            let whole = to.len() / line.len() * line.len();
            to[..whole]
                .chunks_mut(line.len())
                .for_each(|to| to.copy_from_slice(line));
            self.0.fetch_add(whole, Ordering::Relaxed);
            Ok(whole)
        }
    }

    fn product() -> Product {
        Product::from_json(include_str!("../../../tests/fixtures/air-conditioner.json")).unwrap()
    }

    /// The thread does not run ahead of a slow caller, and ends when the reader is dropped.
    #[test]
    fn an_endless_log_is_bounded() {
        let (product, read) = (product(), Arc::new(AtomicUsize::new(0)));
        let (products, counted) = (Products::one(product.clone()), Arc::clone(&read));
        let mut reader = BatchReader::spawn(&product, TableOptions::default(), move |batches| {
            let log = Log::new(&products).threads(2);
            log.decode([Source::new("endless", Endless(counted))], batches)
        })
        .unwrap();
        assert!(reader.next().unwrap().unwrap().num_rows() > 1000);
        thread::sleep(Duration::from_millis(300));
        let ahead = read.load(Ordering::Relaxed);
        assert!(ahead < 16 << 20, "{ahead} bytes were read");
        drop(reader);
        while Arc::strong_count(&read) > 1 {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// A reader waits no longer than it is told, and fails with the error of its log.
    #[test]
    fn waits_and_failures() {
        let failing = |_| {
            thread::sleep(Duration::from_millis(200));
            Err(io::Error::other("no log"))
        };
        let mut reader = BatchReader::spawn(&product(), TableOptions::default(), failing).unwrap();
        let _ = reader.wait(Duration::ZERO);
        let error = reader.next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "Io error: no log");
        assert!(reader.next().is_none() && reader.wait(Duration::ZERO));
    }
}
