//! Devices, and all that follows from what they do.
//!
//! A device holds its status as raw bytes and speaks in frames. A control is a frame that was logged;
//! after a while the device takes that frame apart and answers with another. What the cloud knows, the
//! log, the data, faults and alerts, activity, follows from the frames of devices and nothing else.
//!
//! What is to happen stands in the table `pending` and happens in the order of its time when somebody
//! next looks: [`World::advance`].

use std::collections::BTreeMap;

use gizwits_codec_std::core::layout::LayoutRef;
use gizwits_codec_std::core::m2m::{self, Event, Frame};
use gizwits_codec_std::core::{Access, Encoder, Kind, P0, PointId, Protocol, Raw};
use gizwits_codec_std::payload::{self, Encoding};
use gizwits_codec_std::{Action, Attr, Decimal, Product, Value};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::period;
use crate::random;
use crate::scenario::{Behaviour, CountdownSpec, TroubleSpec, Values, WalkSpec};
use crate::store::{self, Definition};

/// How long logs are kept.
pub(crate) const KEPT: i64 = 7 * period::DAY;
/// What the cloud waits for a heartbeat beyond what the device asked for.
const GRACE: i64 = 5000;

type Sql<T> = Result<T, rusqlite::Error>;

/// SQL that adds a record to a log; its first two parameters are the device and the time.
macro_rules! append {
    ($table:literal, $columns:literal, $values:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (device, at, ",
            $columns,
            ", number) VALUES (?1, ?2, ",
            $values,
            ", 1 + coalesce((SELECT number FROM ",
            $table,
            " WHERE device = ?1
                ORDER BY at DESC, id DESC LIMIT 1), 0))"
        )
    };
}

/// Plans something.
pub(crate) fn schedule(
    connection: &Connection,
    due: i64,
    kind: &str,
    subject: i64,
    word: Option<&str>,
) -> Sql<()> {
    connection
        .prepare_cached("INSERT INTO pending (due, kind, subject, word) VALUES (?, ?, ?, ?)")?
        .execute(params![due, kind, subject, word])?;
    Ok(())
}

fn wrong<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Scenario(message.into()))
}

/// The points that a raw status has, all of them.
fn full_mask(layout: LayoutRef<'_>) -> Vec<u8> {
    let mut mask = vec![0xff; layout.mask_len()];
    if let (Some(first), spare @ 1..) = (mask.first_mut(), layout.points() % 8) {
        *first = !(0xff << spare);
    }
    mask
}

fn raw_of(layout: LayoutRef<'_>, status: &[u8], id: PointId) -> Option<u32> {
    let mask = full_mask(layout);
    match layout.view_known(&mask, status).ok()?.read(id)?.raw() {
        Raw::Number(raw) => Some(raw),
        Raw::Bytes(_) => None,
    }
}

/// The value to put.
enum Put<'v> {
    Raw(u32),
    Value(Value<'v>),
}

/// Sets one point of a raw status; what the definition doesn't allow is refused.
fn put(
    layout: LayoutRef<'_>,
    status: &mut [u8],
    id: PointId,
    value: Put<'_>,
) -> Result<(), gizwits_codec_std::core::Error> {
    let mut out = vec![0; layout.p0_len(Action::Report)];
    let mut encoder = Encoder::begin(layout, Action::Report, &mut out)?;
    match value {
        Put::Raw(raw) => encoder.set_raw(id, raw)?,
        Put::Value(value) => encoder.set(id, value)?,
    }
    let p0 = encoder.finish();
    let mut known = vec![0; layout.mask_len()];
    match layout.protocol() {
        Protocol::VarLen => {
            if let P0::Report(view) = P0::parse(layout, p0)? {
                view.merge_into(&mut known, status)?;
            }
        }
        Protocol::Standard => {
            let mut only = vec![0; layout.mask_len()];
            let byte = only.len().checked_sub(1 + usize::from(id.0 / 8));
            if let Some(byte) = byte.and_then(|at| only.get_mut(at)) {
                *byte = 1 << (id.0 % 8);
            }
            let values = p0.get(1..).unwrap_or(&[]);
            layout
                .view_known(&only, values)?
                .merge_into(&mut known, status)?;
        }
    }
    Ok(())
}

