//! The rule of bit order. Values are read and written here; on 64-bit machines, the layout's kernels and the loop over
//! runs of equal points apply the same rule to whole statuses, and the encoder to its words.
//!
//! A bitmap of flags and a bit area of the status are both one unsigned integer, sent big-endian (the
//! vendor's `gizByteOrderExchange`): bit n is in byte `len - 1 - n / 8`, with the mask `1 << (n % 8)`. An
//! integer point is a field of its own with a shift of 0. The value of every bool, enum and integer is
//! therefore a big-endian window that ends before byte `end`, shifted and masked:
//!
//! ```text
//! area 02 41 = 0x0241, a field of 2 bits at bit 5: the end is 2 - 5 / 8 = 2, the shift is 5 % 8 = 5
//! (0x0241 >> 5) & 3 = 2
//! ```

/// The bytes of a message, prepared for loading fields.
///
/// On 64-bit machines a field is one 8-byte load that ends with the field. A field that ends within the first
/// 8 bytes comes from `head`, a left-aligned copy of these bytes: its load would begin before the first byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'b> {
    pub(crate) bytes: &'b [u8],
    #[cfg(target_pointer_width = "64")]
    pub(crate) head: u64,
}

impl<'b> Source<'b> {
    #[inline]
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Source {
            bytes,
            #[cfg(target_pointer_width = "64")]
            head: head(bytes),
        }
    }

    /// Returns the bytes as one left-aligned word, if there are up to 8.
    #[inline]
    #[cfg(target_pointer_width = "64")]
    pub(crate) fn word(self) -> Option<u64> {
        (self.bytes.len() <= 8).then_some(self.head)
    }

    /// Returns the field that ends before byte `end`, `shift` bits up and `32 - drop` bits wide, or `None` if
    /// the bytes end before the field does.
    #[inline]
    pub(crate) fn load(self, end: u16, shift: u8, drop: u8) -> Option<u32> {
        #[cfg(target_pointer_width = "64")]
        return self.load_masked(end, shift, u32::MAX.wrapping_shr(u32::from(drop)));
        #[cfg(not(target_pointer_width = "64"))]
        return load_narrow(self.bytes, end, shift, drop);
    }

    /// Like [`load`](Self::load), for a caller who has the mask of the field's width.
    #[inline]
    #[cfg(target_pointer_width = "64")]
    pub(crate) fn load_masked(self, end: u16, shift: u8, mask: u32) -> Option<u32> {
        load_wide(self.bytes, self.head, end, shift, mask)
    }
}

#[inline]
#[cfg(any(test, target_pointer_width = "64"))]
pub(crate) fn head(bytes: &[u8]) -> u64 {
    if let Some(head) = bytes.first_chunk() {
        return u64::from_be_bytes(*head);
    }
    let spare = 8_usize.wrapping_sub(bytes.len()).wrapping_mul(8) as u32;
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        // Two loads of 4 bytes, which may overlap, in place of a loop over 4 to 7.
        let first = u64::from(u32::from_be_bytes(*first)).wrapping_shl(32);
        return first | u64::from(u32::from_be_bytes(*last)).wrapping_shl(spare);
    }
    let word = |word: u64, byte: &u8| word.wrapping_shl(8) | u64::from(*byte);
    match bytes.is_empty() {
        true => 0,
        false => bytes.iter().fold(0, word).wrapping_shl(spare),
    }
}

/// Returns up to as many bytes as a machine word has as a big-endian integer.
#[inline]
pub(crate) fn integer(bytes: &[u8]) -> usize {
    #[cfg(target_pointer_width = "64")]
    return match bytes {
        [byte] => usize::from(*byte),
        _ => {
            let spare = 64_usize.wrapping_sub(bytes.len().wrapping_mul(8));
            head(bytes).checked_shr(spare as u32).unwrap_or(0) as usize
        }
    };
    #[cfg(not(target_pointer_width = "64"))]
    return bytes.iter().fold(0, |word: usize, byte| {
        word.wrapping_shl(8) | usize::from(*byte)
    });
}

