//! What a device did: when it was online, its frames, its data.

use gizwits_codec_std::payload;
use rusqlite::{Row, named_params};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::call::Call;
use crate::device::KEPT;
use crate::error::{Failure, refuse};
use crate::page::{Page, Paging};
use crate::period::DAY;
use crate::store::from_json;

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

/// What a report said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DataRecord {
    /// In seconds since 1970.
    ts: i64,
    /// Values by name of point.
    #[schema(value_type = Object)]
    attrs: Box<RawValue>,
}

/// JSON that was put into the database by this crate.
pub(crate) fn raw(row: &Row<'_>, column: usize) -> Result<Box<RawValue>, rusqlite::Error> {
    from_json(column, &row.get::<_, String>(column)?)
}

fn seconds(row: &Row<'_>) -> Result<f64, rusqlite::Error> {
    Ok(row.get::<_, i64>(0)? as f64 / 1000.0)
}

/// A page of a table: the device's rows between two seconds, both within.
macro_rules! log {
    ($call:expr, $window:expr, $paging:expr, $table:literal, $columns:literal, $read:expr) => {{
        let call: &Call<'_> = $call;
        let paging = call.served($paging)?;
        let Window { sort, .. } = $window;
        let (start, end) = $window.span(call.now)?;
        let device = call.device()?;
        let span = named_params! {
            ":device": device.id,
            ":start": start.max(call.now.saturating_sub(KEPT)),
            ":end": end,
        };
        let total = call
            .connection
            .prepare_cached(concat!(
                "SELECT coalesce(1
                    + (SELECT number FROM ",
                $table,
                " WHERE device = :device AND at >= :start AND at < :end
                        ORDER BY at DESC, id DESC LIMIT 1)
                    - (SELECT number FROM ",
                $table,
                " WHERE device = :device AND at >= :start AND at < :end
                        ORDER BY at, id LIMIT 1), 0)"
            ))?
            .query_row(span, |row| row.get(0))?;
        let limits = named_params! { ":limit": paging.limit, ":skip": paging.skip };
        let all: Vec<_> = span.iter().chain(limits).copied().collect();
        let sql = match sort {
            Sort::Desc => concat!(
                "SELECT ",
                $columns,
                " FROM ",
                $table,
                " WHERE device = :device AND at >= :start AND at < :end
                  ORDER BY at DESC, id DESC LIMIT :limit OFFSET :skip"
            ),
            Sort::Asc => concat!(
                "SELECT ",
                $columns,
                " FROM ",
                $table,
                " WHERE device = :device AND at >= :start AND at < :end
                  ORDER BY at, id LIMIT :limit OFFSET :skip"
            ),
        };
        let objects = call
            .connection
            .prepare_cached(sql)?
            .query_map(&*all, $read)?
            .collect::<Result<_, _>>()?;
        Ok(call.page(paging, total, objects))
    }};
}

pub(crate) fn online(
    call: &Call<'_>,
    window: Window,
    paging: Paging,
) -> Result<Page<OnlineRecord>, Failure> {
    log!(call, window, paging, "online", "at, type, payload", |row| {
        Ok(OnlineRecord {
            timestamp: seconds(row)?,
            kind: row.get(1)?,
            payload: raw(row, 2)?,
        })
    })
}

pub(crate) fn cmd(
    call: &Call<'_>,
    window: Window,
    paging: Paging,
) -> Result<Page<CmdRecord>, Failure> {
    log!(
        call,
        window,
        paging,
        "frame",
        "at, to_device, payload",
        |row| {
            Ok(CmdRecord {
                timestamp: seconds(row)?,
                kind: if row.get(1)? { "app2dev" } else { "dev2app" },
                payload: payload::hex(&row.get::<_, Vec<u8>>(2)?),
            })
        }
    )
}

pub(crate) fn data(
    call: &Call<'_>,
    window: Window,
    paging: Paging,
) -> Result<Page<DataRecord>, Failure> {
    log!(call, window, paging, "data", "at, attrs", |row| {
        Ok(DataRecord {
            ts: row.get::<_, i64>(0)?.div_euclid(1000),
            attrs: raw(row, 1)?,
        })
    })
}

/// Which records of a log are wanted.
#[derive(Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Window {
    /// From then on, in seconds since 1970; without it and `end_ts` the last two days.
    start_ts: Option<i64>,
    /// Until then, in seconds since 1970, at most two days after `start_ts`.
    end_ts: Option<i64>,
    /// Whether the newest come first or last.
    #[serde(default)]
    #[param(inline, required = false)]
    sort: Sort,
}

/// In which order.
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
            (Some(start), Some(end)) => (start, end),
            (None, None) => {
                let now = now.div_euclid(1000);
                (now.saturating_sub(2 * DAY / 1000), now)
            }
            _ => return refuse(5002, "start_ts and end_ts come together"),
        };
        let span = end.checked_sub(start);
        match span {
            Some(1..) if start >= 0 && span <= Some(2 * DAY / 1000) => {}
            Some(1..) if start >= 0 => return refuse(5002, "at most two days"),
            _ => return refuse(5002, "end_ts is after start_ts"),
        }
        let end = end.saturating_add(1).saturating_mul(1000);
        Ok((start.saturating_mul(1000), end))
    }
}
