//! The shape of a line: the parts that it shares with other lines of its log.
//!
//! The lines of a log look alike. Constant parts are compared byte by byte, and variable parts are checked
//! against the bytes that are allowed there. A line that differs goes to the strict parser, which alone decides
//! what is valid.

use std::ops::Range;

use super::Members;
use super::head::{append_head, is_plain};
use super::text::TextBlock;
use super::timestamp::Timestamp;

/// The bytes that are allowed at a position of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByteClass {
    /// The byte of the learned line and no other.
    Same,
    /// Any digit. In a number, this class applies to digits after the first.
    Number,
    /// Any ASCII that a JSON string contains without an escape.
    Text,
    /// Any byte. Used for the payload, which the decoder checks.
    Any,
}

/// The maximum length of a line that is learned, in bytes.
const LEARNT: usize = 16 << 10;

/// The shape of lines, whose payloads may have any length.
#[derive(Debug)]
pub(crate) struct LineShape {
    /// The number of bytes before and after the payload.
    pub(crate) head: usize,
    pub(crate) tail: usize,
    /// The minimum length of a line.
    least: usize,
    patterns: Vec<ChunkPattern>,
    pub(crate) timestamp: Option<Span>,
    /// The timestamp if it is a string, which the patterns cannot check completely.
    worded: Option<Span>,
    /// The member `type`, which is equal in all lines of the shape.
    pub(crate) kind: Option<Box<str>>,
    pub(crate) did: Option<Span>,
    pub(crate) product_key: Option<Box<str>>,
    kept: Vec<(Span, Span)>,
    /// The length of the head of the line, if NDJSON can copy it unchanged.
    pub(crate) verbatim: Option<usize>,
}

/// A range of a line: before the payload counted from the start, after the payload counted from the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    behind: bool,
    start: usize,
    end: usize,
}

impl Span {
    #[inline]
    pub(crate) fn of(self, line: &[u8]) -> &[u8] {
        let range = match self.behind {
            false => self.start..self.end,
            true => line.len().wrapping_sub(self.start)..line.len().wrapping_sub(self.end),
        };
        line.get(range).unwrap_or_default()
    }

    /// The text of the span. A line that fits a shape is UTF-8 there: each byte is a learned byte or ASCII.
    pub(crate) fn text(self, line: &[u8]) -> &str {
        std::str::from_utf8(self.of(line)).unwrap_or_default()
    }
}

/// A line that is being learned, with the class of each byte.
struct Learner<'l> {
    line: &'l [u8],
    payload: Range<usize>,
    classes: Vec<ByteClass>,
}

/// The range of a text in a line; `None` if the text is elsewhere, because it had escapes.
fn range_of(line: &[u8], text: &str) -> Option<Range<usize>> {
    let start = text.as_ptr().addr().checked_sub(line.as_ptr().addr())?;
    let end = start + text.len();
    (end <= line.len()).then_some(start..end)
}

impl Learner<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        let behind = range.start >= self.payload.end;
        let len = self.line.len();
        let (start, end) = match behind {
            false => (range.start, range.end),
            true => (len - range.start, len - range.end),
        };
        Span { behind, start, end }
    }

    fn vary(&mut self, range: Range<usize>, class: ByteClass) {
        let is_number = class == ByteClass::Number;
        let text = self.line.get(range.clone()).unwrap_or(&[]);
        if is_number && text.iter().any(|byte| byte.eq_ignore_ascii_case(&b'e')) {
            return;
        }
        // JSON does not allow a leading zero, so the first of several digits must stay the same.
        let first = usize::from(is_number && text.get(1).is_some_and(u8::is_ascii_digit));
        for (n, (to, byte)) in self.classes[range].iter_mut().zip(text).enumerate() {
            if !is_number || n >= first && byte.is_ascii_digit() {
                *to = class;
            }
        }
    }

    /// The patterns of both sides of the payload. A pattern that reaches into the payload accepts any byte
    /// there. The last pattern of a side overlaps the one before it.
    fn patterns(&self) -> Vec<ChunkPattern> {
        let (line, head) = (self.line, self.payload.start);
        let tail = line.len() - self.payload.end;
        let mut sides = [self.classes.clone(), self.classes.clone()];
        sides[0][head..].fill(ByteClass::Any);
        sides[1][..self.payload.end].fill(ByteClass::Any);
        let before = (0..head).step_by(CHUNK).map(|at| {
            let at = at.min(head.saturating_sub(CHUNK));
            ChunkPattern::new(line, &sides[0], at)
        });
        let behind = (0..tail).step_by(CHUNK).map(|end| {
            let at = (end + CHUNK).min(tail.max(CHUNK));
            let mut pattern = ChunkPattern::new(line, &sides[1], line.len() - at);
            (pattern.at, pattern.behind) = (at.wrapping_neg(), usize::MAX);
            pattern
        });
        before.chain(behind).collect()
    }
}

