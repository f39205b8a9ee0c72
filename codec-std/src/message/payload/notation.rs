//! The notations of bytes in dumps, source code and the output of programs.
//!
//! One tokenizer reads all of them: it removes the brackets and quotes, splits the rest, and reads the parts as hex or as
//! decimal numbers. A text that has two readings is refused, and the error names both.

use super::literal::{self, Literals};
use super::{Encoding, base64_into, hex, hex_into, plain_into};
use crate::error::{Error, shown};

/// The notations that [`parse`](super::parse) recognises, each with an example. All examples are the same heartbeat frame.
pub const NOTATIONS: &[(&str, &str)] = &[
    ("hex", "0000000303000015"),
    ("hex after 0x", "0x0000000303000015"),
    ("hex with spaces", "00 00 00 03 03 00 00 15"),
    ("hex with colons", "00:00:00:03:03:00:00:15"),
    ("hex with hyphens", "00-00-00-03-03-00-00-15"),
    ("hex in groups", "<00000003 03000015>"),
    ("Node.js buffer", "<Buffer 00 00 00 03 03 00 00 15>"),
    ("hex list", "0x00, 0x00, 0x00, 0x03, 0x03, 0x00, 0x00, 0x15"),
    (
        "C array",
        "{0x00, 0x00, 0x00, 0x03, 0x03, 0x00, 0x00, 0x15}",
    ),
    ("decimal list", "[0, 0, 0, 3, 3, 0, 0, 21]"),
    ("escapes", r"\x00\x00\x00\x03\x03\x00\x00\x15"),
    ("C strings", r#""\x00\x00\x00\x03" "\x03\x00\x00\x15""#),
    ("Python bytes", r"b'\x00\x00\x00\x03\x03\x00\x00\x15'"),
    (
        "Python bytearray",
        r"bytearray(b'\x00\x00\x00\x03\x03\x00\x00\x15')",
    ),
    ("base64", "AAAAAwMAABU="),
    ("any of them in quotes", "\"0000000303000015\""),
];

/// The brackets around the bytes of a text.
#[derive(Clone, Copy, Default)]
struct Brackets {
    /// The bytes are in brackets: a list, whose parts can be decimal.
    list: bool,
    /// The outermost bracket is `[`.
    square: bool,
}

/// Reads a text that is neither plain hex nor plain base64.
pub(super) fn read(
    text: &str,
    encoding: Option<Encoding>,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    bytes.clear();
    let whole = text;
    let mut brackets = Brackets::default();
    let cut = text.trim_end_matches([';', ',']).trim();
    let mut text = cut;
    // Brackets in brackets: `bytearray([…])`.
    for _ in 0..4 {
        match within_brackets(text, &mut brackets) {
            Some(inner) => text = inner.trim(),
            None => break,
        }
    }
    if let Some(literals) = Literals::split(text) {
        return quoted(whole, &literals, encoding, bytes);
    }
    if text.contains('\\') && encoding != Some(Encoding::Base64) {
        // Without brackets, a comma at the end can be the last byte.
        let is_bracketed = text.len() < cut.len();
        let text = if is_bracketed { text } else { whole };
        return literal::unquoted(whole, text, is_bracketed, bytes);
    }
    let text = text.trim_end_matches([',', ';']).trim_end();
    if text.ends_with("more bytes") {
        let shown = shown(whole);
        let message = format!("`{shown}` is cut: the program that printed it left bytes out");
        return Err(Error::new("not_hex_or_base64", message));
    }
    match encoding {
        Some(Encoding::Base64) => Err(unknown(whole, encoding)),
        _ => numbers(whole, text, brackets, encoding, bytes),
    }
}

/// Removes the outermost brackets of a text.
fn within_brackets<'t>(text: &'t str, brackets: &mut Brackets) -> Option<&'t str> {
    let between = |open: &str, close: &str| text.strip_prefix(open)?.strip_suffix(close);
    for open in ["bytearray(", "bytes("] {
        if let Some(inner) = between(open, ")") {
            return Some(inner);
        }
    }
    if let Some(inner) = between("<Buffer ", ">").or_else(|| between("<", ">")) {
        return Some(inner);
    }
    for (open, close) in [("[", "]"), ("{", "}"), ("(", ")")] {
        if let Some(inner) = between(open, close) {
            brackets.square = open == "[" && !brackets.list;
            brackets.list = true;
            return Some(inner);
        }
    }
    None
}

