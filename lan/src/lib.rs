//! Sessions with Gizwits (机智云) devices on the local network, without any cloud.
//!
//! A device answers a discovery on UDP port [`DISCOVERY_PORT`], and accepts connections on TCP port [`DEVICE_PORT`]. Over a
//! connection it hands out its passcode, accepts a login with it, and then sends its status and takes controls, as P0
//! messages in M2M frames.
//!
//! | to … | use |
//! | --- | --- |
//! | find the devices of the network | [`Search`], or [`Discovery`] without sockets |
//! | read and control one device | [`Connection`], or [`Client`] without sockets |
//! | stay connected to a device | [`Device`], or [`ReconnectingClient`] without sockets |
//! | be a device, in a test for example | [`Server`] |
//!
//! A P0 is encoded and decoded by `gizwits-codec-core` or `gizwits-codec-std`.
//!
//! # Example
//! Read the status of a device, and control it. The address comes from a [`Search`], and the port of a real device is
//! [`DEVICE_PORT`].
//!
#![cfg_attr(feature = "tokio", doc = "```")]
#![cfg_attr(not(feature = "tokio"), doc = "```ignore")]
//! use gizwits_lan::{ClientOptions, Connection};
//!
//! # /// Starts a device on this machine, and returns its address.
//! # async fn start_device() -> std::io::Result<std::net::SocketAddr> {
//! #     use gizwits_lan::{Identity, Server, ServerEvent, ServerOptions};
//! #     use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
//! #     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! #     let address = listener.local_addr()?;
//! #     tokio::spawn(async move {
//! #         let (mut stream, _) = listener.accept().await?;
//! #         let (start, mut status) = (tokio::time::Instant::now(), vec![0x03, 0x00]);
//! #         let options = ServerOptions::new("ABCDEFGHIJ", Identity::default());
//! #         let mut device = Server::new(options, start.elapsed());
//! #         let mut input = [0; 256];
//! #         loop {
//! #             let length = stream.read(&mut input).await?;
//! #             if length == 0 {
//! #                 return Ok::<(), std::io::Error>(());
//! #             }
//! #             device.receive(&input[..length], start.elapsed());
//! #             while let Some(ServerEvent::Request { sn, p0 }) = device.poll_event() {
//! #                 if let [0x01, _, value] = p0[..] {
//! #                     status[1] = value;
//! #                 }
//! #                 device.answer(sn, if p0[..] == [0x02] { &status } else { &[] });
//! #             }
//! #             while let Some(bytes) = device.poll_output() {
//! #                 stream.write_all(&bytes).await?;
//! #             }
//! #         }
//! #     });
//! #     Ok(address)
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let address = start_device().await?;
//! let mut device = Connection::open(address, ClientOptions::default()).await?;
//! // The read of a standard product. The answer is its status.
//! assert_eq!(device.read(&[0x02]).await?[..], [0x03, 0x00]);
//! // A control of the point 0: its flag, and its value.
//! device.control(&[0x01, 0x01, 0x01]).await?;
//! assert_eq!(device.read(&[0x02]).await?[..], [0x03, 0x01]);
//! # Ok(())
//! # }
//! ```
//!
//! # Without sockets
//! [`Search`], [`Connection`] and [`Device`] use tokio (feature `tokio`, default). All else performs no input and output.
//! The caller has the sockets and the clock: it passes received bytes to [`Client::receive`], sends what
//! [`Client::poll_output`] returns, handles the events of [`Client::poll_event`], and calls [`Client::handle_timeout`] when
//! [`Client::poll_timeout`] has passed. A session therefore runs on any runtime, and a test of it needs no network and does not
//! wait.
//!
//! ```
//! use std::time::Duration;
//! use gizwits_lan::{Client, ClientEvent, ClientOptions, Identity, Server, ServerEvent, ServerOptions};
//!
//! let now = Duration::ZERO;
//! let mut client = Client::new(ClientOptions::default(), now);
//! // A device in the same process; a program has a socket here.
//! let mut device = Server::new(ServerOptions::new("ABCDEFGHIJ", Identity::default()), now);
//! let mut exchange = |client: &mut Client, device: &mut Server| {
//!     loop {
//!         let (mut is_idle, mut requests) = (true, Vec::new());
//!         while let Some(bytes) = client.poll_output(now) {
//!             (is_idle, _) = (false, device.receive(&bytes, now));
//!         }
//!         while let Some(ServerEvent::Request { sn, p0 }) = device.poll_event() {
//!             requests.push((sn, p0));
//!         }
//!         for (sn, p0) in requests {
//!             // A read is answered with the status, a control is acknowledged.
//!             let status: &[u8] = if p0[..] == [0x02] { &[0x03, 0x01] } else { &[] };
//!             device.answer(sn, status);
//!         }
//!         while let Some(bytes) = device.poll_output() {
//!             (is_idle, _) = (false, client.receive(&bytes, now));
//!         }
//!         if is_idle {
//!             return;
//!         }
//!     }
//! };
//!
//! exchange(&mut client, &mut device);
//! assert_eq!(client.poll_event(), Some(ClientEvent::Ready));
//! assert!(matches!(client.poll_event(), Some(ClientEvent::Identity(_))));
//!
//! let read = client.request(&[0x02])?;
//! exchange(&mut client, &mut device);
//! let status = vec![0x03, 0x01].into();
//! assert_eq!(client.poll_event(), Some(ClientEvent::P0 { p0: status, answers: Some(read) }));
//! # Ok::<(), gizwits_lan::RequestError>(())
//! ```

#![forbid(unsafe_code)]
#![deny(missing_debug_implementations, missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::arithmetic_side_effects
    )
)]

#[cfg(feature = "tokio")]
mod backlog;
mod backoff;
mod client;
#[cfg(feature = "tokio")]
mod connection;
mod control;
#[cfg(feature = "tokio")]
mod device;
mod discovery;
mod identity;
mod kept_status;
mod reconnecting_client;
#[cfg(feature = "tokio")]
mod search;
mod server;
#[cfg(feature = "tokio")]
mod socket;
mod wire;

pub use backoff::BackoffOptions;
pub use client::{Client, ClientEvent, ClientOptions, Closed, RequestError, RequestId, Step};
#[cfg(feature = "tokio")]
pub use connection::{Connection, ConnectionError};
pub use control::{Control, ControlError, ControlId, Delivery};
#[cfg(feature = "tokio")]
pub use device::Device;
pub use discovery::{Announcement, Discovery, Found};
pub use identity::Identity;
pub use reconnecting_client::{DeviceEvent, DeviceOptions, Failure, Freshness, ReconnectingClient};
#[cfg(feature = "tokio")]
pub use search::{Search, SearchOptions};
pub use server::{Server, ServerEvent, ServerOptions};
pub use wire::MAX_FRAME;

/// The TCP port on which devices accept connections.
pub const DEVICE_PORT: u16 = 12416;
/// The UDP port on which devices answer a discovery.
pub const DISCOVERY_PORT: u16 = 12414;
/// The UDP port to which devices broadcast an announcement after their start.
pub const ANNOUNCEMENT_PORT: u16 = 2415;

#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct Readme;
