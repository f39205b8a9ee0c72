//! The Wi-Fi module's side of the serial line, as a state machine without a clock or a port of its own (feature
//! `module`).
//!
//! A [`Module`] behaves as the vendor's firmware GAgent: it asks the MCU for the description of the device, sends its
//! own status and heartbeats, acknowledges what the MCU sends, and sends each of its frames again until the MCU
//! acknowledges it. So the firmware of an MCU is tested without a module, a cloud or an account. It needs an allocator.
//!
//! [`Module::receive`] reads the bytes of the MCU one by one, answers them, and returns events. [`Module::poll`] sends
//! what is due. Both write into a sink of the caller.
//!
//! ```
//! use gizwits_codec_core::module::{Event, Module};
//! use gizwits_codec_core::uart::{Command, DeviceInfo, Frame};
//!
//! let info = DeviceInfo::new(b"9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50");
//! let (mut module, mut line) = (Module::new(), Vec::new());
//! let now = 0; // milliseconds of any clock; they may wrap around
//!
//! // The module asks what the device is.
//! assert!(module.poll(now, &mut |byte| line.push(byte)).is_none());
//! assert_eq!(line, b"\xff\xff\0\x05\x01\x01\0\0\x07");
//!
//! // The MCU answers.
//! let (mut answer, mut key) = (Vec::new(), None);
//! let frame = Frame { command: Command::INFO_ACK, sn: 1, flags: 0, payload: info.bytes() };
//! frame.write(|byte| answer.push(byte));
//! for byte in answer {
//!     if let Some(Event::Device(info)) = module.receive(byte, now, &mut |_| {}) {
//!         key = Some(info.product_key().to_vec());
//!     }
//! }
//! assert_eq!(key.as_deref(), Some(&b"9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50"[..]));
//!
//! // A read of a standard product, behind the status of the module.
//! module.request(Command::TO_DEVICE, &[0x02])?;
//! # Ok::<(), gizwits_codec_core::module::RequestError>(())
//! ```

mod receiver;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::frame::uart::{
    Command, DeviceInfo, Frame, Illegal, MAX_PAYLOAD, ModuleStatus, Writer, write,
};

use self::receiver::{Received, Receiver};

/// The time in ms within which an MCU sends a frame again. A frame with the command, the sequence number and the
/// checksum of the frame before it is a repetition within this time. Some firmware waits 5 s before it repeats a frame.
const REPEAT: u32 = 6_000;

/// The number of unanswered heartbeats in a row after which the module restarts: GAgent restarts after more than three.
const HEARTBEATS: u8 = 4;

/// The waiting times of a module in milliseconds, and the number of transmissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Timing {
    /// The time in ms that the module waits for an acknowledgement before it sends a frame again.
    pub resend: u16,
    /// The maximum number of transmissions of a frame.
    pub tries: u8,
    /// The time in ms between two heartbeats.
    pub heartbeat: u32,
    /// The maximum time in ms between two messages with the status of the module. A status that has changed is sent at
    /// once. A status that the MCU did not acknowledge is sent again after the time of a heartbeat.
    pub status: u32,
    /// The time in ms between the last transmission of an unanswered question for the description of the device and the
    /// next such question. Also the time that a restart takes.
    pub pause: u32,
}

impl Timing {
    /// The timing of the vendor's module, and the default: 200 ms, 3 transmissions, 55 s, 600 s, 1 s.
    pub const VENDOR: Timing = Timing {
        resend: 200,
        tries: 3,
        heartbeat: 55_000,
        status: 600_000,
        pause: 1_000,
    };
}

