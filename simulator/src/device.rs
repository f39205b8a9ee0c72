//! Devices, and all that follows from what they do.
//!
//! A device holds its status as raw bytes and speaks in frames. A control is a frame that was logged;
//! after a while the device takes that frame apart and answers with another. What the cloud knows, the
//! log, the data, faults and alerts, activity, follows from the frames of devices and nothing else.
//!
//! What is to happen stands in the table `pending` and happens in the order of its time when somebody
//! next looks: [`World::advance`].

use std::collections::BTreeMap;

use gizwits_codec_std::core::m2m::{self, Event};
use gizwits_codec_std::core::{Access, P0, PointId, Protocol, Raw};
use gizwits_codec_std::{Action, Product, wrap};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::period;
use crate::random;
use crate::remark::{Kind, Outside};
use crate::status::{Put, changed, full_mask, put, put_text, some_of, within};
use crate::store::{self, Definition};

/// How long logs are kept.
pub(crate) const KEPT: i64 = 7 * period::DAY;
/// What the cloud waits for a heartbeat beyond what the device asked for.
const GRACE: i64 = 5000;

pub(crate) type Sql<T> = Result<T, rusqlite::Error>;

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

/// One device, as the engine needs it.
pub(crate) struct Device {
    pub(crate) id: i64,
    did: String,
    product: String,
    pub(crate) status: Vec<u8>,
    report_every: i64,
    full_every: i64,
    heartbeat: i64,
    keep_alive: i64,
    online_since: Option<i64>,
    silent_since: Option<i64>,
    since_full: i64,
    draws: i64,
    last_report: Option<i64>,
}

