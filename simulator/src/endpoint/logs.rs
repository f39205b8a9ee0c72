//! The logs of a device: connections, frames and reported values.

use rusqlite::named_params;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::api::{Call, Failure, Number, Page, Paging, refuse_because};
use crate::world::LOG_RETENTION;
use crate::world::day::DAY;

/// A record of a device that connected or disconnected.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct OnlineRecord {
    /// The time in seconds since 1970.
    timestamp: f64,
    /// `dev_online`, `dev_offline` or `dev_re_online`.
    #[serde(rename = "type")]
    kind: String,
    /// The keep-alive time of the connection, or its duration, heartbeats and the reason of its end. Times
    /// are in seconds.
    #[serde(deserialize_with = "raw_json")]
    #[schema(value_type = Object)]
    payload: Box<RawValue>,
}

/// A frame to or from a device.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct CmdRecord {
    /// The time in seconds since 1970.
    timestamp: f64,
    /// `app2dev` for a frame to the device, `dev2app` for a frame from it.
    #[serde(rename = "type")]
    kind: String,
    /// The frame in hex.
    payload: String,
}

/// The values that a device reported.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct DataRecord {
    /// The time in seconds since 1970.
    ts: i64,
    /// The values by the names of data points.
    #[serde(deserialize_with = "raw_json")]
    #[schema(value_type = Object)]
    attrs: Box<RawValue>,
}

fn raw_json<'d, D: Deserializer<'d>>(from: D) -> Result<Box<RawValue>, D::Error> {
    RawValue::from_string(String::deserialize(from)?).map_err(D::Error::custom)
}

/// A page of a log: the records of a device in a time window.
fn log<T: DeserializeOwned>(
    call: &Call<'_>,
    window: Window,
    paging: Paging,
    table: &str,
    columns: &str,
) -> Result<Page<T>, Failure> {
    let order = match window.sort {
        Sort::Desc => "at DESC, id DESC",
        Sort::Asc => "at, id",
    };
    let (start, end) = window.span(call.now)?;
    let device = call.device()?;
    let span = named_params! {
        ":device": device.id,
        ":start": start.max(call.now.saturating_sub(LOG_RETENTION)),
        ":end": end,
    };
    let rows = format!("FROM {table} WHERE device = :device AND at >= :start AND at < :end");
    // The records of a device are numbered without gaps, so the first and the last number give the total.
    let total = format!(
        "SELECT coalesce(1 + (SELECT number {rows} ORDER BY at DESC, id DESC LIMIT 1)
            - (SELECT number {rows} ORDER BY at, id LIMIT 1), 0)"
    );
    let total = call.store.value(&total, span)?;
    let sql = format!("SELECT {columns} {rows} ORDER BY {order}");
    call.page(paging, total, &sql, span)
}

pub(crate) fn online(
    call: &Call<'_>,
    window: Window,
    paging: Paging,
) -> Result<Page<OnlineRecord>, Failure> {
    let columns = "at / 1000.0 AS timestamp, type, payload";
    log(call, window, paging, "online", columns)
}

pub(crate) fn cmd(
    call: &Call<'_>,
    window: Window,
    paging: Paging,
) -> Result<Page<CmdRecord>, Failure> {
    let columns = "at / 1000.0 AS timestamp, lower(hex(payload)) AS payload,
        iif(to_device, 'app2dev', 'dev2app') AS type";
    log(call, window, paging, "frame", columns)
}

pub(crate) fn data(
    call: &Call<'_>,
    window: Window,
    paging: Paging,
) -> Result<Page<DataRecord>, Failure> {
    log(call, window, paging, "data", "at / 1000 AS ts, attrs")
}

/// The time window and the order of records.
#[derive(Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Window {
    /// The first second of the window, in seconds since 1970. Default: two days ago. Required with
    /// `end_ts`.
    #[param(value_type = Option<i64>)]
    start_ts: Option<Number>,
    /// The last second of the window, in seconds since 1970, at most two days after `start_ts`. Default:
    /// now. Required with `start_ts`.
    #[param(value_type = Option<i64>)]
    end_ts: Option<Number>,
    /// The order of records. Default: `desc`.
    #[serde(default)]
    #[param(inline, required = false)]
    sort: Sort,
}

/// The order of records.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(default = "desc")]
enum Sort {
    /// The newest record first.
    #[default]
    Desc,
    /// The oldest record first.
    Asc,
}

impl Window {
    /// Returns the start and the exclusive end in milliseconds since 1970.
    fn span(self, now: i64) -> Result<(i64, i64), Failure> {
        let (start, end) = match (self.start_ts, self.end_ts) {
            (Some(Number(start)), Some(Number(end))) => (start, end),
            (None, None) => {
                let now = now.div_euclid(1000);
                (now.saturating_sub(2 * DAY / 1000), now)
            }
            _ => return refuse_because(5002, "expected both start_ts and end_ts, or neither"),
        };
        let span = end.checked_sub(start);
        match span {
            Some(1..) if start >= 0 && span <= Some(2 * DAY / 1000) => {}
            Some(1..) if start >= 0 => return refuse_because(5002, "expected at most two days"),
            _ => return refuse_because(5002, "expected 0 <= start_ts < end_ts"),
        }
        let end = end.saturating_add(1).saturating_mul(1000);
        Ok((start.saturating_mul(1000), end))
    }
}
