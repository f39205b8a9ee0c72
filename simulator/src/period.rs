//! Days, weeks and months of reports, in China Standard Time.

use jiff::ToSpan;
use jiff::civil::{Date, ISOWeekDate, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Failure, refuse};

/// What one day has in milliseconds.
pub(crate) const DAY: i64 = 86_400_000;
/// China is eight hours ahead, all year.
const CHINA: i64 = 8 * 3_600_000;

/// The day of a time, counted from 1970-01-01.
pub(crate) fn day_of(millis: i64) -> i64 {
    millis.saturating_add(CHINA).div_euclid(DAY)
}

/// When a day begins.
pub(crate) fn start_of(day: i64) -> i64 {
    day.saturating_mul(DAY).saturating_sub(CHINA)
}

fn date_of(day: i64) -> Date {
    let epoch = jiff::civil::date(1970, 1, 1);
    epoch.saturating_add(day.clamp(-700_000, 2_900_000).days())
}

fn day_number(date: Date) -> i64 {
    let epoch = jiff::civil::date(1970, 1, 1);
    epoch.until(date).map_or(0, |span| span.get_days().into())
}

/// `2017-12-07`
pub(crate) fn day_text(day: i64) -> String {
    let date = date_of(day);
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

/// `2017-12-07 10:12:45`
pub(crate) fn time_text(millis: i64) -> String {
    let seconds = millis
        .saturating_add(CHINA)
        .div_euclid(1000)
        .rem_euclid(86_400);
    format!(
        "{} {:02}:{:02}:{:02}",
        day_text(day_of(millis)),
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn numbers<const N: usize>(text: &str, lengths: [usize; N]) -> Option<[i16; N]> {
    let mut parts = text.split('-');
    let mut out = [0; N];
    for (slot, length) in out.iter_mut().zip(lengths) {
        let part = parts.next()?;
        if part.len() != length || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(out)
}

/// The day of `2017-12-07`.
pub(crate) fn parse_day(text: &str) -> Option<i64> {
    let [year, month, day] = numbers(text, [4, 2, 2])?;
    let date = Date::new(year, month.try_into().ok()?, day.try_into().ok()?);
    Some(day_number(date.ok()?))
}

/// What one entry of a report counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(default = "date")]
pub(crate) enum Cycle {
    /// A day.
    #[default]
    Date,
    /// A week by ISO 8601, from Monday.
    Week,
    /// A month.
    Month,
}

impl Cycle {
    fn longest(self) -> usize {
        match self {
            Cycle::Date => 30,
            Cycle::Week => 53,
            Cycle::Month => 12,
        }
    }

    /// The first day of the period that a text names.
    fn first(self, text: &str) -> Option<Date> {
        match self {
            Cycle::Date => parse_day(text).map(date_of),
            Cycle::Week => {
                let [year, week] = numbers(text, [4, 2])?;
                let week = ISOWeekDate::new(year, week.try_into().ok()?, Weekday::Monday);
                Some(week.ok()?.date())
            }
            Cycle::Month => {
                let [year, month] = numbers(text, [4, 2])?;
                Date::new(year, month.try_into().ok()?, 1).ok()
            }
        }
    }

    fn next(self, first: Date) -> Date {
        match self {
            Cycle::Date => first.saturating_add(1.day()),
            Cycle::Week => first.saturating_add(7.days()),
            Cycle::Month => first.saturating_add(1.month()),
        }
    }

    fn text(self, first: Date) -> String {
        match self {
            Cycle::Date => day_text(day_number(first)),
            Cycle::Week => {
                let week = first.iso_week_date();
                format!("{:04}-{:02}", week.year(), week.week())
            }
            Cycle::Month => format!("{:04}-{:02}", first.year(), first.month()),
        }
    }
}

/// One period of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    /// As the answer names it.
    pub(crate) text: String,
    /// Its first day.
    pub(crate) first: i64,
    /// Its last day.
    pub(crate) last: i64,
}

/// The periods from `start` to `end`, both among them.
pub(crate) fn periods(cycle: Cycle, start: &str, end: &str) -> Result<Vec<Period>, Failure> {
    let form = match cycle {
        Cycle::Date => "YYYY-MM-DD",
        Cycle::Week => "YYYY-WW",
        Cycle::Month => "YYYY-MM",
    };
    let (Some(mut first), Some(last)) = (cycle.first(start), cycle.first(end)) else {
        return refuse(5002, format!("start and end of this cycle are {form}"));
    };
    if first > last {
        return refuse(5002, "end is before start");
    }
    let mut all = Vec::new();
    while first <= last {
        if all.len() == cycle.longest() {
            let most = cycle.longest();
            return refuse(5002, format!("at most {most} periods in one call"));
        }
        let next = cycle.next(first);
        all.push(Period {
            text: cycle.text(first),
            first: day_number(first),
            last: day_number(next).saturating_sub(1),
        });
        if next <= first {
            break;
        }
        first = next;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_chinese() {
        // 2017-12-07 10:12:45 in China is 02:12:45 UTC.
        let millis = 1_512_612_765_000;
        assert_eq!(time_text(millis), "2017-12-07 10:12:45");
        assert_eq!(start_of(day_of(millis)), 1_512_576_000_000);
        assert_eq!(day_of(1_512_575_999_999) + 1, day_of(1_512_576_000_000));
    }

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
