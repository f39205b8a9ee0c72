//! What the lines of one log have in common.
//!
//! Lines of one log look alike. What is the same in all of them is compared, byte for byte; what varies
//! is held against the bytes that may stand there. Whatever differs goes to the strict parser, which
//! alone decides what is right and what is wrong.

use std::borrow::Cow;
use std::ops::Range;

use super::head::{append_head, is_plain};
use super::text::Text;
use super::timestamp::Timestamp;
use super::{Members, Record};

/// Which bytes may stand where a value varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Those of the line that was learnt, and no others.
    Same,
    /// Digits, but for the first one and what are none.
    Number,
    /// ASCII that a JSON text has as it stands.
    Text,
    /// Anything: the payload, which is looked at elsewhere.
    Any,
}

/// Where in their line the members are that have no meaning here.
#[derive(Debug, Default)]
pub(crate) struct OtherMembers {
    /// Their values, and those of texts without their quotes.
    others: Vec<(Range<usize>, Class)>,
    /// Those that are kept: the key without its quotes, and the value.
    kept: Vec<(Range<usize>, Range<usize>)>,
    /// Something is not where it can be found again.
    pub(crate) lost: bool,
}

impl OtherMembers {
    pub(crate) fn clear(&mut self) {
        self.others.clear();
        self.kept.clear();
        self.lost = false;
    }

    pub(crate) fn other(&mut self, key: &str, value: &str, keep: bool) {
        let start = value.as_ptr().addr();
        let (range, class) = match value.as_bytes() {
            [b'"', inner @ .., b'"'] if inner.iter().all(|byte| is_plain(*byte)) => {
                (start + 1..start + value.len() - 1, Class::Text)
            }
            [b'0'..=b'9', ..] => (start..start + value.len(), Class::Number),
            _ => (start..start + value.len(), Class::Same),
        };
        self.others.push((range, class));
        if keep {
            let key_start = key.as_ptr().addr();
            let key = key_start..key_start + key.len();
            self.kept.push((key, start..start + value.len()));
        }
    }
}

/// The longest line that is learnt.
const LEARNT: usize = 16 << 10;

/// What a line looks like whose payload may have any length.
#[derive(Debug)]
pub(crate) struct LineShape {
    /// The bytes in front of the payload, and behind it.
    pub(crate) head: usize,
    pub(crate) tail: usize,
    /// A line is at least as long.
    least: usize,
    cells: Vec<Cell>,
    pub(crate) timestamp: Option<Slot>,
    /// Whether that is in words.
    worded: bool,
    /// The value, which is the same in all lines of this shape.
    pub(crate) kind: Option<Box<str>>,
    pub(crate) did: Option<Slot>,
    pub(crate) product_key: Option<Box<str>>,
    kept: Vec<(Slot, Slot)>,
    /// So many bytes are what NDJSON begins with.
    pub(crate) verbatim: Option<usize>,
}

/// A place before the payload, counted from the start, or behind it, counted from the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    behind: bool,
    start: usize,
    end: usize,
}

impl Slot {
    #[inline]
    pub(crate) fn of(self, line: &[u8]) -> &[u8] {
        let range = match self.behind {
            false => self.start..self.end,
            true => line.len().wrapping_sub(self.start)..line.len().wrapping_sub(self.end),
        };
        line.get(range).unwrap_or_default()
    }

    /// What fits a shape is text: the bytes are those of the line that was learnt, or ASCII.
    pub(crate) fn text(self, line: &[u8]) -> &str {
        std::str::from_utf8(self.of(line)).unwrap_or_default()
    }
}

