//! Text that is appended to, in steps of a fixed length where it can be.

use std::io;

use gizwits_codec_core::Decimal;

/// Lines of text: bytes that are there, and room that was cleared once.
#[derive(Debug, Default)]
pub struct TextBlock {
    room: Vec<u8>,
    len: usize,
    /// A buffer for others to write, which is then appended.
    aside: Vec<u8>,
}

impl TextBlock {
    /// The lines.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or(&[])
    }

    /// Forgets the lines, not their room.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Writes the lines and forgets them.
    pub(crate) fn write(&mut self, out: &mut impl io::Write) -> io::Result<()> {
        out.write_all(self.as_bytes())?;
        out.flush()?;
        self.clear();
        Ok(())
    }

    /// Makes room for so many bytes.
    #[inline]
    fn reserve(&mut self, more: usize) {
        let needed = self.len + more;
        if needed > self.room.len() {
            self.room.resize(needed.max(self.room.len() * 2), 0);
        }
    }

    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        if let Some(to) = self.room.get_mut(self.len..self.len + bytes.len()) {
            to.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    /// Room for so many bytes, of which [`keep`](Self::keep) makes text.
    #[inline(always)]
    pub(crate) fn room(&mut self, most: usize) -> Cursor<'_> {
        self.reserve(most + 3 * STEP);
        let room = self.room.get_mut(self.len..).unwrap_or(&mut []);
        Cursor { room, len: 0 }
    }

    /// Appends what was [`written`](Cursor::written) to the room.
    #[inline(always)]
    pub(crate) fn keep(&mut self, written: Option<usize>) {
        debug_assert!(written.is_some(), "the room was too small");
        self.len += written.unwrap_or(0);
    }

    /// Takes the last bytes off.
    pub(crate) fn cut(&mut self, bytes: usize) {
        self.len = self.len.saturating_sub(bytes);
    }

    /// Appends what is written to a vector.
    pub(crate) fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut aside = std::mem::take(&mut self.aside);
        aside.clear();
        write(&mut aside);
        self.put(&aside);
        self.aside = aside;
    }
}

/// The number of bytes that are copied at once.
pub(crate) const STEP: usize = 32;

/// More than there ever is.
const FULL: usize = usize::MAX / 2;

/// Room that is there. What it is too small for is counted all the same, and so found out at the end: a step
/// has to be left then, since nothing wider is written of which less counts, and three for a decimal.
pub(crate) struct Cursor<'t> {
    pub(crate) room: &'t mut [u8],
    pub(crate) len: usize,
}

impl Cursor<'_> {
    /// How much was written; `None` if there was not room for all of it.
    #[inline(always)]
    pub(crate) fn written(&self) -> Option<usize> {
        (self.len + STEP <= self.room.len()).then_some(self.len)
    }

    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        if let Some(to) = self.room.get_mut(self.len..self.len + bytes.len()) {
            to.copy_from_slice(bytes);
        }
        self.len += bytes.len();
    }

    /// Appends the head of some bytes, all of which are written.
    #[inline(always)]
    pub(crate) fn put_prefix<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        const { assert!(N <= STEP) };
        let room = self.room.get_mut(self.len..);
        if let Some(to) = room.and_then(<[u8]>::first_chunk_mut) {
            *to = *bytes;
        }
        self.len += len;
    }

    /// Appends a text in steps, which ends with its length; returns that.
    #[inline(always)]
    pub(crate) fn put_steps(&mut self, steps: &[[u8; STEP]]) -> usize {
        let Some([.., low, high]) = steps.last() else {
            return 0;
        };
        let len = usize::from(u16::from_le_bytes([*low, *high]));
        let room = self.room.get_mut(self.len..).unwrap_or(&mut []);
        let room = room.as_chunks_mut().0;
        // What has a fixed length is copied without a loop; few texts are longer than this.
        match (steps, &mut *room) {
            ([one], [to, ..]) => *to = *one,
            ([one, two], [to, next, ..]) => (*to, *next) = (*one, *two),
            ([one, two, three], [to, next, last, ..]) => {
                (*to, *next, *last) = (*one, *two, *three);
            }
            (steps, room) if room.len() >= steps.len() => {
                for (to, from) in room.iter_mut().zip(steps) {
                    *to = *from;
                }
            }
            _ => self.len = FULL,
        }
        self.len += len;
        len
    }

    #[inline]
    pub(crate) fn put_hex(&mut self, bytes: &[u8]) {
        let len = 2 * bytes.len();
        if let Some(to) = self.room.get_mut(self.len..self.len + len) {
            let _ = faster_hex::hex_encode(bytes, to);
        }
        self.len += len;
    }

    /// Appends a number of at most 8 digits, and zeros in front up to `least` digits.
    #[inline(always)]
    pub(crate) fn put_8(&mut self, number: u32, least: u32) {
        let digits = digits(number);
        let zeros = (digits.trailing_zeros() / 8).min(8 - least);
        let ascii = (digits | ZEROS) >> (8 * zeros);
        self.put_prefix(&ascii.to_le_bytes(), 8 - zeros as usize);
    }

    /// Appends a text of one step, and a number: what it was split into, the digits of its lower half, and
    /// how many of them are behind the point.
    #[inline(always)]
    pub(crate) fn put_decimal(
        &mut self,
        text: &[u8; STEP],
        split: &Split,
        digits: u64,
        decimals: u8,
    ) {
        let room = self.room.get_mut(self.len..);
        let Some(room) = room.and_then(<[u8]>::first_chunk_mut::<{ 3 * STEP }>) else {
            self.len = FULL;
            return;
        };
        let decimals = u32::from(decimals);
        let mut len = usize::from(text[STEP - 2]);
        if let Some(to) = room.first_chunk_mut() {
            *to = *text;
        }
        // All of it ends within two steps; the mask lets the compiler know.
        let mut put = |at: usize, ascii: u64| {
            let to = room.get_mut(at % (2 * STEP)..);
            if let Some(to) = to.and_then(<[u8]>::first_chunk_mut) {
                *to = ascii.to_le_bytes();
            }
        };
        if split.negative {
            put(len, b'-'.into());
            len += 1;
        }
        let mut least = decimals + 1;
        let high = u64::from(split.high);
        if high > 0 {
            let tens = (high * 103) >> 10;
            let one = tens == 0;
            let pair = tens | (high - tens * 10) << 8 | ZEROS;
            put(len, pair >> (8 * u32::from(one)));
            len += 2 - usize::from(one);
            least = 8;
        }
        let zeros = (digits.trailing_zeros() / 8).min(8 - least);
        let ascii = digits | ZEROS;
        put(len, ascii >> (8 * zeros));
        len += (8 - zeros - decimals) as usize;
        // What is behind the point takes the place of the digits that it was written with.
        let part = ascii.wrapping_shr(64 - 8 * decimals) << 8;
        put(len, part | u64::from(b'.'));
        let kept = decimals.saturating_sub(digits.leading_zeros() / 8);
        len += (kept + u32::from(kept > 0)) as usize;
        self.len += len;
    }
}

