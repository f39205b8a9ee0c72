//! A client that connects again after its connection has ended.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use gizwits_codec_core::{LayoutRef, View};
use secrecy::SecretSlice;

use crate::backoff::{Backoff, BackoffOptions};
use crate::client::{Client, ClientEvent, ClientOptions, Closed, RequestId};
use crate::control::{Control, ControlError, ControlId, Delivery};
use crate::identity::Identity;
use crate::kept_status::{Effect, KeptStatus};

/// The options of a [`ReconnectingClient`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DeviceOptions<'l> {
    /// The options of each connection. A passcode that the device hands out replaces the one that is given here.
    pub client: ClientOptions,
    /// The waits between attempts to connect.
    pub backoff: BackoffOptions,
    /// The layout of the product. With it, the last known value of each point is kept. By default, there is none, and the
    /// last full status of a standard product is kept as a P0.
    pub layout: Option<LayoutRef<'l>>,
}

/// The reason for which there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The socket could not be connected.
    #[error("the device cannot be reached: {0}")]
    Unreachable(io::ErrorKind),
    /// The connection has ended.
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// Whether the kept status of a device is up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The status was never up to date: the device has answered no read yet, and has reported its points at most in part.
    Unknown,
    /// The status is that of the device: it was read or reported over the present connection.
    Current,
    /// The connection over which the status was up to date has ended. The status may be out of date for this time:
    /// since the last frame of that connection.
    Stale(Duration),
}

/// When the kept status was up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UpToDate {
    Never,
    Now,
    /// The last frame of the last connection over which the status was up to date.
    Until(Duration),
}

/// An event of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceEvent {
    /// The login succeeded: the device takes requests. The client reads the status next.
    Ready {
        /// The time since the last frame of the connection before. The device may have changed and reported in this time,
        /// and these reports are lost. `None` for the first connection.
        gap: Option<Duration>,
    },
    /// An attempt to connect or to log in has failed.
    NotConnected {
        /// The reason.
        failure: Failure,
        /// The wait before the next attempt.
        retry: Duration,
    },
    /// The connection has ended. The status is stale from now on.
    Disconnected {
        /// The reason.
        failure: Failure,
        /// The time since the last frame of the device. The status may have been stale for this time already.
        silence: Duration,
        /// The wait before the next attempt to connect.
        retry: Duration,
    },
    /// The device has answered what it is.
    Identity(Identity),
    /// The device has sent a reply or a report, which the kept status now has.
    Status {
        /// The P0, which begins with its action.
        p0: Bytes,
    },
    /// The device has sent another P0: transparent data, a status that the layout does not allow, or a status of some points
    /// although there is no layout.
    Data {
        /// The P0, which begins with its action.
        p0: Bytes,
    },
    /// A control has ended: the device has acknowledged it, or there is an error. Each control has exactly one outcome.
    Outcome {
        /// The control.
        id: ControlId,
        /// The outcome.
        outcome: Result<(), ControlError>,
    },
    /// The device has sent a frame that the client does not use.
    Ignored {
        /// The command of the frame.
        command: u16,
    },
    /// The device has sent bytes that belong to no frame.
    Skipped {
        /// The number of bytes.
        bytes: usize,
    },
}

/// A control that has no outcome yet.
#[derive(Debug)]
struct Waiting {
    id: ControlId,
    p0: Bytes,
    delivery: Delivery,
    /// When it is too late to send the control.
    until: Duration,
    was_sent: bool,
    /// The request that was sent over this connection.
    request: Option<RequestId>,
}

#[derive(Debug)]
enum Phase {
    /// The next attempt to connect is due at this time.
    Idle(Duration),
    Connecting,
    Connected {
        client: Box<Client>,
        /// When the login has succeeded.
        ready: Option<Duration>,
    },
}