impl LineShape {
    /// Learns the shape of a line from its parsed members. `keep` is
    /// [`Options::keep`](crate::log::Options::keep).
    pub(crate) fn new(line: &str, members: &Members<'_>, keep: bool) -> Option<Self> {
        let line = line.as_bytes();
        let payload = range_of(line, members.payload.as_deref()?)?;
        // A shape takes memory in proportion to its line, and the last pattern begins a chunk before the end.
        if payload.is_empty() || line.len() > LEARNT || line.len() < CHUNK {
            return None;
        }
        let (head, tail) = (payload.start, line.len() - payload.end);
        let mut learner = Learner {
            line,
            payload,
            classes: vec![ByteClass::Same; line.len()],
        };
        let mut shape = LineShape {
            head,
            tail,
            least: CHUNK.max(head + tail + 1),
            patterns: Vec::new(),
            timestamp: None,
            worded: None,
            kind: members.kind.as_deref().map(Box::from),
            did: None,
            product_key: members.product_key.as_deref().map(Box::from),
            kept: Vec::new(),
            verbatim: None,
        };
        for text in [&members.kind, &members.product_key].into_iter().flatten() {
            range_of(line, text)?;
        }
        if let Some(json) = &members.timestamp {
            let range = range_of(line, json)?;
            shape.timestamp = Some(learner.span(range.clone()));
            if json.starts_with('"') {
                shape.worded = shape.timestamp;
                learner.vary(range.start + 1..range.end - 1, ByteClass::Text);
            } else if Timestamp(json).is_sure() {
                learner.vary(range, ByteClass::Number);
            }
        }
        if let Some(did) = &members.did {
            let range = range_of(line, did)?;
            if did.bytes().all(is_plain) {
                learner.vary(range.clone(), ByteClass::Text);
            }
            shape.did = Some(learner.span(range));
        }
        for (key, value) in &members.others {
            let range = range_of(line, value)?;
            if keep {
                // A key with escapes is not in the line in this form, so `range_of` fails.
                let key = learner.span(range_of(line, key)?);
                shape.kept.push((key, learner.span(range.clone())));
            }
            match value.as_bytes() {
                [b'"', inner @ .., b'"'] if inner.iter().all(|byte| is_plain(*byte)) => {
                    learner.vary(range.start + 1..range.end - 1, ByteClass::Text);
                }
                [b'0'..=b'9', ..] => learner.vary(range, ByteClass::Number),
                _ => {}
            }
        }
        shape.patterns = learner.patterns();
        let record = members.record();
        let mut written = TextBlock::default();
        append_head(&mut written, &record, record.did, false);
        // NDJSON copies variable parts unchanged, so this holds for every line of the shape.
        shape.verbatim = Some(written.as_bytes())
            .filter(|written| written.len() <= head && line.starts_with(written))
            .map(<[u8]>::len);
        Some(shape)
    }

    #[inline(always)]
    pub(crate) fn fits(&self, line: &[u8]) -> bool {
        if line.len() < self.least {
            return false;
        }
        let fits = |pattern: &ChunkPattern| {
            let start = pattern.at.wrapping_add(line.len() & pattern.behind);
            let chunk = line.get(start..).and_then(<[u8]>::first_chunk);
            chunk.is_some_and(|chunk| pattern.fits(chunk))
        };
        self.patterns.iter().all(fits)
            // Any digits make a valid number, but not a valid time in a string.
            && self.worded.is_none_or(|span| Timestamp(span.text(line)).parse().is_some())
    }

