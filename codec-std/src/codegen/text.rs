//! Lines of code, and text for comments.

/// The longest line that rustfmt writes.
const WIDTH: usize = 100;

/// Appends `head tail` as a line, or as two lines where one would be too long.
///
/// This is the only place where a line is broken, and it breaks where rustfmt does. All else that is
/// generated is short whatever the definition says: calls have few and short arguments, and
/// [`fitted`] gives what is long a local of its own.
pub(super) fn put_line(out: &mut String, indent: usize, head: &str, tail: &str) {
    let (space, line) = (" ".repeat(indent), head.len() + 1 + tail.len());
    *out += &match indent + line {
        0..=WIDTH => format!("{space}{head} {tail}\n"),
        _ => format!("{space}{head}\n{space}    {tail}\n"),
    };
}

/// Appends the statement of a local.
pub(super) fn put_let(out: &mut String, indent: usize, name: &str, value: &str) {
    put_line(out, indent, &format!("let {name} ="), &format!("{value};"));
}

/// Returns a value if its line has room for it beside so many other characters; else the name of a local
/// that has the value, whose statement is appended.
pub(super) fn fitted(
    out: &mut String,
    indent: usize,
    others: usize,
    local: &str,
    value: String,
) -> String {
    if others + value.len() <= WIDTH {
        return value;
    }
    put_let(out, indent, local, &value);
    local.to_owned()
}

/// Appends the literal of a struct. The comment in it keeps rustfmt from putting it on one line.
pub(super) fn put_literal(out: &mut String, name: &str, fields: &[(&str, String)]) {
    *out += &format!("        {name} {{\n            // In the order of the ids.\n");
    for (field, value) in fields {
        *out += &format!("            {field}: {value},\n");
    }
    *out += "        }\n";
}

/// Returns text for a comment: one line, without invisible characters, and without the marks of
/// rustdoc that would make a link or a tag of a name.
pub(super) fn comment(text: &str) -> String {
    let is_hidden = |one: char| matches!(one, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
    let is_space = |one: char| one.is_control() || one.is_whitespace();
    let text = text.replace(is_hidden, "");
    let words: Vec<&str> = text
        .split(is_space)
        .filter(|word| !word.is_empty())
        .collect();
    let mut escaped = String::new();
    for one in words.join(" ").chars() {
        if "[]<>`*_\\#|~".contains(one) {
            escaped.push('\\');
        }
        escaped.push(one);
    }
    escaped
}

/// Returns a name for a comment.
pub(super) fn code(name: &str) -> String {
    let name = comment(name).replace(['\\', '`'], "");
    format!("`{name}`")
}