impl LineShape {
    /// The shape of a line that was strictly parsed.
    pub(crate) fn new(
        text: &str,
        members: &Members<'_>,
        found: &OtherMembers,
        extra: &[u8],
    ) -> Option<Self> {
        let line = text.as_bytes();
        let base = line.as_ptr().addr();
        let place = |text: &Cow<'_, str>| match text {
            Cow::Borrowed(text) => {
                let start = text.as_ptr().addr().checked_sub(base)?;
                (start + text.len() <= line.len()).then_some(start..start + text.len())
            }
            Cow::Owned(_) => None,
        };
        let payload = place(members.payload.as_ref()?)?;
        // What is learnt takes memory, so it is not longer than this.
        if found.lost || payload.is_empty() || line.len() > LEARNT {
            return None;
        }
        let slot = |range: Range<usize>| {
            let behind = range.start >= payload.end;
            let (start, end) = match behind {
                false => (range.start, range.end),
                true => (line.len() - range.start, line.len() - range.end),
            };
            Slot { behind, start, end }
        };
        let mut classes = vec![Class::Same; line.len()];
        let mut vary = |range: Range<usize>, class: Class| {
            let digits = class == Class::Number;
            let number = line.get(range.clone()).unwrap_or(&[]);
            // A number of several digits has no 0 in front.
            let first = usize::from(digits && number.get(1).is_some_and(u8::is_ascii_digit));
            let exponent = number.iter().any(|byte| byte.eq_ignore_ascii_case(&b'e'));
            if digits && exponent {
                return;
            }
            for (n, class_of) in classes[range].iter_mut().enumerate() {
                if !digits || n >= first && number[n].is_ascii_digit() {
                    *class_of = class;
                }
            }
        };
        let (head, tail) = (payload.start, line.len() - payload.end);
        let mut shape = LineShape {
            head,
            tail,
            least: 16.max(head + tail + 1),
            cells: Vec::new(),
            timestamp: None,
            worded: false,
            kind: None,
            did: None,
            product_key: None,
            kept: Vec::new(),
            verbatim: None,
        };
        if let Some(json) = &members.timestamp {
            let range = place(json)?;
            shape.worded = json.starts_with('"');
            match shape.worded {
                true => vary(range.start + 1..range.end - 1, Class::Text),
                false if Timestamp(json).is_sure() => vary(range.clone(), Class::Number),
                false => {}
            }
            shape.timestamp = Some(slot(range));
        }
        if let Some(did) = &members.did {
            let range = place(did)?;
            if did.bytes().all(is_plain) {
                vary(range.clone(), Class::Text);
            }
            shape.did = Some(slot(range));
        }
        for (text, to) in [
            (&members.kind, &mut shape.kind),
            (&members.product_key, &mut shape.product_key),
        ] {
            if let Some(text) = text {
                place(text)?;
                *to = Some((**text).into());
            }
        }
        for (range, class) in &found.others {
            let range = range.start.checked_sub(base)?..range.end.checked_sub(base)?;
            if range.end > line.len() {
                return None;
            }
            if *class != Class::Same {
                vary(range, *class);
            }
        }
        for (key, value) in &found.kept {
            let within = |range: &Range<usize>| {
                let range = range.start.checked_sub(base)?..range.end.checked_sub(base)?;
                (range.end <= line.len()).then_some(range)
            };
            // A key with escapes is not in the line.
            let (key, value) = (within(key)?, within(value)?);
            shape.kept.push((slot(key), slot(value)));
        }
        // Cells that reach into the payload don't look at it. The last of a side overlaps the one before.
        let mut sides = [classes.clone(), classes];
        sides[0][head..].fill(Class::Any);
        sides[1][..payload.end].fill(Class::Any);
        for at in (0..head).step_by(16) {
            let at = at.min(head.saturating_sub(16));
            shape.cells.push(Cell::new(line, &sides[0], at));
        }
        for end in (0..tail).step_by(16) {
            let at = (end + 16).min(tail.max(16));
            let mut cell = Cell::new(line, &sides[1], line.len().checked_sub(at)?);
            (cell.at, cell.behind) = (at.wrapping_neg(), usize::MAX);
            shape.cells.push(cell);
        }
        let record = Record {
            extra,
            ..members.record()
        };
        let mut head = Text::default();
        append_head(&mut head, &record, record.did);
        // What varies is copied as it stands, so this holds for every line of the shape.
        shape.verbatim = Some(head.as_slice())
            .filter(|head| head.len() <= payload.start && line.starts_with(head))
            .map(<[u8]>::len);
        Some(shape)
    }

    #[inline(always)]
    pub(crate) fn fits(&self, line: &[u8]) -> bool {
        if line.len() < self.least {
            return false;
        }
        let fits = |cell: &Cell| {
            let start = cell.at.wrapping_add(line.len() & cell.behind);
            let chunk = line.get(start..).and_then(<[u8]>::first_chunk);
            chunk.is_some_and(|chunk| cell.fits(chunk))
        };
        self.cells.iter().all(fits)
            // Numbers are right by their digits, times in words are not.
            && (!self.worded
                || self.timestamp.is_none_or(|slot| Timestamp(slot.text(line)).parse().is_some()))
    }

    /// The members that are kept of a line that fits.
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

/// What 16 bytes of a line may be: two words, whose bytes are looked at side by side.
#[derive(Debug)]
struct Cell {
    /// Where they begin, modulo 2^n; those behind the payload count from the end: all bits are set.
    at: usize,
    behind: usize,
    want: [u64; 2],
    /// The bits of `want` that matter.
    mask: [u64; 2],
    /// 6 where a digit is wanted: added to its low half it stays below 16.
    digit: [u64; 2],
    /// The highest bit where text is wanted.
    text: Option<[u64; 2]>,
}

impl Cell {
    /// A cell that begins at `start` in this line.
    fn new(line: &[u8], classes: &[Class], start: usize) -> Self {
        let (mut want, mut mask, mut digit, mut text) = ([0; 16], [0; 16], [0; 16], [0; 16]);
        let bytes = line[start..].iter().zip(&classes[start..]);
        for (n, (byte, class)) in bytes.take(16).enumerate() {
            (want[n], mask[n]) = match class {
                Class::Same => (*byte, 0xff),
                Class::Number => (0x30, 0xf0),
                Class::Text => (0, 0x80),
                Class::Any => (0, 0),
            };
            digit[n] = if *class == Class::Number { 6 } else { 0 };
            text[n] = if *class == Class::Text { 0x80 } else { 0 };
        }
        Cell {
            at: start,
            behind: 0,
            want: words(&want),
            mask: words(&mask),
            digit: words(&digit),
            text: Some(words(&text)).filter(|text| *text != [0; 2]),
        }
    }

    #[inline(always)]
    fn fits(&self, bytes: &[u8; 16]) -> bool {
        const ONES: u64 = u64::MAX / 255;
        let words = words(bytes);
        let mut wrong = [0; 2];
        for n in 0..2 {
            let digit = (words[n] & (15 * ONES)) + self.digit[n];
            wrong[n] = (words[n] ^ self.want[n]) & self.mask[n] | digit & (16 * ONES);
        }
        if let Some(text) = &self.text {
            for n in 0..2 {
                // Where a sum has its highest bit the byte is no control character, no quote, no backslash.
                let low = words[n] & (0x7f * ONES);
                let other = |byte: u8| (low ^ (u64::from(byte) * ONES)) + 0x7f * ONES;
                wrong[n] |= !((low + 0x60 * ONES) & other(b'"') & other(b'\\')) & text[n];
            }
        }
        wrong == [0; 2]
    }
}

#[inline(always)]
fn words(bytes: &[u8; 16]) -> [u64; 2] {
    let [low, high] = bytes.as_chunks().0 else {
        return [0; 2];
    };
    [u64::from_le_bytes(*low), u64::from_le_bytes(*high)]
}
