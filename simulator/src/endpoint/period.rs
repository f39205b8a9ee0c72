//! The days, weeks and months that reports count by.

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::{Failure, refuse_because};
use crate::world::day;

/// The length of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(default = "date")]
pub(crate) enum Cycle {
    /// A day.
    #[default]
    Date,
    /// A week as in ISO 8601, from Monday.
    Week,
    /// A month.
    Month,
}

impl Cycle {
    /// The first day of the period with this name.
    fn first(self, text: &str) -> Option<Date> {
        let date = match self {
            Cycle::Date => Date::strptime("%F", text),
            Cycle::Week => Date::strptime("%G-%V-%u", format!("{text}-1")),
            Cycle::Month => Date::strptime("%Y-%m-%d", format!("{text}-01")),
        };
        // `strptime` also accepts other forms, such as `2017-2`.
        date.ok().filter(|date| self.text(*date) == text)
    }

    /// The name of the period with this first day.
    fn text(self, first: Date) -> String {
        let format = match self {
            Cycle::Date => "%F",
            Cycle::Week => "%G-%V",
            Cycle::Month => "%Y-%m",
        };
        first.strftime(format).to_string()
    }

    /// The length of a period, the form of its name, and the maximum number of periods in one call.
    fn limits(self) -> (Span, &'static str, usize) {
        match self {
            Cycle::Date => (1.day(), "YYYY-MM-DD", 30),
            Cycle::Week => (1.week(), "YYYY-WW", 53),
            Cycle::Month => (1.month(), "YYYY-MM", 12),
        }
    }
}

/// One period of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    /// The name of the period in the answer.
    pub(crate) text: String,
    /// The number of the first day.
    pub(crate) first: i64,
    /// The number of the last day.
    pub(crate) last: i64,
}

/// The periods from `start` to `end`, both inclusive.
pub(crate) fn periods(cycle: Cycle, start: &str, end: &str) -> Result<Vec<Period>, Failure> {
    let (length, form, most) = cycle.limits();
    let (Some(first), Some(last)) = (cycle.first(start), cycle.first(end)) else {
        return refuse_because(5002, format!("expected start and end as {form}"));
    };
    if first > last {
        return refuse_because(5002, "end is before start");
    }
    let firsts = first.series(length).take_while(|first| *first <= last);
    let all: Vec<Period> = firsts
        .take(most + 1)
        .map(|first| Period {
            text: cycle.text(first),
            first: day::number(first),
            last: day::number(first.saturating_add(length)) - 1,
        })
        .collect();
    match all.len() > most {
        true => refuse_because(5002, format!("expected at most {most} periods")),
        false => Ok(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let texts = |cycle, start, end| -> Vec<String> {
            let all = periods(cycle, start, end).unwrap();
            all.into_iter().map(|period| period.text).collect()
        };
        assert_eq!(texts(Cycle::Week, "2016-51", "2017-02").len(), 4);
        assert_eq!(
            texts(Cycle::Month, "2017-11", "2018-01"),
            ["2017-11", "2017-12", "2018-01"]
        );
        assert_eq!(texts(Cycle::Date, "2017-12-01", "2017-12-30").len(), 30);
        for (cycle, start, end) in [
            (Cycle::Date, "2017-12-01", "2017-12-31"),
            (Cycle::Date, "2017-02-29", "2017-03-01"),
            (Cycle::Date, "2017-2-09", "2017-03-01"),
            (Cycle::Week, "2016-53", "2017-53"),
            (Cycle::Month, "2017-00", "2017-01"),
            (Cycle::Month, "2017-02", "2017-01"),
            (Cycle::Month, "2017-01", "2018-01"),
            (Cycle::Date, "-217-01-01", "2018-01-01"),
        ] {
            assert!(periods(cycle, start, end).is_err(), "{start} {end}");
        }
    }
}