impl io::Write for Cursor<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first number of more than 8 digits.
const HALF: u64 = 100_000_000;

/// Whether a number has 10 digits at most, and at most 7 of them behind the point.
pub(crate) fn is_short(value: Decimal) -> bool {
    value.scale() < 8 && value.coefficient().unsigned_abs() < 100 * HALF
}

/// The part of a [short](is_short) number in front of its last 8 digits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Split {
    negative: bool,
    high: u8,
}

impl Split {
    /// Splits a number; the other half is the number of its last 8 digits.
    #[inline(always)]
    pub(crate) fn new(value: Decimal) -> (Self, u32) {
        let number = value.coefficient().unsigned_abs();
        let split = Split {
            negative: value.coefficient() < 0,
            high: (number / HALF) as u8,
        };
        (split, (number % HALF) as u32)
    }
}

/// The bits that make digits text.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The 8 digits of a number below 10^8, the first in the lowest byte: halves, then pairs, then digits
/// side by side.
#[inline(always)]
pub(crate) fn digits(number: u32) -> u64 {
    let halves = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | (halves - hundreds * 100) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (pairs - tens * 10) << 8
}

/// Whether a cell of RFC 4180 is what it says.
#[inline]
pub(crate) fn is_plain(cell: &str) -> bool {
    let odd = |byte| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    !cell.bytes().any(odd)
}

/// Whether a spreadsheet takes a cell for a formula, or may once it is trimmed.
#[inline]
pub(crate) fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// A cell of RFC 4180. Where cells are guarded, a formula has `'` in front, which makes it a text.
pub(crate) fn cell(text: &str, guarded: bool) -> String {
    let guard = if guarded && is_formula(text) { "'" } else { "" };
    match is_plain(text) {
        true => format!("{guard}{text}"),
        false => format!("\"{guard}{}\"", text.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decimals(number in -9_999_999_999..=9_999_999_999_i64, digits in 0..10_u32, scale in 0_u8..8) {
            let value = Decimal::new(number / 10_i64.pow(digits), scale);
            prop_assert!(is_short(value));
            let mut text = TextBlock::default();
            let mut room = text.room(64);
            let key = b"as long as it gets, 30 bytes:\0\x1e\0";
            let (split, lower) = Split::new(value);
            room.put_decimal(key, &split, super::digits(lower), scale);
            let written = room.written();
            text.keep(written);
            let expected = format!("as long as it gets, 30 bytes:\0{value}");
            prop_assert_eq!(text.as_bytes(), expected.as_bytes());
        }
    }

    #[test]
    fn every_pair_of_digits() {
        for number in 0..10_000 {
            let number = number * 10_001;
            let text: Vec<u8> = digits(number)
                .to_le_bytes()
                .map(|digit| digit + b'0')
                .into();
            assert_eq!(text, format!("{number:08}").into_bytes());
        }
    }
}
