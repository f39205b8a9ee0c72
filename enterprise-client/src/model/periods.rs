//! Spans of days, weeks and months, as reports take them.
//!
//! One report answers at most 30 days, 53 weeks or 12 months. Longer spans are cut. Which weeks a year
//! has depends on a way of counting that the page doesn't name, so no week is ever computed: pieces
//! overlap by the week at their border, which is counted once.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::exchange::driver::Parts;
use crate::model::time::Date;

/// A week of a year, `2016-51`, by the server's way of counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Week {
    year: i32,
    week: u8,
}

/// A month, `2017-12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: u8,
}

impl Week {
    /// A week, from 1 to 53.
    #[must_use]
    pub const fn new(year: i32, week: u8) -> Option<Self> {
        if year >= 0 && year <= 9999 && week >= 1 && week <= 53 {
            Some(Week { year, week })
        } else {
            None
        }
    }
}

impl Month {
    /// A month, from 1 to 12.
    #[must_use]
    pub const fn new(year: i32, month: u8) -> Option<Self> {
        if year >= 0 && year <= 9999 && month >= 1 && month <= 12 {
            Some(Month { year, month })
        } else {
            None
        }
    }

    fn plus(self, months: i64) -> Self {
        let month = i64::from(self.year) * 12 + i64::from(self.month) - 1 + months;
        Month {
            year: month.div_euclid(12) as i32,
            month: month.rem_euclid(12) as u8 + 1,
        }
    }
}

macro_rules! year_and {
    ($($type:ident $field:ident $expected:literal)*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:04}-{:02}", self.year, self.$field)
            }
        }

        impl FromStr for $type {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                let parsed = text.split_once('-').and_then(|(year, part)| {
                    $type::new(year.parse().ok()?, part.parse().ok()?)
                });
                parsed.ok_or_else(|| Error::invalid(format!("`{text}` is no {}", $expected)))
            }
        }
    )*};
}

year_and! {
    Week week "week: YYYY-WW is expected"
    Month month "month: YYYY-MM is expected"
}

/// A span of a report, both ends within it, and how it is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Period {
    /// Day by day.
    Days(Date, Date),
    /// Week by week.
    Weeks(Week, Week),
    /// Month by month.
    Months(Month, Month),
}

impl Period {
    fn cycle(&self) -> &'static str {
        match self {
            Period::Days(..) => "date",
            Period::Weeks(..) => "week",
            Period::Months(..) => "month",
        }
    }

    fn ends(&self) -> (String, String) {
        match self {
            Period::Days(start, end) => (start.to_string(), end.to_string()),
            Period::Weeks(start, end) => (start.to_string(), end.to_string()),
            Period::Months(start, end) => (start.to_string(), end.to_string()),
        }
    }

    /// The pieces that the server answers.
    fn pieces(self) -> Result<Vec<Period>, Error> {
        let mut pieces = Vec::new();
        match self {
            Period::Days(mut start, end) => {
                while start <= end {
                    let last = end.min(start.plus_days(29));
                    pieces.push(Period::Days(start, last));
                    start = last.plus_days(1);
                }
            }
            Period::Months(mut start, end) => {
                while start <= end {
                    let last = end.min(start.plus(11));
                    pieces.push(Period::Months(start, last));
                    start = last.plus(1);
                }
            }
            Period::Weeks(mut start, end) => {
                while start <= end {
                    // From a week to the one before it a year later are as many as the year has.
                    let last = match start {
                        Week { year, week: 1 } => Week { year, week: 52 },
                        Week { year, week } => Week {
                            year: year + 1,
                            week: week - 1,
                        },
                    };
                    pieces.push(Period::Weeks(start, end.min(last)));
                    if end <= last {
                        break;
                    }
                    start = last;
                }
            }
        }
        if pieces.is_empty() {
            let (start, end) = self.ends();
            return Err(Error::invalid(format!(
                "the span begins with {start} and ends before it, with {end}"
            )));
        }
        Ok(pieces)
    }

    pub(crate) fn requests(self, parts: &Parts) -> Result<Vec<Parts>, Error> {
        let part = |piece: Period| {
            let mut parts = parts.clone();
            let (start, end) = piece.ends();
            parts.set("cycle", piece.cycle());
            parts.set("start", start);
            parts.set("end", end);
            parts
        };
        Ok(self.pieces()?.into_iter().map(part).collect())
    }
}