/// An event of the module: a frame of the MCU, or the outcome of a frame of the module.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Event<'b> {
    /// The MCU has described the device.
    Device(DeviceInfo),
    /// A frame that the module has acknowledged: a P0 ([`Command::FROM_DEVICE`]), or a request for the network time, the
    /// description of the module, the configuration of the network, a reset and the like. [`Frame::message`] decodes
    /// it. After a request for a reset or a restart, the module asks for the description of the device again.
    Request(Frame<'b>),
    /// A frame that the MCU has sent before, because the acknowledgement was lost. The module has acknowledged it
    /// again.
    Repeated(Frame<'b>),
    /// A frame that the application answers with [`Module::answer`] or [`Module::refuse`]: big data, transactions and
    /// sub-devices.
    Frame(Frame<'b>),
    /// The MCU has acknowledged a frame of the module. The acknowledgement of a read has a P0.
    Answer(Frame<'b>),
    /// The MCU has not acknowledged a frame after [`Timing::tries`] transmissions.
    Unanswered(Command),
    /// The MCU has rejected a frame of the module as illegal.
    Rejected {
        /// The sequence number of the frame.
        sn: u8,
        /// The command of the frame, which is not sent again. `None` if the module does not wait for its
        /// acknowledgement, or sends the frame again because it arrived with a wrong checksum.
        command: Option<Command>,
        /// The reason that the MCU gives.
        reason: Illegal,
    },
    /// An acknowledgement of the last frame that was in flight, and no longer is: the MCU has acknowledged several
    /// transmissions, or was too late.
    Late(Frame<'b>),
    /// An acknowledgement of a frame that the module has not sent, or not lately.
    Unexpected(Frame<'b>),
    /// A frame that is illegal. The module has told the MCU so, unless the frame is an acknowledgement.
    Refused {
        /// The frame.
        frame: Frame<'b>,
        /// The reason, as the MCU is told.
        reason: Illegal,
    },
    /// A frame whose checksum is wrong. The module has told the MCU so, unless the frame is an acknowledgement.
    Corrupt {
        /// The sequence number of the frame, which may be wrong as well.
        sn: u8,
        /// The checksum of the bytes of the frame.
        expected: u8,
        /// The checksum at the end of the frame.
        found: u8,
    },
    /// The MCU has not acknowledged four heartbeats in a row. The module has restarted, as GAgent does: it asks for
    /// the description of the device again.
    Lost,
}

impl Event<'_> {
    /// The name of the variant, for texts.
    const fn name(&self) -> &'static str {
        match self {
            Event::Device(_) => "Device",
            Event::Unanswered(_) => "Unanswered",
            Event::Rejected { .. } => "Rejected",
            Event::Corrupt { .. } => "Corrupt",
            Event::Lost => "Lost",
            Event::Request(_) => "Request",
            Event::Repeated(_) => "Repeated",
            Event::Frame(_) => "Frame",
            Event::Answer(_) => "Answer",
            Event::Late(_) => "Late",
            Event::Unexpected(_) => "Unexpected",
            Event::Refused { .. } => "Refused",
        }
    }
}

impl core::fmt::Debug for Event<'_> {
    /// Leaves out the payload of a description, which may have a secret.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let name = match self {
            Event::Device(info) => return f.debug_tuple("Device").field(info).finish(),
            Event::Unanswered(command) => {
                return f.debug_tuple("Unanswered").field(command).finish();
            }
            Event::Rejected {
                sn,
                command,
                reason,
            } => {
                let mut shown = f.debug_struct("Rejected");
                shown.field("sn", sn).field("command", command);
                return shown.field("reason", reason).finish();
            }
            Event::Corrupt {
                sn,
                expected,
                found,
            } => {
                let mut shown = f.debug_struct("Corrupt");
                shown.field("sn", sn).field("expected", expected);
                return shown.field("found", found).finish();
            }
            Event::Lost => return f.write_str("Lost"),
            event => event.name(),
        };
        let mut shown = f.debug_struct(name);
        if let Some(frame) = self.frame() {
            shown
                .field("command", &frame.command)
                .field("sn", &frame.sn);
            if frame.command != Command::INFO_ACK {
                shown.field("payload", &frame.payload);
            }
        }
        if let Event::Refused { reason, .. } = self {
            shown.field("reason", reason);
        }
        shown.finish()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Event<'_> {
    // Leaves out the payload of a description, which may have a secret.
    fn format(&self, f: defmt::Formatter<'_>) {
        let name = match self {
            Event::Device(info) => return defmt::write!(f, "Device({})", info),
            Event::Unanswered(command) => return defmt::write!(f, "Unanswered({})", command),
            Event::Rejected {
                sn,
                command,
                reason,
            } => {
                return defmt::write!(f, "Rejected({}, {}, {})", sn, command, reason);
            }
            Event::Corrupt {
                sn,
                expected,
                found,
            } => {
                return defmt::write!(f, "Corrupt({}, {:#04x}, {:#04x})", sn, expected, found);
            }
            Event::Lost => return defmt::write!(f, "Lost"),
            event => event.name(),
        };
        defmt::write!(f, "{=str}", name);
        if let Some(frame) = self.frame() {
            defmt::write!(f, "({}, sn {}", frame.command, frame.sn);
            if frame.command != Command::INFO_ACK {
                defmt::write!(f, ", {=[u8]}", frame.payload);
            }
            if let Event::Refused { reason, .. } = self {
                defmt::write!(f, ", {}", reason);
            }
            defmt::write!(f, ")");
        }
    }
}

impl<'b> Event<'b> {
    /// Returns the frame of the MCU that the event is about, if it has one.
    #[must_use]
    pub const fn frame(&self) -> Option<Frame<'b>> {
        match self {
            Event::Request(frame)
            | Event::Repeated(frame)
            | Event::Frame(frame)
            | Event::Answer(frame)
            | Event::Late(frame)
            | Event::Unexpected(frame)
            | Event::Refused { frame, .. } => Some(*frame),
            _ => None,
        }
    }
}

