//! The output of a command: JSON for programs or text for people.

use std::fmt::Display;
use std::io::{self, Write};

use crate::failure::Failure;
use crate::text::printable;

/// The output of a command.
pub(super) struct Output<'o> {
    /// Whether the output is JSON.
    pub(super) json: bool,
    pub(super) out: &'o mut dyn Write,
    /// The beginning of the command line, up to the options of all commands. Messages complete it to a command
    /// that the user can run.
    pub(super) command: String,
}

impl Output<'_> {
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

/// Checks that the server returned all records that it counts.
///
/// # Errors
/// A warning that the output is incomplete.
pub(super) fn check_complete(missing: u64) -> Result<(), Failure> {
    match missing {
        0 => Ok(()),
        _ => Err(Failure::Server(format!(
            "warning: the output is incomplete: the server counts {missing} more than it returned"
        ))),
    }
}
