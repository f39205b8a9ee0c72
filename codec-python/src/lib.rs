//! The native module of the Python package `gizwits_codec`.
//!
//! The package adds the exceptions, which are written in Python, and the type stubs. The documentation for users
//! is in the stubs and in `docs/python.md`.

mod argument;
mod arrow_import;
mod column;
mod error;
mod log;
mod m2m;
mod message;
mod product;
mod reader;
mod source;
mod table;
mod uart;

/// Decodes and encodes Gizwits data points.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use super::log::{Log, LogIterator};
    #[pymodule_export]
    use super::m2m::{M2mDecoder, M2mFrame, M2mService};
    #[pymodule_export]
    use super::message::Message;
    #[pymodule_export]
    use super::product::{Point, Product, check};
    #[pymodule_export]
    use super::table::Table;
    #[pymodule_export]
    use super::uart::{UartDecoder, UartFrame};
}
