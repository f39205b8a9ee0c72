//! Devices: connections, frames, and the records that the cloud makes of them.
//!
//! The API and a device exchange frames only. A control is logged as a frame. When its time has come, the
//! device decodes this frame, sets its status and reports in another frame. The cloud decodes the report,
//! and makes records of it: data, faults, alerts and activity.
//!
//! Future events are rows of the table `pending`. [`Store::advance`] carries them out in the order of time.

use gizwits_codec_std::core::m2m::{self, Event};
use gizwits_codec_std::core::{Access, P0, PointId, Protocol, Raw};
use gizwits_codec_std::{Action, Product, wrap_m2m};
use rusqlite::params;
use serde::Deserialize;

use super::day;
use super::random;
use super::remark::{Kind, Violation};
use super::row;
use super::status::{changed, full_message, partial_message, put, set_reading};
use super::store::{Sql, Store};

/// The time that records of logs are kept, in milliseconds.
pub(crate) const LOG_RETENTION: i64 = 7 * day::DAY;
/// The time that the cloud waits for a heartbeat after `keep_alive`, in milliseconds.
const GRACE: i64 = 5000;

/// SQL that adds a record to a log. Its first two parameters are the id of the device and the time.
fn append(table: &str, columns: &str, values: &str) -> String {
    format!(
        "INSERT INTO {table} (device, at, {columns}, number) VALUES (?1, ?2, {values},
            1 + coalesce((SELECT number FROM {table}
                WHERE device = ?1 ORDER BY at DESC, id DESC LIMIT 1), 0))"
    )
}

/// The columns of a device that its behaviour reads and changes. [`Store::save`] writes the changes back.
#[derive(Deserialize)]
pub(crate) struct Device {
    pub(crate) id: i64,
    did: String,
    /// The key of the product.
    pub(crate) product: String,
    /// The body of a report of all points.
    pub(crate) status: Vec<u8>,
    /// The interval of reports of all points in milliseconds.
    pub(crate) report_every: i64,
    /// The number of reports of which a var_len device sends one with all points.
    full_every: i64,
    /// The interval of heartbeats in milliseconds.
    heartbeat: i64,
    /// The time without a heartbeat, in milliseconds, after which the cloud waits for [`GRACE`].
    keep_alive: i64,
    online_since: Option<i64>,
    /// The time at which the device went away, while the cloud still takes it for online.
    silent_since: Option<i64>,
    /// The number of reports since the last of all points.
    since_full: i64,
    /// The number of random numbers that the device has drawn.
    draws: i64,
    last_report: Option<i64>,
}

impl Device {
    /// Whether frames reach the device: it is online and not silent.
    pub(crate) fn is_reachable(&self) -> bool {
        self.online_since.is_some() && self.silent_since.is_none()
    }
}

impl Store {
    /// Loads a device. Devices are never deleted, so a missing one is an error of the database.
    pub(crate) fn device(&self, id: i64) -> Sql<Device> {
        let sql =
            "SELECT id, did, product, status, report_every, full_every, heartbeat, keep_alive,
                online_since, silent_since, since_full, draws, last_report
            FROM device WHERE id = ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row([id], row::read)
    }

    /// Writes the changes of a device to the database.
    pub(crate) fn save(&self, device: &Device) -> Sql<()> {
        self.run(
            "UPDATE device SET status = ?, online_since = ?, silent_since = ?, since_full = ?,
                draws = ?, last_report = ?
             WHERE id = ?",
            params![
                device.status,
                device.online_since,
                device.silent_since,
                device.since_full,
                device.draws,
                device.last_report,
                device.id
            ],
        )?;
        Ok(())
    }

    /// The next random number of a device.
    pub(crate) fn draw(&self, device: &mut Device) -> u64 {
        device.draws = device.draws.wrapping_add(1);
        random::number(self.seed, &device.did, device.draws)
    }

