//! What happens to devices, for those who watch: the rows of the logs that are newer than the last that
//! was told.

use std::collections::BTreeMap;
use std::fmt;

use gizwits_codec_std::{Picture, PointId, Product, Seen, payload};
use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::logs::raw;
use crate::remark::{self, Remark};
use crate::store::{Definition, Store};

/// So much is told at once.
const BATCH: i64 = 200;
/// Who missed more begins anew.
const MISSED: i64 = 1000;
/// What a device is doing is the sum of so many of its last frames.
const FOLDED: i64 = 1000;
/// So many of a device's last remarks are told to whoever begins to watch.
const REMARKS: i64 = 50;
/// So many devices are listed at once.
const LISTED: i64 = 100;

type Sql<T> = Result<T, rusqlite::Error>;

/// The position of a watcher in the events: the last rows of the logs that it has seen, and their world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    world: i64,
    frame: i64,
    online: i64,
    turned: i64,
    remark: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place {
            world,
            frame,
            online,
            turned,
            remark,
        } = self;
        write!(f, "{world}.{frame}.{online}.{turned}.{remark}")
    }
}

impl Place {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        let place = Place {
            world: numbers.next()??,
            frame: numbers.next()??,
            online: numbers.next()??,
            turned: numbers.next()??,
            remark: numbers.next()??,
        };
        numbers.next().is_none().then_some(place)
    }

    /// Where the logs end.
    fn end(connection: &Connection) -> Sql<Self> {
        connection
            .prepare_cached(
                "SELECT coalesce((SELECT min(created_at) FROM device), 0),
                    coalesce((SELECT max(id) FROM frame), 0),
                    coalesce((SELECT max(id) FROM online), 0),
                    coalesce((SELECT max(id) FROM turned), 0),
                    coalesce((SELECT max(id) FROM remark), 0)",
            )?
            .query_row([], |row| {
                Ok(Place {
                    world: row.get(0)?,
                    frame: row.get(1)?,
                    online: row.get(2)?,
                    turned: row.get(3)?,
                    remark: row.get(4)?,
                })
            })
    }
}

/// One thing to tell.
pub(crate) struct News {
    /// Behind it, in the place of who has heard it; none leaves that where it was.
    pub(crate) place: Option<Place>,
    /// `clock`, `hello`, `device`, `frame`, `online` or `remark`.
    pub(crate) name: &'static str,
    /// JSON.
    pub(crate) data: String,
}

impl News {
    /// What the simulator's clock says, in milliseconds since 1970, and whether it goes on by itself.
    pub(crate) fn clock(now: i64, runs: bool) -> Self {
        News::new(
            None,
            "clock",
            &serde_json::json!({"now": now, "runs": runs}),
        )
    }

    fn new(place: Option<Place>, name: &'static str, data: &impl Serialize) -> Self {
        let data = json(data);
        News { place, name, data }
    }
}

/// What this module tells is text, numbers and lists of them: JSON has room for all of it.
fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default()
}

/// The first that is told.
#[derive(Serialize)]
struct Hello<'l> {
    /// Whether what follows is all that was missed. If not, it is what happens from now on.
    resumed: bool,
    device: Option<&'l Summary>,
    /// What the device last reported of each point.
    known: BTreeMap<PointId, Seen>,
    /// The device's last frame.
    last: Option<Frame>,
    /// The device's last remarks, the newest first.
    remarks: Vec<Remark>,
}

/// What a device is, and how it is doing.
#[derive(Clone, PartialEq, Serialize)]
struct Summary {
    did: String,
    mac: Option<String>,
    country: Option<String>,
    region: Option<String>,
    city: Option<String>,
    is_online: bool,
    is_disabled: bool,
    is_faulty: bool,
    is_alert: bool,
    /// When it last came, in milliseconds since 1970.
    online_latest: Option<i64>,
    /// In milliseconds since 1970.
    last_report: Option<i64>,
}

/// A frame that was logged.
#[derive(Serialize)]
struct Frame {
    /// In milliseconds since 1970.
    at: i64,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    decoded: Decoded,
}

/// A device that came or left.
#[derive(Serialize)]
struct Online {
    /// In milliseconds since 1970.
    at: i64,
    #[serde(rename = "type")]
    kind: String,
    payload: Box<RawValue>,
}

/// Devices of a product, in the order of their making.
#[derive(Serialize)]
pub(crate) struct List {
    /// What has been told of them.
    place: String,
    /// How many there are in all.
    total: i64,
    /// Whether there are others behind these.
    more: bool,
    devices: Vec<Summary>,
}

