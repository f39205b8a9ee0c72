//! The steps that decode and encode a number on 64-bit machines, prepared when the layout is made.

use super::field::{Field, Shape};
use crate::bits::Source;
use crate::value::{Decimal, Scale};

/// The steps from the bytes of a status to a number: an 8-byte load, a shift, a mask, a multiplication and an addition.
/// The encoder takes the same steps backwards.
///
/// Without it, finding the scale and the first byte of the window would take as many instructions per value as the
/// steps themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kernel {
    ratio: u64,
    addition: i64,
    /// The mask of the value's bits; 0 for a binary.
    pub(crate) mask: u32,
    /// The first of the 8 bytes that end with the value, or 0.
    pub(crate) start: u16,
    /// The number of bits of these 8 bytes below the value.
    shift: u8,
    decimals: u8,
}

impl Kernel {
    pub(crate) const EMPTY: Kernel = Kernel {
        ratio: 1,
        addition: 0,
        mask: 0,
        start: 0,
        shift: 0,
        decimals: 0,
    };

    /// Creates a kernel with this scale. [`place`](Self::place) completes it.
    pub(crate) const fn new(scale: Scale) -> Self {
        Kernel {
            ratio: scale.factor(),
            addition: scale.offset(),
            decimals: scale.decimals(),
            ..Kernel::EMPTY
        }
    }

    /// Sets the location: that of a field.
    pub(crate) const fn place(&mut self, field: &Field) {
        self.mask = match field.shape {
            Shape::Binary => 0,
            _ => u32::MAX.wrapping_shr(field.drop as u32),
        };
        self.start = field.end.saturating_sub(8);
        let below = self.start.wrapping_add(8).wrapping_sub(field.end);
        self.shift = (below.wrapping_mul(8) as u8).wrapping_add(field.shift);
    }

    /// Returns the sort key of the scale.
    pub(crate) const fn scale_key(&self) -> u128 {
        let ratio = self.ratio << 5 | self.decimals as u64;
        (ratio as u128) << 64 | self.addition as u64 as u128
    }

    /// Returns the raw value. `word` has the 8 bytes from `start`.
    #[inline(always)]
    pub(crate) fn raw_of(&self, word: u64) -> u32 {
        word.wrapping_shr(u32::from(self.shift)) as u32 & self.mask
    }

    /// Returns the raw value in a status of 8 bytes or more.
    #[inline(always)]
    pub(crate) fn raw(&self, status: &[u8]) -> Option<u32> {
        let start = usize::from(self.start);
        let word = status.get(start..start.wrapping_add(8))?.first_chunk()?;
        Some(self.raw_of(u64::from_be_bytes(*word)))
    }

    /// Returns the raw value in a status that may be cut, of a field with this end. Returns `None` if the bytes end
    /// before the field does.
    #[inline(always)]
    pub(crate) fn load(&self, status: Source<'_>, end: u16) -> Option<u32> {
        match status.bytes.len() {
            8.. => self.raw(status.bytes),
            len => (usize::from(end) <= len).then(|| self.raw_of(status.head)),
        }
    }

    /// Returns whether the coefficient of the engineering value is the raw value.
    #[inline(always)]
    pub(crate) const fn is_unit(&self) -> bool {
        self.ratio == 1 && self.addition == 0
    }

    /// Returns the engineering value of a raw value, if [`is_unit`](Self::is_unit).
    #[inline(always)]
    pub(crate) fn unit(&self, raw: u32) -> Decimal {
        Decimal {
            coefficient: raw.into(),
            scale: self.decimals,
        }
    }

    /// Returns the engineering value of a raw value.
    #[inline(always)]
    pub(crate) fn value(&self, raw: u32) -> Decimal {
        let span = self.ratio.wrapping_mul(u64::from(raw)) as i64;
        Decimal {
            coefficient: span.wrapping_add(self.addition),
            scale: self.decimals,
        }
    }

    /// Returns the raw value of an engineering value with exactly the decimal places of the scale, as decoding yields
    /// it. Returns `None` for a value with other places, or of no raw value.
    #[inline(always)]
    pub(crate) fn raw_of_value(&self, value: Decimal) -> Option<u32> {
        if value.scale != self.decimals {
            return None;
        }
        let distance = u64::try_from(value.coefficient.checked_sub(self.addition)?).ok()?;
        // Most ratios have one digit that is not 0, a 1. A division takes longer than all else.
        if self.ratio == 1 {
            return u32::try_from(distance).ok();
        }
        let raw = distance.checked_div(self.ratio)?;
        let is_exact = raw.wrapping_mul(self.ratio) == distance;
        u32::try_from(raw).ok().filter(|_| is_exact)
    }

    /// Returns the 8 bytes from `start` with this raw value in them.
    #[inline(always)]
    pub(crate) fn put(&self, raw: u32, word: u64) -> u64 {
        let shift = u32::from(self.shift);
        let mask = u64::from(self.mask).wrapping_shl(shift);
        word & !mask | u64::from(raw).wrapping_shl(shift)
    }
}
