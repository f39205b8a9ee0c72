//! Errors of the codec as Python exceptions, which the module `gizwits_codec._errors` defines.

use std::io;
use std::path::Path;

use gizwits_codec_std::core::{self, ErrorKind};
use gizwits_codec_std::{CheckError, Diagnostic, Error};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyType};

type Class = PyOnceLock<Py<PyType>>;

static CODEC_ERROR: Class = PyOnceLock::new();
static DEFINITION_ERROR: Class = PyOnceLock::new();
static DIAGNOSTIC: Class = PyOnceLock::new();

const MODULE: &str = "gizwits_codec._errors";

/// Returns the exception of an error about a payload or a value.
pub(crate) fn codec_error(py: Python<'_>, error: &Error) -> PyErr {
    let fields = (
        error.kind,
        &error.message,
        error.point.as_deref(),
        error.byte,
        error.bit,
    );
    let made = CODEC_ERROR
        .import(py, MODULE, "CodecError")
        .and_then(|class| class.call1(fields));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// Returns the exception of an error about a frame, with the numbers of its kind.
pub(crate) fn frame_error(py: Python<'_>, error: core::Error) -> PyErr {
    let raised = codec_error(py, &Error::from(error));
    let numbers: &[(&str, u32)] = match error.kind {
        ErrorKind::Incomplete { missing } => &[("missing", missing)],
        ErrorKind::Checksum { expected, found } => {
            &[("expected", expected.into()), ("found", found.into())]
        }
        _ => &[],
    };
    let set = |(name, number): &(&str, u32)| raised.value(py).setattr(*name, number);
    match numbers.iter().try_for_each(set) {
        Ok(()) => raised,
        Err(error) => error,
    }
}

/// Returns the exception of an invalid definition.
pub(crate) fn definition_error(py: Python<'_>, invalid: &CheckError) -> PyErr {
    let made = diagnostics(py, &invalid.diagnostics).and_then(|list| {
        let class = DEFINITION_ERROR.import(py, MODULE, "DefinitionError")?;
        class.call1((invalid.to_string(), list, invalid.errors, invalid.warnings))
    });
    made.map_or_else(|error| error, PyErr::from_value)
}

/// Returns diagnostics as a list of `Diagnostic`.
pub(crate) fn diagnostics<'py>(
    py: Python<'py>,
    diagnostics: &[Diagnostic],
) -> PyResult<Bound<'py, PyList>> {
    let class = DIAGNOSTIC.import(py, MODULE, "Diagnostic")?;
    let made = diagnostics.iter().map(|one| {
        class.call1((
            one.severity.to_string(),
            one.kind,
            &one.pointer,
            one.line,
            one.column,
            &one.message,
            &one.label,
            &one.help,
        ))
    });
    PyList::new(py, made.collect::<PyResult<Vec<_>>>()?)
}

/// Returns the exception that Python's `open` raises for this error, which names the file.
pub(crate) fn file_error(path: &Path, error: &io::Error) -> PyErr {
    let path = path.to_path_buf().into_os_string();
    match error.raw_os_error() {
        Some(number) => {
            // Rust appends the number to the text of the system.
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            PyOSError::new_err((number, text.to_owned(), path))
        }
        None => PyOSError::new_err(error.to_string()),
    }
}
