//! A client that reconnects, with sockets of tokio.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use gizwits_codec_core::View;
use secrecy::SecretSlice;
use tokio::net::ToSocketAddrs;
use tokio::time::{Instant, sleep_until};

use crate::backlog::{Backlog, Event, Rank};
use crate::connection::Connection;
use crate::control::{Control, ControlError, ControlId};
use crate::reconnecting_client::{DeviceEvent, DeviceOptions, Freshness, ReconnectingClient};
use crate::socket::{Socket, Step, later};

/// An attempt to connect.
type Connecting = Pin<Box<dyn Future<Output = io::Result<Socket>> + Send>>;

/// The function that makes an attempt to connect.
type Connect = Box<dyn Fn() -> Connecting + Send>;

/// Returns the function that makes attempts to connect to this address, each of which takes at most this time.
fn connect(address: impl ToSocketAddrs + Clone + Send + 'static, time: Duration) -> Connect {
    Box::new(move || Box::pin(Socket::connect(address.clone(), time)))
}

impl Event for DeviceEvent {
    fn bytes(&self) -> usize {
        match self {
            DeviceEvent::Status { p0 } | DeviceEvent::Data { p0 } => p0.len(),
            DeviceEvent::Identity(identity) => identity.bytes(),
            _ => 0,
        }
    }

    fn rank(&self) -> Rank {
        match self {
            DeviceEvent::Outcome { .. } => Rank::Outcome,
            DeviceEvent::Ready { .. }
            | DeviceEvent::NotConnected { .. }
            | DeviceEvent::Disconnected { .. } => Rank::Connection,
            _ => Rank::Message,
        }
    }
}

/// A device, to which the client connects again whenever the connection has ended.
///
/// [`ReconnectingClient`] says how connections, the status and controls are handled. The methods that wait also do what is
/// due, such as connecting and heartbeats. A program that keeps a device therefore always waits in one of them, usually in
/// [`next`](Self::next). No task runs in the background.
///
/// ```no_run
/// use gizwits_lan::{Control, DEVICE_PORT, Device, DeviceEvent, DeviceOptions};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut device = Device::new(("192.168.1.7", DEVICE_PORT), DeviceOptions::default());
/// device.control(Control::new(&[0x01, 0x01, 0x01])).await?;
/// loop {
///     match device.next().await {
///         DeviceEvent::Status { p0 } => println!("{p0:02x?}"),
///         DeviceEvent::Disconnected { failure, retry, .. } => println!("{failure}, next attempt in {retry:?}"),
///         _ => {}
///     }
/// }
/// # }
/// ```
pub struct Device<'l> {
    client: ReconnectingClient<'l>,
    start: Instant,
    connect: Connect,
    connecting: Option<Connecting>,
    socket: Option<Socket>,
    backlog: Backlog<DeviceEvent>,
}

impl<'l> Device<'l> {
    /// The maximum number of events that are kept while [`control`](Self::control) waits, with at most
    /// [`MAX_EVENT_BYTES`](Self::MAX_EVENT_BYTES). Of more, the oldest are dropped: messages of the device first, then changes
    /// of the connection, and outcomes of controls only if there is nothing else.
    pub const MAX_EVENTS: usize = Backlog::<DeviceEvent>::MAX_EVENTS;
    /// The maximum number of bytes in the kept events.
    pub const MAX_EVENT_BYTES: usize = Backlog::<DeviceEvent>::MAX_BYTES;

