//! Exact decimal numbers.
//!
//! No floats are involved: raw 732 at ratio 0.01 is 7.32, and 7.32 is raw 732 again.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use crate::error::{Error, ErrorKind};

const MAX_SCALE: u8 = 18;

/// An exact decimal number: `coefficient / 10^scale`, with a scale of 0 to 18.
///
/// Numbers are compared, hashed and printed by value: 1.50 equals 1.5.
///
/// ```
/// use gizwits_codec_core::Decimal;
///
/// let ph: Decimal = "7.320".parse()?;
/// assert_eq!(ph, Decimal::new(732, 2));
/// assert_eq!(ph.to_string(), "7.32");
/// assert!(ph > Decimal::from(7) && ph < Decimal::from(8));
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Copy, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub struct Decimal {
    pub(crate) coefficient: i64,
    pub(crate) scale: u8,
}

impl Decimal {
    /// The number 0.
    pub const ZERO: Decimal = Decimal::new(0, 0);
    /// The number 1.
    pub const ONE: Decimal = Decimal::new(1, 0);

    /// Creates the number `coefficient / 10^scale`. A scale above 18 is taken as 18.
    ///
    /// ```
    /// use gizwits_codec_core::Decimal;
    ///
    /// const STEP: Decimal = Decimal::new(5, 1);
    /// assert_eq!(STEP.to_string(), "0.5");
    /// ```
    #[inline]
    pub const fn new(coefficient: i64, scale: u8) -> Self {
        Decimal {
            coefficient,
            scale: if scale > MAX_SCALE { MAX_SCALE } else { scale },
        }
    }

    /// Returns the coefficient: the digits of the number without its decimal point.
    #[inline]
    pub const fn coefficient(self) -> i64 {
        self.coefficient
    }

    /// Returns the scale: the number of decimal places of [`coefficient`](Self::coefficient).
    #[inline]
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// Returns the same value with the smallest possible scale.
    ///
    /// ```
    /// use gizwits_codec_core::Decimal;
    ///
    /// let number = Decimal::new(7_320, 3).normalized();
    /// assert_eq!((number.coefficient(), number.scale()), (732, 2));
    /// ```
    pub const fn normalized(mut self) -> Self {
        while self.scale > 0 && self.coefficient % 10 == 0 {
            self.coefficient /= 10;
            self.scale = self.scale.saturating_sub(1);
        }
        self
    }

    /// Returns the number of significant digits: 3 for 7.32, 1 for 0.01 and for 1000, 0 for 0.
    pub const fn digits(self) -> u8 {
        let mut rest = self.coefficient.unsigned_abs();
        while rest != 0 && rest % 10 == 0 {
            rest /= 10;
        }
        match rest.checked_ilog10() {
            Some(power) => (power as u8).saturating_add(1),
            None => 0,
        }
    }

    /// Returns the nearest float. The rounding is correct if the coefficient is below 2^53.
    ///
    /// ```
    /// use gizwits_codec_core::Decimal;
    ///
    /// assert_eq!(Decimal::new(1, 1).to_f64(), 0.1);
    /// ```
    pub fn to_f64(self) -> f64 {
        // Powers of ten up to 10^22 are exact floats, so the only rounding is that of the division. A
        // multiplication by 0.1 would round twice. The mask makes a bounds check unnecessary.
        let divisor = DIVISORS.get(usize::from(self.scale & 31));
        self.coefficient as f64 / divisor.copied().unwrap_or(1.0)
    }

    /// Returns the nearest number with at most this many decimal places. Halves are rounded away from zero.
    fn rounded(self, places: u8) -> Self {
        let Some(dropped @ 1..) = self.scale.checked_sub(places) else {
            return self;
        };
        let unit = power(dropped);
        let whole = self.coefficient.checked_div(unit).unwrap_or(0);
        let rest = self.coefficient.checked_rem(unit).unwrap_or(0);
        let is_half = rest.unsigned_abs() >= unit.unsigned_abs().wrapping_sub(rest.unsigned_abs());
        let away = if is_half { rest.signum() } else { 0 };
        Decimal::new(whole.saturating_add(away), places)
    }

    /// Returns the coefficient at a higher scale, or `None` if it does not fit.
    pub(super) const fn at_scale(self, scale: u8) -> Option<i64> {
        match scale.checked_sub(self.scale) {
            Some(up) if up <= MAX_SCALE => self.coefficient.checked_mul(POWERS[up as usize]),
            _ => None,
        }
    }
}

