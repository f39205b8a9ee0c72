//! The scale of an integer point: raw values to engineering values and back.

use super::decimal::{Decimal, power};
use crate::error::{Error, ErrorKind};

/// The treatment of a number between two steps of a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// The number is refused with [`ErrorKind::OffStep`], which has the raw value below. The default.
    #[default]
    Exact,
    /// The number is replaced by the nearest step. A number exactly between two steps is rounded up.
    HalfUp,
}

/// The scale of a point: the engineering value of raw value `x` is `ratio * x + addition` (vendor: datapoint
/// `uint_spec`).
///
/// ```
/// use gizwits_codec_core::{Decimal, Scale};
///
/// let scale = Scale::new("0.01".parse()?, "-90.5".parse()?, u32::from(u16::MAX))?;
/// assert_eq!(scale.value(732).to_string(), "-83.18");
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    // Both numbers have one common decimal scale, stored in the low 5 bits of `ratio`, so that a scale
    // takes 16 bytes.
    ratio: u64,
    addition: i64,
}

/// The relation of a number to the raw values of a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unscaled {
    /// The number is the value of this raw value.
    Exactly(u32),
    /// The number is between the values of this raw value and the next.
    Above(u32),
    /// The number is below the value of raw 0.
    Low,
    /// The number is above the value of raw `u32::MAX`.
    High,
}

impl Unscaled {
    /// Returns the relation of a number so large that its sign decides.
    fn beyond(number: i64) -> Self {
        match number < 0 {
            true => Unscaled::Low,
            false => Unscaled::High,
        }
    }
}

impl Scale {
    /// The scale with ratio 1 and addition 0.
    pub const IDENTITY: Scale = Scale {
        ratio: 1 << 5,
        addition: 0,
    };

    /// Creates a scale for raw values from 0 to `max`.
    ///
    /// # Errors
    /// - [`ErrorKind::Ratio`] if the ratio is 0 or negative.
    /// - [`ErrorKind::Digits`] if either number has more than 15 significant digits.
    /// - [`ErrorKind::ScaleOverflow`] if the engineering value of a raw value up to `max` does not fit 63
    ///   bits at the common decimal scale.
    pub const fn new(ratio: Decimal, addition: Decimal, max: u32) -> Result<Self, Error> {
        let ratio = ratio.normalized();
        let addition = addition.normalized();
        if ratio.coefficient <= 0 {
            return Err(Error::new(ErrorKind::Ratio));
        }
        if has_many_digits(ratio) || has_many_digits(addition) {
            return Err(Error::new(ErrorKind::Digits));
        }
        let (one, two) = (ratio.scale, addition.scale);
        let scale = if one > two { one } else { two };
        // The ratio shares its word with the 5 bits of the decimal scale.
        let (Some(ratio), Some(addition)) = (ratio.at_scale(scale), addition.at_scale(scale))
        else {
            return Err(Error::new(ErrorKind::ScaleOverflow));
        };
        match ratio.checked_mul(max as i64) {
            Some(span) if ratio < 1 << 58 && span.checked_add(addition).is_some() => Ok(Scale {
                ratio: (ratio as u64) << 5 | scale as u64,
                addition,
            }),
            _ => Err(Error::new(ErrorKind::ScaleOverflow)),
        }
    }

    /// Returns the ratio: engineering units per raw unit.
    pub const fn ratio(self) -> Decimal {
        Decimal::new((self.ratio >> 5) as i64, self.decimals()).normalized()
    }

    /// Returns the addition: the engineering value of raw 0.
    pub const fn addition(self) -> Decimal {
        Decimal::new(self.addition, self.decimals()).normalized()
    }

    /// The integer that a raw value is multiplied by, at the common decimal scale.
    #[cfg(target_pointer_width = "64")]
    pub(crate) const fn factor(self) -> u64 {
        self.ratio >> 5
    }

    /// The integer that is added, at the common decimal scale.
    #[cfg(target_pointer_width = "64")]
    pub(crate) const fn offset(self) -> i64 {
        self.addition
    }

    /// Returns the number of decimal places of every engineering value, trailing zeros included.
    #[inline]
    pub const fn decimals(self) -> u8 {
        (self.ratio & 31) as u8
    }

    /// Returns the engineering value of a raw value. A raw value above the `max` of the scale may overflow,
    /// which wraps around.
    #[inline]
    pub const fn value(self, raw: u32) -> Decimal {
        let span = (self.ratio >> 5).wrapping_mul(raw as u64) as i64;
        Decimal {
            coefficient: span.wrapping_add(self.addition),
            scale: self.decimals(),
        }
    }

    /// Returns a number that is different for different scales.
    pub(crate) const fn sort_key(self) -> u128 {
        (self.ratio as u128) << 64 | self.addition as u64 as u128
    }

    /// Returns the scale with this sort key.
    pub(crate) const fn of_key(key: u128) -> Self {
        Scale {
            ratio: (key >> 64) as u64,
            addition: key as u64 as i64,
        }
    }

