//! Text output, which is copied in steps of a fixed length where possible.

use std::io;

use gizwits_codec_core::Decimal;

/// A growing block of text lines: the output of text formats.
#[derive(Debug, Default)]
pub struct TextBlock {
    room: Vec<u8>,
    len: usize,
    /// A buffer for writers that need a vector. Its contents are then appended.
    aside: Vec<u8>,
}

impl TextBlock {
    /// The lines written so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or(&[])
    }

    /// Removes all lines and keeps the memory.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Writes all lines to `out` and removes them.
    pub(crate) fn write(&mut self, out: &mut impl io::Write) -> io::Result<()> {
        out.write_all(self.as_bytes())?;
        out.flush()?;
        self.clear();
        Ok(())
    }

    /// Reserves `more` bytes.
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

    /// Returns a cursor with room for `most` bytes. [`keep`](Self::keep) makes them part of the text.
    #[inline(always)]
    pub(crate) fn room(&mut self, most: usize) -> Cursor<'_> {
        self.reserve(most + 3 * STEP);
        let room = self.room.get_mut(self.len..).unwrap_or(&mut []);
        Cursor { room, len: 0 }
    }

    /// Makes [`written`](Cursor::written) bytes after the end part of the text.
    #[inline(always)]
    pub(crate) fn keep(&mut self, written: Option<usize>) {
        debug_assert!(written.is_some(), "the room was too small");
        self.len += written.unwrap_or(0);
    }

    /// Removes the last bytes.
    pub(crate) fn cut(&mut self, bytes: usize) {
        self.len = self.len.saturating_sub(bytes);
    }

    /// Appends the bytes that `write` writes to a vector.
    pub(crate) fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut aside = std::mem::take(&mut self.aside);
        aside.clear();
        write(&mut aside);
        self.put(&aside);
        self.aside = aside;
    }
}

/// The number of bytes that are copied at once: a vector register of AVX2.
pub(crate) const STEP: usize = 32;

/// A length beyond any buffer, which makes [`Cursor::written`] fail.
const FULL: usize = usize::MAX / 2;

/// A buffer of a fixed size that text is written to.
///
/// Text that does not fit is counted but not written, so one check at the end is enough. Copies are wider than
/// their text, by less than a step, so a step of the buffer has to be left at the end; decimals need three.
pub(crate) struct Cursor<'t> {
    pub(crate) room: &'t mut [u8],
    pub(crate) len: usize,
}

impl Cursor<'_> {
    /// The number of written bytes; `None` if the buffer was too small.
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

    /// Appends the first `len` of `N` bytes. All `N` are copied, because a fixed length is faster.
    #[inline(always)]
    pub(crate) fn put_prefix<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        const { assert!(N <= STEP) };
        let room = self.room.get_mut(self.len..);
        if let Some(to) = room.and_then(<[u8]>::first_chunk_mut) {
            *to = *bytes;
        }
        self.len += len;
    }

    /// Appends a text that is stored in steps, and returns its length, which the last step ends with.
    #[inline(always)]
    pub(crate) fn put_steps(&mut self, steps: &[[u8; STEP]]) -> usize {
        let Some([.., low, high]) = steps.last() else {
            return 0;
        };
        let len = usize::from(u16::from_le_bytes([*low, *high]));
        let room = self.room.get_mut(self.len..).unwrap_or(&mut []);
        let room = room.as_chunks_mut().0;
        // Copies of a fixed length need no loop. Few texts have more than three steps.
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

    /// Appends a number of at most 8 digits, padded with zeros to `least` digits.
    #[inline(always)]
    pub(crate) fn put_8(&mut self, number: u32, least: u32) {
        let digits = digits(number);
        let zeros = (digits.trailing_zeros() / 8).min(8 - least);
        let ascii = (digits | ZEROS) >> (8 * zeros);
        self.put_prefix(&ascii.to_le_bytes(), 8 - zeros as usize);
    }

    /// Appends a text of one step and a number. The number is given as its split, the digits of its lower
    /// half, and the number of digits after the decimal point.
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
        // The number ends within two steps. The remainder proves it to the compiler, which then omits the
        // check.
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
            // 103 / 2^10 is 1/10 for numbers below 100.
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
        // The point and the digits after it overwrite the same digits without a point.
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

/// The least number with more than 8 digits.
const HALF: u64 = 100_000_000;

/// Whether a number has at most 10 digits, and at most 7 of them after the decimal point.
pub(crate) fn is_short(value: Decimal) -> bool {
    value.scale() < 8 && value.coefficient().unsigned_abs() < 100 * HALF
}

/// The sign of a [short](is_short) number, and its digits before the last 8.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Split {
    negative: bool,
    high: u8,
}

impl Split {
    /// Splits a number into this part and the value of its last 8 digits.
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

/// The bits that turn 8 digits into ASCII.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The 8 digits of a number below 10^8, the first digit in the lowest byte. Computed in parallel: first halves,
/// then pairs, then digits.
#[inline(always)]
pub(crate) fn digits(number: u32) -> u64 {
    // Divisions of several values in one word are multiplications: 10,486 / 2^20 is close enough to 1/100 for
    // numbers below 10,000, and 103 / 2^10 to 1/10 for numbers below 100. The masks remove carried bits.
    let halves = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | (halves - hundreds * 100) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (pairs - tens * 10) << 8
}

/// Whether a cell needs no quotes by RFC 4180.
#[inline]
pub(crate) fn is_plain(cell: &str) -> bool {
    let odd = |byte| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    !cell.bytes().any(odd)
}

/// Whether a spreadsheet may interpret a cell as a formula, possibly after trimming it.
#[inline]
pub(crate) fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// Returns a text as a cell of RFC 4180. In guarded output, a formula begins with `'`, which makes it text.
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
