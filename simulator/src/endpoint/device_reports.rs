//! Reports on devices, counted by SQL from what happened.
//!
//! Those of big data know what happened until last midnight in China, unless the scenario has
//! `live_reports`: [`Call::known_until`].

use std::collections::BTreeMap;

use rusqlite::named_params;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::devices::{AT_LOCATION, IN_STATE, LocationFilter, StateFilter};
use super::groups::{GroupFilter, IN_GROUP};
use super::history::{History, PeriodRange, Periods, history};
use super::location::{Count, LocationTree, Tally, bare, count_in_group};
use crate::api::{Call, Day, Failure, Page, Paging, is_set, refuse, refuse_because};
use crate::world::{day, row};

// utoipa reads a generic type by a name without parameters alone.
type CountsByLocation = LocationTree<Count>;
type StatesByLocation = LocationTree<StatesTally>;
type TroubledByLocation = LocationTree<TroubledTally>;
type TroublesByLocation = LocationTree<TroublesTally>;

/// The locations of devices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Locations {
    gid: Option<String>,
    total: i64,
    location: CountsByLocation,
}

pub(crate) fn locations(
    call: &Call<'_>,
    state: StateFilter,
    group: GroupFilter,
) -> Result<Locations, Failure> {
    let gid = group.known(call)?;
    let sql = format!(
        "SELECT country, region, city, count(*) AS count FROM known_device
         WHERE product = :product AND {IN_STATE} AND {IN_GROUP} GROUP BY country, region, city"
    );
    let state = named_params! {
        ":online": is_set(state.is_online),
        ":faulty": is_set(state.is_faulty),
        ":alert": is_set(state.is_alert),
    };
    let (Count { count }, location) = count_in_group(call, gid.as_deref(), &sql, state)?;
    Ok(Locations {
        gid,
        total: count,
        location: bare(location, 0),
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
    let (store, product) = (call.store, call.product_key());
    let today = day::of(call.now);
    let active = "SELECT count(DISTINCT device) FROM activity JOIN device ON device.id = device
        WHERE product = ? AND at >= ? AND at < ?";
    let new = "SELECT count(*) FROM device
        WHERE product = ? AND activated_at >= ? AND activated_at < ?";
    let between = |sql, first: i64, end: i64| {
        let (from, until) = (day::start(today + first), day::start(today + end));
        store.value(sql, (product, from, until))
    };
    let count = |sql| store.value(sql, [product]);
    Ok(Summary {
        online: count("SELECT count(online_since) FROM known_device WHERE product = ?")?,
        total: count("SELECT count(*) FROM known_device WHERE product = ?")?,
        active: ActiveDevices {
            yesterday: between(active, -1, 0)?,
            seven_days: between(active, -7, 0)?,
        },
        new: NewDevices {
            today: between(new, 0, 1)?,
            yesterday: between(new, -1, 0)?,
            seven_days: between(new, -7, 0)?,
            thirty_days: between(new, -30, 0)?,
        },
    })
}

/// A device that was first online, or reported, on a day.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
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
            return refuse_because(5002, "end is before start");
        }
        if end > call.last_day() {
            return refuse(5014);
        }
        Ok((start, end))
    }
}

/// A page of devices by day: `sql` selects devices with the time at which it `happened`, from `:from`
/// until before `:until`.
fn devices_of_days(
    call: &Call<'_>,
    days: Days,
    location: LocationFilter,
    paging: Paging,
    sql: &str,
) -> Result<Page<DeviceOfDay>, Failure> {
    let (start, end) = days.known(call)?;
    let filters = named_params! {
        ":product": call.product_key(),
        ":from": day::start(start),
        ":until": day::start(end + 1),
        ":country": location.country,
        ":region": location.region,
        ":city": location.city,
    };
    let columns = "date(happened / 1000, 'unixepoch', '+8 hours') AS report_date,
        datetime(happened / 1000, 'unixepoch', '+8 hours') AS created_at,
        product AS product_key, mac, device_sn, country, region, city";
    let from = format!("({sql}) WHERE {AT_LOCATION}");
    call.counted_page(paging, (columns, &from, "happened, id"), filters, row::read)
}

pub(crate) fn new_devices(
    call: &Call<'_>,
    days: Days,
    location: LocationFilter,
    paging: Paging,
) -> Result<Page<DeviceOfDay>, Failure> {
    let sql = "SELECT *, activated_at AS happened FROM device
        WHERE product = :product AND activated_at >= :from AND activated_at < :until";
    devices_of_days(call, days, location, paging, sql)
}

pub(crate) fn active_devices(
    call: &Call<'_>,
    days: Days,
    location: LocationFilter,
    paging: Paging,
) -> Result<Page<DeviceOfDay>, Failure> {
    let sql = "SELECT device.*, activity.at AS happened
        FROM activity JOIN device ON device.id = activity.device
        WHERE product = :product AND at >= :from AND at < :until";
    devices_of_days(call, days, location, paging, sql)
}

pub(crate) fn liveness(
    call: &Call<'_>,
    span: PeriodRange,
    group: GroupFilter,
) -> Result<History, Failure> {
    let sql = format!(
        "SELECT country, region, city, count(DISTINCT device.id) AS count
         FROM activity JOIN device ON device.id = activity.device
         WHERE product = :product AND at >= :from AND at < :until AND {IN_GROUP}
         GROUP BY country, region, city"
    );
    history(call, span, group, true, &sql)
}

