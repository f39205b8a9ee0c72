//! Devices: one by its MAC, and a search.

use rusqlite::named_params;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::groups::{GroupFilter, IN_GROUP};
use crate::api::{Call, Failure, Flag, Number, Page, Paging, check_kind_and_value, is_set, refuse};
use crate::world::row;

/// The did and the passcode of a device.
#[derive(Deserialize, Serialize, ToSchema)]
pub(crate) struct DeviceKey {
    did: String,
    passcode: String,
}

/// The registration of a device.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct DeviceDetail {
    product_key: String,
    mac: Option<String>,
    did: String,
    is_online: bool,
    is_disabled: bool,
    #[serde(rename = "type")]
    kind: String,
}

/// A device that a search returns.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct SearchedDevice {
    did: String,
    mac: Option<String>,
    country: Option<String>,
    region: Option<String>,
    city: Option<String>,
    longitude: Option<f64>,
    latitude: Option<f64>,
    is_online: bool,
    is_faulty: bool,
    is_alert: bool,
    online_latest: Option<i64>,
    created_at: i64,
    mcu_hard_version: Option<String>,
    mcu_soft_version: Option<String>,
    wifi_hard_version: Option<String>,
    wifi_soft_version: Option<String>,
}

/// The MAC of a device.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Mac {
    /// The MAC of the device. Case matters: it is compared with the MAC that was registered.
    #[param(example = "virtual:site")]
    mac: String,
}

impl Mac {
    /// Selects columns of the product's device with this MAC. Refuses an unknown MAC with 5301.
    fn find<T: DeserializeOwned>(&self, call: &Call<'_>, columns: &str) -> Result<T, Failure> {
        let sql = format!("SELECT {columns} FROM known_device WHERE product = ? AND mac = ?");
        let values = [call.product_key(), &self.mac];
        let found = call.store.first(&sql, values, row::read)?;
        found.map_or_else(|| refuse(5301), Ok)
    }
}

pub(crate) fn by_mac(call: &Call<'_>, mac: Mac) -> Result<DeviceKey, Failure> {
    mac.find(call, "did, passcode")
}

pub(crate) fn detail(call: &Call<'_>, mac: Mac) -> Result<DeviceDetail, Failure> {
    mac.find(
        call,
        "product AS product_key, mac, did, is_online, disabled AS is_disabled, type",
    )
}

/// The filter for the location of devices.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LocationFilter {
    /// The country of the devices. Default: any.
    pub(crate) country: Option<String>,
    /// The region of the devices. Default: any.
    pub(crate) region: Option<String>,
    /// The city of the devices. Default: any.
    pub(crate) city: Option<String>,
}

/// The SQL condition of a [`LocationFilter`].
pub(crate) const AT_LOCATION: &str = "(:country IS NULL OR country = :country)
    AND (:region IS NULL OR region = :region) AND (:city IS NULL OR city = :city)";

/// The filter for the state of devices.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StateFilter {
    /// Whether the devices are online: 1 or 0. Default: both.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1)]
    pub(crate) is_online: Option<Flag>,
    /// Whether the devices have an open fault: 1 or 0. Default: both.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1)]
    pub(crate) is_faulty: Option<Flag>,
    /// Whether the devices have an open alert: 1 or 0. Default: both.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1)]
    pub(crate) is_alert: Option<Flag>,
}

/// The SQL condition of a [`StateFilter`].
pub(crate) const IN_STATE: &str = "(:online IS NULL OR is_online = :online)
    AND (:faulty IS NULL OR is_faulty = :faulty) AND (:alert IS NULL OR is_alert = :alert)";

/// The filter for disabled devices, activity, and one device or user.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeviceFilter {
    /// Whether disabled devices are returned, too: 1 or 0. Default: 0.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1)]
    show_disabled: Option<Flag>,
    /// The earliest time of the last report, in seconds since 1970. Default: any.
    #[param(value_type = Option<i64>)]
    liveness_start: Option<Number>,
    /// The kind of `val`. Required with `val`.
    #[serde(rename = "type")]
    #[param(inline)]
    kind: Option<DeviceKeyKind>,
    /// The did or MAC of the device, or the uid of its user. Required with `type`.
    val: Option<String>,
}

/// The kind of the value that selects devices.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
enum DeviceKeyKind {
    Did,
    Mac,
    Uid,
}

pub(crate) fn search(
    call: &Call<'_>,
    filter: DeviceFilter,
    state: StateFilter,
    location: LocationFilter,
    group: GroupFilter,
    paging: Paging,
) -> Result<Page<SearchedDevice>, Failure> {
    check_kind_and_value(&filter.kind, &filter.val)?;
    let is_sought = match filter.kind {
        None => ":val IS NULL",
        Some(DeviceKeyKind::Did) => "did = :val",
        Some(DeviceKeyKind::Mac) => "mac = :val",
        Some(DeviceKeyKind::Uid) => "id IN (SELECT device FROM binding WHERE uid = :val)",
    };
    let gid = group.known(call)?;
    let filters = named_params! {
        ":product": call.product_key(),
        ":show_disabled": is_set(filter.show_disabled).unwrap_or(false),
        ":country": location.country,
        ":region": location.region,
        ":city": location.city,
        ":online": is_set(state.is_online),
        ":faulty": is_set(state.is_faulty),
        ":alert": is_set(state.is_alert),
        ":since": filter.liveness_start.map(|Number(seconds)| seconds),
        ":val": filter.val,
        ":gid": gid,
    };
    let columns = "did, mac, country, region, city, longitude, latitude, is_online, is_faulty,
        is_alert, online_latest / 1000 AS online_latest, created_at / 1000 AS created_at, mcu_hard_version, mcu_soft_version,
        wifi_hard_version, wifi_soft_version";
    let from = format!(
        "known_device WHERE product = :product AND (:show_disabled OR NOT disabled)
            AND (:since IS NULL OR last_report >= :since * 1000)
            AND {is_sought} AND {AT_LOCATION} AND {IN_STATE} AND {IN_GROUP}"
    );
    call.counted_page(paging, (columns, &from, "id"), filters)
}
