//! The MCU's side of the serial line to a Wi-Fi module, as a state machine without a clock or a port of its
//! own (vendor: UART protocol, and the code that its MCU generator writes).
//!
//! [`Link::receive`] reads the bytes of the module one by one, answers its frames, and returns events.
//! [`Link::poll`] sends what is due: a report if the status has changed, the requests of the application, and
//! both again if the module does not acknowledge them. The link writes into a sink of the caller, one frame
//! at a time. A full sink may drop bytes, because the link sends lost frames again.
//!
//! Call a link from one context, usually the main loop. The receive interrupt of the UART puts the bytes of the module
//! into a ring buffer, and the main loop passes them to [`Link::receive`]. The sink appends to a ring buffer of at
//! least [`Link::longest`] bytes, which the transmit interrupt empties.
//!
//! The module `testing` (feature `testing`) plays the Wi-Fi module, so that an application is tested on the host.

mod device;
#[cfg(feature = "testing")]
pub mod testing;

use core::marker::PhantomData;

use crate::bits;
use crate::error::PointId;
use crate::frame::uart::{
    Command, ConfigMode, Decoder, DeviceInfo, Event as Line, Frame, Illegal, MAX_PAYLOAD,
    ModuleInfo, ModuleStatus, OVERHEAD, Time, write,
};
use crate::message::Action;
#[cfg(doc)]
use crate::model::Update;
use crate::model::{DefaultPolicy, Model, Policy};

pub use self::device::{Device, ModelState};

