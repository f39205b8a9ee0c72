//! Bindings: which users have which devices.

use rusqlite::{OptionalExtension as _, params};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::call::Call;
use crate::device;
use crate::error::{Failure, Refusal, refuse};
use crate::groups::Done;
use crate::input::Word;
use crate::period;
use crate::users;

/// A user, and devices of theirs.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "uid": "25a5324c807842348f63ade277eb413a",
    "appid": "a44100000000000000000000000000a1",
    "dids": ["cBYkSjoE2xspYMhaUHdk5k"],
}))]
pub(crate) struct Wanted {
    /// The user.
    uid: Word,
    /// The app that the user is of.
    appid: Word,
    /// The devices.
    dids: Dids,
}

/// Devices; the page calls them text and a list, all readings are taken.
#[derive(Deserialize, ToSchema)]
#[serde(
    untagged,
    expecting = "a list of text, or text with commas, is expected"
)]
enum Dids {
    /// As a list.
    List(Vec<String>),
    /// As text with commas.
    Text(String),
}

impl Wanted {
    /// The user and the devices: 5016 if there is no such app, 5017 no such user.
    fn known(self, call: &Call<'_>) -> Result<(String, Vec<String>), Failure> {
        let dids = match self.dids {
            Dids::List(dids) => dids,
            Dids::Text(text) => {
                let dids = text.split(',').map(|did| did.trim().to_owned());
                dids.filter(|did| !did.is_empty()).collect()
            }
        };
        if dids.is_empty() {
            return refuse(5002, "dids: at least one is expected");
        }
        users::known_app(call, &self.appid.0)?;
        let known = call
            .connection
            .prepare_cached("SELECT 1 FROM user WHERE uid = ? AND created_at <= ?")?
            .exists(params![self.uid.0, call.now])?;
        match known {
            true => Ok((self.uid.0, dids)),
            false => Err(Refusal::new(5017).into()),
        }
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

pub(crate) fn bind(call: &Call<'_>, wanted: Wanted) -> Result<Done, Failure> {
    let (uid, dids) = wanted.known(call)?;
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

pub(crate) fn unbind(call: &Call<'_>, wanted: Wanted) -> Result<Done, Failure> {
    let (uid, dids) = wanted.known(call)?;
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
