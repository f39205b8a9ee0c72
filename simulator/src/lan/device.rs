//! A device on the local network: its sockets, and what it says of itself.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use gizwits_codec_std::core::m2m::{self, Event, Message};
use gizwits_lan::{Announcement, DEVICE_PORT, DISCOVERY_PORT, Identity, Server, ServerOptions};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Semaphore, broadcast, watch};

use crate::error::Error;
use crate::world::LocalDevice;

/// The number of reports that wait for a client. A client that reads no faster gets the status in their
/// place.
const REPORTS: usize = 64;

/// The API server in the answer to a discovery, as modules outside of China send it.
const API_SERVER: &str = "api.gizwits.com:80";
/// The version of the protocol in the answer to a discovery.
const PROTOCOL: &str = "4.1.0";

/// The address of a simulated device on the local network.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LanAddress {
    /// The did of the device.
    pub did: String,
    /// The address and TCP port that accept connections.
    pub tcp: SocketAddr,
    /// The address and UDP port that answer a discovery.
    pub udp: SocketAddr,
}

/// A device with its socket for discoveries.
pub(super) struct Device {
    /// The id of the device in the world.
    pub(super) id: i64,
    pub(super) options: ServerOptions,
    /// The P0 messages that the device sends by itself.
    pub(super) reports: broadcast::Sender<Bytes>,
    /// Whether the device is connected in the world. Otherwise it does not answer.
    pub(super) is_reachable: watch::Sender<bool>,
    announcement: Bytes,
    /// The socket that receives the discoveries for this address.
    pub(super) socket: UdpSocket,
    /// The connections that the device still accepts.
    pub(super) clients: Arc<Semaphore>,
}

impl Device {
    /// Opens the sockets of a device on this address: on the ports of real devices, on another port of both protocols, or,
    /// with port 0, on free ports. Returns the address as well.
    pub(super) fn bind(
        local: LocalDevice,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Result<(Self, TcpListener, LanAddress), Error> {
        let tcp = SocketAddr::from((address, port.unwrap_or(DEVICE_PORT)));
        let udp = SocketAddr::from((address, port.unwrap_or(DISCOVERY_PORT)));
        let listener = std::net::TcpListener::bind(tcp).and_then(|listener| {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        });
        let listener = listener.map_err(|error| unavailable(tcp, error))?;
        let socket = bind_udp(udp)?;
        let address = LanAddress {
            did: local.did.clone(),
            tcp: listener.local_addr()?,
            udp: socket.local_addr()?,
        };
        let [mcu_hardware, mcu_software, wifi_hardware, wifi_software] =
            local.versions.map(Option::unwrap_or_default);
        let mut announcement = Announcement::new(&local.did, &local.product);
        announcement.mac = mac(local.mac.as_deref().unwrap_or_default());
        announcement.firmware.clone_from(&wifi_software);
        // New modules name the server of their cloud, and some clients rely on it.
        announcement.api_server = Some(API_SERVER.to_owned());
        announcement.version = Some(PROTOCOL.to_owned());
        let mut identity = Identity::default();
        identity.mcu_hardware = mcu_hardware;
        identity.mcu_software = mcu_software;
        identity.wifi_hardware = wifi_hardware;
        identity.firmware.clone_from(&wifi_software);
        identity.wifi_software = wifi_software;
        identity.product_key = local.product;
        let device = Device {
            id: local.id,
            options: ServerOptions::new(&local.passcode, identity),
            reports: broadcast::Sender::new(REPORTS),
            is_reachable: watch::Sender::new(local.is_reachable),
            // A did or product key of 65,536 characters fits into no answer.
            announcement: announcement.encode().unwrap_or_default(),
            socket,
            clients: Arc::new(Semaphore::new(Server::MAX_CLIENTS)),
        };
        Ok((device, listener, address))
    }

    /// Answers a discovery from this address.
    pub(super) fn answer(&self, client: SocketAddr) {
        if *self.is_reachable.borrow() {
            // A datagram may be lost, so that clients repeat a discovery.
            let _ = self.socket.try_send_to(&self.announcement, client);
        }
    }
}

/// Opens a UDP socket.
pub(super) fn bind_udp(address: SocketAddr) -> Result<UdpSocket, Error> {
    let bound = std::net::UdpSocket::bind(address).and_then(|socket| {
        socket.set_nonblocking(true)?;
        UdpSocket::from_std(socket)
    });
    bound.map_err(|error| unavailable(address, error))
}

fn unavailable(address: SocketAddr, error: io::Error) -> Error {
    Error::Listen {
        address,
        service: "a device",
        error,
    }
}

/// Whether a datagram asks all devices to answer.
pub(super) fn is_discovery(datagram: &[u8]) -> bool {
    match m2m::parse(datagram, m2m::DEFAULT_LIMIT) {
        Ok((Event::Frame(frame), _)) => frame.message() == Ok(Message::Discovery),
        _ => false,
    }
}

/// The MAC address in a text of hex digits, with or without separators. Devices without one have zeros.
fn mac(text: &str) -> [u8; 6] {
    let digits: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let number = u64::from_str_radix(&digits, 16).unwrap_or_default();
    let [_, _, mac @ ..] = number.to_be_bytes();
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_addresses() {
        let expected = [0x5c, 0xcf, 0x7f, 0x0a, 0x1b, 0x2c];
        assert_eq!(mac("5CCF7F0A1B2C"), expected);
        assert_eq!(mac("5c:cf:7f:0a:1b:2c"), expected);
        assert_eq!(mac("virtual:site"), [0; 6]);
    }
}