/// Sets one point from JSON.
fn put_json(product: &Product, status: &mut [u8], name: &str, json: &Json) -> Result<(), Error> {
    let Some(attr) = product.find(name) else {
        return wrong(format!("no point is named `{name}`"));
    };
    let bytes;
    let value = match (attr.point().kind, json) {
        (Kind::Bool, Json::Bool(on)) => Some(Value::Bool(*on)),
        (Kind::Bool, Json::Number(number)) => match number.as_u64() {
            Some(bit @ 0..=1) => Some(Value::Bool(bit == 1)),
            _ => None,
        },
        (Kind::Enum { .. }, Json::String(label)) => attr.label(label).map(Value::Enum),
        (Kind::Enum { .. }, Json::Number(index)) => index
            .as_u64()
            .and_then(|index| u32::try_from(index).ok())
            .map(Value::Enum),
        (Kind::Binary, Json::String(text)) => {
            bytes = payload::parse(text, Some(Encoding::Hex)).unwrap_or_default();
            Some(Value::Binary(&bytes))
        }
        (Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_), Json::Number(number)) => number
            .to_string()
            .parse::<Decimal>()
            .ok()
            .map(Value::Number),
        _ => None,
    };
    let put = value.map(|value| put(product.layout(), status, attr.id(), Put::Value(value)));
    match put {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => wrong(format!("`{name}` = {json}: {}", error.kind)),
        None => wrong(format!("`{name}` = {json} is not of its kind")),
    }
}

fn put_all(product: &Product, status: &mut [u8], json: &Json) -> Result<(), Error> {
    let Some(object) = json.as_object() else {
        return wrong("points and values are an object");
    };
    for (name, value) in object {
        put_json(product, status, name, value)?;
    }
    Ok(())
}

/// The status that a device begins with: what the scenario says, all else at its least.
pub(crate) fn initial(product: &Product, values: &Values) -> Result<Vec<u8>, Error> {
    let layout = product.layout();
    let mut status = vec![0; layout.status_len()];
    for attr in product.attrs() {
        if let (Some((min @ 1.., _)), Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_)) =
            (layout.limits(attr.id()), attr.point().kind)
        {
            put(layout, &mut status, attr.id(), Put::Raw(min))
                .map_err(|error| Error::Scenario(error.kind.to_string()))?;
        }
    }
    let json = serde_json::to_value(values).unwrap_or(Json::Null);
    put_all(product, &mut status, &json)?;
    Ok(status)
}

/// Points and values as JSON, once they were tried.
pub(crate) fn values(product: &Product, values: &Values) -> Result<String, Error> {
    let json = serde_json::to_value(values).unwrap_or(Json::Null);
    put_all(product, &mut vec![0; product.layout().status_len()], &json)?;
    Ok(json.to_string())
}

fn find<'p>(product: &'p Product, name: &str) -> Result<&'p Attr, Error> {
    match product.find(name) {
        Some(attr) => Ok(attr),
        None => wrong(format!("no point is named `{name}`")),
    }
}

fn number<'p>(product: &'p Product, name: &str) -> Result<&'p Attr, Error> {
    let attr = find(product, name)?;
    match attr.point().kind {
        Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_) => Ok(attr),
        _ => wrong(format!("`{name}` is no number")),
    }
}

