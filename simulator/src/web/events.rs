//! The events for the device page: the rows that are added to the logs.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::response::sse::Event;
use gizwits_codec_std::picture::{Picture, Seen};
use gizwits_codec_std::{PointId, Product, payload};
use rusqlite::{Row, named_params, params};
use serde::Serialize;
use serde_json::{Value, json};

use super::device_list::{Columns, summaries, summary, with_values};
use super::position::Position;
use crate::world::{Sql, Store, is_local};

/// The maximum number of rows that are read from a log at a time.
const BATCH: i64 = 200;
/// The maximum number of rows that a watcher may have missed. Beyond that, the page loads everything again.
const MISSED: i64 = 1000;
/// The number of the last frames that are searched for the last value of each point.
const FOLDED: i64 = 1000;
/// The number of remarks that a new watcher gets.
const REMARKS: i64 = 50;

/// An event named `clock`, `hello`, `device`, `frame`, `online` or `remark`, with data in JSON. `position` is the
/// watcher's position after the event, if the event changes it.
fn event(position: Option<Position>, name: &str, data: &str) -> Event {
    let mut event = Event::default().event(name).data(data);
    if let Some(position) = position {
        event = event.id(position.to_string());
    }
    if name == "hello" {
        event = event.retry(Duration::from_secs(1));
    }
    event
}

/// An event with the simulator's time in milliseconds since 1970, and whether its clock runs by itself.
pub(crate) fn clock(now: i64, runs: bool) -> Event {
    event(None, "clock", &text(&json!({"now": now, "runs": runs})))
}

// Serialization can't fail: events have only strings, numbers, arrays and objects.
fn text(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default()
}

/// A frame in the log.
#[derive(Serialize)]
struct Frame {
    /// The time in milliseconds since 1970.
    at: i64,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    decoded: Decoded,
}

/// A payload with its picture, or with the error that it can't be decoded.
#[derive(Serialize)]
pub(crate) struct Decoded {
    payload: String,
    /// Whether a client of the local network has sent the frame.
    local: bool,
    #[serde(flatten)]
    result: DecodeResult,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum DecodeResult {
    Picture(Picture),
    Error(String),
}

/// Decodes a payload with the definition of its product.
pub(crate) fn decoded(store: &Store, product: &str, bytes: &[u8]) -> Decoded {
    let result = match store.product(product) {
        None => DecodeResult::Error("the product has no definition".to_owned()),
        Some(product) => match product.decode(bytes) {
            Ok(decoded) => DecodeResult::Picture(Picture::of_message(&decoded, bytes)),
            Err(error) => DecodeResult::Error(error.message),
        },
    };
    Decoded {
        payload: payload::hex(bytes),
        local: is_local(bytes),
        result,
    }
}

/// Like [`decoded`], for a payload in hex or base64, as in the command log.
pub(crate) fn decoded_text(store: &Store, product: &str, text: &str) -> Decoded {
    match payload::parse(text, None) {
        Ok(bytes) => decoded(store, product, &bytes),
        Err(error) => Decoded {
            payload: text.to_owned(),
            local: false,
            result: DecodeResult::Error(error.message),
        },
    }
}

impl Frame {
    /// Reads a frame from a row with the columns `id, at, to_device, payload`.
    fn read(store: &Store, product: &str, row: &Row<'_>) -> Sql<Self> {
        Ok(Frame {
            at: row.get(1)?,
            kind: if row.get(2)? { "app2dev" } else { "dev2app" },
            decoded: decoded(store, product, row.get_ref(3)?.as_blob()?),
        })
    }
}

/// The reader of the events of a product, or of one of its devices.
pub(crate) struct Watcher {
    product: String,
    /// The id of the device. None: all devices of the product.
    device: Option<i64>,
    /// The position up to which rows have been read.
    position: Position,
    /// The last state of the device that was sent.
    summary: Option<Value>,
}

impl Watcher {
    /// Begins to watch `after` a position, or at the end of the logs, and returns the first event. None if the product
    /// or device does not exist.
    pub(crate) fn begin(
        store: &Store,
        product: &str,
        did: Option<&str>,
        after: Option<Position>,
    ) -> Sql<Option<(Self, Event)>> {
        let sql = "SELECT id FROM known_device WHERE product = ? AND did = ?";
        let device: Option<i64> = store.find(sql, params![product, did])?;
        if !store.definitions.contains_key(product) || did.is_some() && device.is_none() {
            return Ok(None);
        }
        let end = Position::end(store)?;
        let position = match after.filter(|after| after.is_before(end)) {
            Some(after) if missed(store, device, after)? <= MISSED => after,
            _ => end,
        };
        let mut watcher = Watcher {
            product: product.to_owned(),
            device,
            position,
            summary: None,
        };
        watcher.summary = watcher.read_summary(store)?;
        let known = match store.product(product) {
            Some(product) => known(store, product, device)?,
            None => BTreeMap::new(),
        };
        let sql = "SELECT id, at, to_device, payload FROM frame WHERE device = ?
            ORDER BY at DESC, id DESC LIMIT 1";
        let remarks = device.map(|device| store.remarks(device, REMARKS));
        // `resumed` is true if all missed events follow, and false if the page has to load everything again. `known`
        // has the last reported value of each point. `remarks` has the newest first.
        let hello = json!({
            "resumed": after == Some(position),
            "device": watcher.summary,
            "known": known,
            "last": store.first(sql, [device], |row| Frame::read(store, product, row))?,
            "remarks": remarks.transpose()?.unwrap_or_default(),
        });
        let hello = event(Some(position), "hello", &text(&hello));
        Ok(Some((watcher, hello)))
    }

