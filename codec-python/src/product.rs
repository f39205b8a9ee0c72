//! The class `Product`: a definition that decodes and encodes messages.

use std::path::PathBuf;

use gizwits_codec_std as codec;
use gizwits_codec_std::core::{Access, Kind};
use gizwits_codec_std::{Action, Rounding};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyType};

use crate::argument::{definition_text, payload_bytes, values_json};
use crate::column::decode_column;
use crate::error::{codec_error, definition_error, diagnostics, file_error};
use crate::log::{self, Log, LogOptions};
use crate::message::Message;
use crate::table::Table;

/// The definition of a product, which decodes and encodes its messages.
#[pyclass(frozen, module = "gizwits_codec")]
pub(crate) struct Product {
    pub(crate) inner: codec::Product,
    /// The name and the labels of each point as Python strings, by id. They are made once.
    texts: Vec<(Py<PyString>, Vec<Py<PyString>>)>,
}

impl Product {
    /// Returns the name of a point as the key of a dict.
    pub(crate) fn name_of(&self, attr: &codec::Attr) -> Option<&Py<PyString>> {
        self.texts.get(attr.id().index()).map(|(name, _)| name)
    }

    /// Returns the label of a raw value, if the value has a label of its own.
    pub(crate) fn label_of(&self, attr: &codec::Attr, raw: u32) -> Option<&Py<PyString>> {
        attr.label(raw)?;
        self.texts.get(attr.id().index())?.1.get(raw as usize)
    }

    fn parse(py: Python<'_>, text: &str) -> PyResult<Self> {
        let parsed = py.detach(|| codec::Product::from_json(text));
        let inner = parsed.map_err(|invalid| definition_error(py, &invalid))?;
        let text = |text: &str| PyString::new(py, text).unbind();
        let texts = inner.attrs().map(|attr| {
            let labels = attr.labels().iter().map(|label| text(label));
            (text(attr.name()), labels.collect())
        });
        let texts = texts.collect();
        Ok(Product { inner, texts })
    }

    fn encode<'py>(
        &self,
        py: Python<'py>,
        action: Action,
        values: &Bound<'py, PyAny>,
        round: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let rounding = match round {
            true => Rounding::HalfUp,
            false => Rounding::Exact,
        };
        let mut message = self.inner.message(action).rounding(rounding);
        let json = values_json(values)?;
        let encoded = message.set_json(&json).and_then(|()| message.encode());
        let bytes = encoded.map_err(|error| codec_error(py, &error))?;
        Ok(PyBytes::new(py, &bytes))
    }
}

#[pymethods]
impl Product {
    #[new]
    fn new(definition: &Bound<'_, PyAny>) -> PyResult<Self> {
        Product::parse(definition.py(), &definition_text(definition)?)
    }

