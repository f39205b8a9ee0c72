//! The UART frame between an MCU and its Wi-Fi module, 9600 8N1 (vendor: UART protocol).
//!
//! ```text
//! ff ff | length, 2 | command | sn | flags, 2 | payload | checksum
//! ```
//!
//! The length counts from the command to the checksum; the checksum is the low byte of the sum of all
//! that stands between the header and itself. On the wire every ff behind the header is followed by a
//! 55, which neither counts:
//!
//! ```text
//! frame     ff ff 00 09 05 ff    00 00 04 ff    ff    55 64
//! wire      ff ff 00 09 05 ff 55 00 00 04 ff 55 ff 55 55 64
//! ```
//!
//! So ff ff is a header wherever it stands, and a frame that arrives whole is found whatever came
//! before it. [`Decoder`] eats bytes, [`parse`] a slice, [`Writer`] writes into any sink.

use crate::error::{Error, ErrorKind};
use crate::view::other_length;

/// What a byte of the value 0xff is followed by.
const STUFFING: u8 = 0x55;
/// What a frame has beside its payload, before stuffing.
pub const OVERHEAD: usize = 9;
/// The longest payload: a length may not begin with 0xff, which would stand next to the header.
pub const MAX_PAYLOAD: usize = 0xfeff - 5;

/// A command. An acknowledgement has the number behind that of its request.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Command(pub u8);

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        impl Command {
            $($(#[$doc])* pub const $name: Command = Command($code);)*

            /// The name of its constant; `None` of a command that nothing is known of.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    /// Module: what device is this?
    INFO = 0x01;
    /// The answer: a [`DeviceInfo`].
    INFO_ACK = 0x02;
    /// Module: a P0 to the device.
    TO_DEVICE = 0x03;
    /// Its acknowledgement; of a read with a P0.
    TO_DEVICE_ACK = 0x04;
    /// MCU: a P0 from the device.
    FROM_DEVICE = 0x05;
    /// Its acknowledgement.
    FROM_DEVICE_ACK = 0x06;
    /// Module: are you there? Every 55 s; three misses reset the module.
    HEARTBEAT = 0x07;
    /// Its acknowledgement.
    HEARTBEAT_ACK = 0x08;
    /// MCU: let a phone configure the network: a [`ConfigMode`].
    CONFIGURE = 0x09;
    /// Its acknowledgement.
    CONFIGURE_ACK = 0x0a;
    /// MCU: forget network and owner.
    RESET = 0x0b;
    /// Its acknowledgement.
    RESET_ACK = 0x0c;
    /// Module: a [`ModuleStatus`].
    STATUS = 0x0d;
    /// Its acknowledgement.
    STATUS_ACK = 0x0e;
    /// Module: MCU, restart.
    REBOOT = 0x0f;
    /// Its acknowledgement.
    REBOOT_ACK = 0x10;
    /// Module: a frame of the MCU was illegal: an [`Illegal`].
    ILLEGAL = 0x11;
    /// MCU: a frame of the module was illegal: an [`Illegal`], and the sn of that frame.
    ILLEGAL_ACK = 0x12;
    /// MCU: enter the factory test.
    TEST = 0x13;
    /// Its acknowledgement.
    TEST_ACK = 0x14;
    /// MCU: open the window in which the device can be bound.
    BIND = 0x15;
    /// Its acknowledgement.
    BIND_ACK = 0x16;
    /// MCU: what time is it?
    TIME = 0x17;
    /// The answer: a [`Time`].
    TIME_ACK = 0x18;
    /// Big data, such as firmware: may it be sent?
    TRANSFER_ASK = 0x19;
    /// Its acknowledgement.
    TRANSFER_ASK_ACK = 0x1a;
    /// Big data: ready to receive.
    TRANSFER_READY = 0x1b;
    /// Its acknowledgement.
    TRANSFER_READY_ACK = 0x1c;
    /// Big data: a piece of it.
    TRANSFER_DATA = 0x1d;
    /// Its acknowledgement.
    TRANSFER_DATA_ACK = 0x1e;
    /// Big data: the sender stops.
    TRANSFER_SENDER_STOP = 0x1f;
    /// Its acknowledgement.
    TRANSFER_SENDER_STOP_ACK = 0x20;
    /// MCU: what module is this?
    MODULE = 0x21;
    /// The answer: a [`ModuleInfo`].
    MODULE_ACK = 0x22;
    /// A transaction.
    TRANSACTION = 0x23;
    /// Its acknowledgement.
    TRANSACTION_ACK = 0x24;
    /// A transaction's result.
    TRANSACTION_RESULT = 0x25;
    /// Its acknowledgement.
    TRANSACTION_RESULT_ACK = 0x26;
    /// Big data: the receiver stops.
    TRANSFER_RECEIVER_STOP = 0x27;
    /// Its acknowledgement.
    TRANSFER_RECEIVER_STOP_ACK = 0x28;
    /// MCU: module, restart.
    MODULE_REBOOT = 0x29;
    /// Its acknowledgement.
    MODULE_REBOOT_ACK = 0x2a;
    /// The first of the commands of virtual sub-devices.
    VIRTUAL_FIRST = 0x2d;
    /// The last of them.
    VIRTUAL_LAST = 0x3c;
    /// The first of the commands that register a light gateway's sub-devices.
    GATEWAY_FIRST = 0x53;
    /// The last of them.
    GATEWAY_LAST = 0x55;
}

impl Command {
    /// The command that acknowledges this one.
    #[inline]
    #[must_use]
    pub const fn ack(self) -> Command {
        Command(self.0.wrapping_add(1))
    }

    /// The command that this one acknowledges, if it does.
    #[inline]
    #[must_use]
    pub const fn request(self) -> Command {
        Command(self.0.wrapping_sub(1))
    }

    /// Whether the protocol knows it.
    #[must_use]
    pub const fn is_known(self) -> bool {
        matches!(self.0, 0x01..=0x2a | 0x2d..=0x3c | 0x53..=0x55)
    }
}

impl core::fmt::Debug for Command {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#04x}", self.0),
        }
    }
}