/// A client of a device that connects again whenever its connection has ended, without a socket and without a clock.
///
/// `Device`, with the feature `tokio`, has both. Times are those of any clock that does not go back, as the time since any
/// moment.
///
/// # Connections
/// The caller connects when [`poll_connect`](Self::poll_connect) returns true, and calls [`connected`](Self::connected) or
/// [`unreachable`](Self::unreachable). It closes the socket when [`is_connected`](Self::is_connected) is false. The waits
/// between attempts follow [`BackoffOptions`]. A passcode is kept. If a login with it fails, the next one asks for a new
/// passcode.
///
/// # Status
/// The client reads the status after each login, and keeps it. [`freshness`](Self::freshness) says whether it is up to date.
/// A read without an answer is sent again, after waits that follow [`BackoffOptions`], until the status is up to date, which
/// it also is by a report of all points. Without a layout, the reads of standard and of var_len products take turns.
///
/// # Controls
/// Controls are sent in the order in which they were submitted, each after the outcome of the one before. A control waits
/// for a connection until its deadline. [`Delivery`] says whether it may be sent again.
///
/// ```
/// use std::time::Duration;
/// use gizwits_lan::{Control, ControlError, DeviceEvent, DeviceOptions, ReconnectingClient};
///
/// let mut client = ReconnectingClient::new(DeviceOptions::default(), Duration::ZERO);
/// let control = Control::new(&[0x01, 0x01, 0x01]);
/// let id = client.submit(control, Duration::ZERO)?;
/// // The device is off, and the control is never sent.
/// assert!(client.poll_connect(Duration::ZERO));
/// client.unreachable(std::io::ErrorKind::HostUnreachable, Duration::from_secs(3));
/// client.handle_timeout(Duration::from_secs(10));
/// assert!(matches!(client.poll_event(), Some(DeviceEvent::NotConnected { .. })));
/// let outcome = Err(ControlError::NotSent);
/// assert_eq!(client.poll_event(), Some(DeviceEvent::Outcome { id, outcome }));
/// # Ok::<(), ControlError>(())
/// ```
pub struct ReconnectingClient<'l> {
    options: ClientOptions,
    backoff: Backoff,
    phase: Phase,
    /// The next login asks for a new passcode.
    asks: bool,
    status: KeptStatus<'l>,
    up_to_date: UpToDate,
    /// The last frame of the connections that have ended.
    heard: Option<Duration>,
    /// The read of the status that waits for its answer.
    reading: Option<RequestId>,
    /// When the status is read again, because a read had no answer.
    next_read: Option<Duration>,
    /// The waits before the reads after the first one of a connection.
    reads: Backoff,
    controls: VecDeque<Waiting>,
    /// The request of the first control, if it was sent over this connection.
    sent: Option<RequestId>,
    next_id: u64,
    events: VecDeque<DeviceEvent>,
}

impl<'l> ReconnectingClient<'l> {
    /// The maximum number of controls that wait for their outcomes.
    pub const MAX_CONTROLS: usize = 64;

    /// Returns a client that connects at once.
    #[must_use]
    pub fn new(options: DeviceOptions<'l>, now: Duration) -> Self {
        ReconnectingClient {
            options: options.client,
            reads: Backoff::new(options.backoff.clone()),
            backoff: Backoff::new(options.backoff),
            phase: Phase::Idle(now),
            asks: false,
            status: KeptStatus::new(options.layout),
            up_to_date: UpToDate::Never,
            heard: None,
            reading: None,
            next_read: None,
            controls: VecDeque::new(),
            sent: None,
            next_id: 0,
            events: VecDeque::new(),
        }
    }

    /// Returns a client that goes on with a connection of any age. The options of `options` are those of the connections
    /// after it. Events of the connection that were not taken are events of this client.
    #[must_use]
    pub fn resume(client: Client, options: DeviceOptions<'l>, now: Duration) -> Self {
        let mut resumed = ReconnectingClient::new(options, now);
        let is_ended = client.poll_timeout().is_none();
        let ready = (client.is_ready() || is_ended).then_some(now);
        if let Some(passcode) = client.passcode() {
            resumed.options.passcode = Some(passcode.clone());
        }
        let client = Box::new(client);
        resumed.phase = Phase::Connected { client, ready };
        if resumed.is_ready() {
            resumed.read(now);
        }
        resumed.settle(now);
        if is_ended && resumed.is_connected() {
            // The event of the end was taken before.
            resumed.phase = Phase::Idle(now);
        }
        resumed
    }

