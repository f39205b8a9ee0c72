//! The devices of a simulator on the local network.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gizwits_lan::DISCOVERY_PORT;
use if_addrs::IfAddr;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use super::connection;
use super::device::{Device, LanAddress, bind_udp, is_discovery};
use crate::error::{Error, invalid};
use crate::simulator::Simulator;
use crate::world::LocalNews;

/// The options of the devices on the local network.
///
/// # Examples
/// ```
/// use gizwits_simulator::{LanOptions, Options, Server, Simulator};
///
/// let mut lan = LanOptions::default();
/// lan.port = Some(0);
/// let mut options = Options::default();
/// options.lan = Some(lan);
/// let server = Server::start(Simulator::builder().build()?, options)?;
/// println!("{} accepts connections on {}", server.lan()[0].did, server.lan()[0].tcp);
/// # Ok::<(), gizwits_simulator::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LanOptions {
    /// The address of the first device. Each further device has the next address, in the order of the scenario. Default:
    /// 127.0.0.2. Linux has all addresses that begin with 127, other systems only those that an interface has.
    pub address: Ipv4Addr,
    /// The TCP and UDP port of all devices; 0 selects free ports. Default: those of real devices, TCP 12416 and UDP 12414.
    pub port: Option<u16>,
}

impl Default for LanOptions {
    fn default() -> Self {
        LanOptions {
            address: Ipv4Addr::new(127, 0, 0, 2),
            port: None,
        }
    }
}

/// The devices with their open sockets.
pub(crate) struct Network {
    devices: Vec<(Arc<Device>, TcpListener)>,
    addresses: Vec<LanAddress>,
    /// The sockets that receive broadcasts.
    broadcasts: Vec<UdpSocket>,
    /// The last frame of the log when the sockets were opened. Clients see all later reports.
    position: i64,
}

impl Network {
    /// Opens the sockets of all devices.
    ///
    /// # Errors
    /// [`Error::Listen`] if an address is not available, [`Error::Invalid`] if there are not enough addresses.
    pub(crate) fn bind(simulator: &Simulator, options: &LanOptions) -> Result<Self, Error> {
        let mut network = Network {
            devices: Vec::new(),
            addresses: Vec::new(),
            broadcasts: Vec::new(),
            // Before the first client can connect.
            position: simulator.last_frame()?,
        };
        let mut next = Some(options.address);
        for local in simulator.local_devices()? {
            let Some(address) = next else {
                return invalid("the devices need more addresses: choose a lower first address");
            };
            let (device, listener, address_of) = Device::bind(local, address, options.port)?;
            network.devices.push((Arc::new(device), listener));
            network.addresses.push(address_of);
            let number = u32::from(address).checked_add(1);
            next = number.map(Ipv4Addr::from);
        }
        let port = options.port.unwrap_or(DISCOVERY_PORT);
        // A socket with an address of its own receives no broadcast. A broadcast does not reach loopback.
        for address in network.broadcast_addresses()? {
            let socket = bind_udp(SocketAddr::from((address, port)))?;
            network.broadcasts.push(socket);
        }
        Ok(network)
    }

    /// The addresses to which clients in the networks of the devices send broadcasts.
    fn broadcast_addresses(&self) -> Result<BTreeSet<Ipv4Addr>, Error> {
        let mut addresses = BTreeSet::new();
        for interface in if_addrs::get_if_addrs()? {
            let is_own = |address: &LanAddress| address.tcp.ip() == interface.ip();
            if !interface.is_loopback()
                && let IfAddr::V4(v4) = &interface.addr
                && self.addresses.iter().any(is_own)
            {
                addresses.insert(Ipv4Addr::BROADCAST);
                addresses.extend(v4.broadcast);
            }
        }
        Ok(addresses)
    }

    /// The addresses of the devices.
    pub(crate) fn addresses(&self) -> &[LanAddress] {
        &self.addresses
    }