/// One UART frame, without its stuffing.
///
/// ```
/// use gizwits_codec_core::uart::{self, Command, Frame};
///
/// let frame = Frame { command: Command::FROM_DEVICE, sn: 0xff, flags: 0, payload: b"\x04\xff\xff\x55" };
/// let mut wire = [0; 32];
/// let len = frame.encode(&mut wire)?;
/// let expected = b"\xff\xff\0\x09\x05\xff\x55\0\0\x04\xff\x55\xff\x55\x55\x64";
/// assert_eq!(&wire[..len], expected);
///
/// let mut buffer = [0; 32];
/// assert_eq!(uart::parse(expected, &mut buffer)?, (frame, &[][..]));
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Frame<'b> {
    /// What the payload is.
    pub command: Command,
    /// The sequence number; an acknowledgement has that of its request.
    pub sn: u8,
    /// Bit 0: the payload begins with the length of a sub-device's did and the did.
    pub flags: u16,
    /// Up to [`MAX_PAYLOAD`] bytes.
    pub payload: &'b [u8],
}

impl Frame<'_> {
    /// Writes the frame into a sink, byte by byte as it goes over the wire.
    ///
    /// A payload of more than [`MAX_PAYLOAD`] bytes makes a frame that nobody can read;
    /// [`encode`](Self::encode) refuses it.
    #[inline]
    pub fn write(&self, sink: impl FnMut(u8)) {
        let mut writer = Writer::begin(sink, self.command, self.sn, self.flags, self.payload.len());
        writer.put(self.payload);
        writer.end();
    }

    /// Writes the frame, as it goes over the wire, to the head of `out` and returns its length.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfSpace`]; [`ErrorKind::FrameLimit`] for a payload of more than
    /// [`MAX_PAYLOAD`] bytes.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Error> {
        if self.payload.len() > MAX_PAYLOAD {
            return Err(Error::new(ErrorKind::FrameLimit));
        }
        let room = out.len();
        let (mut slots, mut len) = (out.iter_mut(), 0_usize);
        self.write(|byte| {
            len = len.saturating_add(1);
            if let Some(slot) = slots.next() {
                *slot = byte;
            }
        });
        match len <= room {
            true => Ok(len),
            false => {
                let needed = len as u32;
                Err(Error::new(ErrorKind::OutOfSpace { needed }))
            }
        }
    }
}

/// Writes one frame into a sink, its payload in pieces.
#[derive(Debug)]
pub struct Writer<F: FnMut(u8)> {
    sink: F,
    sum: u8,
}