pub(crate) fn walk(product: &Product, spec: &WalkSpec) -> Result<Behaviour, Error> {
    let attr = number(product, &spec.point)?;
    let layout = product.layout();
    let (least, most) = layout.limits(attr.id()).unwrap_or((0, u32::MAX));
    let raw = |value: Option<f64>, otherwise: u32| match value {
        None => Ok(otherwise),
        Some(value) => {
            let mut status = vec![0; layout.status_len()];
            let json = Json::from(value);
            put_json(product, &mut status, &spec.point, &json)?;
            Ok::<_, Error>(raw_of(layout, &status, attr.id()).unwrap_or(otherwise))
        }
    };
    let ratio = layout
        .scale(attr.id())
        .map_or(1.0, |scale| scale.ratio().to_f64());
    let step = (spec.step / ratio).round();
    if !(1.0..=f64::from(u32::MAX)).contains(&step) {
        return wrong(format!("`{}` has steps of {ratio}", spec.point));
    }
    let towards = match &spec.towards {
        Some(name) => Some(number(product, name)?.id().0),
        None => None,
    };
    let when = match &spec.when {
        None => None,
        Some(name) => match find(product, name)? {
            attr if matches!(attr.point().kind, Kind::Bool) => Some(attr.id().0),
            _ => return wrong(format!("`{name}` is no bool")),
        },
    };
    let (low, high) = (raw(spec.min, least)?, raw(spec.max, most)?);
    if low > high {
        return wrong(format!("`{}`: min is above max", spec.point));
    }
    Ok(Behaviour::Walk {
        point: attr.id().0,
        step: step as u32,
        low,
        high,
        towards,
        when,
    })
}

pub(crate) fn countdown(product: &Product, spec: &CountdownSpec) -> Result<Behaviour, Error> {
    Ok(Behaviour::Countdown {
        point: number(product, &spec.point)?.id().0,
        set: values(product, &spec.set)?,
    })
}

pub(crate) fn trouble(product: &Product, spec: &TroubleSpec) -> Result<Behaviour, Error> {
    let attr = find(product, &spec.point)?;
    if !matches!(attr.point().access, Access::Fault | Access::Alert) {
        return wrong(format!("`{}` is neither a fault nor an alert", spec.point));
    }
    Ok(Behaviour::Trouble {
        point: attr.id().0,
        lasts: spec.lasts.0.max(1),
    })
}

/// A frame around a P0.
pub(crate) fn frame(command: u16, p0: &[u8]) -> Vec<u8> {
    let frame = Frame {
        flag: 0,
        command,
        sn: None,
        did: None,
        body: p0,
    };
    let mut out = vec![0; p0.len() + 16];
    let len = frame.encode(&mut out).unwrap_or(0);
    out.truncate(len);
    out
}

/// One device, as the engine needs it.
struct Device {
    id: i64,
    did: String,
    product: String,
    status: Vec<u8>,
    report_every: i64,
    full_every: i64,
    heartbeat: i64,
    keep_alive: i64,
    online_since: Option<i64>,
    silent_since: Option<i64>,
    since_full: i64,
    draws: i64,
}

impl Device {
    fn hears(&self) -> bool {
        self.online_since.is_some() && self.silent_since.is_none()
    }
}

#[derive(Serialize)]
struct OnlinePayload {
    keep_alive: i64,
}

#[derive(Serialize)]
struct OfflinePayload<'r> {
    duration: i64,
    heartbeat: Heartbeat,
    reason: &'r str,
}

#[derive(Serialize)]
struct Heartbeat {
    count: i64,
    max: i64,
    avg: i64,
    last: i64,
    min: i64,
}

/// What a device may be told from outside the API.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Act {
    /// To connect.
    Online,
    /// To leave, for one of [`OFFLINE_REASONS`](crate::OFFLINE_REASONS).
    Offline(String),
    /// To have these values of points, as a JSON object, and to report them.
    Set(String),
    /// To be disabled, or enabled again.
    Disabled(bool),
}

/// All devices over one transaction.
pub(crate) struct World<'s> {
    pub(crate) connection: &'s Connection,
    pub(crate) seed: u64,
    pub(crate) definitions: &'s BTreeMap<String, Definition>,
}

