//! One pass over a log, as a reader of record batches that Python can interrupt.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use gizwits_codec_std::log::{BatchReader, Summary};
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError};
use pyo3::prelude::*;

use crate::source::{Failure, Feed};

/// The time between two checks for a signal such as Ctrl-C.
const SIGNALS: Duration = Duration::from_millis(50);

/// The time between two looks at the queue of a feed, which is shorter than a block takes.
const FEED: Duration = Duration::from_millis(1);

/// One pass over a log.
pub(crate) struct Reader {
    /// The batches, until an error.
    batches: Option<BatchReader>,
    schema: SchemaRef,
    feed: Option<Feed>,
    failure: Failure,
    summary: Arc<Mutex<Option<Summary>>>,
}

impl Reader {
    pub(crate) fn new(
        batches: BatchReader,
        feed: Option<Feed>,
        failure: Failure,
        summary: Arc<Mutex<Option<Summary>>>,
    ) -> Self {
        let schema = batches.schema();
        Reader {
            batches: Some(batches),
            schema,
            feed,
            failure,
            summary,
        }
    }

    /// Returns the next batch. Waits for it without the global interpreter lock.
    pub(crate) fn next_batch(&mut self, py: Python<'_>) -> PyResult<Option<RecordBatch>> {
        let Some(mut batches) = self.batches.take() else {
            return Ok(None);
        };
        loop {
            py.check_signals()?;
            let timeout = match &mut self.feed {
                None => SIGNALS,
                Some(feed) => match feed.read(py)? {
                    true => Duration::ZERO,
                    false => FEED,
                },
            };
            if py.detach(|| batches.wait(timeout)) {
                break;
            }
        }
        let batch = py.detach(|| batches.next()).transpose();
        if let Some(error) = self.failure.lock().ok().and_then(|mut slot| slot.take()) {
            return Err(error);
        }
        let batch = batch.map_err(arrow_failure)?;
        match (&batch, self.summary.lock()) {
            (None, Ok(mut summary)) => *summary = batches.summary().cloned(),
            _ => self.batches = Some(batches),
        }
        Ok(batch)
    }
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Consumers call this with or without the lock.
        let batch =
            Python::try_attach(|py| self.next_batch(py).map_err(|error| text_error(py, &error)));
        batch?.transpose()
    }
}

/// Returns an exception for the C interface, which knows errors only as texts.
fn text_error(py: Python<'_>, error: &PyErr) -> ArrowError {
    let text = error.to_string();
    if error.is_instance_of::<PyKeyboardInterrupt>(py) {
        // The consumer raises an exception of its own, so the interrupt is repeated after that.
        let thread = py.import("_thread");
        let _ = thread.and_then(|thread| thread.call_method0("interrupt_main"));
    }
    ArrowError::ExternalError(text.into())
}

impl RecordBatchReader for Reader {
    fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }
}

/// Returns the exception of an error of Arrow.
pub(crate) fn arrow_failure(error: ArrowError) -> PyErr {
    match error {
        ArrowError::IoError(_, error) => error.into(),
        error => PyRuntimeError::new_err(error.to_string()),
    }
}
