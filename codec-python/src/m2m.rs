//! The classes of M2M frames, which devices exchange on the local network and with the cloud.

use std::borrow::Cow;

use gizwits_codec_std::core::m2m::{self, Event, Frame};
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::argument::{payload_bytes, wrong_type};
use crate::error::frame_error;

/// An M2M frame.
#[pyclass(frozen, eq, module = "gizwits_codec")]
#[derive(PartialEq)]
pub(crate) struct M2mFrame {
    #[pyo3(get)]
    command: u16,
    body: Box<[u8]>,
    #[pyo3(get)]
    sn: Option<u32>,
    did: Option<Box<[u8]>>,
    #[pyo3(get)]
    flag: u8,
}

impl From<Frame<'_>> for M2mFrame {
    fn from(frame: Frame<'_>) -> Self {
        M2mFrame {
            command: frame.command,
            body: frame.body.into(),
            sn: frame.sn,
            did: frame.did.map(Box::from),
            flag: frame.flag,
        }
    }
}

#[pymethods]
impl M2mFrame {
    #[classattr]
    const TO_DEVICE: u16 = m2m::TO_DEVICE;
    #[classattr]
    const FROM_DEVICE: u16 = m2m::FROM_DEVICE;
    #[classattr]
    const REQUEST: u16 = m2m::REQUEST;
    #[classattr]
    const ACK: u16 = m2m::ACK;

    #[new]
    #[pyo3(signature = (command, body = None, *, sn = None, did = None, flag = 0))]
    fn new(
        command: u16,
        body: Option<PyBackedBytes>,
        sn: Option<u32>,
        did: Option<&Bound<'_, PyAny>>,
        flag: u8,
    ) -> PyResult<Self> {
        let did = match did {
            None => None,
            Some(did) => Some(if let Ok(bytes) = did.extract::<PyBackedBytes>() {
                Box::from(&*bytes)
            } else if let Ok(text) = did.extract::<Cow<'_, str>>() {
                Box::from(text.as_bytes())
            } else {
                return Err(wrong_type(did, "a did as str or bytes"));
            }),
        };
        let body = body.as_deref().unwrap_or_default().into();
        Ok(M2mFrame {
            command,
            body,
            sn,
            did,
            flag,
        })
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.body)
    }

    #[getter]
    fn did<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.did.as_deref().map(|did| PyBytes::new(py, did))
    }

    /// Returns the bytes of the frame.
    fn pack<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let frame = Frame {
            flag: self.flag,
            command: self.command,
            sn: self.sn,
            did: self.did.as_deref(),
            body: &self.body,
        };
        // 24 bytes are enough for prefix, length, flag, command, sn and the length of the did.
        let did_len = self.did.as_ref().map_or(0, |did| did.len());
        let mut out = vec![0; self.body.len() + did_len + 24];
        let len = frame
            .encode(&mut out)
            .map_err(|error| frame_error(py, error))?;
        Ok(PyBytes::new(py, &out[..len]))
    }

    /// Reads the frame at the start of some bytes and returns it with the bytes that follow.
    #[staticmethod]
    #[pyo3(signature = (data, *, limit = m2m::DEFAULT_LIMIT))]
    fn parse<'py>(
        data: &Bound<'py, PyAny>,
        limit: usize,
    ) -> PyResult<(Py<PyAny>, Bound<'py, PyBytes>)> {
        let (py, bytes) = (data.py(), payload_bytes(data)?);
        let (event, rest) = m2m::parse(&bytes, limit).map_err(|error| frame_error(py, error))?;
        Ok((m2m_event(py, event)?, PyBytes::new(py, rest)))
    }

    fn __repr__(&self) -> String {
        let (command, bytes) = (self.command, self.body.len());
        let sn = self.sn.map_or(String::new(), |sn| format!(", sn {sn}"));
        format!("<M2mFrame {command:#06x}{sn}, {bytes} bytes>")
    }
}

/// A service message between a module and the cloud, of which only the command is known.
#[pyclass(frozen, eq, get_all, module = "gizwits_codec")]
#[derive(PartialEq)]
pub(crate) struct M2mService {
    command: u16,
}

#[pymethods]
impl M2mService {
    fn __repr__(&self) -> String {
        format!("<M2mService {:#06x}>", self.command)
    }
}

/// Returns a frame or a service message as a Python object.
pub(crate) fn m2m_event(py: Python<'_>, event: Event<'_>) -> PyResult<Py<PyAny>> {
    match event {
        Event::Frame(frame) => M2mFrame::from(frame).into_py_any(py),
        Event::Service { command } => M2mService { command }.into_py_any(py),
    }
}

/// A decoder of M2M frames in a stream of bytes.
#[pyclass(module = "gizwits_codec")]
pub(crate) struct M2mDecoder {
    pending: Vec<u8>,
    limit: usize,
    #[pyo3(get)]
    skipped: u64,
}

#[pymethods]
impl M2mDecoder {
    #[new]
    #[pyo3(signature = (*, limit = m2m::DEFAULT_LIMIT))]
    fn new(limit: usize) -> Self {
        M2mDecoder {
            pending: Vec::new(),
            limit,
            skipped: 0,
        }
    }

    /// Adds the next bytes of the stream and returns the frames that they complete.
    fn feed(&mut self, data: &Bound<'_, PyAny>) -> PyResult<Vec<Py<PyAny>>> {
        self.pending.extend_from_slice(&payload_bytes(data)?);
        let (mut events, mut start) = (Vec::new(), 0);
        loop {
            let found = m2m::scan(&self.pending[start..], self.limit);
            start += found.consumed;
            self.skipped += found.skipped as u64;
            match found.event {
                Some(event) => events.push(m2m_event(data.py(), event)?),
                None => break,
            }
        }
        self.pending.drain(..start);
        Ok(events)
    }
}