    /// Serves all devices, without an end.
    pub(crate) async fn serve(self, simulator: Simulator) {
        let devices: Vec<_> = self
            .devices
            .iter()
            .map(|(device, _)| Arc::clone(device))
            .collect();
        let devices: Arc<[Arc<Device>]> = devices.into();
        let mut tasks = JoinSet::new();
        for socket in self.broadcasts {
            tasks.spawn(answer_broadcasts(socket, Arc::clone(&devices)));
        }
        for (device, listener) in self.devices {
            tasks.spawn(serve(device, listener, simulator.clone()));
        }
        report(&devices, simulator, self.position).await;
    }
}

/// Lets all devices answer the discoveries that a socket receives.
async fn answer_broadcasts(socket: UdpSocket, devices: Arc<[Arc<Device>]>) {
    let mut datagram = [0; 64];
    loop {
        if let Ok((len, client)) = socket.recv_from(&mut datagram).await
            && is_discovery(datagram.get(..len).unwrap_or_default())
        {
            for device in &*devices {
                device.answer(client);
            }
        }
    }
}

/// Answers the discoveries of a device and accepts connections, without an end.
async fn serve(device: Arc<Device>, listener: TcpListener, simulator: Simulator) {
    let mut connections = JoinSet::new();
    let mut datagram = [0; 64];
    loop {
        tokio::select! {
            received = device.socket.recv_from(&mut datagram) => {
                if let Ok((len, client)) = received
                    && is_discovery(datagram.get(..len).unwrap_or_default())
                {
                    device.answer(client);
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    if *device.is_reachable.borrow()
                        && let Ok(permit) = Arc::clone(&device.clients).try_acquire_owned()
                    {
                        let (device, simulator) = (Arc::clone(&device), simulator.clone());
                        connections.spawn(async move {
                            connection::serve(stream, &device, &simulator).await;
                            drop(permit);
                        });
                    }
                }
                // For example too many open files. Wait, because another accept would fail at once.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Passes on what the devices report to the world, and which of them are connected.
async fn report(devices: &[Arc<Device>], simulator: Simulator, mut position: i64) {
    let by_id: BTreeMap<i64, &Arc<Device>> =
        devices.iter().map(|device| (device.id, device)).collect();
    let mut changes = simulator.changes();
    loop {
        let world = simulator.clone();
        let read = tokio::task::spawn_blocking(move || world.local_news(position));
        // A database error shows again with the next change.
        if let Ok(Ok(news)) = read.await {
            let LocalNews {
                reports,
                reachable,
                position: reached,
            } = news;
            position = reached;
            for (id, device) in &by_id {
                let is_reachable = reachable.contains(id);
                device.is_reachable.send_if_modified(|before| {
                    std::mem::replace(before, is_reachable) != is_reachable
                });
            }
            for (id, p0) in reports {
                if let Some(device) = by_id.get(&id) {
                    // Without clients, nobody receives the report.
                    let _ = device.reports.send(p0);
                }
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Act, Time};

    #[tokio::test]
    async fn what_happens_before_the_first_turn_is_not_missed() {
        let time = Time::Manual {
            start: 1_700_000_000_000,
        };
        let simulator = Simulator::builder().time(time).build().unwrap();
        let options = LanOptions {
            address: Ipv4Addr::LOCALHOST,
            port: Some(0),
        };
        let mut network = Network::bind(&simulator, &options).unwrap();
        network.devices.truncate(1);
        let device = Arc::clone(&network.devices[0].0);
        let did = network.addresses[0].did.clone();
        let mut reports = device.reports.subscribe();
        let mut reachable = device.is_reachable.subscribe();
        let set = Act::Set(r#"{"room_temp":21}"#.to_owned());
        simulator.act(&did, &set).unwrap();
        simulator
            .act(&did, &Act::Offline("tcp_closed".to_owned()))
            .unwrap();
        let seen = async {
            assert_eq!(reports.recv().await.unwrap()[0], 0x04);
            reachable
                .wait_for(|is_reachable| !is_reachable)
                .await
                .unwrap();
        };
        tokio::select! {
            () = network.serve(simulator) => panic!("the network ended"),
            seen = tokio::time::timeout(Duration::from_secs(60), seen) => seen.unwrap(),
        }
    }
}
