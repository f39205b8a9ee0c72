//! The output of a command: JSON for programs or text for people.

use std::fmt::Display;
use std::io::{self, Write};

use crate::text::printable;

/// The output of a command.
pub(crate) struct Output<'o> {
    /// Whether the output is JSON.
    pub(crate) json: bool,
    pub(crate) out: &'o mut dyn Write,
    /// The beginning of the command line, up to the options of all commands. Messages complete it to a command
    /// that the user can run.
    pub(crate) command: String,
}

impl Output<'_> {
    /// Writes one line: a JSON object, or a text without control characters.
    pub(crate) fn line<J: Display>(
        &mut self,
        json: impl FnOnce() -> J,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        writeln!(self.out, "{}", line(self.json, json, text))
    }
}

/// One line without its end: a JSON object, or a text without control characters.
pub(crate) fn line<J: Display>(
    is_json: bool,
    json: impl FnOnce() -> J,
    text: impl FnOnce() -> String,
) -> String {
    match is_json {
        true => json().to_string(),
        false => printable(&text()).into_owned(),
    }
}
