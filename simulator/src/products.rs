//! Tokens, and the definition of a product.

use rusqlite::params;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::call::{Call, required};
use crate::error::{Failure, Refusal, refuse};
use crate::store::{self, Definition};
use crate::{period, random};

/// A token.
#[derive(Debug, Serialize)]
pub(crate) struct AccessToken {
    token: String,
    /// In seconds.
    expire_at: i64,
}

pub(crate) fn access_token(call: &Call<'_>) -> Result<AccessToken, Failure> {
    let body = call.object()?;
    let id = required(&body, "enterprise_id")?;
    let secret = required(&body, "enterprise_secret")?;
    let product_secret = required(&body, "product_secret")?;
    let Some(enterprise) = call.enterprise_of(&id)? else {
        return Err(Refusal::new(5003).into());
    };
    if enterprise.secret != secret {
        return Err(Refusal::new(5004).into());
    }
    let product = call.product()?;
    if product.secret != product_secret {
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

pub(crate) fn datapoint(call: &Call<'_>) -> Result<Box<RawValue>, Failure> {
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
        Ok(json) => Ok(json),
        Err(error) => refuse(5406, error.to_string()),
    }
}
