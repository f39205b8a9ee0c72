//! Lines of code and text for comments.

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

/// Returns a text for a doc comment: a single line without invisible characters, in which the markup
/// characters of rustdoc are escaped.
pub(super) fn comment(text: &str) -> String {
    fn is_hidden(one: char) -> bool {
        matches!(one, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
    }
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

/// Returns a name as code for a doc comment.
pub(super) fn code(name: &str) -> String {
    let name = comment(name).replace(['\\', '`'], "");
    format!("`{name}`")
}
