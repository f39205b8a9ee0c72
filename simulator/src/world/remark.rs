//! Remarks: what devices note about values and frames that break their definition. The logs of the API have
//! no records for them.

use gizwits_codec_std::{Product, Value, core};
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use super::store::{self, Sql, Store};

/// How a device handled a value or a frame that its definition does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A control had a value outside its limits. The device did not set this point.
    LeftOut,
    /// A number was outside its limits. The device reports the nearest number that is allowed.
    Saturated,
    /// The value of an enum has no label. The device reports the last value that had one.
    Kept,
    /// A frame could not be read. The device ignored it.
    Ignored,
}

/// A note of a device about a value or a frame that its definition does not allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Remark {
    /// The time in milliseconds since 1970.
    pub at: i64,
    /// How the device handled the value or frame.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The name of the data point. `None` for a frame.
    pub point: Option<String>,
    /// The error, with the limits of the point.
    pub message: String,
}

impl Remark {
    /// The columns that [`read`](Self::read) expects after `id` and `at`.
    pub(crate) const COLUMNS: &str = "type, point, message";

    pub(crate) fn read(row: &Row<'_>) -> Sql<Self> {
        Ok(Remark {
            at: row.get(1)?,
            kind: store::json(row, 2)?,
            point: row.get(3)?,
            message: row.get(4)?,
        })
    }
}

/// A value or a frame that breaks a definition: a remark without a time.
pub(crate) struct Violation {
    pub(crate) kind: Kind,
    pub(crate) point: Option<String>,
    pub(crate) message: String,
}

impl Violation {
    pub(crate) fn new(product: &Product, kind: Kind, value: Value<'_>, error: core::Error) -> Self {
        let error = product.refused(value, error);
        Violation {
            kind,
            point: error.point,
            message: error.message,
        }
    }
}

impl Store {
    /// Adds a remark of a device. Unless it is `fresh`, a remark that repeats the last one on its point is
    /// not added.
    pub(crate) fn remark(&self, device: i64, at: i64, fresh: bool, outside: &Violation) -> Sql<()> {
        let kind = serde_json::to_string(&outside.kind)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        self.run(
            "INSERT INTO remark (device, at, type, point, message)
             SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?6 OR ?5 IS NOT (
                SELECT message FROM remark WHERE device = ?1 AND point IS ?4
                ORDER BY id DESC LIMIT 1)",
            params![device, at, kind, outside.point, outside.message, fresh],
        )?;
        Ok(())
    }

    /// The last `limit` remarks of a device, the newest first.
    pub(crate) fn remarks(&self, device: i64, limit: i64) -> Sql<Vec<Remark>> {
        let columns = Remark::COLUMNS;
        let sql = format!(
            "SELECT id, at, {columns} FROM remark WHERE device = ? ORDER BY id DESC LIMIT ?"
        );
        self.rows(&sql, params![device, limit], Remark::read)
    }
}