const POWERS: [i64; MAX_SCALE as usize + 1] = {
    let mut powers = [1; MAX_SCALE as usize + 1];
    let mut n = 1;
    while n < powers.len() {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

/// The powers of ten as floats, as many as five bits have values.
const DIVISORS: [f64; 32] = {
    let mut divisors = [1.0; 32];
    let mut n = 0;
    while n < POWERS.len() {
        divisors[n] = POWERS[n] as f64;
        n += 1;
    }
    divisors
};

pub(super) fn power(n: u8) -> i64 {
    POWERS.get(usize::from(n)).copied().unwrap_or(1)
}

macro_rules! from_integers {
    ($($integer:ty),*) => {
        $(impl From<$integer> for Decimal {
            fn from(value: $integer) -> Self {
                Decimal::new(i64::from(value), 0)
            }
        })*
    };
}

from_integers!(u32, i32, i64);

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        match (self.at_scale(scale), other.at_scale(scale)) {
            (Some(one), Some(two)) => one.cmp(&two),
            // A coefficient that does not fit at the common scale is the larger in magnitude, so its sign
            // decides.
            (None, _) => self.coefficient.cmp(&0),
            (_, None) => 0.cmp(&other.coefficient),
        }
    }
}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Decimal { coefficient, scale } = self.normalized();
        coefficient.hash(state);
        scale.hash(state);
    }
}

impl fmt::Display for Decimal {
    /// Writes the shortest exact form: without trailing zeros, without an exponent, never `-0`.
    ///
    /// A precision is the number of decimal places; digits beyond it are rounded, halves away from zero. Width,
    /// fill, alignment, `+` and `0` have the meaning that they have for integers.
    ///
    /// ```
    /// use gizwits_codec_core::Decimal;
    ///
    /// let room = Decimal::new(-2150, 2);
    /// assert_eq!(format!("{room} {room:.2} {room:.0} {room:8.1}"), "-21.5 -21.50 -22    -21.5");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.normalized();
        let number = match f.precision().and_then(|places| u8::try_from(places).ok()) {
            Some(places) => exact.rounded(places),
            None => exact,
        };
        let unit = power(number.scale).unsigned_abs();
        let magnitude = number.coefficient.unsigned_abs();
        let whole = magnitude.checked_div(unit).unwrap_or(0);
        let fraction = magnitude.checked_rem(unit).unwrap_or(0);
        let sign = match number.coefficient < 0 {
            true => "-",
            false if f.sign_plus() => "+",
            false => "",
        };
        let places = usize::from(number.scale);
        let zeros = f.precision().unwrap_or(places).saturating_sub(places);
        let (mut before, mut leading, mut after) = (0, 0, 0);
        if let Some(width) = f.width() {
            let decimals = places.saturating_add(zeros);
            let point = usize::from(decimals > 0);
            let digits = whole.checked_ilog10().unwrap_or(0) as usize;
            let len = [sign.len(), digits, 1, point, decimals];
            let padding = width.saturating_sub(len.into_iter().fold(0, usize::saturating_add));
            (before, leading, after) = match f.align() {
                _ if f.sign_aware_zero_pad() => (0, padding, 0),
                Some(fmt::Alignment::Left) => (0, 0, padding),
                Some(fmt::Alignment::Center) => {
                    (padding / 2, 0, padding.saturating_sub(padding / 2))
                }
                _ => (padding, 0, 0),
            };
        }
        let fill = f.fill();
        repeat(f, fill, before)?;
        f.write_str(sign)?;
        repeat(f, '0', leading)?;
        write!(f, "{whole}")?;
        if places > 0 {
            write!(f, ".{fraction:0places$}")?;
        } else if zeros > 0 {
            f.write_str(".")?;
        }
        repeat(f, '0', zeros)?;
        repeat(f, fill, after)
    }
}

/// Writes a character several times.
fn repeat(f: &mut fmt::Formatter<'_>, char: char, times: usize) -> fmt::Result {
    (0..times).try_for_each(|_| fmt::Write::write_char(f, char))
}

impl fmt::Debug for Decimal {
    /// Writes the number, as [`Display`](fmt::Display) does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Decimal {
    type Err = Error;

    /// Parses a JSON number exactly: sign, digits, fraction, exponent. Leading zeros and a plus sign are
    /// allowed, too.
    ///
    /// # Errors
    /// [`ErrorKind::NotANumber`] if the text is not a number, or has more digits than a [`Decimal`] holds.
    fn from_str(text: &str) -> Result<Self, Error> {
        decimal(text.as_bytes()).ok_or(Error::new(ErrorKind::NotANumber))
    }
}

