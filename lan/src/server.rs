//! The device's side of a connection.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use gizwits_codec_core::m2m::{ACK, FROM_DEVICE, Frame, Message, REQUEST, Secret, TO_DEVICE};
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::identity::Identity;
use crate::wire::{Input, Output, Piece};

/// The options of a [`Server`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// The passcode of the device. If it is empty, the device hands out none and accepts no login.
    pub passcode: SecretSlice<u8>,
    /// The description of the device.
    pub identity: Identity,
    /// The time after which a client that sends nothing is dropped, 14 s by default, as devices do it.
    pub idle_timeout: Duration,
}

impl ServerOptions {
    /// Returns the options of a device with this passcode, which is usually 10 characters.
    #[must_use]
    pub fn new(passcode: &str, identity: Identity) -> Self {
        ServerOptions {
            passcode: passcode.as_bytes().to_vec().into(),
            identity,
            idle_timeout: Duration::from_secs(14),
        }
    }
}

/// An event of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A client has logged in. It receives reports from now on.
    LoggedIn,
    /// A client has sent a P0: a control, a read, or transparent data.
    Request {
        /// The sequence number, for [`Server::answer`]. `None` for a P0 that is not acknowledged.
        sn: Option<u32>,
        /// The P0, which begins with its action.
        p0: Bytes,
    },
    /// The connection has ended. No event follows. The caller sends what waits, and closes the socket.
    Closed,
}

/// The device's side of a connection, without a socket and without a clock, as the vendor's module GAgent behaves.
///
/// A device has one server for each client, at most [`MAX_CLIENTS`](Self::MAX_CLIENTS).
pub struct Server {
    options: ServerOptions,
    is_closed: bool,
    is_logged_in: bool,
    input: Input,
    output: Output,
    events: VecDeque<ServerEvent>,
    heard: Duration,
}

impl Server {
    /// The number of clients that a device accepts at a time.
    pub const MAX_CLIENTS: usize = 8;

    /// Returns the server of a connection that was just accepted.
    #[must_use]
    pub fn new(options: ServerOptions, now: Duration) -> Self {
        Server {
            options,
            is_closed: false,
            is_logged_in: false,
            input: Input::default(),
            output: Output::default(),
            events: VecDeque::new(),
            heard: now,
        }
    }

    /// Takes bytes that the client has sent, cut in any way. Take the events before the next bytes, so that a client cannot
    /// fill the memory.
    pub fn receive(&mut self, bytes: &[u8], now: Duration) {
        if self.is_closed {
            return;
        }
        let mut input = std::mem::take(&mut self.input);
        input.receive(bytes, |piece| {
            if let (Piece::Frame(frame), false) = (piece, self.is_closed) {
                self.heard = now;
                self.take(&frame);
            }
        });
        self.input = input;
    }

    fn take(&mut self, frame: &Frame<'_>) {
        let message = frame.message().ok().or_else(|| without_body(frame));
        let Some(message) = message else {
            return;
        };
        let passcode = self.options.passcode.expose_secret();
        match message {
            Message::PasscodeRequest => {
                self.output.send(&Message::Passcode(Secret(passcode)));
                if passcode.is_empty() {
                    self.close();
                }
            }
            Message::Login(Secret(given)) => {
                let is_right = !passcode.is_empty() && given == passcode;
                self.output.send(&Message::LoginResult(u8::from(!is_right)));
                match is_right {
                    true if !self.is_logged_in => {
                        self.is_logged_in = true;
                        self.events.push_back(ServerEvent::LoggedIn);
                    }
                    true => {}
                    false => self.close(),
                }
            }
            Message::ModuleInfoRequest => {
                let output = &mut self.output;
                self.options
                    .identity
                    .with_info(|info| output.send(&Message::ModuleInfo(*info)));
            }
            Message::ExitTest => {
                self.output.send(&Message::ExitTestAck);
            }
            _ if !self.is_logged_in => {}
            Message::Heartbeat => {
                self.output.send(&Message::HeartbeatAck);
            }
            Message::P0 {
                command: TO_DEVICE | REQUEST,
                sn,
                p0,
            } => {
                let p0 = Bytes::copy_from_slice(p0);
                self.events.push_back(ServerEvent::Request { sn, p0 });
            }
            _ => {}
        }
    }

    /// Answers a request: with the P0 of a reply for a read, or with an empty P0 for a control. Without a sequence number, a
    /// reply is sent by itself, and nothing is sent for an empty P0.
    ///
    /// Returns whether the answer will be sent: not before the login, after the end, or if 256 frames wait to be sent.
    pub fn answer(&mut self, sn: Option<u32>, p0: &[u8]) -> bool {
        let message = match sn {
            Some(sn) if p0.is_empty() => Message::Ack { sn },
            Some(_) => Message::P0 {
                command: ACK,
                sn,
                p0,
            },
            None if p0.is_empty() => return true,
            None => return self.report(p0),
        };
        self.is_logged_in && !self.is_closed && self.output.send(&message)
    }

    /// Sends a P0 to the client by itself, as a device sends a report. Returns whether it will be sent, like
    /// [`answer`](Self::answer).
    pub fn report(&mut self, p0: &[u8]) -> bool {
        let message = Message::P0 {
            command: FROM_DEVICE,
            sn: None,
            p0,
        };
        self.is_logged_in && !self.is_closed && self.output.send(&message)
    }

    /// Returns the time at which [`handle_timeout`](Self::handle_timeout) must be called, or `None` after the end.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        (!self.is_closed).then(|| self.heard.saturating_add(self.options.idle_timeout))
    }

    /// Ends the connection if the client was silent for too long.
    pub fn handle_timeout(&mut self, now: Duration) {
        if now >= self.heard.saturating_add(self.options.idle_timeout) {
            self.close();
        }
    }

    /// Returns bytes for the client, or `None` if there are none.
    pub fn poll_output(&mut self) -> Option<Bytes> {
        self.output.next().map(|(_, bytes)| bytes)
    }

    /// Returns the next event, or `None` if there is none.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        self.events.pop_front()
    }

    /// Ends the connection.
    pub fn close(&mut self) {
        if !self.is_closed {
            self.is_closed = true;
            self.events.push_back(ServerEvent::Closed);
        }
    }
}

/// Reads a request that has a body although its command has none. Modules ignore the body, and a client in use sends one.
fn without_body<'f>(frame: &Frame<'f>) -> Option<Message<'f>> {
    let frame = Frame {
        body: &[],
        ..*frame
    };
    let message = frame.message().ok()?;
    let has_none = matches!(
        message,
        Message::PasscodeRequest
            | Message::ModuleInfoRequest
            | Message::Heartbeat
            | Message::ExitTest
    );
    has_none.then_some(message)
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("is_logged_in", &self.is_logged_in)
            .field("is_closed", &self.is_closed)
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}