impl<F: FnMut(u8)> Writer<F> {
    /// Writes the head of a frame whose payload will be `len` bytes long, at most [`MAX_PAYLOAD`].
    #[inline]
    #[must_use = "a frame has an end"]
    pub fn begin(mut sink: F, command: Command, sn: u8, flags: u16, len: usize) -> Self {
        sink(0xff);
        sink(0xff);
        let mut writer = Writer { sink, sum: 0 };
        let [high, low] = (len as u16).wrapping_add(5).to_be_bytes();
        let [flags_high, flags_low] = flags.to_be_bytes();
        writer.put(&[high, low, command.0, sn, flags_high, flags_low]);
        writer
    }

    /// Writes a piece of the payload.
    pub fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.sum = self.sum.wrapping_add(*byte);
            self.stuffed(*byte);
        }
    }

    /// Writes the checksum.
    #[inline]
    pub fn end(mut self) {
        self.stuffed(self.sum);
    }

    #[inline]
    fn stuffed(&mut self, byte: u8) {
        (self.sink)(byte);
        if byte == 0xff {
            (self.sink)(STUFFING);
        }
    }
}

/// Writes a frame whose payload comes in two pieces: one function for all that a link sends.
pub(crate) fn write(command: Command, sn: u8, parts: (&[u8], &[u8]), sink: &mut dyn FnMut(u8)) {
    let len = parts.0.len().wrapping_add(parts.1.len());
    let mut writer = Writer::begin(sink, command, sn, 0, len);
    writer.put(parts.0);
    writer.put(parts.1);
    writer.end();
}

/// What a [`Decoder`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Event<'b> {
    /// A frame.
    Frame(Frame<'b>),
    /// A frame whose checksum is wrong.
    Corrupt {
        /// What it says its number is.
        sn: u8,
    },
    /// A frame, or noise, that says it is longer than the buffer has room for.
    TooLong {
        /// The bytes that its payload would have.
        payload: u16,
    },
}

/// Eats a stream byte by byte, over a buffer of the caller's.
///
/// Noise, and frames that are cut, are skipped; ff ff begins a new frame wherever it stands. Modules
/// are known that don't stuff the last byte of a frame: one that is ff is taken without its 55.
///
/// ```
/// use gizwits_codec_core::uart::{Command, Decoder, Event};
///
/// let mut buffer = [0; 32];
/// let mut decoder = Decoder::new(&mut buffer);
/// let mut wire = &b"noise\xff\xff\0\x05\x07\x02\0\0\x0e"[..];
/// let Some(Event::Frame(frame)) = decoder.next_event(&mut wire) else { panic!() };
/// assert_eq!((frame.command, frame.sn), (Command::HEARTBEAT, 2));
/// assert!(wire.is_empty());
/// ```
#[derive(Debug)]
pub struct Decoder<'o> {
    /// The content of a frame, from its command to the end of its payload.
    buffer: &'o mut [u8],
    /// How many bytes behind the header there were, or will be: from the length to the checksum.
    at: u16,
    end: u16,
    sum: u8,
    /// The last byte was an ff of which nothing is known yet.
    ff: bool,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Outside,
    Length,
    Content,
}

/// What a byte brought about. Small, since every byte hands one over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    None,
    Frame,
    Corrupt,
    TooLong,
}

impl<'o> Decoder<'o> {
    /// What a buffer has room for beside a payload.
    pub const OVERHEAD: usize = 4;

    /// A decoder of frames whose payload is up to [`OVERHEAD`](Self::OVERHEAD) bytes shorter than the
    /// buffer.
    #[must_use]
    pub const fn new(buffer: &'o mut [u8]) -> Self {
        Decoder {
            buffer,
            at: 0,
            end: 0,
            sum: 0,
            ff: false,
            place: Place::Outside,
        }
    }

