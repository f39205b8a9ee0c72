//! The passage of time: carries out the events of the table `pending`, in the order of time.

use gizwits_codec_std::Action;

use super::behaviour::Behaviour;
use super::day;
use super::device::{Device, LOG_RETENTION};
use super::status::changed;
use super::store::{Sql, Store};

impl Store {
    /// Carries out all events that are due at the time `now`.
    pub(crate) fn advance(&self, now: i64) -> Sql<()> {
        let sql = "DELETE FROM pending
            WHERE id = (SELECT id FROM pending WHERE due <= ? ORDER BY due, id LIMIT 1)
            RETURNING due, kind, subject, detail";
        while let Some(next) = self.first(sql, [now], |row| row.try_into())? {
            let (due, kind, subject, detail): (i64, String, i64, String) = next;
            self.carry_out(due, &kind, subject, &detail)?;
        }
        self.prune(now)
    }

    /// Deletes log records that are older than [`LOG_RETENTION`], once a day.
    fn prune(&self, now: i64) -> Sql<()> {
        let today = day::of(now);
        if self.meta("pruned")? == Some(today) {
            return Ok(());
        }
        self.set_meta("pruned", today)?;
        for table in ["online", "frame", "data", "remark"] {
            let delete = format!("DELETE FROM {table} WHERE at < ?");
            self.run(&delete, [now.saturating_sub(LOG_RETENTION)])?;
        }
        Ok(())
    }

    /// Carries out one event. The comment at the table `pending` in the schema describes its columns.
    fn carry_out(&self, at: i64, kind: &str, subject: i64, detail: &str) -> Sql<()> {
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
            "behaviour" => self.behave(&mut device, at, detail)?,
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
    fn behave(&self, device: &mut Device, at: i64, json: &str) -> Sql<()> {
        let behaviour: Behaviour = serde_json::from_str(json)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
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