/// A payload, and what it is.
#[derive(Serialize)]
pub(crate) struct Decoded {
    payload: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<Picture>,
    /// Why there is no picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

macro_rules! summary {
    ($where:literal) => {
        concat!(
            "SELECT did, mac, country, region, city, online_since IS NOT NULL, disabled,
                EXISTS (SELECT 1 FROM trouble
                    WHERE device = device.id AND fault AND cleared_at IS NULL),
                EXISTS (SELECT 1 FROM trouble
                    WHERE device = device.id AND NOT fault AND cleared_at IS NULL),
                online_latest, last_report
             FROM device WHERE activated_at IS NOT NULL AND ",
            $where
        )
    };
}

/// Takes a payload apart, with what its product's definition says.
pub(crate) fn decoded(store: &Store, product: &str, bytes: &[u8]) -> Decoded {
    let picture = match store.definitions.get(product) {
        Some(Definition::Sound(product)) => match product.decode(bytes) {
            Ok(decoded) => Ok(Picture::of_message(&decoded, bytes)),
            Err(error) => Err(error.message),
        },
        _ => Err("the product has no definition to decode it by".to_owned()),
    };
    let (picture, error) = match picture {
        Ok(picture) => (Some(picture), None),
        Err(error) => (None, Some(error)),
    };
    Decoded {
        payload: payload::hex(bytes),
        picture,
        error,
    }
}

/// [`decoded`], of a payload as the command log writes it: in hex or base64.
pub(crate) fn decoded_text(store: &Store, product: &str, text: &str) -> Decoded {
    match payload::parse(text, None) {
        Ok(bytes) => decoded(store, product, &bytes),
        Err(error) => Decoded {
            payload: text.to_owned(),
            picture: None,
            error: Some(error.message),
        },
    }
}

/// A frame of a row of `id, at, to_device, payload`.
fn frame(store: &Store, product: &str, row: &Row<'_>) -> Sql<(i64, Frame)> {
    let kind = match row.get(2)? {
        true => "app2dev",
        false => "dev2app",
    };
    let bytes: Vec<u8> = row.get(3)?;
    let at = row.get(1)?;
    let decoded = decoded(store, product, &bytes);
    Ok((row.get(0)?, Frame { at, kind, decoded }))
}

/// The devices of a product, behind the one with this did. None if there is no such product.
pub(crate) fn list(store: &Store, product: &str, after: Option<&str>) -> Sql<Option<List>> {
    if !store.definitions.contains_key(product) {
        return Ok(None);
    }
    let connection = &store.connection;
    let total = connection
        .prepare_cached(
            "SELECT count(*) FROM device WHERE product = ? AND activated_at IS NOT NULL",
        )?
        .query_row([product], |row| row.get(0))?;
    let mut devices = connection
        .prepare_cached(summary!(
            "product = :product AND id > coalesce((SELECT id FROM device WHERE did = :after), 0)
             ORDER BY id LIMIT :limit"
        ))?
        .query_map(
            named_params! {":product": product, ":after": after, ":limit": LISTED + 1},
            summary,
        )?
        .collect::<Sql<Vec<_>>>()?;
    let listed = usize::try_from(LISTED).unwrap_or(usize::MAX);
    let more = devices.len() > listed;
    devices.truncate(listed);
    Ok(Some(List {
        place: Place::end(connection)?.to_string(),
        total,
        more,
        devices,
    }))
}

fn summary(row: &Row<'_>) -> Sql<Summary> {
    Ok(Summary {
        did: row.get(0)?,
        mac: row.get(1)?,
        country: row.get(2)?,
        region: row.get(3)?,
        city: row.get(4)?,
        is_online: row.get(5)?,
        is_disabled: row.get(6)?,
        is_faulty: row.get(7)?,
        is_alert: row.get(8)?,
        online_latest: row.get(9)?,
        last_report: row.get(10)?,
    })
}

/// Somebody who watches a product, or one of its devices.
pub(crate) struct Watcher {
    product: String,
    /// The device's id; none: all of the product.
    device: Option<i64>,
    /// What was looked through.
    place: Place,
    /// What the device was when that was last told.
    told: Option<Summary>,
}

impl Watcher {
    /// Begins to watch, `after` what was told before. None if there is no such product or device.
    pub(crate) fn begin(
        store: &Store,
        product: &str,
        did: Option<&str>,
        after: Option<Place>,
    ) -> Sql<Option<(Self, News)>> {
        if !store.definitions.contains_key(product) {
            return Ok(None);
        }
        let connection = &store.connection;
        let device: Option<i64> = match did {
            None => None,
            Some(did) => {
                let found = connection
                    .prepare_cached(
                        "SELECT id FROM device
                         WHERE product = ? AND did = ? AND activated_at IS NOT NULL",
                    )?
                    .query_row([product, did], |row| row.get(0))
                    .optional()?;
                match found {
                    None => return Ok(None),
                    found => found,
                }
            }
        };
        let end = Place::end(connection)?;
        let mut watcher = Watcher {
            product: product.to_owned(),
            device,
            place: after.unwrap_or(end),
            told: None,
        };
        let same = |after: Place| {
            after.world == end.world
                && after.frame <= end.frame
                && after.online <= end.online
                && after.turned <= end.turned
                && after.remark <= end.remark
        };
        let resumed = after.is_some_and(same) && watcher.missed(connection)? <= MISSED;
        if !resumed {
            watcher.place = end;
        }
        watcher.told = watcher.summary(connection)?;
        let known = match store.definitions.get(product) {
            Some(Definition::Sound(product)) => known(connection, product, device)?,
            _ => BTreeMap::new(),
        };
        let last = connection
            .prepare_cached(
                "SELECT id, at, to_device, payload FROM frame WHERE device = ?
                 ORDER BY at DESC, id DESC LIMIT 1",
            )?
            .query_row([device], |row| frame(store, product, row))
            .optional()?;
        let hello = Hello {
            resumed,
            device: watcher.told.as_ref(),
            known,
            last: last.map(|(_, frame)| frame),
            remarks: match device {
                Some(device) => remark::last(connection, device, REMARKS)?,
                None => Vec::new(),
            },
        };
        let news = News::new(Some(watcher.place), "hello", &hello);
        Ok(Some((watcher, news)))
    }

