//! The time of a record.

use std::ops::RangeInclusive;

use gizwits_codec_core::Decimal;
use serde::de::IgnoredAny;

use crate::error::{Error, shown};

/// The time of a record: valid JSON of a time, as in the log.
///
/// ```
/// use gizwits_codec_std::log::Timestamp;
///
/// for json in ["1517384252.294", "1517384252294", r#""2018-01-31T07:37:32.294Z""#] {
///     assert_eq!(Timestamp::new(json)?.millis(), 1_517_384_252_294);
/// }
/// assert_eq!(Timestamp::new("\"today\"").unwrap_err().kind, "timestamp");
/// # Ok::<(), gizwits_codec_std::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp<'a>(pub(crate) &'a str);

impl<'a> Timestamp<'a> {
    /// Reads the JSON of a time: a number of seconds since 1970, a number of milliseconds since 1970 from
    /// 10^11 on, or a string in the format of RFC 3339.
    ///
    /// # Errors
    /// `timestamp` if the JSON has another form, or the time is outside of the years -9999 to 9999.
    pub fn new(json: &'a str) -> Result<Self, Error> {
        let moment = Timestamp(json);
        let sound = serde_json::from_str::<IgnoredAny>(json).is_ok();
        match moment.parse().filter(|_| sound) {
            Some(_) => Ok(moment),
            None => {
                let expected =
                    "expected a number of seconds, or a time such as \"2018-01-31T07:37:32.294Z\"";
                let message = format!("`timestamp` is `{}`: {expected}", shown(json));
                Err(Error::new("timestamp", message))
            }
        }
    }

    /// The JSON of the time, as in the log.
    #[must_use]
    pub fn json(&self) -> &'a str {
        self.0
    }

    /// The time in milliseconds since 1970, rounded down.
    #[must_use]
    pub fn millis(&self) -> i64 {
        self.parse().unwrap_or(0)
    }

    /// Whether valid JSON is a time.
    #[inline]
    pub(super) fn is_sound(&self) -> bool {
        // Positive numbers of this length are in range, with or without a decimal point.
        let is_short =
            self.0.len() <= 14 && self.0.as_bytes().first().is_some_and(u8::is_ascii_digit);
        is_short || self.parse().is_some()
    }

    /// Whether the JSON stays a valid time if its digits are replaced by others.
    pub(crate) fn is_sure(&self) -> bool {
        let whole = self.0.bytes().take_while(u8::is_ascii_digit).count();
        (1..=11).contains(&whole) || (whole == self.0.len() && whole <= 14)
    }

    pub(crate) fn parse(&self) -> Option<i64> {
        self.count().filter(|millis| MOMENTS.contains(millis))
    }

    /// The milliseconds since 1970, which may be outside of the calendar.
    fn count(&self) -> Option<i64> {
        if let Some(text) = self.0.strip_prefix('"') {
            let text = text.strip_suffix('"')?;
            return Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond());
        }
        if let Some(millis) = plain_seconds(self.0.as_bytes()) {
            return Some(millis);
        }
        let number: Decimal = self.0.parse().ok()?;
        let unit = 10_i128.checked_pow(number.scale().into())?;
        let whole = i128::from(number.coefficient());
        let is_seconds = whole.abs() < SECONDS * unit;
        let factor = if is_seconds { 1000 } else { 1 };
        i64::try_from((whole * factor).div_euclid(unit)).ok()
    }
}

/// The valid times in milliseconds: the years -9999 to 9999, less a day at both ends for time zones.
const MOMENTS: RangeInclusive<i64> = -377_705_023_201_000..=253_402_207_200_000;

/// The first number that is in milliseconds. Numbers below are in seconds.
const SECONDS: i128 = 100_000_000_000;

/// Parses `1517384252.294`, the form that the API sends. A fast path: [`Decimal`] parses every form.
fn plain_seconds(json: &[u8]) -> Option<i64> {
    let (mut millis, mut places) = (0_i64, None);
    for byte in json {
        match (byte, &mut places) {
            (b'0'..=b'9', None) => millis = millis * 10 + i64::from(byte & 15),
            (b'0'..=b'9', Some(3..)) => {}
            (b'0'..=b'9', Some(places)) => {
                millis = millis * 10 + i64::from(byte & 15);
                *places += 1;
            }
            (b'.', None) if millis < SECONDS as i64 => places = Some(0),
            _ => return None,
        }
        // The next digit could overflow. `Decimal` reads such numbers.
        if millis >= 1 << 56 {
            return None;
        }
    }
    match places {
        Some(places) => Some(millis * 10_i64.pow(3 - places)),
        None if i128::from(millis) < SECONDS => Some(millis * 1000),
        None => Some(millis),
    }
}

#[cfg(test)]
mod tests {
    use super::MOMENTS;

    /// The valid times are exactly those that jiff can represent.
    #[test]
    fn moments_are_of_the_calendar() {
        let is_dated = |millis| jiff::Timestamp::from_millisecond(millis).is_ok();
        let (first, last) = MOMENTS.into_inner();
        assert!(is_dated(first) && is_dated(last));
        assert!(!is_dated(first - 1) && !is_dated(last + 1));
    }
}
