//! Reports on devices, counted by SQL from what happened.
//!
//! Those of big data know what happened until last midnight in China, unless the scenario has
//! `live_reports`: [`Call::known_until`].

use std::collections::BTreeMap;

use rusqlite::named_params;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::call::{Call, in_group};
use crate::devices::{Place as Where, State};
use crate::error::{Failure, Refusal, refuse};
use crate::groups::Group;
use crate::input::{Day, is_set};
use crate::page::{Page, Paging};
use crate::period::{self, Cycle};
use crate::tree::{self, Count, Place, Tally, Tree, place};

// A schema is told of a generic type by a name without parameters alone.
type CountsByPlace = Tree<Count>;
type StatesByPlace = Tree<PlaceStates>;
type TroubledByPlace = Tree<TroubledTally>;
type TroublesByPlace = Tree<TroublesTally>;

/// Where devices are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Locations {
    gid: Option<String>,
    total: i64,
    location: CountsByPlace,
}

pub(crate) fn locations(call: &Call<'_>, state: State, group: Group) -> Result<Locations, Failure> {
    let gid = group.known(call)?;
    let rows: Vec<(Place, Count)> = call
        .connection
        .prepare_cached(concat!(
            "SELECT country, region, city, count(*) FROM device
             WHERE product = :product AND activated_at IS NOT NULL
                AND (:online IS NULL OR (online_since IS NOT NULL) = :online)
                AND (:faulty IS NULL OR :faulty = EXISTS (SELECT 1 FROM trouble
                    WHERE device = device.id AND fault AND cleared_at IS NULL))
                AND (:alert IS NULL OR :alert = EXISTS (SELECT 1 FROM trouble
                    WHERE device = device.id AND NOT fault AND cleared_at IS NULL))
                AND ",
            in_group!("gid"),
            " GROUP BY country, region, city"
        ))?
        .query_map(
            named_params! {
                ":product": call.product_key(),
                ":online": is_set(state.is_online),
                ":faulty": is_set(state.is_faulty),
                ":alert": is_set(state.is_alert),
                ":gid": gid,
                ":deep": call.group_descendants,
            },
            |row| Ok((place(row)?, Count { count: row.get(3)? })),
        )?
        .collect::<Result<_, _>>()?;
    let (total, location) = tree::sum(rows);
    Ok(Locations {
        gid,
        total: total.count,
        location: tree::bare(location, 0),
    })
}

/// A product's devices in figures.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Summary {
    online: i64,
    total: i64,
    active: ActiveDevices,
    new: NewDevices,
}

/// Devices that reported.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActiveDevices {
    yesterday: i64,
    #[serde(rename = "7_day")]
    seven_days: i64,
}

/// Devices that were first online.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewDevices {
    today: i64,
    yesterday: i64,
    #[serde(rename = "7_day")]
    seven_days: i64,
    #[serde(rename = "30_day")]
    thirty_days: i64,
}

pub(crate) fn summary(call: &Call<'_>) -> Result<Summary, Failure> {
    let today = period::day_of(call.now);
    let active = |days: i64| -> Result<i64, Failure> {
        let count = call
            .connection
            .prepare_cached(
                "SELECT count(DISTINCT device) FROM activity JOIN device ON device.id = device
                 WHERE product = ? AND day >= ? AND day < ?",
            )?
            .query_row((call.product_key(), today - days, today), |row| row.get(0))?;
        Ok(count)
    };
    let new = |first: i64, end: i64| -> Result<i64, Failure> {
        let span = (
            period::start_of(today + first),
            period::start_of(today + end),
        );
        let count = call
            .connection
            .prepare_cached(
                "SELECT count(*) FROM device
                 WHERE product = ? AND activated_at >= ? AND activated_at < ?",
            )?
            .query_row((call.product_key(), span.0, span.1), |row| row.get(0))?;
        Ok(count)
    };
    let (online, total) = call
        .connection
        .prepare_cached(
            "SELECT count(online_since), count(*) FROM device
             WHERE product = ? AND activated_at IS NOT NULL",
        )?
        .query_row([call.product_key()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Summary {
        online,
        total,
        active: ActiveDevices {
            yesterday: active(1)?,
            seven_days: active(7)?,
        },
        new: NewDevices {
            today: new(0, 1)?,
            yesterday: new(-1, 0)?,
            seven_days: new(-7, 0)?,
            thirty_days: new(-30, 0)?,
        },
    })
}

/// A device that was first online, or reported, on a day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceOfDay {
    report_date: String,
    product_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    mac: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    device_sn: Option<String>,
    country: Option<String>,
    region: Option<String>,
    city: Option<String>,
    /// When, in China.
    created_at: String,
}

