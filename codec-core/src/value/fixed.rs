//! Numbers with a fixed number of decimal places.

use core::fmt;
use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use core::str::FromStr;

use super::decimal::{Decimal, power};
use crate::error::{Error, ErrorKind};

/// A number with a fixed number of decimal places: `Fixed::<i32, 1>(215)` is 21.5.
///
/// The integer is an `i32` or an `i64`, and `PLACES` is 0 to 18. Generated code uses this type for points with a
/// ratio or an addition that has decimal places.
///
/// # Arithmetic
/// Sums, differences and products with an integer are exact. The operators saturate: a result beyond the range
/// of the integer is the nearest number within the range, so that no operator panics or wraps around. The
/// `checked_` functions return `None` instead. There is no division, which would have to round.
///
/// ```
/// use gizwits_codec_core::{Decimal, Fixed};
///
/// let mut room: Fixed<i32, 1> = "21.5".parse()?;
/// room += Fixed(3);
/// assert_eq!(room, Fixed(218));
/// assert!(room > 21.into());
/// assert_eq!((room - 22.into()).to_string(), "-0.2");
/// assert_eq!(format!("{:+.2} °C", room * 2), "+43.60 °C");
///
/// assert_eq!(Fixed::<i32, 1>(i32::MAX) + Fixed(1), Fixed(i32::MAX));
/// assert_eq!(Fixed::<i32, 1>(i32::MAX).checked_add(Fixed(1)), None);
/// assert_eq!(Decimal::from(room), Decimal::new(218, 1));
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub struct Fixed<I, const PLACES: u8>(pub I);

impl<I: Into<i64>, const PLACES: u8> From<Fixed<I, PLACES>> for Decimal {
    fn from(number: Fixed<I, PLACES>) -> Self {
        Decimal::new(number.0.into(), PLACES)
    }
}

impl<const PLACES: u8> From<Fixed<i32, PLACES>> for Fixed<i64, PLACES> {
    fn from(number: Fixed<i32, PLACES>) -> Self {
        Fixed(number.0.into())
    }
}

impl<I: Into<i64> + Copy, const PLACES: u8> fmt::Display for Fixed<I, PLACES> {
    /// Writes the number like a [`Decimal`]: the shortest exact form, or as width, precision and sign demand.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Decimal::from(*self), f)
    }
}

impl<I: TryFrom<i64>, const PLACES: u8> TryFrom<Decimal> for Fixed<I, PLACES> {
    type Error = Error;

    /// Returns the same number at `PLACES` decimal places.
    ///
    /// # Errors
    /// [`ErrorKind::NotANumber`] if the number has more decimal places or is out of the range of the integer.
    fn try_from(number: Decimal) -> Result<Self, Error> {
        let coefficient = number.normalized().at_scale(PLACES);
        let integer = coefficient.and_then(|coefficient| I::try_from(coefficient).ok());
        integer.map(Fixed).ok_or(Error::new(ErrorKind::NotANumber))
    }
}

impl<I: TryFrom<i64>, const PLACES: u8> FromStr for Fixed<I, PLACES> {
    type Err = Error;

    /// Parses a number like [`Decimal`]: sign, digits, fraction, exponent.
    ///
    /// # Errors
    /// [`ErrorKind::NotANumber`] if the text is not a number, has more decimal places, or is out of the range of
    /// the integer.
    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse::<Decimal>()?.try_into()
    }
}

