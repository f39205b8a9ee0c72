//! The presence mask: the set of points that a message has, or asks for.
//!
//! A mask is one big-endian integer. Bit n is set if the point with id n is in the set (vendor: UART
//! protocol, var_len "attr_flags"). All points of a product of 10 are `03 ff`. Point 12 of a product of 71 is
//! `00 00 00 00 00 00 00 10 00`.

use crate::bits;
use crate::error::PointId;

/// A set of points as a bitmap: the mask of a var_len message.
///
/// ```
/// use gizwits_codec_core::{Mask, PointId};
///
/// let mask = Mask::new(&[0x10, 0x02]);
/// assert!(mask.contains(PointId(12)) && !mask.contains(PointId(0)));
/// assert!(mask.ids().eq([PointId(1), PointId(12)]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask<'b>(&'b [u8]);

impl<'b> Mask<'b> {
    /// Creates a mask of these bytes.
    #[inline]
    #[must_use]
    pub const fn new(bytes: &'b [u8]) -> Self {
        Mask(bytes)
    }

    /// Returns the bytes of the mask.
    #[inline]
    pub const fn bytes(self) -> &'b [u8] {
        self.0
    }

    /// Returns whether the point with this id is in the set.
    #[inline]
    pub fn contains(self, id: PointId) -> bool {
        bits::bit(self.0, id.0)
    }

    /// Returns the ids in the set in ascending order. The time is proportional to the number of ids plus the
    /// number of machine words in the mask. Bits after the first 65,536 are ignored, because an id is a
    /// `u16`.
    #[inline]
    #[must_use]
    pub fn ids(self) -> Ids<'b> {
        let past = self.0.len().saturating_sub(MOST);
        let bytes = self.0.get(past..).unwrap_or(&[]);
        Ids {
            words: Words(bytes),
            word: 0,
            // The first word adds `WORD`, which wraps around to 0.
            first: 0_u16.wrapping_sub(WORD),
        }
    }

    /// Returns the bits of a mask of up to 16 bytes as two words.
    #[inline]
    #[cfg(target_pointer_width = "64")]
    pub(crate) fn words(self) -> [u64; 2] {
        match self.0.split_last_chunk() {
            Some((rest, low)) => [u64::from_be_bytes(*low), bits::integer(rest) as u64],
            None => [bits::integer(self.0) as u64, 0],
        }
    }

    /// Calls `each` with the first id and the number of ids of each run of consecutive ids below `points` in the set, in
    /// ascending order. Ids of different machine words are different runs.
    #[inline(always)]
    #[cfg(target_pointer_width = "64")]
    pub(crate) fn for_each_run(self, points: usize, mut each: impl FnMut(usize, usize)) {
        let mut base = 0_usize;
        for mut word in Words(self.0) {
            if let rest @ ..64 = points.wrapping_sub(base) {
                word &= !usize::MAX.wrapping_shl(rest as u32);
            }
            while word != 0 {
                let bit = word.trailing_zeros();
                let len = word.wrapping_shr(bit).trailing_ones();
                // The carry clears the run.
                word &= word.wrapping_add(1_usize.wrapping_shl(bit));
                each(base.wrapping_add(bit as usize), len as usize);
            }
            base = base.wrapping_add(64);
        }
    }

    /// Adds the ids of the set below `points` to another mask, of exactly the length for that many points, as this
    /// one.
    #[inline]
    #[cfg(target_pointer_width = "64")]
    pub(crate) fn add_to(self, known: &mut [u8], points: u16) {
        let Some((first, rest)) = self.0.split_first() else {
            return;
        };
        if let Some((known, more)) = known.split_first_mut() {
            *known |= first & Mask::top(points);
            for (known, byte) in more.iter_mut().zip(rest) {
                *known |= byte;
            }
        }
    }

    /// Adds all ids below `points` to a mask of exactly the length for that many points.
    #[inline]
    #[cfg(target_pointer_width = "64")]
    pub(crate) fn fill(known: &mut [u8], points: u16) {
        if let Some((first, rest)) = known.split_first_mut() {
            *first |= Mask::top(points);
            rest.fill(0xff);
        }
    }

    /// Returns the first byte of a mask of all points.
    pub(crate) const fn top(points: u16) -> u8 {
        match points % 8 {
            0 => 0xff,
            some => !0xff_u8.wrapping_shl(some as u32),
        }
    }

    /// Returns whether the set has all points with the ids 0 to `points - 1`. Requires a mask of exactly the
    /// length for that many points, and ignores its surplus bits.
    #[inline]
    pub(crate) fn is_full(self, points: u16) -> bool {
        let Some((first, rest)) = self.0.split_first() else {
            return false;
        };
        *first | !Mask::top(points) == 0xff && rest.iter().all(|byte| *byte == 0xff)
    }

    /// Returns the numbers of the surplus bits that are set, those from `points` on, in ascending order.
    #[inline]
    pub(crate) fn surplus(self, points: u16) -> impl Iterator<Item = u16> + use<'b> {
        let len = self.0.len();
        let end = len.saturating_sub(usize::from(points / 8));
        let bytes = self.0.get(len.saturating_sub(MOST)..end).unwrap_or(&[]);
        let mut words = Words(bytes);
        // The lowest bits of the first word may belong to points.
        let low = u32::from(points % 8);
        let word = words.next().unwrap_or(0).wrapping_shr(low);
        let bits = Ids {
            words,
            word: word.wrapping_shl(low),
            first: points & !7,
        };
        bits.map(|id| id.0)
    }

    /// Returns the first surplus bit that is set. Requires a mask of exactly the length for `points` points.
    #[inline]
    pub(crate) fn past(self, points: u16) -> Option<u16> {
        let spare = self.0.first()? & !Mask::top(points);
        if spare == 0 {
            return None;
        }
        let whole = points.wrapping_sub(1) & !7;
        Some(whole.wrapping_add(spare.trailing_zeros() as u16))
    }
}