/// The days that are asked about; without any the last thirty.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Days {
    /// The first day.
    #[param(value_type = Option<String>, pattern = r"^(\d{4}-\d{2}-\d{2})?$")]
    start: Option<Day>,
    /// The last day.
    #[param(value_type = Option<String>, pattern = r"^(\d{4}-\d{2}-\d{2})?$")]
    end: Option<Day>,
}

impl Days {
    /// The first and the last of them: 5014 if reports don't know the last.
    fn known(self, call: &Call<'_>) -> Result<(i64, i64), Failure> {
        let (start, end) = (self.start.map(|day| day.0), self.end.map(|day| day.0));
        let end = end.unwrap_or(call.last_day().max(start.unwrap_or(i64::MIN)));
        let start = start.unwrap_or(end - 29);
        if start > end {
            return refuse(5002, "end is before start");
        }
        if end > call.last_day() {
            return Err(Refusal::new(5014).into());
        }
        Ok((start, end))
    }
}

/// A page of devices by day: `happened` is when, and `:from` and `:until` are what `bound` makes of the
/// first day and of the one behind the last.
macro_rules! devices_of_days {
    ($call:expr, $days:expr, $place:expr, $paging:expr, $bound:expr, $from:literal) => {{
        let call: &Call<'_> = $call;
        let paging = call.served($paging)?;
        let (start, end) = $days.known(call)?;
        let place: Where = $place;
        let filters = named_params! {
            ":product": call.product_key(),
            ":from": $bound(start),
            ":until": $bound(end + 1),
            ":country": place.country,
            ":region": place.region,
            ":city": place.city,
        };
        let total = call
            .connection
            .prepare_cached(concat!("SELECT count(*) ", devices_of_days!($from)))?
            .query_row(filters, |row| row.get(0))?;
        let limits = named_params! { ":limit": paging.limit, ":skip": paging.skip };
        let all: Vec<_> = filters.iter().chain(limits).copied().collect();
        let objects = call
            .connection
            .prepare_cached(concat!(
                "SELECT happened, product, mac, device_sn, country, region, city ",
                devices_of_days!($from),
                " ORDER BY happened, id LIMIT :limit OFFSET :skip"
            ))?
            .query_map(&*all, |row| {
                let at = row.get(0)?;
                Ok(DeviceOfDay {
                    report_date: period::day_text(period::day_of(at)),
                    product_key: row.get(1)?,
                    mac: row.get(2)?,
                    device_sn: row.get(3)?,
                    country: row.get(4)?,
                    region: row.get(5)?,
                    city: row.get(6)?,
                    created_at: period::time_text(at),
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(call.page(paging, total, objects))
    }};
    ($from:literal) => {
        concat!(
            "FROM (",
            $from,
            ") WHERE (:country IS NULL OR country = :country)
                AND (:region IS NULL OR region = :region) AND (:city IS NULL OR city = :city)"
        )
    };
}

pub(crate) fn new_devices(
    call: &Call<'_>,
    days: Days,
    place: Where,
    paging: Paging,
) -> Result<Page<DeviceOfDay>, Failure> {
    devices_of_days!(
        call,
        days,
        place,
        paging,
        period::start_of,
        "SELECT *, activated_at AS happened FROM device
         WHERE product = :product AND activated_at >= :from AND activated_at < :until"
    )
}

pub(crate) fn active_devices(
    call: &Call<'_>,
    days: Days,
    place: Where,
    paging: Paging,
) -> Result<Page<DeviceOfDay>, Failure> {
    devices_of_days!(
        call,
        days,
        place,
        paging,
        i64::from,
        "SELECT device.*, activity.at AS happened
         FROM activity JOIN device ON device.id = activity.device
         WHERE product = :product AND day >= :from AND day < :until"
    )
}

/// Counts by period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct History {
    gid: Option<String>,
    cycle: Cycle,
    start: String,
    end: String,
    data: Vec<PeriodCount>,
}

/// What one period counts; the period's key is the cycle's name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeriodCount {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    week: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    month: Option<String>,
    count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    location: Option<CountsByPlace>,
}

impl PeriodCount {
    fn new(cycle: Cycle, period: String, count: i64, location: Option<Tree<Count>>) -> Self {
        let when = |one| (cycle == one).then(|| period.clone());
        PeriodCount {
            date: when(Cycle::Date),
            week: when(Cycle::Week),
            month: when(Cycle::Month),
            count,
            location,
        }
    }
}

/// The periods that are asked about; without any the last seven days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Periods {
    /// What one entry counts: a day, unless said.
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
pub(crate) struct Span {
    /// What one entry counts: a day, unless said.
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
    fn span(self, call: &Call<'_>) -> Result<Span, Failure> {
        let (start, end) = match (self.start, self.end) {
            (Some(start), Some(end)) => (start, end),
            (None, None) if self.cycle == Cycle::Date => {
                let last = call.last_day();
                (period::day_text(last - 6), period::day_text(last))
            }
            _ => return refuse(5002, "start and end are expected"),
        };
        Ok(Span {
            cycle: self.cycle,
            start,
            end,
        })
    }
}

/// The periods of a call; 5014 if one begins after the last day that reports know.
pub(crate) fn history(
    call: &Call<'_>,
    asked: Span,
    group: Group,
    located: bool,
    count: impl Fn(&period::Period, Option<&str>) -> Result<Vec<(Place, i64)>, Failure>,
) -> Result<History, Failure> {
    let Span { cycle, start, end } = asked;
    let periods = period::periods(cycle, &start, &end)?;
    let gid = group.known(call)?;
    if periods.iter().any(|period| period.first > call.last_day()) {
        return Err(Refusal::new(5014).into());
    }
    let mut data = Vec::with_capacity(periods.len());
    for mut period in periods {
        period.last = period.last.min(call.last_day());
        let rows = count(&period, gid.as_deref())?;
        let rows = rows
            .into_iter()
            .map(|(place, count)| (place, Count { count }));
        let (sum, location) = tree::sum(rows);
        let location = located.then_some(location);
        data.push(PeriodCount::new(cycle, period.text, sum.count, location));
    }
    Ok(History {
        gid,
        cycle,
        start,
        end,
        data,
    })
}

pub(crate) fn liveness(call: &Call<'_>, span: Span, group: Group) -> Result<History, Failure> {
    history(call, span, group, true, |period, gid| {
        let rows = call
            .connection
            .prepare_cached(concat!(
                "SELECT country, region, city, count(DISTINCT device.id)
                 FROM activity JOIN device ON device.id = activity.device
                 WHERE product = :product AND day BETWEEN :first AND :last AND ",
                in_group!("gid"),
                " GROUP BY country, region, city"
            ))?
            .query_map(
                named_params! {
                    ":product": call.product_key(),
                    ":first": period.first,
                    ":last": period.last,
                    ":gid": gid,
                    ":deep": call.group_descendants,
                },
                |row| Ok((place(row)?, row.get(3)?)),
            )?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    })
}

/// Devices that were first online, by period. The page lists it and says no more: parameters and
/// answer are those of its neighbours, all optional.
pub(crate) fn activation(
    call: &Call<'_>,
    periods: Periods,
    group: Group,
) -> Result<History, Failure> {
    history(call, periods.span(call)?, group, true, |period, gid| {
        let rows = call
            .connection
            .prepare_cached(concat!(
                "SELECT country, region, city, count(*) FROM device
                 WHERE product = :product AND activated_at >= :from AND activated_at < :until AND ",
                in_group!("gid"),
                " GROUP BY country, region, city"
            ))?
            .query_map(
                named_params! {
                    ":product": call.product_key(),
                    ":from": period::start_of(period.first),
                    ":until": period::start_of(period.last + 1),
                    ":gid": gid,
                    ":deep": call.group_descendants,
                },
                |row| Ok((place(row)?, row.get(3)?)),
            )?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    })
}

/// How devices are now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Realtime {
    gid: Option<String>,
    count: States,
    location: StatesByPlace,
}

/// Devices by state.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct States {
    activated: i64,
    faulty: i64,
    alert: i64,
}