/// Sets all bytes to 0.
#[inline]
pub(crate) fn clear(bytes: &mut [u8]) {
    // A call of `memset` takes longer than all of a short message.
    #[cfg(target_pointer_width = "64")]
    if let 8..=16 = bytes.len() {
        if let Some(first) = bytes.first_chunk_mut() {
            *first = [0; 8];
        }
        if let Some(last) = bytes.last_chunk_mut() {
            *last = [0; 8];
        }
        return;
    } else if let 4..8 = bytes.len() {
        if let Some(first) = bytes.first_chunk_mut() {
            *first = [0; 4];
        }
        if let Some(last) = bytes.last_chunk_mut() {
            *last = [0; 4];
        }
        return;
    }
    bytes.fill(0);
}

/// Sets the bits of a left-aligned word in the first 8 bytes, or in all if there are fewer.
#[inline]
#[cfg(any(test, target_pointer_width = "64"))]
pub(crate) fn add_head(bytes: &mut [u8], word: u64) {
    if let Some(head) = bytes.first_chunk_mut() {
        *head = (u64::from_be_bytes(*head) | word).to_be_bytes();
        return;
    }
    let spare = 8_usize.wrapping_sub(bytes.len()).wrapping_mul(8) as u32;
    if let Some(first) = bytes.first_chunk_mut() {
        *first = (u32::from_be_bytes(*first) | word.wrapping_shr(32) as u32).to_be_bytes();
        if let Some(last) = bytes.last_chunk_mut() {
            *last = (u32::from_be_bytes(*last) | word.wrapping_shr(spare) as u32).to_be_bytes();
        }
        return;
    }
    for (byte, new) in bytes.iter_mut().zip(word.to_be_bytes()) {
        *byte |= new;
    }
}

/// Sets the bits of a word in the last 8 bytes, or in all if there are fewer.
#[inline]
#[cfg(any(test, target_pointer_width = "64"))]
pub(crate) fn add_tail(bytes: &mut [u8], mut word: u64) {
    if let Some(tail) = bytes.last_chunk_mut() {
        *tail = (u64::from_be_bytes(*tail) | word).to_be_bytes();
        return;
    }
    for byte in bytes.iter_mut().rev() {
        *byte |= word as u8;
        word = word.wrapping_shr(8);
    }
}

#[inline]
#[cfg(any(test, target_pointer_width = "64"))]
fn load_wide(bytes: &[u8], head: u64, end: u16, shift: u8, mask: u32) -> Option<u32> {
    let end = usize::from(end);
    if end > bytes.len() {
        return None;
    }
    let word = match end.checked_sub(8) {
        None | Some(0) => head.wrapping_shr(64_usize.wrapping_sub(end.wrapping_mul(8)) as u32),
        Some(start) => u64::from_be_bytes(*bytes.get(start..end)?.first_chunk()?),
    };
    Some(word.wrapping_shr(u32::from(shift)) as u32 & mask)
}

#[inline]
#[cfg(any(test, not(target_pointer_width = "64")))]
fn load_narrow(bytes: &[u8], end: u16, shift: u8, drop: u8) -> Option<u32> {
    let bits = u32::from(shift)
        .wrapping_add(32)
        .wrapping_sub(u32::from(drop));
    let mut window = bytes.get(..usize::from(end))?.iter().rev();
    let mut value = u32::from(*window.next()?) >> (shift & 7);
    let mut have = 8_u32;
    while have < bits {
        // A field has at most 32 bits and starts at most 7 bits up, so no shift reaches 32.
        value |= u32::from(*window.next()?).wrapping_shl(have.wrapping_sub(u32::from(shift)));
        have = have.wrapping_add(8);
    }
    Some(value & u32::MAX.wrapping_shr(u32::from(drop)))
}

