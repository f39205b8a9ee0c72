//! Users: those of a product's apps, and those who have its devices.

use rusqlite::named_params;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::groups::{GroupFilter, IN_GROUP};
use crate::api::{Call, Failure, Page, Paging, check_kind_and_value, refuse, refuse_because};
use crate::world::row;

/// A user of an app.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
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
#[derive(Debug, Deserialize, Serialize, ToSchema)]
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
    /// Whether the user owns the device; only where one device is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    is_owner: Option<bool>,
}

/// SQL for the columns that both lists of users have. An anonymous user has no name, phone or email.
const COLUMNS: &str = "uid, username, phone, email, created_at / 1000 AS created_at,
    username IS NULL AND phone IS NULL AND email IS NULL AS is_anonymous";

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

impl ProductKey {
    fn known(self, call: &Call<'_>) -> Result<String, Failure> {
        let either = EitherKey {
            product_key: Some(self.product_key),
            product_secret: None,
        };
        either.known(call)
    }
}

impl EitherKey {
    /// The key of the product: 5801 if it is another enterprise's.
    pub(crate) fn known(self, call: &Call<'_>) -> Result<String, Failure> {
        let (key, unknown) = match (self.product_key, self.product_secret) {
            (Some(key), _) => (Some(key), 5015),
            (None, Some(secret)) => {
                let sql = "SELECT key FROM product WHERE key = ?1 OR secret = ?1 ORDER BY key";
                (call.store.find(sql, [secret])?, 5005)
            }
            (None, None) => return refuse_because(5002, "product_key is expected"),
        };
        let product = key.map(|key: String| call.find_product(&key)).transpose()?;
        let Some(product) = product.flatten() else {
            return refuse(unknown);
        };
        let enterprise = call.enterprise.as_ref().map(|enterprise| &enterprise.id);
        match product.enterprise.as_ref() == enterprise {
            true => Ok(product.key),
            false => refuse(5801),
        }
    }
}

/// The app that is asked about.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AppFilter {
    /// Only users of this app.
    appid: Option<String>,
}

impl AppFilter {
    /// The appid; 5016 if there is no such app.
    pub(crate) fn known(self, call: &Call<'_>) -> Result<Option<String>, Failure> {
        if let Some(appid) = &self.appid {
            call.check_app(appid)?;
        }
        Ok(self.appid)
    }
}

/// The users that are sought.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RegisteredFilter {
    /// Only users with this name.
    username: Option<String>,
    /// Only users with this telephone number.
    phone: Option<String>,
    /// Only users with this email address.
    email: Option<String>,
}

pub(crate) fn registered(
    call: &Call<'_>,
    key: ProductKey,
    app: AppFilter,
    filter: RegisteredFilter,
    paging: Paging,
) -> Result<Page<RegisteredUser>, Failure> {
    let product = key.known(call)?;
    let appid = app.known(call)?;
    let filters = named_params! {
        ":product": product,
        ":now": call.now,
        ":appid": appid,
        ":username": filter.username,
        ":phone": filter.phone,
        ":email": filter.email,
    };
    let columns = format!("{COLUMNS}, updated_at / 1000 AS updated_at");
    let from = "user WHERE appid IN (SELECT appid FROM app_product WHERE product = :product)
            AND created_at <= :now
            AND (:appid IS NULL OR appid = :appid)
            AND (:username IS NULL OR username = :username)
            AND (:phone IS NULL OR phone = :phone)
            AND (:email IS NULL OR email = :email)";
    let listing = (&*columns, from, "user.created_at DESC, uid");
    call.counted_page(paging, listing, filters, row::read)
}

/// The kind of a value by which users are sought.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "snake_case")]
enum UserKeyKind {
    Uid,
    Username,
    Phone,
    Email,
    Did,
    Mac,
    DeviceSn,
}

/// The users, or the users of a device, that are sought.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BoundFilter {
    /// The kind of `val`.
    #[serde(rename = "type")]
    #[param(inline)]
    kind: Option<UserKeyKind>,
    /// The value that is sought.
    val: Option<String>,
}

pub(crate) fn bound(
    call: &Call<'_>,
    filter: BoundFilter,
    group: GroupFilter,
    paging: Paging,
) -> Result<Page<BoundUser>, Failure> {
    check_kind_and_value(&filter.kind, &filter.val)?;
    // Who owns a device is only known where one device is asked for.
    let (column, is_owner) = match filter.kind {
        None => ("NULL", "NULL"),
        Some(UserKeyKind::Uid) => ("user.uid", "NULL"),
        Some(UserKeyKind::Username) => ("username", "NULL"),
        Some(UserKeyKind::Phone) => ("phone", "NULL"),
        Some(UserKeyKind::Email) => ("email", "NULL"),
        Some(UserKeyKind::Did) => ("did", "max(owner)"),
        Some(UserKeyKind::Mac) => ("mac", "max(owner)"),
        Some(UserKeyKind::DeviceSn) => ("device_sn", "max(owner)"),
    };
    let gid = group.known(call)?;
    let filters = named_params! {
        ":product": call.product_key(),
        ":val": filter.val,
        ":gid": gid,
    };
    let from = format!(
        "(SELECT user.*, {is_owner} AS is_owner
            FROM user JOIN binding ON binding.uid = user.uid
                JOIN device ON device.id = binding.device
            WHERE device.product = :product AND (:val IS NULL OR {column} = :val) AND {IN_GROUP}
            GROUP BY user.uid) AS user"
    );
    let columns = format!("{COLUMNS}, name, is_owner");
    let listing = (&*columns, &*from, "user.created_at DESC, uid");
    call.counted_page(paging, listing, filters, row::read)
}
