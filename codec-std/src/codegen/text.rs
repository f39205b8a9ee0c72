//! Lines as rustfmt has them, and text that may stand in a comment.

use std::fmt;

/// The longest line.
pub(super) const WIDTH: usize = 100;

/// `head` and `tail` on a line, or on two where one would be too long.
pub(super) fn assign(
    out: &mut fmt::Formatter<'_>,
    indent: usize,
    head: &str,
    tail: &str,
) -> fmt::Result {
    match indent + head.len() + 1 + tail.len() {
        0..=WIDTH => writeln!(out, "{:indent$}{head} {tail}", ""),
        _ => writeln!(out, "{:indent$}{head}\n{:indent$}    {tail}", "", ""),
    }
}

/// Text in a comment: one line, and nothing that shows what isn't there.
pub(super) fn comment(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|one| if one.is_control() || one.is_whitespace() { ' ' } else { one })
        .filter(|one| !matches!(one, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'))
        .collect();
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let text = words.join(" ");
    // Of rustdoc's marks, those that would make a link or a tag of a name.
    let mut escaped = String::new();
    for one in text.chars() {
        if matches!(
            one,
            '[' | ']' | '<' | '>' | '`' | '*' | '_' | '\\' | '#' | '|' | '~'
        ) {
            escaped.push('\\');
        }
        escaped.push(one);
    }
    escaped
}

/// A name in a comment.
pub(super) fn code(name: &str) -> String {
    let name = comment(name).replace(['\\', '`'], "");
    format!("`{name}`")
}

/// A struct's literal.
pub(super) fn literal(
    out: &mut fmt::Formatter<'_>,
    indent: usize,
    name: &str,
    fields: &[(String, String)],
) -> fmt::Result {
    let parts: Vec<String> = fields
        .iter()
        .map(|(field, value)| format!("{field}: {value}"))
        .collect();
    let line = parts.join(", ");
    // rustfmt has a short one on one line.
    if line.len() <= 18 {
        return writeln!(out, "{:indent$}{name} {{ {line} }}", "");
    }
    writeln!(out, "{:indent$}{name} {{", "")?;
    for part in parts {
        writeln!(out, "{:indent$}    {part},", "")?;
    }
    writeln!(out, "{:indent$}}}", "")
}
