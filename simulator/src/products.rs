//! Tokens, and the definition of a product.

use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::call::Call;
use crate::error::{Failure, Refusal, refuse};
use crate::input::Word;
use crate::store::{self, Definition};
use crate::{period, random};

/// Who asks for a token.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "enterprise_id": "e0e1e2e3e4e5e6e7e8e9eaebecedeeef",
    "enterprise_secret": "5ec0e75ec0e75ec0e75ec0e75ec0e75e",
    "product_secret": "9ac9ac9ac9ac9ac9ac9ac9ac9ac9ac9a",
}))]
pub(crate) struct Credentials {
    /// The enterprise's id.
    enterprise_id: Word,
    /// The enterprise's secret.
    enterprise_secret: Word,
    /// The product's secret.
    product_secret: Word,
}

/// A token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessToken {
    /// What `Authorization: token …` takes.
    token: String,
    /// Until when, in seconds since 1970.
    expire_at: i64,
}

pub(crate) fn access_token(call: &Call<'_>, given: Credentials) -> Result<AccessToken, Failure> {
    let Some(enterprise) = call.enterprise_of(&given.enterprise_id.0)? else {
        return Err(Refusal::new(5003).into());
    };
    if enterprise.secret != given.enterprise_secret.0 {
        return Err(Refusal::new(5004).into());
    }
    let product = call.product()?;
    if product.secret != given.product_secret.0 {
        return Err(Refusal::new(5005).into());
    }
    if product.enterprise.as_ref() != Some(&enterprise.id) {
        return Err(Refusal::new(5007).into());
    }
    let count = store::next(call.connection, "tokens")?;
    let token = random::hex32(call.seed, "token", count);
    let expires = call.now.saturating_add(7 * period::DAY);
    // What ended long ago is unknown.
    call.connection
        .prepare_cached("DELETE FROM token WHERE expires < ?")?
        .execute([call.now.saturating_sub(7 * period::DAY)])?;
    call.connection
        .prepare_cached(
            "INSERT INTO token (value, product, enterprise, expires) VALUES (?, ?, ?, ?)",
        )?
        .execute(params![token, product.key, enterprise.id, expires])?;
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
    match call.definitions.get(call.product_key()) {
        Some(Definition::Sound(_)) => {}
        Some(Definition::Malformed) => return Err(Refusal::new(5406).into()),
        _ => return Err(Refusal::new(5402).into()),
    }
    let json: String = call
        .connection
        .prepare_cached("SELECT definition FROM product WHERE key = ?")?
        .query_row([call.product_key()], |row| row.get(0))?;
    match RawValue::from_string(json) {
        Ok(json) => Ok(Datapoint(json)),
        Err(error) => refuse(5406, error.to_string()),
    }
}
