//! Text that is written to a buffer of a fixed size, in copies of a fixed length where possible.

use std::io;

use super::digits::{Digits, ZEROS};

/// The number of bytes that are copied at once: a vector register of AVX2.
pub(crate) const STEP: usize = 32;

/// A length beyond any buffer, which makes [`Cursor::written`] fail.
pub(crate) const FULL: usize = usize::MAX / 2;

/// A buffer of a fixed size that text is written to.
///
/// Text that does not fit is counted but not written, so one check at the end is enough. Copies are wider than
/// their text, by less than a step, so a step of the buffer has to be left at the end; numbers need three.
pub(crate) struct Cursor<'t> {
    pub(crate) room: &'t mut [u8],
    pub(crate) len: usize,
}

impl Cursor<'_> {
    /// The number of bytes that have to be left at the end of a buffer.
    pub(crate) const SPARE: usize = 3 * STEP;

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

    /// Appends the first `len` of `N` bytes, which may be more than a step.
    #[inline(always)]
    pub(crate) fn put_chunk<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        match self
            .room
            .get_mut(self.len..)
            .and_then(<[u8]>::first_chunk_mut)
        {
            Some(to) => {
                *to = *bytes;
                self.len += len;
            }
            None => self.fill(),
        }
    }

    /// Appends the first `len` bytes of a text. A longer text is faster, because a fixed length is copied.
    #[cfg(feature = "log")]
    #[inline(always)]
    pub(crate) fn put_start(&mut self, text: &[u8], len: usize) {
        match text.first_chunk::<{ 2 * STEP }>() {
            Some(chunk) if len <= chunk.len() => self.put_chunk(chunk, len),
            _ => self.len = put_any(self.lend(), text.get(..len).unwrap_or(text)),
        }
    }

    #[inline]
    pub(crate) fn put_hex(&mut self, bytes: &[u8]) {
        let len = 2 * bytes.len();
        if let Some(to) = self.room.get_mut(self.len..self.len + len) {
            let _ = faster_hex::hex_encode(bytes, to);
        }
        self.len += len;
    }

    /// Appends a text of one step, whose length is in its last byte but one, and a number with so many digits after
    /// the decimal point.
    #[inline(always)]
    pub(crate) fn put_number(&mut self, text: &[u8; STEP], number: Digits, decimals: u8) {
        match write_number(self.rest(), text, number, decimals) {
            Some((len, _)) => self.len += len,
            None => self.fill(),
        }
    }

    /// The room after the text.
    #[inline(always)]
    pub(crate) fn rest(&mut self) -> &mut [u8] {
        self.room.get_mut(self.len..).unwrap_or_default()
    }

    /// Makes [`written`](Self::written) fail, because there is no room.
    #[inline(always)]
    pub(crate) fn fill(&mut self) {
        self.len = FULL;
    }

    /// Borrows the buffer for a function that is not inlined. This cursor can then stay in registers.
    #[inline(always)]
    pub(crate) fn lend(&mut self) -> Cursor<'_> {
        Cursor {
            room: self.room,
            len: self.len,
        }
    }

    /// Makes an object of the members after `start`, each of which has a comma before it. `end` are its bracket and the
    /// bytes after it.
    #[inline(always)]
    pub(crate) fn close_object<const N: usize>(&mut self, start: usize, end: &[u8; N]) {
        // The bracket overwrites the comma before the first member. Without members there is no comma.
        self.len += usize::from(self.len == start);
        if let Some(to) = self.room.get_mut(start) {
            *to = b'{';
        }
        self.put_prefix(end, N);
    }
}

/// Appends a text and returns the length of the whole text. Not inlined, because the compiler would make one copy of any
/// length of this copy and one of a fixed length.
#[cfg(feature = "log")]
#[cold]
#[inline(never)]
fn put_any(mut out: Cursor<'_>, text: &[u8]) -> usize {
    out.put(text);
    out.len
}

/// Writes what [`Cursor::put_number`] appends to the start of the room. Returns its length and the rest of the room;
/// `None` if there is no room.
#[inline(always)]
pub(crate) fn write_number<'r>(
    room: &'r mut [u8],
    text: &[u8; STEP],
    number: Digits,
    decimals: u8,
) -> Option<(usize, &'r mut [u8])> {
    let to: &mut [u8; Cursor::SPARE] = room.first_chunk_mut()?;
    let decimals = u32::from(decimals);
    let mut len = usize::from(text[STEP - 2]);
    if let Some(to) = to.first_chunk_mut() {
        *to = *text;
    }
    // The number ends within two steps. The remainder proves it to the compiler, which then omits the
    // check.
    let mut put = |at: usize, ascii: u64| {
        let to = to.get_mut(at % (2 * STEP)..);
        if let Some(to) = to.and_then(<[u8]>::first_chunk_mut) {
            *to = ascii.to_le_bytes();
        }
    };
    // The number of bits of leading zeros that may be omitted: a digit has to stay before the point.
    let mut most = 56_u32.wrapping_sub(8 * decimals);
    if !number.head.is_none() {
        if number.head.is_negative() {
            put(len, b'-'.into());
            len += 1;
        }
        let high = u64::from(number.head.high());
        if high > 0 {
            // 103 / 2^10 is 1/10 for numbers below 100.
            let tens = (high * 103) >> 10;
            let one = tens == 0;
            let pair = tens | (high - tens * 10) << 8 | ZEROS;
            put(len, pair >> (8 * u32::from(one)));
            len += 2 - usize::from(one);
            most = 0;
        }
    }
    let ascii = number.low | ZEROS;
    let zeros = number.low.trailing_zeros().min(most) & 56;
    put(len, ascii.wrapping_shr(zeros));
    len += (64_u32.wrapping_sub(zeros) / 8) as usize;
    if decimals > 0 {
        len = len.wrapping_sub(decimals as usize);
        // The point and the digits after it overwrite the same digits without a point.
        let part = ascii.wrapping_shr(64_u32.wrapping_sub(8 * decimals)) << 8;
        put(len, part | u64::from(b'.'));
        let kept = decimals.saturating_sub(number.low.leading_zeros() / 8);
        len += (kept + u32::from(kept > 0)) as usize;
    }
    let len = len % (2 * STEP);
    Some((len, room.get_mut(len..)?))
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

#[cfg(test)]
mod tests {
    use super::super::digits::{BATCH, Batch, is_short};
    use super::*;
    use gizwits_codec_core::Decimal;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_written_as_displayed(
            numbers in proptest::collection::vec(
                (-9_999_999_999..=9_999_999_999_i64, 0..11_u32, 0_u8..8), 0..=BATCH,
            ),
        ) {
            let numbers: Vec<Decimal> = numbers
                .into_iter()
                .map(|(number, digits, scale)| Decimal::new(number / 10_i64.pow(digits), scale))
                .collect();
            let mut batch = Batch::default();
            batch.fill(numbers.iter().map(|number| number.coefficient()));
            for (number, digits) in numbers.iter().zip(batch.iter()) {
                prop_assert!(is_short(*number));
                prop_assert_eq!(digits, Digits::of(number.coefficient()));
                let mut room = [0; 160];
                let mut cursor = Cursor { room: &mut room, len: 0 };
                let key = b"as long as it gets, 30 bytes:\0\x1e\0";
                cursor.put_number(key, digits, number.scale());
                let written = cursor.written().unwrap();
                let expected = format!("as long as it gets, 30 bytes:\0{number}");
                prop_assert_eq!(room[..written].escape_ascii().to_string(), expected.as_bytes().escape_ascii().to_string());
            }
        }
    }
}