/// An event of the link: a frame of the module for the application, or the outcome of a request or report.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'b, M: Device> {
    /// A control, which the link has already acknowledged. The application applies it to its status with
    /// [`Update::apply`], which leaves out the points with invalid values. If the status has changed, the next
    /// [`Link::poll`] reports it.
    Control(M::Control<'b>),
    /// Transparent data from the module: bytes that the protocol does not interpret.
    Transparent(&'b [u8]),
    /// The state of the module's connections.
    Status(ModuleStatus),
    /// The module asks the MCU to restart. Vendor code restarts after 600 ms.
    Reboot,
    /// The module rejected a frame of the MCU as illegal, for this reason.
    Illegal(Illegal),
    /// The answer to [`Request::TIME`].
    Time(Time<'b>),
    /// The answer to [`Request::module`].
    Module(ModuleInfo<'b>),
    /// The module acknowledged a request or report.
    Acked(Command),
    /// The module did not acknowledge a request or report after [`Timing::tries`] transmissions.
    Unanswered(Command),
    /// A frame that the application answers with [`Link::answer`]: big data, transactions and sub-devices.
    Frame(Frame<'b>),
    /// The payload of a frame that the link refused as illegal, or of an invalid answer to a request. For a
    /// P0, [`P0::parse`](crate::P0::parse) returns the reason.
    Refused(&'b [u8]),
    /// The set of points with an invalid value in the status has changed. [`Link::invalid`] lists them. The
    /// link keeps on sending replies and reports, with the replacement values that the [`Policy`] chooses.
    Invalid,
}

#[cfg(feature = "defmt")]
impl<M: Device> defmt::Format for Event<'_, M> {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Event::Control(_) => defmt::write!(f, "Control"),
            Event::Transparent(data) => defmt::write!(f, "Transparent({})", data),
            Event::Status(status) => defmt::write!(f, "{}", status),
            Event::Reboot => defmt::write!(f, "Reboot"),
            Event::Illegal(code) => defmt::write!(f, "{}", code),
            Event::Time(time) => defmt::write!(f, "{}", time),
            Event::Module(module) => defmt::write!(f, "{}", module),
            Event::Acked(command) => defmt::write!(f, "Acked({})", command),
            Event::Unanswered(command) => defmt::write!(f, "Unanswered({})", command),
            Event::Frame(frame) => defmt::write!(f, "{}", frame),
            Event::Refused(payload) => defmt::write!(f, "Refused({})", payload),
            Event::Invalid => defmt::write!(f, "Invalid"),
        }
    }
}

/// A request that the application can send to the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub struct Request {
    command: Command,
    argument: Option<u8>,
}

impl Request {
    const fn new(command: Command, argument: Option<u8>) -> Self {
        Request { command, argument }
    }

    /// Resets the module, which forgets its network and its owner.
    pub const RESET: Request = Request::new(Command::RESET, None);
    /// Starts the factory test of the module.
    pub const TEST: Request = Request::new(Command::TEST, None);
    /// Opens the period in which a user can bind the device.
    pub const BIND: Request = Request::new(Command::BIND, None);
    /// Requests the network time. The answer is [`Event::Time`].
    pub const TIME: Request = Request::new(Command::TIME, None);
    /// Restarts the module.
    pub const REBOOT: Request = Request::new(Command::MODULE_REBOOT, None);
    /// Sends the data of [`Link::send`], after the action of transparent data.
    const SEND: Request = Request::new(Command::FROM_DEVICE, Some(0x06));

    /// Lets a phone configure the network of the module.
    ///
    /// ```
    /// use gizwits_codec_core::link::{Busy, Link, Request};
    /// use gizwits_codec_core::model::Model;
    /// use gizwits_codec_core::uart::ConfigMode;
    ///
    /// // A button of the device.
    /// fn pressed<M: Model>(link: &mut Link<'_, M>) -> Result<(), Busy> {
    ///     link.request(Request::configure(ConfigMode::AirLink))
    /// }
    /// ```
    pub const fn configure(mode: ConfigMode) -> Self {
        Request::new(Command::CONFIGURE, Some(mode.code()))
    }

    /// Returns the request with this command, for callers that have it as a number. The argument is that of
    /// [`configure`](Self::configure), 1 or 2, or of [`module`](Self::module); other requests ignore it. Returns `None`
    /// for any other command or mode.
    ///
    /// ```
    /// use gizwits_codec_core::link::Request;
    /// use gizwits_codec_core::uart::{Command, ConfigMode};
    ///
    /// let mode = ConfigMode::AirLink;
    /// let request = Request::from_command(Command::CONFIGURE, mode.code());
    /// assert_eq!(request, Some(Request::configure(mode)));
    /// assert_eq!(Request::from_command(Command::STATUS, 0), None);
    /// ```
    pub const fn from_command(command: Command, argument: u8) -> Option<Self> {
        let argument = match command {
            Command::CONFIGURE if matches!(argument, 1 | 2) => Some(argument),
            Command::MODULE => Some(argument),
            Command::RESET
            | Command::TEST
            | Command::BIND
            | Command::TIME
            | Command::MODULE_REBOOT => None,
            _ => return None,
        };
        Some(Request::new(command, argument))
    }

    /// Requests the description of the module. `kind` is 0 for a Wi-Fi module and 1 for a mobile module. The
    /// answer is [`Event::Module`].
    pub const fn module(kind: u8) -> Self {
        Request::new(Command::MODULE, Some(kind))
    }
}

/// The error of a request while another request is in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Busy;

impl core::fmt::Display for Busy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("another request is in progress")
    }
}

impl core::error::Error for Busy {}

/// The reason why a link does not take the data of [`Link::send`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SendError {
    /// Another request is in progress. The data can be sent after its outcome.
    Busy,
    /// The data is longer than the outbox, or than the payload of a frame: at most `limit` bytes can be sent. The limit
    /// is 0 without an outbox.
    TooLong {
        /// The most bytes that can be sent.
        limit: u16,
    },
}

impl core::fmt::Display for SendError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            SendError::Busy => Busy.fmt(f),
            // Without the limit: numbers are written by code that could panic, as far as the compiler can tell.
            SendError::TooLong { .. } => f.write_str("the data is longer than the outbox"),
        }
    }
}

impl core::error::Error for SendError {}

/// The waiting times of a link in milliseconds, and the number of transmissions.
///
/// ```
/// use gizwits_codec_core::link::Timing;
///
/// // Measured values every 30 s instead of every 6 s.
/// let timing = Timing { measured: 30_000, ..Timing::VENDOR };
/// assert_eq!((timing.resend, timing.tries), (200, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Timing {
    /// The time in ms that the link waits for an acknowledgement before it sends a frame again.
    pub resend: u16,
    /// The maximum number of transmissions of a frame.
    pub tries: u8,
    /// The minimum time in ms between two reports if only measured values have changed, and the time until
    /// the next report after a report that was not acknowledged.
    pub measured: u16,
    /// The maximum time in ms between two reports of all points.
    pub full: u32,
}

