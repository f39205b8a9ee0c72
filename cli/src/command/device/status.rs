//! The last reported values of a device.

use std::fmt;

use gizwits_enterprise_client::blocking::Device;
use gizwits_enterprise_client::{Attrs, Timestamp};
use serde_json::{Value, json};

use crate::account;
use crate::failure::Failure;

/// Why it is not known what a device said last.
pub(crate) enum Unread {
    Refused(gizwits_enterprise_client::Error),
    /// The server counts so many reports, and gave none.
    Missing(u64),
}

impl Unread {
    /// The reason for people, and what to do about it.
    pub(super) fn explained(&self) -> String {
        match self {
            Unread::Refused(error) => account::explained(error),
            Unread::Missing(_) => format!("error: {self}"),
        }
    }

    pub(super) fn failure(&self) -> Failure {
        Failure::Server(self.explained() + "\n  the last reported values are unknown")
    }

    pub(super) fn to_json(&self) -> Value {
        let (kind, code) = match self {
            Unread::Refused(error) => (error.name(), error.code()),
            Unread::Missing(_) => ("missing", None),
        };
        let mut shown = json!({"kind": kind, "message": self.to_string()});
        if let Some(code) = code {
            shown["code"] = code.number().into();
        }
        shown
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Refused(error) => error.fmt(f),
            Unread::Missing(count) => {
                write!(
                    f,
                    "the server counts {count} reports of the device, and gave none"
                )
            }
        }
    }
}

/// What a device said last.
pub(crate) struct Known {
    pub(super) ts: Timestamp,
    pub(super) attrs: Attrs,
    /// The reports of that moment.
    pub(super) newest: Vec<Attrs>,
}

/// The last values of a device. A var_len device reports what changed, so its reports are gone back
/// through until there is `enough`.
pub(crate) fn known(
    device: &Device,
    enough: impl Fn(&Attrs) -> bool,
) -> Result<Option<Known>, Unread> {
    const MOST: usize = 1000;
    let mut known: Option<Known> = None;
    let mut snapshots = device.data().iter();
    for snapshot in snapshots.by_ref().take(MOST) {
        let snapshot = snapshot.map_err(Unread::Refused)?;
        let known = known.get_or_insert_with(|| Known {
            ts: snapshot.ts,
            attrs: Attrs::new(),
            newest: Vec::new(),
        });
        if snapshot.ts == known.ts {
            known.newest.push(snapshot.attrs.clone());
        } else if enough(&known.attrs) {
            break;
        }
        for (name, value) in snapshot.attrs {
            known.attrs.entry(name).or_insert(value);
        }
    }
    match (known, snapshots.missing()) {
        (None, count @ 1..) => Err(Unread::Missing(count)),
        (known, _) => Ok(known),
    }
}

/// That every point has a value.
pub(crate) fn all_of(definition: &gizwits_codec_std::Product) -> impl Fn(&Attrs) -> bool {
    |attrs| attrs.len() >= definition.attrs().len()
}
