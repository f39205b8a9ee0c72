//! The users of a product's apps, and the users of its devices.

use rusqlite::named_params;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::groups::{GroupFilter, IN_GROUP};
use crate::api::{Call, Failure, Page, Paging, check_kind_and_value, refuse, refuse_because};

/// A registered user of an app.
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
    /// Whether the user owns the device. Only in answers about one device.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    is_owner: Option<bool>,
}

/// The columns of both lists of users. A user without a name, phone and email is anonymous.
const COLUMNS: &str = "uid, username, phone, email, created_at / 1000 AS created_at,
    username IS NULL AND phone IS NULL AND email IS NULL AS is_anonymous";

/// The key of a product of the enterprise.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProductKey {
    /// The key of the product.
    #[param(example = "a1b2c3d4e5f60718293a4b5c6d7e8f90")]
    product_key: String,
}

/// The key of a product of the enterprise, in one of two parameters.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EitherKey {
    /// The key of the product. Either this parameter or `product_secret` is required.
    #[param(example = "a1b2c3d4e5f60718293a4b5c6d7e8f90")]
    product_key: Option<String>,
    /// The key or the secret of the product. The vendor's documentation calls the parameter a secret and
    /// describes the key, so both are accepted.
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
    /// Returns the key of the product. Refuses a product of another enterprise with 5801.
    pub(crate) fn known(self, call: &Call<'_>) -> Result<String, Failure> {
        let (key, unknown) = match (self.product_key, self.product_secret) {
            (Some(key), _) => (Some(key), 5015),
            (None, Some(secret)) => {
                let sql = "SELECT key FROM product WHERE key = ?1 OR secret = ?1 ORDER BY key";
                (call.store.find(sql, [secret])?, 5005)
            }
            (None, None) => return refuse_because(5002, "expected product_key"),
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

/// The filter for an app.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AppFilter {
    /// The appid of the users. Default: any app of the product.
    appid: Option<String>,
}

impl AppFilter {
    /// Returns the appid. Refuses an unknown app with 5016.
    pub(crate) fn known(self, call: &Call<'_>) -> Result<Option<String>, Failure> {
        if let Some(appid) = &self.appid {
            call.check_app(appid)?;
        }
        Ok(self.appid)
    }
}

/// The filter for the name, phone and email of users.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RegisteredFilter {
    /// The name of the user. Default: any.
    username: Option<String>,
    /// The phone number of the user. Default: any.
    phone: Option<String>,
    /// The email address of the user. Default: any.
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
    call.counted_page(paging, listing, filters)
}

/// The kind of the value that selects users.
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

/// The filter for one user, or for the users of one device.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BoundFilter {
    /// The kind of `val`. Required with `val`.
    #[serde(rename = "type")]
    #[param(inline)]
    kind: Option<UserKeyKind>,
    /// The value that selects users. Required with `type`.
    val: Option<String>,
}

pub(crate) fn bound(
    call: &Call<'_>,
    filter: BoundFilter,
    group: GroupFilter,
    paging: Paging,
) -> Result<Page<BoundUser>, Failure> {
    check_kind_and_value(&filter.kind, &filter.val)?;
    // `is_owner` is only in answers about one device.
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
    call.counted_page(paging, listing, filters)
}