/// Devices that were first online, by period. The page lists it and says no more: parameters and
/// answer are those of its neighbours, all optional.
pub(crate) fn activation(
    call: &Call<'_>,
    periods: Periods,
    group: GroupFilter,
) -> Result<History, Failure> {
    let sql = format!(
        "SELECT country, region, city, count(*) AS count FROM device
         WHERE product = :product AND activated_at >= :from AND activated_at < :until AND {IN_GROUP}
         GROUP BY country, region, city"
    );
    history(call, periods.span(call)?, group, true, &sql)
}

/// How devices are now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Realtime {
    gid: Option<String>,
    count: States,
    location: StatesByLocation,
}

/// Devices by state.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct States {
    activated: i64,
    faulty: i64,
    alert: i64,
}

/// Devices of a location by state: what is zero is left out.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct StatesTally {
    count: NonZeroStates,
}

#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
pub(crate) struct NonZeroStates {
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

impl Tally for StatesTally {
    type Row = NonZeroStates;

    fn add(&mut self, row: &NonZeroStates) {
        self.count.activated += row.activated;
        self.count.faulty += row.faulty;
        self.count.alert += row.alert;
    }
}

pub(crate) fn realtime(call: &Call<'_>, group: GroupFilter) -> Result<Realtime, Failure> {
    let gid = group.known(call)?;
    let sql = format!(
        "SELECT country, region, city,
            count(*) AS activated, sum(is_faulty) AS faulty, sum(is_alert) AS alert
         FROM known_device
         WHERE product = :product AND {IN_GROUP} GROUP BY country, region, city"
    );
    let (sum, location): (StatesTally, _) = count_in_group(call, gid.as_deref(), &sql, &[])?;
    Ok(Realtime {
        gid,
        count: States {
            activated: sum.count.activated,
            faulty: sum.count.faulty,
            alert: sum.count.alert,
        },
        location,
    })
}

/// SQL for the faults, or alerts, of a product's devices that a report knows.
const TROUBLE: &str = "trouble JOIN device ON device.id = trouble.device
    WHERE product = :product AND fault = :fault AND raised_at < :until";
/// SQL for a fault or alert that was not over by then.
const UNRESOLVED: &str = "cleared_at IS NULL OR cleared_at >= :until";

/// How many there are, and how many of them are over.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Resolved {
    total: i64,
    resolved: i64,
    unresolved: i64,
}

/// Faults or alerts, or the devices that had them.
#[derive(Deserialize)]
pub(crate) struct TroubleRow {
    #[serde(default)]
    point: String,
    total: i64,
    unresolved: i64,
}

impl Resolved {
    fn add(&mut self, row: &TroubleRow) {
        self.total += row.total;
        self.resolved += row.total - row.unresolved;
        self.unresolved += row.unresolved;
    }
}

/// The devices of a location that had faults, or alerts.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct TroubledTally {
    count: Resolved,
}

impl Tally for TroubledTally {
    type Row = TroubleRow;

    fn add(&mut self, row: &TroubleRow) {
        self.count.add(row);
    }
}

/// Devices that had faults, or alerts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Troubled {
    gid: Option<String>,
    #[serde(flatten)]
    tally: TroubledTally,
    location: TroubledByLocation,
}

pub(crate) fn troubled<const FAULT: bool>(
    call: &Call<'_>,
    group: GroupFilter,
) -> Result<Troubled, Failure> {
    let gid = group.known(call)?;
    let sql = format!(
        "SELECT country, region, city, count(DISTINCT device.id) AS total,
            count(DISTINCT CASE WHEN {UNRESOLVED} THEN device.id END) AS unresolved
         FROM {TROUBLE} AND {IN_GROUP} GROUP BY country, region, city"
    );
    let filters = named_params! { ":fault": FAULT, ":until": call.known_until() };
    let (tally, location) = count_in_group(call, gid.as_deref(), &sql, filters)?;
    Ok(Troubled {
        gid,
        tally,
        location,
    })
}

/// The faults, or alerts, of a location: how many of each point.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct TroublesTally {
    count: Resolved,
    detail: BTreeMap<String, Resolved>,
}

impl Tally for TroublesTally {
    type Row = TroubleRow;

    fn add(&mut self, row: &TroubleRow) {
        self.count.add(row);
        self.detail.entry(row.point.clone()).or_default().add(row);
    }
}

/// Faults, or alerts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Troubles {
    gid: Option<String>,
    #[serde(flatten)]
    tally: TroublesTally,
    location: TroublesByLocation,
}

pub(crate) fn troubles<const FAULT: bool>(
    call: &Call<'_>,
    group: GroupFilter,
) -> Result<Troubles, Failure> {
    let gid = group.known(call)?;
    let sql = format!(
        "SELECT country, region, city, point, count(*) AS total,
            count(CASE WHEN {UNRESOLVED} THEN 1 END) AS unresolved
         FROM {TROUBLE} AND {IN_GROUP} GROUP BY country, region, city, point"
    );
    let filters = named_params! { ":fault": FAULT, ":until": call.known_until() };
    let (tally, location) = count_in_group(call, gid.as_deref(), &sql, filters)?;
    Ok(Troubles {
        gid,
        tally,
        location,
    })
}