impl Timing {
    /// The timing of the vendor's code, and the default of a link: 200 ms, 3 transmissions, 6 s, 600 s.
    pub const VENDOR: Timing = Timing {
        resend: 200,
        tries: 3,
        measured: 6_000,
        full: 600_000,
    };
}

/// The time in ms within which a module sends a frame again. A control with the sequence number and the
/// checksum of the last control is a repetition within this time.
const REPEAT: u32 = 1_000;

/// The frame in flight: sent and not yet acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flight {
    None,
    Report,
    Request,
}

/// Whether the module knows the values that were sent last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// No values were sent so far.
    Nothing,
    /// The last values were not acknowledged.
    Unsure,
    /// The last values were acknowledged, or the acknowledgement is still awaited.
    All,
}

/// The MCU's side of the serial line.
///
/// The product `M` is a [`Model`], which the code generator of `gizwits-codec-std` writes, or another [`Device`]. The status is a
/// struct of the application. The policy `P` chooses replacements for invalid values; see [`Policy`].
///
/// This example receives a control, applies it, and sends the acknowledgement and a report. The example
/// `firmware` of this crate is a complete device.
///
/// ```
/// # use gizwits_codec_core::{Access, ErrorKind, Layout, LayoutRef, Point, PointId, Protocol};
/// # use gizwits_codec_core::model::Policy;
/// # static LAYOUT: Layout<1> =
/// #     Layout::must(Protocol::Standard, &[Point::bool(0, Access::Writable, 0, 0)]);
/// # struct Lamp;
/// # impl gizwits_codec_core::model::Model for Lamp {
/// #     type Status = bool;
/// #     type Control = bool;
/// #     type Values = [u8; 1];
/// #     type Mask = [u8; 0];
/// #     type Points = [u32; 0];
/// #     const LAYOUT: LayoutRef<'static> = LAYOUT.get();
/// #     const PRODUCT_KEY: &'static [u8; 32] = b"9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50";
/// #     const VALUES: [u8; 1] = [0];
/// #     const MASK: [u8; 0] = [];
/// #     const POINTS: [u32; 0] = [];
/// #     const MEASURED: &'static [(usize, usize)] = &[];
/// #     fn encode<P: Policy>(status: &bool, _: &[u8; 1], values: &mut [u8; 1], _: &mut impl FnMut(PointId, ErrorKind)) {
/// #         values[0] = u8::from(*status);
/// #     }
/// #     fn decode(values: &[u8; 1]) -> bool { values[0] == 1 }
/// #     fn control(_: &[u8], values: &[u8], _: &mut impl FnMut(PointId, ErrorKind)) -> bool {
/// #         values.first() == Some(&1)
/// #     }
/// #     fn apply(_: &[u8], values: &[u8], status: &mut bool, _: &mut impl FnMut(PointId, ErrorKind)) {
/// #         *status = values.first() == Some(&1);
/// #     }
/// #     fn encode_control(control: &bool, flags: &mut [u8], values: &mut [u8], _: &mut impl FnMut(PointId, ErrorKind)) {
/// #         flags.fill(1);
/// #         values.fill(u8::from(*control));
/// #     }
/// # }
/// use gizwits_codec_core::link::{Event, Link};
/// use gizwits_codec_core::model::Model;
/// use gizwits_codec_core::uart::DeviceInfo;
///
/// static INFO: DeviceInfo = DeviceInfo::new(Lamp::PRODUCT_KEY);
///
/// let mut buffer = [0; Link::<Lamp>::room()];
/// let mut link: Link<Lamp> = Link::new(&INFO, &mut buffer);
/// let (mut status, mut sent) = (false, Vec::new());
/// let mut sink = |byte| sent.push(byte);
/// let now = 0; // milliseconds of any clock; they may wrap around
/// for byte in *b"\xff\xff\0\x08\x03\x01\0\0\x01\x01\x01\x0f" {
///     if let Some(Event::Control(update)) = link.receive(byte, now, &mut sink) {
///         update.apply(&mut status, |point, why| eprintln!("{point:?} is not set: {why}"));
///     }
/// }
/// let _ = link.poll(now, &status, &mut sink);
/// let (ack, report) = (b"\xff\xff\0\x05\x04\x01\0\0\x0a", b"\xff\xff\0\x07\x05\0\0\0\x04\x01\x11");
/// assert_eq!(sent, [&ack[..], report].concat());
/// ```
// In this order: the short instructions of a Cortex-M reach bytes at the start of a struct, and words behind them.
#[repr(C)]
#[must_use]
pub struct Link<'b, M: Device, P = DefaultPolicy> {
    known: Known,
    flight: Flight,
    awaited: Command,
    /// The sequence number of the frame in flight.
    sn: u8,
    /// The number of its transmissions.
    tries: u8,
    /// Whether the last frame that the link sent by itself was a request.
    requested: bool,
    /// The sequence number of the read that the next poll answers.
    read: Option<u8>,
    request: Option<Request>,
    /// The waiting times and the number of transmissions. [`Timing::VENDOR`] by default.
    pub timing: Timing,
    /// The time of the last transmission of the frame in flight.
    since: u32,
    /// The time of the last report.
    reported: u32,
    /// The time of the last report of all points.
    complete: u32,
    /// The sequence number and the checksum of the last P0 with an effect, as 16 bits; `u32::MAX` before the
    /// first.
    last: u32,
    /// The time of that P0.
    acted: u32,
    decoder: Decoder<'b>,
    info: &'b [u8],
    outbox: &'b mut [u8],
    outbox_len: u16,
    state: M::State,
    policy: PhantomData<P>,
}