fn decimal(text: &[u8]) -> Option<Decimal> {
    let (sign, text) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    let mut coefficient = 0_i64;
    // Zeros are only counted until another digit follows, because trailing zeros must not make
    // 1.5000 or 1.000000000000000000000000 overflow.
    let mut zeros = 0_i32;
    let mut exponent = 0_i32;
    let (mut digits, mut point) = (0_u32, false);
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'0'..=b'9' => {
                digits = digits.checked_add(1)?;
                if point {
                    exponent = exponent.checked_sub(1)?;
                }
                if *byte == b'0' {
                    zeros = zeros.checked_add(1)?;
                } else {
                    let digit = i64::from(byte.checked_sub(b'0')?).checked_mul(sign)?;
                    let tens = shifted(coefficient, zeros.checked_add(1)?)?;
                    coefficient = tens.checked_add(digit)?;
                    zeros = 0;
                }
            }
            b'.' if !point && digits > 0 => point = true,
            b'e' | b'E' if digits > 0 => {
                let more: i32 = core::str::from_utf8(rest.as_slice()).ok()?.parse().ok()?;
                exponent = exponent.checked_add(more)?;
                break;
            }
            _ => return None,
        }
    }
    if digits == 0 || text.last() == Some(&b'.') {
        return None;
    }
    if coefficient == 0 {
        return Some(Decimal::ZERO);
    }
    exponent = exponent.checked_add(zeros)?;
    if exponent > 0 {
        coefficient = shifted(coefficient, exponent)?;
        exponent = 0;
    }
    let scale = u8::try_from(exponent.checked_neg()?).ok()?;
    (scale <= MAX_SCALE).then_some(Decimal { coefficient, scale })
}

/// Returns `number * 10^places`, or `None` if the product does not fit.
fn shifted(number: i64, places: i32) -> Option<i64> {
    if number == 0 {
        return Some(0);
    }
    number.checked_mul(*POWERS.get(usize::try_from(places).ok()?)?)
}

#[cfg(feature = "serde")]
mod serde_impls {
    use super::{Decimal, Error};
    use core::fmt;
    use serde::de::{self, Deserialize, Deserializer, Visitor};
    use serde::ser::{Serialize, Serializer};

    impl Serialize for Decimal {
        /// Serializes an integer as an integer, any other number of up to 15 digits as a float, which prints
        /// the same digits, and all others as text.
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let number = self.normalized();
            if number.scale == 0 {
                serializer.serialize_i64(number.coefficient)
            } else if number.digits() <= 15 {
                serializer.serialize_f64(number.to_f64())
            } else {
                serializer.collect_str(&number)
            }
        }
    }

    impl<'de> Deserialize<'de> for Decimal {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(DecimalVisitor)
        }
    }

    struct DecimalVisitor;

    impl Visitor<'_> for DecimalVisitor {
        type Value = Decimal;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number, or a text that is a number")
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<Decimal, E> {
            Ok(Decimal::from(value))
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<Decimal, E> {
            i64::try_from(value)
                .map(Decimal::from)
                .map_err(|_| E::custom("a number with too many digits"))
        }

        fn visit_f64<E: de::Error>(self, value: f64) -> Result<Decimal, E> {
            Decimal::try_from(value).map_err(E::custom)
        }

        fn visit_str<E: de::Error>(self, value: &str) -> Result<Decimal, E> {
            value.parse().map_err(|error: Error| E::custom(error))
        }
    }
}

impl TryFrom<f64> for Decimal {
    type Error = Error;

    /// Returns the shortest decimal that reads back as this float: 0.1 becomes 0.1, not
    /// 0.1000000000000000055.
    ///
    /// # Errors
    /// [`ErrorKind::NotANumber`] if the float is not finite or has more digits than a [`Decimal`] holds.
    fn try_from(value: f64) -> Result<Self, Error> {
        let not_a_number = Error::new(ErrorKind::NotANumber);
        let mut bytes = [b' '; 32];
        let written = fmt::Write::write_fmt(&mut Text(&mut bytes), format_args!("{value:e}"));
        written.map_err(|_| not_a_number)?;
        decimal(bytes.trim_ascii_end()).ok_or(not_a_number)
    }
}

