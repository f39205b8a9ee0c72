//! The digits of numbers, computed for several numbers side by side.
//!
//! One number is a long chain of dependent steps. Those of several numbers are independent of each other, so the
//! compiler uses vector instructions for them.

use gizwits_codec_core::Decimal;

/// The least number with more than 8 digits.
const HALF: u64 = 100_000_000;

/// The bits that turn 8 digits into ASCII.
pub(crate) const ZEROS: u64 = 0x3030_3030_3030_3030;

/// Whether a number has at most 10 digits, and at most 7 of them after the decimal point.
pub(crate) fn is_short(value: Decimal) -> bool {
    value.scale() < 8 && value.coefficient().unsigned_abs() < 100 * HALF
}

/// The sign and the digits of the coefficient of a [short](is_short) number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digits {
    /// The last 8 digits, the first of them in the lowest byte.
    pub(crate) low: u64,
    pub(crate) head: Head,
}

impl Digits {
    /// Computes the digits of the coefficient of one short number.
    #[inline(always)]
    pub(crate) fn of(coefficient: i64) -> Self {
        let (low, head) = match coefficient {
            0..100_000_000 => (coefficient as u32, Head::default()),
            _ => Head::split(coefficient),
        };
        let (high, low) = (four_digits(low / 10_000), four_digits(low % 10_000));
        let low = u64::from(high) | u64::from(low) << 32;
        Digits { low, head }
    }
}

/// The part of a number before its last 8 digits: a number below 100, and [`NEGATIVE`](Self::NEGATIVE). Both are
/// in one byte, so that one comparison shows that a number has neither, as nearly all numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head(u8);

impl Head {
    const NEGATIVE: u8 = 0x80;

    /// Returns the last 8 digits of a number that is negative or has more digits, and the head before them.
    #[inline(always)]
    fn split(coefficient: i64) -> (u32, Self) {
        let number = coefficient.unsigned_abs();
        let sign = if coefficient < 0 { Head::NEGATIVE } else { 0 };
        let head = Head((number / HALF) as u8 | sign);
        ((number % HALF) as u32, head)
    }

    /// Whether the number is not negative and has at most 8 digits.
    #[inline(always)]
    pub(crate) fn is_none(self) -> bool {
        self.0 == 0
    }

    #[inline(always)]
    pub(crate) fn is_negative(self) -> bool {
        self.0 & Self::NEGATIVE != 0
    }

    #[inline(always)]
    pub(crate) fn high(self) -> u8 {
        self.0 & !Self::NEGATIVE
    }
}

/// The number of numbers in a [`Batch`].
pub(crate) const BATCH: usize = 16;

/// Numbers whose digits are computed together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Batch {
    /// The last 8 digits of each number: as two numbers below 10,000, then as digits.
    halves: [[u32; 2]; BATCH],
    heads: [Head; BATCH],
}

impl Batch {
    /// Computes the digits of the coefficients of at most [`BATCH`] short numbers, in an empty batch.
    #[inline(always)]
    pub(crate) fn fill(&mut self, coefficients: impl ExactSizeIterator<Item = i64>) {
        let used = coefficients.len().div_ceil(4);
        let places = self.halves.iter_mut().zip(&mut self.heads);
        for ((halves, head), coefficient) in places.zip(coefficients) {
            let mut low = coefficient as u32;
            // Also true for negative numbers.
            if coefficient as u64 >= HALF {
                (low, *head) = Head::split(coefficient);
            }
            *halves = [low / 10_000, low % 10_000];
        }
        for chunk in self.halves.as_chunks_mut::<4>().0.iter_mut().take(used) {
            for half in chunk.as_flattened_mut() {
                *half = four_digits(*half);
            }
        }
    }

    /// The digits of each number, in order.
    #[inline(always)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = Digits> {
        let places = self.halves.iter().zip(&self.heads);
        places.map(|([high, low], head)| Digits {
            low: u64::from(*high) | u64::from(*low) << 32,
            head: *head,
        })
    }
}

/// Returns the 4 digits of a number below 10,000, the first digit in the lowest byte. Computed in parallel: first pairs,
/// then digits.
#[inline(always)]
pub(crate) fn four_digits(number: u32) -> u32 {
    // Divisions of two values in one word are multiplications: 10,486 / 2^20 is close enough to 1/100 for
    // numbers below 10,000, and 103 / 2^10 to 1/10 for numbers below 100. The mask removes carried bits.
    let hundreds = (number * 10_486) >> 20;
    let pairs = hundreds | (number - hundreds * 100) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f;
    tens | (pairs - tens * 10) << 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_four_digits() {
        for number in 0..10_000 {
            let digits = four_digits(number) | 0x3030_3030;
            assert_eq!(digits.to_le_bytes(), *format!("{number:04}").as_bytes());
        }
    }
}