impl<M: Device, P> core::fmt::Debug for Link<'_, M, P> {
    /// Shows the progress of the link, but neither values nor the description of the device, which may have a secret.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Link")
            .field("known", &self.known)
            .field("flight", &self.flight)
            .field("sn", &self.sn)
            .field("tries", &self.tries)
            .field("request", &self.request)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}

impl<'b, M: Model, P: Policy> Link<'b, M, P> {
    /// Creates a link that reports the status at the first [`poll`](Self::poll).
    ///
    /// `info` is the description that the link sends to the module. `buffer` holds a frame of the module
    /// while it is received. Its length should be [`room`](Self::room). A frame that is longer than the buffer is
    /// dropped without an answer and without an event.
    #[inline]
    pub fn new(info: &'b DeviceInfo, buffer: &'b mut [u8]) -> Self {
        Link::with_state(info.bytes(), buffer, ModelState::new())
    }

    /// Returns the length in bytes of a buffer for all frames of the module: controls, reads, and
    /// descriptions of the module. Big data and transparent data may need a longer buffer.
    pub const fn room() -> usize {
        let control = M::LAYOUT.p0_len(Action::Control);
        let longest = if control > 65 { control } else { 65 };
        longest.saturating_add(Decoder::OVERHEAD)
    }

    /// Returns the points whose value in the status was invalid at the last [`poll`](Self::poll), in the
    /// order of their ids: an enum index without a label, or a number outside its limits or between two
    /// steps. [`model::encode`](crate::model::encode) returns the rule that the first of them breaks.
    pub fn invalid(&self) -> impl Iterator<Item = PointId> {
        let words = self.state.invalid.as_ref();
        let points = (0..const { M::LAYOUT.point_count() }).map(PointId);
        points.filter(|point| {
            let word = words.get(usize::from(point.0 / 32));
            word.is_some_and(|word| word.wrapping_shr(u32::from(point.0 % 32)) & 1 == 1)
        })
    }

    /// Returns the maximum number of bytes that one call of [`receive`](Self::receive) or [`poll`](Self::poll) writes to
    /// the sink, stuffing included. `outbox` is the length in bytes of the buffer of [`with_outbox`](Self::with_outbox),
    /// or 0 without one.
    ///
    /// ```
    /// use gizwits_codec_core::link::Link;
    /// use gizwits_codec_core::model::Model;
    ///
    /// fn has_room<M: Model>(ring: &[u8], outbox: &[u8]) -> bool {
    ///     ring.len() >= Link::<M>::longest(outbox.len())
    /// }
    /// ```
    pub const fn longest(outbox: usize) -> usize {
        let report = M::LAYOUT.p0_len(Action::Report);
        let info = 106;
        // The data of the outbox follows the byte of its action.
        let data = outbox.saturating_add(1);
        let own = if report > data { report } else { data };
        // The answer to a read, and a report or the data, or the description of the device. Stuffing doubles the
        // length at most.
        let reply = report.saturating_add(OVERHEAD);
        let poll = reply.saturating_add(own.saturating_add(OVERHEAD));
        let answer = OVERHEAD.saturating_add(info);
        let longest = if poll > answer { poll } else { answer };
        longest.saturating_mul(2)
    }
}