    /// Returns the raw value of an engineering value, or its relation to the raw values.
    pub(crate) fn raw(self, value: Decimal, rounding: Rounding) -> Unscaled {
        let decimals = self.decimals();
        let value = value.normalized();
        // The value at the decimal scale of this scale, and the part of it below the last place.
        let (whole, part) = match value.scale.checked_sub(decimals) {
            None | Some(0) => match value.at_scale(decimals) {
                Some(whole) => (whole, Part::None),
                None => return Unscaled::beyond(value.coefficient),
            },
            Some(places) => {
                let unit = power(places);
                let whole = value.coefficient.checked_div_euclid(unit).unwrap_or(0);
                let rest = value.coefficient.checked_rem_euclid(unit).unwrap_or(0);
                let half = unit.checked_sub(rest).is_some_and(|other| rest >= other);
                (whole, if half { Part::Half } else { Part::Some })
            }
        };
        let ratio = (self.ratio >> 5) as i64;
        let Some(distance) = whole.checked_sub(self.addition) else {
            return Unscaled::beyond(whole);
        };
        if distance < 0 {
            // A value down to half a step below that of raw 0 rounds up to raw 0.
            return match distance.checked_add(ratio) {
                Some(rest)
                    if rest >= 0 && rounding == Rounding::HalfUp && up(rest, part, ratio) =>
                {
                    Unscaled::Exactly(0)
                }
                _ => Unscaled::Low,
            };
        }
        let Some((raw, rest)) = divide(distance, ratio) else {
            return Unscaled::High;
        };
        if rest == 0 && part == Part::None {
            Unscaled::Exactly(raw)
        } else if rounding == Rounding::Exact {
            Unscaled::Above(raw)
        } else if !up(rest, part, ratio) {
            Unscaled::Exactly(raw)
        } else {
            raw.checked_add(1).map_or(Unscaled::High, Unscaled::Exactly)
        }
    }
}

/// Returns whether a number has more than 15 significant digits. Few numbers are so large that their digits must be
/// counted.
const fn has_many_digits(number: Decimal) -> bool {
    number.coefficient.unsigned_abs() >= 1_000_000_000_000_000 && number.digits() > 15
}

/// The part of a number below its last decimal place: none, less than half a unit, or at least half.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    None,
    Some,
    Half,
}

/// Returns whether `rest` and the part below it are at least half of the ratio.
fn up(rest: i64, part: Part, ratio: i64) -> bool {
    match ratio.checked_sub(rest) {
        Some(other) if rest < other => rest.checked_add(1) == Some(other) && part == Part::Half,
        _ => true,
    }
}

