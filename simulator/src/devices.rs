//! Devices: by MAC, and by what they are.

use rusqlite::{OptionalExtension as _, named_params};
use serde::Serialize;

use crate::call::{Call, in_group};
use crate::error::{Failure, Refusal, refuse};
use crate::page::Page;

/// The did of a MAC, with the secret by which the device is spoken to.
#[derive(Debug, Serialize)]
pub(crate) struct DeviceKey {
    did: String,
    passcode: String,
}

/// A device's registration.
#[derive(Debug, Serialize)]
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
#[derive(Debug, Serialize)]
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

fn mac<'c>(call: &'c Call<'_>) -> Result<&'c str, Failure> {
    match call.text("mac") {
        Some(mac) => Ok(mac),
        None => refuse(5002, "mac is required"),
    }
}

pub(crate) fn by_mac(call: &Call<'_>) -> Result<DeviceKey, Failure> {
    let found = call
        .connection
        .prepare_cached(
            "SELECT did, passcode FROM device
             WHERE product = ? AND mac = ? AND activated_at IS NOT NULL",
        )?
        .query_row([call.product_key(), mac(call)?], |row| {
            Ok(DeviceKey {
                did: row.get(0)?,
                passcode: row.get(1)?,
            })
        })
        .optional()?;
    found.ok_or_else(|| Refusal::new(5301).into())
}

pub(crate) fn detail(call: &Call<'_>) -> Result<DeviceDetail, Failure> {
    let found = call
        .connection
        .prepare_cached(
            "SELECT product, mac, did, online_since IS NOT NULL, disabled, type FROM device
             WHERE product = ? AND mac = ? AND activated_at IS NOT NULL",
        )?
        .query_row([call.product_key(), mac(call)?], |row| {
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

pub(crate) fn search(call: &Call<'_>) -> Result<Page<FoundDevice>, Failure> {
    let paging = call.paging()?;
    let (mut did, mut mac, mut uid) = (None, None, None);
    match (call.text("type"), call.text("val")) {
        (None, None) => {}
        (Some("did"), Some(val)) => did = Some(val),
        (Some("mac"), Some(val)) => mac = Some(val),
        (Some("uid"), Some(val)) => uid = Some(val),
        (Some("did" | "mac" | "uid"), None) => return refuse(5002, "val is missing"),
        _ => return refuse(5002, "type is did, mac or uid"),
    }
    let since = call.int("liveness_start")?;
    let since = since.map(|seconds| seconds.saturating_mul(1000));
    let show_disabled = call.flag("show_disabled")?.unwrap_or(false);
    let (online, faulty, alert) = (
        call.flag("is_online")?,
        call.flag("is_faulty")?,
        call.flag("is_alert")?,
    );
    let gid = call.gid()?;
    let filters = named_params! {
        ":product": call.product_key(),
        ":show_disabled": show_disabled,
        ":country": call.text("country"),
        ":region": call.text("region"),
        ":city": call.text("city"),
        ":online": online,
        ":faulty": faulty,
        ":alert": alert,
        ":since": since,
        ":did": did,
        ":mac": mac,
        ":uid": uid,
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
