//! Standard output, whose errors name it.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};

/// A writer to standard output.
pub(crate) struct StandardOutput<W>(pub(crate) W);

/// An error of writing to standard output.
#[derive(Debug)]
struct StandardError(io::Error);

impl fmt::Display for StandardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "standard output: {}", self.0)
    }
}

impl Error for StandardError {}

fn named(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), StandardError(error))
}

impl<W: Write> Write for StandardOutput<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(named)
    }
}

/// The error of the system, if this is an error of writing to standard output.
pub(crate) fn failed_output(error: &io::Error) -> Option<&io::Error> {
    let named = error.get_ref()?.downcast_ref::<StandardError>()?;
    Some(&named.0)
}
