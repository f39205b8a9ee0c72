//! Lines of code and text for comments.

use crate::text::printable;

/// The maximum line length of rustfmt.
const WIDTH: usize = 100;

/// Appends `head tail` as a line, or as two lines if one would be too long.
///
/// Lines are broken only here, in the same way as by rustfmt. All other generated lines are short for any
/// definition: calls have few and short arguments, and [`fitted`] moves long expressions to locals.
pub(super) fn put_line(out: &mut String, indent: usize, head: &str, tail: &str) {
    let (space, line) = (" ".repeat(indent), head.len() + 1 + tail.len());
    *out += &match indent + line {
        0..=WIDTH => format!("{space}{head} {tail}\n"),
        _ => format!("{space}{head}\n{space}    {tail}\n"),
    };
}

/// Appends a `let` statement.
pub(super) fn put_let(out: &mut String, indent: usize, name: &str, value: &str) {
    put_line(out, indent, &format!("let {name} ="), &format!("{value};"));
}

/// Returns a value if it fits in a line with `others` other characters. Otherwise appends the value as a
/// local, and returns the name of the local.
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

/// Appends a struct literal. The generated comment keeps rustfmt from joining a short literal into one line.
pub(super) fn put_literal(out: &mut String, name: &str, fields: &[(&str, String)]) {
    *out += &format!("        {name} {{\n            // In the order of the ids.\n");
    for (field, value) in fields {
        *out += &format!("            {field}: {value},\n");
    }
    *out += "        }\n";
}

/// Returns a text in one line, with its invisible characters escaped.
pub(super) fn one_line(text: &str) -> String {
    let is_space = |one: char| one.is_control() || one.is_whitespace();
    let words = text.split(is_space).filter(|word| !word.is_empty());
    printable(&words.collect::<Vec<_>>().join(" ")).into_owned()
}

/// Returns a text for a doc comment: a single line in which invisible characters and the markup characters of rustdoc
/// are escaped.
pub(super) fn comment(text: &str) -> String {
    let mut escaped = String::new();
    for one in one_line(text).chars() {
        if "[]<>`*_\\#|~".contains(one) {
            escaped.push('\\');
        }
        escaped.push(one);
    }
    escaped
}

/// Returns a name as code for a doc comment.
pub(super) fn code(name: &str) -> String {
    format!("`{}`", one_line(name).replace('`', ""))
}
