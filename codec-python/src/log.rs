//! The class `Log`: the records of a log as a stream of Arrow record batches.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_schema::ffi::FFI_ArrowSchema;
use gizwits_codec_std as codec;
use gizwits_codec_std::log::{
    self, BatchReader, Numbers, Options, Products, Summary, TableOptions, schema,
};
use gizwits_codec_std::payload::Encoding;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

use crate::error::file_error;
use crate::reader::{Reader, arrow_failure};
use crate::source::{Failure, Input};
use crate::table::Table;

/// Returns the type of numbers with this name.
pub(crate) fn numbers(name: &str) -> PyResult<Numbers> {
    let all = [Numbers::Decimal, Numbers::Float64, Numbers::Raw];
    let named = all.into_iter().find(|numbers| numbers.name() == name);
    named.ok_or_else(|| {
        PyValueError::new_err(format!(
            "unknown numbers {name:?}: expected \"decimal\", \"float64\" or \"raw\""
        ))
    })
}

/// The options of a log.
pub(crate) struct LogOptions {
    pub(crate) did: Option<String>,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) fill: bool,
    pub(crate) flagged: bool,
    pub(crate) keep: bool,
    pub(crate) lax: bool,
    pub(crate) numbers: Numbers,
    pub(crate) rejects: Option<PathBuf>,
    pub(crate) threads: Option<usize>,
}

impl LogOptions {
    pub(crate) fn encoding(name: Option<&str>) -> PyResult<Option<Encoding>> {
        match name {
            None => Ok(None),
            Some("hex") => Ok(Some(Encoding::Hex)),
            Some("base64") => Ok(Some(Encoding::Base64)),
            Some(other) => Err(PyValueError::new_err(format!(
                "unknown encoding {other:?}: expected \"hex\" or \"base64\""
            ))),
        }
    }

    /// The columns of the batches.
    fn table(&self) -> TableOptions {
        TableOptions {
            extra: self.keep || self.lax,
            flagged: self.flagged,
            numbers: self.numbers,
            ..TableOptions::default()
        }
    }
}

/// The decoded records of a log.
#[pyclass(frozen, module = "gizwits_codec")]
pub(crate) struct Log {
    product: codec::Product,
    input: Input,
    options: LogOptions,
    /// The counts of the last pass that reached the end.
    summary: Arc<Mutex<Option<Summary>>>,
}

impl Log {
    pub(crate) fn new(
        product: &codec::Product,
        source: &Bound<'_, PyAny>,
        options: LogOptions,
    ) -> PyResult<Self> {
        Ok(Log {
            product: product.clone(),
            input: Input::new(source)?,
            options,
            summary: Arc::default(),
        })
    }

    /// Starts a pass over the log.
    fn reader(&self) -> PyResult<Reader> {
        let failure = Failure::default();
        let did = self.options.did.clone();
        let (sources, feed) = self.input.sources(&failure)?;
        let sources = sources.map(move |source| match &did {
            Some(did) => source.of_device(did),
            None => source,
        });
        let rejects = match &self.options.rejects {
            Some(path) => Some(File::create(path).map_err(|error| file_error(path, &error))?),
            None => None,
        };
        let options = Options {
            encoding: self.options.encoding,
            keep: self.options.keep,
            fill: self.options.fill,
            lax: self.options.lax,
            ..Options::default()
        };
        let (products, threads) = (Products::one(self.product.clone()), self.options.threads);
        let decode = move |batches| -> io::Result<Summary> {
            let mut log = log::Log::new(&products).options(options);
            if let Some(threads) = threads {
                log = log.threads(threads);
            }
            if let Some(rejects) = rejects {
                log = log.rejects(BufWriter::new(rejects));
            }
            log.decode(sources, batches)
        };
        let batches = BatchReader::spawn(&self.product, self.options.table(), decode);
        let batches = batches.map_err(|error| PyOSError::new_err(error.to_string()))?;
        let summary = Arc::clone(&self.summary);
        Ok(Reader::new(batches, feed, failure, summary))
    }
}

#[pymethods]
impl Log {
    /// Returns the record batches of one pass over the log as a capsule of Arrow's C stream interface.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The protocol allows a producer to ignore the request.
        let _ = requested_schema;
        let stream = FFI_ArrowArrayStream::new(Box::new(self.reader()?));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// Returns the schema of the record batches as a capsule of Arrow's C data interface.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = schema(&self.product, self.options.table());
        let schema = FFI_ArrowSchema::try_from(&*schema).map_err(arrow_failure)?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    /// Returns an iterator over the record batches of one pass over the log.
    fn __iter__(&self) -> PyResult<LogIterator> {
        Ok(LogIterator(Mutex::new(self.reader()?)))
    }

    /// Returns the record batches of one pass over the log as a reader of pyarrow.
    fn to_pyarrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let module = slf.py().import("gizwits_codec._arrow")?;
        module.call_method1("pyarrow_reader", (slf,))
    }

    fn __repr__(&self) -> String {
        format!("<Log of {:?}>", self.product.name())
    }

    /// The counts of the last pass that reached the end of the log.
    #[getter]
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let summary = self.summary.lock().ok().and_then(|summary| summary.clone());
        let Some(summary) = summary else {
            return Ok(None);
        };
        let dict = PyDict::new(py);
        dict.set_item("records", summary.records)?;
        dict.set_item("decoded", summary.decoded)?;
        dict.set_item("inexact", summary.inexact)?;
        dict.set_item("rejected", summary.rejected)?;
        dict.set_item("bytes", summary.bytes)?;
        Ok(Some(dict))
    }
}

/// An iterator over the record batches of a log.
#[pyclass(frozen, module = "gizwits_codec")]
pub(crate) struct LogIterator(Mutex<Reader>);

#[pymethods]
impl LogIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Table>> {
        let busy = |_| PyRuntimeError::new_err("another thread uses this iterator");
        let mut reader = self.0.try_lock().map_err(busy)?;
        let batch = reader.next_batch(py)?;
        Ok(batch.map(|batch| Table::new(batch.schema(), vec![batch], 0)))
    }
}
