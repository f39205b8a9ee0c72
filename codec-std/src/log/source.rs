//! Inputs of a log.

pub(crate) mod block;
pub(crate) mod cutter;
mod input;
mod pages;

use std::fmt;
use std::io::Read;

/// One input: a file, standard input, anything that can be read. gzip and zstd are told by their first
/// bytes.
pub struct Source {
    /// The name that rejects give.
    pub name: String,
    /// The device of all its records: those without a did are of this device, those of another are
    /// rejected.
    pub did: Option<String>,
    /// The reader of its bytes.
    pub reader: Box<dyn Read + Send>,
}

impl Source {
    /// An input with its name.
    pub fn new(name: impl Into<String>, reader: impl Read + Send + 'static) -> Self {
        Source {
            name: name.into(),
            did: None,
            reader: Box::new(reader),
        }
    }

    /// Says that all records of the input are of one device.
    #[must_use]
    pub fn of_device(mut self, did: impl Into<String>) -> Self {
        self.did = Some(did.into());
        self
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish()
    }
}