    /// Deletes the future events of a device's connection.
    fn unschedule(&self, device: &Device) -> Sql<()> {
        let sql = "DELETE FROM pending WHERE kind IN ('offline', 'report') AND subject = ?";
        self.run(sql, [device.id]).map(drop)
    }

    /// Connects a device that is not connected.
    pub(crate) fn connect(&self, device: &mut Device, at: i64) -> Sql<()> {
        if device.is_reachable() {
            return Ok(());
        }
        // A silent device that connects again was never offline for the cloud.
        let kind = match device.online_since {
            Some(_) => "dev_re_online",
            None => "dev_online",
        };
        self.unschedule(device)?;
        device.online_since = Some(at);
        device.silent_since = None;
        self.run(
            "UPDATE device SET online_latest = ?1, activated_at = coalesce(activated_at, ?1)
             WHERE id = ?2",
            params![at, device.id],
        )?;
        let keep_alive = (device.keep_alive + GRACE) / 1000;
        self.run(
            &append(
                "online",
                "type, payload",
                "?3, json_object('keep_alive', ?4)",
            ),
            params![device.id, at, kind, keep_alive],
        )?;
        self.schedule(at.saturating_add(1000), "report", device.id, "")
    }

    /// The number of heartbeats from `since` to `until`, and the time of the last, or `since`.
    fn heartbeats(device: &Device, since: i64, until: i64) -> (i64, i64) {
        let count = until.saturating_sub(since).max(0) / device.heartbeat.max(1);
        (count, since.saturating_add(count * device.heartbeat))
    }

