//! The class `Message`: a decoded payload.

use gizwits_codec_std as codec;
use gizwits_codec_std::core::{Decimal, P0, PointValue, Protocol};
use gizwits_codec_std::{Attr, Content, Decoded, Value};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyType};

use crate::error::codec_error;
use crate::m2m::m2m_event;
use crate::product::Product;

/// A decoded payload.
#[pyclass(frozen, module = "gizwits_codec")]
pub(crate) struct Message {
    #[pyo3(get)]
    action: Option<&'static str>,
    #[pyo3(get)]
    values: Py<PyDict>,
    #[pyo3(get)]
    flagged: Py<PyDict>,
    #[pyo3(get)]
    frame: Option<Py<PyAny>>,
    #[pyo3(get)]
    wanted: Vec<String>,
    #[pyo3(get)]
    body: Option<Py<PyBytes>>,
    #[pyo3(get)]
    remarks: Vec<String>,
    product: codec::Product,
    payload: Box<[u8]>,
    lax: bool,
}

impl Message {
    pub(crate) fn decode(
        product: &Bound<'_, Product>,
        payload: &[u8],
        decimal: bool,
        lax: bool,
    ) -> PyResult<Self> {
        let (py, owner) = (product.py(), product.get());
        let decoded = decode(&owner.inner, payload, lax);
        let decoded = decoded.map_err(|error| codec_error(py, &error))?;
        let (values, flagged) = (PyDict::new(py), PyDict::new(py));
        for reading in decoded.view().iter().flat_map(|view| view.iter()) {
            let Some(attr) = owner.inner.attr(reading.id()) else {
                continue;
            };
            let name = owner.name_of(attr);
            values.set_item(name, python_value(py, owner, attr, &reading, decimal)?)?;
            if let Some(kind) = reading.flagged() {
                flagged.set_item(name, kind.name())?;
            }
        }
        let frame = match decoded.envelope {
            Some(event) => Some(m2m_event(py, event)?),
            None => None,
        };
        Ok(Message {
            action: action(&decoded),
            values: values.unbind(),
            flagged: flagged.unbind(),
            frame,
            wanted: wanted(&decoded, &owner.inner),
            body: body(&decoded).map(|body| PyBytes::new(py, &body).unbind()),
            remarks: decoded.remarks(),
            product: owner.inner.clone(),
            payload: payload.into(),
            lax,
        })
    }
}

fn decode<'p, 'b>(
    product: &'p codec::Product,
    payload: &'b [u8],
    lax: bool,
) -> Result<Decoded<'p, 'b>, codec::Error> {
    match lax {
        true => product.lax().decode(payload),
        false => product.decode(payload),
    }
}

/// Returns the value of a point: a bool, a label or the index of an enum, a number, or bytes.
fn python_value<'py>(
    py: Python<'py>,
    product: &Product,
    attr: &Attr,
    reading: &PointValue<'_, '_>,
    decimal: bool,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match reading.value() {
        Value::Bool(on) => PyBool::new(py, on).to_owned().into_any(),
        Value::Enum(index) => match product.label_of(attr, index) {
            Some(label) => label.bind(py).to_owned().into_any(),
            None => PyInt::new(py, index).into_any(),
        },
        Value::Number(number) if number.scale() == 0 => {
            PyInt::new(py, number.coefficient()).into_any()
        }
        Value::Number(number) if decimal => python_decimal(py, number)?,
        Value::Number(number) => PyFloat::new(py, number.to_f64()).into_any(),
        Value::Binary(bytes) => PyBytes::new(py, bytes).into_any(),
    })
}

fn python_decimal(py: Python<'_>, number: Decimal) -> PyResult<Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "decimal", "Decimal")?;
    class.call1((number.to_string(),))
}

fn action(decoded: &Decoded<'_, '_>) -> Option<&'static str> {
    match decoded.content {
        Content::P0(_) => Some(decoded.action_name()),
        Content::Body(_) => None,
    }
}

/// Returns the names of the points that a read of a var_len product asks for.
fn wanted(decoded: &Decoded<'_, '_>, product: &codec::Product) -> Vec<String> {
    match decoded.content {
        Content::P0(P0::Read(wanted)) if product.protocol() == Protocol::VarLen => {
            let attrs = wanted.ids().filter_map(|id| product.attr(id));
            attrs.map(|attr| attr.name().to_owned()).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the bytes of a message without points.
fn body(decoded: &Decoded<'_, '_>) -> Option<Vec<u8>> {
    match decoded.content {
        Content::P0(P0::Transparent { data, .. }) => Some(data.to_vec()),
        Content::P0(P0::Gateway { action, body }) => Some([&[action], body].concat()),
        Content::Body(body) => Some(body.to_vec()),
        _ => None,
    }
}

#[pymethods]
impl Message {
    /// Returns the message as the line of JSON that `gizwits decode` prints.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        let decoded = decode(&self.product, &self.payload, self.lax);
        let decoded = decoded.map_err(|error| codec_error(py, &error))?;
        Ok(decoded.to_json())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let values = self.values.bind(py).repr()?;
        Ok(format!(
            "<Message {}: {values}>",
            self.action.unwrap_or("without points")
        ))
    }
}
