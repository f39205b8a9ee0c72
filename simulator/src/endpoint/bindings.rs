//! Binding devices to users, and unbinding them.

use rusqlite::params;
use serde::Deserialize;
use utoipa::ToSchema;

use super::groups::Outcomes;
use crate::api::{Call, Failure, NonEmptyText, refuse_because};

/// The user and the devices to bind or unbind.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "uid": "25a5324c807842348f63ade277eb413a",
    "appid": "a44100000000000000000000000000a1",
    "dids": ["cBYkSjoE2xspYMhaUHdk5k"],
}))]
pub(crate) struct BindingChange {
    /// The uid of the user.
    uid: NonEmptyText,
    /// The appid of the user's app.
    appid: NonEmptyText,
    /// The dids of the devices.
    dids: Dids,
}

/// The dids of devices.
// The vendor's documentation calls the field a string in one place and a list in another: both are
// accepted.
#[derive(Deserialize, ToSchema)]
#[serde(
    untagged,
    expecting = "expected a list of dids, or dids separated by commas"
)]
enum Dids {
    /// A list of dids.
    List(Vec<String>),
    /// Dids separated by commas.
    Text(String),
}

impl BindingChange {
    /// Returns the uid and the dids. Refuses an unknown app with 5016, an unknown user with 5017.
    fn known(self, call: &Call<'_>) -> Result<(String, Vec<String>), Failure> {
        let dids = match self.dids {
            Dids::List(dids) => dids,
            Dids::Text(text) => {
                let dids = text.split(',').map(|did| did.trim().to_owned());
                dids.filter(|did| !did.is_empty()).collect()
            }
        };
        if dids.is_empty() {
            return refuse_because(5002, "dids: expected at least one did");
        }
        call.check_app(&self.appid.0)?;
        call.check_user(&self.uid.0)?;
        Ok((self.uid.0, dids))
    }
}

pub(crate) fn bind(call: &Call<'_>, change: BindingChange) -> Result<Outcomes, Failure> {
    let (uid, dids) = change.known(call)?;
    let outcomes = Outcomes::of(dids, |did| {
        let sql = "SELECT id FROM known_device WHERE did = ? AND product = ? AND NOT disabled";
        let device = call.store.find(sql, [did, call.product_key()])?;
        if let Some(device) = device {
            call.store.bind(device, &uid, call.now)?;
        }
        Ok(device.is_some())
    })?;
    call.store.visited(&uid, call.now)?;
    Ok(outcomes)
}

pub(crate) fn unbind(call: &Call<'_>, change: BindingChange) -> Result<Outcomes, Failure> {
    let (uid, dids) = change.known(call)?;
    Outcomes::of(dids, |did| {
        let removed = call.store.run(
            "DELETE FROM binding WHERE uid = ?1
                AND device = (SELECT id FROM device WHERE did = ?2 AND product = ?3)",
            params![uid, did, call.product_key()],
        )?;
        // A bound device always has an owner: if the owner is gone, the earliest user becomes the owner.
        call.store.run(
            "UPDATE binding SET owner = 1
             WHERE device = (SELECT id FROM device WHERE did = ?1)
                AND uid = (SELECT uid FROM binding
                    WHERE device = (SELECT id FROM device WHERE did = ?1)
                    ORDER BY owner DESC, at, uid LIMIT 1)",
            [did],
        )?;
        Ok(removed > 0)
    })
}