impl World<'_> {
    /// Lets everything happen that is due by `now`.
    pub(crate) fn advance(&self, now: i64) -> Sql<()> {
        loop {
            let next = self
                .connection
                .prepare_cached(
                    "SELECT id, due, kind, subject, word FROM pending
                     WHERE due <= ? ORDER BY due, id LIMIT 1",
                )?
                .query_row([now], |row| {
                    Ok((
                        row.get::<_, i64>(0)?,
                        row.get::<_, i64>(1)?,
                        row.get::<_, String>(2)?,
                        row.get::<_, i64>(3)?,
                        row.get::<_, Option<String>>(4)?,
                    ))
                })
                .optional()?;
            let Some((id, due, kind, subject, word)) = next else {
                return self.prune(now);
            };
            self.connection
                .prepare_cached("DELETE FROM pending WHERE id = ?")?
                .execute([id])?;
            self.happen(due, &kind, subject, word.as_deref())?;
        }
    }

    /// Once a day, what is older than seven days goes.
    fn prune(&self, now: i64) -> Sql<()> {
        let today = period::day_of(now);
        if store::meta(self.connection, "pruned")? == Some(today) {
            return Ok(());
        }
        store::set_meta(self.connection, "pruned", today)?;
        let before = now.saturating_sub(KEPT);
        for table in ["online", "frame", "data"] {
            let delete = format!("DELETE FROM {table} WHERE at < ?");
            self.connection.prepare_cached(&delete)?.execute([before])?;
        }
        Ok(())
    }

    fn happen(&self, at: i64, kind: &str, subject: i64, word: Option<&str>) -> Sql<()> {
        match kind {
            "visit" => return self.visit(at, word.unwrap_or("")),
            "bind" => return bind(self.connection, subject, word.unwrap_or(""), at).map(drop),
            "behaviour" => return self.behave(at, subject),
            _ => {}
        }
        let found = match kind {
            "frame" => self
                .connection
                .prepare_cached("SELECT device, payload FROM frame WHERE id = ?")?
                .query_row([subject], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
                })
                .optional()?,
            _ => Some((subject, Vec::new())),
        };
        let Some((device, bytes)) = found else {
            return Ok(());
        };
        let Some(mut device) = self.device(device)? else {
            return Ok(());
        };
        match kind {
            "frame" => self.hear(&mut device, at, &bytes)?,
            "online" => self.connect(&mut device, at)?,
            "offline" => self.disconnect(&mut device, at, word.unwrap_or("tcp_closed"))?,
            "report" if device.hears() => {
                self.report(&mut device, at, Action::Report, None)?;
                let due = at.saturating_add(device.report_every);
                schedule(self.connection, due, "report", device.id, None)?;
            }
            _ => {}
        }
        self.save(&device)
    }

    fn device(&self, id: i64) -> Sql<Option<Device>> {
        self.connection
            .prepare_cached(
                "SELECT id, did, product, status, report_every, full_every, heartbeat, keep_alive,
                    online_since, silent_since, since_full, draws
                 FROM device WHERE id = ?",
            )?
            .query_row([id], |row| {
                Ok(Device {
                    id: row.get(0)?,
                    did: row.get(1)?,
                    product: row.get(2)?,
                    status: row.get(3)?,
                    report_every: row.get(4)?,
                    full_every: row.get(5)?,
                    heartbeat: row.get(6)?,
                    keep_alive: row.get(7)?,
                    online_since: row.get(8)?,
                    silent_since: row.get(9)?,
                    since_full: row.get(10)?,
                    draws: row.get(11)?,
                })
            })
            .optional()
    }

    fn save(&self, device: &Device) -> Sql<()> {
        self.connection
            .prepare_cached(
                "UPDATE device SET status = ?, online_since = ?, silent_since = ?, since_full = ?,
                    draws = ?
                 WHERE id = ?",
            )?
            .execute(params![
                device.status,
                device.online_since,
                device.silent_since,
                device.since_full,
                device.draws,
                device.id
            ])?;
        Ok(())
    }

    fn product(&self, device: &Device) -> Option<&Product> {
        match self.definitions.get(&device.product)? {
            Definition::Sound(product) => Some(product),
            _ => None,
        }
    }

    /// The next random number of a device.
    fn draw(&self, device: &mut Device) -> u64 {
        device.draws = device.draws.wrapping_add(1);
        random::number(self.seed, &device.did, device.draws)
    }

    fn log_online<P: Serialize>(
        &self,
        device: &Device,
        at: i64,
        kind: &str,
        payload: &P,
    ) -> Sql<()> {
        let payload = serde_json::to_string(payload).unwrap_or_default();
        self.connection
            .prepare_cached(append!("online", "type, payload", "?3, ?4"))?
            .execute(params![device.id, at, kind, payload])?;
        Ok(())
    }

    fn forget(&self, device: &Device, kind: &str) -> Sql<()> {
        self.connection
            .prepare_cached("DELETE FROM pending WHERE kind = ? AND subject = ?")?
            .execute(params![kind, device.id])?;
        Ok(())
    }

    fn connect(&self, device: &mut Device, at: i64) -> Sql<()> {
        if device.hears() {
            return Ok(());
        }
        // Back before the cloud missed it.
        let kind = match device.online_since {
            Some(_) => "dev_re_online",
            None => "dev_online",
        };
        self.forget(device, "offline")?;
        self.forget(device, "report")?;
        device.online_since = Some(at);
        device.silent_since = None;
        self.connection
            .prepare_cached(
                "UPDATE device SET online_latest = ?1, activated_at = coalesce(activated_at, ?1)
                 WHERE id = ?2",
            )?
            .execute(params![at, device.id])?;
        let keep_alive = (device.keep_alive + GRACE) / 1000;
        self.log_online(device, at, kind, &OnlinePayload { keep_alive })?;
        let greeting = at.saturating_add(1000);
        schedule(self.connection, greeting, "report", device.id, None)
    }

    /// The beats from when it came online to `until`: how many, and when the last was.
    fn beats(device: &Device, since: i64, until: i64) -> (i64, i64) {
        let count = until.saturating_sub(since).max(0) / device.heartbeat.max(1);
        (count, since.saturating_add(count * device.heartbeat))
    }

    fn disconnect(&self, device: &mut Device, at: i64, reason: &str) -> Sql<()> {
        let Some(since) = device.online_since.take() else {
            return Ok(());
        };
        let until = device.silent_since.take().unwrap_or(at);
        let (count, beat) = Self::beats(device, since, until);
        let seconds = |from: i64, to: i64| to.div_euclid(1000) - from.div_euclid(1000);
        let steady = if count < 2 {
            0
        } else {
            device.heartbeat / 1000
        };
        let payload = OfflinePayload {
            duration: seconds(since, at),
            heartbeat: Heartbeat {
                count,
                max: steady,
                avg: steady,
                last: seconds(beat, at),
                min: steady,
            },
            reason,
        };
        self.forget(device, "offline")?;
        self.forget(device, "report")?;
        self.log_online(device, at, "dev_offline", &payload)
    }

    /// Leaves; without a heartbeat only the cloud finds out, later. Returns when it does.
    fn leave(&self, device: &mut Device, at: i64, reason: &str) -> Sql<i64> {
        if reason != "no_heartbeat" {
            self.disconnect(device, at, reason)?;
            return Ok(at);
        }
        let Some(since) = device.online_since else {
            return Ok(at);
        };
        device.silent_since = Some(at);
        let (_, beat) = Self::beats(device, since, at);
        let missed = beat.saturating_add(device.keep_alive).saturating_add(GRACE);
        schedule(self.connection, missed, "offline", device.id, Some(reason))?;
        Ok(missed)
    }

    /// A frame arrives at the device.
    fn hear(&self, device: &mut Device, at: i64, bytes: &[u8]) -> Sql<()> {
        let Some(product) = self.product(device) else {
            return Ok(());
        };
        if !device.hears() {
            return Ok(());
        }
        let layout = product.layout();
        let Ok((Event::Frame(frame), [])) = m2m::parse(bytes, usize::MAX) else {
            return Ok(());
        };
        // What it doesn't understand it ignores, as firmware does.
        match frame.p0().map(|p0| P0::parse(layout, p0)) {
            Some(Ok(P0::Control(view))) => {
                let before = device.status.clone();
                let mut known = full_mask(layout);
                let _ = view.merge_into(&mut known, &mut device.status);
                let mut changed = changed(layout, &before, &device.status);
                if changed.is_empty() {
                    changed.extend(view.iter().map(|reading| reading.id()));
                }
                self.report(device, at, Action::Report, Some(&changed))
            }
            Some(Ok(P0::Read { wanted })) => {
                let wanted: Option<Vec<PointId>> = wanted.map(|mask| mask.ids().collect());
                self.report(device, at, Action::Reply, wanted.as_deref())
            }
            _ => Ok(()),
        }
    }

    /// The device sends its status; of a var_len product the points that are asked for.
    fn report(
        &self,
        device: &mut Device,
        at: i64,
        action: Action,
        points: Option<&[PointId]>,
    ) -> Sql<()> {
        let Some(product) = self.product(device) else {
            return Ok(());
        };
        let layout = product.layout();
        let points = match (layout.protocol(), points, action) {
            (Protocol::Standard, ..) | (_, None, _) => None,
            (_, Some(points), Action::Report) => {
                device.since_full += 1;
                (device.since_full < device.full_every).then_some(points)
            }
            (_, points, _) => points,
        };
        let some = points.and_then(|points| some_of(layout, &device.status, action, points));
        let p0 = some.unwrap_or_else(|| {
            device.since_full = 0;
            let mut whole = vec![action.code(layout.protocol())];
            if layout.protocol() == Protocol::VarLen {
                whole.extend(full_mask(layout));
            }
            whole.extend(&device.status);
            whole
        });
        self.receive(device, at, product, &frame(m2m::FROM_DEVICE, &p0))
    }

    /// The cloud gets a frame from a device: this one event is behind all that it says of it.
    fn receive(&self, device: &Device, at: i64, product: &Product, frame: &[u8]) -> Sql<()> {
        #[derive(Deserialize)]
        struct Attrs<'a> {
            #[serde(borrow)]
            attrs: &'a RawValue,
        }

        self.log_frame(device.id, at, false, frame)?;
        let Ok(decoded) = product.decode(frame) else {
            return Ok(());
        };
        let json = decoded.to_json();
        if let Ok(Attrs { attrs }) = serde_json::from_str(&json) {
            self.connection
                .prepare_cached(append!("data", "attrs", "?3"))?
                .execute(params![device.id, at, attrs.get()])?;
        }
        for reading in decoded.view().into_iter().flatten() {
            let Some(attr) = product.attr(reading.id()) else {
                continue;
            };
            let fault = match attr.point().access {
                Access::Fault => true,
                Access::Alert => false,
                _ => continue,
            };
            match reading.raw() {
                Raw::Number(0) => self
                    .connection
                    .prepare_cached(
                        "UPDATE trouble SET cleared_at = ?
                         WHERE device = ? AND point = ? AND cleared_at IS NULL",
                    )?
                    .execute(params![at, device.id, attr.name()])?,
                _ => self
                    .connection
                    .prepare_cached(
                        "INSERT INTO trouble (device, point, fault, raised_at)
                         SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (
                            SELECT 1 FROM trouble
                            WHERE device = ?1 AND point = ?2 AND cleared_at IS NULL)",
                    )?
                    .execute(params![device.id, attr.name(), fault, at])?,
            };
        }
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO activity (device, day, at) VALUES (?, ?, ?)")?
            .execute(params![device.id, period::day_of(at), at])?;
        self.connection
            .prepare_cached("UPDATE device SET last_report = ? WHERE id = ?")?
            .execute(params![at, device.id])?;
        Ok(())
    }

    /// A line of the command log; returns its number.
    fn log_frame(&self, device: i64, at: i64, to_device: bool, frame: &[u8]) -> Sql<i64> {
        self.connection
            .prepare_cached(append!("frame", "to_device, payload", "?3, ?4"))?
            .execute(params![device, at, to_device, frame])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// The cloud sends a P0 to a device, which hears it after a while.
    pub(crate) fn send(&self, device: i64, reply_after: i64, at: i64, p0: &[u8]) -> Sql<()> {
        let logged = self.log_frame(device, at, true, &frame(m2m::TO_DEVICE, p0))?;
        let Some(mut device) = self.device(device)? else {
            return Ok(());
        };
        let share = 750 + (self.draw(&mut device) % 501).cast_signed();
        self.save(&device)?;
        let due = at.saturating_add(reply_after.saturating_mul(share) / 1000);
        schedule(self.connection, due, "frame", logged, None)
    }

    fn behave(&self, at: i64, id: i64) -> Sql<()> {
        let found = self
            .connection
            .prepare_cached("SELECT device, every, spec FROM behaviour WHERE id = ?")?
            .query_row([id], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, String>(2)?,
                ))
            })
            .optional()?;
        let Some((device, every, spec)) = found else {
            return Ok(());
        };
        let (Some(mut device), Ok(spec)) = (self.device(device)?, serde_json::from_str(&spec))
        else {
            return Ok(());
        };
        let share = 900 + (self.draw(&mut device) % 201).cast_signed();
        let mut again = every.saturating_mul(share) / 1000;
        if device.hears() {
            match spec {
                Behaviour::Offline { reason, lasts } => {
                    let gone = self.leave(&mut device, at, &reason)?;
                    let back = gone.saturating_add(lasts);
                    schedule(self.connection, back, "online", device.id, None)?;
                }
                spec => again = self.move_on(&mut device, at, spec, again)?,
            }
        }
        self.save(&device)?;
        let due = at.saturating_add(again.max(1));
        schedule(self.connection, due, "behaviour", id, None)
    }

    /// Changes the status as a behaviour says, and reports what changed. Returns when it is to go on.
    fn move_on(&self, device: &mut Device, at: i64, spec: Behaviour, again: i64) -> Sql<i64> {
        let Some(product) = self.product(device) else {
            return Ok(again);
        };
        let layout = product.layout();
        let draw = self.draw(device);
        let before = device.status.clone();
        let status = &mut device.status;
        let mut again = again;
        match spec {
            Behaviour::Walk {
                point,
                step,
                low,
                high,
                towards,
                when,
            } => {
                let on = when.is_none_or(|id| raw_of(layout, status, PointId(id)) == Some(1));
                if let (true, Some(now)) = (on, raw_of(layout, status, PointId(point))) {
                    let target = towards.and_then(|id| same(layout, status, PointId(id), point));
                    let next = match target {
                        Some(target) if target > now => now.saturating_add(step).min(target),
                        Some(target) => now.saturating_sub(step).max(target),
                        None if draw.is_multiple_of(2) => now.saturating_add(step),
                        None => now.saturating_sub(step),
                    };
                    let next = next.clamp(low, high);
                    let _ = put(layout, status, PointId(point), Put::Raw(next));
                }
            }
            Behaviour::Countdown { point, set } => {
                let point = PointId(point);
                if let Some(left @ 1..) = raw_of(layout, status, point) {
                    let _ = put(layout, status, point, Put::Raw(left - 1));
                    if left == 1 {
                        let _ = put_text(product, status, &set);
                    }
                }
            }
            Behaviour::Change { set } => {
                let _ = put_text(product, status, &set);
            }
            Behaviour::Trouble { point, lasts } => {
                let point = PointId(point);
                let open = raw_of(layout, status, point) == Some(1);
                if put(layout, status, point, Put::Raw(u32::from(!open))).is_ok() && !open {
                    again = lasts;
                }
            }
            Behaviour::Offline { .. } => {}
        }
        let changed = changed(layout, &before, &device.status);
        if !changed.is_empty() {
            self.report(device, at, Action::Report, Some(&changed))?;
        }
        Ok(again)
    }

    fn visit(&self, at: i64, uid: &str) -> Sql<()> {
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO visit (uid, day) VALUES (?, ?)")?
            .execute(params![uid, period::day_of(at)])?;
        self.connection
            .prepare_cached("UPDATE user SET updated_at = ? WHERE uid = ?")?
            .execute(params![at, uid])?;
        let every: Option<i64> = self
            .connection
            .prepare_cached("SELECT visits FROM user WHERE uid = ?")?
            .query_row([uid], |row| row.get(0))
            .optional()?
            .flatten();
        match every {
            Some(every) => schedule(
                self.connection,
                at.saturating_add(every),
                "visit",
                0,
                Some(uid),
            ),
            None => Ok(()),
        }
    }

    /// Does what somebody outside the API wants of a device.
    pub(crate) fn act(&self, did: &str, at: i64, act: &Act) -> Result<(), Error> {
        let id: Option<i64> = self
            .connection
            .prepare_cached("SELECT id FROM device WHERE did = ?")?
            .query_row([did], |row| row.get(0))
            .optional()?;
        let Some(mut device) = id.map(|id| self.device(id)).transpose()?.flatten() else {
            return Err(Error::Invalid("there is no such device".to_owned()));
        };
        match act {
            Act::Online => self.connect(&mut device, at)?,
            Act::Offline(reason) => {
                let reason = reason.to_ascii_lowercase();
                if !crate::OFFLINE_REASONS.contains(&&*reason) {
                    let reasons = crate::OFFLINE_REASONS.join(", ");
                    return Err(Error::Invalid(format!("the reasons are {reasons}")));
                }
                self.leave(&mut device, at, &reason)?;
            }
            Act::Set(json) => {
                let Some(product) = self.product(&device) else {
                    return Err(Error::Invalid("its product has no definition".to_owned()));
                };
                let before = device.status.clone();
                put_text(product, &mut device.status, json)
                    .map_err(|error| Error::Invalid(error.to_string()))?;
                let changed = changed(product.layout(), &before, &device.status);
                if device.hears() && !changed.is_empty() {
                    self.report(&mut device, at, Action::Report, Some(&changed))?;
                }
            }
            Act::Disabled(disabled) => {
                self.connection
                    .prepare_cached("UPDATE device SET disabled = ? WHERE id = ?")?
                    .execute(params![disabled, device.id])?;
            }
        }
        Ok(self.save(&device)?)
    }
}