/// Reads literals.
fn quoted(
    whole: &str,
    literals: &Literals<'_>,
    encoding: Option<Encoding>,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    if literals.has_escapes() {
        return match encoding {
            Some(Encoding::Base64) => Err(unknown(whole, encoding)),
            _ => literals.put_bytes(whole, bytes),
        };
    }
    let brackets = Brackets {
        list: literals.is_list,
        // The numbers of JSON have no quotes, so they may be hex.
        square: false,
    };
    let text = literals.joined();
    let text = text.trim().trim_end_matches([',', ';']).trim_end();
    let is_plain = match encoding {
        _ if literals.is_list => false,
        Some(Encoding::Base64) => base64_into(text, bytes),
        Some(Encoding::Hex) => hex_into(text, bytes),
        None => plain_into(text, bytes),
    };
    let done = match encoding {
        _ if is_plain => Ok(()),
        Some(Encoding::Base64) => Err(unknown(whole, encoding)),
        _ => numbers(whole, text, brackets, encoding, bytes),
    };
    if !literals.is_bytes || encoding.is_some() {
        return done;
    }
    // Python prints so what hexlify and b64encode return, and also the ASCII bytes of a payload.
    let mut ascii = Vec::new();
    match done {
        Ok(()) => {
            literals.put_bytes(whole, &mut ascii)?;
            Err(two_readings(
                whole,
                ("as hex, base64 or numbers", bytes),
                ("as the characters of the literal", &ascii),
                "Leave out the b'' for the former, and write \\x30 for each 0 and so on for the latter",
            ))
        }
        Err(error) if error.kind == "ambiguous" => Err(error),
        Err(_) => {
            bytes.clear();
            literals.put_bytes(whole, bytes)
        }
    }
}

/// Reads numbers with separators between them.
fn numbers(
    whole: &str,
    text: &str,
    brackets: Brackets,
    encoding: Option<Encoding>,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    let refused = || unknown(whole, encoding);
    let has_commas = text.contains([',', ';']);
    let mut parts: Vec<&str> = match has_commas {
        true => text.split([',', ';']).map(str::trim).collect(),
        false => text.split_whitespace().collect(),
    };
    let is_list = brackets.list || has_commas;
    // Hyphens and colons are between the bytes of a part, unless the hyphen is a sign.
    let is_signed = parts.iter().any(|part| part.starts_with('-'));
    let is_split = !is_signed && parts.iter().any(|part| part.contains([':', '-']));
    if is_split {
        let bytes = parts.iter().flat_map(|part| part.split([':', '-']));
        parts = bytes.collect();
    }
    if parts.is_empty()
        || parts
            .iter()
            .any(|part| part.is_empty() || part.contains(char::is_whitespace))
    {
        return Err(refused());
    }
    let after_0x = |part: &&str| {
        part.strip_prefix("0x")
            .or_else(|| part.strip_prefix("0X"))
            .is_some()
    };
    let prefixed = parts.iter().filter(|part| after_0x(part)).count();
    if prefixed > 0 {
        if prefixed < parts.len() {
            return Err(refused());
        }
        let digits: Vec<&str> = parts.iter().filter_map(|part| part.get(2..)).collect();
        return prefixed_numbers(whole, &digits, bytes).unwrap_or_else(|| Err(refused()));
    }
    let mut decimal = Vec::new();
    let may_be_decimal = encoding.is_none() && !is_split && (is_list || parts.len() > 1);
    let is_decimal = may_be_decimal && parts.iter().all(|part| put_decimal(part, &mut decimal));
    let joined = parts.concat();
    let is_pairs = parts.iter().all(|part| part.len() % 2 == 0 && is_hex(part));
    let is_hex = is_pairs && hex_into(&joined, bytes);
    let is_json = brackets.square && has_commas;
    match (is_hex, is_decimal) {
        (true, true) if is_list && !is_json && decimal != *bytes => Err(two_readings(
            whole,
            ("as hex", bytes),
            ("as decimal numbers", &decimal),
            "Write 0x before hex bytes, or [1, 2] for decimal bytes",
        )),
        (true, false) => Ok(()),
        (true, true) if !is_json => Ok(()),
        (_, true) => {
            *bytes = decimal;
            Ok(())
        }
        (false, false) => Err(refused()),
    }
}

