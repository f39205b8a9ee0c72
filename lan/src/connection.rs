//! A client with a socket of tokio.

use std::io;

use bytes::Bytes;
use secrecy::SecretSlice;
use tokio::net::ToSocketAddrs;
use tokio::time::Instant;

use crate::backlog::{Backlog, Event, Rank};
use crate::client::{Client, ClientEvent, ClientOptions, Closed, RequestError, RequestId};
use crate::identity::Identity;
use crate::socket::{Socket, Step, later};

/// The reason for which a connection failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The socket could not be connected, or has failed.
    #[error("the device cannot be reached: {0}")]
    Io(#[from] io::Error),
    /// The connection has ended.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// The request was not sent.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The device has not answered in time. It may have executed a control nevertheless.
    #[error("the device has not answered in time, but may have executed the request")]
    Unanswered,
}

impl Event for ClientEvent {
    fn bytes(&self) -> usize {
        match self {
            ClientEvent::P0 { p0, .. } => p0.len(),
            ClientEvent::Identity(identity) => identity.bytes(),
            _ => 0,
        }
    }

    fn rank(&self) -> Rank {
        match self {
            ClientEvent::Closed(_) => Rank::Outcome,
            event if event.answers().is_some() => Rank::Outcome,
            _ => Rank::Message,
        }
    }
}

/// A connection to a device, over which the client is logged in.
///
/// The methods that wait also send what is due, such as heartbeats. A program that keeps a connection therefore always waits
/// in one of them, usually in [`next`](Self::next). No task runs in the background, and a dropped connection is closed.
///
/// ```no_run
/// use gizwits_lan::{ClientEvent, ClientOptions, Connection, DEVICE_PORT};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut device = Connection::open(("192.168.1.7", DEVICE_PORT), ClientOptions::default()).await?;
/// println!("{:02x?}", device.read(&[0x02]).await?);
/// while let Some(event) = device.next().await {
///     if let ClientEvent::P0 { p0, .. } = event {
///         println!("{p0:02x?}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    client: Client,
    start: Instant,
    backlog: Backlog<ClientEvent>,
    identity: Option<Identity>,
    failure: Option<io::Error>,
}

impl Connection {
    /// The maximum number of events that are kept while [`read`](Self::read) and [`control`](Self::control) wait, with at
    /// most 1 MiB in them. Of more, the oldest are dropped, and outcomes of requests and the end only if there is nothing else.
    pub const MAX_EVENTS: usize = Backlog::<ClientEvent>::MAX_EVENTS;

    /// Connects to a device and logs in.
    ///
    /// # Errors
    /// [`ConnectionError::Io`] if the device cannot be reached within [`ClientOptions::request_timeout`], and
    /// [`ConnectionError::Closed`] if the login fails.
    pub async fn open(
        address: impl ToSocketAddrs,
        options: ClientOptions,
    ) -> Result<Self, ConnectionError> {
        let socket = Socket::connect(address, options.request_timeout).await?;
        let start = Instant::now();
        let mut connection = Connection {
            socket,
            client: Client::new(options, start.elapsed()),
            start,
            backlog: Backlog::default(),
            identity: None,
            failure: None,
        };
        loop {
            match connection.advance().await {
                Some(ClientEvent::Ready) => return Ok(connection),
                Some(ClientEvent::Closed(why)) => return Err(connection.ended(why)),
                Some(_) => {}
                None => return Err(connection.ended(Closed::ByDevice)),
            }
        }
    }

    /// Returns the socket, the client with all events that were not taken, and the moment from which its times count.
    pub(crate) fn into_parts(self) -> (Socket, Client, Instant) {
        let Connection {
            socket,
            mut client,
            start,
            mut backlog,
            ..
        } = self;
        client.restore(std::iter::from_fn(|| backlog.pop()));
        (socket, client, start)
    }

    /// Returns the passcode of the device, for [`ClientOptions::passcode`] of the next connection.
    #[must_use]
    pub const fn passcode(&self) -> Option<&SecretSlice<u8>> {
        self.client.passcode()
    }

