//! The MCU's side of the serial line, without a clock or a port: bytes and milliseconds in, bytes and
//! events out (vendor: UART protocol, and the code that its MCU generator writes).
//!
//! [`Link::receive`] takes the bytes of the module one by one, answers its frames, and returns events.
//! [`Link::poll`] sends what is due: a report where the status has changed, requests, and both again
//! where nobody answered. Bytes go into a sink of the caller's, one frame at a time; one that is full
//! may drop them, since what is lost is sent again.

use core::marker::PhantomData;

use crate::bits;
use crate::error::{Error, ErrorKind, PointId};
use crate::frame::uart::{
    Command, ConfigMode, Decoder, DeviceInfo, Event as Line, Frame, Illegal, MAX_PAYLOAD,
    ModuleInfo, ModuleStatus, OVERHEAD, Time, write,
};
use crate::layout::Protocol;
use crate::message::{Action, Wanted};
use crate::model::{self, DefaultPolicy, Model, Policy, Update};

/// An event of the line: what the module sent, or did not acknowledge.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'b, M: Model> {
    /// A control. It is acknowledged; a report follows once the status has changed.
    /// [`Update::apply`] leaves out the points whose value is invalid, and names them.
    Control(Update<'b, M>),
    /// Bytes that the protocol does not look into.
    Transparent(&'b [u8]),
    /// The module's connections.
    Status(ModuleStatus),
    /// The module wants the MCU to restart; vendor code does so after 600 ms.
    Reboot,
    /// The module found a frame of ours illegal.
    Illegal(Illegal),
    /// The answer to [`Request::TIME`].
    Time(Time<'b>),
    /// The answer to [`Request::module`].
    Module(ModuleInfo<'b>),
    /// A request or report that was acknowledged.
    Acked(Command),
    /// A request or report that nobody acknowledged, as often as it was sent.
    Unanswered(Command),
    /// A frame for the application to answer with [`Link::answer`]: big data, transactions,
    /// sub-devices.
    Frame(Frame<'b>),
    /// The payload of a frame that was refused: the module was told that it is illegal, or its answer is not
    /// one. Of a P0, [`P0::parse`](crate::P0::parse) says why.
    Refused(&'b [u8]),
    /// The set of points whose value in the status is invalid has changed; [`Link::invalid`] lists them.
    /// Replies and reports go on: they hold the values that the [`Policy`] puts in their place.
    Invalid,
}

#[cfg(feature = "defmt")]
impl<M: Model> defmt::Format for Event<'_, M> {
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

    /// Forget network and owner.
    pub const RESET: Request = Request::new(Command::RESET, None);
    /// Enter the factory test.
    pub const TEST: Request = Request::new(Command::TEST, None);
    /// Open the window in which the device can be bound.
    pub const BIND: Request = Request::new(Command::BIND, None);
    /// Ask for the time: [`Event::Time`].
    pub const TIME: Request = Request::new(Command::TIME, None);
    /// Restart.
    pub const REBOOT: Request = Request::new(Command::MODULE_REBOOT, None);
    /// The bytes of [`Link::send`], behind the action of transparent ones.
    const SEND: Request = Request::new(Command::FROM_DEVICE, Some(0x06));

    /// Let a phone configure the network.
    pub const fn configure(mode: ConfigMode) -> Self {
        Request::new(Command::CONFIGURE, Some(mode.code()))
    }

    /// Ask a module of this kind, 0 for Wi-Fi and 1 for mobile, to describe itself: [`Event::Module`].
    pub const fn module(kind: u8) -> Self {
        Request::new(Command::MODULE, Some(kind))
    }
}

/// The request before is still on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Busy;

impl core::fmt::Display for Busy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the request before is still on its way")
    }
}

impl core::error::Error for Busy {}

/// Waiting times, in ms, and the number of tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Timing {
    /// The time in ms to wait for an acknowledgement.
    pub resend: u16,
    /// The number of times that a frame is sent at most.
    pub tries: u8,
    /// The time in ms from one report to the next if only measured values have changed, and to the next try
    /// if a report was not acknowledged.
    pub measured: u16,
    /// The time in ms from one report of all points to the next.
    pub full: u32,
}

impl Timing {
    /// The values of the vendor's code: 200 ms, 3 times, 6 s, 600 s.
    pub const VENDOR: Timing = Timing {
        resend: 200,
        tries: 3,
        measured: 6_000,
        full: 600_000,
    };
}

/// A module resends within this time, in ms: the same control with the same number is the same one.
const REPEAT: u32 = 1_000;

/// The frame that waits for its acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flight {
    None,
    Report,
    Request,
}

/// The module's knowledge of the values that were sent last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// No values were sent.
    Nothing,
    /// The last values were not acknowledged.
    Unsure,
    /// The last values were acknowledged, or may still be.
    All,
}

