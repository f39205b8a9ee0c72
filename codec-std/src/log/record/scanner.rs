//! Reads records whose texts need no unescaping: nearly all of them.
//!
//! A scanner accepts a part of JSON that every parser reads in the same way: texts without escapes, numbers without
//! exponents, literals, arrays and objects. It also recognises the beginning of such a record, because most broken
//! lines of logs are incomplete, and the faults of broken ones. It refuses everything else without a reason, and the
//! strict parser then reads the line.

use std::ops::Range;

use Refusal::{Broken, Incomplete, Unusual};

use super::Record;
use super::reader::DEPTH_LIMIT;
use super::timestamp::Timestamp;

/// Why a scanner refuses a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The line ends within the record.
    Incomplete,
    /// The record is not JSON from a byte on.
    Broken(Fault),
    /// Anything else. The line may be valid.
    Unusual,
}

/// A fault of a line: the rule of JSON that a byte breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Key,
    Colon,
    Value,
    Literal,
    Number,
    Escape,
    Control,
    Comma,
    TrailingComma,
    Trailing,
}

impl Fault {
    /// The reason in the error, which is that of serde_json but for literals.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Fault::Key => "key must be a string",
            Fault::Colon => "expected `:`",
            Fault::Value => "expected value",
            Fault::Literal => "expected `true`, `false` or `null`",
            Fault::Number => "invalid number",
            Fault::Escape => "invalid escape",
            Fault::Control => "control character (\\u0000-\\u001F) found while parsing a string",
            Fault::Comma => "expected `,` or `}`",
            Fault::TrailingComma => "trailing comma",
            Fault::Trailing => "trailing characters",
        }
    }
}

/// Reads a line into an empty record. Appends the other members to `extra`, each after a comma. If the line is broken,
/// the error has the byte.
// Not inlined: the scanner needs most registers for itself.
#[inline(never)]
pub(super) fn scan<'a>(
    line: &'a str,
    record: &mut Record<'a>,
    extra: Option<&mut Vec<u8>>,
) -> Result<(), (Refusal, usize)> {
    let mut scanner = Scanner {
        line: line.as_bytes(),
        at: 0,
    };
    let done = members(&mut scanner, line, record, extra);
    done.map_err(|refusal| (refusal, scanner.at))
}

#[inline(always)]
fn members<'a>(
    scanner: &mut Scanner<'a>,
    line: &'a str,
    record: &mut Record<'a>,
    mut extra: Option<&mut Vec<u8>>,
) -> Result<(), Refusal> {
    let mut payload = None;
    scanner.expect(b'{', Unusual)?;
    // A record without members has no payload.
    if scanner.peek()? == b'}' {
        return Err(Unusual);
    }
    loop {
        let key = scanner.text(Broken(Fault::Key))?;
        scanner.expect(b':', Broken(Fault::Colon))?;
        let key = line.as_bytes().get(key).unwrap_or_default();
        if key == b"timestamp" {
            let moment = Timestamp(
                line.get(scanner.value(DEPTH_LIMIT - 1)?)
                    .unwrap_or_default(),
            );
            if record.timestamp.replace(moment).is_some() || !moment.is_sound() {
                return Err(Unusual);
            }
        } else if let Some(member) = member(key, record, &mut payload) {
            let text = line.get(scanner.text(Unusual)?).unwrap_or_default();
            if member.replace(text).is_some() {
                return Err(Unusual);
            }
        } else {
            let json = scanner.value(DEPTH_LIMIT - 1)?;
            if let Some(extra) = &mut extra {
                let json = line.as_bytes().get(json).unwrap_or_default();
                for part in [b",\"", key, b"\":", json] {
                    extra.extend(part);
                }
            }
        }
        match scanner.peek()? {
            b',' => scanner.at += 1,
            b'}' => break,
            // The exponent of a number.
            b'e' | b'E' => return Err(Unusual),
            _ => return Err(Broken(Fault::Comma)),
        }
        // A comma before the end is a fault of its own.
        if scanner.line.get(scanner.at) != Some(&b'"') && scanner.peek()? == b'}' {
            return Err(Broken(Fault::TrailingComma));
        }
    }
    scanner.at += 1;
    record.payload = payload.ok_or(Unusual)?;
    // Only spaces may follow.
    match scanner.peek() {
        Err(_) => Ok(()),
        Ok(_) => Err(Broken(Fault::Trailing)),
    }
}