    /// Writes the kept members of a line that fits.
    #[inline(always)]
    pub(crate) fn keep(&self, line: &[u8], extra: &mut Vec<u8>) {
        extra.clear();
        for (key, value) in &self.kept {
            extra.extend(b",\"");
            extra.extend(key.of(line));
            extra.extend(b"\":");
            extra.extend(value.of(line));
        }
    }
}

/// The number of bytes that are compared at once: a vector register of AVX2.
const CHUNK: usize = 32;

/// One bit mask for each 8 bytes of a chunk.
type Words = [u64; CHUNK / 8];

/// A pattern of [`CHUNK`] bytes, which are compared in parallel as words. One number of 128 bits takes more
/// instructions, because its sums carry from one half to the other.
#[derive(Debug)]
struct ChunkPattern {
    /// The start. After the payload it counts from the end of the line, as a wrapped negative number, and
    /// all bits of `behind` are set.
    at: usize,
    behind: usize,
    want: Words,
    /// The bits of `want` that are compared.
    mask: Words,
    /// 6 for each byte that must be a digit: the sum with the low half of a digit is below 16.
    digit: Words,
    /// The highest bit of each byte that must be text.
    text: Option<Words>,
}

impl ChunkPattern {
    /// The pattern of the bytes from `start`.
    fn new(line: &[u8], classes: &[ByteClass], start: usize) -> Self {
        let mut parts = [[0; CHUNK]; 4];
        let [want, mask, digit, text] = &mut parts;
        let bytes = line[start..].iter().zip(&classes[start..]);
        for (n, (byte, class)) in bytes.take(CHUNK).enumerate() {
            (want[n], mask[n]) = match class {
                ByteClass::Same => (*byte, 0xff),
                ByteClass::Number => (0x30, 0xf0),
                ByteClass::Text => (0, 0x80),
                ByteClass::Any => (0, 0),
            };
            digit[n] = if *class == ByteClass::Number { 6 } else { 0 };
            text[n] = if *class == ByteClass::Text { 0x80 } else { 0 };
        }
        let [want, mask, digit, text] = parts.map(|part| words(&part));
        ChunkPattern {
            at: start,
            behind: 0,
            want,
            mask,
            digit,
            text: Some(text).filter(|text| *text != [0; CHUNK / 8]),
        }
    }

    #[inline(always)]
    fn fits(&self, bytes: &[u8; CHUNK]) -> bool {
        let words = words(bytes);
        let mut wrong = [0; CHUNK / 8];
        for n in 0..CHUNK / 8 {
            let digit = (words[n] & (15 * ONES)) + self.digit[n];
            wrong[n] = (words[n] ^ self.want[n]) & self.mask[n] | digit & (16 * ONES);
        }
        wrong == [0; CHUNK / 8] && self.text.is_none_or(|text| is_text(words, text))
    }
}

/// Whether all marked bytes are ASCII that a JSON string contains without an escape. Marks are highest bits.
#[inline(always)]
fn is_text(words: Words, text: Words) -> bool {
    let mut wrong = [0; CHUNK / 8];
    for n in 0..CHUNK / 8 {
        // The highest bit of a sum is set if the byte is not a control character, quote or backslash.
        let low = words[n] & (0x7f * ONES);
        let other = |byte: u8| (low ^ (u64::from(byte) * ONES)) + 0x7f * ONES;
        wrong[n] = !((low + 0x60 * ONES) & other(b'"') & other(b'\\')) & text[n];
    }
    wrong == [0; CHUNK / 8]
}

/// A word with a 1 in each byte.
const ONES: u64 = u64::MAX / 255;

#[inline(always)]
fn words(bytes: &[u8; CHUNK]) -> Words {
    let mut words = Words::default();
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}
