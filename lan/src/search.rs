//! A search for devices with sockets of tokio.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::task::yield_now;
use tokio::time::{Instant, timeout_at};

use crate::DISCOVERY_PORT;
use crate::discovery::{Discovery, Found};
use crate::socket::later;

/// The options of a [`Search`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchOptions {
    /// The addresses that are asked. By default, all devices on the networks of all interfaces are asked by a broadcast.
    pub targets: Vec<SocketAddr>,
    /// The time after which the search ends, 3 s by default.
    pub duration: Duration,
    /// The time between two requests, 1 s by default. A datagram can be lost.
    pub interval: Duration,
    /// The address on which announcements are received, usually port [`ANNOUNCEMENT_PORT`](crate::ANNOUNCEMENT_PORT) of
    /// `0.0.0.0`. A device announces itself after its start. By default, announcements are not received, because only one
    /// program of a host can have the port.
    pub announcements: Option<SocketAddr>,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions {
            targets: Vec::new(),
            duration: Duration::from_secs(3),
            interval: Duration::from_secs(1),
            announcements: None,
        }
    }
}

/// A search for the devices of the local network.
///
/// ```no_run
/// use gizwits_lan::{Search, SearchOptions};
///
/// # async fn example() -> std::io::Result<()> {
/// let mut search = Search::start(&SearchOptions::default()).await?;
/// while let Some(found) = search.next().await {
///     println!("{} {}", found.address, found.announcement.did);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Search {
    /// A socket, and the addresses that it asks.
    sockets: Vec<(UdpSocket, Vec<SocketAddr>)>,
    discovery: Discovery,
    interval: Duration,
    next_request: Instant,
    end: Instant,
    announcements: Option<SocketAddr>,
}

impl Search {
    /// Opens the sockets. The first request is sent by [`next`](Self::next).
    ///
    /// A broadcast reaches one network only, so that each interface with an IPv4 address has a socket of its own.
    ///
    /// # Errors
    /// [`io::ErrorKind::AddrInUse`] if another program receives announcements. If announcements are not received:
    /// [`io::ErrorKind::NetworkUnreachable`] if no interface has an IPv4 address except for that of the host itself, and the
    /// error of the system if no socket can be opened.
    pub async fn start(options: &SearchOptions) -> io::Result<Self> {
        let mut sockets = Vec::new();
        let mut announcements = None;
        if let Some(address) = options.announcements {
            let socket = UdpSocket::bind(address).await.map_err(|error| {
                let text = format!("announcements cannot be received on {address}: {error}");
                io::Error::new(error.kind(), text)
            })?;
            announcements = Some(socket.local_addr()?);
            // It asks nobody, but a search with it alone finds the devices that start.
            sockets.push((socket, Vec::new()));
        }
        let mut failure = None;
        let mut open = async |own: IpAddr, targets: Vec<SocketAddr>| match socket(own).await {
            Ok(socket) => sockets.push((socket, targets)),
            Err(error) => failure = Some(error),
        };
        if options.targets.is_empty() {
            let everyone = SocketAddr::from((Ipv4Addr::BROADCAST, DISCOVERY_PORT));
            for interface in if_addrs::get_if_addrs()? {
                if !interface.is_loopback() && interface.ip().is_ipv4() {
                    open(interface.ip(), vec![everyone]).await;
                }
            }
        } else {
            let (v4, v6): (Vec<_>, Vec<_>) = options
                .targets
                .iter()
                .copied()
                .partition(SocketAddr::is_ipv4);
            for (own, targets) in [
                (IpAddr::from(Ipv4Addr::UNSPECIFIED), v4),
                (std::net::Ipv6Addr::UNSPECIFIED.into(), v6),
            ] {
                if !targets.is_empty() {
                    open(own, targets).await;
                }
            }
        }
        if sockets.is_empty() {
            let none = || io::Error::from(io::ErrorKind::NetworkUnreachable);
            return Err(failure.unwrap_or_else(none));
        }
        let now = Instant::now();
        Ok(Search {
            sockets,
            discovery: Discovery::new(),
            interval: options.interval.max(Duration::from_millis(10)),
            next_request: now,
            end: later(now, options.duration),
            announcements,
        })
    }

    /// Waits for a device that was not found before, or that has changed. Returns `None` when the time is over and all
    /// answers that have arrived until then are read.
    ///
    /// # Cancel safety
    /// No device is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Found> {
        loop {
            let now = Instant::now();
            let is_over = now >= self.end;
            if is_over {
                // What has arrived while the program did something else is known to the runtime after a turn.
                yield_now().await;
            } else if now >= self.next_request {
                self.next_request = later(now, self.interval);
                for (socket, targets) in &self.sockets {
                    for target in targets {
                        // A network that is gone must not end the search in the others.
                        let _ = socket.try_send_to(&Discovery::REQUEST, *target);
                    }
                }
            }
            let mut buffer = [0; 2048];
            let until = self.next_request.min(self.end);
            let received = poll_fn(
                |context| match poll_any(&self.sockets, context, &mut buffer) {
                    Poll::Pending if is_over => Poll::Ready(None),
                    poll => poll.map(Some),
                },
            );
            match timeout_at(until, received).await {
                Ok(Some((len, from))) => {
                    let datagram = buffer.get(..len).unwrap_or_default();
                    if let Some(found) = self.discovery.receive(from.ip(), datagram) {
                        return Some(found);
                    }
                }
                _ if is_over => return None,
                _ => {}
            }
        }
    }

    /// Returns the address on which announcements are received, with the port that the system has chosen for port 0.
    #[must_use]
    pub const fn announcements(&self) -> Option<SocketAddr> {
        self.announcements
    }

    /// Returns the devices that were found so far.
    #[must_use]
    pub const fn discovery(&self) -> &Discovery {
        &self.discovery
    }
}

async fn socket(own: IpAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((own, 0)).await?;
    socket.set_broadcast(own.is_ipv4())?;
    // The first request is sent without waiting for the socket.
    socket.writable().await?;
    Ok(socket)
}

/// Receives a datagram from any socket. Errors of a socket are those of datagrams that it has sent, for example to a host
/// without this port.
fn poll_any(
    sockets: &[(UdpSocket, Vec<SocketAddr>)],
    context: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<(usize, SocketAddr)> {
    for (socket, _) in sockets {
        let mut buffer = ReadBuf::new(buffer);
        // A socket that has failed is polled again: only a pending one wakes the task.
        loop {
            match socket.poll_recv_from(context, &mut buffer) {
                Poll::Ready(Ok(from)) => return Poll::Ready((buffer.filled().len(), from)),
                Poll::Ready(Err(error)) if is_of_a_datagram(&error) => {}
                Poll::Ready(Err(_)) | Poll::Pending => break,
            }
        }
    }
    Poll::Pending
}

/// Whether an error belongs to a datagram that was sent before, so that the next call has another result.
fn is_of_a_datagram(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable};
    let kinds = [
        ConnectionRefused,
        ConnectionReset,
        HostUnreachable,
        NetworkUnreachable,
    ];
    kinds.contains(&error.kind())
}