impl Device {
    pub(crate) fn hears(&self) -> bool {
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
    /// Like [`Set`](Self::Set), with values that may be outside their limits, as a broken sensor has
    /// them: the device reports the nearest number that is allowed, or the enum's last good label, and
    /// [remarks](crate::Simulator::remarks) on it.
    SetUnchecked(String),
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
                    "DELETE FROM pending
                     WHERE id = (SELECT id FROM pending WHERE due <= ? ORDER BY due, id LIMIT 1)
                     RETURNING due, kind, subject, word",
                )?
                .query_row([now], |row| {
                    Ok((
                        row.get::<_, i64>(0)?,
                        row.get::<_, String>(1)?,
                        row.get::<_, i64>(2)?,
                        row.get::<_, Option<String>>(3)?,
                    ))
                })
                .optional()?;
            let Some((due, kind, subject, word)) = next else {
                return self.prune(now);
            };
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
        for table in ["online", "frame", "data", "remark"] {
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

    pub(crate) fn device(&self, id: i64) -> Sql<Option<Device>> {
        self.connection
            .prepare_cached(
                "SELECT id, did, product, status, report_every, full_every, heartbeat, keep_alive,
                    online_since, silent_since, since_full, draws, last_report
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
                    last_report: row.get(12)?,
                })
            })
            .optional()
    }

    pub(crate) fn save(&self, device: &Device) -> Sql<()> {
        self.connection
            .prepare_cached(
                "UPDATE device SET status = ?, online_since = ?, silent_since = ?, since_full = ?,
                    draws = ?, last_report = ?
                 WHERE id = ?",
            )?
            .execute(params![
                device.status,
                device.online_since,
                device.silent_since,
                device.since_full,
                device.draws,
                device.last_report,
                device.id
            ])?;
        Ok(())
    }

    pub(crate) fn product(&self, device: &Device) -> Option<&Product> {
        match self.definitions.get(&device.product)? {
            Definition::Sound(product) => Some(product),
            _ => None,
        }
    }

    /// The next random number of a device.
    pub(crate) fn draw(&self, device: &mut Device) -> u64 {
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
    pub(crate) fn leave(&self, device: &mut Device, at: i64, reason: &str) -> Sql<i64> {
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
        // What it doesn't understand it ignores, as firmware does; but it says so.
        match frame.p0().map(|p0| P0::parse(layout, p0)) {
            Some(Ok(P0::Control(view))) => {
                let before = device.status.clone();
                for reading in &view {
                    let set = put(
                        layout,
                        &mut device.status,
                        reading.id(),
                        Put::from(&reading),
                    );
                    if let Err(error) = set {
                        let value = reading.value();
                        let outside = Outside::new(product, Kind::LeftOut, value, error);
                        self.remark(device, at, true, &outside)?;
                    }
                }
                let mut changed = changed(layout, &before, &device.status);
                if changed.is_empty() {
                    changed.extend(view.iter().map(|reading| reading.id()));
                }
                self.report(device, at, Action::Report, Some(&changed))
            }
            Some(Ok(P0::Read(wanted))) => {
                let wanted: Vec<PointId> = wanted.ids().collect();
                self.report(device, at, Action::Reply, Some(&wanted))
            }
            Some(Ok(_)) => Ok(()),
            Some(Err(_)) | None => {
                let why = match product.decode(bytes) {
                    Err(error) => error.message,
                    Ok(_) => "a frame without a message for the device".to_owned(),
                };
                self.remark(device, at, true, &Outside::ignored(why))
            }
        }
    }

    /// The device sends its status; of a var_len product the points that are asked for.
    pub(crate) fn report(
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
        let frame = wrap(&p0, action, None, None).unwrap_or_default();
        self.receive(device, at, product, &frame)
    }

    /// The cloud gets a frame from a device: this one event is behind all that it says of it.
    fn receive(&self, device: &mut Device, at: i64, product: &Product, frame: &[u8]) -> Sql<()> {
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
        device.last_report = Some(at);
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
        let frame = wrap(p0, Action::Control, None, None).unwrap_or_default();
        let logged = self.log_frame(device, at, true, &frame)?;
        let Some(mut device) = self.device(device)? else {
            return Ok(());
        };
        let share = 750 + (self.draw(&mut device) % 501).cast_signed();
        self.save(&device)?;
        let due = at.saturating_add(reply_after.saturating_mul(share) / 1000);
        schedule(self.connection, due, "frame", logged, None)
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

    /// The id of a device.
    pub(crate) fn find(&self, did: &str) -> Result<i64, Error> {
        let id = self
            .connection
            .prepare_cached("SELECT id FROM device WHERE did = ?")?
            .query_row([did], |row| row.get(0))
            .optional()?;
        id.ok_or_else(no_device)
    }

    /// Does what somebody outside the API wants of a device.
    pub(crate) fn act(&self, did: &str, at: i64, act: &Act) -> Result<(), Error> {
        let Some(mut device) = self.device(self.find(did)?)? else {
            return Err(no_device());
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
            Act::Set(json) | Act::SetUnchecked(json) => {
                let Some(product) = self.product(&device) else {
                    return Err(Error::Invalid("its product has no definition".to_owned()));
                };
                let before = device.status.clone();
                let invalid = |error| match error {
                    Error::Scenario(error) => Error::Invalid(error),
                    error => error,
                };
                let outside = put_text(product, &mut device.status, json).map_err(invalid)?;
                if let Act::SetUnchecked(_) = act {
                    for one in &outside {
                        self.remark(&device, at, true, one)?;
                    }
                } else {
                    within(outside).map_err(invalid)?;
                }
                let changed = changed(product.layout(), &before, &device.status);
                if device.hears() && !changed.is_empty() {
                    self.report(&mut device, at, Action::Report, Some(&changed))?;
                }
            }
            Act::Disabled(disabled) => {
                let turned = self
                    .connection
                    .prepare_cached(
                        "UPDATE device SET disabled = ?1 WHERE id = ?2 AND disabled != ?1",
                    )?
                    .execute(params![disabled, device.id])?;
                if turned > 0 {
                    self.connection
                        .prepare_cached("INSERT INTO turned (device) VALUES (?)")?
                        .execute([device.id])?;
                }
            }
        }
        Ok(self.save(&device)?)
    }
}

fn no_device() -> Error {
    Error::Invalid("there is no such device".to_owned())
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
