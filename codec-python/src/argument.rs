//! Arguments of Python types: payloads, definitions and values of points.

use std::borrow::Cow;

use gizwits_codec_std::{Decimal, payload};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyString};

use crate::error::codec_error;

/// Returns the bytes of a payload: an object with bytes, or text (hex, base64 or a list of bytes).
pub(crate) fn payload_bytes<'a>(payload: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(bytes) = payload.cast::<PyBytes>() {
        return Ok(Cow::Borrowed(bytes.as_bytes()));
    }
    if let Ok(text) = payload.cast::<PyString>() {
        let bytes = payload::parse(&text.to_cow()?, None);
        return bytes
            .map(Cow::Owned)
            .map_err(|error| codec_error(payload.py(), &error));
    }
    match PyBuffer::<u8>::get(payload) {
        Ok(buffer) => buffer.to_vec(payload.py()).map(Cow::Owned),
        Err(_) => Err(wrong_type(payload, "bytes, or str with hex or base64")),
    }
}

/// Returns the bytes of an object without a copy if it is `bytes`.
pub(crate) fn shared_bytes(object: &Bound<'_, PyAny>) -> Option<PyResult<PyBackedBytes>> {
    if let Ok(bytes) = object.extract::<PyBackedBytes>() {
        return Some(Ok(bytes));
    }
    let buffer = PyBuffer::<u8>::get(object).ok()?;
    let bytes = buffer.to_vec(object.py());
    Some(bytes.map(|bytes| PyBytes::new(object.py(), &bytes).into()))
}

/// Returns the text of a definition: JSON as `str` or `bytes`, or a mapping as `json.load` returns it.
pub(crate) fn definition_text(definition: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = definition.cast::<PyString>() {
        return Ok(text.to_cow()?.into_owned());
    }
    if let Ok(bytes) = definition.extract::<PyBackedBytes>() {
        return Ok(String::from_utf8(bytes.to_vec())?);
    }
    if definition.cast::<PyMapping>().is_ok() {
        return json_text(definition);
    }
    Err(wrong_type(
        definition,
        "the JSON of a definition as str, bytes or dict; Product.open reads a file",
    ))
}

/// Returns an object as JSON, as Python's `json.dumps` writes it.
pub(crate) fn json_text(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = object.py();
    let options = PyDict::new(py);
    options.set_item("ensure_ascii", false)?;
    let dumps = py.import("json")?.getattr("dumps")?;
    dumps.call((object,), Some(&options))?.extract()
}

/// Returns the values of points as a JSON object, in the notation of the Enterprise API.
pub(crate) fn values_json(values: &Bound<'_, PyAny>) -> PyResult<String> {
    let Ok(values) = values.cast::<PyMapping>() else {
        return Err(wrong_type(
            values,
            "a dict of values by the names of points",
        ));
    };
    let mut json = String::from("{");
    for item in values.items()?.iter() {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        let Ok(name) = name.cast::<PyString>() else {
            return Err(wrong_type(&name, "the name of a point as str"));
        };
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&quoted(&name.to_cow()?));
        json.push(':');
        json.push_str(&json_value(&value)?);
    }
    json.push('}');
    Ok(json)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn json_value(value: &Bound<'_, PyAny>) -> PyResult<String> {
    // `extract` also accepts NumPy's bool.
    if let Ok(on) = value.extract::<bool>() {
        return Ok(on.to_string());
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(quoted(&text.to_cow()?));
    }
    if let Ok(bytes) = value.extract::<PyBackedBytes>() {
        return Ok(quoted(&payload::hex(&bytes)));
    }
    let index = value.py().import("operator")?.getattr("index")?;
    let digits = match index.call1((value,)) {
        Ok(whole) => whole.str()?,
        // A float, a Decimal, or a float of NumPy: their texts have the digits of their own precision.
        Err(_) if value.hasattr("__float__")? => value.str()?,
        Err(_) => {
            return Err(wrong_type(
                value,
                "bool, int, float, Decimal, str or bytes as the value of a point",
            ));
        }
    };
    let digits = digits.to_cow()?;
    // What is not an exact number, such as nan, becomes a string, which the encoder refuses with its point.
    Ok(match digits.parse::<Decimal>() {
        Ok(number) => number.to_string(),
        Err(_) => quoted(&digits),
    })
}

pub(crate) fn wrong_type(object: &Bound<'_, PyAny>, expected: &str) -> PyErr {
    let found = object.get_type().name().map(|name| name.to_string());
    PyTypeError::new_err(format!(
        "expected {expected}, not {}",
        found.unwrap_or_default()
    ))
}