/// Returns the quotient and the remainder of a number that is not negative, or `None` if the quotient does
/// not fit 32 bits.
///
/// Divides bit by bit if 32 bits do not suffice: a 64-bit division costs a Cortex-M a kilobyte of flash.
pub(crate) fn divide(number: i64, by: i64) -> Option<(u32, i64)> {
    if by == 1 {
        return Some((u32::try_from(number).ok()?, 0));
    }
    if let (Ok(number), Ok(by)) = (u32::try_from(number), u32::try_from(by)) {
        return Some((number.checked_div(by)?, i64::from(number.checked_rem(by)?)));
    }
    let mut quotient = 0_u32;
    let mut rest = number;
    for bit in (0..32_u32).rev() {
        match by.checked_mul(1_i64 << bit) {
            Some(step) if step <= rest => {
                rest = rest.wrapping_sub(step);
                quotient |= 1 << bit;
            }
            _ => {}
        }
    }
    (rest < by).then_some((quotient, rest))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn rounding_is_half_up() {
        let scale = Scale::new(d("0.5"), d("5"), 255).unwrap();
        for (value, exact, rounded) in [
            ("5", Unscaled::Exactly(0), Unscaled::Exactly(0)),
            ("5.5", Unscaled::Exactly(1), Unscaled::Exactly(1)),
            ("5.25", Unscaled::Above(0), Unscaled::Exactly(1)),
            ("5.2499999", Unscaled::Above(0), Unscaled::Exactly(0)),
            ("4.75", Unscaled::Low, Unscaled::Exactly(0)),
            ("4.7499999", Unscaled::Low, Unscaled::Low),
            ("-9000000000000000000", Unscaled::Low, Unscaled::Low),
            ("9000000000000000000", Unscaled::High, Unscaled::High),
        ] {
            assert_eq!(scale.raw(d(value), Rounding::Exact), exact, "{value}");
            assert_eq!(scale.raw(d(value), Rounding::HalfUp), rounded, "{value}");
        }
        let thirds = Scale::new(d("3"), d("0"), u32::MAX).unwrap();
        assert_eq!(thirds.raw(d("1.5"), Rounding::HalfUp), Unscaled::Exactly(1));
        assert_eq!(
            thirds.raw(d("1.49"), Rounding::HalfUp),
            Unscaled::Exactly(0)
        );
    }

    /// Numbers between two steps, and exactly in the middle, are rounded as fractions of integers are. Even ratios have a
    /// middle that is a whole number of units, odd ratios have one below the last decimal place.
    #[test]
    fn rounding_is_that_of_fractions() {
        for ratio in 1..=12_i64 {
            for addition in [-7, 0, 5] {
                let scale = Scale::new(ratio.into(), addition.into(), 255).unwrap();
                for tenths in -300..300_i64 {
                    let value = Decimal::new(tenths, 1);
                    let (distance, step) = (tenths - 10 * addition, 10 * ratio);
                    let below = u32::try_from(distance.div_euclid(step)).ok();
                    let nearest = u32::try_from((2 * distance + step).div_euclid(2 * step)).ok();
                    let exact = match below {
                        None => Unscaled::Low,
                        Some(raw) if distance % step == 0 => Unscaled::Exactly(raw),
                        Some(raw) => Unscaled::Above(raw),
                    };
                    let rounded = nearest.map_or(Unscaled::Low, Unscaled::Exactly);
                    let found = |rounding| scale.raw(value, rounding);
                    let text = || std::format!("{value} of {ratio} * x + {addition}");
                    assert_eq!(found(Rounding::Exact), exact, "{}", text());
                    assert_eq!(found(Rounding::HalfUp), rounded, "{}", text());
                }
            }
        }
    }

    #[test]
    fn scales_are_refused() {
        let max = u32::MAX;
        let kind = |ratio, addition| Scale::new(d(ratio), d(addition), max).unwrap_err().kind;
        assert_eq!(kind("0", "0"), ErrorKind::Ratio);
        assert_eq!(kind("-0.1", "0"), ErrorKind::Ratio);
        assert_eq!(kind("0.1234567890123456", "0"), ErrorKind::Digits);
        assert_eq!(kind("1", "1234567890123456"), ErrorKind::Digits);
        assert_eq!(kind("1e12", "0"), ErrorKind::ScaleOverflow);
        assert_eq!(kind("1e-18", "1e3"), ErrorKind::ScaleOverflow);
        assert!(Scale::new(d("1e12"), d("0"), 255).is_ok());
    }

    /// Every raw value of one and two bytes has the value that wide integers give, and back, for a grid of scales.
    #[test]
    fn values_are_those_of_wide_integers() {
        let ratios =
            "1 2 7 0.1 0.01 0.001 0.5 0.25 1.8 0.0625 0.000001 1e3 123456.789 0.000000000000001";
        let additions = "0 1 -40 -90.5 0.001 1e6 -0.123456789 999999999999";
        let mut scales = 0;
        for (ratio, addition) in ratios.split(' ').flat_map(|ratio| {
            additions
                .split(' ')
                .map(move |addition| (d(ratio), d(addition)))
        }) {
            let Ok(scale) = Scale::new(ratio, addition, u32::from(u16::MAX)) else {
                continue;
            };
            scales += 1;
            let wide = |number: Decimal| {
                i128::from(number.coefficient) * 10_i128.pow(u32::from(18 - number.scale))
            };
            let (step, start) = (wide(ratio), wide(addition));
            for raw in 0..=u16::MAX {
                let value = scale.value(raw.into());
                let expected = step * i128::from(raw) + start;
                assert_eq!(wide(value), expected, "{raw} * {ratio} + {addition}");
                let back = scale.raw(value, Rounding::Exact);
                assert_eq!(
                    back,
                    Unscaled::Exactly(raw.into()),
                    "{value} of {ratio}, {addition}"
                );
            }
        }
        assert_eq!(scales, 110, "the other two need more than 63 bits");
    }

    proptest! {
        #[test]
        fn raw_undoes_value(
            ratio in 1_i64..=1_000_000,
            decimals in 0_u8..=3,
            addition in -1_000_000_000_i64..=1_000_000_000,
            places in 0_u8..=3,
            raw: u32,
        ) {
            let ratio = Decimal::new(ratio, decimals);
            let addition = Decimal::new(addition, places);
            let scale = Scale::new(ratio, addition, raw).expect("all these numbers fit");
            prop_assert_eq!(scale.ratio(), ratio);
            prop_assert_eq!(scale.addition(), addition);
            prop_assert_eq!(scale.raw(scale.value(raw), Rounding::Exact), Unscaled::Exactly(raw));
        }

        // Numbers of every length, so that each branch has many of them.
        #[test]
        fn divide_divides(number: u64, down in 1_u32..64, by: u64, by_down in 6_u32..64) {
            let number = (number >> down) as i64;
            let by = ((by >> by_down) as i64).max(1);
            let quotient = u32::try_from(number / by).ok();
            prop_assert_eq!(divide(number, by), quotient.map(|q| (q, number % by)));
        }
    }
}
