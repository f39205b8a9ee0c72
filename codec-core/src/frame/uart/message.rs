//! The payloads of the commands (vendor: UART protocol, the section of each command).

use super::command::Command;
use super::frame::Frame;
use crate::bits;
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;

/// The description of the device, which the MCU sends to the module.
///
/// ```
/// use gizwits_codec_core::uart::DeviceInfo;
///
/// static INFO: DeviceInfo = DeviceInfo::new(b"9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50")
///     .hardware(b"03000001")
///     .software(b"03000102");
/// assert_eq!(INFO.bytes().len(), 74);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct DeviceInfo {
    bytes: [u8; 106],
    secret: bool,
}

impl core::fmt::Debug for DeviceInfo {
    /// Leaves out the secret.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let open = self.bytes.get(..74).unwrap_or(&[]);
        f.debug_tuple("DeviceInfo").field(&open).finish()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for DeviceInfo {
    // Leaves out the secret.
    fn format(&self, f: defmt::Formatter<'_>) {
        let open = self.bytes.get(..74).unwrap_or(&[]);
        defmt::write!(f, "DeviceInfo({=[u8]})", open);
    }
}

impl DeviceInfo {
    /// Creates the description of a device of this product. The hardware and software versions are
    /// `00000001`, and a user may bind the device at any time.
    pub const fn new(product_key: &[u8; 32]) -> Self {
        let info = DeviceInfo {
            bytes: [0; 106],
            secret: false,
        };
        // The versions of the serial protocol and of the P0, as in the vendor's code.
        info.with(0, b"0000000400000002")
            .hardware(b"00000001")
            .software(b"00000001")
            .with(32, product_key)
    }

    const fn with<const N: usize>(mut self, at: usize, bytes: &[u8; N]) -> Self {
        if let Some((_, rest)) = self.bytes.split_at_mut_checked(at) {
            if let Some(to) = rest.first_chunk_mut() {
                *to = *bytes;
            }
        }
        self
    }

    /// Returns the description with this hardware version.
    pub const fn hardware(self, version: &[u8; 8]) -> Self {
        self.with(16, version)
    }

    /// Returns the description with this software version.
    pub const fn software(self, version: &[u8; 8]) -> Self {
        self.with(24, version)
    }

    /// Returns the description with this time in seconds after a start in which a user may bind the device. 0
    /// is no limit.
    pub const fn bind_timeout(self, seconds: u16) -> Self {
        self.with(64, &seconds.to_be_bytes())
    }

    /// Returns the description with these attributes. Bit 0 is set for a gateway, bit 1 as the vendor's code
    /// generator sets it.
    pub const fn attributes(self, attributes: u8) -> Self {
        self.with(73, &[attributes])
    }

    /// Returns the description with the secret of the product, which newer modules accept.
    pub const fn secret(mut self, product_secret: &[u8; 32]) -> Self {
        self.secret = true;
        self.with(74, product_secret)
    }

    /// Returns the payload: 74 bytes, or 106 with a secret.
    pub const fn bytes(&self) -> &[u8] {
        match self.bytes.split_at_checked(74) {
            Some((short, _)) if !self.secret => short,
            _ => &self.bytes,
        }
    }

    /// Returns the product key.
    pub fn product_key(&self) -> &[u8] {
        self.bytes.get(32..64).unwrap_or(&[])
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] or [`ErrorKind::Trailing`] if the payload has neither 74 nor 106 bytes.
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        let mut info = DeviceInfo {
            bytes: [0; 106],
            secret: payload.len() > 74,
        };
        if payload.len() != info.bytes().len() {
            return Err(Error::wrong_length(payload.len(), info.bytes().len()));
        }
        bits::copy(&mut info.bytes, payload);
        Ok(info)
    }
}

/// The way in which a phone configures the module's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ConfigMode {
    /// The module opens a network of its own, which the phone joins.
    SoftAp,
    /// The phone broadcasts the name and the password of the network.
    AirLink,
    /// A mode with another code.
    Unknown(u8),
}

impl ConfigMode {
    /// Returns the byte on the wire.
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

/// The reason why a frame is illegal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Illegal(pub u8);

impl Illegal {
    /// The checksum is wrong.
    pub const CHECKSUM: Illegal = Illegal(1);
    /// The command is unknown.
    pub const COMMAND: Illegal = Illegal(2);
    /// Any other reason.
    pub const OTHER: Illegal = Illegal(3);
    /// The receiver does not accept files of this type.
    pub const FILE_TYPE: Illegal = Illegal(4);
}

/// The state of the module's connections.
///
/// ```
/// use gizwits_codec_core::uart::ModuleStatus;
///
/// let status = ModuleStatus(0x0732);
/// assert!(status.router() && status.cloud() && !status.binding());
/// assert_eq!(status.rssi(), 7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ModuleStatus(pub u16);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        impl ModuleStatus {
            $(
                $(#[$doc])*
                pub const fn $name(self) -> bool {
                    self.0 & (1 << $bit) != 0
                }
            )*

            /// Returns the signal strength of the router, from 0 to 7.
            pub const fn rssi(self) -> u8 {
                (self.0.wrapping_shr(8) & 7) as u8
            }
        }
    };
}

flags! {
    /// Returns whether the module has a network of its own.
    soft_ap = 0;
    /// Returns whether the module is a station in a network.
    station = 1;
    /// Returns whether a phone may configure the module.
    onboarding = 2;
    /// Returns whether a user may bind the device.
    binding = 3;
    /// Returns whether the module is connected to a router.
    router = 4;
    /// Returns whether the module is connected to the cloud.
    cloud = 5;
    /// Returns whether an app is online.
    app = 11;
    /// Returns whether the module is in its factory test.
    test = 12;
}