    /// Reads a definition from a file.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let bytes = py.detach(|| std::fs::read(&path));
        let bytes = bytes.map_err(|error| file_error(&path, &error))?;
        Product::parse(py, &String::from_utf8(bytes)?)
    }

    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }

    #[getter]
    fn product_key(&self) -> &str {
        self.inner.product_key()
    }

    #[getter]
    fn protocol(&self) -> &'static str {
        self.inner.protocol().name()
    }

    #[getter]
    fn points(&self) -> Vec<Point> {
        let attrs = self.inner.attrs();
        attrs.map(|attr| Point::new(&self.inner, attr)).collect()
    }

    /// Returns the definition as JSON.
    fn to_json(&self) -> String {
        self.inner.to_json()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyType>, (String,)) {
        (slf.get_type(), (slf.get().to_json(),))
    }

    fn __repr__(&self) -> String {
        let (name, points) = (self.inner.name(), self.inner.attrs().len());
        format!("<Product {name:?}: {}, {points} points>", self.protocol())
    }

    /// Decodes a payload: an M2M frame or a bare P0.
    #[pyo3(signature = (payload, *, decimal = false, lax = false))]
    fn decode(
        slf: &Bound<'_, Self>,
        payload: &Bound<'_, PyAny>,
        decimal: bool,
        lax: bool,
    ) -> PyResult<Message> {
        Message::decode(slf, &payload_bytes(payload)?, decimal, lax)
    }

    /// Encodes a control, which sets points of a device.
    #[pyo3(signature = (values, *, round = false))]
    fn encode_control<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyAny>,
        round: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.encode(py, Action::Control, values, round)
    }

    /// Encodes a report, which a device sends without a request.
    #[pyo3(signature = (values, *, round = false))]
    fn encode_report<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyAny>,
        round: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.encode(py, Action::Report, values, round)
    }

    /// Encodes a reply, with which a device answers a read.
    #[pyo3(signature = (values, *, round = false))]
    fn encode_reply<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyAny>,
        round: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.encode(py, Action::Reply, values, round)
    }

    /// Encodes a read, which asks a device for its status.
    #[pyo3(signature = (points = None))]
    fn encode_read<'py>(
        &self,
        py: Python<'py>,
        points: Option<Vec<String>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut message = self.inner.message(Action::Read);
        let points = points.unwrap_or_default();
        let wanted = points.iter().try_for_each(|name| message.want(name));
        let bytes = wanted.and_then(|()| message.encode());
        let bytes = bytes.map_err(|error| codec_error(py, &error))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Decodes a log to a stream of Arrow record batches.
    #[pyo3(signature = (
        source, *, did = None, encoding = None, fill = false, flagged = false, keep = false, lax = false,
        numbers = "decimal", rejects = None, threads = None,
    ))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of the Python method"
    )]
    fn decode_log(
        &self,
        source: &Bound<'_, PyAny>,
        did: Option<String>,
        encoding: Option<&str>,
        fill: bool,
        flagged: bool,
        keep: bool,
        lax: bool,
        numbers: &str,
        rejects: Option<PathBuf>,
        threads: Option<usize>,
    ) -> PyResult<Log> {
        let options = LogOptions {
            did,
            encoding: LogOptions::encoding(encoding)?,
            fill,
            flagged,
            keep,
            lax,
            numbers: log::numbers(numbers)?,
            rejects,
            threads,
        };
        Log::new(&self.inner, source, options)
    }

    /// Decodes a column of payloads to columns of values, a row for each payload.
    #[pyo3(signature = (payloads, *, numbers = "decimal", points = None))]
    fn decode_column(
        &self,
        payloads: &Bound<'_, PyAny>,
        numbers: &str,
        points: Option<Vec<String>>,
    ) -> PyResult<Table> {
        let numbers = log::numbers(numbers)?;
        decode_column(&self.inner, payloads, points.as_deref(), numbers)
    }
}

/// A data point of a product.
#[pyclass(frozen, get_all, module = "gizwits_codec")]
pub(crate) struct Point {
    id: u16,
    name: String,
    display_name: String,
    description: String,
    data_type: &'static str,
    access: &'static str,
    labels: Vec<String>,
    location: String,
    range: String,
}

impl Point {
    fn new(product: &codec::Product, attr: &codec::Attr) -> Self {
        Point {
            id: attr.id().0,
            name: attr.name().to_owned(),
            display_name: attr.display_name().to_owned(),
            description: attr.desc().to_owned(),
            data_type: attr.data_type(),
            access: match attr.point().access {
                Access::Writable => "status_writable",
                Access::ReadOnly => "status_readonly",
                Access::Alert => "alert",
                Access::Fault => "fault",
            },
            labels: match attr.point().kind {
                Kind::Enum { .. } => attr.labels().to_vec(),
                _ => Vec::new(),
            },
            location: attr.location(),
            range: product.range(attr.id()),
        }
    }
}

#[pymethods]
impl Point {
    fn __repr__(&self) -> String {
        let Point {
            name,
            data_type,
            access,
            range,
            ..
        } = self;
        format!("<Point {name:?}: {data_type}, {access}, {range}>")
    }
}

/// Returns every problem of a definition.
#[pyfunction]
pub(crate) fn check<'py>(definition: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let checked = codec::check(&definition_text(definition)?);
    diagnostics(definition.py(), &checked.diagnostics)
}
