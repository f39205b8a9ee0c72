//! Devices that answer a discovery or announce themselves.

use std::collections::HashMap;
use std::net::IpAddr;

use bytes::Bytes;
use gizwits_codec_core::Error;
use gizwits_codec_core::m2m::{self, DeviceInfo, Event, Message};

use crate::identity::text;
use crate::wire::encoded;

/// The description that a device sends to its network.
///
/// Texts come from the device: show them to people only after invisible characters are escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Announcement {
    /// The did, usually 22 characters.
    pub did: String,
    /// The MAC address.
    pub mac: [u8; 6],
    /// The version of the module's firmware.
    pub firmware: String,
    /// The product key, 32 hex digits.
    pub product_key: String,
    /// The host and port of the cloud's API. Old modules send none.
    pub api_server: Option<String>,
    /// The version of the protocol. Old modules send none.
    pub version: Option<String>,
}

impl Announcement {
    /// Returns the announcement of a device with this did and product key.
    #[must_use]
    pub fn new(did: &str, product_key: &str) -> Self {
        Announcement {
            did: did.to_owned(),
            product_key: product_key.to_owned(),
            ..Announcement::default()
        }
    }

    /// Reads a datagram: the answer to a discovery, or the broadcast of a device after its start. `None` for any other
    /// datagram, which is no error in a shared network.
    ///
    /// ```
    /// use gizwits_lan::Announcement;
    ///
    /// let announcement = Announcement::new("fTZ6jUmwmuTUkEdbXWePQ3", "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50");
    /// let datagram = announcement.encode()?;
    /// assert_eq!(Announcement::parse(&datagram), Some(announcement));
    /// assert_eq!(Announcement::parse(b"M-SEARCH * HTTP/1.1"), None);
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    #[must_use]
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        let (Event::Frame(frame), _) = m2m::parse(datagram, m2m::DEFAULT_LIMIT).ok()? else {
            return None;
        };
        let info = match frame.message().ok()? {
            Message::DiscoveryReply(info) | Message::Announcement(info) => info,
            _ => return None,
        };
        Some(Announcement {
            did: text(info.did),
            mac: info.mac.try_into().ok()?,
            firmware: text(info.firmware),
            product_key: text(info.product_key),
            api_server: info.api_server().map(text).filter(|text| !text.is_empty()),
            version: info.version().map(text).filter(|text| !text.is_empty()),
        })
    }

    /// Returns the datagram with which a device answers a discovery.
    ///
    /// # Errors
    /// [`ErrorKind::FrameLimit`](gizwits_codec_core::ErrorKind::FrameLimit) if a text is longer than 65,535 bytes.
    pub fn encode(&self) -> Result<Bytes, Error> {
        let mut tail = Vec::new();
        let texts = [&self.api_server, &self.version];
        if texts.iter().any(|text| text.is_some()) {
            for text in texts {
                tail.extend_from_slice(text.as_deref().unwrap_or_default().as_bytes());
                tail.push(0);
            }
        }
        encoded(&Message::DiscoveryReply(DeviceInfo {
            did: self.did.as_bytes(),
            mac: &self.mac,
            firmware: self.firmware.as_bytes(),
            product_key: self.product_key.as_bytes(),
            attributes: [0; 8],
            tail: &tail,
        }))
    }
}

/// A device that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The address from which the device has answered.
    pub address: IpAddr,
    /// The description of the device.
    pub announcement: Announcement,
}

/// The devices that were found so far.
///
/// A device answers each discovery, and on each interface of a host. [`receive`](Self::receive) returns a device once, and
/// again if its address or its announcement has changed.
///
/// ```
/// use std::net::{IpAddr, Ipv4Addr};
/// use gizwits_lan::{Announcement, Discovery};
///
/// let announcement = Announcement::new("fTZ6jUmwmuTUkEdbXWePQ3", "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50");
/// let (datagram, address) = (announcement.encode()?, IpAddr::V4(Ipv4Addr::new(192, 168, 1, 7)));
/// let mut discovery = Discovery::new();
/// let found = discovery.receive(address, &datagram).expect("a device");
/// assert_eq!((found.address, found.announcement), (address, announcement));
/// assert_eq!(discovery.receive(address, &datagram), None);
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// The devices by did and MAC address: a device that was never registered may have no did.
    devices: HashMap<(String, [u8; 6]), Found>,
    ignored: u64,
}

impl Discovery {
    /// The datagram that asks devices to describe themselves. It is sent to the broadcast address of each interface, or to
    /// one device, on port [`DISCOVERY_PORT`](crate::DISCOVERY_PORT).
    pub const REQUEST: [u8; 8] = [0, 0, 0, 3, 3, 0, 0, 3];
    /// The maximum number of devices. Further devices are counted by [`ignored`](Self::ignored).
    pub const MAX_DEVICES: usize = 4096;

    /// Returns a discovery that has found no device.
    #[must_use]
    pub fn new() -> Self {
        Discovery::default()
    }

    /// Takes a datagram from this address. Returns the device if it is new or has changed.
    pub fn receive(&mut self, address: IpAddr, datagram: &[u8]) -> Option<Found> {
        let found = Found {
            address,
            announcement: Announcement::parse(datagram)?,
        };
        let key = (found.announcement.did.clone(), found.announcement.mac);
        match self.devices.get(&key) {
            Some(known) if *known == found => return None,
            None if self.devices.len() >= Self::MAX_DEVICES => {
                self.ignored = self.ignored.saturating_add(1);
                return None;
            }
            _ => {}
        }
        self.devices.insert(key, found.clone());
        Some(found)
    }

    /// Returns the devices that were found, in no order.
    pub fn devices(&self) -> impl Iterator<Item = &Found> {
        self.devices.values()
    }

    /// Returns the number of datagrams of devices past [`MAX_DEVICES`](Self::MAX_DEVICES).
    #[must_use]
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }
}
