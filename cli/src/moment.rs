//! Moments in time and time spans, as options name them.

use std::time::Duration;

use gizwits_codec_std::log;
use gizwits_enterprise_client::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The forms that [`moment`] accepts, for help texts.
pub(crate) const FORMS: &str = "\
A MOMENT is written in one of these forms; without a time zone it is in UTC:
  2026-01-31                     the beginning of a day
  2026-01-31 07:37               a minute; a T may take the place of the space
  2026-01-31T07:37:23.044Z       RFC 3339, with any number of decimals and any offset
  1769845043, 1769845043.044     seconds since 1970, as in the JSON of records
  1769845043044                  milliseconds since 1970";

/// The parser of options that name a moment.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    // Eight digits are a date: as seconds they would be a time before 1974.
    if text.len() != 8
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        let number = log::Timestamp::new(text).ok();
        if let Some(number) = number {
            return Ok(Timestamp::from_millis(number.millis()));
        }
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(moment.into());
    }
    let local = text.parse::<DateTime>().ok();
    let moment = local.and_then(|local| Offset::UTC.to_timestamp(local).ok());
    moment.map(Timestamp::from).ok_or_else(|| {
        "expected a time such as 2026-01-31, 2026-01-31 07:37, 2026-01-31T07:37:23Z or 1769845043"
            .to_owned()
    })
}

/// The parser of options that name a time span.
pub(crate) fn time_span(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text.trim());
    span.map_err(|_| "expected a time span such as 90s, 10m, 6h or 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn all_forms_of_output_are_input() {
        for (text, millis) in [
            ("1517384243", 1_517_384_243_000),
            ("1517384243.044", 1_517_384_243_044),
            ("1517384243044", 1_517_384_243_044),
            ("2018-01-31", 1_517_356_800_000),
            ("20180131", 1_517_356_800_000),
            ("2018-01-31 07:37", 1_517_384_220_000),
            ("2018-01-31T07:37", 1_517_384_220_000),
            ("2018-01-31 07:37:23", 1_517_384_243_000),
            ("2018-01-31T07:37Z", 1_517_384_220_000),
            ("2018-01-31T07:37:23Z", 1_517_384_243_000),
            ("2018-01-31 07:37:23.044Z", 1_517_384_243_044),
            ("2018-01-31T15:37:23.044+08:00", 1_517_384_243_044),
            (" 2018-01-31 ", 1_517_356_800_000),
        ] {
            assert_eq!(moment(text).map(|at| at.millis()), Ok(millis), "{text}");
        }
        for text in [
            "",
            "noon",
            "2018-02-30",
            "2018-13-01",
            "-5",
            "1e9",
            "2018",
            ".",
        ] {
            // A year alone would be a number of seconds.
            assert!(moment(text).is_err() || text == "2018", "{text}");
        }
    }

    #[test]
    fn what_is_printed_is_read() {
        for micros in [0, 1_517_384_243_044_000, 1_517_384_243_044_123] {
            let at: gizwits_enterprise_client::Timestamp =
                jiff::Timestamp::from_microsecond(micros).unwrap().into();
            assert_eq!(moment(&at.to_string()), Ok(at));
        }
    }
}
