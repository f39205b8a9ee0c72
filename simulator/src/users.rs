//! Users: those of a product's apps, and those who have its devices.

use rusqlite::{OptionalExtension as _, Row, named_params};
use serde::Serialize;

use crate::call::{Call, in_group};
use crate::error::{Failure, Refusal, refuse};
use crate::page::Page;

/// A user of an app.
#[derive(Debug, Serialize)]
pub(crate) struct RegisteredUser {
    uid: String,
    username: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    birthday: Option<String>,
    gender: Option<String>,
    address: Option<String>,
    remark: Option<String>,
    is_anonymous: bool,
    created_at: i64,
    updated_at: i64,
}

/// A user who has a device.
#[derive(Debug, Serialize)]
pub(crate) struct BoundUser {
    uid: String,
    username: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    name: Option<String>,
    birthday: Option<String>,
    gender: Option<String>,
    address: Option<String>,
    remark: Option<String>,
    is_anonymous: bool,
    auth_src: Option<String>,
    created_at: i64,
    /// Only where one device is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_owner: Option<bool>,
}

/// Nobody knows them by anything but their uid.
fn anonymous(row: &Row<'_>) -> Result<bool, rusqlite::Error> {
    let known = |column| {
        row.get::<_, Option<String>>(column)
            .map(|text| text.is_some())
    };
    Ok(!(known(1)? || known(2)? || known(3)?))
}

/// The product that a call with enterprise credentials is about.
pub(crate) fn product(call: &Call<'_>, secret_too: bool) -> Result<String, Failure> {
    let (key, secret) = (call.text("product_key"), call.text("product_secret"));
    let product = match (key, secret) {
        (Some(key), _) => match call.product_of(key)? {
            Some(product) => product,
            None => return Err(Refusal::new(5015).into()),
        },
        // The page names it product_secret and means the key; either is taken.
        (None, Some(secret)) if secret_too => {
            let key: Option<String> = call
                .connection
                .prepare_cached(
                    "SELECT key FROM product WHERE key = ?1 OR secret = ?1 ORDER BY key",
                )?
                .query_row([secret], |row| row.get(0))
                .optional()?;
            match key.map(|key| call.product_of(&key)).transpose()?.flatten() {
                Some(product) => product,
                None => return Err(Refusal::new(5005).into()),
            }
        }
        _ => return refuse(5002, "product_key is required"),
    };
    let enterprise = call.enterprise.as_ref().map(|enterprise| &enterprise.id);
    if product.enterprise.as_ref() != enterprise {
        return Err(Refusal::new(5801).into());
    }
    Ok(product.key)
}

/// The app that is asked for.
pub(crate) fn app<'c>(call: &'c Call<'_>) -> Result<Option<&'c str>, Failure> {
    let appid = call.text("appid");
    if let Some(appid) = appid {
        known_app(call, appid)?;
    }
    Ok(appid)
}

/// That there is such an app.
pub(crate) fn known_app(call: &Call<'_>, appid: &str) -> Result<(), Failure> {
    let known = call
        .connection
        .prepare_cached("SELECT 1 FROM app WHERE appid = ?")?
        .exists([appid])?;
    match known {
        true => Ok(()),
        false => Err(Refusal::new(5016).into()),
    }
}

macro_rules! registered_users {
    ($columns:literal, $end:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM user
              WHERE appid IN (SELECT appid FROM app_product WHERE product = :product)
                AND created_at <= :now
                AND (:appid IS NULL OR appid = :appid)
                AND (:username IS NULL OR username = :username)
                AND (:phone IS NULL OR phone = :phone)
                AND (:email IS NULL OR email = :email)",
            $end
        )
    };
}

