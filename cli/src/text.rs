//! Text for people.

use std::fmt::Display;
use std::io::Write as _;

pub(crate) use gizwits_codec_std::text::{is_invisible, printable};

/// Writes a line to stderr. Where stderr is closed, nobody wants the line.
pub(crate) fn tell(message: impl Display) {
    let _ = writeln!(anstream::stderr(), "{message}");
}

/// `1 byte`, `2 bytes`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Text of several lines, each with its invisible characters escaped.
pub(crate) fn printable_lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().map(printable).collect();
    lines.join("\n")
}
