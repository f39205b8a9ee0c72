//! Reports on devices. SQL counts the rows of the world's tables.
//!
//! The reports that the vendor computes at night count until the last midnight in China, or until now if
//! the scenario sets `live_reports`: see [`Call::known_until`].

use std::collections::BTreeMap;

use rusqlite::named_params;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::devices::{AT_LOCATION, IN_STATE, LocationFilter, StateFilter};
use super::groups::{GroupFilter, IN_GROUP};
use super::history::{History, PeriodRange, Periods, history};
use super::location::{Count, LocationTree, Tally, bare, count_in_group};
use crate::api::{Call, Day, Failure, Page, Paging, is_set, refuse, refuse_because};
use crate::world::day;

// utoipa needs names without type parameters for generic types.
type CountsByLocation = LocationTree<Count>;
type StatesByLocation = LocationTree<StatesTally>;
type TroubledByLocation = LocationTree<TroubledTally>;
type TroublesByLocation = LocationTree<TroublesTally>;

/// The number of devices in each location.
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

/// The numbers of online, new and active devices of a product.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Summary {
    online: i64,
    total: i64,
    active: ActiveDevices,
    new: NewDevices,
}

/// The numbers of devices that reported on these days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActiveDevices {
    yesterday: i64,
    #[serde(rename = "7_day")]
    seven_days: i64,
}

/// The numbers of devices that were online for the first time on these days.
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

/// A device that was new or active on a day.
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
    /// The time of the first report of the day, or of the first connection, in China Standard Time.
    created_at: String,
}

/// The days of the report. Default: the last thirty days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Days {
    /// The first day. Default: 29 days before the last day.
    #[param(value_type = Option<String>, pattern = r"^(\d{4}-\d{2}-\d{2})?$")]
    start: Option<Day>,
    /// The last day. Default: the last day that the reports count.
    #[param(value_type = Option<String>, pattern = r"^(\d{4}-\d{2}-\d{2})?$")]
    end: Option<Day>,
}

impl Days {
    /// Returns the first and the last day. Refuses a last day that the reports don't count yet with 5014.
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

/// A page of devices by day. `sql` selects the columns of `device`, and as `happened` a time from `:from`
/// to before `:until`.
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
    let columns = "coalesce(date(happened / 1000, 'unixepoch', '+8 hours'), '') AS report_date,
        coalesce(datetime(happened / 1000, 'unixepoch', '+8 hours'), '') AS created_at,
        product AS product_key, mac, device_sn, country, region, city";
    let from = format!("({sql}) WHERE {AT_LOCATION}");
    call.counted_page(paging, (columns, &from, "happened, id"), filters)
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

/// The number of devices that were online for the first time, by period.
///
/// The vendor's documentation lists this report without parameters and answer. They are assumed to be those
/// of the other reports, and all parameters optional.
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

/// The present states of devices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Realtime {
    gid: Option<String>,
    count: States,
    location: StatesByLocation,
}

/// The numbers of devices by state.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct States {
    activated: i64,
    faulty: i64,
    alert: i64,
}

/// The numbers of devices of a location by state. Zeros are left out.
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

/// SQL for the faults (`:fault` = 1) or alerts (0) of a product's devices that began before `:until`.
const TROUBLE: &str = "trouble JOIN device ON device.id = trouble.device
    WHERE product = :product AND fault = :fault AND raised_at < :until";
/// SQL for a fault or alert that was not over at `:until`.
const UNRESOLVED: &str = "cleared_at IS NULL OR cleared_at >= :until";

/// The number of faults or alerts, or of devices that had them: in all, resolved and unresolved.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Resolved {
    total: i64,
    resolved: i64,
    unresolved: i64,
}

/// A row of a report: the number of faults or alerts, or of devices that had them.
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

/// The number of devices of a location that had faults or alerts.
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

/// The number of devices that had faults or alerts.
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

/// The number of faults or alerts of a location, in all and by data point.
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

/// The number of faults or alerts.
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
