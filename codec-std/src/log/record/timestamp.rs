//! The time of a record.

use std::ops::RangeInclusive;

use gizwits_codec_core::Decimal;
use serde::de::IgnoredAny;

use crate::error::{Error, shown};

/// The time of a record: JSON as it stands, which is known to be a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp<'a>(pub(crate) &'a str);

impl<'a> Timestamp<'a> {
    /// The JSON of a number of seconds since 1970, or of milliseconds if it is 10^11 or more; or RFC 3339
    /// as a text.
    ///
    /// # Errors
    /// `timestamp`
    pub fn new(json: &'a str) -> Result<Self, Error> {
        let moment = Timestamp(json);
        let sound = serde_json::from_str::<IgnoredAny>(json).is_ok();
        match moment.parse().filter(|_| sound) {
            Some(_) => Ok(moment),
            None => {
                let expected =
                    "a number of seconds, or a time like \"2018-01-31T07:37:32.294Z\" is expected";
                let message = format!("`timestamp` is `{}`: {expected}", shown(json));
                Err(Error::new("timestamp", message))
            }
        }
    }

    /// The JSON as it stands in the log.
    #[must_use]
    pub fn json(&self) -> &'a str {
        self.0
    }

    /// Milliseconds since 1970; what is finer is cut.
    #[must_use]
    pub fn millis(&self) -> i64 {
        self.parse().unwrap_or(0)
    }

    /// Whether a number in JSON is one as the API has them: a moment without more ado.
    pub(super) fn is_plain(&self) -> bool {
        // So short it is a moment with a point or without.
        self.0.len() <= 14 && self.0.bytes().all(|byte| (b'.'..=b'9').contains(&byte))
    }

    /// Whether other digits in place of these are a moment as well.
    pub(crate) fn is_sure(&self) -> bool {
        let whole = self.0.bytes().take_while(u8::is_ascii_digit).count();
        (1..=11).contains(&whole) || (whole == self.0.len() && whole <= 14)
    }

    pub(crate) fn parse(&self) -> Option<i64> {
        self.count().filter(|millis| MOMENTS.contains(millis))
    }

    /// Milliseconds since 1970, whether a calendar has them or not.
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

/// The milliseconds that a calendar has: the years from -9999 to 9999, less a day at either end.
const MOMENTS: RangeInclusive<i64> = -377_705_023_201_000..=253_402_207_200_000;

/// Below this a number counts seconds.
const SECONDS: i128 = 100_000_000_000;

/// `1517384252.294`, the form that the API has, without detours.
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

    /// Moments are those that a date can be written of.
    #[test]
    fn moments_are_of_the_calendar() {
        let is_dated = |millis| jiff::Timestamp::from_millisecond(millis).is_ok();
        let (first, last) = MOMENTS.into_inner();
        assert!(is_dated(first) && is_dated(last));
        assert!(!is_dated(first - 1) && !is_dated(last + 1));
    }
}
