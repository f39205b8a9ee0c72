//! Devices: by MAC, and by what they are.

use rusqlite::{OptionalExtension as _, named_params};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::call::{Call, in_group};
use crate::error::{Failure, Refusal};
use crate::groups::Group;
use crate::input::{self, Flag, is_set};
use crate::page::{Page, Paging};

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

/// A device, as a search finds it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundDevice {
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

pub(crate) fn by_mac(call: &Call<'_>, asked: Mac) -> Result<DeviceKey, Failure> {
    let found = call
        .connection
        .prepare_cached(
            "SELECT did, passcode FROM device
             WHERE product = ? AND mac = ? AND activated_at IS NOT NULL",
        )?
        .query_row([call.product_key(), &asked.mac], |row| {
            Ok(DeviceKey {
                did: row.get(0)?,
                passcode: row.get(1)?,
            })
        })
        .optional()?;
    found.ok_or_else(|| Refusal::new(5301).into())
}

pub(crate) fn detail(call: &Call<'_>, asked: Mac) -> Result<DeviceDetail, Failure> {
    let found = call
        .connection
        .prepare_cached(
            "SELECT product, mac, did, online_since IS NOT NULL, disabled, type FROM device
             WHERE product = ? AND mac = ? AND activated_at IS NOT NULL",
        )?
        .query_row([call.product_key(), &asked.mac], |row| {
            Ok(DeviceDetail {
                product_key: row.get(0)?,
                mac: row.get(1)?,
                did: row.get(2)?,
                is_online: row.get(3)?,
                is_disabled: row.get(4)?,
                kind: row.get(5)?,
            })
        })
        .optional()?;
    found.ok_or_else(|| Refusal::new(5301).into())
}

/// What a search asks for; `total` counts it, `objects` are a page of it.
macro_rules! matching {
    ($columns:literal, $end:literal) => {
        concat!(
            "WITH found AS (
                SELECT *,
                    EXISTS (SELECT 1 FROM trouble WHERE device = device.id AND fault
                        AND cleared_at IS NULL) AS faulty,
                    EXISTS (SELECT 1 FROM trouble WHERE device = device.id AND NOT fault
                        AND cleared_at IS NULL) AS alert
                FROM device
                WHERE product = :product AND activated_at IS NOT NULL
             ) SELECT ",
            $columns,
            " FROM found WHERE (:show_disabled OR NOT disabled)
                AND (:country IS NULL OR country = :country)
                AND (:region IS NULL OR region = :region)
                AND (:city IS NULL OR city = :city)
                AND (:online IS NULL OR (online_since IS NOT NULL) = :online)
                AND (:faulty IS NULL OR faulty = :faulty)
                AND (:alert IS NULL OR alert = :alert)
                AND (:since IS NULL OR last_report >= :since)
                AND (:did IS NULL OR did = :did)
                AND (:mac IS NULL OR mac = :mac)
                AND (:uid IS NULL OR id IN (SELECT device FROM binding WHERE uid = :uid))
                AND ",
            in_group!("gid"),
            $end
        )
    };
}

/// Where devices are.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Place {
    /// In this country.
    pub(crate) country: Option<String>,
    /// In this region.
    pub(crate) region: Option<String>,
    /// In this city.
    pub(crate) city: Option<String>,
}

/// How devices are.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct State {
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

/// Which devices are sought.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Sought {
    /// 1: those that are disabled, too.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1)]
    show_disabled: Option<Flag>,
    /// Only those that reported since then, in seconds since 1970.
    liveness_start: Option<i64>,
    /// What `val` is.
    #[serde(rename = "type")]
    #[param(inline)]
    kind: Option<SoughtBy>,
    /// The did or MAC of the device, or the uid of its user.
    val: Option<String>,
}

/// By what a device is sought.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
enum SoughtBy {
    Did,
    Mac,
    Uid,
}

pub(crate) fn search(
    call: &Call<'_>,
    sought: Sought,
    state: State,
    place: Place,
    group: Group,
    paging: Paging,
) -> Result<Page<FoundDevice>, Failure> {
    let paging = call.served(paging)?;
    input::together(&sought.kind, &sought.val)?;
    let only = |one| sought.val.as_deref().filter(|_| sought.kind == Some(one));
    let since = sought.liveness_start;
    let since = since.map(|seconds| seconds.saturating_mul(1000));
    let gid = group.known(call)?;
    let filters = named_params! {
        ":product": call.product_key(),
        ":show_disabled": is_set(sought.show_disabled).unwrap_or(false),
        ":country": place.country,
        ":region": place.region,
        ":city": place.city,
        ":online": is_set(state.is_online),
        ":faulty": is_set(state.is_faulty),
        ":alert": is_set(state.is_alert),
        ":since": since,
        ":did": only(SoughtBy::Did),
        ":mac": only(SoughtBy::Mac),
        ":uid": only(SoughtBy::Uid),
        ":gid": gid,
        ":deep": call.group_descendants,
    };
    let total = call
        .connection
        .prepare_cached(matching!("count(*)", ""))?
        .query_row(filters, |row| row.get(0))?;
    let limits = named_params! { ":limit": paging.limit, ":skip": paging.skip };
    let all: Vec<_> = filters.iter().chain(limits).copied().collect();
    let objects = call
        .connection
        .prepare_cached(matching!(
            "did, mac, country, region, city, longitude, latitude, online_since IS NOT NULL, faulty,
             alert, online_latest, created_at, mcu_hard_version, mcu_soft_version,
             wifi_hard_version, wifi_soft_version",
            " ORDER BY id LIMIT :limit OFFSET :skip"
        ))?
        .query_map(&*all, |row| {
            Ok(FoundDevice {
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
        })?
        .collect::<Result<_, _>>()?;
    Ok(call.page(paging, total, objects))
}
