//! Users: those of a product's apps, and those who have its devices.

use rusqlite::{OptionalExtension as _, Row, named_params};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::call::{Call, in_group};
use crate::error::{Failure, Refusal, refuse};
use crate::groups::Group;
use crate::input;
use crate::page::{Page, Paging};

/// A user of an app.
#[derive(Debug, Serialize, ToSchema)]
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
#[derive(Debug, Serialize, ToSchema)]
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
    #[schema(nullable = false)]
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

/// The product that a call with enterprise credentials is about, by its key.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProductKey {
    /// The product's key.
    #[param(example = "a1b2c3d4e5f60718293a4b5c6d7e8f90")]
    product_key: String,
}

/// The product that a call with enterprise credentials is about, one way or the other.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EitherKey {
    /// The product's key: either this is expected or `product_secret`.
    #[param(example = "a1b2c3d4e5f60718293a4b5c6d7e8f90")]
    product_key: Option<String>,
    /// The product's key once more, or its secret: the page calls it a secret and means the key.
    product_secret: Option<String>,
}

impl From<ProductKey> for EitherKey {
    fn from(one: ProductKey) -> Self {
        EitherKey {
            product_key: Some(one.product_key),
            product_secret: None,
        }
    }
}

/// The key of the product that a call is about: 5801 if it is another enterprise's.
pub(crate) fn product(call: &Call<'_>, given: &EitherKey) -> Result<String, Failure> {
    let product = match (&given.product_key, &given.product_secret) {
        (Some(key), _) => match call.product_of(key)? {
            Some(product) => product,
            None => return Err(Refusal::new(5015).into()),
        },
        (None, Some(secret)) => {
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
        (None, None) => return refuse(5002, "product_key is expected"),
    };
    let enterprise = call.enterprise.as_ref().map(|enterprise| &enterprise.id);
    if product.enterprise.as_ref() != enterprise {
        return Err(Refusal::new(5801).into());
    }
    Ok(product.key)
}

/// The app that is asked about.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct App {
    /// Only users of this app.
    appid: Option<String>,
}

impl App {
    /// Its appid: 5016 if there is none.
    pub(crate) fn known(self, call: &Call<'_>) -> Result<Option<String>, Failure> {
        if let Some(appid) = &self.appid {
            known_app(call, appid)?;
        }
        Ok(self.appid)
    }
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

/// Which users are sought.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Who {
    /// Only this name.
    username: Option<String>,
    /// Only this telephone number.
    phone: Option<String>,
    /// Only this address of email.
    email: Option<String>,
}

pub(crate) fn registered(
    call: &Call<'_>,
    key: ProductKey,
    app: App,
    who: Who,
    paging: Paging,
) -> Result<Page<RegisteredUser>, Failure> {
    let paging = call.served(paging)?;
    let product = product(call, &key.into())?;
    let appid = app.known(call)?;
    let filters = named_params! {
        ":product": product,
        ":now": call.now,
        ":appid": appid,
        ":username": who.username,
        ":phone": who.phone,
        ":email": who.email,
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

/// By what a user is sought.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "snake_case")]
enum By {
    Uid,
    Username,
    Phone,
    Email,
    Did,
    Mac,
    DeviceSn,
}

/// Which users, or the users of which device, are sought.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Sought {
    /// What `val` is.
    #[serde(rename = "type")]
    #[param(inline)]
    kind: Option<By>,
    /// What it is to be.
    val: Option<String>,
}

pub(crate) fn bound(
    call: &Call<'_>,
    sought: Sought,
    group: Group,
    paging: Paging,
) -> Result<Page<BoundUser>, Failure> {
    let paging = call.served(paging)?;
    input::together(&sought.kind, &sought.val)?;
    let only = |one| sought.val.as_deref().filter(|_| sought.kind == Some(one));
    let gid = group.known(call)?;
    let filters = named_params! {
        ":product": call.product_key(),
        ":uid": only(By::Uid),
        ":username": only(By::Username),
        ":phone": only(By::Phone),
        ":email": only(By::Email),
        ":did": only(By::Did),
        ":mac": only(By::Mac),
        ":device_sn": only(By::DeviceSn),
        ":gid": gid,
        ":deep": call.group_descendants,
    };
    let total = call
        .connection
        .prepare_cached(bound_users!("count(DISTINCT user.uid)", ""))?
        .query_row(filters, |row| row.get(0))?;
    let limits = named_params! { ":limit": paging.limit, ":skip": paging.skip };
    let all: Vec<_> = filters.iter().chain(limits).copied().collect();
    let one_device = matches!(sought.kind, Some(By::Did | By::Mac | By::DeviceSn));
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