/// The reason for which a request is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RequestError {
    /// [`Module::MAX_REQUESTS`] requests wait.
    TooMany,
    /// The payload is longer than [`MAX_PAYLOAD`] bytes.
    TooLong,
}

impl core::fmt::Display for RequestError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            RequestError::TooMany => {
                let most = Module::MAX_REQUESTS;
                write!(
                    f,
                    "{most} requests wait: send the next one after an outcome"
                )
            }
            RequestError::TooLong => {
                write!(f, "the payload is longer than {MAX_PAYLOAD} bytes")
            }
        }
    }
}

impl core::error::Error for RequestError {}

/// The frame in flight: sent and not yet acknowledged.
#[derive(Clone)]
struct Flight {
    command: Command,
    sn: u8,
    payload: Vec<u8>,
    tries: u8,
    /// The time of the last transmission.
    since: u32,
    /// Whether the module sends the frame by itself.
    is_own: bool,
}

/// A Wi-Fi module on the other end of an MCU's serial line. The [module](self) has an example.
///
/// All times are in ms of any clock that may wrap around.
#[derive(Clone)]
pub struct Module {
    /// The waiting times and the number of transmissions. [`Timing::VENDOR`] by default.
    pub timing: Timing,
    /// The year, month, day, hour, minute, second and Unix time that the module answers, as
    /// [`Time`](crate::uart::Time) reads them. The application keeps them current. All zeros by default: the module does
    /// not know the time.
    pub time: [u8; 11],
    /// The description of the module that the MCU can ask for, as [`ModuleInfo`](crate::uart::ModuleInfo) reads it. The
    /// first byte is replaced by the kind that the MCU asks for.
    pub description: [u8; 65],
    receiver: Receiver,
    status: ModuleStatus,
    is_passive: bool,
    queue: VecDeque<(Command, Vec<u8>)>,
    flight: Option<Flight>,
    /// The command and the sequence number of the last frame that was in flight.
    ended: Option<(Command, u8)>,
    sn: u8,
    /// Whether the MCU has described the device.
    is_known: bool,
    /// The time at which the MCU did not describe the device, or the module restarted.
    paused: Option<u32>,
    /// The time of the last message with the current status.
    status_sent: Option<u32>,
    /// Whether the MCU has not acknowledged that message.
    is_status_lost: bool,
    /// The time of the last heartbeat, or of the description.
    heartbeat_sent: u32,
    /// The number of heartbeats that the MCU did not answer.
    missed: u8,
    /// The command, the sequence number and the checksum of the last request of the MCU, and its time.
    last: Option<(Command, u8, u8, u32)>,
}

impl Default for Module {
    fn default() -> Self {
        Module::new()
    }
}