macro_rules! arithmetic {
    ($integer:ty) => {
        impl<const PLACES: u8> From<$integer> for Fixed<$integer, PLACES> {
            /// Returns the number with this integer value, or the nearest number within the range.
            fn from(whole: $integer) -> Self {
                let coefficient = i64::from(whole).saturating_mul(power(PLACES));
                let range = i64::from(<$integer>::MIN)..=i64::from(<$integer>::MAX);
                let nearest = coefficient.clamp(*range.start(), *range.end());
                Fixed(nearest as $integer)
            }
        }

        impl<const PLACES: u8> Fixed<$integer, PLACES> {
            /// Returns the sum, or `None` if it is out of range.
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) {
                    Some(sum) => Some(Fixed(sum)),
                    None => None,
                }
            }

            /// Returns the difference, or `None` if it is out of range.
            pub const fn checked_sub(self, other: Self) -> Option<Self> {
                match self.0.checked_sub(other.0) {
                    Some(difference) => Some(Fixed(difference)),
                    None => None,
                }
            }

            /// Returns the product with an integer, or `None` if it is out of range.
            pub const fn checked_mul(self, factor: $integer) -> Option<Self> {
                match self.0.checked_mul(factor) {
                    Some(product) => Some(Fixed(product)),
                    None => None,
                }
            }
        }

        impl<const PLACES: u8> Add for Fixed<$integer, PLACES> {
            type Output = Self;

            fn add(self, other: Self) -> Self {
                Fixed(self.0.saturating_add(other.0))
            }
        }

        impl<const PLACES: u8> Sub for Fixed<$integer, PLACES> {
            type Output = Self;

            fn sub(self, other: Self) -> Self {
                Fixed(self.0.saturating_sub(other.0))
            }
        }

        impl<const PLACES: u8> Mul<$integer> for Fixed<$integer, PLACES> {
            type Output = Self;

            fn mul(self, factor: $integer) -> Self {
                Fixed(self.0.saturating_mul(factor))
            }
        }

        impl<const PLACES: u8> Neg for Fixed<$integer, PLACES> {
            type Output = Self;

            fn neg(self) -> Self {
                Fixed(self.0.saturating_neg())
            }
        }

        impl<const PLACES: u8> AddAssign for Fixed<$integer, PLACES> {
            fn add_assign(&mut self, other: Self) {
                self.0 = self.0.saturating_add(other.0);
            }
        }

        impl<const PLACES: u8> SubAssign for Fixed<$integer, PLACES> {
            fn sub_assign(&mut self, other: Self) {
                self.0 = self.0.saturating_sub(other.0);
            }
        }

        impl<const PLACES: u8> MulAssign<$integer> for Fixed<$integer, PLACES> {
            fn mul_assign(&mut self, factor: $integer) {
                self.0 = self.0.saturating_mul(factor);
            }
        }
    };
}

arithmetic!(i32);
arithmetic!(i64);

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    type Tenths = Fixed<i32, 1>;

    #[test]
    fn text_that_does_not_fit_is_refused() {
        assert_eq!("-0.5".parse(), Ok(Fixed::<i32, 1>(-5)));
        assert_eq!("2.50e1".parse(), Ok(Fixed::<i32, 1>(250)));
        assert_eq!("7".parse(), Ok(Fixed::<i64, 18>(7_000_000_000_000_000_000)));
        for text in ["0.25", "214748364.8", "-214748364.9", "warm", ""] {
            let error = text.parse::<Tenths>().unwrap_err();
            assert_eq!(error.kind, ErrorKind::NotANumber, "{text}");
        }
        assert!("10".parse::<Fixed<i64, 18>>().is_err());
    }

    #[test]
    fn integers_saturate() {
        assert_eq!(Tenths::from(21), Fixed(210));
        assert_eq!(Tenths::from(i32::MIN), Fixed(i32::MIN));
        assert_eq!(Fixed::<i64, 3>::from(i64::MAX), Fixed(i64::MAX));
        assert_eq!(Fixed::<i32, 18>::from(-1), Fixed(i32::MIN));
    }

    proptest! {
        /// Every operation is that of the integers at the same places, cut to their range.
        #[test]
        fn arithmetic_is_exact_within_the_range(one: i32, two: i32) {
            let exact = [i64::from(one) + i64::from(two), i64::from(one) - i64::from(two), i64::from(one) * i64::from(two)];
            let (a, b) = (Fixed::<i32, 2>(one), Fixed(two));
            let (mut sum, mut difference, mut product) = (a, a, a);
            sum += b;
            difference -= b;
            product *= two;
            let checked = [a.checked_add(b), a.checked_sub(b), a.checked_mul(two)];
            for ((exact, got), checked) in exact.into_iter().zip([sum, difference, product]).zip(checked) {
                let cut = exact.clamp(i32::MIN.into(), i32::MAX.into());
                prop_assert_eq!(i64::from(got.0), cut);
                prop_assert_eq!(checked, (cut == exact).then_some(got));
            }
            prop_assert_eq!(-(-a), if one == i32::MIN { Fixed(-i32::MAX) } else { a });
        }

        #[test]
        fn text_round_trip(number: i64, small: i32) {
            prop_assert_eq!(Fixed::<i64, 7>(number).to_string().parse(), Ok(Fixed::<i64, 7>(number)));
            prop_assert_eq!(Fixed::<i32, 0>(small).to_string().parse(), Ok(Fixed::<i32, 0>(small)));
            prop_assert_eq!(Fixed::<i64, 2>::from(Fixed::<i32, 2>(small)), Fixed(small.into()));
        }
    }
}