    /// Takes the next byte; returns what it completes.
    #[inline]
    pub fn push(&mut self, byte: u8) -> Option<Event<'_>> {
        let step = self.step(byte);
        self.event(step)
    }

    /// Takes bytes off the head of `bytes` up to the next event; without one all of them.
    pub fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event<'_>> {
        let mut step = Step::None;
        while step == Step::None
            && let Some((byte, rest)) = bytes.split_first()
        {
            *bytes = rest;
            step = self.step(*byte);
        }
        self.event(step)
    }

    /// Whether the bytes so far end within a frame.
    #[must_use]
    pub const fn is_within(&self) -> bool {
        !matches!(self.place, Place::Outside)
    }

    /// The sum of the frame's bytes so far; before the last one, its checksum.
    pub(crate) const fn sum(&self) -> u8 {
        self.sum
    }

    fn event(&self, step: Step) -> Option<Event<'_>> {
        match step {
            Step::None => None,
            Step::TooLong => Some(Event::TooLong {
                payload: self.end.wrapping_sub(6),
            }),
            _ => {
                let content = self.buffer.get(..usize::from(self.end.wrapping_sub(2)));
                let &[command, sn, high, low, ref payload @ ..] = content? else {
                    return None;
                };
                Some(match step {
                    Step::Corrupt => Event::Corrupt { sn },
                    _ => Event::Frame(Frame {
                        command: Command(command),
                        sn,
                        flags: u16::from_be_bytes([high, low]),
                        payload,
                    }),
                })
            }
        }
    }

    fn step(&mut self, mut byte: u8) -> Step {
        let ff = self.ff;
        self.ff = byte == 0xff;
        if self.ff {
            // Two are a header. So is a third: there the last two are it.
            if ff || self.place == Place::Length && self.at == 0 {
                self.place = Place::Length;
                self.at = 0;
                self.sum = 0;
                self.ff = false;
                return Step::None;
            }
            // What it is, the next one says; the last one of a frame has none that it waits for.
            if self.place != Place::Content || self.at != self.end {
                return Step::None;
            }
        } else if ff && self.place != Place::Outside {
            if byte != STUFFING {
                self.place = Place::Outside;
                return Step::None;
            }
            byte = 0xff;
        }
        match self.place {
            Place::Outside => return Step::None,
            Place::Length => {
                let last = self.at == 1;
                self.end = self.end.wrapping_shl(8) | u16::from(byte);
                if last {
                    // From the length, which is behind us, to the byte before the checksum.
                    let content = self.end.wrapping_sub(1);
                    self.end = self.end.wrapping_add(1);
                    self.place = match content {
                        4..0xfeff if usize::from(content) <= self.buffer.len() => Place::Content,
                        4..0xfeff => {
                            self.place = Place::Outside;
                            return Step::TooLong;
                        }
                        _ => Place::Outside,
                    };
                }
            }
            Place::Content => {
                if self.at == self.end {
                    self.place = Place::Outside;
                    return match self.sum == byte {
                        true => Step::Frame,
                        false => Step::Corrupt,
                    };
                }
                let at = usize::from(self.at.wrapping_sub(2));
                if let Some(slot) = self.buffer.get_mut(at) {
                    *slot = byte;
                }
            }
        }
        self.sum = self.sum.wrapping_add(byte);
        self.at = self.at.wrapping_add(1);
        Step::None
    }
}

