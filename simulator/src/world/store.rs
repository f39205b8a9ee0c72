//! The database of the world.

use std::collections::BTreeMap;

use gizwits_codec_std::Product;
use rusqlite::types::{FromSql, Type};
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};
use serde::de::DeserializeOwned;

/// The result of an SQL statement.
pub(crate) type Sql<T> = Result<T, rusqlite::Error>;

/// The definition of a product.
#[derive(Clone, Debug)]
pub(crate) enum Definition {
    /// The product has none.
    None,
    /// The definition is invalid.
    Malformed,
    /// The definition is valid: devices encode and decode by it.
    Sound(Product),
}

/// The connection to the database, with the settings and definitions that are kept in memory.
pub(crate) struct Store {
    pub(crate) connection: Connection,
    pub(crate) seed: u64,
    pub(crate) live_reports: bool,
    /// Whether time passes by itself.
    pub(crate) runs: bool,
    pub(crate) definitions: BTreeMap<String, Definition>,
}

impl Store {
    /// Runs a statement and returns the number of rows that it changed.
    pub(crate) fn run(&self, sql: &str, values: impl Params) -> Sql<usize> {
        self.connection.prepare_cached(sql)?.execute(values)
    }

    /// The first row of a query, if there is one.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> Sql<T>,
    ) -> Sql<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row(values, read).optional()
    }

    /// All rows of a query.
    pub(crate) fn rows<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> Sql<T>,
    ) -> Sql<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_map(values, read)?.collect()
    }

    /// The first column of the first row of a query, if there is one.
    pub(crate) fn find<T: FromSql>(&self, sql: &str, values: impl Params) -> Sql<Option<T>> {
        self.first(sql, values, |row| row.get(0))
    }

    /// The first column of the only row of a query.
    pub(crate) fn value<T: FromSql>(&self, sql: &str, values: impl Params) -> Sql<T> {
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row(values, |row| row.get(0))
    }

    /// Whether a query has a row.
    pub(crate) fn has(&self, sql: &str, values: impl Params) -> Sql<bool> {
        self.connection.prepare_cached(sql)?.exists(values)
    }

    /// Reads a number of the table `meta`.
    pub(crate) fn meta(&self, key: &str) -> Sql<Option<i64>> {
        self.find("SELECT value FROM meta WHERE key = ?", [key])
    }

    /// Writes a number of the table `meta`.
    pub(crate) fn set_meta(&self, key: &str, value: i64) -> Sql<()> {
        let sql = "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)";
        self.run(sql, params![key, value]).map(drop)
    }

    /// The next number of a series, from 1.
    pub(crate) fn next(&self, series: &str) -> Sql<i64> {
        self.value(
            "INSERT INTO meta (key, value) VALUES (?, 1)
             ON CONFLICT (key) DO UPDATE SET value = value + 1 RETURNING value",
            [series],
        )
    }

    /// The latest time in the database. The clock must not be before it.
    pub(crate) fn latest(&self) -> Sql<i64> {
        self.value(
            "SELECT max(coalesce((SELECT max(at) FROM frame), 0),
                coalesce((SELECT max(at) FROM online), 0),
                coalesce((SELECT value FROM meta WHERE key = 'now'), 0))",
            [],
        )
    }

    /// The product with this key, if it has a valid definition.
    pub(crate) fn product(&self, key: &str) -> Option<&Product> {
        match self.definitions.get(key)? {
            Definition::Sound(product) => Some(product),
            _ => None,
        }
    }

    /// Reads the definitions of all products.
    pub(crate) fn read_definitions(&mut self) -> Sql<()> {
        let rows = self.rows("SELECT key, definition FROM product", [], |row| {
            let json: Option<String> = row.get(1)?;
            let definition = match json.as_deref().map(Product::from_json) {
                None => Definition::None,
                Some(Ok(product)) => Definition::Sound(product),
                Some(Err(_)) => Definition::Malformed,
            };
            Ok((row.get(0)?, definition))
        })?;
        self.definitions = rows.into_iter().collect();
        Ok(())
    }

    /// Plans an event for the time `due`. The kinds of events and their details are those of
    /// [`advance`](Self::advance).
    pub(crate) fn schedule(&self, due: i64, kind: &str, subject: i64, detail: &str) -> Sql<()> {
        self.run(
            "INSERT INTO pending (due, kind, subject, detail) VALUES (?, ?, ?, ?)",
            params![due, kind, subject, detail],
        )?;
        Ok(())
    }
}

/// Reads a column that contains JSON.
pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Sql<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
