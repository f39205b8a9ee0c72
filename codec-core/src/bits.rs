//! The one rule of bit order, and the only place that shifts and masks.
//!
//! Every container of bits, the flag bitmap as well as a bit area of the status, is one unsigned
//! integer sent big-endian (the vendor's `gizByteOrderExchange`): bit n of it stands in byte
//! `len - 1 - n / 8`, mask `1 << (n % 8)`. An integer point is the same thing with a shift of 0.
//! So whatever the kind, a value is a big-endian window that ends before byte `end`, shifted and
//! masked:
//!
//! ```text
//! area 02 41 = 0x0241, a field of 2 bits at bit 5: byte 2 - 5 / 8 = 2 is the end, the shift is 5 % 8
//! (0x0241 >> 5) & 3 = 2
//! ```

/// Bytes to load fields from.
///
/// On 64-bit machines a field is one 8-byte load. One that ends in the first 8 bytes comes from
/// `head`, which holds them left-aligned, so that no load can begin before the first byte.
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

    /// The field that ends before byte `end`, `shift` bits up, `32 - drop` bits wide.
    /// `None` if the bytes end before it does.
    #[inline]
    pub(crate) fn load(self, end: u16, shift: u8, drop: u8) -> Option<u32> {
        #[cfg(target_pointer_width = "64")]
        return load_wide(self.bytes, self.head, end, shift, drop);
        #[cfg(not(target_pointer_width = "64"))]
        return load_narrow(self.bytes, end, shift, drop);
    }
}

#[inline]
#[cfg(any(test, target_pointer_width = "64"))]
fn head(bytes: &[u8]) -> u64 {
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

#[inline]
#[cfg(any(test, target_pointer_width = "64"))]
fn load_wide(bytes: &[u8], head: u64, end: u16, shift: u8, drop: u8) -> Option<u32> {
    let end = usize::from(end);
    if end > bytes.len() {
        return None;
    }
    let word = match end.checked_sub(8) {
        None | Some(0) => head.wrapping_shr(64_usize.wrapping_sub(end.wrapping_mul(8)) as u32),
        Some(start) => u64::from_be_bytes(*bytes.get(start..end)?.first_chunk()?),
    };
    Some(word.wrapping_shr(u32::from(shift)) as u32 & u32::MAX.wrapping_shr(u32::from(drop)))
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
        // A field of 32 bits at most starts 7 bits up at most: no shift here reaches 32.
        value |= u32::from(*window.next()?).wrapping_shl(have.wrapping_sub(u32::from(shift)));
        have = have.wrapping_add(8);
    }
    Some(value & u32::MAX.wrapping_shr(u32::from(drop)))
}

/// Puts a field where [`Source::load`] finds it; false if the bytes end before it does.
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

/// Copies as many bytes as both have: a loop, which is smaller than a call of `memcpy` and cannot panic.
#[inline]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Puts bytes before byte `end`; false if there is no room for them.
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

/// Bit `n` of a bitmap, which is an integer sent big-endian. Bits past its end are 0.
#[inline]
pub(crate) fn bit(bitmap: &[u8], n: u16) -> bool {
    let byte = bitmap.len().checked_sub(usize::from(n / 8).wrapping_add(1));
    let byte = byte.and_then(|byte| bitmap.get(byte));
    byte.is_some_and(|byte| byte.wrapping_shr(u32::from(n % 8)) & 1 == 1)
}

/// Sets bit `n` of a bitmap; false if it has no such bit.
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
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Both machine widths and the store agree with the integer that the bytes spell.
        #[test]
        fn load_is_the_integer(
            bytes in proptest::collection::vec(any::<u8>(), 1..24),
            end in any::<prop::sample::Index>(),
            shift in 0_u8..8,
            width in 1_u8..=32,
            value in any::<u32>(),
        ) {
            let end = end.index(bytes.len()) + 1;
            prop_assume!(u32::from(shift) + u32::from(width) <= 8 * end as u32);
            let integer = bytes[..end].iter().fold(0_u128, |n, byte| n << 8 | u128::from(*byte));
            let (end, drop) = (end as u16, 32 - width);
            let mask = u32::MAX >> drop;
            let expected = (integer >> shift) as u32 & mask;
            prop_assert_eq!(load_wide(&bytes, head(&bytes), end, shift, drop), Some(expected));
            prop_assert_eq!(load_narrow(&bytes, end, shift, drop), Some(expected));

            let mut stored = bytes.clone();
            prop_assert!(store(&mut stored, end, shift, drop, value));
            prop_assert_eq!(Source::new(&stored).load(end, shift, drop), Some(value & mask));
            prop_assert!(store(&mut stored, end, shift, drop, expected));
            prop_assert_eq!(stored, bytes);
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
