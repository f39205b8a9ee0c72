//! Devices on the local network: clients that reach a device without the cloud.
//!
//! A control of such a client is in the log of frames with the command 0093 and its sequence number. One without a
//! sequence number came with the command 0090, which the cloud's own frames have, and is logged as a 0093 with the number
//! 0. A read is answered to the client alone and is in no log.

use std::collections::BTreeSet;

use bytes::Bytes;
use gizwits_codec_std::core::m2m::{self, Event};
use gizwits_codec_std::core::{P0, PointId, Protocol};
use gizwits_codec_std::{Action, wrap_m2m};
use rusqlite::params;

use super::status::{full_message, partial_message};
use super::store::{Sql, Store};

/// A device as it describes itself to its network.
pub(crate) struct LocalDevice {
    pub(crate) id: i64,
    pub(crate) did: String,
    /// The key of the product.
    pub(crate) product: String,
    pub(crate) mac: Option<String>,
    pub(crate) passcode: String,
    /// The versions of the MCU hardware and software and of the Wi-Fi hardware and software.
    pub(crate) versions: [Option<String>; 4],
    /// Whether the device is online and not silent.
    pub(crate) is_reachable: bool,
}

/// The changes that clients of the local network see.
pub(crate) struct LocalNews {
    /// The ids of devices, and the P0 messages that these devices have sent by themselves.
    pub(crate) reports: Vec<(i64, Bytes)>,
    /// The ids of the devices that are online and not silent.
    pub(crate) reachable: BTreeSet<i64>,
    /// The id of the last frame of the log.
    pub(crate) position: i64,
}

/// Whether a frame of the log came from a client of the local network.
pub(crate) fn is_local(frame: &[u8]) -> bool {
    let parsed = m2m::parse(frame, usize::MAX);
    matches!(parsed, Ok((Event::Frame(frame), _)) if frame.command == m2m::REQUEST)
}

impl Store {
    /// All devices, in the order of the scenario.
    pub(crate) fn local_devices(&self) -> Sql<Vec<LocalDevice>> {
        let sql = "SELECT id, did, product, mac, passcode, mcu_hard_version, mcu_soft_version,
                wifi_hard_version, wifi_soft_version,
                online_since IS NOT NULL AND silent_since IS NULL
            FROM device ORDER BY id";
        self.rows(sql, [], |row| {
            Ok(LocalDevice {
                id: row.get(0)?,
                did: row.get(1)?,
                product: row.get(2)?,
                mac: row.get(3)?,
                passcode: row.get(4)?,
                versions: [row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?],
                is_reachable: row.get(9)?,
            })
        })
    }

    /// A device receives a P0 from a client of the local network. Returns its answer, which is empty for everything but
    /// a read, or `None` if the device is not reachable.
    pub(crate) fn receive_local(
        &self,
        id: i64,
        at: i64,
        sn: Option<u32>,
        p0: &[u8],
    ) -> Sql<Option<Vec<u8>>> {
        let mut device = self.device(id)?;
        if !device.is_reachable() {
            return Ok(None);
        }
        if let Some(product) = self.product(&device.product)
            && let layout = product.layout()
            && let Ok(P0::Read(wanted)) = P0::parse(layout, p0)
        {
            let wanted: Vec<PointId> = wanted.ids().collect();
            let some = match layout.protocol() {
                Protocol::Standard => None,
                _ => partial_message(layout, &device.status, Action::Reply, &wanted),
            };
            let full = || full_message(layout, &device.status, Action::Reply);
            return Ok(Some(some.unwrap_or_else(full)));
        }
        let sn = sn.unwrap_or_default();
        let frame = wrap_m2m(p0, Action::Control, Some(sn), None).unwrap_or_default();
        self.log_frame(id, at, true, &frame)?;
        self.receive_frame(&mut device, at, &frame)?;
        self.save(&device)?;
        Ok(Some(Vec::new()))
    }

    /// The report of all points of a device. `None` if its product has no definition.
    pub(crate) fn local_status(&self, id: i64) -> Sql<Option<Vec<u8>>> {
        let device = self.device(id)?;
        let product = self.product(&device.product);
        Ok(product.map(|product| full_message(product.layout(), &device.status, Action::Report)))
    }

    /// The id of the last frame of the log, or 0.
    pub(crate) fn last_frame(&self) -> Sql<i64> {
        self.value("SELECT coalesce(max(id), 0) FROM frame", [])
    }

    /// The reports after the frame `position` of the log.
    pub(crate) fn local_news(&self, position: i64) -> Sql<LocalNews> {
        let end = self.last_frame()?;
        // SQLite numbers rows from 1 again after all old rows were deleted, so that all rows there are new.
        let after = if position <= end { position } else { 0 };
        let sql = "SELECT device, payload FROM frame
            WHERE id > ? AND id <= ? AND NOT to_device ORDER BY id";
        let frames = self.rows(sql, params![after, end], |row| {
            Ok((row.get(0)?, report(row.get_ref(1)?.as_blob()?)))
        })?;
        let reports = frames
            .into_iter()
            .filter_map(|(device, report)| Some((device, report?)));
        let sql = "SELECT id FROM device WHERE online_since IS NOT NULL AND silent_since IS NULL";
        Ok(LocalNews {
            reports: reports.collect(),
            reachable: self.rows(sql, [], |row| row.get(0))?.into_iter().collect(),
            position: end,
        })
    }
}

/// The P0 of a frame that a device has sent by itself. `None` for replies, which go to the cloud alone.
fn report(frame: &[u8]) -> Option<Bytes> {
    let Ok((Event::Frame(frame), _)) = m2m::parse(frame, usize::MAX) else {
        return None;
    };
    let p0 = frame.p0()?;
    let is_report = matches!(p0.first(), Some(0x04 | 0x06 | 0x14));
    is_report.then(|| Bytes::copy_from_slice(p0))
}