/// Takes the frame at the head of `wire` off, its content without stuffing in `buffer`; returns it and
/// what follows. `buffer` is at least as long as the payload and 4 bytes.
///
/// # Errors
/// [`ErrorKind::Incomplete`] if more bytes may make it whole; [`ErrorKind::NotUart`] for other bytes
/// than a header; [`ErrorKind::FrameLength`] for a length that can't be;
/// [`ErrorKind::FrameLimit`] for one beyond the buffer; [`ErrorKind::Stuffing`] for an ff without its
/// 55, other than the last byte; [`ErrorKind::Checksum`]. `byte` is where it shows on the wire.
pub fn parse<'b, 'w>(wire: &'w [u8], buffer: &'b mut [u8]) -> Result<(Frame<'b>, &'w [u8]), Error> {
    let fail = |kind, rest: &[u8]| {
        let at = wire.len().saturating_sub(rest.len()).saturating_sub(1);
        Error::new(kind).at(at as u32)
    };
    let mut decoder = Decoder::new(buffer);
    let mut rest = wire;
    let mut header = 0_u8;
    let mut step = Step::None;
    while step == Step::None {
        let Some((byte, behind)) = rest.split_first() else {
            let missing = match decoder.place {
                Place::Content => {
                    u32::from(decoder.end.saturating_sub(decoder.at)).saturating_add(1)
                }
                // The least that a frame still needs.
                place => {
                    let at = if place == Place::Length {
                        decoder.at
                    } else {
                        0
                    };
                    (OVERHEAD as u32)
                        .saturating_sub(header.into())
                        .saturating_sub(at.into())
                }
            };
            let have = u32::try_from(wire.len()).unwrap_or(u32::MAX);
            return Err(Error::new(ErrorKind::Incomplete { missing }).at(have));
        };
        rest = behind;
        if header < 2 {
            header = header.saturating_add(1);
            if *byte != 0xff {
                return Err(fail(ErrorKind::NotUart, rest));
            }
        } else if (decoder.ff || decoder.at == 0) && *byte == 0xff {
            // A header within the frame: for a stream it begins the next one.
            return Err(fail(ErrorKind::Stuffing, rest));
        }
        let stuffed = decoder.ff;
        step = decoder.step(*byte);
        if header == 2 && decoder.place == Place::Outside && step == Step::None {
            return Err(match stuffed && *byte != STUFFING {
                true => fail(ErrorKind::Stuffing, rest),
                false => fail(ErrorKind::FrameLength, rest),
            });
        }
    }
    // The stuffing of the last byte.
    if decoder.ff
        && let Some((&STUFFING, behind)) = rest.split_first()
    {
        rest = behind;
    }
    match step {
        Step::Corrupt => return Err(fail(ErrorKind::Checksum, rest)),
        Step::TooLong => return Err(fail(ErrorKind::FrameLimit, rest)),
        _ => {}
    }
    let Decoder { buffer, end, .. } = decoder;
    match buffer.get(..usize::from(end.wrapping_sub(2))) {
        Some(&[command, sn, high, low, ref payload @ ..]) => {
            let frame = Frame {
                command: Command(command),
                sn,
                flags: u16::from_be_bytes([high, low]),
                payload,
            };
            Ok((frame, rest))
        }
        _ => Err(fail(ErrorKind::FrameLength, rest)),
    }
}

/// What the MCU says of itself.
///
/// ```
/// use gizwits_codec_core::uart::DeviceInfo;
///
/// static INFO: DeviceInfo = DeviceInfo::new(b"9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50")
///     .hardware(b"03000001")
///     .software(b"03000102");
/// assert_eq!(INFO.bytes().len(), 74);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    bytes: [u8; 106],
    secret: bool,
}

impl DeviceInfo {
    /// A device of this product, with versions `00000001`, without a time in which it must be bound
    /// after it started.
    #[must_use]
    pub const fn new(product_key: &[u8; 32]) -> Self {
        let info = DeviceInfo {
            bytes: [0; 106],
            secret: false,
        };
        info.with(0, b"0000000400000002")
            .hardware(b"00000001")
            .software(b"00000001")
            .with(32, product_key)
    }

    const fn with(mut self, at: usize, bytes: &[u8]) -> Self {
        if let Some((_, rest)) = self.bytes.split_at_mut_checked(at)
            && let Some((to, _)) = rest.split_at_mut_checked(bytes.len())
        {
            to.copy_from_slice(bytes);
        }
        self
    }

    /// The same with this version of its hardware.
    #[must_use]
    pub const fn hardware(self, version: &[u8; 8]) -> Self {
        self.with(16, version)
    }

    /// The same with this version of its software.
    #[must_use]
    pub const fn software(self, version: &[u8; 8]) -> Self {
        self.with(24, version)
    }

    /// The same, to be bound within so many seconds after it started; 0 is always.
    #[must_use]
    pub const fn bind_timeout(self, seconds: u16) -> Self {
        self.with(64, &seconds.to_be_bytes())
    }

    /// The same with these attributes: bit 0 a gateway, bit 1 as the vendor's code generator sets it.
    #[must_use]
    pub const fn attributes(self, attributes: u8) -> Self {
        self.with(73, &[attributes])
    }

    /// The same with the product's secret, which newer modules take.
    #[must_use]
    pub const fn secret(mut self, product_secret: &[u8; 32]) -> Self {
        self.secret = true;
        self.with(74, product_secret)
    }

