//! The client's side of a connection to a device.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use gizwits_codec_core::m2m::{ACK, Frame, Message, REQUEST, Secret, TO_DEVICE};
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::identity::Identity;
use crate::wire::{Input, MAX_FRAME, Output, Piece};

/// The options of a [`Client`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientOptions {
    /// The passcode of an earlier connection. With it, the client logs in at once. By default, the client asks the device
    /// for the passcode first.
    pub passcode: Option<SecretSlice<u8>>,
    /// The time between two heartbeats, 4 s by default. Devices drop a client that is silent for 14 s.
    pub heartbeat_interval: Duration,
    /// The time after which a connection is closed if the device sends no whole frame, 20 s by default.
    pub idle_timeout: Duration,
    /// The time in which the device has to answer a step of the login or a request, 5 s by default.
    pub request_timeout: Duration,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions {
            passcode: None,
            heartbeat_interval: Duration::from_secs(4),
            idle_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_secs(5),
        }
    }
}

/// A request of a client, which has exactly one outcome: an event that names it, or the error of
/// [`Client::request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(u32);

impl RequestId {
    /// Returns the sequence number of the request's frame.
    #[must_use]
    pub const fn sn(self) -> u32 {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The login succeeded. Requests can be sent from now on.
    Ready,
    /// The device has answered what it is. The client asks for it after the login; some devices do not answer.
    Identity(Identity),
    /// The device has sent a P0: a status, or transparent data.
    P0 {
        /// The P0, which begins with its action.
        p0: Bytes,
        /// The read that the P0 answers. `None` for a P0 that the device has sent by itself.
        answers: Option<RequestId>,
    },
    /// The device has acknowledged a control or transparent data. The new status follows as a P0 of its own.
    Acknowledged(RequestId),
    /// The device has not answered a request in time, or the connection has ended. The device may have executed a control
    /// nevertheless.
    Unanswered(RequestId),
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
    /// The connection has ended. No event follows. The caller closes the socket.
    Closed(Closed),
}

impl ClientEvent {
    /// Returns the request of which this event is the outcome.
    #[must_use]
    pub const fn answers(&self) -> Option<RequestId> {
        match self {
            ClientEvent::P0 { answers, .. } => *answers,
            ClientEvent::Acknowledged(id) | ClientEvent::Unanswered(id) => Some(*id),
            _ => None,
        }
    }
}

/// The reason for which a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// The caller has ended the connection by [`Client::close`].
    #[error("the client has closed the connection")]
    ByClient,
    /// The device has closed the socket, or the network has failed.
    #[error("the device has closed the connection")]
    ByDevice,
    /// The device hands out no passcode, because its period for binding is over.
    #[error(
        "the device hands out no passcode: bring it into its binding mode, usually by a button or a restart, and try again"
    )]
    NotBindable,
    /// The device has refused the passcode. A passcode of an earlier connection becomes invalid when the device is reset.
    #[error("the device has refused the passcode: ask it for a new one")]
    LoginRefused {
        /// The status of the answer, which is not 0.
        status: u8,
    },
    /// The device has not answered a step of the login in time.
    #[error("the device has not answered the {0}")]
    NoAnswer(Step),
    /// The device has sent no frame for [`ClientOptions::idle_timeout`].
    #[error("the device is silent")]
    Silent,
}

/// A step of the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The client asks for the passcode.
    Passcode,
    /// The client sends the passcode.
    Login,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Passcode => "request for the passcode",
            Step::Login => "login",
        })
    }
}