/// The free rest of a text buffer.
struct Text<'t>(&'t mut [u8]);

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = core::mem::take(&mut self.0);
        let (head, rest) = room.split_at_mut_checked(text.len()).ok_or(fmt::Error)?;
        head.copy_from_slice(text.as_bytes());
        self.0 = rest;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn text_forms() {
        for (from, to) in [
            ("7.320", "7.32"),
            ("-0", "0"),
            ("-0.50", "-0.5"),
            ("1e2", "100"),
            ("1.5E-3", "0.0015"),
            ("007", "7"),
            ("123456789012345678", "123456789012345678"),
            ("0.000000000000000001", "0.000000000000000001"),
            ("1000000000000000000", "1000000000000000000"),
            ("1.000000000000000000000000", "1"),
            ("15e17", "1500000000000000000"),
            ("0e99", "0"),
        ] {
            assert_eq!(d(from).to_string(), to);
        }
        let others = "- + . 1. .5 1e e1 1.2.3 0x1 --1 1e400 NaN 1_0 12345678901234567890";
        for text in others.split(' ').chain(["", "1 ", "0.0000000000000000001"]) {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        assert_eq!(Decimal::try_from(0.1), Ok(d("0.1")));
        assert_eq!(Decimal::try_from(-90.5), Ok(d("-90.5")));
        assert!(Decimal::try_from(f64::NAN).is_err());
        assert!(Decimal::try_from(1e300).is_err());
    }

    #[test]
    fn formats() {
        let number = d("-21.55");
        assert_eq!(
            std::format!("{number:?} {:?}", Some(d("7"))),
            "-21.55 Some(7)"
        );
        for (text, expected) in [
            (
                std::format!("{number:9}|{number:<9}|{number:^9}|{number:*>9}"),
                "   -21.55|-21.55   | -21.55  |***-21.55",
            ),
            (
                std::format!("{number:09}|{:+}|{:+.1}", d("3"), d("0.25")),
                "-00021.55|+3|+0.3",
            ),
            (
                std::format!("{number:.1}|{number:.0}|{number:.4}"),
                "-21.6|-22|-21.5500",
            ),
            (
                std::format!("{:.0}|{:.1}|{:.2}", d("0.5"), d("-0.04"), d("7")),
                "1|0.0|7.00",
            ),
            (
                std::format!("{:08.3}|{:+.0}|{:3}", d("-1"), d("0"), d("12345")),
                "-001.000|+0|12345",
            ),
            (std::format!("{:.0}", Decimal::new(i64::MIN, 18)), "-9"),
            (
                std::format!("{:.17}", Decimal::new(i64::MIN, 18)),
                "-9.22337203685477581",
            ),
        ] {
            assert_eq!(text, expected);
        }
        let long = std::format!("{:.300}", d("0.1"));
        assert_eq!(long, std::format!("0.1{}", "0".repeat(299)));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn json_is_exact() {
        for (number, json) in [
            ("7.32", "7.32"),
            ("-90.5", "-90.5"),
            ("24", "24"),
            ("42949672.95", "42949672.95"),
            ("0.1234567890123456", "\"0.1234567890123456\""),
        ] {
            assert_eq!(serde_json::to_string(&d(number)).unwrap(), json);
            assert_eq!(serde_json::from_str::<Decimal>(json).unwrap(), d(number));
        }
    }

    proptest! {
        /// Integers are formatted like an i64, whatever the options.
        #[test]
        fn integers_are_formatted_like_integers(number: i64, width in 0_usize..24) {
            let decimal = Decimal::from(number);
            prop_assert_eq!(std::format!("{:width$}", decimal), std::format!("{:width$}", number));
            prop_assert_eq!(std::format!("{:+0width$}", decimal), std::format!("{:+0width$}", number));
            prop_assert_eq!(std::format!("{:_^+width$}", decimal), std::format!("{:_^+width$}", number));
            prop_assert_eq!(std::format!("{:<width$}", decimal), std::format!("{:<width$}", number));
        }

        /// A precision moves a number by half a unit of its last place at most, and a wider one by nothing.
        #[test]
        fn a_precision_rounds_to_the_nearest(coefficient: i64, scale in 0_u8..=18, places in 0_u8..=18) {
            let wide = |number: Decimal| i128::from(number.coefficient) * 10_i128.pow(u32::from(18 - number.scale));
            let number = Decimal::new(coefficient, scale);
            let text = std::format!("{:.*}", usize::from(places), number);
            let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            prop_assert_eq!(decimals, usize::from(places));
            if let Ok(shown) = text.parse::<Decimal>() {
                let error = (wide(shown) - wide(number)).abs();
                prop_assert!(2 * error <= 10_i128.pow(u32::from(18 - places)), "{}", text);
                prop_assert!(places < scale || error == 0);
            }
        }

        #[test]
        fn text_round_trip(coefficient: i64, scale in 0_u8..=18) {
            let number = Decimal::new(coefficient, scale);
            prop_assert_eq!(d(&number.to_string()), number);
        }

        #[test]
        fn order_is_that_of_the_values(a: i64, s in 0_u8..=18, b: i64, t in 0_u8..=18) {
            let (x, y) = (Decimal::new(a, s), Decimal::new(b, t));
            let wide = |n: i64, scale: u8| i128::from(n) * 10_i128.pow(u32::from(18 - scale));
            prop_assert_eq!(x.cmp(&y), wide(a, s).cmp(&wide(b, t)));
        }
    }
}