    /// The payload.
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        match self.bytes.split_at_checked(74) {
            Some((short, _)) if !self.secret => short,
            _ => &self.bytes,
        }
    }

    /// The product key.
    #[must_use]
    pub fn product_key(&self) -> &[u8] {
        self.bytes.get(32..64).unwrap_or(&[])
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`], [`ErrorKind::Trailing`]: it has 74 bytes, or 106.
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        let mut info = DeviceInfo {
            bytes: [0; 106],
            secret: payload.len() > 74,
        };
        if payload.len() != info.bytes().len() {
            return Err(other_length(payload.len(), info.bytes().len()));
        }
        for (to, from) in info.bytes.iter_mut().zip(payload) {
            *to = *from;
        }
        Ok(info)
    }
}

/// How a phone tells the module its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ConfigMode {
    /// The module opens a network of its own.
    SoftAp,
    /// The phone broadcasts what it knows.
    AirLink,
    /// Any other.
    Unknown(u8),
}

impl ConfigMode {
    /// As it is sent.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            ConfigMode::SoftAp => 1,
            ConfigMode::AirLink => 2,
            ConfigMode::Unknown(code) => code,
        }
    }
}

impl From<u8> for ConfigMode {
    fn from(code: u8) -> Self {
        match code {
            1 => ConfigMode::SoftAp,
            2 => ConfigMode::AirLink,
            _ => ConfigMode::Unknown(code),
        }
    }
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Illegal(pub u8);

impl Illegal {
    /// Its checksum.
    pub const CHECKSUM: Illegal = Illegal(1);
    /// Its command is unknown.
    pub const COMMAND: Illegal = Illegal(2);
    /// Something else.
    pub const OTHER: Illegal = Illegal(3);
    /// A file of this type is not wanted.
    pub const FILE_TYPE: Illegal = Illegal(4);
}

/// How the module is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ModuleStatus(pub u16);

impl ModuleStatus {
    const fn bit(self, bit: u32) -> bool {
        self.0.wrapping_shr(bit) & 1 == 1
    }

    /// It has a network of its own.
    #[must_use]
    pub const fn soft_ap(self) -> bool {
        self.bit(0)
    }

    /// It is a station.
    #[must_use]
    pub const fn station(self) -> bool {
        self.bit(1)
    }

    /// A phone may configure it.
    #[must_use]
    pub const fn onboarding(self) -> bool {
        self.bit(2)
    }

    /// It may be bound.
    #[must_use]
    pub const fn binding(self) -> bool {
        self.bit(3)
    }

    /// It is connected to a router.
    #[must_use]
    pub const fn router(self) -> bool {
        self.bit(4)
    }

    /// It is connected to the cloud.
    #[must_use]
    pub const fn cloud(self) -> bool {
        self.bit(5)
    }

    /// The strength of the router's signal, 0 to 7.
    #[must_use]
    pub const fn rssi(self) -> u8 {
        (self.0.wrapping_shr(8) & 7) as u8
    }

    /// An app is online.
    #[must_use]
    pub const fn app(self) -> bool {
        self.bit(11)
    }

    /// It is in the factory test.
    #[must_use]
    pub const fn test(self) -> bool {
        self.bit(12)
    }
}

/// The time of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Time<'b>(pub(crate) &'b [u8; 11]);

impl<'b> Time<'b> {
    /// Reads the payload.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`], [`ErrorKind::Trailing`]: it has 11 bytes.
    pub fn parse(payload: &'b [u8]) -> Result<Self, Error> {
        let wrong = |_| other_length(payload.len(), 11);
        payload.try_into().map(Time).map_err(wrong)
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> u16 {
        let [high, low, ..] = *self.0;
        u16::from_be_bytes([high, low])
    }

    /// Month, from 1, and day.
    #[must_use]
    pub const fn date(self) -> (u8, u8) {
        let [_, _, month, day, ..] = *self.0;
        (month, day)
    }

    /// Hour, minute, second.
    #[must_use]
    pub const fn time(self) -> (u8, u8, u8) {
        let [_, _, _, _, hour, minute, second, ..] = *self.0;
        (hour, minute, second)
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn unix(self) -> u32 {
        let [.., a, b, c, d] = *self.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

/// What the module says of itself; text is padded with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ModuleInfo<'b>(pub(crate) &'b [u8; 65]);

impl<'b> ModuleInfo<'b> {
    /// Reads the payload.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`], [`ErrorKind::Trailing`]: it has 65 bytes.
    pub fn parse(payload: &'b [u8]) -> Result<Self, Error> {
        let wrong = |_| other_length(payload.len(), 65);
        payload.try_into().map(ModuleInfo).map_err(wrong)
    }

    fn part<const N: usize>(self, at: usize) -> &'b [u8; N] {
        let rest = self.0.get(at..).and_then(<[u8]>::first_chunk);
        rest.unwrap_or(&[0; N])
    }

    /// What was asked for; 0 is a Wi-Fi module, 1 a mobile one.
    #[must_use]
    pub fn kind(self) -> u8 {
        let [kind, ..] = self.0;
        *kind
    }

    /// The version of the serial protocol.
    #[must_use]
    pub fn protocol(self) -> &'b [u8; 8] {
        self.part(1)
    }

    /// The version of its hardware.
    #[must_use]
    pub fn hardware(self) -> &'b [u8; 8] {
        self.part(9)
    }

    /// The version of its software.
    #[must_use]
    pub fn software(self) -> &'b [u8; 8] {
        self.part(17)
    }

    /// Its MAC address as text.
    #[must_use]
    pub fn mac(self) -> &'b [u8; 16] {
        self.part(25)
    }

    /// Its IP address as text.
    #[must_use]
    pub fn ip(self) -> &'b [u8; 16] {
        self.part(41)
    }

    /// Its attributes.
    #[must_use]
    pub fn attributes(self) -> &'b [u8; 8] {
        self.part(57)
    }
}

