//! The last reported values of a device.

use gizwits_enterprise_client::blocking::Device;
use gizwits_enterprise_client::{Attrs, Error, Timestamp};
use serde_json::{Value, json};

use crate::account;
use crate::failure::Failure;

/// The last reported values of a device.
pub(super) struct Status {
    /// The time of the last report.
    pub(super) ts: Timestamp,
    pub(super) attrs: Attrs,
    /// The values of each report with that time.
    pub(super) newest: Vec<Attrs>,
}

impl Status {
    /// Reads the last values from the newest reports. A var_len device reports only points that change, so
    /// reports are read until each of `points` has a value. Returns `None` if the device has not reported.
    pub(super) fn of<'n>(
        device: &Device,
        points: impl Iterator<Item = &'n str>,
    ) -> Result<Option<Self>, StatusError> {
        /// The maximum number of reports that are read.
        const MOST: usize = 1000;
        let points: Vec<&str> = points.collect();
        let mut snapshots = device.data().iter();
        let Some(first) = snapshots.next().transpose()? else {
            let missing = snapshots.missing();
            let message =
                format!("the server counts {missing} reports of the device, but returned none");
            return match missing {
                0 => Ok(None),
                _ => Err(StatusError {
                    explained: format!("error: {message}"),
                    json: json!({"kind": "missing", "message": message}),
                }),
            };
        };
        let mut status = Status {
            ts: first.ts,
            attrs: first.attrs.clone(),
            newest: vec![first.attrs],
        };
        for snapshot in snapshots.take(MOST) {
            let snapshot = snapshot?;
            if snapshot.ts == status.ts {
                status.newest.push(snapshot.attrs.clone());
            } else if points.iter().all(|name| status.attrs.contains_key(*name)) {
                break;
            }
            for (name, value) in snapshot.attrs {
                status.attrs.entry(name).or_insert(value);
            }
        }
        Ok(Some(status))
    }
}

/// Why the last values of a device are unknown.
pub(super) struct StatusError {
    /// The message for people, with a hint.
    pub(super) explained: String,
    /// The error for programs.
    pub(super) json: Value,
}

impl From<Error> for StatusError {
    fn from(error: Error) -> Self {
        let explained = account::explained(&error);
        let mut json = json!({"kind": error.name(), "message": error.to_string()});
        if let Some(code) = error.code() {
            json["code"] = code.number().into();
        }
        StatusError { explained, json }
    }
}

impl From<StatusError> for Failure {
    fn from(error: StatusError) -> Self {
        Failure::Server(error.explained + "\n  the last reported values are unknown")
    }
}
