//! Days in China, numbered from 1970-01-01. Times are milliseconds since 1970.

use jiff::ToSpan as _;
use jiff::civil::Date;

/// The length of a day in milliseconds.
pub(crate) const DAY: i64 = 86_400_000;
/// The offset of China Standard Time from UTC in milliseconds. It is the same all year.
const CHINA: i64 = 8 * 3_600_000;
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// The number of the day that contains a time.
pub(crate) fn of(millis: i64) -> i64 {
    millis.saturating_add(CHINA).div_euclid(DAY)
}

/// The time at which a day begins.
pub(crate) fn start(day: i64) -> i64 {
    day.saturating_mul(DAY).saturating_sub(CHINA)
}

/// The number of the day with this date.
pub(crate) fn number(date: Date) -> i64 {
    EPOCH.until(date).map_or(0, |span| span.get_days().into())
}

/// The date of a day, as `2017-12-07`.
pub(crate) fn text(day: i64) -> String {
    let date = EPOCH.saturating_add(day.clamp(-700_000, 2_900_000).days());
    date.to_string()
}

/// Parses a date such as `2017-12-07`.
pub(crate) fn parse(text: &str) -> Option<Date> {
    let date = Date::strptime("%F", text).ok()?;
    // `strptime` also accepts other forms, such as `2017-2-9`.
    (date.to_string() == text).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_chinese() {
        // 2017-12-07 10:12:45 in China is 02:12:45 UTC.
        let millis = 1_512_612_765_000;
        assert_eq!(text(of(millis)), "2017-12-07");
        assert_eq!(start(of(millis)), 1_512_576_000_000);
        assert_eq!(of(1_512_575_999_999) + 1, of(1_512_576_000_000));
    }
}