    fn read_summary(&self, store: &Store) -> Sql<Option<Value>> {
        let sql = summaries("product = :product AND id = :id");
        let values = named_params! {":product": self.product, ":id": self.device};
        let found = store.first(&sql, values, summary)?;
        Ok(found.map(|(_, summary)| summary))
    }

    /// Returns the new events, and whether there may be more.
    pub(crate) fn next(&mut self, store: &Store) -> Sql<(Vec<Event>, bool)> {
        let end = Position::end(store)?;
        // SQLite numbers rows from 1 again after all old rows were deleted.
        for (seen, last) in self.position.0.iter_mut().zip(end.0) {
            if *seen > last {
                *seen = 0;
            }
        }
        match self.device {
            Some(device) => self.of_device(store, device, end),
            None => Ok((self.of_product(store, end)?, false)),
        }
    }

    fn of_device(&mut self, store: &Store, device: i64, end: Position) -> Sql<(Vec<Event>, bool)> {
        let product = &self.product;
        let newer = |log, columns, after, read: &dyn Fn(&Row<'_>) -> Sql<String>| {
            // The + before `device` keeps SQLite from its index: the new rows are few, and found by their id.
            let sql = format!(
                "SELECT id, at, {columns} FROM {log}
                 WHERE id > ?1 AND +device = ?2 ORDER BY id LIMIT ?3"
            );
            store.rows(&sql, params![after, device, BATCH], |row| {
                let (id, at) = (row.get::<_, i64>(0)?, row.get::<_, i64>(1)?);
                Ok((at, id, log, read(row)?))
            })
        };
        let Position([_, frame, online, _, remark]) = self.position;
        // The sort by time is stable, so a remark is sent before the answer of the same time.
        let logs = [
            newer("online", ONLINE, online, &|row| row.get(2))?,
            newer("remark", REMARK, remark, &|row| row.get(2))?,
            newer("frame", "to_device, payload", frame, &|row| {
                Frame::read(store, product, row).map(|frame| text(&frame))
            })?,
        ];
        let more = logs.iter().any(|log| i64::try_from(log.len()) == Ok(BATCH));
        let mut all = logs.concat();
        all.sort_by_key(|(at, ..)| *at);
        let mut events = Vec::with_capacity(all.len() + 1);
        for (_, id, name, data) in all {
            let Position([_, frame, online, _, remark]) = &mut self.position;
            *match name {
                "online" => online,
                "remark" => remark,
                _ => frame,
            } = id;
            events.push(event(Some(self.position), name, &data));
        }
        if !more {
            self.position = end;
        }
        let summary = self.read_summary(store)?;
        if summary.is_some() && summary != self.summary {
            events.push(event(None, "device", &text(&summary)));
            self.summary = summary;
        }
        Ok((events, more))
    }

