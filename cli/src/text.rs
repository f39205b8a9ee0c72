//! Text for people: lines on stderr, plurals, and text without control characters.

use std::fmt::Display;
use std::io::Write as _;

pub(crate) use gizwits_codec_std::text::{did, is_invisible, printable};

/// Writes a line to stderr. Errors are ignored, because nobody reads a stderr that is closed.
pub(crate) fn tell(message: impl Display) {
    let _ = writeln!(anstream::stderr(), "{message}");
}

/// A number with its noun in singular or plural: `1 byte`, `2 bytes`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Text of several lines, each with its invisible characters escaped and without spaces at its end.
pub(crate) fn printable_lines(text: &str) -> String {
    let lines = text
        .trim_end()
        .lines()
        .map(|line| printable(line.trim_end()));
    let lines: Vec<_> = lines.collect();
    lines.join("\n")
}
