//! The answer of a command: JSON for programs or text for people, and whether it is complete.

use std::fmt::Display;
use std::io::{self, Write};

use crate::failure::Failure;
use crate::text::printable;

/// The output of a command, and its form.
pub(super) struct Answer<'o> {
    pub(super) json: bool,
    pub(super) out: &'o mut dyn Write,
    /// The head of the same command, to be typed again: the verb and the device follow.
    pub(super) again: String,
}

impl Answer<'_> {
    /// Writes one line: a JSON object, or a text without control characters.
    pub(super) fn line<J: Display>(
        &mut self,
        json: impl FnOnce() -> J,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        match self.json {
            true => writeln!(self.out, "{}", json()),
            false => writeln!(self.out, "{}", printable(&text())),
        }
    }
}

/// Fails if the server counts more records than it returned.
pub(super) fn check_complete(missing: u64) -> Result<(), Failure> {
    match missing {
        0 => Ok(()),
        _ => Err(Failure::Server(format!(
            "warning: this is not all: the server counts {missing} more than it gave"
        ))),
    }
}
