//! The logs of a device: when it was online, its frames, its data.

use gizwits_codec_std::payload;
use rusqlite::{Row, named_params};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::api::{Call, Failure, Number, Page, Paging, refuse_because};
use crate::world::day::DAY;
use crate::world::{LOG_RETENTION, Sql, json};

/// When a device came or left.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OnlineRecord {
    /// In seconds since 1970.
    timestamp: f64,
    /// `dev_online`, `dev_offline` or `dev_re_online`.
    #[serde(rename = "type")]
    kind: String,
    /// How long it waits for a heartbeat, or how long the device was online and why it left.
    #[schema(value_type = Object)]
    payload: Box<RawValue>,
}

/// A frame.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CmdRecord {
    /// In seconds since 1970.
    timestamp: f64,
    /// `app2dev` or `dev2app`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The frame, in hex.
    payload: String,
}

/// The values of a report.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DataRecord {
    /// In seconds since 1970.
    ts: i64,
    /// Values by name of point.
    #[schema(value_type = Object)]
    attrs: Box<RawValue>,
}

fn seconds(row: &Row<'_>) -> Sql<f64> {
    Ok(row.get::<_, i64>(0)? as f64 / 1000.0)
}

/// A page of a log: a device's records between two seconds, both included.
fn log<T>(
    call: &Call<'_>,
    window: Window,
    paging: Paging,
    (table, columns): (&str, &str),
    read: impl FnMut(&Row<'_>) -> Sql<T>,
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
    // Records are numbered: the first and the last tell how many there are.
    let total = format!(
        "SELECT coalesce(1 + (SELECT number {rows} ORDER BY at DESC, id DESC LIMIT 1)
            - (SELECT number {rows} ORDER BY at, id LIMIT 1), 0)"
    );
    let total = call.store.value(&total, span)?;
    let sql = format!("SELECT {columns} {rows} ORDER BY {order}");
    call.page(paging, total, &sql, span, read)
}

pub(crate) fn online(
    call: &Call<'_>,
    window: Window,
    paging: Paging,
) -> Result<Page<OnlineRecord>, Failure> {
    let columns = ("online", "at, type, payload");
    log(call, window, paging, columns, |row| {
        Ok(OnlineRecord {
            timestamp: seconds(row)?,
            kind: row.get(1)?,
            payload: json(row, 2)?,
        })
    })
}

pub(crate) fn cmd(
    call: &Call<'_>,
    window: Window,
    paging: Paging,
) -> Result<Page<CmdRecord>, Failure> {
    let columns = ("frame", "at, to_device, payload");
    log(call, window, paging, columns, |row| {
        Ok(CmdRecord {
            timestamp: seconds(row)?,
            kind: if row.get(1)? { "app2dev" } else { "dev2app" },
            payload: payload::hex(row.get_ref(2)?.as_blob()?),
        })
    })
}

pub(crate) fn data(
    call: &Call<'_>,
    window: Window,
    paging: Paging,
) -> Result<Page<DataRecord>, Failure> {
    log(call, window, paging, ("data", "at, attrs"), |row| {
        Ok(DataRecord {
            ts: row.get::<_, i64>(0)?.div_euclid(1000),
            attrs: json(row, 1)?,
        })
    })
}

/// The records of a log that are wanted.
#[derive(Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Window {
    /// The first second, since 1970; without it and `end_ts` the last two days.
    #[param(value_type = Option<i64>)]
    start_ts: Option<Number>,
    /// The last second, since 1970, at most two days after `start_ts`.
    #[param(value_type = Option<i64>)]
    end_ts: Option<Number>,
    /// Whether the newest come first or last.
    #[serde(default)]
    #[param(inline, required = false)]
    sort: Sort,
}

/// The order of records.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(default = "desc")]
enum Sort {
    /// The newest first.
    #[default]
    Desc,
    /// The oldest first.
    Asc,
}

impl Window {
    /// In milliseconds, the end exclusive.
    fn span(self, now: i64) -> Result<(i64, i64), Failure> {
        let (start, end) = match (self.start_ts, self.end_ts) {
            (Some(Number(start)), Some(Number(end))) => (start, end),
            (None, None) => {
                let now = now.div_euclid(1000);
                (now.saturating_sub(2 * DAY / 1000), now)
            }
            _ => return refuse_because(5002, "start_ts and end_ts come together"),
        };
        let span = end.checked_sub(start);
        match span {
            Some(1..) if start >= 0 && span <= Some(2 * DAY / 1000) => {}
            Some(1..) if start >= 0 => return refuse_because(5002, "at most two days"),
            _ => return refuse_because(5002, "end_ts is after start_ts"),
        }
        let end = end.saturating_add(1).saturating_mul(1000);
        Ok((start.saturating_mul(1000), end))
    }
}
