//! The literals of strings and bytes in source code, and texts with escapes.

use super::notation::{is_hex, two_readings, unknown};
use crate::error::{Error, shown};

/// String or bytes literals that follow each other: `"\x00" "\x03"`, `b'\x00\x03'`, `'\x00', '\x03'`.
pub(super) struct Literals<'t> {
    /// The texts between the quotes.
    texts: Vec<&'t str>,
    /// Whether the literals are bytes of Python: `b'…'`.
    pub(super) is_bytes: bool,
    /// Whether commas or semicolons are between the literals.
    pub(super) is_list: bool,
}

impl<'t> Literals<'t> {
    /// Splits a text into literals. `None` if the text has any other part.
    pub(super) fn split(text: &'t str) -> Option<Self> {
        let mut literals = Literals {
            texts: Vec::new(),
            is_bytes: false,
            is_list: false,
        };
        let mut rest = text.trim();
        loop {
            let inner = rest.strip_prefix(['b', 'B']);
            let is_bytes = inner.is_some();
            if literals.texts.is_empty() {
                literals.is_bytes = is_bytes;
            } else if literals.is_bytes != is_bytes {
                return None;
            }
            let inner = inner.unwrap_or(rest);
            let quote = inner.chars().next().filter(|quote| is_quote(*quote))?;
            let inner = inner.get(1..)?;
            let len = closing(inner, quote)?;
            literals.texts.push(inner.get(..len)?);
            let behind = inner.get(len + 1..)?.trim_start();
            rest = behind.trim_start_matches([',', ';']).trim_start();
            if rest.is_empty() {
                return Some(literals);
            }
            literals.is_list |= rest.len() < behind.len();
        }
    }

    /// Whether a literal has an escape.
    pub(super) fn has_escapes(&self) -> bool {
        self.texts.iter().any(|text| text.contains('\\'))
    }

    /// Returns the texts, with commas between them if the literals are a list.
    pub(super) fn joined(&self) -> String {
        self.texts.join(if self.is_list { "," } else { "" })
    }

    /// Appends the bytes that the literals mean in source code.
    pub(super) fn put_bytes(&self, whole: &str, bytes: &mut Vec<u8>) -> Result<(), Error> {
        let mut texts = self.texts.iter();
        texts.try_for_each(|text| put_escapes(whole, text, self.is_bytes, bytes))?;
        match bytes.is_empty() {
            true => Err(Error::empty()),
            false => Ok(()),
        }
    }
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\'' | '`')
}

/// The index of the quote that ends a literal.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => _ = characters.next(),
            end if end == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// Reads a text with escapes and without quotes: `\x00\x03`.
///
/// A comma, semicolon or space can be a byte of the payload, or separate other bytes. Within brackets, it separates them.
pub(super) fn unquoted(
    whole: &str,
    text: &str,
    is_bracketed: bool,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    // Quotes of which one is missing, or with other text around them.
    let is_open = text.trim_start_matches(['b', 'B']).starts_with(is_quote);
    let is_closed = text.ends_with(is_quote) && !text.trim_end_matches(is_quote).ends_with('\\');
    if is_open || is_closed {
        let shown = shown(whole);
        let message = format!("`{shown}` has text outside of its quotes, or lacks a quote");
        return Err(Error::new("not_hex_or_base64", message));
    }
    let is_separator = |next: char| matches!(next, ',' | ';') || next.is_whitespace();
    let mut separated = Vec::new();
    let parts = text.split(is_separator).filter(|part| !part.is_empty());
    let is_separated = parts.clone().all(is_escaped);
    let done = match is_separated {
        true => {
            let mut parts = parts;
            parts.try_for_each(|part| put_escapes(whole, part, false, &mut separated))
        }
        false if is_bracketed && text.contains(is_separator) => return Err(unknown(whole, None)),
        false => {
            let text = text.trim_end_matches(is_separator);
            put_escapes(whole, text, false, &mut separated)
        }
    };
    done?;
    if is_bracketed {
        *bytes = separated;
        return Ok(());
    }
    put_escapes(whole, text, false, bytes)?;
    if *bytes == separated {
        return Ok(());
    }
    Err(two_readings(
        whole,
        ("with all characters", bytes),
        ("without separators", &separated),
        "Write b'…' around the text if its separators are bytes, otherwise leave them out",
    ))
}

/// Whether a text consists of escapes of bytes: `\x00\x03`.
fn is_escaped(text: &str) -> bool {
    let mut escapes = text.split("\\x");
    escapes.next() == Some("") && escapes.all(|code| code.len() == 2 && is_hex(code))
}

/// Appends the bytes of a text with escapes. Other ASCII characters are their own bytes. `is_bytes` is true for a bytes
/// literal of Python, whose escapes have two digits.
fn put_escapes(whole: &str, text: &str, is_bytes: bool, bytes: &mut Vec<u8>) -> Result<(), Error> {
    let refused = || unknown(whole, None);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        if first != '\\' {
            bytes.push(
                u8::try_from(first)
                    .ok()
                    .filter(u8::is_ascii)
                    .ok_or_else(refused)?,
            );
            continue;
        }
        let escape = rest.chars().next().ok_or_else(refused)?;
        rest = &rest[escape.len_utf8()..];
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            _ => 0,
        };
        if digits > 0 {
            let code = rest
                .get(..digits)
                .filter(|code| is_hex(code))
                .ok_or_else(refused)?;
            let byte = u32::from_str_radix(code, 16)
                .ok()
                .and_then(|code| u8::try_from(code).ok());
            bytes.push(byte.ok_or_else(refused)?);
            rest = &rest[digits..];
            // In C an escape takes all digits that follow, in Python and JavaScript two.
            if escape == 'x' && !is_bytes && rest.starts_with(|next: char| next.is_ascii_hexdigit())
            {
                let shown = shown(whole);
                let message = format!(
                    "`{shown}` has two readings: the digit after \\x{code} is a character of its own (Python, \
                     JavaScript), or part of the number (C). Write b'…' for the former"
                );
                return Err(Error::new("ambiguous", message));
            }
            continue;
        }
        bytes.push(match escape {
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'a' => 7,
            'b' => 8,
            'v' => 11,
            'f' => 12,
            '\\' | '\'' | '"' => escape as u8,
            // A digit after it would make it octal.
            '0' if !rest.starts_with(|next: char| next.is_ascii_digit()) => 0,
            _ => return Err(refused()),
        });
    }
    Ok(())
}
