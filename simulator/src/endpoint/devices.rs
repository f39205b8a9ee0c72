//! Devices: by MAC, and by what they are.

use rusqlite::{Row, named_params};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::groups::{GroupFilter, IN_GROUP};
use crate::api::{Call, Failure, Flag, Number, Page, Paging, check_kind_and_value, is_set, refuse};
use crate::world::Sql;

/// The did of a MAC, with the secret by which the device is spoken to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceKey {
    did: String,
    passcode: String,
}

/// A device's registration.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceDetail {
    product_key: String,
    mac: Option<String>,
    did: String,
    is_online: bool,
    is_disabled: bool,
    #[serde(rename = "type")]
    kind: String,
}

/// A device of a search.
#[derive(Debug, Serialize, ToSchema)]
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

/// A device by its MAC.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Mac {
    /// The device's MAC, as it was registered: upper and lower case differ.
    #[param(example = "virtual:site")]
    mac: String,
}

impl Mac {
    /// Columns of the product's device with this MAC: 5301 if there is none.
    fn find<T>(
        &self,
        call: &Call<'_>,
        columns: &str,
        read: impl FnOnce(&Row<'_>) -> Sql<T>,
    ) -> Result<T, Failure> {
        let sql = format!("SELECT {columns} FROM known_device WHERE product = ? AND mac = ?");
        let found = call
            .store
            .first(&sql, [call.product_key(), &self.mac], read)?;
        found.map_or_else(|| refuse(5301), Ok)
    }
}

pub(crate) fn by_mac(call: &Call<'_>, mac: Mac) -> Result<DeviceKey, Failure> {
    mac.find(call, "did, passcode", |row| {
        Ok(DeviceKey {
            did: row.get(0)?,
            passcode: row.get(1)?,
        })
    })
}

pub(crate) fn detail(call: &Call<'_>, mac: Mac) -> Result<DeviceDetail, Failure> {
    let columns = "product, mac, did, is_online, disabled, type";
    mac.find(call, columns, |row| {
        Ok(DeviceDetail {
            product_key: row.get(0)?,
            mac: row.get(1)?,
            did: row.get(2)?,
            is_online: row.get(3)?,
            is_disabled: row.get(4)?,
            kind: row.get(5)?,
        })
    })
}

/// The location that devices are at.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LocationFilter {
    /// Only devices in this country.
    pub(crate) country: Option<String>,
    /// Only devices in this region.
    pub(crate) region: Option<String>,
    /// Only devices in this city.
    pub(crate) city: Option<String>,
}

/// SQL for the devices of a [`LocationFilter`].
pub(crate) const AT_LOCATION: &str = "(:country IS NULL OR country = :country)
    AND (:region IS NULL OR region = :region) AND (:city IS NULL OR city = :city)";

/// The state that devices are in.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StateFilter {
    /// 1: only those that are online; 0: only those that are not.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1)]
    pub(crate) is_online: Option<Flag>,
    /// 1: only those with a fault; 0: only those without.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1)]
    pub(crate) is_faulty: Option<Flag>,
    /// 1: only those with an alert; 0: only those without.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1)]
    pub(crate) is_alert: Option<Flag>,
}

/// SQL for the devices of a [`StateFilter`].
pub(crate) const IN_STATE: &str = "(:online IS NULL OR is_online = :online)
    AND (:faulty IS NULL OR is_faulty = :faulty) AND (:alert IS NULL OR is_alert = :alert)";

/// The devices that are sought.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeviceFilter {
    /// 1: those that are disabled, too.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1)]
    show_disabled: Option<Flag>,
    /// Only devices that reported since this time, in seconds since 1970.
    #[param(value_type = Option<i64>)]
    liveness_start: Option<Number>,
    /// The kind of `val`.
    #[serde(rename = "type")]
    #[param(inline)]
    kind: Option<DeviceKeyKind>,
    /// The did or MAC of the device, or the uid of its user.
    val: Option<String>,
}

/// The kind of a value by which devices are sought.
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
    let only = |kind| filter.val.as_deref().filter(|_| filter.kind == Some(kind));
    let since = filter.liveness_start;
    let since = since.map(|Number(seconds)| seconds.saturating_mul(1000));
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
        ":since": since,
        ":did": only(DeviceKeyKind::Did),
        ":mac": only(DeviceKeyKind::Mac),
        ":uid": only(DeviceKeyKind::Uid),
        ":gid": gid,
        ":deep": call.store.group_descendants,
    };
    let columns = "did, mac, country, region, city, longitude, latitude, is_online, is_faulty,
        is_alert, online_latest, created_at, mcu_hard_version, mcu_soft_version,
        wifi_hard_version, wifi_soft_version";
    let from = format!(
        "known_device WHERE product = :product AND (:show_disabled OR NOT disabled)
            AND (:since IS NULL OR last_report >= :since)
            AND (:did IS NULL OR did = :did)
            AND (:mac IS NULL OR mac = :mac)
            AND (:uid IS NULL OR id IN (SELECT device FROM binding WHERE uid = :uid))
            AND {AT_LOCATION} AND {IN_STATE} AND {IN_GROUP}"
    );
    call.counted_page(paging, (columns, &from, "id"), filters, |row| {
        Ok(SearchedDevice {
            did: row.get(0)?,
            mac: row.get(1)?,
            country: row.get(2)?,
            region: row.get(3)?,
            city: row.get(4)?,
            longitude: row.get(5)?,
            latitude: row.get(6)?,
            is_online: row.get(7)?,
            is_faulty: row.get(8)?,
            is_alert: row.get(9)?,
            online_latest: row.get::<_, Option<i64>>(10)?.map(|at| at.div_euclid(1000)),
            created_at: row.get::<_, i64>(11)?.div_euclid(1000),
            mcu_hard_version: row.get(12)?,
            mcu_soft_version: row.get(13)?,
            wifi_hard_version: row.get(14)?,
            wifi_soft_version: row.get(15)?,
        })
    })
}