    /// Returns what the device says of itself. `None` before its answer arrives, which is one of the first events.
    #[must_use]
    pub const fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Returns the number of events that were dropped, because [`next`](Self::next) was not called.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.backlog.dropped()
    }

    /// Waits for the next event. Returns `None` after [`ClientEvent::Closed`].
    ///
    /// # Cancel safety
    /// No event and no byte is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<ClientEvent> {
        match self.backlog.pop() {
            Some(event) => Some(event),
            None => self.advance().await,
        }
    }

    /// Sends a P0 and does not wait: the outcome is an event of [`next`](Self::next), which also sends it.
    ///
    /// # Errors
    /// The error of [`Client::request`].
    pub fn request(&mut self, p0: &[u8]) -> Result<RequestId, RequestError> {
        self.client.request(p0)
    }

    /// Sends a read and waits for its answer, a P0 with the status.
    ///
    /// # Errors
    /// [`ConnectionError::Unanswered`] if the device does not answer in time, and the errors of the request and the socket.
    ///
    /// # Cancel safety
    /// If the future is dropped, the answer is an event of [`next`](Self::next).
    pub async fn read(&mut self, p0: &[u8]) -> Result<Bytes, ConnectionError> {
        let id = self.request(p0)?;
        self.outcome(id, |event| match event {
            ClientEvent::P0 { p0, .. } => p0,
            _ => Bytes::new(),
        })
        .await
    }

    /// Sends a control, once, and waits for its acknowledgement. The new status follows as an event of
    /// [`next`](Self::next).
    ///
    /// # Errors
    /// [`ConnectionError::Unanswered`] if the device does not acknowledge the control in time, and the errors of the request
    /// and the socket.
    ///
    /// # Cancel safety
    /// If the future is dropped, the outcome is an event of [`next`](Self::next).
    pub async fn control(&mut self, p0: &[u8]) -> Result<(), ConnectionError> {
        let id = self.request(p0)?;
        self.outcome(id, |_| ()).await
    }

    /// Waits for the outcome of a request, and keeps all other events.
    async fn outcome<T>(
        &mut self,
        id: RequestId,
        of: impl FnOnce(ClientEvent) -> T,
    ) -> Result<T, ConnectionError> {
        loop {
            match self.advance().await {
                Some(ClientEvent::Unanswered(late)) if late == id => {
                    return Err(ConnectionError::Unanswered);
                }
                Some(event) if event.answers() == Some(id) => return Ok(of(event)),
                Some(ClientEvent::Closed(why)) => {
                    self.backlog.push(ClientEvent::Closed(why));
                    return Err(self.ended(why));
                }
                Some(event) => self.backlog.push(event),
                None => return Err(self.ended(Closed::ByClient)),
            }
        }
    }

    /// Returns the error of the socket, if that ended the connection.
    fn ended(&mut self, why: Closed) -> ConnectionError {
        match self.failure.take() {
            Some(failure) => ConnectionError::Io(failure),
            None => ConnectionError::Closed(why),
        }
    }

    /// Waits for the next event of the client. Every step can be cancelled without a loss.
    async fn advance(&mut self) -> Option<ClientEvent> {
        loop {
            if let Some(event) = self.client.poll_event() {
                if let ClientEvent::Identity(identity) = &event {
                    self.identity = Some(identity.clone());
                }
                return Some(event);
            }
            let deadline = later(self.start, self.client.poll_timeout()?);
            let step = self.socket.step(self.client.has_output(), deadline).await;
            let now = self.start.elapsed();
            self.socket.take(|bytes| self.client.receive(bytes, now));
            let done = match step {
                Ok(Step::Writable) => match self.client.poll_output(now) {
                    Some(bytes) => self.socket.send(&bytes),
                    None => Ok(()),
                },
                Ok(Step::Late) => {
                    self.client.handle_timeout(now);
                    Ok(())
                }
                Ok(Step::Progress | Step::Received) => Ok(()),
                Ok(Step::Ended) => {
                    self.client.disconnected();
                    Ok(())
                }
                Err(failure) => Err(failure),
            };
            if let Err(failure) = done {
                self.failure = Some(failure);
                self.client.disconnected();
            }
        }
    }
}
