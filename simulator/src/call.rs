//! A call that passed the checks, as its handler sees it.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Failure, Refusal, refuse};
use crate::http::{self, Request};
use crate::mode::Modes;
use crate::period;
use crate::store::Definition;

/// What a handler answers.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn new<T: Serialize>(status: u16, body: &T) -> Result<Self, Failure> {
        match serde_json::to_string(body) {
            Ok(body) => Ok(Reply { status, body }),
            Err(error) => refuse(5409, error.to_string()),
        }
    }
}

/// Nothing: `{}`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Nothing {}

/// An enterprise.
#[derive(Clone, Debug)]
pub(crate) struct Enterprise {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) quota: i64,
    pub(crate) overseas: bool,
    pub(crate) allow: String,
    /// The hour that calls were last counted in, and how many.
    pub(crate) hour: i64,
    pub(crate) calls: i64,
}

/// A product.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) enterprise: Option<String>,
    pub(crate) published: bool,
    pub(crate) open_logs: bool,
    pub(crate) remote_control: bool,
}

/// A device, as far as several handlers need it.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) id: i64,
    pub(crate) disabled: bool,
    pub(crate) online: bool,
    pub(crate) reply_after: i64,
}

/// A call.
pub(crate) struct Call<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) definitions: &'c BTreeMap<String, Definition>,
    pub(crate) seed: u64,
    pub(crate) live_reports: bool,
    pub(crate) group_descendants: bool,
    pub(crate) now: i64,
    pub(crate) request: &'c Request,
    pub(crate) modes: &'c Modes,
    /// Names and values of the query, in its order.
    pub(crate) pairs: Vec<(String, String)>,
    /// The values of the path's parameters.
    pub(crate) params: Vec<(&'static str, String)>,
    /// The product of the path, once it was looked up.
    pub(crate) product: Option<Product>,
    /// Who calls, once that is checked.
    pub(crate) enterprise: Option<Enterprise>,
}

impl Call<'_> {
    /// A parameter of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        let mut params = self.params.iter();
        let found = params.find(|(one, _)| *one == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn enterprise_of(&self, id: &str) -> Result<Option<Enterprise>, Failure> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT id, secret, quota, overseas, allow, hour, calls
                 FROM enterprise WHERE id = ?",
            )?
            .query_row([id], |row| {
                Ok(Enterprise {
                    id: row.get(0)?,
                    secret: row.get(1)?,
                    quota: row.get(2)?,
                    overseas: row.get(3)?,
                    allow: row.get(4)?,
                    hour: row.get(5)?,
                    calls: row.get(6)?,
                })
            })
            .optional()?;
        Ok(found)
    }

    /// The product with this key.
    pub(crate) fn product_of(&self, key: &str) -> Result<Option<Product>, Failure> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT key, secret, enterprise, published, open_logs, remote_control
                 FROM product WHERE key = ?",
            )?
            .query_row([key], |row| {
                Ok(Product {
                    key: row.get(0)?,
                    secret: row.get(1)?,
                    enterprise: row.get(2)?,
                    published: row.get(3)?,
                    open_logs: row.get(4)?,
                    remote_control: row.get(5)?,
                })
            })
            .optional()?;
        Ok(found)
    }

    /// The product of the path.
    pub(crate) fn product(&self) -> Result<Product, Failure> {
        let found = match &self.product {
            Some(product) => Some(product.clone()),
            None => self.product_of(self.product_key())?,
        };
        found.ok_or_else(|| Refusal::new(5015).into())
    }

    /// The product's key, as the path has it.
    pub(crate) fn product_key(&self) -> &str {
        self.param("product_key")
    }

    /// The device of the path: 5301 if there is none, 5302 if it is of another product.
    pub(crate) fn device(&self) -> Result<Device, Failure> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT id, disabled, online_since IS NOT NULL, reply_after, product
                 FROM device WHERE did = ? AND activated_at IS NOT NULL",
            )?
            .query_row([self.param("did")], |row| {
                let device = Device {
                    id: row.get(0)?,
                    disabled: row.get(1)?,
                    online: row.get(2)?,
                    reply_after: row.get(3)?,
                };
                Ok((device, row.get::<_, String>(4)?))
            })
            .optional()?;
        match found {
            None => Err(Refusal::new(5301).into()),
            Some((_, product)) if product != self.product_key() => Err(Refusal::new(5302).into()),
            Some((device, _)) => Ok(device),
        }
    }

    /// A group of the product; `missing` is the error if there is none.
    pub(crate) fn group(&self, gid: &str, missing: u32) -> Result<(), Failure> {
        let product: Option<String> = self
            .connection
            .prepare_cached("SELECT product FROM device_group WHERE gid = ?")?
            .query_row([gid], |row| row.get(0))
            .optional()?;
        match product {
            None => Err(Refusal::new(missing).into()),
            Some(product) if product != self.product_key() => Err(Refusal::new(5201).into()),
            Some(_) => Ok(()),
        }
    }

    /// The last day that reports of big data know.
    pub(crate) fn last_day(&self) -> i64 {
        period::day_of(self.now).saturating_sub(i64::from(!self.live_reports))
    }

    /// Until when reports of big data know what happened.
    pub(crate) fn known_until(&self) -> i64 {
        match self.live_reports {
            true => self.now.saturating_add(1),
            false => period::start_of(period::day_of(self.now)),
        }
    }
}

/// Names and values of a query, decoded.
pub(crate) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let parts = text.split('&').filter(|pair| !pair.is_empty());
    parts
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((http::decode(name, true)?, http::decode(value, true)?))
        })
        .collect()
}

/// SQL for "in the group `:gid`, or below it if `:deep`", of a column.
macro_rules! in_group {
    ($column:literal) => {
        concat!(
            "(:gid IS NULL OR ",
            $column,
            " IN (WITH RECURSIVE below (gid) AS (
                SELECT :gid
                UNION
                SELECT one.gid FROM device_group AS one JOIN below ON one.parent = below.gid
                WHERE :deep
            ) SELECT gid FROM below))"
        )
    };
}

pub(crate) use in_group;
