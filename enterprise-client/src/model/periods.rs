//! The spans of days, weeks and months that reports cover.
//!
//! One request covers at most 30 days, 53 weeks or 12 months, so longer spans are divided into pieces. The API
//! documentation doesn't say how the weeks of a year are counted, so this module never computes the week after
//! a week: pieces overlap by the week at their border, which is counted once.

use std::error::Error as StdError;
use std::fmt::{self, Display};
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::Date;

/// A numbered part of a year: a [`Week`] or a [`Month`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct YearPart<const PARTS: u8> {
    year: i32,
    number: u8,
}

/// A week of a year, for example `2016-51`, in the numbering of the server.
///
/// # Examples
/// ```
/// use gizwits_enterprise_client::Week;
///
/// let week: Week = "2016-51".parse()?;
/// assert_eq!(Some(week), Week::new(2016, 51));
/// # Ok::<(), gizwits_enterprise_client::ParseError>(())
/// ```
pub type Week = YearPart<53>;
/// A month, for example `2017-12`.
pub type Month = YearPart<12>;

impl<const PARTS: u8> YearPart<PARTS> {
    /// Returns the part with this number in a year from 0 to 9999. The first part has the number 1. `None` if
    /// the year or the number is out of range.
    #[must_use]
    pub const fn new(year: i32, number: u8) -> Option<Self> {
        if year >= 0 && year <= 9999 && number >= 1 && number <= PARTS {
            Some(YearPart { year, number })
        } else {
            None
        }
    }
}

impl Month {
    fn later(self, months: i32) -> Self {
        let month = self.year * 12 + i32::from(self.number) - 1 + months;
        YearPart {
            year: month.div_euclid(12),
            number: month.rem_euclid(12) as u8 + 1,
        }
    }
}

impl<const PARTS: u8> Display for YearPart<PARTS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.number)
    }
}

impl<const PARTS: u8> FromStr for YearPart<PARTS> {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parsed = text
            .split_once('-')
            .and_then(|(year, number)| YearPart::new(year.parse().ok()?, number.parse().ok()?));
        let expected = match PARTS {
            12 => "month: expected YYYY-MM",
            _ => "week: expected YYYY-WW",
        };
        parsed.ok_or_else(|| ParseError(format!("`{text}` is not a {expected}")))
    }
}

/// The error of a text that is not a valid [`Week`] or [`Month`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError(String);

impl Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for ParseError {}

/// The span of a report, both ends included, and its unit.
///
/// # Examples
/// ```
/// use gizwits_enterprise_client::{Date, Period};
///
/// let week = Period::Days("2024-05-01".parse::<Date>()?, "2024-05-07".parse::<Date>()?);
/// let year = Period::Months("2024-01".parse()?, "2024-12".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Period {
    /// One count for each day, from the first day to the last day.
    Days(Date, Date),
    /// One count for each week, from the first week to the last week.
    Weeks(Week, Week),
    /// One count for each month, from the first month to the last month.
    Months(Month, Month),
}

impl Period {
    /// The parameter `cycle` of the request.
    pub(crate) fn cycle(self) -> &'static str {
        match self {
            Period::Days(..) => "date",
            Period::Weeks(..) => "week",
            Period::Months(..) => "month",
        }
    }

    /// Divides the span into pieces that the server accepts. Returns the first and the last day, week or month
    /// of each piece.
    ///
    /// # Errors
    /// The text of an error if the span ends before it begins.
    pub(crate) fn pieces(self) -> Result<Vec<(String, String)>, String> {
        match self {
            Period::Days(start, end) => cut(
                (start, end),
                |first| first.saturating_add(29.days()),
                |last| last.saturating_add(1.day()),
            ),
            Period::Months(start, end) => {
                cut((start, end), |first| first.later(11), |last| last.later(1))
            }
            // A piece from a week to the week before it in the next year has as many weeks as the year.
            Period::Weeks(start, end) => cut(
                (start, end),
                |Week { year, number }| match number {
                    1 => YearPart { year, number: 52 },
                    _ => YearPart {
                        year: year + 1,
                        number: number - 1,
                    },
                },
                |last| last,
            ),
        }
    }
}

/// Divides a span into pieces. `last` returns the last part of the piece with this first part, `next` the first
/// part of the piece after this last part.
fn cut<T: Copy + Ord + Display>(
    (mut start, end): (T, T),
    last: impl Fn(T) -> T,
    next: impl Fn(T) -> T,
) -> Result<Vec<(String, String)>, String> {
    if end < start {
        return Err(format!(
            "the span ends with {end}, before its start {start}"
        ));
    }
    let mut pieces = Vec::new();
    loop {
        let last = last(start).min(end);
        pieces.push((start.to_string(), last.to_string()));
        if last == end {
            return Ok(pieces);
        }
        start = next(last);
    }
}

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
            let shown = pieces.iter().map(|(from, to)| format!("{from}..{to}"));
            shown.collect::<Vec<_>>()
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
            let first = jiff::civil::date(1970, 1, 1) + start.days();
            let pieces = Period::Days(first, first + days.days()).pieces().unwrap();
            prop_assert_eq!(pieces.len() as i64, days / 30 + 1);
            let mut next = first;
            for (from, to) in pieces {
                let (from, to): (Date, Date) = (from.parse().unwrap(), to.parse().unwrap());
                prop_assert_eq!(from, next);
                prop_assert!(to <= from + 29.days());
                next = to + 1.day();
            }
            prop_assert_eq!(next, first + (days + 1).days());

            let first = Month::new(2015, (start % 12 + 1) as u8).unwrap();
            let last = first.later(months as i32);
            let pieces = Period::Months(first, last).pieces().unwrap();
            prop_assert_eq!(pieces.len() as i64, months / 12 + 1);
            prop_assert_eq!(&pieces.last().unwrap().1, &last.to_string());
        }
    }
}