/// The member with a text that has this key.
#[inline(always)]
fn member<'r, 'a>(
    key: &[u8],
    record: &'r mut Record<'a>,
    payload: &'r mut Option<&'a str>,
) -> Option<&'r mut Option<&'a str>> {
    // As a `match`, this compares byte by byte.
    if key == b"payload" {
        Some(payload)
    } else if key == b"type" {
        Some(&mut record.kind)
    } else if key == b"did" {
        Some(&mut record.did)
    } else if key == b"product_key" {
        Some(&mut record.product_key)
    } else {
        None
    }
}

/// A position in a line.
struct Scanner<'a> {
    line: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    /// Skips spaces and returns the byte after them without taking it.
    #[inline(always)]
    fn peek(&mut self) -> Result<u8, Refusal> {
        loop {
            let byte = *self.line.get(self.at).ok_or(Incomplete)?;
            if byte > b' ' || !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(byte);
            }
            self.at += 1;
        }
    }

    /// Skips spaces and takes the byte after them.
    #[inline(always)]
    fn next(&mut self) -> Result<u8, Refusal> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    /// Takes this byte, which is no space. Any other byte is refused with this reason.
    #[inline(always)]
    fn expect(&mut self, byte: u8, refusal: Refusal) -> Result<(), Refusal> {
        // Nearly all logs have no spaces.
        if self.line.get(self.at) != Some(&byte) && self.peek()? != byte {
            return Err(refusal);
        }
        self.at += 1;
        Ok(())
    }

    /// Takes a text without escapes, and returns the range between its quotes. `other` is the refusal of any other byte
    /// than a quote at its start.
    #[inline(always)]
    fn text(&mut self, other: Refusal) -> Result<Range<usize>, Refusal> {
        self.expect(b'"', other)?;
        let start = self.at;
        self.at += plain_len(self.line.get(start..).unwrap_or_default());
        let end = self.at;
        match self.line.get(end) {
            Some(b'"') => {
                self.at += 1;
                Ok(start..end)
            }
            Some(b'\\') => Err(self.escape()),
            Some(_) => Err(Broken(Fault::Control)),
            None => Err(Incomplete),
        }
    }

    /// The refusal of a text with an escape.
    #[cold]
    #[inline(never)]
    fn escape(&mut self) -> Refusal {
        let digits = self.line.get(self.at + 2..).unwrap_or_default();
        match self.line.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Unusual,
            Some(b'u') => match digits.first_chunk::<4>() {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Unusual,
                // The error is that of the last digit, whichever is wrong.
                Some(_) => {
                    self.at += 5;
                    Broken(Fault::Escape)
                }
                None => Incomplete,
            },
            Some(_) => {
                self.at += 1;
                Broken(Fault::Escape)
            }
            None => Incomplete,
        }
    }

    /// Takes a value with at most `depth` nested arrays and objects, and returns its range.
    #[inline(always)]
    fn value(&mut self, depth: usize) -> Result<Range<usize>, Refusal> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => {
                self.text(Unusual)?;
            }
            b'-' | b'0'..=b'9' => self.number()?,
            // The parser has other errors within lists.
            b'[' | b'{' => self.list(depth).map_err(|refusal| match refusal {
                Incomplete => Incomplete,
                _ => Unusual,
            })?,
            b't' | b'f' | b'n' => {
                let literals = [&b"true"[..], b"false", b"null"];
                let literal = literals.iter().find(|literal| literal[0] == first);
                for byte in literal.copied().unwrap_or_default() {
                    match self.line.get(self.at) {
                        Some(found) if found == byte => self.at += 1,
                        Some(_) => return Err(Broken(Fault::Literal)),
                        None => return Err(Incomplete),
                    }
                }
            }
            _ => return Err(Broken(Fault::Value)),
        }
        Ok(start..self.at)
    }

    /// Takes a number without an exponent.
    #[inline(always)]
    fn number(&mut self) -> Result<(), Refusal> {
        self.at += usize::from(self.line.get(self.at) == Some(&b'-'));
        let is_zero = self.line.get(self.at) == Some(&b'0');
        let start = self.at;
        // JSON allows no other digits after a leading zero.
        if self.digits()? > 1 && is_zero {
            self.at = start + 1;
            return Err(Broken(Fault::Number));
        }
        if self.line.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        Ok(())
    }

    /// Takes digits, at least one, and returns their number.
    #[inline(always)]
    fn digits(&mut self) -> Result<usize, Refusal> {
        let rest = self.line.get(self.at..).unwrap_or_default();
        let len = first_mark(rest, |word| {
            let digits = word ^ (0x30 * ONES);
            digits.wrapping_add(0x76 * ONES) | digits
        });
        self.at += len;
        match len {
            1.. => Ok(len),
            // serde_json has no error of its own for a number that ends with the line.
            0 if rest.is_empty() => Err(Unusual),
            0 => Err(Broken(Fault::Number)),
        }
    }

    /// Takes an array or object.
    #[inline(never)]
    fn list(&mut self, depth: usize) -> Result<(), Refusal> {
        let depth = depth.checked_sub(1).ok_or(Unusual)?;
        let is_object = self.next()? == b'{';
        let end = if is_object { b'}' } else { b']' };
        if self.peek()? == end {
            self.at += 1;
            return Ok(());
        }
        loop {
            if is_object {
                self.text(Unusual)?;
                self.expect(b':', Unusual)?;
            }
            self.value(depth)?;
            match self.next()? {
                b',' => {}
                byte if byte == end => return Ok(()),
                _ => return Err(Unusual),
            }
        }
    }
}