/// Writes a field to where [`Source::load`] reads it. Returns false if the bytes end before the field does.
#[inline]
#[must_use]
pub(crate) fn store(bytes: &mut [u8], end: u16, shift: u8, drop: u8, value: u32) -> bool {
    let Some(window) = bytes.get_mut(..usize::from(end)) else {
        return false;
    };
    // Whole bytes need no look at what was there. On a small machine the loop alone is smaller.
    #[cfg(target_pointer_width = "64")]
    match (shift, drop, window.last_mut()) {
        (0, 24, Some(last)) => {
            *last = value as u8;
            return true;
        }
        (0, 16, _) => return store_chunk(window, (value as u16).to_be_bytes()),
        (0, 0, _) => return store_chunk(window, value.to_be_bytes()),
        _ => {}
    }
    let mut mask = u64::from(u32::MAX.wrapping_shr(u32::from(drop))).wrapping_shl(shift.into());
    let mut value = u64::from(value).wrapping_shl(shift.into());
    for byte in window.iter_mut().rev() {
        if mask == 0 {
            break;
        }
        *byte = (*byte & !(mask as u8)) | (value & mask) as u8;
        mask >>= 8;
        value >>= 8;
    }
    true
}

#[inline]
#[cfg(target_pointer_width = "64")]
fn store_chunk<const N: usize>(window: &mut [u8], bytes: [u8; N]) -> bool {
    let Some(last) = window.last_chunk_mut() else {
        return false;
    };
    *last = bytes;
    true
}

/// Copies bytes until either slice ends. A loop is smaller than a call of `memcpy`, and cannot panic.
#[inline]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Copies the first `len` bytes, one or more, or all if a slice has fewer.
#[inline]
#[cfg(target_pointer_width = "64")]
pub(crate) fn copy_head(to: &mut [u8], from: &[u8], len: usize) {
    // Most values have up to 8 bytes. A call of `memcpy` would take more instructions than the copy.
    if let (1..=8, Some(to), Some(from)) = (len, to.first_chunk_mut(), from.first_chunk()) {
        // The shift is taken modulo 64: it is 0 for 8 bytes.
        let ones = u64::MAX.wrapping_shr(0_u32.wrapping_sub(len as u32).wrapping_mul(8));
        let word = u64::from_le_bytes(*to) & !ones | u64::from_le_bytes(*from) & ones;
        *to = word.to_le_bytes();
        return;
    }
    copy(to, from.get(..len).unwrap_or(from));
}

/// Writes bytes so that they end before byte `end`. Returns false if they do not fit.
#[inline]
#[must_use]
pub(crate) fn store_bytes(bytes: &mut [u8], end: u16, value: &[u8]) -> bool {
    let end = usize::from(end);
    let start = end.checked_sub(value.len());
    let Some(to) = start.and_then(|start| bytes.get_mut(start..end)) else {
        return false;
    };
    copy(to, value);
    true
}

/// Returns bit `n` of a bitmap, an integer sent big-endian. Bits past its end are 0.
#[inline]
pub(crate) fn bit(bitmap: &[u8], n: u16) -> bool {
    let byte = bitmap.len().checked_sub(usize::from(n / 8).wrapping_add(1));
    let byte = byte.and_then(|byte| bitmap.get(byte));
    byte.is_some_and(|byte| byte.wrapping_shr(u32::from(n % 8)) & 1 == 1)
}

