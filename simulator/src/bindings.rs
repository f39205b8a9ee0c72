//! Bindings: which users have which devices.

use rusqlite::{OptionalExtension as _, params};
use serde_json::Value;

use crate::call::{Call, required};
use crate::device;
use crate::error::{Failure, Refusal, refuse};
use crate::groups::Done;
use crate::period;
use crate::users;

/// A call's user, app and devices.
struct Wanted {
    uid: String,
    dids: Vec<String>,
}

fn wanted(call: &Call<'_>) -> Result<Wanted, Failure> {
    let body = call.object()?;
    let uid = required(&body, "uid")?;
    let appid = required(&body, "appid")?;
    // The page calls it text and a list; all readings are taken.
    let dids: Option<Vec<String>> = match body.get("dids") {
        Some(Value::Array(list)) => list
            .iter()
            .map(|did| did.as_str().map(str::to_owned))
            .collect(),
        Some(Value::String(text)) => {
            let dids = text.split(',').map(|did| did.trim().to_owned());
            Some(dids.filter(|did| !did.is_empty()).collect())
        }
        _ => None,
    };
    let dids = match dids {
        Some(dids) if !dids.is_empty() => dids,
        _ => return refuse(5002, "dids is a list of text, or text with commas"),
    };
    users::known_app(call, &appid)?;
    let known = call
        .connection
        .prepare_cached("SELECT 1 FROM user WHERE uid = ? AND created_at <= ?")?
        .exists(params![uid, call.now])?;
    match known {
        true => Ok(Wanted { uid, dids }),
        false => Err(Refusal::new(5017).into()),
    }
}

/// The device that may be bound.
fn bindable(call: &Call<'_>, did: &str) -> Result<Option<i64>, Failure> {
    let found = call
        .connection
        .prepare_cached(
            "SELECT id FROM device
             WHERE did = ? AND product = ? AND NOT disabled AND activated_at IS NOT NULL",
        )?
        .query_row([did, call.product_key()], |row| row.get(0))
        .optional()?;
    Ok(found)
}

pub(crate) fn bind(call: &Call<'_>) -> Result<Done, Failure> {
    let Wanted { uid, dids } = wanted(call)?;
    let mut done = Done::default();
    for did in dids {
        match bindable(call, &did)? {
            Some(device) => {
                device::bind(call.connection, device, &uid, call.now)?;
                done.success.push(did);
            }
            None => done.failed.push(did),
        }
    }
    call.connection
        .prepare_cached("INSERT OR IGNORE INTO visit (uid, day) VALUES (?, ?)")?
        .execute(params![uid, period::day_of(call.now)])?;
    Ok(done)
}

pub(crate) fn unbind(call: &Call<'_>) -> Result<Done, Failure> {
    let Wanted { uid, dids } = wanted(call)?;
    let mut done = Done::default();
    for did in dids {
        let gone = call
            .connection
            .prepare_cached(
                "DELETE FROM binding WHERE uid = ?1
                    AND device = (SELECT id FROM device WHERE did = ?2 AND product = ?3)",
            )?
            .execute(params![uid, did, call.product_key()])?;
        // Somebody owns a device as long as anybody has it.
        call.connection
            .prepare_cached(
                "UPDATE binding SET owner = 1
                 WHERE device = (SELECT id FROM device WHERE did = ?1)
                    AND uid = (SELECT uid FROM binding
                        WHERE device = (SELECT id FROM device WHERE did = ?1)
                        ORDER BY owner DESC, at, uid LIMIT 1)",
            )?
            .execute([&did])?;
        match gone {
            0 => done.failed.push(did),
            _ => done.success.push(did),
        }
    }
    Ok(done)
}