    /// Returns whether the caller has to connect now. Returns true once for each attempt.
    pub fn poll_connect(&mut self, now: Duration) -> bool {
        let is_due = matches!(self.phase, Phase::Idle(due) if now >= due);
        if is_due {
            self.phase = Phase::Connecting;
        }
        is_due
    }

    /// Begins the login over a connection that was just made. Without an attempt to connect, it changes nothing.
    pub fn connected(&mut self, now: Duration) {
        if let Phase::Connecting = self.phase {
            let mut options = self.options.clone();
            if self.asks {
                options.passcode = None;
            }
            self.phase = Phase::Connected {
                client: Box::new(Client::new(options, now)),
                ready: None,
            };
        }
    }

    /// Ends an attempt to connect that has failed for this reason. Without an attempt, it changes nothing.
    pub fn unreachable(&mut self, error: io::ErrorKind, now: Duration) {
        if let Phase::Connecting = self.phase {
            self.retry(Failure::Unreachable(error), None, now);
        }
    }

    /// Returns whether the socket is in use, during the login and after it.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected { .. })
    }

    /// Returns whether the device is connected and logged in.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(&self.phase, Phase::Connected { client, .. } if client.is_ready())
    }

    /// Takes bytes that the device has sent, cut in any way. Take the events before the next bytes, so that a device cannot
    /// fill the memory.
    pub fn receive(&mut self, bytes: &[u8], now: Duration) {
        if let Phase::Connected { client, .. } = &mut self.phase {
            client.receive(bytes, now);
            self.settle(now);
        }
    }

    /// Ends the connection, because the socket is closed or has failed.
    pub fn disconnected(&mut self, now: Duration) {
        if let Phase::Connected { client, .. } = &mut self.phase {
            client.disconnected();
            self.settle(now);
        }
    }

    /// Takes the events of the connection.
    fn settle(&mut self, now: Duration) {
        while let Phase::Connected { client, ready } = &mut self.phase {
            let Some(event) = client.poll_event() else {
                return;
            };
            match event {
                ClientEvent::Ready => {
                    *ready = Some(now);
                    self.asks = false;
                    self.options.passcode = client.passcode().cloned();
                    self.reads.restart();
                    self.read(now);
                    let gap = self.heard.map(|heard| now.saturating_sub(heard));
                    self.events.push_back(DeviceEvent::Ready { gap });
                }
                ClientEvent::Identity(identity) => {
                    self.events.push_back(DeviceEvent::Identity(identity));
                }
                ClientEvent::P0 { p0, .. } => {
                    let effect = self.status.take(&p0);
                    // A device replies to reads only, and a reply counts however late it is.
                    let is_reply = matches!(p0.first(), Some(0x03 | 0x13));
                    if effect == Effect::All || is_reply && effect != Effect::None {
                        self.up_to_date = UpToDate::Now;
                        self.next_read = None;
                    }
                    self.events.push_back(match effect {
                        Effect::None | Effect::Unknown => DeviceEvent::Data { p0 },
                        Effect::Some | Effect::All => DeviceEvent::Status { p0 },
                    });
                }
                ClientEvent::Acknowledged(id) if self.sent == Some(id) => self.end_control(Ok(())),
                ClientEvent::Unanswered(id) if self.sent == Some(id) => {
                    self.sent = None;
                    let first = self.controls.front();
                    if first.is_none_or(|first| first.delivery == Delivery::AtMostOnce) {
                        self.end_control(Err(ControlError::Unacknowledged));
                    }
                }
                ClientEvent::Unanswered(id) if self.reading == Some(id) => self.read_later(now),
                ClientEvent::Acknowledged(_) | ClientEvent::Unanswered(_) => {}
                ClientEvent::Ignored { command } => {
                    self.events.push_back(DeviceEvent::Ignored { command });
                }
                ClientEvent::Skipped { bytes } => {
                    self.events.push_back(DeviceEvent::Skipped { bytes });
                }
                ClientEvent::Closed(closed) => {
                    // A device that was reset has a new passcode, and not every device says that it refuses the old one.
                    // A device that hands out none may take the old one later.
                    self.asks = ready.is_none() && !self.asks;
                    let ready = ready.map(|ready| (ready, client.heard()));
                    self.retry(closed.into(), ready, now);
                }
            }
        }
    }

    /// Reads the status.
    fn read(&mut self, now: Duration) {
        self.next_read = None;
        if let Phase::Connected { client, .. } = &mut self.phase {
            let read = self.status.read(self.reads.waits());
            self.reading = client.request(&read).ok();
            if self.reading.is_none() {
                self.read_later(now);
            }
        }
    }

    /// Reads the status after a wait, unless it is up to date.
    fn read_later(&mut self, now: Duration) {
        self.reading = None;
        let wait = self.reads.next();
        let is_stale = self.up_to_date != UpToDate::Now;
        self.next_read = is_stale.then(|| now.saturating_add(wait));
    }

    /// Waits for the next attempt. `ready` are the times of the login and of the last frame.
    fn retry(&mut self, failure: Failure, ready: Option<(Duration, Duration)>, now: Duration) {
        self.reading = None;
        self.next_read = None;
        for control in &mut self.controls {
            control.request = None;
        }
        if let Some((ready, _)) = ready {
            self.backoff.lasted(now.saturating_sub(ready));
        }
        let retry = self.backoff.next();
        self.phase = Phase::Idle(now.saturating_add(retry));
        self.events.push_back(match ready {
            None => DeviceEvent::NotConnected { failure, retry },
            Some((_, heard)) => {
                if self.up_to_date == UpToDate::Now {
                    self.up_to_date = UpToDate::Until(heard);
                }
                self.heard = Some(heard);
                DeviceEvent::Disconnected {
                    failure,
                    silence: now.saturating_sub(heard),
                    retry,
                }
            }
        });
        // Controls whose deadline has passed during the connection are not kept for the next one.
        self.expire(now);
    }

    /// Ends the first control.
    fn end_control(&mut self, outcome: Result<(), ControlError>) {
        self.sent = None;
        if let Some(Waiting { id, .. }) = self.controls.pop_front() {
            self.events.push_back(DeviceEvent::Outcome { id, outcome });
        }
    }

    /// Appends a control to those that wait. Its outcome is an event.
    ///
    /// # Errors
    /// - [`ControlError::Action`] if the P0 has another action than a control or transparent data.
    /// - [`ControlError::TooLong`] if it does not fit a frame.
    /// - [`ControlError::TooMany`] if [`MAX_CONTROLS`](Self::MAX_CONTROLS) controls wait.
    pub fn submit(&mut self, control: Control, now: Duration) -> Result<ControlId, ControlError> {
        if Client::is_read(&control.p0)? {
            return Err(ControlError::Action);
        }
        if self.controls.len() >= Self::MAX_CONTROLS {
            return Err(ControlError::TooMany(Self::MAX_CONTROLS));
        }
        let id = ControlId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        self.controls.push_back(Waiting {
            id,
            p0: control.p0,
            delivery: control.delivery,
            until: now.saturating_add(control.deadline),
            was_sent: false,
            request: None,
        });
        Ok(id)
    }

    /// Ends the controls whose deadline has passed, except for one that waits for its acknowledgement.
    fn expire(&mut self, now: Duration) {
        let sent = usize::from(self.sent.is_some());
        let mut index = sent;
        while let Some(waiting) = self.controls.get(index) {
            if now < waiting.until {
                index = index.saturating_add(1);
                continue;
            }
            if let Some(Waiting { id, was_sent, .. }) = self.controls.remove(index) {
                let outcome = Err(match was_sent {
                    true => ControlError::Unacknowledged,
                    false => ControlError::NotSent,
                });
                self.events.push_back(DeviceEvent::Outcome { id, outcome });
            }
        }
    }

    /// Returns the time at which [`handle_timeout`](Self::handle_timeout) must be called, or an attempt to connect is due.
    /// `None` while the caller connects and no control waits.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let connection = match &self.phase {
            Phase::Idle(due) => Some(*due),
            Phase::Connecting => None,
            Phase::Connected { client, .. } => client.poll_timeout(),
        };
        let waiting = self.controls.iter().skip(usize::from(self.sent.is_some()));
        let controls = waiting.map(|waiting| waiting.until);
        controls.chain(connection).chain(self.next_read).min()
    }

    /// Does what is due at this time: what the connection has to do, and the ends of controls.
    pub fn handle_timeout(&mut self, now: Duration) {
        if let Phase::Connected { client, .. } = &mut self.phase {
            client.handle_timeout(now);
            self.settle(now);
        }
        if self.next_read.is_some_and(|due| now >= due) {
            self.read(now);
        }
        self.expire(now);
    }

    /// Returns whether [`poll_output`](Self::poll_output) has something to do.
    #[must_use]
    pub fn has_output(&self) -> bool {
        let Phase::Connected { client, .. } = &self.phase else {
            return false;
        };
        let is_next = self.sent.is_none() && !self.controls.is_empty();
        client.has_output() || client.is_ready() && is_next
    }

    /// Returns bytes for the device, or `None` if there are none. A control counts as sent when its bytes are returned: call
    /// this when the socket can take bytes.
    pub fn poll_output(&mut self, now: Duration) -> Option<Bytes> {
        let Phase::Connected { client, .. } = &mut self.phase else {
            return None;
        };
        let bytes = client.poll_output(now);
        if bytes.is_some() || !client.is_ready() || self.sent.is_some() {
            return bytes;
        }
        self.expire(now);
        let Phase::Connected { client, .. } = &mut self.phase else {
            return None;
        };
        let first = self.controls.front_mut()?;
        let sent = match first.request {
            Some(id) => client.repeat(id, &first.p0),
            None => client.request(&first.p0),
        };
        match sent {
            Ok(id) => {
                first.request = Some(id);
                first.was_sent = true;
                self.sent = Some(id);
                client.poll_output(now)
            }
            Err(error) => {
                self.end_control(Err(error.into()));
                None
            }
        }
    }

    /// Returns the next event, or `None` if there is none.
    pub fn poll_event(&mut self) -> Option<DeviceEvent> {
        self.events.pop_front()
    }

    /// Returns the passcode of the device, for [`ClientOptions::passcode`]. `None` before the first login if none was given.
    #[must_use]
    pub const fn passcode(&self) -> Option<&SecretSlice<u8>> {
        self.options.passcode.as_ref()
    }

    /// Returns the points whose value is known, with their last values. `None` without a layout.
    #[must_use]
    pub fn view(&self) -> Option<View<'l, '_>> {
        self.status.view()
    }

    /// Returns the last full status as a P0. `None` with a layout, and before the first status.
    #[must_use]
    pub const fn p0(&self) -> Option<&Bytes> {
        self.status.p0()
    }

    /// Returns whether the status is up to date.
    #[must_use]
    pub fn freshness(&self, now: Duration) -> Freshness {
        match self.up_to_date {
            UpToDate::Never => Freshness::Unknown,
            UpToDate::Now => Freshness::Current,
            UpToDate::Until(heard) => Freshness::Stale(now.saturating_sub(heard)),
        }
    }
}

impl fmt::Debug for ReconnectingClient<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectingClient")
            .field("phase", &self.phase)
            .field("up_to_date", &self.up_to_date)
            .field("controls", &self.controls.len())
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}