/// The number of bytes before the first quote, backslash or control character.
#[inline(always)]
fn plain_len(text: &[u8]) -> usize {
    let below = |word: u64, limit: u64| word.wrapping_sub(limit * ONES) & !word;
    let equal = |word: u64, byte: u64| below(word ^ (byte * ONES), 1);
    let ends = |word| below(word, 0x20) | equal(word, b'"'.into()) | equal(word, b'\\'.into());
    // Most texts are short.
    if let Some(word) = text.first_chunk()
        && let Some(len) = mark(ends(u64::from_le_bytes(*word)))
    {
        return len;
    }
    // Long texts, such as payloads, are passed with vector instructions.
    let is_end = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    let mut passed = 0;
    while let Some(block) = text.get(passed..).and_then(<[u8]>::first_chunk::<32>)
        && !block.iter().fold(false, |end, byte| end | is_end(*byte))
    {
        passed += 32;
    }
    passed + first_mark(text.get(passed..).unwrap_or(&[]), ends)
}

/// A word with a 1 in each byte.
const ONES: u64 = u64::MAX / 255;

/// The index of the first marked byte. A mark is the highest bit of a byte.
#[inline(always)]
fn mark(marks: u64) -> Option<usize> {
    let marks = marks & (0x80 * ONES);
    (marks != 0).then_some(marks.trailing_zeros() as usize / 8)
}

/// The number of bytes before the first that `marks` marks. It gets 8 bytes at a time, the first in the lowest bits,
/// and has to mark a zero. Bytes after the first mark may be marked wrongly, because sums carry.
#[inline(always)]
fn first_mark(text: &[u8], marks: impl Fn(u64) -> u64) -> usize {
    let (words, rest) = text.as_chunks();
    for (n, word) in words.iter().enumerate() {
        if let Some(len) = mark(marks(u64::from_le_bytes(*word))) {
            return 8 * n + len;
        }
    }
    // The rest, and zeros after it.
    let last = match text.last_chunk() {
        Some(last) => u64::from_le_bytes(*last).unbounded_shr(64 - 8 * rest.len() as u32),
        None => rest
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    text.len() - rest.len() + mark(marks(last)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Words and blocks find what a loop over bytes finds.
        #[test]
        fn texts_end_at_the_first_end(text in "[a-z\u{7f}é\u{80}\u{ffff}]{0,90}", ends in "[\"\\\\\u{1f}\0-~é]{0,12}") {
            let text = text + &ends;
            let is_end = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
            for start in 0..text.len() {
                let text = &text.as_bytes()[start..];
                let len = text.iter().position(is_end);
                prop_assert_eq!(plain_len(text), len.unwrap_or(text.len()));
                let digits = text.iter().position(|byte| !byte.is_ascii_digit());
                let mut scanner = Scanner { line: text, at: 0 };
                prop_assert_eq!(scanner.digits().unwrap_or(0), digits.unwrap_or(text.len()));
            }
        }
    }
}
