//! Access tokens, and the definition of a product.

use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::{Call, Failure, NonEmptyText, refuse, refuse_because};
use crate::world::{day, random};

/// The credentials of an enterprise and of a product.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "enterprise_id": "e0e1e2e3e4e5e6e7e8e9eaebecedeeef",
    "enterprise_secret": "5ec0e75ec0e75ec0e75ec0e75ec0e75e",
    "product_secret": "9ac9ac9ac9ac9ac9ac9ac9ac9ac9ac9a",
}))]
pub(crate) struct Credentials {
    /// The id of the enterprise.
    enterprise_id: NonEmptyText,
    /// The secret of the enterprise.
    enterprise_secret: NonEmptyText,
    /// The secret of the product.
    product_secret: NonEmptyText,
}

/// An access token.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccessToken {
    /// The token, sent as `Authorization: token …`.
    token: String,
    /// The time at which the token expires, in seconds since 1970.
    expire_at: i64,
}

pub(crate) fn access_token(call: &Call<'_>, given: Credentials) -> Result<AccessToken, Failure> {
    let Some(enterprise) = call.find_enterprise(&given.enterprise_id.0)? else {
        return refuse(5003);
    };
    if enterprise.secret != given.enterprise_secret.0 {
        return refuse(5004);
    }
    let product = call.product()?;
    if product.secret != given.product_secret.0 {
        return refuse(5005);
    }
    if product.enterprise.as_ref() != Some(&enterprise.id) {
        return refuse(5007);
    }
    let count = call.store.next("tokens")?;
    let token = random::hex32(call.store.seed, "token", count);
    let expires = call.now.saturating_add(7 * day::DAY);
    // A token is refused as expired (5011) for another seven days, then as unknown (5009).
    let ended = call.now.saturating_sub(7 * day::DAY);
    let sql = "DELETE FROM token WHERE expires < ?";
    call.store.run(sql, [ended])?;
    call.store.run(
        "INSERT INTO token (value, product, enterprise, expires) VALUES (?, ?, ?, ?)",
        params![token, product.key, enterprise.id, expires],
    )?;
    let seen = expires.saturating_add(call.modes.skew());
    Ok(AccessToken {
        token,
        expire_at: seen.div_euclid(1000),
    })
}

/// The definition of a product's data points, as the console exports it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Object)]
pub(crate) struct Datapoint(Box<RawValue>);

pub(crate) fn datapoint(call: &Call<'_>) -> Result<Datapoint, Failure> {
    call.definition()?;
    let sql = "SELECT definition FROM product WHERE key = ?";
    let json = call.store.value(sql, [call.product_key()])?;
    match RawValue::from_string(json) {
        Ok(json) => Ok(Datapoint(json)),
        Err(error) => refuse_because(5406, error.to_string()),
    }
}
