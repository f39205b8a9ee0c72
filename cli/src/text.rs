//! Text for people.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::Write as _;

/// Writes a line to stderr. Where stderr is closed, nobody wants the line.
pub(crate) fn tell(message: impl Display) {
    let _ = writeln!(anstream::stderr(), "{message}");
}

/// `1 byte`, `2 bytes`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Text from outside without control characters, which a terminal would obey.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let escaped = |one: char| match one.is_control() {
        true => one.escape_default().to_string(),
        false => one.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// Text of several lines, each without control characters.
pub(crate) fn printable_lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().map(printable).collect();
    lines.join("\n")
}
