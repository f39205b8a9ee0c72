//! What a device did: when it was online, its frames, its data.

use gizwits_codec_std::payload;
use rusqlite::{Row, named_params};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::call::Call;
use crate::device::KEPT;
use crate::error::{Failure, refuse};
use crate::page::Page;
use crate::period::DAY;

/// When a device came or left.
#[derive(Debug, Serialize)]
pub(crate) struct OnlineRecord {
    timestamp: f64,
    #[serde(rename = "type")]
    kind: String,
    payload: Box<RawValue>,
}

/// A frame.
#[derive(Debug, Serialize)]
pub(crate) struct CmdRecord {
    timestamp: f64,
    #[serde(rename = "type")]
    kind: &'static str,
    payload: String,
}

/// What a report said.
#[derive(Debug, Serialize)]
pub(crate) struct DataRecord {
    ts: i64,
    attrs: Box<RawValue>,
}

/// JSON that was put into the database by this crate.
fn raw(row: &Row<'_>, column: usize) -> Result<Box<RawValue>, rusqlite::Error> {
    RawValue::from_string(row.get(column)?).map_err(|error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
    })
}

fn seconds(row: &Row<'_>) -> Result<f64, rusqlite::Error> {
    Ok(row.get::<_, i64>(0)? as f64 / 1000.0)
}

/// A page of a table: the device's rows between two seconds, both within.
macro_rules! log {
    ($call:expr, $table:literal, $columns:literal, $read:expr) => {{
        let call: &Call<'_> = $call;
        let paging = call.paging()?;
        let (start, end, descending) = window(call)?;
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
        let sql = match descending {
            true => concat!(
                "SELECT ",
                $columns,
                " FROM ",
                $table,
                " WHERE device = :device AND at >= :start AND at < :end
                  ORDER BY at DESC, id DESC LIMIT :limit OFFSET :skip"
            ),
            false => concat!(
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

pub(crate) fn online(call: &Call<'_>) -> Result<Page<OnlineRecord>, Failure> {
    log!(call, "online", "at, type, payload", |row| {
        Ok(OnlineRecord {
            timestamp: seconds(row)?,
            kind: row.get(1)?,
            payload: raw(row, 2)?,
        })
    })
}

pub(crate) fn cmd(call: &Call<'_>) -> Result<Page<CmdRecord>, Failure> {
    log!(call, "frame", "at, to_device, payload", |row| {
        Ok(CmdRecord {
            timestamp: seconds(row)?,
            kind: if row.get(1)? { "app2dev" } else { "dev2app" },
            payload: payload::hex(&row.get::<_, Vec<u8>>(2)?),
        })
    })
}

pub(crate) fn data(call: &Call<'_>) -> Result<Page<DataRecord>, Failure> {
    log!(call, "data", "at, attrs", |row| {
        Ok(DataRecord {
            ts: row.get::<_, i64>(0)?.div_euclid(1000),
            attrs: raw(row, 1)?,
        })
    })
}

/// The span that is asked for in milliseconds, its end exclusive, and whether the newest come first.
fn window(call: &Call<'_>) -> Result<(i64, i64, bool), Failure> {
    let descending = match call.text("sort") {
        None | Some("desc") => true,
        Some("asc") => false,
        Some(_) => return refuse(5002, "sort is desc or asc"),
    };
    let (start, end) = match (call.int("start_ts")?, call.int("end_ts")?) {
        (Some(start), Some(end)) => (start, end),
        (None, None) => {
            let now = call.now.div_euclid(1000);
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
    Ok((start.saturating_mul(1000), end, descending))
}