/// The same of a place: what is zero is left out.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct PlaceStates {
    count: NonZeroStates,
}

#[derive(Clone, Debug, Default, Serialize, ToSchema)]
struct NonZeroStates {
    #[serde(skip_serializing_if = "is_zero")]
    activated: i64,
    #[serde(skip_serializing_if = "is_zero")]
    faulty: i64,
    #[serde(skip_serializing_if = "is_zero")]
    alert: i64,
}

fn is_zero(count: &i64) -> bool {
    *count == 0
}

impl Tally for PlaceStates {
    fn add(&mut self, other: &Self) {
        self.count.activated += other.count.activated;
        self.count.faulty += other.count.faulty;
        self.count.alert += other.count.alert;
    }
}

pub(crate) fn realtime(call: &Call<'_>, group: Group) -> Result<Realtime, Failure> {
    let gid = group.known(call)?;
    let rows: Vec<(Place, PlaceStates)> = call
        .connection
        .prepare_cached(concat!(
            "SELECT country, region, city, count(*),
                sum(EXISTS (SELECT 1 FROM trouble
                    WHERE device = device.id AND fault AND cleared_at IS NULL)),
                sum(EXISTS (SELECT 1 FROM trouble
                    WHERE device = device.id AND NOT fault AND cleared_at IS NULL))
             FROM device WHERE product = :product AND activated_at IS NOT NULL AND ",
            in_group!("gid"),
            " GROUP BY country, region, city"
        ))?
        .query_map(
            named_params! {
                ":product": call.product_key(),
                ":gid": gid,
                ":deep": call.group_descendants,
            },
            |row| {
                let count = NonZeroStates {
                    activated: row.get(3)?,
                    faulty: row.get(4)?,
                    alert: row.get(5)?,
                };
                Ok((place(row)?, PlaceStates { count }))
            },
        )?
        .collect::<Result<_, _>>()?;
    let (sum, location) = tree::sum(rows);
    let NonZeroStates {
        activated,
        faulty,
        alert,
    } = sum.count;
    Ok(Realtime {
        gid,
        count: States {
            activated,
            faulty,
            alert,
        },
        location,
    })
}

