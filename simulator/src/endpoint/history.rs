//! Counts by day, week or month, for reports on devices and users.

use rusqlite::named_params;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::groups::GroupFilter;
use super::location::{Count, LocationTree, count_in_group};
use super::period::{Cycle, periods};
use crate::api::{Call, Failure, refuse, refuse_because};
use crate::world::day;

// utoipa needs names without type parameters for generic types.
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

/// The name of a period, under the name of its cycle.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum PeriodName {
    Date(String),
    Week(String),
    Month(String),
}

/// The periods of the report. Default: the last seven days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Periods {
    /// The length of a period. Default: `date`, a day.
    #[serde(default)]
    #[param(inline, required = false)]
    cycle: Cycle,
    /// The first period: a day as `YYYY-MM-DD`, a week as `YYYY-WW`, a month as `YYYY-MM`.
    start: Option<String>,
    /// The last period, in the form of `start`. Required with `start`. At most 30 days, 53 weeks or 12
    /// months are counted.
    end: Option<String>,
}

/// The periods of the report.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodRange {
    /// The length of a period. Default: `date`, a day.
    #[serde(default)]
    #[param(inline, required = false)]
    cycle: Cycle,
    /// The first period: a day as `YYYY-MM-DD`, a week as `YYYY-WW`, a month as `YYYY-MM`.
    #[param(example = "2026-11-01")]
    start: String,
    /// The last period, in the form of `start`. At most 30 days, 53 weeks or 12 months are counted.
    #[param(example = "2026-11-07")]
    end: String,
}

impl Periods {
    /// Returns the periods. The default ends with the last day that the reports count.
    pub(crate) fn span(self, call: &Call<'_>) -> Result<PeriodRange, Failure> {
        let (start, end) = match (self.start, self.end) {
            (Some(start), Some(end)) => (start, end),
            (None, None) if self.cycle == Cycle::Date => {
                let last = call.last_day();
                (day::text(last - 6), day::text(last))
            }
            _ => return refuse_because(5002, "expected both start and end"),
        };
        Ok(PeriodRange {
            cycle: self.cycle,
            start,
            end,
        })
    }
}

/// Counts each period with `sql`, which counts from `:from` to before `:until`. `located` adds the counts
/// of each location.
///
/// Refuses a period that begins after the last day that the reports count with 5014.
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
