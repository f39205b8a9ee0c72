//! Exact numbers, and the scale that turns a raw integer into one.
//!
//! No float is involved: 732 at ratio 0.01 is 7.32, and 7.32 is 732 again.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use crate::error::{Error, ErrorKind};

const MAX_SCALE: u8 = 18;

/// An exact decimal number: `coefficient / 10^scale`, with a scale of 0 to 18.
///
/// It compares, hashes and prints by value: 1.50 is 1.5.
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
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Decimal {
    coefficient: i64,
    scale: u8,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal::new(0, 0);
    /// One.
    pub const ONE: Decimal = Decimal::new(1, 0);

    /// `coefficient / 10^scale`; a scale above 18 counts as 18.
    #[inline]
    #[must_use]
    pub const fn new(coefficient: i64, scale: u8) -> Self {
        Decimal {
            coefficient,
            scale: if scale > MAX_SCALE { MAX_SCALE } else { scale },
        }
    }

    /// The integer above the fraction bar.
    #[inline]
    #[must_use]
    pub const fn coefficient(self) -> i64 {
        self.coefficient
    }

    /// The number of decimal places of [`coefficient`](Self::coefficient).
    #[inline]
    #[must_use]
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// The same value with the smallest scale.
    #[must_use]
    pub const fn normalized(mut self) -> Self {
        while self.scale > 0 && self.coefficient % 10 == 0 {
            self.coefficient /= 10;
            self.scale = self.scale.saturating_sub(1);
        }
        self
    }

    /// The number of significant digits: 3 for 7.32, 1 for 0.01 and for 1000.
    #[must_use]
    pub const fn digits(self) -> u8 {
        let mut rest = self.coefficient.unsigned_abs();
        while rest != 0 && rest.is_multiple_of(10) {
            rest /= 10;
        }
        let mut digits = 0_u8;
        while rest != 0 {
            rest /= 10;
            digits = digits.saturating_add(1);
        }
        digits
    }

    /// The nearest float, correctly rounded as long as the coefficient is below 2^53.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        let mut unit = 1.0_f64;
        for _ in 0..self.scale {
            unit *= 10.0;
        }
        // A power of ten up to 10^22 is exact, and so is one division: multiplying by 0.1 is not.
        self.coefficient as f64 / unit
    }

    /// The coefficient at a higher scale.
    const fn at_scale(self, scale: u8) -> Option<i64> {
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

fn power(n: u8) -> i64 {
    POWERS.get(usize::from(n)).copied().unwrap_or(1)
}

impl From<u32> for Decimal {
    fn from(value: u32) -> Self {
        Decimal::new(i64::from(value), 0)
    }
}

impl From<i32> for Decimal {
    fn from(value: i32) -> Self {
        Decimal::new(i64::from(value), 0)
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Decimal::new(value, 0)
    }
}

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
            // The one that no longer fits is the larger in magnitude, as its own sign has it.
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
    /// The shortest exact form: no trailing zeros, no exponent, never -0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.normalized();
        let unit = power(number.scale).unsigned_abs();
        let magnitude = number.coefficient.unsigned_abs();
        let whole = magnitude.checked_div(unit).unwrap_or(0);
        let fraction = magnitude.checked_rem(unit).unwrap_or(0);
        if number.coefficient < 0 {
            f.write_str("-")?;
        }
        if number.scale == 0 {
            write!(f, "{whole}")
        } else {
            write!(
                f,
                "{whole}.{fraction:0width$}",
                width = usize::from(number.scale)
            )
        }
    }
}

impl FromStr for Decimal {
    type Err = Error;

    /// A JSON number, exactly: sign, digits, fraction, exponent; leading zeros and a plus are let
    /// pass. More than 18 digits on either side of the point: [`ErrorKind::NotANumber`].
    fn from_str(text: &str) -> Result<Self, Error> {
        decimal(text.as_bytes()).ok_or(Error::new(ErrorKind::NotANumber))
    }
}

fn decimal(text: &[u8]) -> Option<Decimal> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let mut coefficient = 0_i64;
    // Zeros are held back until a digit follows them, so that 1.5000 and 15e20 stay exact.
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
                    let digit = i64::from(byte.checked_sub(b'0')?);
                    let tens = shifted(coefficient, zeros.checked_add(1)?)?;
                    coefficient = if negative {
                        tens.checked_sub(digit)?
                    } else {
                        tens.checked_add(digit)?
                    };
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

/// `number * 10^places`
fn shifted(number: i64, places: i32) -> Option<i64> {
    if number == 0 {
        return Some(0);
    }
    number.checked_mul(*POWERS.get(usize::try_from(places).ok()?)?)
}