/// How many there are, and how many of them are over.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Resolved {
    total: i64,
    resolved: i64,
    unresolved: i64,
}

impl Resolved {
    fn new(total: i64, unresolved: i64) -> Self {
        Resolved {
            total,
            resolved: total - unresolved,
            unresolved,
        }
    }
}

impl Tally for Resolved {
    fn add(&mut self, other: &Self) {
        self.total += other.total;
        self.resolved += other.resolved;
        self.unresolved += other.unresolved;
    }
}

/// The devices of a place that had faults, or alerts.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct TroubledTally {
    count: Resolved,
}

impl Tally for TroubledTally {
    fn add(&mut self, other: &Self) {
        self.count.add(&other.count);
    }
}

/// Devices that had faults, or alerts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Troubled {
    gid: Option<String>,
    #[serde(flatten)]
    tally: TroubledTally,
    location: TroubledByPlace,
}

pub(crate) fn faulty(call: &Call<'_>, group: Group) -> Result<Troubled, Failure> {
    troubled(call, group, true)
}

pub(crate) fn alerting(call: &Call<'_>, group: Group) -> Result<Troubled, Failure> {
    troubled(call, group, false)
}

fn troubled(call: &Call<'_>, group: Group, fault: bool) -> Result<Troubled, Failure> {
    let gid = group.known(call)?;
    let rows: Vec<(Place, TroubledTally)> = call
        .connection
        .prepare_cached(concat!(
            "SELECT country, region, city, count(DISTINCT device.id),
                count(DISTINCT CASE WHEN cleared_at IS NULL OR cleared_at >= :until
                    THEN device.id END)
             FROM trouble JOIN device ON device.id = trouble.device
             WHERE product = :product AND fault = :fault AND raised_at < :until AND ",
            in_group!("gid"),
            " GROUP BY country, region, city"
        ))?
        .query_map(
            named_params! {
                ":product": call.product_key(),
                ":fault": fault,
                ":until": call.known_until(),
                ":gid": gid,
                ":deep": call.group_descendants,
            },
            |row| {
                let count = Resolved::new(row.get(3)?, row.get(4)?);
                Ok((place(row)?, TroubledTally { count }))
            },
        )?
        .collect::<Result<_, _>>()?;
    let (tally, location) = tree::sum(rows);
    Ok(Troubled {
        gid,
        tally,
        location,
    })
}

