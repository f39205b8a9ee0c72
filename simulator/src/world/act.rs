//! Acts: changes of a device from outside the API.

use gizwits_codec_std::Action;
use rusqlite::params;

use super::scenario::{Values, known_reason};
use super::status::{changed, put_all, refuse_outside};
use super::store::Store;
use crate::error::{Error, invalid};

/// A change of a device that does not come from the API, such as its owner would cause.
///
/// [`Simulator::act`](crate::Simulator::act) carries it out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Act {
    /// The device connects.
    Online,
    /// The device disconnects for one of [`OFFLINE_REASONS`](crate::OFFLINE_REASONS). Case does not matter.
    Offline(String),
    /// The device sets these data points and reports what changed. The text is a JSON object of values by
    /// name. Values outside their limits are an error.
    Set(String),
    /// Like [`Set`](Self::Set), but accepts values outside their limits, as a broken sensor has them. The
    /// device reports the nearest number that is allowed, or keeps the last label of an enum. Either is
    /// noted in its [remarks](crate::Simulator::remarks).
    SetUnchecked(String),
    /// Whether the device is disabled. A disabled device refuses controls.
    Disabled(bool),
}

impl Store {
    /// Returns the id of the device with this did.
    pub(crate) fn device_id(&self, did: &str) -> Result<i64, Error> {
        let id = self.find("SELECT id FROM device WHERE did = ?", [did])?;
        id.map_or_else(|| invalid(format!("there is no device `{did}`")), Ok)
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
                    return invalid("the product of the device has no definition");
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