/// The number of bytes whose bits have numbers that fit a `u16`.
const MOST: usize = u16::MAX as usize / 8 + 1;

/// The number of bits of a machine word.
const WORD: u16 = usize::BITS as u16;

/// The machine words of a mask, the least significant first. The last word may have fewer bytes.
#[derive(Clone, Debug)]
struct Words<'b>(&'b [u8]);

impl Iterator for Words<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if let Some((rest, word)) = self.0.split_last_chunk() {
            self.0 = rest;
            return Some(usize::from_be_bytes(*word));
        }
        if self.0.is_empty() {
            return None;
        }
        let word = bits::integer(self.0);
        self.0 = &[];
        Some(word)
    }
}

/// An iterator over the ids in a [`Mask`], in ascending order.
#[derive(Clone, Debug)]
pub struct Ids<'b> {
    words: Words<'b>,
    /// The bits of the current word that were not returned yet.
    word: usize,
    /// The id of bit 0 of the current word.
    first: u16,
}

impl Ids<'_> {
    /// Loads the next word with an id, once all ids of the current word were returned.
    #[inline]
    fn load(&mut self) -> Option<()> {
        while self.word == 0 {
            self.word = self.words.next()?;
            self.first = self.first.wrapping_add(WORD);
        }
        Some(())
    }
}

impl Iterator for Ids<'_> {
    type Item = PointId;

    #[inline]
    fn next(&mut self) -> Option<PointId> {
        self.load()?;
        let bit = self.word.trailing_zeros() as u16;
        self.word &= self.word.wrapping_sub(1);
        Some(PointId(self.first.wrapping_add(bit)))
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_end_where_they_do() {
        let bytes = [0xff; 8200];
        assert_eq!(Mask::new(&bytes).ids().count(), 1 << 16);
        assert!(Mask::new(&bytes).ids().map(|id| id.0).eq(0..=u16::MAX));
        assert_eq!(Mask::new(&[]).ids().count(), 0);
    }

    #[test]
    fn surplus_ends_where_ids_do() {
        let bytes = [0xff; 8200];
        for points in [0, 1, 7, 8, 12, 65_000, 65_528, 65_535] {
            assert!(Mask::new(&bytes).surplus(points).eq(points..=u16::MAX));
        }
        assert_eq!(Mask::new(&[]).surplus(0).count(), 0);
        assert_eq!(Mask::new(&bytes[..9]).surplus(80).count(), 0);
    }

    proptest! {
        #[test]
        fn ids_are_the_set_bits(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            thin in any::<bool>(),
            points in 0_u16..340,
        ) {
            let mut bytes = bytes;
            if thin {
                bytes.iter_mut().skip(1).step_by(2).for_each(|byte| *byte = 0);
            }
            let mask = Mask::new(&bytes);
            let all = 0..(8 * bytes.len() as u16 + 9);
            prop_assert!(mask.ids().eq(all.map(PointId).filter(|id| mask.contains(*id))));
            let past = mask.ids().map(|id| id.0).filter(|bit| *bit >= points);
            prop_assert!(mask.surplus(points).eq(past));
        }

        #[test]
        fn full_and_past(points in 1_u16..200, extra in 0_u16..8) {
            let mut bytes = [0; 25];
            let bytes = &mut bytes[..usize::from(points.div_ceil(8))];
            for id in 0..points {
                prop_assert!(!Mask::new(bytes).is_full(points));
                prop_assert!(bits::set_bit(bytes, id));
                prop_assert_eq!(Mask::new(bytes).past(points), None);
            }
            prop_assert!(Mask::new(bytes).is_full(points));
            prop_assert_eq!(Mask::new(bytes).surplus(points).next(), None);
            let id = points + extra;
            if bits::set_bit(bytes, id) {
                prop_assert_eq!(Mask::new(bytes).past(points), Some(id));
                prop_assert!(Mask::new(bytes).surplus(points).eq([id]));
                prop_assert!(Mask::new(bytes).is_full(points));
                bytes[0] &= !Mask::top(points) | Mask::top(points) >> 1;
                prop_assert!(!Mask::new(bytes).is_full(points));
            }
        }
    }
}
