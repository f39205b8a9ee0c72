//! The passage of time: carries out the events of the table `pending`, in the order of time and in slices.

use gizwits_codec_std::Action;

use super::behaviour::Behaviour;
use super::day;
use super::device::{Device, LOG_RETENTION};
use super::status::changed;
use super::store::{Sql, Store};

/// The number of events that are carried out at a time. Calls wait for one slice of a long step, not for the
/// whole step.
const SLICE: usize = 500;

impl Store {
    /// Carries out the events that are due at the time `target`: at most [`SLICE`] of them, apart from those that are due
    /// at `target` itself. Returns the time that the world has reached: `target`, or the time of the last event if more
    /// events are due.
    ///
    /// The slices are counted in events and not in time on this machine, so that the same calls have the same results.
    pub(crate) fn advance(&self, target: i64) -> Sql<i64> {
        let sql = "DELETE FROM pending
            WHERE id = (SELECT id FROM pending WHERE due <= ? ORDER BY due, id LIMIT 1)
            RETURNING due, kind, subject, detail";
        let mut reached = target;
        for count in 1.. {
            let Some(next) = self.first(sql, [target], |row| row.try_into())? else {
                reached = target;
                break;
            };
            let (due, kind, subject, detail): (i64, String, i64, String) = next;
            self.carry_out(due, target, &kind, subject, &detail)?;
            reached = due;
            // The world has reached `target` only if no event of this time is left.
            if count >= SLICE && due < target {
                break;
            }
        }
        self.prune(reached)?;
        Ok(reached)
    }

    /// Deletes log records that were older than [`LOG_RETENTION`] when the day began, once a day. The limit depends on
    /// the day alone, so the slices of a step delete the same records as the whole step.
    fn prune(&self, now: i64) -> Sql<()> {
        let today = day::of(now);
        if self.meta("pruned")? == Some(today) {
            return Ok(());
        }
        self.set_meta("pruned", today)?;
        for table in ["online", "frame", "data", "remark"] {
            let delete = format!("DELETE FROM {table} WHERE at < ?");
            self.run(&delete, [day::start(today).saturating_sub(LOG_RETENTION)])?;
        }
        Ok(())
    }

    /// Carries out an event that was due `at` a time up to `target`. The comment at the table `pending` in the schema
    /// describes its columns.
    fn carry_out(&self, at: i64, target: i64, kind: &str, subject: i64, detail: &str) -> Sql<()> {
        match kind {
            "visit" => return self.visit(detail, at),
            "bind" => return self.bind(subject, detail, at),
            _ => {}
        }
        let mut device = self.device(subject)?;
        match kind {
            "frame" => {
                let sql = "SELECT payload FROM frame WHERE id = ?";
                if let Some(frame) = self.find::<Vec<u8>>(sql, [detail])? {
                    self.receive_frame(&mut device, at, &frame)?;
                }
            }
            "behaviour" => self.behave(&mut device, at, target, detail)?,
            "online" => self.connect(&mut device, at)?,
            "offline" => self.disconnect(&mut device, at, detail)?,
            "report" if device.is_reachable() => {
                self.report(&mut device, at, Action::Report, None)?;
                let due = at.saturating_add(device.report_every);
                self.schedule(due, "report", device.id, "")?;
            }
            _ => {}
        }
        self.save(&device)
    }

    /// Carries out a turn of a behaviour and plans the next one.
    fn behave(&self, device: &mut Device, at: i64, target: i64, json: &str) -> Sql<()> {
        let behaviour: Behaviour = serde_json::from_str(json)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        if behaviour.is_live() && (!self.runs || target.saturating_sub(at) > behaviour.every()) {
            // No random number is drawn, so that the other behaviours of the device are the same with any clock.
            let due = target.saturating_add(behaviour.every().max(1));
            return self.schedule(due, "behaviour", device.id, json);
        }
        let share = 900 + (self.draw(device) % 201).cast_signed();
        let mut again = behaviour.every().saturating_mul(share) / 1000;
        if device.is_reachable() {
            if let Behaviour::Offline(spec) = behaviour {
                let reason = spec.reason.to_ascii_lowercase();
                let gone = self.leave(device, at, &reason)?;
                let back = gone.saturating_add(spec.lasts.0.max(1));
                self.schedule(back, "online", device.id, "")?;
            } else if let Some(product) = self.product(&device.product) {
                let draw = self.draw(device);
                let before = device.status.clone();
                // `Behaviour::check` found no error when the world was created.
                let outside = behaviour.change(product, &mut device.status, draw, &mut again);
                let outside = outside.unwrap_or_default();
                let changed = changed(product.layout(), &before, &device.status);
                for value in &outside {
                    self.remark(device.id, at, !changed.is_empty(), value)?;
                }
                if !changed.is_empty() {
                    self.report(device, at, Action::Report, Some(&changed))?;
                }
            }
        }
        let due = at.saturating_add(again.max(1));
        self.schedule(due, "behaviour", device.id, json)
    }
}