    /// Disconnects a device, if it is online, and logs the record of its connection.
    pub(crate) fn disconnect(&self, device: &mut Device, at: i64, reason: &str) -> Sql<()> {
        let Some(since) = device.online_since.take() else {
            return Ok(());
        };
        let until = device.silent_since.take().unwrap_or(at);
        let (count, beat) = Self::heartbeats(device, since, until);
        let seconds = |from: i64, to: i64| to.div_euclid(1000) - from.div_euclid(1000);
        // Intervals of heartbeats exist from two heartbeats on.
        let steady = device.heartbeat / 1000 * i64::from(count >= 2);
        let (duration, last) = (seconds(since, at), seconds(beat, at));
        let values = "'dev_offline', json_object('duration', ?3, 'heartbeat', json_object(
            'count', ?4, 'max', ?5, 'avg', ?5, 'last', ?6, 'min', ?5), 'reason', ?7)";
        self.unschedule(device)?;
        self.run(
            &append("online", "type, payload", values),
            params![device.id, at, duration, count, steady, last, reason],
        )?;
        Ok(())
    }

    /// Ends the connection of a device. Returns the time at which the cloud takes the device for offline.
    ///
    /// If the reason is `no_heartbeat`, the device becomes silent, which the cloud notices later.
    pub(crate) fn leave(&self, device: &mut Device, at: i64, reason: &str) -> Sql<i64> {
        if reason != "no_heartbeat" {
            self.disconnect(device, at, reason)?;
            return Ok(at);
        }
        let Some(since) = device.online_since else {
            return Ok(at);
        };
        device.silent_since = Some(at);
        let (_, beat) = Self::heartbeats(device, since, at);
        let missed = beat.saturating_add(device.keep_alive).saturating_add(GRACE);
        self.schedule(missed, "offline", device.id, reason)?;
        Ok(missed)
    }

    /// A device receives a frame: it sets its status, and reports what it set or what was asked for.
    pub(crate) fn receive_frame(&self, device: &mut Device, at: i64, bytes: &[u8]) -> Sql<()> {
        let Some(product) = self.product(&device.product) else {
            return Ok(());
        };
        if !device.is_reachable() {
            return Ok(());
        }
        let layout = product.layout();
        let Ok((Event::Frame(frame), [])) = m2m::parse(bytes, usize::MAX) else {
            return Ok(());
        };
        // Firmware ignores frames that it can't read. The remark tells the user of the simulator.
        match frame.p0().map(|p0| P0::parse(layout, p0)) {
            Some(Ok(P0::Control(view))) => {
                let before = device.status.clone();
                let left_out = put(layout, &mut device.status, |encoder| {
                    let refused = view.iter().filter_map(|reading| {
                        let error = set_reading(encoder, &reading).err()?;
                        let value = reading.value();
                        Some(Violation::new(product, Kind::LeftOut, value, error))
                    });
                    Ok(refused.collect::<Vec<_>>())
                });
                for outside in left_out.unwrap_or_default() {
                    self.remark(device.id, at, true, &outside)?;
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
                let ignored = Violation {
                    kind: Kind::Ignored,
                    point: None,
                    message: match product.decode(bytes) {
                        Err(error) => error.message,
                        Ok(_) => "a frame without a message for the device".to_owned(),
                    },
                };
                self.remark(device.id, at, true, &ignored)
            }
        }
    }

    /// A device sends a report or reply of these points. A standard device, and `None`, send all points.
    pub(crate) fn report(
        &self,
        device: &mut Device,
        at: i64,
        action: Action,
        points: Option<&[PointId]>,
    ) -> Sql<()> {
        let Some(product) = self.product(&device.product) else {
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
        let some =
            points.and_then(|points| partial_message(layout, &device.status, action, points));
        let p0 = some.unwrap_or_else(|| {
            device.since_full = 0;
            full_message(layout, &device.status, action)
        });
        let frame = wrap_m2m(&p0, action, None, None).unwrap_or_default();
        self.receive(device, at, product, &frame)
    }

    /// The cloud receives a frame from a device, logs it and makes all records of it.
    fn receive(&self, device: &mut Device, at: i64, product: &Product, frame: &[u8]) -> Sql<()> {
        self.log_frame(device.id, at, false, frame)?;
        let Ok(decoded) = product.decode(frame) else {
            return Ok(());
        };
        self.run(
            &append("data", "attrs", "?3 -> '$.attrs'"),
            params![device.id, at, decoded.to_json()],
        )?;
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
                Raw::Number(0) => self.run(
                    "UPDATE trouble SET cleared_at = ?
                     WHERE device = ? AND point = ? AND cleared_at IS NULL",
                    params![at, device.id, attr.name()],
                )?,
                _ => self.run(
                    "INSERT INTO trouble (device, point, fault, raised_at)
                     SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (
                        SELECT 1 FROM trouble
                        WHERE device = ?1 AND point = ?2 AND cleared_at IS NULL)",
                    params![device.id, attr.name(), fault, at],
                )?,
            };
        }
        self.run(
            "INSERT OR IGNORE INTO activity (device, day, at) VALUES (?, ?, ?)",
            params![device.id, day::of(at), at],
        )?;
        device.last_report = Some(at);
        Ok(())
    }

    /// Adds a frame to the log of frames and returns its id.
    pub(crate) fn log_frame(
        &self,
        device: i64,
        at: i64,
        to_device: bool,
        frame: &[u8],
    ) -> Sql<i64> {
        self.run(
            &append("frame", "to_device, payload", "?3, ?4"),
            params![device, at, to_device, frame],
        )?;
        Ok(self.connection.last_insert_rowid())
    }

    /// The cloud sends a P0 to a device. The device receives it after 75 to 125 % of `reply_after`, at
    /// random.
    pub(crate) fn send(&self, device: i64, reply_after: i64, at: i64, p0: &[u8]) -> Sql<()> {
        let frame = wrap_m2m(p0, Action::Control, None, None).unwrap_or_default();
        let logged = self.log_frame(device, at, true, &frame)?;
        let mut device = self.device(device)?;
        let share = 750 + (self.draw(&mut device) % 501).cast_signed();
        self.save(&device)?;
        let due = at.saturating_add(reply_after.saturating_mul(share) / 1000);
        self.schedule(due, "frame", device.id, &logged.to_string())
    }
}