    /// How many rows are new.
    fn missed(&self, connection: &Connection) -> Sql<i64> {
        connection
            .prepare_cached(
                "SELECT (SELECT count(*) FROM frame WHERE id > ?1 AND (?3 IS NULL OR +device = ?3))
                    + (SELECT count(*) FROM online WHERE id > ?2 AND (?3 IS NULL OR +device = ?3))
                    + (SELECT count(*) FROM turned WHERE id > ?4 AND ?3 IS NULL)
                    + (SELECT count(*) FROM remark WHERE id > ?5 AND +device = ?3)",
            )?
            .query_row(
                params![
                    self.place.frame,
                    self.place.online,
                    self.device,
                    self.place.turned,
                    self.place.remark
                ],
                |row| row.get(0),
            )
    }

    fn summary(&self, connection: &Connection) -> Sql<Option<Summary>> {
        connection
            .prepare_cached(summary!("product = :product AND id = :id"))?
            .query_row(
                named_params! {":product": self.product, ":id": self.device},
                summary,
            )
            .optional()
    }

    /// What is new, and whether there may be more.
    pub(crate) fn next(&mut self, store: &Store) -> Sql<(Vec<News>, bool)> {
        let end = Place::end(&store.connection)?;
        // Rows are numbered from 1 again once all of them were too old to be kept.
        self.place.frame = Some(self.place.frame)
            .filter(|frame| *frame <= end.frame)
            .unwrap_or(0);
        self.place.online = Some(self.place.online)
            .filter(|online| *online <= end.online)
            .unwrap_or(0);
        self.place.remark = Some(self.place.remark)
            .filter(|remark| *remark <= end.remark)
            .unwrap_or(0);
        match self.device {
            Some(device) => self.of_device(store, device, end),
            None => Ok((self.of_product(&store.connection, end)?, false)),
        }
    }