impl<'b, M: Device, P: Policy> Link<'b, M, P> {
    /// Creates a link of a device that is no [`Model`]. `info` is the payload of the description that the link sends
    /// to the module, as [`DeviceInfo::bytes`] returns it. `state` is what the device keeps.
    #[inline]
    pub fn with_state(info: &'b [u8], buffer: &'b mut [u8], state: M::State) -> Self {
        Link {
            decoder: Decoder::new(buffer),
            info,
            outbox: &mut [],
            outbox_len: 0,
            timing: Timing::VENDOR,
            state,
            known: Known::Nothing,
            read: None,
            request: None,
            requested: false,
            flight: Flight::None,
            awaited: Command::FROM_DEVICE_ACK,
            // The number after 0xfe is 0, so the first frame has the sequence number 0.
            sn: 0xfe,
            tries: 0,
            since: 0,
            reported: 0,
            complete: 0,
            last: u32::MAX,
            acted: 0,
            policy: PhantomData,
        }
    }

    /// Returns the link with a buffer for the data of [`send`](Self::send). Without an outbox a link can't
    /// send transparent data.
    #[inline]
    pub fn with_outbox(mut self, outbox: &'b mut [u8]) -> Self {
        let most = outbox.len().min(MAX_PAYLOAD.saturating_sub(1));
        self.outbox = outbox.get_mut(..most).unwrap_or(&mut []);
        self
    }

    /// Returns what the link keeps of its device.
    pub const fn state(&self) -> &M::State {
        &self.state
    }

    /// Queues a request, which [`poll`](Self::poll) sends once no frame is in flight. The outcome is
    /// [`Event::Acked`], [`Event::Unanswered`], or the event with the answer.
    ///
    /// # Errors
    /// [`Busy`] while another request is in progress.
    pub fn request(&mut self, request: Request) -> Result<(), Busy> {
        match self.request {
            Some(_) => Err(Busy),
            None => {
                self.request = Some(request);
                Ok(())
            }
        }
    }

    /// Sends transparent data, as a request. The outbox keeps the data until the module acknowledges it.
    ///
    /// # Errors
    /// [`SendError::Busy`] while another request is in progress, [`SendError::TooLong`] if the outbox is shorter than
    /// `data`.
    ///
    /// # Examples
    /// ```
    /// use gizwits_codec_core::link::{Link, SendError};
    /// use gizwits_codec_core::model::Model;
    /// use gizwits_codec_core::uart::DeviceInfo;
    ///
    /// fn run<M: Model>(info: &DeviceInfo) -> Result<(), SendError> {
    ///     let (mut buffer, mut outbox) = ([0; 256], [0; 32]);
    ///     let mut link: Link<M> = Link::new(info, &mut buffer).with_outbox(&mut outbox);
    ///     link.send(b"hello")
    /// }
    /// ```
    pub fn send(&mut self, data: &[u8]) -> Result<(), SendError> {
        if self.request.is_some() {
            return Err(SendError::Busy);
        }
        let limit = self.outbox.len() as u16;
        let Some(room) = self.outbox.get_mut(..data.len()) else {
            return Err(SendError::TooLong { limit });
        };
        bits::copy(room, data);
        self.outbox_len = data.len() as u16;
        self.request = Some(Request::SEND);
        Ok(())
    }

    /// Answers the frame of an [`Event::Frame`]. `command` and `sn` are those of the frame, `payload` is the
    /// payload of the answer, up to [`MAX_PAYLOAD`] bytes.
    pub fn answer(&mut self, command: Command, sn: u8, payload: &[u8], sink: &mut dyn FnMut(u8)) {
        answer(command, sn, payload, sink);
    }

