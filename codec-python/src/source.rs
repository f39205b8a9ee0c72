//! The inputs of a log: paths, bytes, files and iterables of Python.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};

use gizwits_codec_std::log::Source;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyIterator, PyMapping, PyString};

use crate::argument::{json_text, shared_bytes, wrong_type};
use crate::error::file_error;

/// The input of a log.
pub(crate) enum Input {
    Paths(Vec<PathBuf>),
    Bytes(Arc<PyBackedBytes>),
    /// A file or an iterable of Python, which can be read once.
    Once(Mutex<Option<Stream>>),
}

/// A file or an iterable of Python.
pub(crate) enum Stream {
    File(Py<PyAny>),
    Records(Py<PyIterator>),
}

/// The exception of a file that cannot be opened, which ends the log.
pub(crate) type Failure = Arc<Mutex<Option<PyErr>>>;

impl Input {
    pub(crate) fn new(source: &Bound<'_, PyAny>) -> PyResult<Self> {
        if is_path(source)? {
            let path: PathBuf = source.extract()?;
            // A wrong path raises here and not in the middle of a query.
            open(&path)?;
            return Ok(Input::Paths(vec![path]));
        }
        if let Some(bytes) = shared_bytes(source) {
            return Ok(Input::Bytes(Arc::new(bytes?)));
        }
        let stream = if source.hasattr("read")? {
            Stream::File(source.clone().unbind())
        } else if let Ok(mut items) = source.try_iter() {
            let first: Vec<_> = items.next().into_iter().collect::<PyResult<_>>()?;
            let rest = items.clone();
            let items = source.py().import("itertools")?.getattr("chain")?;
            let items = items.call1((&first, rest))?.try_iter()?;
            // A str in an iterable is a record.
            if let [first] = &first[..]
                && is_path(first)?
                && !first.is_instance_of::<PyString>()
            {
                let paths = items.map(|path| path?.extract());
                return Ok(Input::Paths(paths.collect::<PyResult<_>>()?));
            }
            Stream::Records(items.unbind())
        } else {
            let expected = "a path, bytes, a file, or an iterable of paths or records";
            return Err(wrong_type(source, expected));
        };
        Ok(Input::Once(Mutex::new(Some(stream))))
    }

    /// Returns the sources of one pass over the input, and the feed of a source that is in Python.
    pub(crate) fn sources(&self, failure: &Failure) -> PyResult<(Sources, Option<Feed>)> {
        Ok(match self {
            Input::Paths(paths) => {
                let paths = paths.clone().into_iter();
                (Sources::Paths(paths, Arc::clone(failure)), None)
            }
            Input::Bytes(bytes) => {
                let bytes = Cursor::new(Shared(Arc::clone(bytes)));
                (Sources::One(Some(Source::new("bytes", bytes))), None)
            }
            Input::Once(stream) => {
                let stream = stream.lock().ok().and_then(|mut stream| stream.take());
                let stream = stream.ok_or_else(|| {
                    PyValueError::new_err(
                        "the log was read before: a file or an iterable can be read only once",
                    )
                })?;
                let name = match stream {
                    Stream::File(_) => "file",
                    Stream::Records(_) => "records",
                };
                let (feed, chunks) = Feed::new(stream);
                (Sources::One(Some(Source::new(name, chunks))), Some(feed))
            }
        })
    }
}

/// Whether an object is a path: a str or an object with `__fspath__`.
fn is_path(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(object.is_instance_of::<PyString>() || object.hasattr("__fspath__")?)
}

fn open(path: &Path) -> PyResult<File> {
    File::open(path).map_err(|error| file_error(path, &error))
}

