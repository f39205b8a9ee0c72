//! Reads records whose texts need no unescaping: nearly all of them.
//!
//! A scanner accepts a part of JSON that every parser reads in the same way: texts without escapes, numbers without
//! exponents, literals, arrays and objects. It refuses everything else without a reason, and the strict parser then
//! reads the line.

use super::Record;
use super::reader::DEPTH_LIMIT;
use super::timestamp::Timestamp;

/// Reads a line into an empty record. Appends the other members to `extra`, each after a comma.
#[inline(always)]
pub(super) fn scan<'a>(
    line: &'a str,
    record: &mut Record<'a>,
    mut extra: Option<&mut Vec<u8>>,
) -> Option<()> {
    let mut scanner = Scanner { line, at: 0 };
    let mut payload = None;
    scanner.expect(b'{')?;
    loop {
        let key = scanner.text()?;
        scanner.expect(b':')?;
        let member = match key {
            "payload" => &mut payload,
            "type" => &mut record.kind,
            "did" => &mut record.did,
            "product_key" => &mut record.product_key,
            _ => {
                let json = scanner.value(DEPTH_LIMIT - 1)?;
                if key == "timestamp" {
                    let moment = Timestamp(json);
                    if record.timestamp.replace(moment).is_some() || !moment.is_sound() {
                        return None;
                    }
                } else if let Some(extra) = &mut extra {
                    for part in [",\"", key, "\":", json] {
                        extra.extend(part.as_bytes());
                    }
                }
                match scanner.next()? {
                    b',' => continue,
                    _ => break,
                }
            }
        };
        if member.replace(scanner.text()?).is_some() {
            return None;
        }
        if scanner.next()? != b',' {
            break;
        }
    }
    record.payload = payload?;
    let end = scanner.line.as_bytes().get(scanner.at - 1..)?;
    let (bracket, rest) = end.split_first()?;
    (*bracket == b'}' && rest.iter().copied().all(is_space)).then_some(())
}

/// A position in a line.
struct Scanner<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Skips spaces and returns the byte after them without taking it.
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.line.as_bytes().get(self.at)?;
            if !is_space(byte) {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Skips spaces and takes the byte after them.
    #[inline(always)]
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Takes this byte.
    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// Takes a text without escapes, and returns it without its quotes.
    #[inline(always)]
    fn text(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let rest = self.line.get(self.at..)?;
        let text = rest.get(..plain_len(rest.as_bytes()))?;
        self.at += text.len() + 1;
        (rest.as_bytes().get(text.len()) == Some(&b'"')).then_some(text)
    }

    /// Takes a value with at most `depth` nested arrays and objects, and returns its JSON.
    #[inline(always)]
    fn value(&mut self, depth: usize) -> Option<&'a str> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => drop(self.text()?),
            b'-' | b'0'..=b'9' => self.number()?,
            b'[' | b'{' => self.list(depth)?,
            _ => {
                let rest = self.line.get(start..)?;
                let is_literal = |literal: &&str| rest.starts_with(*literal);
                self.at += ["true", "false", "null"]
                    .iter()
                    .find(|literal| is_literal(literal))?
                    .len();
            }
        }
        self.line.get(start..self.at)
    }

    /// Takes a number without an exponent.
    #[inline(always)]
    fn number(&mut self) -> Option<()> {
        let bytes = self.line.as_bytes();
        self.at += usize::from(bytes.get(self.at) == Some(&b'-'));
        let first = self.at;
        // JSON allows no other digits after a leading zero.
        if self.digits()? > 1 && bytes.get(first) == Some(&b'0') {
            return None;
        }
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        Some(())
    }

    /// Takes digits, of which there has to be one, and returns their number.
    #[inline(always)]
    fn digits(&mut self) -> Option<usize> {
        let rest = self.line.as_bytes().get(self.at..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        (digits > 0).then_some(digits)
    }

    /// Takes an array or object.
    #[inline(never)]
    fn list(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let is_object = self.next()? == b'{';
        let end = if is_object { b'}' } else { b']' };
        if self.peek()? == end {
            self.at += 1;
            return Some(());
        }
        loop {
            if is_object {
                self.text()?;
                self.expect(b':')?;
            }
            self.value(depth)?;
            match self.next()? {
                b',' => {}
                byte => return (byte == end).then_some(()),
            }
        }
    }
}

/// Whether JSON allows a byte between values.
#[inline(always)]
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The number of bytes before the first quote, backslash or control character.
#[inline(always)]
fn plain_len(text: &[u8]) -> usize {
    let is_end = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    // Long texts, such as payloads, are passed with vector instructions.
    let blocks = text.as_chunks::<32>().0.iter();
    let plain =
        blocks.take_while(|block| !block.iter().fold(false, |end, byte| end | is_end(*byte)));
    let passed = 32 * plain.count();
    let rest = text.get(passed..).unwrap_or(&[]);
    let mut len = passed;
    for word in rest.as_chunks().0 {
        let ends = ends(u64::from_le_bytes(*word));
        if ends != 0 {
            return len + ends.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    let rest = text.get(len..).unwrap_or(&[]);
    len + rest.iter().take_while(|byte| !is_end(**byte)).count()
}

/// Sets the highest bit of the first byte that is a quote, a backslash or a control character, and perhaps of bytes
/// after it: a difference below zero borrows from the next byte.
#[inline(always)]
fn ends(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let below = |word: u64, limit: u64| word.wrapping_sub(limit * ONES) & !word;
    let equal = |byte: u8| below(word ^ (u64::from(byte) * ONES), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & (0x80 * ONES)
}
