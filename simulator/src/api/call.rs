//! A call on its way through the checks to its handler.

use rusqlite::params;
use serde::Serialize;
use utoipa::ToSchema;

use super::http::Request;
use super::mode::Modes;
use super::refusal::{Failure, refuse};
use crate::world::{Definition, Store, day};

/// An empty object: `{}`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Nothing {}

/// An enterprise.
#[derive(Clone)]
pub(crate) struct Enterprise {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) quota: i64,
    pub(crate) overseas: bool,
    /// The networks that the enterprise may call from, separated by spaces.
    pub(crate) allow: String,
    /// The hour of the last counted call, in hours since 1970.
    pub(crate) hour: i64,
    /// The number of calls in that hour.
    pub(crate) calls: i64,
}

/// A product.
#[derive(Clone)]
pub(crate) struct Product {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) enterprise: Option<String>,
    pub(crate) published: bool,
    pub(crate) open_logs: bool,
    pub(crate) remote_control: bool,
}

/// The columns of a device that several handlers need.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) id: i64,
    pub(crate) disabled: bool,
    pub(crate) online: bool,
    /// The time until the device answers a control, in milliseconds.
    pub(crate) reply_after: i64,
}

/// A call.
pub(crate) struct Call<'c> {
    pub(crate) store: &'c Store,
    pub(crate) now: i64,
    pub(crate) request: &'c Request,
    pub(crate) modes: &'c Modes,
    /// The decoded names and values of the query, in order.
    pub(crate) query_pairs: Vec<(String, String)>,
    /// The names and values of the path's parameters.
    pub(crate) params: Vec<(String, String)>,
    /// The product of the path, if there is one.
    pub(crate) product: Option<Product>,
    /// The authenticated enterprise. `None` until the credentials are checked.
    pub(crate) enterprise: Option<Enterprise>,
}

impl Call<'_> {
    /// The value of a parameter of the path, or an empty string if the path has no such parameter.
    pub(crate) fn param(&self, name: &str) -> &str {
        let mut params = self.params.iter();
        let found = params.find(|(one, _)| one == name);
        found.map_or("", |(_, value)| value)
    }

    /// The enterprise with this id.
    pub(crate) fn find_enterprise(&self, id: &str) -> Result<Option<Enterprise>, Failure> {
        let sql = "SELECT id, secret, quota, overseas, allow, hour, calls
            FROM enterprise WHERE id = ?";
        let found = self.store.first(sql, [id], |row| {
            Ok(Enterprise {
                id: row.get(0)?,
                secret: row.get(1)?,
                quota: row.get(2)?,
                overseas: row.get(3)?,
                allow: row.get(4)?,
                hour: row.get(5)?,
                calls: row.get(6)?,
            })
        });
        Ok(found?)
    }

    /// The product with this key.
    pub(crate) fn find_product(&self, key: &str) -> Result<Option<Product>, Failure> {
        let sql = "SELECT key, secret, enterprise, published, open_logs, remote_control
            FROM product WHERE key = ?";
        let found = self.store.first(sql, [key], |row| {
            Ok(Product {
                key: row.get(0)?,
                secret: row.get(1)?,
                enterprise: row.get(2)?,
                published: row.get(3)?,
                open_logs: row.get(4)?,
                remote_control: row.get(5)?,
            })
        });
        Ok(found?)
    }

    /// The product of the path. 5015 if the product does not exist.
    pub(crate) fn product(&self) -> Result<&Product, Failure> {
        self.product.as_ref().map_or_else(|| refuse(5015), Ok)
    }

    /// The product key in the path.
    pub(crate) fn product_key(&self) -> &str {
        self.param("product_key")
    }

    /// The definition of the path's product. 5402 if the product has none, 5406 if it is malformed.
    pub(crate) fn definition(&self) -> Result<&gizwits_codec_std::Product, Failure> {
        match self.store.definitions.get(self.product_key()) {
            Some(Definition::Sound(product)) => Ok(product),
            Some(Definition::Malformed) => refuse(5406),
            _ => refuse(5402),
        }
    }

    /// The device of the path. 5301 if the device does not exist, 5302 if it belongs to another product.
    pub(crate) fn device(&self) -> Result<Device, Failure> {
        let sql = "SELECT id, disabled, is_online, reply_after, product
            FROM known_device WHERE did = ?";
        let found = self.store.first(sql, [self.param("did")], |row| {
            let device = Device {
                id: row.get(0)?,
                disabled: row.get(1)?,
                online: row.get(2)?,
                reply_after: row.get(3)?,
            };
            Ok((device, row.get::<_, String>(4)?))
        })?;
        match found {
            None => refuse(5301),
            Some((_, product)) if product != self.product_key() => refuse(5302),
            Some((device, _)) => Ok(device),
        }
    }

    /// Refuses a group of another product with 5201, and a group that does not exist with the code `missing`.
    pub(crate) fn check_group(&self, gid: &str, missing: u32) -> Result<(), Failure> {
        let sql = "SELECT product FROM device_group WHERE gid = ?";
        match self.store.find::<String>(sql, [gid])? {
            None => refuse(missing),
            Some(product) if product != self.product_key() => refuse(5201),
            Some(_) => Ok(()),
        }
    }

    /// Refuses an app that does not exist with 5016.
    pub(crate) fn check_app(&self, appid: &str) -> Result<(), Failure> {
        let sql = "SELECT 1 FROM app WHERE appid = ?";
        match self.store.has(sql, [appid])? {
            true => Ok(()),
            false => refuse(5016),
        }
    }

    /// Refuses a user that does not exist with 5017.
    pub(crate) fn check_user(&self, uid: &str) -> Result<(), Failure> {
        let sql = "SELECT 1 FROM user WHERE uid = ? AND created_at <= ?";
        match self.store.has(sql, params![uid, self.now])? {
            true => Ok(()),
            false => refuse(5017),
        }
    }

    /// The last day that is in the reports of big data.
    pub(crate) fn last_day(&self) -> i64 {
        day::of(self.now).saturating_sub(i64::from(!self.store.live_reports))
    }

    /// The time until which events are in the reports of big data, in milliseconds since 1970.
    pub(crate) fn known_until(&self) -> i64 {
        match self.store.live_reports {
            true => self.now.saturating_add(1),
            false => day::start(day::of(self.now)),
        }
    }
}
