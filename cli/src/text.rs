//! Text for people: lines on stderr, plurals, and text without control characters.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::Write as _;

/// Writes a line to stderr. Errors are ignored, because nobody reads a stderr that is closed.
pub(crate) fn tell(message: impl Display) {
    let _ = writeln!(anstream::stderr(), "{message}");
}

/// A number with its noun in singular or plural: `1 byte`, `2 bytes`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Escapes control characters, which a terminal would obey, in text that comes from outside.
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

/// Like [`printable`], but keeps line breaks. Empty lines at the end are removed.
pub(crate) fn printable_lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().map(printable).collect();
    lines.join("\n")
}
