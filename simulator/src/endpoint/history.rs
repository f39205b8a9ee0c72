//! Counts by period, for reports on devices and on users.

use rusqlite::named_params;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::groups::GroupFilter;
use super::location::{Count, LocationTree, count_in_group};
use super::period::{Cycle, periods};
use crate::api::{Call, Failure, refuse, refuse_because};
use crate::world::day;

// utoipa reads a generic type by a name without parameters alone.
type CountsByLocation = LocationTree<Count>;

/// Counts by period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct History {
    gid: Option<String>,
    cycle: Cycle,
    start: String,
    end: String,
    data: Vec<PeriodCount>,
}

/// The count of one period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeriodCount {
    #[serde(flatten)]
    period: PeriodName,
    count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    location: Option<CountsByLocation>,
}

/// The name of a period, by the cycle.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum PeriodName {
    Date(String),
    Week(String),
    Month(String),
}

/// The periods that are asked about; without any the last seven days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Periods {
    /// The period that one entry counts. Default: a day.
    #[serde(default)]
    #[param(inline, required = false)]
    cycle: Cycle,
    /// The first period: `YYYY-MM-DD` of a day, `YYYY-WW` of a week, `YYYY-MM` of a month.
    start: Option<String>,
    /// The last period; at most 30 days, 53 weeks or 12 months. It comes with `start`.
    end: Option<String>,
}

/// The periods that are asked about.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodRange {
    /// The period that one entry counts. Default: a day.
    #[serde(default)]
    #[param(inline, required = false)]
    cycle: Cycle,
    /// The first period: `YYYY-MM-DD` of a day, `YYYY-WW` of a week, `YYYY-MM` of a month.
    #[param(example = "2026-11-01")]
    start: String,
    /// The last period; at most 30 days, 53 weeks or 12 months.
    #[param(example = "2026-11-07")]
    end: String,
}

impl Periods {
    /// The span, as reports of big data know it.
    pub(crate) fn span(self, call: &Call<'_>) -> Result<PeriodRange, Failure> {
        let (start, end) = match (self.start, self.end) {
            (Some(start), Some(end)) => (start, end),
            (None, None) if self.cycle == Cycle::Date => {
                let last = call.last_day();
                (day::text(last - 6), day::text(last))
            }
            _ => return refuse_because(5002, "start and end are expected"),
        };
        Ok(PeriodRange {
            cycle: self.cycle,
            start,
            end,
        })
    }
}

/// The periods of a call; 5014 if one begins after the last day that reports know.
/// `sql` counts from `:from` until before `:until`.
pub(crate) fn history(
    call: &Call<'_>,
    span: PeriodRange,
    group: GroupFilter,
    located: bool,
    sql: &str,
) -> Result<History, Failure> {
    let PeriodRange { cycle, start, end } = span;
    let periods = periods(cycle, &start, &end)?;
    let gid = group.known(call)?;
    if periods.iter().any(|period| period.first > call.last_day()) {
        return refuse(5014);
    }
    let name = match cycle {
        Cycle::Date => PeriodName::Date,
        Cycle::Week => PeriodName::Week,
        Cycle::Month => PeriodName::Month,
    };
    let mut data = Vec::with_capacity(periods.len());
    for mut period in periods {
        period.last = period.last.min(call.last_day());
        let bounds = named_params! {
            ":from": day::start(period.first),
            ":until": day::start(period.last + 1),
        };
        let (Count { count }, location) = count_in_group(call, gid.as_deref(), sql, bounds)?;
        data.push(PeriodCount {
            period: name(period.text),
            count,
            location: located.then_some(location),
        });
    }
    Ok(History {
        gid,
        cycle,
        start,
        end,
        data,
    })
}