/// The faults, or alerts, of a place: how many of each point.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct TroublesTally {
    count: Resolved,
    detail: BTreeMap<String, Resolved>,
}

impl Tally for TroublesTally {
    fn add(&mut self, other: &Self) {
        self.count.add(&other.count);
        for (point, count) in &other.detail {
            self.detail.entry(point.clone()).or_default().add(count);
        }
    }
}

/// Faults, or alerts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Troubles {
    gid: Option<String>,
    #[serde(flatten)]
    tally: TroublesTally,
    location: TroublesByPlace,
}

pub(crate) fn faults(call: &Call<'_>, group: Group) -> Result<Troubles, Failure> {
    troubles(call, group, true)
}

pub(crate) fn alerts(call: &Call<'_>, group: Group) -> Result<Troubles, Failure> {
    troubles(call, group, false)
}

fn troubles(call: &Call<'_>, group: Group, fault: bool) -> Result<Troubles, Failure> {
    let gid = group.known(call)?;
    let rows: Vec<(Place, TroublesTally)> = call
        .connection
        .prepare_cached(concat!(
            "SELECT country, region, city, count(*),
                count(CASE WHEN cleared_at IS NULL OR cleared_at >= :until THEN 1 END), point
             FROM trouble JOIN device ON device.id = trouble.device
             WHERE product = :product AND fault = :fault AND raised_at < :until AND ",
            in_group!("gid"),
            " GROUP BY country, region, city, point"
        ))?
        .query_map(
            named_params! {
                ":product": call.product_key(),
                ":fault": fault,
                ":until": call.known_until(),
                ":gid": gid,
                ":deep": call.group_descendants,
            },
            |row| {
                let count = Resolved::new(row.get(3)?, row.get(4)?);
                let detail = BTreeMap::from([(row.get(5)?, count.clone())]);
                Ok((place(row)?, TroublesTally { count, detail }))
            },
        )?
        .collect::<Result<_, _>>()?;
    let (tally, location) = tree::sum(rows);
    Ok(Troubles {
        gid,
        tally,
        location,
    })
}
