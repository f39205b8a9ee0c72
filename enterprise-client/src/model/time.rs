//! Points in time in the form of the API.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::civil::Date;
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::model::scalar::{Field as _, Scalar};

/// A point in time, in microseconds since 1970-01-01T00:00:00Z. In JSON, a time is in seconds, with or without
/// a fraction.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Returns the time that is this many seconds after 1970-01-01T00:00:00Z.
    ///
    /// # Examples
    /// ```
    /// use gizwits_enterprise_client::Timestamp;
    ///
    /// let time = Timestamp::from_seconds(1_517_384_243);
    /// assert_eq!(time.to_string(), "2018-01-31T07:37:23Z");
    /// ```
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Timestamp(seconds.saturating_mul(1_000_000))
    }

    /// Returns the time that is this many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Timestamp(millis.saturating_mul(1_000))
    }

    /// The seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The milliseconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The time that is later by this duration.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        self.shifted(i64::try_from(by.as_micros()).unwrap_or(i64::MAX))
    }

    /// The time that is earlier by this duration.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        self.shifted(-i64::try_from(by.as_micros()).unwrap_or(i64::MAX))
    }

    /// The duration from `earlier` to this time. Zero if `earlier` is later than this time.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.ahead_of(earlier)).unwrap_or(0))
    }

    /// The microseconds from `other` to this time. Negative if this time is earlier.
    pub(crate) const fn ahead_of(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }

    /// The time that is later by this many microseconds, or earlier if the number is negative.
    pub(crate) const fn shifted(self, micros: i64) -> Self {
        Timestamp(self.0.saturating_add(micros))
    }

    /// The day in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        Offset::UTC.to_datetime(self.calendar()).date()
    }

    /// The nearest time that jiff can represent: its calendar ends with the year 9999.
    fn calendar(self) -> jiff::Timestamp {
        let (first, last) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
        let micros = self.0.clamp(first.as_microsecond(), last.as_microsecond());
        jiff::Timestamp::from_microsecond(micros).unwrap_or(last)
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Timestamp(time.as_microsecond())
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Timestamp(0).plus(since),
            Err(before) => Timestamp(0).minus(before.duration()),
        }
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        time.calendar().into()
    }
}

/// Formats the time as `2018-01-31T07:37:23.044Z`, with 0, 3 or 6 digits after the point.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.calendar();
        match self.0.rem_euclid(1_000_000) {
            0 => write!(f, "{time}"),
            micros if micros % 1_000 == 0 => write!(f, "{time:.3}"),
            _ => write!(f, "{time:.6}"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 1_000_000 {
            0 => serializer.serialize_i64(self.seconds()),
            _ => serializer.serialize_f64(self.0 as f64 / 1e6),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Timestamp::read(deserializer)
    }
}

impl Scalar for Timestamp {
    const EXPECTED: &'static str = "seconds since 1970";

    fn from_json(value: &Value) -> Option<Self> {
        let whole = match value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_i64(),
        };
        whole.map(Timestamp::from_seconds).or_else(|| {
            let micros = (f64::from_json(value)? * 1e6).round();
            // Larger numbers are beyond the range of an `i64`.
            (micros.abs() < 9e18).then_some(Timestamp(micros as i64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moments() {
        let time: Timestamp = serde_json::from_str("1517384243.044").unwrap();
        assert_eq!(time.to_string(), "2018-01-31T07:37:23.044Z");
        assert_eq!(format!("{time:?}"), time.to_string());
        assert_eq!(
            (time.seconds(), time.millis()),
            (1_517_384_243, 1_517_384_243_044)
        );
        assert_eq!(serde_json::to_string(&time).unwrap(), "1517384243.044");
        for json in [
            "1517384243",
            "\"1517384243\"",
            "1517384243.0",
            "\"1517384243.0\"",
        ] {
            let time: Timestamp = serde_json::from_str(json).unwrap();
            assert_eq!(time, Timestamp::from_seconds(1_517_384_243), "{json}");
            assert_eq!(serde_json::to_string(&time).unwrap(), "1517384243");
        }
        for json in ["true", "\"soon\"", "1e300", "\"NaN\"", "\"inf\"", "{}"] {
            assert!(serde_json::from_str::<Timestamp>(json).is_err(), "{json}");
        }
        let before = Timestamp::from_millis(-1);
        assert_eq!(Timestamp::from(SystemTime::from(before)), before);
        assert_eq!(before.to_string(), "1969-12-31T23:59:59.999Z");
    }

    proptest! {
        #[test]
        fn any_moment(micros: i64) {
            let time = Timestamp(micros);
            prop_assert!(!time.to_string().is_empty());
            let _ = SystemTime::from(time);
        }
    }
}