    fn of_device(&mut self, store: &Store, device: i64, end: Place) -> Sql<(Vec<News>, bool)> {
        let connection = &store.connection;
        // Only what is new is looked through, by its number: so the + before the device.
        let mut came = connection.prepare_cached(
            "SELECT id, at, type, payload FROM online
             WHERE id > ?1 AND +device = ?2 ORDER BY id LIMIT ?3",
        )?;
        let came = came.query_map(params![self.place.online, device, BATCH], |row| {
            let payload = raw(row, 3)?;
            let (at, kind) = (row.get(1)?, row.get(2)?);
            Ok((row.get::<_, i64>(0)?, Online { at, kind, payload }))
        })?;
        let came = came.collect::<Sql<Vec<_>>>()?;
        let mut sent = connection.prepare_cached(
            "SELECT id, at, to_device, payload FROM frame
             WHERE id > ?1 AND +device = ?2 ORDER BY id LIMIT ?3",
        )?;
        let sent = sent.query_map(params![self.place.frame, device, BATCH], |row| {
            frame(store, &self.product, row)
        })?;
        let sent = sent.collect::<Sql<Vec<_>>>()?;
        let columns = Remark::COLUMNS;
        let mut said = connection.prepare_cached(&format!(
            "SELECT {columns} FROM remark WHERE id > ?1 AND +device = ?2 ORDER BY id LIMIT ?3"
        ))?;
        let said = said.query_map(params![self.place.remark, device, BATCH], Remark::read)?;
        let said = said.collect::<Sql<Vec<_>>>()?;
        let full = |len: usize| i64::try_from(len) == Ok(BATCH);
        let more = full(came.len()) || full(sent.len()) || full(said.len());
        // Each log is in order of time; what a device remarks on it says before it answers.
        let mut all: Vec<(i64, i64, &'static str, String)> = Vec::new();
        all.extend(
            came.iter()
                .map(|(id, one)| (one.at, *id, "online", json(one))),
        );
        all.extend(
            said.iter()
                .map(|(id, one)| (one.at, *id, "remark", json(one))),
        );
        all.extend(
            sent.iter()
                .map(|(id, one)| (one.at, *id, "frame", json(one))),
        );
        all.sort_by_key(|(at, ..)| *at);
        let mut news = Vec::with_capacity(all.len() + 1);
        for (_, id, name, data) in all {
            *match name {
                "online" => &mut self.place.online,
                "remark" => &mut self.place.remark,
                _ => &mut self.place.frame,
            } = id;
            let place = Some(self.place);
            news.push(News { place, name, data });
        }
        if !more {
            self.place = end;
        }
        let summary = self.summary(connection)?;
        if let Some(summary) = summary.filter(|one| self.told.as_ref() != Some(one)) {
            news.push(News::new(None, "device", &summary));
            self.told = Some(summary);
        }
        Ok((news, more))
    }

    fn of_product(&mut self, connection: &Connection, end: Place) -> Sql<Vec<News>> {
        let mut found = connection.prepare_cached(NEW)?;
        let found = found.query_map(
            named_params! {
                ":product": self.product,
                ":frame": self.place.frame,
                ":online": self.place.online,
                ":turned": self.place.turned,
            },
            summary,
        )?;
        self.place = end;
        let news = found.map(|one| Ok(News::new(Some(end), "device", &one?)));
        news.collect()
    }
}

/// The devices of which something is new: by their ids, so that the others cost nothing.
const NEW: &str = summary!(
    "+product = :product AND id IN (SELECT device FROM frame WHERE id > :frame
        UNION ALL SELECT device FROM online WHERE id > :online
        UNION ALL SELECT device FROM turned WHERE id > :turned)"
);

/// What a device last reported of each point, as far back as its last frames go.
fn known(
    connection: &Connection,
    product: &Product,
    device: Option<i64>,
) -> Sql<BTreeMap<PointId, Seen>> {
    let mut frames: Vec<Vec<u8>> = connection
        .prepare_cached(
            "SELECT payload FROM frame WHERE device = ? AND NOT to_device
             ORDER BY at DESC, id DESC LIMIT ?",
        )?
        .query_map(params![device, FOLDED], |row| row.get(0))?
        .collect::<Sql<_>>()?;
    frames.reverse();
    let mut state = product.state();
    for frame in &frames {
        if let Ok(decoded) = product.decode(frame) {
            // A report of this product's own: there is nothing that doesn't fit.
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
            .prepare(&format!("EXPLAIN QUERY PLAN {NEW}"))
            .expect("a query");
        let steps = plan
            .query_map(
                named_params! {":product": "", ":frame": 0, ":online": 0, ":turned": 0},
                |row| row.get::<_, String>(3),
            )
            .and_then(Iterator::collect::<Sql<Vec<_>>>)
            .expect("a plan");
        let by_number = |table: &str| {
            let step = format!("SEARCH {table} USING INTEGER PRIMARY KEY (rowid");
            steps.iter().any(|one| one.starts_with(&step))
        };
        for table in ["device", "frame", "online", "turned"] {
            assert!(by_number(table), "{table}: {steps:#?}");
        }
        let scans = |one: &String| one.starts_with("SCAN");
        assert!(!steps.iter().any(scans), "{steps:#?}");
    }

    #[test]
    fn a_place_as_text() {
        let place = Place {
            world: 1_514_692_800_000,
            frame: 7,
            online: 0,
            turned: 3,
            remark: 1,
        };
        assert_eq!(Place::parse(&place.to_string()), Some(place));
        for wrong in [
            "",
            "1",
            "1.2",
            "1.2.3",
            "1.2.3.4",
            "1.2.3.4.5.6",
            "1.2.3.4.x",
            "1.2.3.4.99999999999999999999",
        ] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}