/// Binds a device to a user; the first who does owns it. False if it was bound to them.
pub(crate) fn bind(connection: &Connection, device: i64, uid: &str, at: i64) -> Sql<bool> {
    let bound = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO binding (device, uid, appid, owner, at)
             SELECT ?1, uid, appid, NOT EXISTS (SELECT 1 FROM binding WHERE device = ?1), ?3
             FROM user WHERE uid = ?2",
        )?
        .execute(params![device, uid, at])?;
    connection
        .prepare_cached("INSERT OR IGNORE INTO bound (device, uid, at) VALUES (?, ?, ?)")?
        .execute(params![device, uid, at])?;
    Ok(bound > 0)
}

fn put_text(product: &Product, status: &mut [u8], json: &str) -> Result<(), Error> {
    match serde_json::from_str(json) {
        Ok(json) => put_all(product, status, &json),
        Err(error) => wrong(error.to_string()),
    }
}

/// The raw value of a point that means the same as another point's value.
fn same(layout: LayoutRef<'_>, status: &[u8], from: PointId, to: u16) -> Option<u32> {
    let mask = full_mask(layout);
    let value = layout.view_known(&mask, status).ok()?.get(from)?;
    let mut trial = vec![0; layout.status_len()];
    put(layout, &mut trial, PointId(to), Put::Value(value)).ok()?;
    raw_of(layout, &trial, PointId(to))
}