    fn of_product(&mut self, store: &Store, end: Position) -> Sql<Vec<Event>> {
        let Position([_, frame, online, disabled_change, _]) = self.position;
        self.position = end;
        let values = named_params! {
            ":product": self.product,
            ":frame": frame,
            ":online": online,
            ":disabled_change": disabled_change,
        };
        let devices = store.rows(&summaries(NEW), values, summary)?;
        let columns = Columns::of(store.product(&self.product));
        let devices = with_values(store, &columns, devices)?;
        let told = |device: &Value| event(Some(end), "device", &text(device));
        Ok(devices.iter().map(told).collect())
    }
}

/// The number of rows after a position.
fn missed(store: &Store, device: Option<i64>, after: Position) -> Sql<i64> {
    let Position([_, frame, online, disabled_change, remark]) = after;
    store.value(
        "SELECT (SELECT count(*) FROM frame WHERE id > ?1 AND (?3 IS NULL OR +device = ?3))
            + (SELECT count(*) FROM online WHERE id > ?2 AND (?3 IS NULL OR +device = ?3))
            + (SELECT count(*) FROM disabled_change WHERE id > ?4 AND ?3 IS NULL)
            + (SELECT count(*) FROM remark WHERE id > ?5 AND +device = ?3)",
        params![frame, online, device, disabled_change, remark],
    )
}

/// A row of the log `online`, as JSON.
const ONLINE: &str = "json_object('at', at, 'type', type, 'payload', json(payload))";
/// A row of the log `remark`, as JSON.
const REMARK: &str =
    "json_object('at', at, 'type', json(type), 'point', point, 'message', message)";

/// SQL for the devices with new rows. They are found by id, so devices without new rows cost nothing.
const NEW: &str = "+product = :product AND id IN (SELECT device FROM frame WHERE id > :frame
    UNION ALL SELECT device FROM online WHERE id > :online
    UNION ALL SELECT device FROM disabled_change WHERE id > :disabled_change)";

/// The last reported value of each point, within the last [`FOLDED`] frames.
fn known(store: &Store, product: &Product, device: Option<i64>) -> Sql<BTreeMap<PointId, Seen>> {
    let sql = "SELECT payload FROM frame WHERE device = ? AND NOT to_device
        ORDER BY at DESC, id DESC LIMIT ?";
    let mut frames: Vec<Vec<u8>> = store.rows(sql, params![device, FOLDED], |row| row.get(0))?;
    frames.reverse();
    let mut state = product.state();
    for frame in &frames {
        if let Ok(decoded) = product.decode(frame) {
            // Can't fail: the frame was decoded with the same product.
            let _ = product.merge(&mut state, &decoded);
        }
    }
    Ok(product.seen(state.view()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_found_by_its_numbers() {
        let store = Store::open(None, None, 0).expect("a world");
        let mut plan = store
            .connection
            .prepare(&format!("EXPLAIN QUERY PLAN {}", summaries(NEW)))
            .expect("a query");
        let steps = plan
            .query_map(
                named_params! {":product": "", ":frame": 0, ":online": 0, ":disabled_change": 0},
                |row| row.get::<_, String>(3),
            )
            .and_then(Iterator::collect::<Sql<Vec<_>>>)
            .expect("a plan");
        let by_number = |table: &str| {
            let step = format!("SEARCH {table} USING INTEGER PRIMARY KEY (rowid");
            steps.iter().any(|one| one.starts_with(&step))
        };
        for table in ["device", "frame", "online", "disabled_change"] {
            assert!(by_number(table), "{table}: {steps:#?}");
        }
        let scans = |one: &String| one.starts_with("SCAN");
        assert!(!steps.iter().any(scans), "{steps:#?}");
    }
}