/// The reason for which a request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The login is not finished.
    #[error("the login is not finished: wait for `Ready`")]
    NotReady,
    /// The connection has ended.
    #[error("the connection has ended")]
    Closed,
    /// The P0 has no action that a client sends: control, read or transparent data.
    #[error("a client sends no P0 with this action: expected 01, 02, 05, 11 or 12")]
    Action,
    /// The P0 is too long for a frame.
    #[error("the P0 is too long for a frame")]
    TooLong,
    /// The maximum number of requests wait for their answers.
    #[error(
        "{} requests wait for their answers: send the next one after an answer",
        Client::MAX_REQUESTS
    )]
    TooMany,
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Waiting {
    id: RequestId,
    /// When the frame was taken by the caller. The device has time to answer from then on.
    sent: Option<Duration>,
    /// The P0 of a read.
    read: Option<Bytes>,
    is_repeated: bool,
}

impl Waiting {
    /// Whether a P0 that the device has sent by itself is the answer of this read.
    fn is_answered_by(&self, p0: &[u8]) -> bool {
        // Old modules answer a plain read with a report.
        let is_report = matches!(p0.first(), Some(0x04 | 0x14));
        match (self.read.as_deref(), p0) {
            _ if is_report && !self.is_repeated => false,
            (Some([0x02, ..]), [0x03 | 0x04, ..]) => true,
            // A status of a var_len product may have few points: the answer has all that were asked for. A mask of ones
            // alone asks for all, whatever their number.
            (Some([0x12, wanted @ ..]), [action @ (0x13 | 0x14), mask @ ..]) => {
                let is_all = wanted.iter().all(|byte| *byte == 0xff);
                let mut both = wanted.iter().zip(mask);
                let covers = mask.len() >= wanted.len()
                    && both.all(|(wanted, found)| wanted & found == *wanted);
                covers || is_all && *action == 0x13
            }
            _ => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// A step of the login waits for its answer until this time.
    Login(Step, Duration),
    Ready,
    Closed,
}

/// The client's side of a connection to a device, without a socket and without a clock.
///
/// Times are those of any clock that does not go back, as the time since any moment. The [crate](crate) has an example. The
/// heartbeat is at least 100 ms.
///
/// # Requests
/// A control is sent once, and never again: if its outcome is [`Unanswered`](ClientEvent::Unanswered), the caller decides.
/// A read is repeated once in the form that old modules expect, because some do not answer the first.
pub struct Client {
    options: ClientOptions,
    passcode: Option<SecretSlice<u8>>,
    stage: Stage,
    input: Input,
    output: Output,
    events: VecDeque<ClientEvent>,
    waiting: Vec<Waiting>,
    next_sn: u32,
    /// When the device has sent a whole frame last.
    heard: Duration,
    /// When the next heartbeat is due.
    heartbeat: Duration,
}

impl Client {
    /// The maximum number of requests that wait for their answers.
    pub const MAX_REQUESTS: usize = 64;

    /// Returns the client of a connection that was just made, and begins the login.
    #[must_use]
    pub fn new(options: ClientOptions, now: Duration) -> Self {
        let mut client = Client {
            passcode: options.passcode.clone(),
            stage: Stage::Closed,
            input: Input::default(),
            output: Output::default(),
            events: VecDeque::new(),
            waiting: Vec::new(),
            next_sn: 1,
            heard: now,
            heartbeat: now,
            options: ClientOptions {
                heartbeat_interval: options.heartbeat_interval.max(Duration::from_millis(100)),
                ..options
            },
        };
        client.log_in(now);
        client
    }

    /// Sends the passcode, or asks for it.
    fn log_in(&mut self, now: Duration) {
        let step = match &self.passcode {
            Some(passcode) => {
                self.output
                    .send(&Message::Login(Secret(passcode.expose_secret())));
                Step::Login
            }
            None => {
                self.output.send(&Message::PasscodeRequest);
                Step::Passcode
            }
        };
        self.stage = Stage::Login(step, now.saturating_add(self.options.request_timeout));
    }

    /// Returns the passcode of the device, for [`ClientOptions::passcode`] of the next connection. `None` before the device
    /// has answered.
    #[must_use]
    pub const fn passcode(&self) -> Option<&SecretSlice<u8>> {
        self.passcode.as_ref()
    }

    /// Returns whether requests can be sent.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// Returns the time of the last whole frame of the device, or of the beginning of the connection.
    pub(crate) const fn heard(&self) -> Duration {
        self.heard
    }

    /// Takes bytes that the device has sent, cut in any way. Their events wait in [`poll_event`](Self::poll_event); take
    /// them before the next bytes, so that a device cannot fill the memory.
    pub fn receive(&mut self, bytes: &[u8], now: Duration) {
        if self.stage == Stage::Closed {
            return;
        }
        let mut input = std::mem::take(&mut self.input);
        input.receive(bytes, |piece| match piece {
            _ if self.stage == Stage::Closed => {}
            Piece::Frame(frame) => {
                // Bytes that are no frame do not count: a device that sends nothing but garbage is as good as silent.
                self.heard = now;
                self.take(&frame, now);
            }
            Piece::Skipped(bytes) => self.events.push_back(ClientEvent::Skipped { bytes }),
        });
        self.input = input;
    }

    fn take(&mut self, frame: &Frame<'_>, now: Duration) {
        let ignored = ClientEvent::Ignored {
            command: frame.command,
        };
        match (self.stage, frame.message()) {
            (Stage::Login(Step::Passcode, _), Ok(Message::Passcode(Secret([])))) => {
                self.end(Closed::NotBindable);
            }
            (Stage::Login(Step::Passcode, _), Ok(Message::Passcode(Secret(passcode)))) => {
                self.passcode = Some(passcode.to_vec().into());
                self.log_in(now);
            }
            (Stage::Login(Step::Login, _), Ok(Message::LoginResult(0))) => {
                self.stage = Stage::Ready;
                self.heartbeat = now.saturating_add(self.options.heartbeat_interval);
                self.output.send(&Message::ModuleInfoRequest);
                self.events.push_back(ClientEvent::Ready);
            }
            (Stage::Login(Step::Login, _), Ok(Message::LoginResult(status))) => {
                self.end(Closed::LoginRefused { status });
            }
            (Stage::Ready, Ok(Message::HeartbeatAck)) => {}
            (Stage::Ready, Ok(Message::ModuleInfo(info))) => {
                let identity = Identity::read(&info);
                self.events.push_back(ClientEvent::Identity(identity));
            }
            // Fields of other lengths than documented.
            (Stage::Ready, Err(_)) if frame.command == 0x0014 => {
                let event = Identity::find(frame.body).map_or(ignored, ClientEvent::Identity);
                self.events.push_back(event);
            }
            (Stage::Ready, Ok(Message::Ack { sn })) => match self.position(sn) {
                // The status of a read may follow in a frame of its own.
                Some(index)
                    if self
                        .waiting
                        .get(index)
                        .is_some_and(|one| one.read.is_some()) => {}
                Some(index) => self.acknowledge(index),
                None => self.events.push_back(ignored),
            },
            (Stage::Ready, Ok(Message::P0 { command, sn, p0 })) if command != TO_DEVICE => {
                self.take_p0(command, sn, p0);
            }
            _ => self.events.push_back(ignored),
        }
    }

    fn take_p0(&mut self, command: u16, sn: Option<u32>, p0: &[u8]) {
        let mut p0 = p0;
        let mut answers = None;
        match (command, sn) {
            (ACK, Some(sn)) => {
                let index = self.position(sn);
                match index.and_then(|index| self.waiting.get(index)) {
                    Some(waiting) if waiting.read.is_some() => answers = index,
                    Some(_) => self.acknowledge(index.unwrap_or_default()),
                    None => {}
                }
            }
            (REQUEST, Some(sn)) => {
                self.output.send(&Message::Ack { sn });
            }
            _ => {
                p0 = without_sn(p0);
                answers = self.waiting.iter().position(|one| one.is_answered_by(p0));
            }
        }
        let answers = answers.map(|index| self.waiting.remove(index).id);
        if p0.is_empty() {
            self.events.push_back(ClientEvent::Ignored { command });
            return;
        }
        let p0 = Bytes::copy_from_slice(p0);
        self.events.push_back(ClientEvent::P0 { p0, answers });
    }

    /// Finds the request with this sequence number.
    fn position(&self, sn: u32) -> Option<usize> {
        self.waiting.iter().position(|one| one.id.0 == sn)
    }

    fn acknowledge(&mut self, index: usize) {
        let id = self.waiting.remove(index).id;
        self.events.push_back(ClientEvent::Acknowledged(id));
    }

    /// Sends a P0 to the device: a control, a read, or transparent data.
    ///
    /// A control should be one that the definition of the product allows: devices check little.
    ///
    /// # Errors
    /// - [`RequestError::NotReady`] before the login, [`RequestError::Closed`] after the end.
    /// - [`RequestError::Action`] if the P0 is empty or has another action.
    /// - [`RequestError::TooLong`] if it does not fit a frame.
    /// - [`RequestError::TooMany`] if [`MAX_REQUESTS`](Self::MAX_REQUESTS) requests wait.
    pub fn request(&mut self, p0: &[u8]) -> Result<RequestId, RequestError> {
        let id = self.repeat(RequestId(self.next_sn), p0)?;
        self.next_sn = self.next_sn.wrapping_add(1);
        Ok(id)
    }

    /// Sends a request with a sequence number that no waiting request has. A request that was not answered in time is sent
    /// again with its own, so that a late answer counts.
    pub(crate) fn repeat(&mut self, id: RequestId, p0: &[u8]) -> Result<RequestId, RequestError> {
        match self.stage {
            Stage::Ready => {}
            Stage::Login(..) => return Err(RequestError::NotReady),
            Stage::Closed => return Err(RequestError::Closed),
        }
        let is_read = Self::is_read(p0)?;
        if self.waiting.len() >= Self::MAX_REQUESTS {
            return Err(RequestError::TooMany);
        }
        let message = Message::P0 {
            command: REQUEST,
            sn: Some(id.0),
            p0,
        };
        if !self.output.request(id.0, &message) {
            return Err(RequestError::TooMany);
        }
        self.waiting.push(Waiting {
            id,
            sent: None,
            read: is_read.then(|| Bytes::copy_from_slice(p0)),
            is_repeated: false,
        });
        Ok(id)
    }

    /// Returns whether a P0 for the device is a read.
    ///
    /// # Errors
    /// [`RequestError::Action`] or [`RequestError::TooLong`] if no client sends this P0.
    pub(crate) fn is_read(p0: &[u8]) -> Result<bool, RequestError> {
        let is_read = match p0.first() {
            Some(0x02 | 0x12) => true,
            Some(0x01 | 0x05 | 0x11) => false,
            _ => return Err(RequestError::Action),
        };
        if p0.len() > MAX_FRAME.saturating_sub(7) {
            return Err(RequestError::TooLong);
        }
        Ok(is_read)
    }

    /// The time at which a read that was sent is repeated, if it was not.
    fn repetition(&self, waiting: &Waiting) -> Option<Duration> {
        let half = self.options.request_timeout.checked_div(2)?;
        let is_due = waiting.read.is_some() && !waiting.is_repeated;
        Some(waiting.sent.filter(|_| is_due)?.saturating_add(half))
    }

    /// Returns the time at which [`handle_timeout`](Self::handle_timeout) must be called, or `None` after the end.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let deadline = match self.stage {
            Stage::Closed => return None,
            Stage::Login(_, until) => until,
            Stage::Ready => {
                let silence = self.heard.saturating_add(self.options.idle_timeout);
                let requests = self.waiting.iter().filter_map(|waiting| {
                    let until = waiting.sent?.saturating_add(self.options.request_timeout);
                    Some(self.repetition(waiting).unwrap_or(until).min(until))
                });
                requests.fold(silence.min(self.heartbeat), Duration::min)
            }
        };
        Some(deadline)
    }