/// What a number that is off the step becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// Nothing: it is refused, and the error names its neighbours.
    #[default]
    Exact,
    /// The nearest raw value; the upper one from the middle.
    HalfUp,
}

/// `y = ratio * x + addition`: the engineering value of a raw integer (vendor: datapoint
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
    // Both at one common decimal scale, which has the low 5 bits of the first: 16 bytes in all.
    ratio: u64,
    addition: i64,
}

/// How a number relates to the raw integers of a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raw {
    Exactly(u32),
    /// Between this one and the next.
    Above(u32),
    /// Below the value of 0.
    Low,
    /// Above the value of `u32::MAX`.
    High,
}

impl Scale {
    /// Ratio 1, addition 0.
    pub const IDENTITY: Scale = Scale {
        ratio: 1 << 5,
        addition: 0,
    };

    /// The scale of raw integers from 0 to `max`.
    ///
    /// # Errors
    /// [`ErrorKind::Ratio`] unless the ratio is above 0, [`ErrorKind::Digits`] if either number has
    /// more than 15 significant digits, [`ErrorKind::ScaleOverflow`] if a value up to `max` would
    /// not fit 63 bits at the common decimal scale.
    pub const fn new(ratio: Decimal, addition: Decimal, max: u32) -> Result<Self, Error> {
        let ratio = ratio.normalized();
        let addition = addition.normalized();
        if ratio.coefficient <= 0 {
            return Err(Error::new(ErrorKind::Ratio));
        }
        if ratio.digits() > 15 || addition.digits() > 15 {
            return Err(Error::new(ErrorKind::Digits));
        }
        let scale = if ratio.scale > addition.scale {
            ratio.scale
        } else {
            addition.scale
        };
        if let (Some(ratio), Some(addition)) = (ratio.at_scale(scale), addition.at_scale(scale))
            && ratio < 1 << 58
            && let Some(span) = ratio.checked_mul(max as i64)
            && span.checked_add(addition).is_some()
        {
            return Ok(Scale {
                ratio: (ratio as u64) << 5 | scale as u64,
                addition,
            });
        }
        Err(Error::new(ErrorKind::ScaleOverflow))
    }

    /// The ratio.
    #[must_use]
    pub const fn ratio(self) -> Decimal {
        Decimal::new((self.ratio >> 5) as i64, self.decimals()).normalized()
    }

    /// The addition.
    #[must_use]
    pub const fn addition(self) -> Decimal {
        Decimal::new(self.addition, self.decimals()).normalized()
    }

    /// The number of decimal places that every value is given with, before trailing zeros go.
    #[inline]
    #[must_use]
    pub const fn decimals(self) -> u8 {
        (self.ratio & 31) as u8
    }

    /// The value of a raw integer. A raw integer above the `max` that the scale was made for wraps.
    #[inline]
    #[must_use]
    pub const fn value(self, raw: u32) -> Decimal {
        let span = (self.ratio >> 5).wrapping_mul(raw as u64) as i64;
        Decimal {
            coefficient: span.wrapping_add(self.addition),
            scale: self.decimals(),
        }
    }

    pub(crate) const fn sort_key(self) -> (u64, i64) {
        (self.ratio, self.addition)
    }

    pub(crate) fn raw(self, value: Decimal, rounding: Rounding) -> Raw {
        let decimals = self.decimals();
        let value = value.normalized();
        // The value at our decimal scale, and what of it lies below that.
        let (whole, part) = match value.scale.checked_sub(decimals) {
            None | Some(0) => match value.at_scale(decimals) {
                Some(whole) => (whole, Part::None),
                None if value.coefficient < 0 => return Raw::Low,
                None => return Raw::High,
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
            return if whole < 0 { Raw::Low } else { Raw::High };
        };
        if distance < 0 {
            // Half a step below 0 still rounds up to it.
            return match distance.checked_add(ratio) {
                Some(rest)
                    if rest >= 0 && rounding == Rounding::HalfUp && up(rest, part, ratio) =>
                {
                    Raw::Exactly(0)
                }
                _ => Raw::Low,
            };
        }
        let Some((raw, rest)) = divide(distance, ratio) else {
            return Raw::High;
        };
        if rest == 0 && part == Part::None {
            Raw::Exactly(raw)
        } else if rounding == Rounding::Exact {
            Raw::Above(raw)
        } else if !up(rest, part, ratio) {
            Raw::Exactly(raw)
        } else {
            raw.checked_add(1).map_or(Raw::High, Raw::Exactly)
        }
    }
}

/// What a number has below its last decimal place: nothing, less than half a unit, half or more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    None,
    Some,
    Half,
}

/// Whether `rest` and the part below it are at least half of the ratio.
fn up(rest: i64, part: Part, ratio: i64) -> bool {
    match ratio.checked_sub(rest) {
        Some(other) if rest < other => rest.checked_add(1) == Some(other) && part == Part::Half,
        _ => true,
    }
}

