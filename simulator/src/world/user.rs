//! Users: bindings, and the days on which users opened an app.

use rusqlite::params;

use super::day;
use super::store::{Sql, Store};

impl Store {
    /// Binds a device to a user. The first user of a device owns it.
    pub(crate) fn bind(&self, device: i64, uid: &str, at: i64) -> Sql<()> {
        self.run(
            "INSERT OR IGNORE INTO binding (device, uid, appid, owner, at)
             SELECT ?1, uid, appid, NOT EXISTS (SELECT 1 FROM binding WHERE device = ?1), ?3
             FROM user WHERE uid = ?2",
            params![device, uid, at],
        )?;
        self.run(
            "INSERT OR IGNORE INTO first_binding (device, uid, at) VALUES (?, ?, ?)",
            params![device, uid, at],
        )?;
        Ok(())
    }

    /// Records that a user opened an app on a day.
    pub(crate) fn visited(&self, uid: &str, at: i64) -> Sql<()> {
        self.run(
            "INSERT OR IGNORE INTO visit (uid, day) VALUES (?, ?)",
            params![uid, day::of(at)],
        )?;
        Ok(())
    }

    /// Carries out a visit of a user and plans the next one.
    pub(crate) fn visit(&self, uid: &str, at: i64) -> Sql<()> {
        self.visited(uid, at)?;
        let every: Option<Option<i64>> = self.find(
            "UPDATE user SET updated_at = ? WHERE uid = ? RETURNING visits",
            params![at, uid],
        )?;
        match every.flatten() {
            Some(every) => self.schedule(at.saturating_add(every), "visit", 0, uid),
            None => Ok(()),
        }
    }
}