/// Sets bit `n` of a bitmap. Returns false if the bitmap has no bit `n`.
#[inline]
#[must_use]
pub(crate) fn set_bit(bitmap: &mut [u8], n: u16) -> bool {
    let byte = bitmap.len().checked_sub(usize::from(n / 8).wrapping_add(1));
    let Some(byte) = byte.and_then(|byte| bitmap.get_mut(byte)) else {
        return false;
    };
    *byte |= 1_u8.wrapping_shl(u32::from(n % 8));
    true
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;

    /// The loads of both machine widths, and the store, agree with the integer that the bytes represent: for every
    /// field of 1 to 32 bits at every bit of an area of 1 to 6 bytes, and at every place of a message.
    #[test]
    fn fields_are_windows_of_one_integer() {
        // Each single bit, so that a bit of the wrong place shows, and bytes of which no two are equal.
        let bits = (0..48).map(|bit| 1_u64 << bit);
        let areas: std::vec::Vec<u64> = bits.chain([0, (1 << 48) - 1, 0x0123_4567_89ab]).collect();
        let mut fields = 0;
        for area_len in 1..=6_usize {
            for (offset, width) in (0..8 * area_len as u32)
                .flat_map(|offset| (1..=32).map(move |width| (offset, width)))
                .filter(|(offset, width)| offset + width <= 8 * area_len as u32)
            {
                // Some bytes before the area and behind it, so that all of the wide load's cases occur.
                for (before, behind) in [(0, 0), (0, 3), (1, 0), (2, 7), (7, 1), (9, 0), (16, 4)] {
                    for area in &areas {
                        check_field(area_len, offset, width, before, behind, *area);
                    }
                }
                fields += 1;
            }
        }
        // Of 8 to 48 bits, n bits have n + (n - 1) + … fields of up to 32 bits.
        let of = |bits: usize| {
            (1..=32.min(bits))
                .map(|width| bits + 1 - width)
                .sum::<usize>()
        };
        assert_eq!(fields, (1..=6).map(|bytes| of(8 * bytes)).sum::<usize>());
    }

    fn check_field(len: usize, offset: u32, width: u32, before: usize, behind: usize, area: u64) {
        let mut message = [0xa5; 32];
        let message = &mut message[..before + len + behind];
        let area = area & (u64::MAX >> (64 - 8 * len));
        message[before..before + len].copy_from_slice(&area.to_be_bytes()[8 - len..]);
        let mask = u32::MAX >> (32 - width);
        let expected = (area >> offset) as u32 & mask;

        let end = (before + len) as u16 - (offset / 8) as u16;
        let (shift, drop) = ((offset % 8) as u8, (32 - width) as u8);
        let field = (len, offset, width, before, behind);
        let wide = load_wide(message, head(message), end, shift, mask);
        assert_eq!(wide, Some(expected), "{field:?}");
        assert_eq!(
            load_narrow(message, end, shift, drop),
            Some(expected),
            "{field:?}"
        );

        let mut stored = [0; 32];
        let stored = &mut stored[..message.len()];
        stored.copy_from_slice(message);
        assert!(store(stored, end, shift, drop, !expected), "{field:?}");
        let kept = area & !(u64::from(mask) << offset);
        let opposite = kept | u64::from(!expected & mask) << offset;
        assert_eq!(
            stored[before..before + len],
            opposite.to_be_bytes()[8 - len..],
            "{field:?}"
        );
        assert!(store(stored, end, shift, drop, expected), "{field:?}");
        assert_eq!(stored, message, "{field:?}");
    }

    proptest! {
        /// Words set the bits at the two ends of the bytes, whatever the number of bytes.
        #[test]
        fn words_are_their_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..24), word: u64) {
            let len = bytes.len().min(8);
            let (mut head, mut tail) = (bytes.clone(), bytes.clone());
            add_head(&mut head, word);
            add_tail(&mut tail, word);
            let (mut expected, new) = ((bytes.clone(), bytes.clone()), word.to_be_bytes());
            let at = bytes.len() - len;
            for n in 0..len {
                expected.0[n] |= new[n];
                expected.1[at + n] |= new[8 - len + n];
            }
            prop_assert_eq!((head, tail), expected);
            let mut cleared = bytes.clone();
            clear(&mut cleared);
            prop_assert!(cleared.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn bitmap_is_one_big_endian_integer() {
        let mut flags = [0; 3];
        assert!(set_bit(&mut flags, 1) && set_bit(&mut flags, 20));
        assert_eq!(flags, [0x10, 0x00, 0x02]);
        assert!(bit(&flags, 20) && !bit(&flags, 0) && !bit(&flags, 24));
        assert!(!set_bit(&mut flags, 24));
    }
}