/// `number / by` and the remainder, for a number not below 0; `None` if the quotient exceeds 32 bits.
///
/// Bit by bit unless 32 bits suffice: a 64-bit division costs a Cortex-M a kilobyte of flash.
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
        if let Some(step) = by.checked_mul(1_i64 << bit)
            && step <= rest
        {
            rest = rest.wrapping_sub(step);
            quotient |= 1 << bit;
        }
    }
    (rest < by).then_some((quotient, rest))
}

#[cfg(feature = "serde")]
mod serde_impls {
    use super::{Decimal, Error};
    use core::fmt;
    use serde::de::{self, Deserialize, Deserializer, Visitor};
    use serde::ser::{Serialize, Serializer};

    impl Serialize for Decimal {
        /// A number where that is exact (up to 15 digits), otherwise text.
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
            f.write_str("a number, or a number as text")
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<Decimal, E> {
            Ok(Decimal::from(value))
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<Decimal, E> {
            i64::try_from(value)
                .map(Decimal::from)
                .map_err(|_| E::custom("a number of too many digits"))
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

    /// The shortest decimal that is nearest to this float: 0.1 is 0.1.
    fn try_from(value: f64) -> Result<Self, Error> {
        let mut text = Text::default();
        fmt::Write::write_fmt(&mut text, format_args!("{value:e}"))
            .map_err(|_| Error::new(ErrorKind::NotANumber))?;
        decimal(text.as_bytes()).ok_or(Error::new(ErrorKind::NotANumber))
    }
}

/// Room for any float in exponent form.
#[derive(Default)]
struct Text {
    bytes: [u8; 32],
    len: usize,
}

impl Text {
    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..).ok_or(fmt::Error)?;
        let (room, _) = room.split_at_mut_checked(text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = self.len.saturating_add(text.len());
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
        for text in [
            "",
            "-",
            "+",
            ".",
            "1.",
            ".5",
            "1e",
            "e1",
            "1.2.3",
            "1 ",
            "0x1",
            "--1",
            "1e400",
            "12345678901234567890",
            "0.0000000000000000001",
            "NaN",
            "1_0",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        assert_eq!(Decimal::try_from(0.1), Ok(d("0.1")));
        assert_eq!(Decimal::try_from(-90.5), Ok(d("-90.5")));
        assert!(Decimal::try_from(f64::NAN).is_err());
        assert!(Decimal::try_from(1e300).is_err());
    }

    #[test]
    fn rounding_is_half_up() {
        let scale = Scale::new(d("0.5"), d("5"), 255).unwrap();
        for (value, exact, rounded) in [
            ("5", Raw::Exactly(0), Raw::Exactly(0)),
            ("5.5", Raw::Exactly(1), Raw::Exactly(1)),
            ("5.25", Raw::Above(0), Raw::Exactly(1)),
            ("5.2499999", Raw::Above(0), Raw::Exactly(0)),
            ("4.75", Raw::Low, Raw::Exactly(0)),
            ("4.7499999", Raw::Low, Raw::Low),
            ("-9000000000000000000", Raw::Low, Raw::Low),
            ("9000000000000000000", Raw::High, Raw::High),
        ] {
            assert_eq!(scale.raw(d(value), Rounding::Exact), exact, "{value}");
            assert_eq!(scale.raw(d(value), Rounding::HalfUp), rounded, "{value}");
        }
        let thirds = Scale::new(d("3"), d("0"), u32::MAX).unwrap();
        assert_eq!(thirds.raw(d("1.5"), Rounding::HalfUp), Raw::Exactly(1));
        assert_eq!(thirds.raw(d("1.49"), Rounding::HalfUp), Raw::Exactly(0));
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

        #[test]
        fn raw_undoes_value(
            ratio in 1_i64..=999_999_999_999_999,
            decimals in 0_u8..=15,
            addition in -999_999_999_999_i64..=999_999_999_999,
            places in 0_u8..=6,
            raw: u32,
        ) {
            let ratio = Decimal::new(ratio, decimals);
            let addition = Decimal::new(addition, places);
            let Ok(scale) = Scale::new(ratio, addition, raw) else { return Ok(()) };
            prop_assert_eq!(scale.ratio(), ratio);
            prop_assert_eq!(scale.addition(), addition);
            prop_assert_eq!(scale.raw(scale.value(raw), Rounding::Exact), Raw::Exactly(raw));
        }

        #[test]
        fn divide_divides(number in 0..=i64::MAX, by in 1..1_i64 << 58) {
            let quotient = u32::try_from(number / by).ok();
            prop_assert_eq!(divide(number, by), quotient.map(|q| (q, number % by)));
        }
    }
}
