//! The checks that every call goes through before its handler.
//!
//! The order of the checks: the route; the list of addresses (5012); the quota (5013); the credentials (5009, 5011
//! and 5010, or 5003 and 5004); the product (5015) and its enterprise (5007); closed routes (5024). The handler then
//! checks the body (5001), the fields (5002), the objects that they name, and the action.

use rusqlite::params;
use serde::Deserialize;

use super::table::{Auth, Route};
use crate::api::{Call, Enterprise, Failure, Mode, query_pairs, refuse, refuse_because};
use crate::world::allows;

/// The length of a quota's window in milliseconds.
pub(super) const HOUR: i64 = 3_600_000;

/// The quota of an enterprise.
pub(super) struct Quota {
    /// The number of calls an hour.
    pub(super) limit: i64,
    /// The number of calls that are left in this hour.
    pub(super) remaining: i64,
    /// The end of this hour, in milliseconds since 1970.
    pub(super) reset: i64,
}

/// Checks a call. Sets `quota` if the enterprise of the call is known, also for a refused call.
pub(super) fn admit(
    call: &mut Call<'_>,
    route: &Route,
    quota: &mut Option<Quota>,
) -> Result<(), Failure> {
    let claimed = claimed(call, route)?;
    if let Some(enterprise) = &claimed {
        let allowed = allows(&enterprise.allow, call.request.peer);
        let (counted, fits) = count(call, enterprise, allowed)?;
        *quota = Some(counted);
        if !allowed {
            return refuse(5012);
        }
        if !fits {
            return refuse(5013);
        }
    }
    if call.modes.has(&Mode::TokenRevoked) {
        let sql = "DELETE FROM token WHERE product = ?";
        call.store.run(sql, [call.product_key()])?;
    }
    if let Some(code) = call.modes.error() {
        return refuse_because(code, "requested by a mode");
    }
    call.enterprise = match route.auth {
        Auth::Body => None,
        Auth::Token => Some(by_token(call, route, claimed)?),
        Auth::Enterprise => Some(by_headers(call, claimed, false)?),
        Auth::EnterpriseAndSecret => Some(by_headers(call, claimed, true)?),
    };
    let unsound = || refuse_because(5002, "the percent-encoding of the query is malformed");
    call.query_pairs = query_pairs(call.request.query()).map_or_else(unsound, Ok)?;
    Ok(())
}

/// The enterprise that a call claims to come from. Addresses and quota are checked before the credentials, so the
/// claim is not yet proven.
fn claimed(call: &mut Call<'_>, route: &Route) -> Result<Option<Enterprise>, Failure> {
    #[derive(Deserialize)]
    struct Claim {
        enterprise_id: String,
    }

    let id = match route.auth {
        Auth::Body => call.body::<Claim>().ok().map(|claim| claim.enterprise_id),
        Auth::Token => None,
        _ => call
            .request
            .only("x-gizwits-enterprise-id")
            .map(str::to_owned),
    };
    call.product = call.find_product(call.product_key())?;
    let of_product = || call.product.as_ref()?.enterprise.clone();
    match id.or_else(of_product) {
        Some(id) => call.find_enterprise(&id),
        None => Ok(None),
    }
}

/// Counts a call if its address is allowed. Returns the quota, and whether the call is within it; a call beyond the
/// quota is not counted.
fn count(
    call: &Call<'_>,
    enterprise: &Enterprise,
    allowed: bool,
) -> Result<(Quota, bool), Failure> {
    let hour = call.now.div_euclid(HOUR);
    let mut calls = match enterprise.hour == hour {
        true => enterprise.calls,
        false => 0,
    };
    let fits = calls < enterprise.quota;
    if allowed && fits {
        calls = calls.saturating_add(1);
        let sql = "UPDATE enterprise SET hour = ?, calls = ? WHERE id = ?";
        call.store.run(sql, params![hour, calls, enterprise.id])?;
    }
    let quota = Quota {
        limit: enterprise.quota,
        remaining: enterprise.quota.saturating_sub(calls).max(0),
        reset: hour.saturating_add(1).saturating_mul(HOUR),
    };
    Ok((quota, fits))
}

fn by_token(
    call: &Call<'_>,
    route: &Route,
    claimed: Option<Enterprise>,
) -> Result<Enterprise, Failure> {
    let header = call.request.only("authorization").unwrap_or("");
    let mut words = header.split_ascii_whitespace();
    let (Some("token"), Some(token), None) = (words.next(), words.next(), words.next()) else {
        return refuse_because(5009, "expected the header `Authorization: token <token>`");
    };
    let sql = "SELECT product, enterprise, expires FROM token WHERE value = ?";
    let found = call.store.first(sql, [token], |row| row.try_into())?;
    let Some::<(String, String, i64)>((product, enterprise, expires)) = found else {
        return refuse(5009);
    };
    if call.now > expires {
        return refuse(5011);
    }
    if product != call.product_key() {
        return refuse(5010);
    }
    let Some(enterprise) = claimed.filter(|claimed| claimed.id == enterprise) else {
        // The product belongs to another enterprise than when the token was issued.
        return refuse(5007);
    };
    let product = call.product()?;
    if route.domestic && enterprise.overseas {
        return refuse_because(5024, "the route is for enterprises in China only");
    }
    if route.unpublished && product.published && !product.open_logs {
        return refuse_because(5024, "the route is closed for published products");
    }
    Ok(enterprise)
}

fn by_headers(
    call: &Call<'_>,
    claimed: Option<Enterprise>,
    secret_needed: bool,
) -> Result<Enterprise, Failure> {
    let given = call.request.only("x-gizwits-enterprise-id").is_some();
    let (true, Some(enterprise)) = (given, claimed) else {
        return refuse(5003);
    };
    let name = "x-gizwits-enterprise-secret";
    let absent = call.request.headers.iter().all(|(one, _)| one != name);
    let right = match call.request.only(name) {
        Some(secret) => secret == enterprise.secret,
        None => absent && !secret_needed,
    };
    match right {
        true => Ok(enterprise),
        false => refuse(5004),
    }
}
