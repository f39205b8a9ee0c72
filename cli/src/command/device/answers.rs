//! Answers of the server: how far they reach, and their JSON.

use std::time::Duration;

use serde_json::Value;

use crate::failure::Failure;

/// The age of the oldest records in the cloud's logs.
pub(super) const KEPT: Duration = Duration::from_secs(7 * 86_400);

/// A record of a device, which says so: records of several devices may be merged.
pub(super) fn of_device(did: &str, mut record: Value) -> Value {
    record["did"] = did.into();
    record
}

pub(super) fn to_json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A failure if the server counts more than it gave.
pub(super) fn all_came(missing: u64) -> Result<(), Failure> {
    match missing {
        0 => Ok(()),
        _ => Err(Failure::Server(format!(
            "warning: this is not all: the server counts {missing} more than it gave"
        ))),
    }
}