/// Returns the payload as an array, if it is exactly `N` bytes long.
fn exactly<const N: usize>(payload: &[u8]) -> Result<&[u8; N], Error> {
    let wrong = |_| Error::wrong_length(payload.len(), N);
    payload.try_into().map_err(wrong)
}

/// The network time.
///
/// ```
/// use gizwits_codec_core::uart::Time;
///
/// let time = Time::parse(b"\x07\xe2\x0c\x1f\x17\x3b\x3a\x5c\x2a\x1f\xfe")?;
/// assert_eq!((time.year(), time.date(), time.time()), (2018, (12, 31), (23, 59, 58)));
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Time<'b>(pub(crate) &'b [u8; 11]);

impl<'b> Time<'b> {
    /// Returns the payload.
    #[must_use]
    pub const fn bytes(self) -> &'b [u8; 11] {
        self.0
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] or [`ErrorKind::Trailing`] if the payload has not exactly 11 bytes.
    pub fn parse(payload: &'b [u8]) -> Result<Self, Error> {
        exactly(payload).map(Time)
    }

    /// Returns the year.
    pub const fn year(self) -> u16 {
        let [high, low, ..] = *self.0;
        u16::from_be_bytes([high, low])
    }

    /// Returns the month, from 1, and the day.
    pub const fn date(self) -> (u8, u8) {
        let [_, _, month, day, ..] = *self.0;
        (month, day)
    }

    /// Returns the hour, the minute and the second.
    pub const fn time(self) -> (u8, u8, u8) {
        let [_, _, _, _, hour, minute, second, ..] = *self.0;
        (hour, minute, second)
    }

    /// Returns the Unix time in seconds.
    pub const fn unix(self) -> u32 {
        let [.., a, b, c, d] = *self.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

/// The description of the module, which the module sends to the MCU. Texts are padded with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ModuleInfo<'b>(pub(crate) &'b [u8; 65]);

impl<'b> ModuleInfo<'b> {
    /// Returns the payload.
    #[must_use]
    pub const fn bytes(self) -> &'b [u8; 65] {
        self.0
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] or [`ErrorKind::Trailing`] if the payload has not exactly 65 bytes.
    pub fn parse(payload: &'b [u8]) -> Result<Self, Error> {
        exactly(payload).map(ModuleInfo)
    }

    /// Returns the kind of the module, as in the request: 0 for a Wi-Fi module, 1 for a mobile module.
    pub fn kind(self) -> u8 {
        let [kind, ..] = self.0;
        *kind
    }
}

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident: $len:literal at $at:literal;)*) => {
        impl<'b> ModuleInfo<'b> {
            $(
                $(#[$doc])*
                pub fn $name(self) -> &'b [u8; $len] {
                    let part = self.0.get($at..).and_then(<[u8]>::first_chunk);
                    part.unwrap_or(&[0; $len])
                }
            )*
        }
    };
}

parts! {
    /// Returns the version of the serial protocol.
    protocol: 8 at 1;
    /// Returns the hardware version.
    hardware: 8 at 9;
    /// Returns the software version.
    software: 8 at 17;
    /// Returns the MAC address as text.
    mac: 16 at 25;
    /// Returns the IP address as text.
    ip: 16 at 41;
    /// Returns the attributes.
    attributes: 8 at 57;
}

/// The decoded payload of a frame, for tools that show what is on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Message<'b> {
    /// The payload of [`Command::INFO_ACK`].
    DeviceInfo(DeviceInfo),
    /// The P0 of [`Command::TO_DEVICE`], [`Command::FROM_DEVICE`], or the acknowledgement of a read.
    P0(&'b [u8]),
    /// The payload of [`Command::CONFIGURE`].
    ConfigMode(ConfigMode),
    /// The payload of [`Command::STATUS`].
    ModuleStatus(ModuleStatus),
    /// The payload of [`Command::ILLEGAL`] or [`Command::ILLEGAL_ACK`].
    Illegal(Illegal),
    /// The payload of [`Command::TIME_ACK`].
    Time(Time<'b>),
    /// The payload of [`Command::MODULE`]: the kind of module.
    ModuleKind(u8),
    /// The payload of [`Command::MODULE_ACK`].
    ModuleInfo(ModuleInfo<'b>),
    /// No payload.
    Empty,
    /// The payload of big data, transactions, sub-devices, or an unknown command.
    Other(&'b [u8]),
}

impl<'b> Frame<'b> {
    /// Decodes the payload.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] or [`ErrorKind::Trailing`] if the payload has not the length that its
    /// command requires. The byte offset of the error counts from the start of the payload.
    ///
    /// # Examples
    /// ```
    /// use gizwits_codec_core::uart::{self, Message};
    ///
    /// let mut buffer = [0; 32];
    /// let wire = b"\xff\xff\0\x07\x0d\x05\0\0\x07\x32\x52";
    /// let (frame, _) = uart::parse(wire, &mut buffer)?;
    /// let Message::ModuleStatus(status) = frame.message()? else {
    ///     panic!("not a module status");
    /// };
    /// assert!(status.cloud());
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    pub fn message(&self) -> Result<Message<'b>, Error> {
        let payload = self.payload;
        let exactly = |len| Error::wrong_length(payload.len(), len);
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
            (command, _) if command.is_for_application() || !command.is_known() => {
                Message::Other(payload)
            }
            (_, []) => Message::Empty,
            (Command::STATUS, _) => return Err(exactly(2)),
            (Command::CONFIGURE | Command::ILLEGAL | Command::ILLEGAL_ACK | Command::MODULE, _) => {
                return Err(exactly(1));
            }
            _ => return Err(exactly(0)),
        })
    }
}