/// The points that differ between two statuses.
fn changed(layout: LayoutRef<'_>, before: &[u8], after: &[u8]) -> Vec<PointId> {
    let mask = full_mask(layout);
    let (Ok(before), Ok(after)) = (
        layout.view_known(&mask, before),
        layout.view_known(&mask, after),
    ) else {
        return Vec::new();
    };
    let pairs = before.iter().zip(after.iter());
    pairs
        .filter(|(one, other)| one.raw() != other.raw())
        .map(|(one, _)| one.id())
        .collect()
}

/// A var_len message of some points; none if a value is one that the encoder refuses.
fn some_of(
    layout: LayoutRef<'_>,
    status: &[u8],
    action: Action,
    points: &[PointId],
) -> Option<Vec<u8>> {
    let mask = full_mask(layout);
    let view = layout.view_known(&mask, status).ok()?;
    let mut out = vec![0; layout.p0_len(action)];
    let mut encoder = Encoder::begin(layout, action, &mut out).ok()?;
    for id in points {
        match view.read(*id)?.raw() {
            Raw::Number(raw) => encoder.set_raw(*id, raw).ok()?,
            Raw::Bytes(bytes) => encoder.set(*id, Value::Binary(bytes)).ok()?,
        }
    }
    Some(encoder.finish().to_vec())
}