    /// Reads one byte from the module. If the byte completes a frame, the link writes its answer to the sink
    /// and returns the event of the frame.
    ///
    /// `now` is the time in ms of any clock that may wrap around, the same as for [`poll`](Self::poll).
    #[inline]
    pub fn receive(
        &mut self,
        byte: u8,
        now: u32,
        sink: &mut dyn FnMut(u8),
    ) -> Option<Event<'_, M>> {
        let frame = match self.decoder.push(byte)? {
            Line::Frame(frame) => frame,
            Line::Corrupt { sn, .. } => {
                refuse(sn, Illegal::CHECKSUM, sink);
                return None;
            }
            Line::TooLong { .. } => return None,
        };
        let (command, sn, payload) = (frame.command, frame.sn, frame.payload);
        if frame.flags & 1 == 1 {
            // The frame belongs to a sub-device.
            return Some(Event::Frame(frame));
        }
        if self.flight != Flight::None && command == self.awaited && sn == self.sn {
            if self.flight == Flight::Request {
                self.request = None;
            }
            self.flight = Flight::None;
            return Some(acknowledged(command, payload));
        }
        let mut reply: &[u8] = &[];
        let mut event = None;
        let mut wrong = None;
        match command {
            Command::INFO => reply = self.info,
            Command::HEARTBEAT => {}
            Command::STATUS => match payload {
                &[high, low] => {
                    event = Some(Event::Status(ModuleStatus(u16::from_be_bytes([high, low]))));
                }
                _ => wrong = Some(Illegal::OTHER),
            },
            Command::REBOOT => event = Some(Event::Reboot),
            Command::TO_DEVICE => {
                // An empty P0 has an action that neither a product nor the link knows.
                let (action, data) = match payload {
                    [action, data @ ..] => (*action, data),
                    [] => (0, payload),
                };
                event = match action {
                    0x71..=0x73 => return Some(Event::Frame(frame)),
                    _ if M::read(&mut self.state, payload) => {
                        self.read = Some(sn);
                        return None;
                    }
                    0x05 => Some(Event::Transparent(data)),
                    _ => M::control::<P>(&self.state, payload).map(Event::Control),
                };
                if event.is_none() {
                    wrong = Some(Illegal::OTHER);
                } else {
                    // The module repeats a control if the acknowledgement was lost. The link acknowledges it
                    // again, and does not apply it again. The last byte of a frame is its checksum.
                    let this = u32::from(u16::from_be_bytes([sn, byte]));
                    if self.last == this && now.wrapping_sub(self.acted) < REPEAT {
                        event = None;
                    }
                    self.last = this;
                    self.acted = now;
                }
            }
            Command::ILLEGAL => return Some(Event::Illegal(Illegal(*payload.first()?))),
            // A late acknowledgement, which the link no longer awaits.
            _ if command.is_link_ack() => return None,
            _ if command.is_known() => return Some(Event::Frame(frame)),
            _ => wrong = Some(Illegal::COMMAND),
        }
        if let Some(illegal) = wrong {
            refuse(sn, illegal, sink);
            return Some(Event::Refused(payload));
        }
        answer(command, sn, reply, sink);
        event
    }

    /// Sends what is due at the time `now` in ms: at most the answer to a read and one frame of the link's
    /// own. Returns [`Event::Unanswered`] or [`Event::Invalid`].
    ///
    /// Call this method after bytes were received, when the status may have changed, and when the time of
    /// [`wait`](Self::wait) has passed. The sink should have space for
    /// [`longest`](Link::longest) bytes.
    pub fn poll(
        &mut self,
        now: u32,
        status: &M::Status,
        sink: &mut dyn FnMut(u8),
    ) -> Option<Event<'static, M>> {
        let mut values = M::VALUES;
        let changed = M::encode::<P>(&mut self.state, status, &mut values);
        if let Some(sn) = self.read.take() {
            M::reply(&mut self.state, &values, sn, sink);
        }
        let event = changed.then_some(Event::Invalid);
        match self.flight {
            Flight::None => {}
            // One call returns one event, so the frame in flight is left to the next call.
            _ if changed => return event,
            _ if now.wrapping_sub(self.since) < u32::from(self.timing.resend) => return None,
            _ if self.tries < self.timing.tries => {
                self.transmit(now, sink);
                return None;
            }
            flight => {
                match flight {
                    Flight::Request => self.request = None,
                    _ => self.known = Known::Unsure,
                }
                self.flight = Flight::None;
                return Some(Event::Unanswered(self.awaited.acknowledged()));
            }
        }
        self.awaited = Command::FROM_DEVICE_ACK;
        // A report that is due goes before a second request in a row. Otherwise an application that always
        // has a request would prevent reports.
        let reports = (self.request.is_none() || self.requested) && self.is_due(now, &values);
        self.flight = match self.request {
            _ if reports => {
                M::keep(&mut self.state, &values);
                self.known = Known::All;
                Flight::Report
            }
            Some(request) => {
                self.awaited = request.command.ack();
                Flight::Request
            }
            None => return event,
        };
        self.requested = !reports;
        self.tries = 0;
        // Sequence numbers end at 0xfe, because some modules do not stuff a sequence number of 0xff.
        self.sn = if self.sn >= 0xfe {
            0
        } else {
            self.sn.wrapping_add(1)
        };
        self.transmit(now, sink);
        event
    }

    /// Returns whether a report is due, and chooses its points.
    fn is_due(&mut self, now: u32, values: &M::Values) -> bool {
        let since = |then| now.wrapping_sub(then);
        let measured = since(self.reported) >= u32::from(self.timing.measured);
        // Asked first, so that the call is there once: a compiler repeats the code behind it for each arm.
        let changed = M::differs(&self.state, values, measured);
        let all = match self.known {
            Known::Nothing => true,
            Known::Unsure => measured,
            Known::All => since(self.complete) >= self.timing.full,
        };
        if !all && !changed {
            return false;
        }
        let all = all || self.known != Known::All;
        self.reported = now;
        if M::choose(&mut self.state, values, all) {
            self.complete = now;
        }
        true
    }

    /// Sends the frame in flight.
    fn transmit(&mut self, now: u32, sink: &mut dyn FnMut(u8)) {
        self.since = now;
        self.tries = self.tries.wrapping_add(1);
        let request = match self.flight {
            Flight::Request => self.request,
            _ => None,
        };
        let Some(Request { command, argument }) = request else {
            return M::report(&mut self.state, self.sn, sink);
        };
        let data = match command {
            Command::FROM_DEVICE => self.outbox.get(..usize::from(self.outbox_len)),
            _ => None,
        };
        write(
            command,
            self.sn,
            &[argument.as_slice(), data.unwrap_or(&[])],
            sink,
        );
    }

    /// Returns the time in ms until the next [`poll`](Self::poll) is due, unless bytes are received or the
    /// status changes before.
    pub fn wait(&self, now: u32) -> u32 {
        let left = |then, time: u32| time.saturating_sub(now.wrapping_sub(then));
        match (self.flight, self.request, self.known) {
            (Flight::None, Some(_), _) | (Flight::None, _, Known::Nothing) => 0,
            (Flight::None, None, Known::Unsure) => left(self.reported, self.timing.measured.into()),
            (Flight::None, None, Known::All) => {
                // Measured values may have changed since the last report, and wait for this time.
                let measured = left(self.reported, self.timing.measured.into());
                let full = left(self.complete, self.timing.full);
                if measured > 0 {
                    measured.min(full)
                } else {
                    full
                }
            }
            _ => left(self.since, self.timing.resend.into()),
        }
    }
}

/// Returns the event of an awaited acknowledgement.
#[inline(always)]
fn acknowledged<M: Device>(command: Command, payload: &[u8]) -> Event<'_, M> {
    match command {
        Command::TIME_ACK => match payload.try_into() {
            Ok(time) => Event::Time(Time(time)),
            Err(_) => Event::Refused(payload),
        },
        Command::MODULE_ACK => match payload.try_into() {
            Ok(module) => Event::Module(ModuleInfo(module)),
            Err(_) => Event::Refused(payload),
        },
        ack => Event::Acked(ack.acknowledged()),
    }
}

/// Rejects a frame of the module as illegal.
#[cold]
fn refuse(sn: u8, illegal: Illegal, sink: &mut dyn FnMut(u8)) {
    answer(Command::ILLEGAL, sn, &[illegal.0], sink);
}

/// Acknowledges a frame of the module.
// Not inlined, because a compiler repeats the call for most commands.
#[inline(never)]
fn answer(command: Command, sn: u8, payload: &[u8], sink: &mut dyn FnMut(u8)) {
    write(command.ack(), sn, &[payload], sink);
}
