//! The classes of UART frames, which a microcontroller and its Wi-Fi module exchange.

use gizwits_codec_std::core::uart::{self, Command, Decoder, Event, Frame};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::argument::payload_bytes;
use crate::error::frame_error;

/// A UART frame.
#[pyclass(frozen, eq, module = "gizwits_codec")]
#[derive(PartialEq)]
pub(crate) struct UartFrame {
    #[pyo3(get)]
    command: u8,
    payload: Box<[u8]>,
    #[pyo3(get)]
    sn: u8,
    #[pyo3(get)]
    flags: u16,
}

impl From<Frame<'_>> for UartFrame {
    fn from(frame: Frame<'_>) -> Self {
        UartFrame {
            command: frame.command.0,
            payload: frame.payload.into(),
            sn: frame.sn,
            flags: frame.flags,
        }
    }
}

#[pymethods]
impl UartFrame {
    #[new]
    #[pyo3(signature = (command, payload = None, *, sn = 0, flags = 0))]
    fn new(command: u8, payload: Option<PyBackedBytes>, sn: u8, flags: u16) -> Self {
        let payload = payload.as_deref().unwrap_or_default().into();
        UartFrame {
            command,
            payload,
            sn,
            flags,
        }
    }

    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.payload)
    }

    /// The name of the command, such as `HEARTBEAT`; `None` if the protocol does not define it.
    #[getter]
    fn command_name(&self) -> Option<&'static str> {
        Command(self.command).name()
    }

    /// Returns the bytes of the frame on the wire.
    fn pack<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let frame = Frame {
            command: Command(self.command),
            sn: self.sn,
            flags: self.flags,
            payload: &self.payload,
        };
        // Every byte after the header can be an ff, which takes two bytes.
        let mut out = vec![0; 2 * (self.payload.len() + uart::OVERHEAD)];
        let len = frame
            .encode(&mut out)
            .map_err(|error| frame_error(py, error))?;
        Ok(PyBytes::new(py, &out[..len]))
    }

    /// Reads the frame at the start of some bytes and returns it with the bytes that follow.
    #[staticmethod]
    fn parse<'py>(data: &Bound<'py, PyAny>) -> PyResult<(Self, Bound<'py, PyBytes>)> {
        let (py, bytes) = (data.py(), payload_bytes(data)?);
        let mut buffer = vec![0; bytes.len()];
        let parsed = uart::parse(&bytes, &mut buffer);
        let (frame, rest) = parsed.map_err(|error| frame_error(py, error))?;
        Ok((frame.into(), PyBytes::new(py, rest)))
    }

    fn __repr__(&self) -> String {
        let (sn, bytes) = (self.sn, self.payload.len());
        format!(
            "<UartFrame {:?}, sn {sn}, {bytes} bytes>",
            Command(self.command)
        )
    }
}

/// A decoder of UART frames in a stream of bytes.
#[pyclass(module = "gizwits_codec")]
pub(crate) struct UartDecoder {
    /// The bytes since the last event that can be part of a frame.
    pending: Vec<u8>,
    buffer: Box<[u8]>,
    #[pyo3(get)]
    corrupt: u64,
    #[pyo3(get)]
    too_long: u64,
}

#[pymethods]
impl UartDecoder {
    #[new]
    #[pyo3(signature = (*, limit = uart::MAX_PAYLOAD))]
    fn new(limit: usize) -> Self {
        let room = limit.min(uart::MAX_PAYLOAD) + Decoder::OVERHEAD;
        UartDecoder {
            pending: Vec::new(),
            buffer: vec![0; room].into(),
            corrupt: 0,
            too_long: 0,
        }
    }

    /// Adds the next bytes of the stream and returns the frames that they complete.
    fn feed(&mut self, data: &Bound<'_, PyAny>) -> PyResult<Vec<UartFrame>> {
        self.pending.extend_from_slice(&payload_bytes(data)?);
        // The core's decoder borrows its buffer, so each call makes a decoder, which reads the pending bytes
        // again.
        let mut decoder = Decoder::new(&mut self.buffer);
        let (mut frames, mut rest) = (Vec::new(), &self.pending[..]);
        let mut kept = 0;
        while let Some(event) = decoder.next_event(&mut rest) {
            match event {
                Event::Frame(frame) => frames.push(frame.into()),
                Event::Corrupt { .. } => self.corrupt += 1,
                Event::TooLong { .. } => self.too_long += 1,
            }
            kept = self.pending.len() - rest.len();
        }
        // ff ff always begins a new frame, so bytes before the last one no longer matter. The last byte of a frame
        // can be the first byte of the next header.
        let behind = &self.pending[kept.saturating_sub(1)..];
        kept = match behind.windows(2).rposition(|pair| pair == b"\xff\xff") {
            Some(header) if decoder.is_within() => kept.saturating_sub(1) + header,
            _ => self.pending.len(),
        };
        // An ff at the end can be the first byte of the next header.
        if kept == self.pending.len() && self.pending.ends_with(b"\xff") {
            kept -= 1;
        }
        self.pending.drain(..kept);
        Ok(frames)
    }
}