impl core::fmt::Debug for Module {
    /// Shows the progress of the module, but no payload.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Module")
            .field("timing", &self.timing)
            .field("status", &self.status)
            .field("is_known", &self.is_known)
            .field(
                "in_flight",
                &self.flight.as_ref().map(|flight| flight.command),
            )
            .field("waiting", &self.queue.len())
            .finish_non_exhaustive()
    }
}

impl Module {
    /// The maximum number of requests that wait to be sent.
    pub const MAX_REQUESTS: usize = 64;
    /// The status of a module that is connected to a router with the best signal, to the cloud, and to an app.
    pub const ONLINE: ModuleStatus = ModuleStatus(0x0f32);

    /// Creates a module that was just switched on, with the status [`ONLINE`](Self::ONLINE).
    #[must_use]
    pub fn new() -> Self {
        let mut description = [0; 65];
        // The kind, and the versions of the serial protocol, the hardware and the software.
        let versions = b"\x00000000040000000100000001";
        for (slot, byte) in description.iter_mut().zip(versions) {
            *slot = *byte;
        }
        Module {
            timing: Timing::VENDOR,
            time: [0; 11],
            description,
            receiver: Receiver::default(),
            status: Self::ONLINE,
            is_passive: false,
            queue: VecDeque::new(),
            flight: None,
            ended: None,
            sn: 0,
            is_known: false,
            paused: None,
            status_sent: None,
            is_status_lost: false,
            heartbeat_sent: 0,
            missed: 0,
            last: None,
        }
    }

    /// Returns a module that sends nothing by itself: only requests of the application, and answers.
    #[must_use]
    pub fn passive() -> Self {
        Module {
            is_passive: true,
            ..Module::new()
        }
    }

    /// Changes the status of the module, which it tells the MCU.
    pub fn set_status(&mut self, status: ModuleStatus) {
        if self.status != status {
            self.status = status;
            self.status_sent = None;
        }
    }

    /// Queues a frame. [`poll`](Self::poll) sends it once the frames before it are acknowledged or given up. The outcome is
    /// [`Event::Answer`], [`Event::Unanswered`], or an [`Event::Rejected`] with the command.
    ///
    /// # Errors
    /// [`RequestError::TooMany`] and [`RequestError::TooLong`].
    pub fn request(&mut self, command: Command, payload: &[u8]) -> Result<(), RequestError> {
        if payload.len() > MAX_PAYLOAD {
            return Err(RequestError::TooLong);
        }
        if self.queue.len() >= Self::MAX_REQUESTS {
            return Err(RequestError::TooMany);
        }
        self.queue.push_back((command, payload.to_vec()));
        Ok(())
    }