    /// Does what is due at this time: heartbeats, repetitions of reads, and the ends of waits.
    pub fn handle_timeout(&mut self, now: Duration) {
        match self.stage {
            Stage::Closed => {}
            Stage::Login(step, until) if now >= until => self.end(Closed::NoAnswer(step)),
            Stage::Login(..) => {}
            Stage::Ready if now >= self.heard.saturating_add(self.options.idle_timeout) => {
                self.end(Closed::Silent);
            }
            Stage::Ready => {
                if now >= self.heartbeat {
                    self.heartbeat = now.saturating_add(self.options.heartbeat_interval);
                    self.output.send(&Message::Heartbeat);
                }
                for index in 0..self.waiting.len() {
                    let due = self.waiting.get(index).and_then(|one| self.repetition(one));
                    let due = due.filter(|due| now >= *due);
                    if let (Some(_), Some(waiting)) = (due, self.waiting.get_mut(index)) {
                        waiting.is_repeated = true;
                        self.output.send(&Message::P0 {
                            command: TO_DEVICE,
                            sn: None,
                            p0: waiting.read.as_deref().unwrap_or_default(),
                        });
                    }
                }
                let answer = self.options.request_timeout;
                self.waiting.retain(|waiting| {
                    let until = waiting.sent.map(|sent| sent.saturating_add(answer));
                    let is_late = until.is_some_and(|until| now >= until);
                    if is_late {
                        self.events.push_back(ClientEvent::Unanswered(waiting.id));
                    }
                    !is_late
                });
            }
        }
    }

