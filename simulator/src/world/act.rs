//! Acts of devices that come from outside the API.

use gizwits_codec_std::Action;
use rusqlite::params;

use super::scenario::{Values, known_reason};
use super::status::{changed, put_all, refuse_outside};
use super::store::Store;
use crate::error::{Error, invalid};

/// An act of a device, caused from outside the API.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Act {
    /// The device connects.
    Online,
    /// The device leaves, for one of [`OFFLINE_REASONS`](crate::OFFLINE_REASONS).
    Offline(String),
    /// The device takes these values of points, a JSON object, and reports them.
    Set(String),
    /// Like [`Set`](Self::Set), with values that may be outside their limits, as a broken sensor has
    /// them: the device reports the nearest number that is allowed, or the enum's last good label, and
    /// [remarks](crate::Simulator::remarks) on it.
    SetUnchecked(String),
    /// The device is disabled, or enabled again.
    Disabled(bool),
}

impl Store {
    /// The id of a device.
    pub(crate) fn device_id(&self, did: &str) -> Result<i64, Error> {
        let id = self.find("SELECT id FROM device WHERE did = ?", [did])?;
        id.map_or_else(|| invalid("there is no such device"), Ok)
    }

    /// Carries out an act.
    pub(crate) fn act(&self, did: &str, at: i64, act: &Act) -> Result<(), Error> {
        let mut device = self.device(self.device_id(did)?)?;
        match act {
            Act::Online => self.connect(&mut device, at)?,
            Act::Offline(reason) => {
                let reason = known_reason(reason).or_else(invalid)?;
                self.leave(&mut device, at, &reason)?;
            }
            Act::Set(json) | Act::SetUnchecked(json) => {
                let Some(product) = self.product(&device.product) else {
                    return invalid("its product has no definition");
                };
                let before = device.status.clone();
                let values: Values =
                    serde_json::from_str(json).or_else(|error| invalid(error.to_string()))?;
                let outside = put_all(product, &mut device.status, &values).or_else(invalid)?;
                if let Act::SetUnchecked(_) = act {
                    for value in &outside {
                        self.remark(device.id, at, true, value)?;
                    }
                } else {
                    refuse_outside(outside).or_else(invalid)?;
                }
                let changed = changed(product.layout(), &before, &device.status);
                if device.is_reachable() && !changed.is_empty() {
                    self.report(&mut device, at, Action::Report, Some(&changed))?;
                }
            }
            Act::Disabled(disabled) => {
                let sql = "UPDATE device SET disabled = ?1 WHERE id = ?2 AND disabled != ?1";
                if self.run(sql, params![disabled, device.id])? > 0 {
                    self.run(
                        "INSERT INTO disabled_change (device) VALUES (?)",
                        [device.id],
                    )?;
                }
            }
        }
        Ok(self.save(&device)?)
    }
}
