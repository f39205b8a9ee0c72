//! Text for people.

use std::borrow::Cow;
use std::io::Write as _;

/// A line on stderr; where that is closed nobody wants it.
pub(crate) fn tell(message: std::fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{message}");
}

/// `1 byte`, `2 bytes`.
pub(crate) fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Text from outside as a terminal may have it: without control characters.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for one in text.chars() {
        match one.is_control() {
            true => out.extend(one.escape_default()),
            false => out.push(one),
        }
    }
    Cow::Owned(out)
}