/// The MCU's side of a line.
///
/// The code generator writes the model; `status` is a struct of the application's.
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
/// # }
/// use gizwits_codec_core::link::{Event, Link};
/// use gizwits_codec_core::model::Model;
/// use gizwits_codec_core::uart::DeviceInfo;
///
/// static INFO: DeviceInfo = DeviceInfo::new(Lamp::PRODUCT_KEY);
///
/// let mut buffer = [0; 64];
/// let mut link: Link<Lamp> = Link::new(&INFO, &mut buffer);
/// let (mut status, mut sent) = (false, Vec::new());
/// let mut sink = |byte| sent.push(byte);
/// let now = 0; // a clock's milliseconds
/// for byte in *b"\xff\xff\0\x08\x03\x01\0\0\x01\x01\x01\x0f" {
///     if let Some(Event::Control(update)) = link.receive(byte, now, &mut sink) {
///         update.apply(&mut status, |point, why| eprintln!("{point:?} is not set: {why}"));
///     }
/// }
/// let _ = link.poll(now, &status, &mut sink);
/// let (ack, report) = (b"\xff\xff\0\x05\x04\x01\0\0\x0a", b"\xff\xff\0\x07\x05\0\0\0\x04\x01\x11");
/// assert_eq!(sent, [&ack[..], report].concat());
/// ```
#[derive(Debug)]
#[must_use]
pub struct Link<'b, M: Model, P = DefaultPolicy> {
    decoder: Decoder<'b>,
    info: &'b DeviceInfo,
    outbox: &'b mut [u8],
    outbox_len: u16,
    /// How long to wait, and how often to try.
    pub timing: Timing,
    /// The values of the last report, and the points that it has.
    sent: M::Values,
    mask: M::Mask,
    known: Known,
    /// The points that are invalid, as far as the application knows.
    invalid: M::Points,
    /// The read that is to be answered, and the points that it wants.
    read: Option<u8>,
    wanted: M::Mask,
    request: Option<Request>,
    /// Whether the last frame of its own was a request.
    requested: bool,
    flight: Flight,
    awaited: Command,
    /// The number of the frame that waits, the times it was sent, and when it was sent last.
    sn: u8,
    tries: u8,
    since: u32,
    /// When the last report was sent, and the last one of everything.
    reported: u32,
    complete: u32,
    /// Number and sum of the last P0 that was acted on, as 16 bits, and when.
    last: u32,
    acted: u32,
    policy: PhantomData<P>,
}