/// A frame's payload, taken apart: for those who look at a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message<'b> {
    /// [`Command::INFO_ACK`]
    DeviceInfo(DeviceInfo),
    /// [`Command::TO_DEVICE`], [`Command::FROM_DEVICE`], and the acknowledgement of a read.
    P0(&'b [u8]),
    /// [`Command::CONFIGURE`]
    ConfigMode(ConfigMode),
    /// [`Command::STATUS`]
    ModuleStatus(ModuleStatus),
    /// [`Command::ILLEGAL`] and [`Command::ILLEGAL_ACK`]
    Illegal(Illegal),
    /// [`Command::TIME_ACK`]
    Time(Time<'b>),
    /// [`Command::MODULE`]
    ModuleKind(u8),
    /// [`Command::MODULE_ACK`]
    ModuleInfo(ModuleInfo<'b>),
    /// A command without a payload.
    Empty,
    /// Big data, transactions, sub-devices, and what nothing is known of.
    Other(&'b [u8]),
}

impl<'b> Frame<'b> {
    /// Takes the payload apart.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`], [`ErrorKind::Trailing`]: `byte` counts in the payload.
    pub fn message(&self) -> Result<Message<'b>, Error> {
        let payload = self.payload;
        let exactly = |len| other_length(payload.len(), len);
        Ok(match (self.command, payload) {
            (Command::INFO_ACK, _) => Message::DeviceInfo(DeviceInfo::parse(payload)?),
            (Command::TO_DEVICE_ACK, []) => Message::Empty,
            (Command::TO_DEVICE | Command::FROM_DEVICE | Command::TO_DEVICE_ACK, _) => {
                Message::P0(payload)
            }
            (Command::CONFIGURE, [mode]) => Message::ConfigMode((*mode).into()),
            (Command::STATUS, &[high, low]) => {
                Message::ModuleStatus(ModuleStatus(u16::from_be_bytes([high, low])))
            }
            (Command::ILLEGAL | Command::ILLEGAL_ACK, [code]) => Message::Illegal(Illegal(*code)),
            (Command::TIME_ACK, _) => Message::Time(Time::parse(payload)?),
            (Command::MODULE, [kind]) => Message::ModuleKind(*kind),
            (Command::MODULE_ACK, _) => Message::ModuleInfo(ModuleInfo::parse(payload)?),
            (Command(0x19..=0x20 | 0x23..=0x28 | 0x2b..), _) => Message::Other(payload),
            (_, []) => Message::Empty,
            (Command::STATUS, _) => return Err(exactly(2)),
            (Command::CONFIGURE | Command::ILLEGAL | Command::ILLEGAL_ACK | Command::MODULE, _) => {
                return Err(exactly(1));
            }
            _ => return Err(exactly(0)),
        })
    }
}
