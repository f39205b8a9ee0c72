//! Remarks of devices on values that they can't take or report. They are kept beside the logs of the API,
//! which has no record for them.

use gizwits_codec_std::{Product, Value, core};
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use super::store::{self, Sql, Store};

/// The way in which a device handled a value, or a frame, that its definition does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A control set a point to a value outside its limits: the point was left out.
    LeftOut,
    /// A number was outside its limits: the nearest value that is allowed is reported.
    Saturated,
    /// An enum was past its labels: its last good value is reported.
    Kept,
    /// A frame was not understood, and ignored.
    Ignored,
}

/// A remark of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Remark {
    /// The time in milliseconds since 1970.
    pub at: i64,
    /// The way in which the device handled it.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The name of the point; none if the remark is about a frame.
    pub point: Option<String>,
    /// The error, and what would be right.
    pub message: String,
}

impl Remark {
    /// The columns behind `id, at` that [`read`](Self::read) takes.
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

/// A value, or a frame, that breaks a product's definition.
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
    /// Writes down a remark of a device; unless it is `fresh`, only if the device's last remark on the
    /// point was another.
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

    /// The last remarks of a device, the newest first.
    pub(crate) fn remarks(&self, device: i64, limit: i64) -> Sql<Vec<Remark>> {
        let columns = Remark::COLUMNS;
        let sql = format!(
            "SELECT id, at, {columns} FROM remark WHERE device = ? ORDER BY id DESC LIMIT ?"
        );
        self.rows(&sql, params![device, limit], Remark::read)
    }
}