    /// Returns the device at this address. The first attempt to connect is made by [`next`](Self::next) or
    /// [`control`](Self::control). A name is resolved for each attempt, which takes at most
    /// [`ClientOptions::request_timeout`](crate::ClientOptions::request_timeout).
    #[must_use]
    pub fn new<A>(address: A, options: DeviceOptions<'l>) -> Self
    where
        A: ToSocketAddrs + Clone + Send + 'static,
    {
        let connect = connect(address, options.client.request_timeout);
        let client = ReconnectingClient::new(options, Duration::ZERO);
        Device::of(client, Instant::now(), connect, None)
    }

    /// Returns the device at this address, with a connection that was opened before, for example to choose the layout by the
    /// product key. [`DeviceOptions::client`] has the options of the connections after it. Events of the connection that
    /// were not taken are events of the device. If the connection has ended, the device connects again.
    #[must_use]
    pub fn from_connection<A>(
        address: A,
        connection: Connection,
        options: DeviceOptions<'l>,
    ) -> Self
    where
        A: ToSocketAddrs + Clone + Send + 'static,
    {
        let connect = connect(address, options.client.request_timeout);
        let (socket, client, start) = connection.into_parts();
        let client = ReconnectingClient::resume(client, options, start.elapsed());
        Device::of(client, start, connect, Some(socket))
    }

    fn of(
        client: ReconnectingClient<'l>,
        start: Instant,
        connect: Connect,
        socket: Option<Socket>,
    ) -> Self {
        Device {
            client,
            start,
            connect,
            connecting: None,
            socket,
            backlog: Backlog::default(),
        }
    }

    /// Waits for the next event.
    ///
    /// # Cancel safety
    /// No event and no byte is lost if the future is dropped.
    pub async fn next(&mut self) -> DeviceEvent {
        match self.backlog.pop() {
            Some(event) => event,
            None => self.advance().await,
        }
    }

    /// Appends a control to those that wait, and does not wait: the outcome is an event of [`next`](Self::next), which also
    /// sends it.
    ///
    /// # Errors
    /// The error of [`ReconnectingClient::submit`].
    pub fn submit(&mut self, control: Control) -> Result<ControlId, ControlError> {
        self.client.submit(control, self.start.elapsed())
    }

    /// Sends a control and waits for its outcome. The new status follows as an event of [`next`](Self::next).
    ///
    /// # Errors
    /// The error of [`ReconnectingClient::submit`], [`ControlError::NotSent`] or [`ControlError::Unacknowledged`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the control is sent nevertheless, and its outcome is an event of [`next`](Self::next).
    pub async fn control(&mut self, control: Control) -> Result<(), ControlError> {
        let own = self.submit(control)?;
        loop {
            match self.advance().await {
                DeviceEvent::Outcome { id, outcome } if id == own => return outcome,
                event => self.backlog.push(event),
            }
        }
    }

    /// Waits for the next event of the client. Every step can be cancelled without a loss.
    async fn advance(&mut self) -> DeviceEvent {
        loop {
            // Before the event of the end: the program may take its time before it waits again.
            if !self.client.is_connected() {
                if let Some(socket) = self.socket.take() {
                    socket.abort();
                }
            }
            if let Some(event) = self.client.poll_event() {
                return event;
            }
            if self.client.poll_connect(self.start.elapsed()) {
                self.connecting = Some((self.connect)());
            }
            let deadline = self.client.poll_timeout().unwrap_or(Duration::MAX);
            let deadline = later(self.start, deadline);
            match (&mut self.connecting, &mut self.socket) {
                (Some(connecting), _) => {
                    let connected = tokio::select! {
                        biased;
                        connected = connecting => Some(connected),
                        () = sleep_until(deadline) => None,
                    };
                    let now = self.start.elapsed();
                    if let Some(connected) = connected {
                        self.connecting = None;
                        match connected {
                            Ok(socket) => {
                                self.socket = Some(socket);
                                self.client.connected(now);
                            }
                            Err(error) => self.client.unreachable(error.kind(), now),
                        }
                    }
                    self.client.handle_timeout(now);
                }
                (None, Some(socket)) => {
                    let step = socket.step(self.client.has_output(), deadline).await;
                    let now = self.start.elapsed();
                    socket.take(|bytes| self.client.receive(bytes, now));
                    let is_open = match step {
                        Ok(Step::Writable) => match self.client.poll_output(now) {
                            Some(bytes) => socket.send(&bytes).is_ok(),
                            None => true,
                        },
                        Ok(Step::Late) => {
                            self.client.handle_timeout(now);
                            true
                        }
                        Ok(Step::Progress | Step::Received) => true,
                        Ok(Step::Ended) | Err(_) => false,
                    };
                    if !is_open {
                        self.client.disconnected(now);
                    }
                }
                (None, None) => {
                    sleep_until(deadline).await;
                    self.client.handle_timeout(self.start.elapsed());
                }
            }
        }
    }

    /// Returns whether the device is connected and logged in.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.client.is_ready()
    }

    /// Returns the passcode of the device, for [`ClientOptions::passcode`](crate::ClientOptions::passcode). `None` before
    /// the first login if none was given.
    #[must_use]
    pub const fn passcode(&self) -> Option<&SecretSlice<u8>> {
        self.client.passcode()
    }

    /// Returns the points whose value is known, with their last values. `None` without a layout.
    #[must_use]
    pub fn view(&self) -> Option<View<'l, '_>> {
        self.client.view()
    }

    /// Returns the last full status as a P0. `None` with a layout, and before the first status.
    #[must_use]
    pub const fn p0(&self) -> Option<&Bytes> {
        self.client.p0()
    }

    /// Returns whether the status is up to date.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        self.client.freshness(self.start.elapsed())
    }

    /// Returns the number of events that were dropped, because [`next`](Self::next) was not called.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.backlog.dropped()
    }
}

impl fmt::Debug for Device<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("client", &self.client)
            .field("socket", &self.socket.is_some())
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}