/// Bytes that Python owns.
struct Shared(Arc<PyBackedBytes>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The sources of one pass: a source, or files that are opened when they are needed.
pub(crate) enum Sources {
    One(Option<Source>),
    Paths(std::vec::IntoIter<PathBuf>, Failure),
}

impl Iterator for Sources {
    type Item = Source;

    fn next(&mut self) -> Option<Source> {
        match self {
            Sources::One(source) => source.take(),
            Sources::Paths(paths, failure) => {
                let path = paths.next()?;
                match open(&path) {
                    Ok(file) => Some(Source::new(path.to_string_lossy(), file)),
                    Err(error) => {
                        // The remaining paths would only delay the exception.
                        *paths = Vec::new().into_iter();
                        if let Ok(mut slot) = failure.lock() {
                            *slot = Some(error);
                        }
                        None
                    }
                }
            }
        }
    }
}

/// Moves bytes from a file or an iterable of Python to the threads of a log.
///
/// The thread that asks for batches also reads from Python, so Python code runs only in threads of its own.
/// Exceptions and Ctrl-C then reach the caller, and no thread of Rust waits for an interpreter that shuts down.
pub(crate) struct Feed {
    stream: Stream,
    /// The queue of chunks; `None` after the end of the stream.
    queue: Option<SyncSender<Vec<u8>>>,
    /// A chunk that did not fit in the queue.
    next: Option<Vec<u8>>,
}

/// The number of bytes that are requested from Python at once.
const CHUNK: usize = 1 << 18;

/// The number of chunks in the queue: one block of a log.
const CHUNKS: usize = 4;

impl Feed {
    fn new(stream: Stream) -> (Self, Chunks) {
        let (sender, queue) = sync_channel(CHUNKS);
        let feed = Feed {
            stream,
            queue: Some(sender),
            next: None,
        };
        let chunk = Cursor::new(Vec::new());
        (feed, Chunks { queue, chunk })
    }

    /// Reads a chunk unless the queue is full or the stream has ended. Returns whether it read one.
    pub(crate) fn read(&mut self, py: Python<'_>) -> PyResult<bool> {
        let Some(queue) = &self.queue else {
            return Ok(false);
        };
        let chunk = match self.next.take() {
            Some(chunk) => chunk,
            None => self.stream.chunk(py)?,
        };
        if chunk.is_empty() {
            self.queue = None;
            return Ok(false);
        }
        match queue.try_send(chunk) {
            Ok(()) => return Ok(true),
            Err(TrySendError::Full(chunk)) => self.next = Some(chunk),
            Err(TrySendError::Disconnected(_)) => self.queue = None,
        }
        Ok(false)
    }
}

impl Stream {
    /// Returns the next chunk; empty at the end.
    fn chunk(&self, py: Python<'_>) -> PyResult<Vec<u8>> {
        match self {
            Stream::File(file) => {
                let read = file.bind(py).call_method1("read", (CHUNK,))?;
                if let Ok(text) = read.cast::<PyString>() {
                    return Ok(text.to_cow()?.as_bytes().to_vec());
                }
                match shared_bytes(&read) {
                    Some(bytes) => Ok(bytes?.to_vec()),
                    None => Err(wrong_type(&read, "bytes or str from the method `read`")),
                }
            }
            Stream::Records(records) => {
                let mut chunk = Vec::new();
                for record in records.bind(py) {
                    put_record(&mut chunk, &record?)?;
                    if chunk.len() >= CHUNK {
                        break;
                    }
                }
                Ok(chunk)
            }
        }
    }
}

/// The reader of a feed's chunks.
struct Chunks {
    queue: Receiver<Vec<u8>>,
    chunk: Cursor<Vec<u8>>,
}

impl Read for Chunks {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(to)?;
            if read > 0 || to.is_empty() {
                return Ok(read);
            }
            match self.queue.recv() {
                Ok(chunk) => self.chunk = Cursor::new(chunk),
                Err(_) => return Ok(0),
            }
        }
    }
}

/// Appends a record as a line.
fn put_record(out: &mut Vec<u8>, record: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Ok(text) = record.cast::<PyString>() {
        out.extend(text.to_cow()?.as_bytes());
    } else if let Some(bytes) = shared_bytes(record) {
        out.extend_from_slice(&bytes?);
    } else if record.cast::<PyMapping>().is_ok() {
        out.extend(json_text(record)?.as_bytes());
    } else {
        return Err(wrong_type(record, "a record as str, bytes or dict"));
    }
    if !out.ends_with(b"\n") {
        out.push(b'\n');
    }
    Ok(())
}