/// Reads hex numbers that were written with `0x`. `None` if a number is no hex.
fn prefixed_numbers(
    whole: &str,
    digits: &[&str],
    bytes: &mut Vec<u8>,
) -> Option<Result<(), Error>> {
    bytes.clear();
    if !digits.iter().all(|digits| is_hex(digits)) {
        return None;
    }
    if digits.iter().all(|digits| digits.len() <= 2) {
        let numbers = digits.iter().map(|digits| u8::from_str_radix(digits, 16));
        bytes.extend(numbers.map_while(Result::ok));
        return Some(Ok(()));
    }
    if !digits.iter().all(|digits| digits.len() % 2 == 0) {
        return None;
    }
    let joined = digits.concat();
    if digits.len() == 1 || digits.iter().all(|digits| is_palindrome(digits)) {
        return hex_into(&joined, bytes).then_some(Ok(()));
    }
    let shown = shown(whole);
    let message = format!(
        "`{shown}` has two readings: the bytes of its numbers are written from the highest to the lowest, or in memory \
         from the lowest to the highest. Write the bytes one by one"
    );
    Some(Err(Error::new("ambiguous", message)))
}

/// Whether the bytes of a hex number are the same in both orders.
fn is_palindrome(digits: &str) -> bool {
    let pairs = digits.as_bytes().as_chunks::<2>().0;
    pairs.iter().eq(pairs.iter().rev())
}

/// Appends a decimal number as a byte. Negative numbers are those of signed bytes, as Java prints them. False for a number
/// that is no byte, or that has leading zeros.
fn put_decimal(part: &str, bytes: &mut Vec<u8>) -> bool {
    let digits = part.strip_prefix('-').unwrap_or(part);
    if digits.starts_with('0') && part != "0" || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let byte = match part.parse::<i16>() {
        Ok(number @ 0..=255) => number as u8,
        Ok(number @ -128..=-1) => number as i8 as u8,
        _ => return false,
    };
    bytes.push(byte);
    true
}

/// Whether a text consists of hex digits, of which there is at least one.
pub(super) fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The error of a text with two readings, each with its bytes.
pub(super) fn two_readings(
    text: &str,
    (first, first_bytes): (&str, &[u8]),
    (second, second_bytes): (&str, &[u8]),
    advice: &str,
) -> Error {
    let (shown, first_hex, second_hex) = (shown(text), start(first_bytes), start(second_bytes));
    let message = format!(
        "`{shown}` has two readings: {first}, the bytes {first_hex}; {second}, the bytes {second_hex}. {advice}"
    );
    Error::new("ambiguous", message)
}

/// The first bytes of a reading as hex.
fn start(bytes: &[u8]) -> String {
    const SHOWN: usize = 32;
    match bytes.get(..SHOWN) {
        Some(first) if bytes.len() > SHOWN => format!("{}…", hex(first)),
        _ => hex(bytes),
    }
}

/// The error of a text without any reading.
pub(super) fn unknown(text: &str, encoding: Option<Encoding>) -> Error {
    let why = match encoding {
        Some(Encoding::Hex) => "not hex: expected two digits for each byte",
        Some(Encoding::Base64) => "not base64",
        None => "neither hex (two digits for each byte), nor base64, nor a list of bytes [0,0,0,3]",
    };
    let shown = shown(text);
    Error::new("not_hex_or_base64", format!("`{shown}` is {why}"))
}