pub(crate) fn registered(call: &Call<'_>) -> Result<Page<RegisteredUser>, Failure> {
    let paging = call.paging()?;
    let product = product(call, false)?;
    let appid = app(call)?;
    let filters = named_params! {
        ":product": product,
        ":now": call.now,
        ":appid": appid,
        ":username": call.text("username"),
        ":phone": call.text("phone"),
        ":email": call.text("email"),
    };
    let total = call
        .connection
        .prepare_cached(registered_users!("count(*)", ""))?
        .query_row(filters, |row| row.get(0))?;
    let limits = named_params! { ":limit": paging.limit, ":skip": paging.skip };
    let all: Vec<_> = filters.iter().chain(limits).copied().collect();
    let objects = call
        .connection
        .prepare_cached(registered_users!(
            "uid, username, phone, email, created_at, updated_at",
            " ORDER BY created_at DESC, uid LIMIT :limit OFFSET :skip"
        ))?
        .query_map(&*all, |row| {
            Ok(RegisteredUser {
                uid: row.get(0)?,
                username: row.get(1)?,
                phone: row.get(2)?,
                email: row.get(3)?,
                birthday: None,
                gender: None,
                address: None,
                remark: None,
                is_anonymous: anonymous(row)?,
                created_at: row.get::<_, i64>(4)?.div_euclid(1000),
                updated_at: row.get::<_, i64>(5)?.div_euclid(1000),
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(call.page(paging, total, objects))
}

macro_rules! bound_users {
    ($columns:literal, $end:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM user JOIN binding ON binding.uid = user.uid
                JOIN device ON device.id = binding.device
              WHERE device.product = :product
                AND (:uid IS NULL OR user.uid = :uid)
                AND (:username IS NULL OR username = :username)
                AND (:phone IS NULL OR phone = :phone)
                AND (:email IS NULL OR email = :email)
                AND (:did IS NULL OR device.did = :did)
                AND (:mac IS NULL OR device.mac = :mac)
                AND (:device_sn IS NULL OR device.device_sn = :device_sn)
                AND ",
            in_group!("device.gid"),
            $end
        )
    };
}

pub(crate) fn bound(call: &Call<'_>) -> Result<Page<BoundUser>, Failure> {
    let paging = call.paging()?;
    let (kind, val) = (call.text("type"), call.text("val"));
    let kinds = [
        "uid",
        "username",
        "phone",
        "email",
        "did",
        "mac",
        "device_sn",
    ];
    match (kind, val) {
        (None, None) => {}
        (Some(kind), Some(_)) if kinds.contains(&kind) => {}
        (Some(kind), None) if kinds.contains(&kind) => return refuse(5002, "val is missing"),
        _ => return refuse(5002, format!("type is one of {}", kinds.join(", "))),
    }
    let gid = call.gid()?;
    let only = |one: &str| if kind == Some(one) { val } else { None };
    let filters = named_params! {
        ":product": call.product_key(),
        ":uid": only("uid"),
        ":username": only("username"),
        ":phone": only("phone"),
        ":email": only("email"),
        ":did": only("did"),
        ":mac": only("mac"),
        ":device_sn": only("device_sn"),
        ":gid": gid,
        ":deep": call.group_descendants,
    };
    let total = call
        .connection
        .prepare_cached(bound_users!("count(DISTINCT user.uid)", ""))?
        .query_row(filters, |row| row.get(0))?;
    let limits = named_params! { ":limit": paging.limit, ":skip": paging.skip };
    let all: Vec<_> = filters.iter().chain(limits).copied().collect();
    let one_device = matches!(kind, Some("did" | "mac" | "device_sn"));
    let objects = call
        .connection
        .prepare_cached(bound_users!(
            "user.uid, username, phone, email, name, user.created_at, max(owner)",
            " GROUP BY user.uid ORDER BY user.created_at DESC, user.uid LIMIT :limit OFFSET :skip"
        ))?
        .query_map(&*all, |row| {
            Ok(BoundUser {
                uid: row.get(0)?,
                username: row.get(1)?,
                phone: row.get(2)?,
                email: row.get(3)?,
                name: row.get(4)?,
                birthday: None,
                gender: None,
                address: None,
                remark: None,
                is_anonymous: anonymous(row)?,
                auth_src: None,
                created_at: row.get::<_, i64>(5)?.div_euclid(1000),
                is_owner: one_device.then_some(row.get(6)?),
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(call.page(paging, total, objects))
}