impl<'b, M: Model, P: Policy> Link<'b, M, P> {
    /// A link that reports its status at the first [`poll`](Self::poll).
    ///
    /// `buffer` holds a frame of the module's while it comes in: [`room`](Self::room) says how long it
    /// should be.
    pub fn new(info: &'b DeviceInfo, buffer: &'b mut [u8]) -> Self {
        Link {
            decoder: Decoder::new(buffer),
            info,
            outbox: &mut [],
            outbox_len: 0,
            timing: Timing::VENDOR,
            sent: M::VALUES,
            mask: M::MASK,
            known: Known::Nothing,
            invalid: M::POINTS,
            read: None,
            wanted: M::MASK,
            request: None,
            requested: false,
            flight: Flight::None,
            awaited: Command::FROM_DEVICE_ACK,
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

    /// Returns the link with room for the bytes of [`send`](Self::send).
    pub fn with_outbox(mut self, outbox: &'b mut [u8]) -> Self {
        let most = outbox.len().min(MAX_PAYLOAD.saturating_sub(1));
        self.outbox = outbox.get_mut(..most).unwrap_or(&mut []);
        self
    }

    /// The bytes that a buffer needs for controls, reads and everything that the module tells of itself.
    pub const fn room() -> usize {
        let control = M::LAYOUT.p0_len(Action::Control);
        let longest = if control > 65 { control } else { 65 };
        longest.saturating_add(Decoder::OVERHEAD)
    }

    /// Asks something of the module. [`poll`](Self::poll) sends it when the line is free.
    ///
    /// # Errors
    /// [`Busy`]: until the request before was acknowledged or given up.
    pub fn request(&mut self, request: Request) -> Result<(), Busy> {
        match self.request {
            Some(_) => Err(Busy),
            None => {
                self.request = Some(request);
                Ok(())
            }
        }
    }

    /// Sends bytes that the protocol does not look into, as a request that the outbox keeps until it is
    /// acknowledged.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfSpace`] if the outbox is shorter, or if the request before is still on its way:
    /// then `needed` is 0.
    pub fn send(&mut self, data: &[u8]) -> Result<(), Error> {
        let full = |needed| Error::new(ErrorKind::OutOfSpace { needed });
        if self.request.is_some() {
            return Err(full(0));
        }
        let Some(room) = self.outbox.get_mut(..data.len()) else {
            return Err(full(data.len() as u32));
        };
        bits::copy(room, data);
        self.outbox_len = data.len() as u16;
        self.request = Some(Request::SEND);
        Ok(())
    }

    /// Answers a frame that [`Event::Frame`] handed over, with at most [`MAX_PAYLOAD`] bytes.
    pub fn answer(&mut self, command: Command, sn: u8, payload: &[u8], sink: &mut dyn FnMut(u8)) {
        write(command.ack(), sn, &[payload], sink);
    }

    /// Takes a byte from the module at a time in ms, answers the frame that the byte completes, and returns
    /// the event of that frame.
    pub fn receive(
        &mut self,
        byte: u8,
        now: u32,
        sink: &mut dyn FnMut(u8),
    ) -> Option<Event<'_, M>> {
        let sum = self.decoder.sum();
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
            // A sub-device's.
            return Some(Event::Frame(frame));
        }
        if self.flight != Flight::None && command == self.awaited && sn == self.sn {
            if self.flight == Flight::Request {
                self.request = None;
            }
            self.flight = Flight::None;
            return Some(acknowledged(command, payload));
        }
        let mut answer: &[u8] = &[];
        let mut event = None;
        let mut wrong = None;
        match command {
            Command::INFO => answer = self.info.bytes(),
            Command::HEARTBEAT => {}
            Command::STATUS => match payload {
                &[high, low] => {
                    event = Some(Event::Status(ModuleStatus(u16::from_be_bytes([high, low]))));
                }
                _ => wrong = Some(Illegal::OTHER),
            },
            Command::REBOOT => event = Some(Event::Reboot),
            Command::TO_DEVICE => {
                event = match payload {
                    [0x71..=0x73, ..] => return Some(Event::Frame(frame)),
                    [action, ..]
                        if *action == const { Action::Read.code(M::LAYOUT.protocol()) }
                            && model::read::<M>(payload, &mut self.wanted) =>
                    {
                        self.read = Some(sn);
                        return None;
                    }
                    [0x05, data @ ..] => Some(Event::Transparent(data)),
                    _ => model::update(payload)
                        .filter(|update| !P::REFUSE_CONTROLS || update.is_valid())
                        .map(Event::Control),
                };
                if event.is_none() {
                    wrong = Some(Illegal::OTHER);
                } else {
                    // The acknowledgement may have been lost, but not what it acknowledged.
                    let this = u32::from(u16::from_be_bytes([sn, sum]));
                    if self.last == this && now.wrapping_sub(self.acted) < REPEAT {
                        event = None;
                    }
                    self.last = this;
                    self.acted = now;
                }
            }
            Command::ILLEGAL => return Some(Event::Illegal(Illegal(*payload.first()?))),
            // An acknowledgement that nobody waits for any more.
            Command(0x02..=0x18 | 0x22 | 0x2a) if command.0 & 1 == 0 => return None,
            _ if command.is_known() => return Some(Event::Frame(frame)),
            _ => wrong = Some(Illegal::COMMAND),
        }
        if let Some(illegal) = wrong {
            refuse(sn, illegal, sink);
            return Some(Event::Refused(payload));
        }
        write(command.ack(), sn, &[answer], sink);
        event
    }