/// Reports by period, one entry each.
pub(crate) trait Periodic {
    type Entry;
    fn entries(&mut self) -> &mut Vec<Self::Entry>;
    fn period(entry: &Self::Entry) -> Option<&str>;
    fn set_end(&mut self, next: Self);
}

/// Two pieces as one; the entry that both have is there once.
pub(crate) fn join<T: Periodic>(mut before: T, mut next: T) -> T {
    let mut entries = std::mem::take(next.entries());
    let known = before.entries();
    entries.retain(|entry| {
        let period = T::period(entry);
        period.is_none() || !known.iter().any(|one| T::period(one) == period)
    });
    known.append(&mut entries);
    before.set_end(next);
    before
}

/// Operations of a period.
macro_rules! periodic {
    ($($(#[$doc:meta])* $name:ident => $output:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(pub(crate) $crate::model::periods::Period);

        impl $crate::exchange::call::Operation for $name {
            type Output = $output;

            fn requests(
                &self,
                parts: &$crate::exchange::driver::Parts,
                _: &$crate::exchange::call::Context<'_>,
            ) -> Result<Vec<$crate::exchange::driver::Parts>, $crate::error::Error> {
                self.0.requests(parts)
            }

            fn read(
                &self,
                received: &$crate::exchange::call::Received<'_>,
            ) -> Result<$output, $crate::error::Error> {
                received.json()
            }

            fn join(&self, before: $output, next: $output) -> $output {
                $crate::model::periods::join(before, next)
            }
        }

        impl $crate::exchange::call::Grouped for $name {}
    )*};
}

pub(crate) use periodic;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn week(text: &str) -> Week {
        text.parse().unwrap()
    }

    #[test]
    fn weeks_overlap() {
        let shown = |start, end| {
            let pieces = Period::Weeks(week(start), week(end)).pieces().unwrap();
            pieces
                .iter()
                .map(|piece| piece.ends())
                .map(|(a, b)| format!("{a}..{b}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(shown("2016-51", "2017-02"), ["2016-51..2017-02"]);
        assert_eq!(
            shown("2016-51", "2018-10"),
            ["2016-51..2017-50", "2017-50..2018-10"]
        );
        assert_eq!(
            shown("2016-01", "2017-10"),
            ["2016-01..2016-52", "2016-52..2017-10"]
        );
        assert_eq!(
            shown("2016-53", "2018-01"),
            ["2016-53..2017-52", "2017-52..2018-01"]
        );
        assert!(
            Period::Weeks(week("2017-02"), week("2016-51"))
                .pieces()
                .is_err()
        );
        for text in ["2016-00", "2016-54", "2016", "16-x"] {
            assert!(text.parse::<Week>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn pieces_cover_the_span(start in 0_i64..20_000, days in 0_i64..2_000, months in 0_i64..100) {
            let first = Date::new(1970, 1, 1).unwrap().plus_days(start);
            let pieces = Period::Days(first, first.plus_days(days)).pieces().unwrap();
            prop_assert_eq!(pieces.len() as i64, days / 30 + 1);
            let mut next = first;
            for piece in pieces {
                let Period::Days(from, to) = piece else { panic!() };
                prop_assert_eq!(from, next);
                prop_assert!(to <= from.plus_days(29));
                next = to.plus_days(1);
            }
            prop_assert_eq!(next, first.plus_days(days + 1));

            let first = Month::new(2015, (start % 12 + 1) as u8).unwrap();
            let pieces = Period::Months(first, first.plus(months)).pieces().unwrap();
            prop_assert_eq!(pieces.len() as i64, months / 12 + 1);
            let Some(Period::Months(_, last)) = pieces.last() else { panic!() };
            prop_assert_eq!(*last, first.plus(months));
        }
    }
}