    /// Returns whether bytes for the device wait.
    pub(crate) fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Returns bytes for the device, or `None` if there are none. The time in which the device has to answer a request begins
    /// when its bytes are returned.
    pub fn poll_output(&mut self, now: Duration) -> Option<Bytes> {
        let (sn, bytes) = self.output.next()?;
        let index = sn.and_then(|sn| self.position(sn));
        if let Some(waiting) = index.and_then(|index| self.waiting.get_mut(index)) {
            waiting.sent = Some(now);
        }
        Some(bytes)
    }

    /// Returns the next event, or `None` if there is none.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// Puts events that were taken back in front of those that wait.
    #[cfg(feature = "tokio")]
    pub(crate) fn restore(&mut self, taken: impl Iterator<Item = ClientEvent>) {
        let newer = std::mem::take(&mut self.events);
        self.events.extend(taken.chain(newer));
    }

    /// Ends the connection, because the socket is closed or has failed.
    pub fn disconnected(&mut self) {
        self.end(Closed::ByDevice);
    }

    /// Ends the connection.
    pub fn close(&mut self) {
        self.end(Closed::ByClient);
    }

    fn end(&mut self, why: Closed) {
        if self.stage == Stage::Closed {
            return;
        }
        self.stage = Stage::Closed;
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        self.events
            .extend(waiting.map(|waiting| ClientEvent::Unanswered(waiting.id)));
        self.events.push_back(ClientEvent::Closed(why));
        self.output = Output::default();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("stage", &self.stage)
            .field("received", &self.input.len())
            .field("waiting", &self.waiting.len())
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

/// Returns a P0 without the sequence number that some devices put in front of it although the command has none. It is
/// recognised by the actions of a device: the first byte is none, and the fifth is one.
fn without_sn(body: &[u8]) -> &[u8] {
    let is_action = |action: &u8| matches!(action, 0x03 | 0x04 | 0x06 | 0x13 | 0x14 | 0x71 | 0x73);
    match body {
        [first, _, _, _, rest @ ..] if !is_action(first) && rest.first().is_some_and(is_action) => {
            rest
        }
        _ => body,
    }
}