    /// Sends what is due at a time in ms, at most an answer and one frame. Returns the request or report
    /// that was given up, or the points of the status that are invalid, if they have become others.
    ///
    /// Call it when bytes have come in, when the status may have changed, and when the time of
    /// [`wait`](Self::wait) has passed. There should be room in the sink for
    /// [`longest`](Self::longest) bytes.
    pub fn poll(
        &mut self,
        now: u32,
        status: &M::Status,
        sink: &mut dyn FnMut(u8),
    ) -> Option<Event<'static, M>> {
        let (mut values, mut invalid) = (M::VALUES, M::POINTS);
        M::encode::<P>(status, &self.sent, &mut values, &mut |point, _| {
            if let Some(word) = invalid.as_mut().get_mut(usize::from(point.0 / 32)) {
                *word |= 1_u32.wrapping_shl(u32::from(point.0 % 32));
            }
        });
        if let Some(sn) = self.read.take() {
            let head = (Command::TO_DEVICE_ACK, sn);
            model::write::<M>(sink, head, Action::Reply, &self.wanted, &values);
        }
        let changed = self.invalid != invalid;
        self.invalid = invalid;
        let event = changed.then_some(Event::Invalid);
        match self.flight {
            Flight::None => {}
            // It waits for the next call, which may have an event of its own.
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
                return Some(Event::Unanswered(self.awaited.request()));
            }
        }
        self.awaited = Command::FROM_DEVICE_ACK;
        // A report that is due comes before a second request in a row: an application may always have one.
        let reports = (self.request.is_none() || self.requested) && self.is_due(now, &values);
        self.flight = match self.request {
            _ if reports => {
                self.sent = values;
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
        // Modules are known that don't stuff an sn of 0xff.
        self.sn = if self.sn >= 0xfe {
            0
        } else {
            self.sn.wrapping_add(1)
        };
        self.transmit(now, sink);
        event
    }

    /// Whether a report is due; of a var_len product which points it has.
    fn is_due(&mut self, now: u32, values: &M::Values) -> bool {
        let since = |then| now.wrapping_sub(then);
        let measured = since(self.reported) >= u32::from(self.timing.measured);
        let all = match self.known {
            Known::Nothing => true,
            Known::Unsure => measured,
            Known::All => since(self.complete) >= self.timing.full,
        };
        let (old, new) = (self.sent.as_ref(), values.as_ref());
        let changed = old.iter().zip(new).enumerate().any(|(at, (old, new))| {
            old != new
                && (measured
                    || !M::MEASURED
                        .iter()
                        .any(|(from, to)| (*from..*to).contains(&at)))
        });
        if !all && !changed {
            return false;
        }
        let all = all || self.known != Known::All;
        if let Protocol::VarLen = const { M::LAYOUT.protocol() } {
            let mask = self.mask.as_mut();
            mask.fill(0);
            match all {
                true => Wanted::all(M::LAYOUT.points()).put_into(mask),
                false => model::changed(M::LAYOUT, old, new, mask),
            }
        }
        self.reported = now;
        if all || matches!(const { M::LAYOUT.protocol() }, Protocol::Standard) {
            self.complete = now;
        }
        true
    }

    /// Sends what is in flight.
    fn transmit(&mut self, now: u32, sink: &mut dyn FnMut(u8)) {
        self.since = now;
        self.tries = self.tries.wrapping_add(1);
        let request = match self.flight {
            Flight::Request => self.request,
            _ => None,
        };
        let Some(Request { command, argument }) = request else {
            let head = (Command::FROM_DEVICE, self.sn);
            return model::write::<M>(sink, head, Action::Report, &self.mask, &self.sent);
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

    /// The points whose value in the status was invalid at the last [`poll`](Self::poll), in the order of
    /// their ids: an enum index without a label, a number outside its limits or between two steps.
    /// [`model::encode`] says which rule the first of them breaks.
    pub fn invalid(&self) -> impl Iterator<Item = PointId> {
        let words = self.invalid.as_ref();
        let points = (0..const { M::LAYOUT.points() }).map(PointId);
        points.filter(|point| {
            let word = words.get(usize::from(point.0 / 32));
            word.is_some_and(|word| word.wrapping_shr(u32::from(point.0 % 32)) & 1 == 1)
        })
    }

    /// How long nothing is due, in ms, as long as no bytes come in and the status stays as it is.
    pub fn wait(&self, now: u32) -> u32 {
        let left = |then, time: u32| time.saturating_sub(now.wrapping_sub(then));
        match (self.flight, self.request, self.known) {
            (Flight::None, Some(_), _) | (Flight::None, _, Known::Nothing) => 0,
            (Flight::None, None, Known::Unsure) => left(self.reported, self.timing.measured.into()),
            (Flight::None, None, Known::All) => {
                // Measured values may have changed already.
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

    /// The most bytes that one call puts into the sink, stuffing included.
    pub const fn longest() -> usize {
        let report = M::LAYOUT.p0_len(Action::Report);
        let info = 106;
        // An answer and a report, or the device's description.
        let two = report.saturating_add(OVERHEAD).saturating_mul(4);
        let one = OVERHEAD.saturating_add(info).saturating_mul(2);
        if two > one { two } else { one }
    }
}

/// The event of an acknowledgement that was waited for.
#[inline(always)]
fn acknowledged<M: Model>(command: Command, payload: &[u8]) -> Event<'_, M> {
    match command {
        Command::TIME_ACK => match payload.try_into() {
            Ok(time) => Event::Time(Time(time)),
            Err(_) => Event::Refused(payload),
        },
        Command::MODULE_ACK => match payload.try_into() {
            Ok(module) => Event::Module(ModuleInfo(module)),
            Err(_) => Event::Refused(payload),
        },
        ack => Event::Acked(ack.request()),
    }
}

/// Tells the module that its frame is illegal.
#[cold]
fn refuse(sn: u8, illegal: Illegal, sink: &mut dyn FnMut(u8)) {
    write(Command::ILLEGAL_ACK, sn, &[&[illegal.0]], sink);
}
