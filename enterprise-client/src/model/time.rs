//! Moments and days, as the API writes them; the clock.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;
use crate::model::scalar::Scalar;

/// A moment: microseconds since 1970-01-01T00:00:00Z. The API writes seconds, with a fraction or
/// without.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From whole seconds.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Timestamp(seconds.saturating_mul(1_000_000))
    }

    /// From milliseconds.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Timestamp(millis.saturating_mul(1_000))
    }

    /// Whole seconds, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Milliseconds, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This and `by` more.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(micros))
    }

    /// This and `by` less.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_sub(micros))
    }

    /// How long it is from `earlier` to this; nothing if it isn't earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// Microseconds from `other` to this, negative if this is before.
    pub(crate) const fn ahead_of(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }

    /// This and so many microseconds more, or less.
    pub(crate) const fn shifted(self, micros: i64) -> Self {
        Timestamp(self.0.saturating_add(micros))
    }

    /// The UTC day it falls on.
    #[must_use]
    pub const fn date(self) -> Date {
        Date::from_days(self.seconds().div_euclid(86_400))
    }

    fn from_float(seconds: f64) -> Option<Self> {
        let micros = (seconds * 1e6).round();
        // What a float holds exactly.
        (micros.abs() < 9e18).then_some(Timestamp(micros as i64))
    }

    pub(crate) fn from_scalar(scalar: &Scalar) -> Option<Self> {
        match scalar {
            Scalar::Int(seconds) => Some(Timestamp::from_seconds(*seconds)),
            Scalar::Float(seconds) => Timestamp::from_float(*seconds),
            Scalar::Text(text) => {
                let text = text.trim();
                match text.parse() {
                    Ok(seconds) => Some(Timestamp::from_seconds(seconds)),
                    Err(_) => Timestamp::from_float(text.parse().ok()?),
                }
            }
            Scalar::Null | Scalar::Bool(_) => None,
        }
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp(0).plus(since),
            Err(before) => Timestamp(0).minus(before.duration()),
        }
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        let distance = Duration::from_micros(time.0.unsigned_abs());
        let moment = if time.0 < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        moment.unwrap_or(UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    /// `2018-01-31T07:37:23.044Z`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.seconds().rem_euclid(86_400);
        let (hours, minutes, seconds) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{}T{hours:02}:{minutes:02}:{seconds:02}", self.date())?;
        let micros = self.0.rem_euclid(1_000_000);
        match micros {
            0 => {}
            micros if micros % 1000 == 0 => write!(f, ".{:03}", micros / 1000)?,
            micros => write!(f, ".{micros:06}")?,
        }
        f.write_str("Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1_000_000 == 0 {
            serializer.serialize_i64(self.seconds())
        } else {
            serializer.serialize_f64(self.0 as f64 / 1e6)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::model::scalar::lenient(deserializer)
    }
}

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

impl Date {
    /// A day, if there is such a one.
    #[must_use]
    pub const fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let date = Date { year, month, day };
        let back = Date::from_days(date.days());
        let sound = year >= 0 && year <= 9999 && month >= 1 && month <= 12 && day >= 1;
        if sound && back.year == year && back.month == month && back.day == day {
            Some(date)
        } else {
            None
        }
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.year
    }

    /// The month, from 1.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }

    /// This many days later, or earlier.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        Date::from_days(self.days().saturating_add(days))
    }

    /// Its first second in UTC, since 1970.
    pub(crate) const fn seconds(self) -> i64 {
        self.days() * 86_400
    }

    // Days since 1970-01-01; the year begins with March, so that a leap day is its last.
    const fn days(self) -> i64 {
        let year = self.year as i64 - (self.month <= 2) as i64;
        let month = (self.month as i64 + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + self.day as i64 - 1;
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
            - 719_468
    }

    const fn from_days(days: i64) -> Self {
        // Far beyond what is written with four digits.
        let days = if days > 3_000_000 { 3_000_000 } else { days };
        let days = if days < -800_000 { -800_000 } else { days } + 719_468;
        let era = days.div_euclid(146_097);
        let day = days.rem_euclid(146_097);
        let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let month_of_year = if month < 10 { month + 3 } else { month - 9 };
        Date {
            year: (year_of_era + era * 400 + (month_of_year <= 2) as i64) as i32,
            month: month_of_year as u8,
            day: (day_of_year - (153 * month + 2) / 5 + 1) as u8,
        }
    }
}

impl fmt::Display for Date {
    /// `2017-12-28`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Date {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.splitn(3, '-');
        let date = (|| {
            let year = parts.next()?.parse().ok()?;
            let month = parts.next()?.parse().ok()?;
            Date::new(year, month, parts.next()?.parse().ok()?)
        })();
        date.ok_or_else(|| Error::invalid(format!("`{text}` is no day: YYYY-MM-DD is expected")))
    }
}

/// A future that ends when the time has passed.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What time it is, and how to wait. Tests give their own.
pub trait Clock: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> SystemTime;

    /// Waits.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The machine's clock, and tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
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

    #[test]
    fn days() {
        for text in [
            "2017-12-28",
            "2016-02-29",
            "2000-02-29",
            "1970-01-01",
            "0000-03-01",
        ] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        for text in [
            "2017-02-29",
            "1900-02-29",
            "2017-13-01",
            "2017-00-01",
            "2017-1",
            "today",
            "",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        let date: Date = "2017-12-31".parse().unwrap();
        assert_eq!(date.plus_days(1).to_string(), "2018-01-01");
    }

    proptest! {
        #[test]
        fn any_day(days in -700_000_i64..2_900_000) {
            prop_assert_eq!(Date::from_days(days).days(), days);
        }

        #[test]
        fn any_moment(micros: i64) {
            let time = Timestamp(micros);
            prop_assert!(!time.to_string().is_empty());
            let _ = SystemTime::from(time);
        }
    }
}