    /// Returns whether each request is acknowledged or given up.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let is_request = |flight: &Flight| !flight.is_own;
        !self.flight.as_ref().is_some_and(is_request) && self.queue.is_empty()
    }

    /// Answers the frame of an [`Event::Frame`]. `command` and `sn` are those of the frame, `payload` has at most
    /// [`MAX_PAYLOAD`] bytes.
    pub fn answer(&mut self, command: Command, sn: u8, payload: &[u8], sink: &mut dyn FnMut(u8)) {
        write(command.ack(), sn, &[payload], sink);
    }

    /// Tells the MCU that the frame with this sequence number is illegal.
    pub fn refuse(&mut self, sn: u8, reason: Illegal, sink: &mut dyn FnMut(u8)) {
        refuse(sn, reason, sink);
    }

    /// Reads one byte of the MCU. If the byte completes a frame, the module writes its answer to the sink and returns the
    /// event of the frame.
    pub fn receive(&mut self, byte: u8, now: u32, sink: &mut dyn FnMut(u8)) -> Option<Event<'_>> {
        let (frame, checksum) = match self.receiver.push(byte)? {
            Received::Frame(frame, checksum) => (frame, checksum),
            Received::Corrupt {
                command,
                sn,
                expected,
                found,
            } => {
                if !command.is_ack() {
                    refuse(sn, Illegal::CHECKSUM, sink);
                }
                return Some(Event::Corrupt {
                    sn,
                    expected,
                    found,
                });
            }
        };
        let (command, sn) = (frame.command, frame.sn);
        let is_answer = |flight: &mut Flight| (flight.command.ack(), flight.sn) == (command, sn);
        if let Some(flight) = self.flight.take_if(is_answer) {
            self.ended = Some((flight.command, sn));
            match flight.command {
                Command::INFO if flight.is_own => {
                    let Ok(info) = DeviceInfo::parse(frame.payload) else {
                        self.paused = Some(now);
                        let reason = Illegal::OTHER;
                        return Some(Event::Refused { frame, reason });
                    };
                    self.is_known = true;
                    self.status_sent = None;
                    self.heartbeat_sent = now;
                    self.missed = 0;
                    return Some(Event::Device(info));
                }
                Command::HEARTBEAT => self.missed = 0,
                _ => {}
            }
            return Some(Event::Answer(frame));
        }
        if let (Command::ILLEGAL_ACK, &[reason, ..]) = (command, frame.payload) {
            let reason = Illegal(reason);
            let ends = |flight: &mut Flight| flight.sn == sn && reason != Illegal::CHECKSUM;
            let flight = self.flight.take_if(ends);
            if let Some(flight) = &flight {
                self.ended = Some((flight.command, sn));
                match flight.command {
                    Command::INFO => self.paused = Some(now),
                    Command::HEARTBEAT => self.missed = 0,
                    Command::STATUS if flight.is_own => self.is_status_lost = true,
                    _ => {}
                }
            }
            let command = flight.map(|flight| flight.command);
            return Some(Event::Rejected {
                sn,
                command,
                reason,
            });
        }
        if command.is_ack() {
            let is_late = self.ended.map(|(of, its_sn)| (of.ack(), its_sn)) == Some((command, sn));
            return Some(match is_late {
                true => Event::Late(frame),
                false => Event::Unexpected(frame),
            });
        }
        let Some((device, data)) = parts(&frame) else {
            let reason = Illegal::OTHER;
            refuse(sn, reason, sink);
            return Some(Event::Refused { frame, reason });
        };
        let reply: Result<&[u8], Illegal> = match (command, data) {
            (Command::FROM_DEVICE, [_, ..]) | (Command::CONFIGURE, [_]) => Ok(&[]),
            (Command::FROM_DEVICE | Command::CONFIGURE, _) => Err(Illegal::OTHER),
            (Command::RESET | Command::TEST | Command::BIND | Command::MODULE_REBOOT, _) => Ok(&[]),
            (Command::TIME, _) => Ok(&self.time),
            (Command::MODULE, _) => {
                let [kind, ..] = &mut self.description;
                *kind = data.first().copied().unwrap_or(0);
                Ok(&self.description)
            }
            _ if command.is_for_application() => return Some(Event::Frame(frame)),
            _ => Err(Illegal::COMMAND),
        };
        let reply = match reply {
            Ok(reply) => reply,
            Err(reason) => {
                refuse(sn, reason, sink);
                return Some(Event::Refused { frame, reason });
            }
        };
        let len = device.len().saturating_add(reply.len());
        let mut writer = Writer::begin(&mut *sink, command.ack(), sn, frame.flags & 1, len);
        writer.put(device);
        writer.put(reply);
        writer.end();
        let is_repeated = self.last.is_some_and(|(of, its_sn, its_sum, then)| {
            let is_same = (of, its_sn, its_sum) == (command, sn, checksum);
            is_same && now.wrapping_sub(then) < REPEAT
        });
        self.last = Some((command, sn, checksum, now));
        if is_repeated {
            return Some(Event::Repeated(frame));
        }
        if matches!(command, Command::RESET | Command::MODULE_REBOOT) {
            if let Some(flight) = self.flight.take_if(|flight| flight.is_own) {
                self.ended = Some((flight.command, flight.sn));
            }
            self.is_known = false;
            self.paused = Some(now);
        }
        Some(Event::Request(frame))
    }

    /// Sends what is due at the time `now`: a frame of the module, the next request, or the frame in flight again. Returns
    /// [`Event::Unanswered`] or [`Event::Lost`].
    ///
    /// Call this method after bytes were received, after a request, and when the time of [`wait`](Self::wait) has passed.
    pub fn poll(&mut self, now: u32, sink: &mut dyn FnMut(u8)) -> Option<Event<'static>> {
        if let Some(flight) = &mut self.flight {
            if now.wrapping_sub(flight.since) < u32::from(self.timing.resend) {
                return None;
            }
            if flight.tries < self.timing.tries {
                flight.tries = flight.tries.saturating_add(1);
                flight.since = now;
                write(flight.command, flight.sn, &[&flight.payload], sink);
                return None;
            }
            let (command, is_own) = (flight.command, flight.is_own);
            self.ended = Some((command, flight.sn));
            self.flight = None;
            if is_own {
                match command {
                    Command::INFO => self.paused = Some(now),
                    Command::STATUS => self.is_status_lost = true,
                    Command::HEARTBEAT => {
                        self.missed = self.missed.saturating_add(1);
                        if self.missed >= HEARTBEATS {
                            self.missed = 0;
                            self.is_known = false;
                            self.paused = Some(now);
                            return Some(Event::Lost);
                        }
                    }
                    _ => {}
                }
            }
            return Some(Event::Unanswered(command));
        }
        let is_own = !self.is_passive && self.own_wait(now) == 0;
        let (command, payload) = match is_own {
            true => self.own_frame(now),
            false => self.queue.pop_front()?,
        };
        self.sn = self.sn.wrapping_add(1);
        write(command, self.sn, &[&payload], sink);
        self.flight = Some(Flight {
            command,
            sn: self.sn,
            payload,
            tries: 1,
            since: now,
            is_own,
        });
        None
    }

    /// Returns the frame of the module itself that is due.
    fn own_frame(&mut self, now: u32) -> (Command, Vec<u8>) {
        if !self.is_known {
            return (Command::INFO, Vec::new());
        }
        if self.status_wait(now) == 0 {
            self.status_sent = Some(now);
            self.is_status_lost = false;
            return (Command::STATUS, self.status.0.to_be_bytes().to_vec());
        }
        self.heartbeat_sent = now;
        (Command::HEARTBEAT, Vec::new())
    }

    /// Returns the time in ms until the module sends a frame by itself.
    fn own_wait(&self, now: u32) -> u32 {
        match (self.is_known, self.paused) {
            (false, Some(paused)) => left(paused, self.timing.pause, now),
            (false, None) => 0,
            (true, _) => {
                let heartbeat = left(self.heartbeat_sent, self.timing.heartbeat, now);
                heartbeat.min(self.status_wait(now))
            }
        }
    }

    /// Returns the time in ms until the module sends its status.
    fn status_wait(&self, now: u32) -> u32 {
        let time = match self.is_status_lost {
            // Not at once, because an MCU may refuse every status.
            true => self.timing.heartbeat.min(self.timing.status),
            false => self.timing.status,
        };
        self.status_sent.map_or(0, |sent| left(sent, time, now))
    }

    /// Returns the time in ms until the next [`poll`](Self::poll) is due, unless bytes are received or a request is queued
    /// before. `u32::MAX` if none is due.
    #[must_use]
    pub fn wait(&self, now: u32) -> u32 {
        match &self.flight {
            Some(flight) => left(flight.since, self.timing.resend.into(), now),
            None if !self.queue.is_empty() => 0,
            None if self.is_passive => u32::MAX,
            None => self.own_wait(now),
        }
    }
}

/// Returns the rest of a time that began at `then`, in ms.
fn left(then: u32, time: u32, now: u32) -> u32 {
    time.saturating_sub(now.wrapping_sub(then))
}

/// Splits the payload of a request: the did of a sub-device with its length, which the acknowledgement repeats, and the
/// data.
fn parts<'b>(frame: &Frame<'b>) -> Option<(&'b [u8], &'b [u8])> {
    if frame.flags & 1 == 0 {
        return Some((&[], frame.payload));
    }
    let len = usize::from(*frame.payload.first()?).saturating_add(1);
    frame.payload.split_at_checked(len)
}

/// Tells the MCU that a frame is illegal.
fn refuse(sn: u8, reason: Illegal, sink: &mut dyn FnMut(u8)) {
    write(Command::ILLEGAL, sn, &[&[reason.0]], sink);
}
