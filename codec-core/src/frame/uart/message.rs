//! The payloads of the commands (vendor: UART protocol, the commands one by one).

use super::command::Command;
use super::frame::Frame;
use crate::bits;
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;

/// The MCU's description of its device.
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
    /// Without the secret.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let open = self.bytes.get(..74).unwrap_or(&[]);
        f.debug_tuple("DeviceInfo").field(&open).finish()
    }
}

impl DeviceInfo {
    /// A device of this product, with versions `00000001`, without a time in which it must be bound
    /// after it started.
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

    /// Returns the description with this hardware version.
    pub const fn hardware(self, version: &[u8; 8]) -> Self {
        self.with(16, version)
    }

    /// Returns the description with this software version.
    pub const fn software(self, version: &[u8; 8]) -> Self {
        self.with(24, version)
    }

    /// Returns the description with the seconds after a start in which the device may be bound; 0 is always.
    pub const fn bind_timeout(self, seconds: u16) -> Self {
        self.with(64, &seconds.to_be_bytes())
    }

    /// Returns the description with these attributes: bit 0 a gateway, bit 1 as the vendor's code generator
    /// sets it.
    pub const fn attributes(self, attributes: u8) -> Self {
        self.with(73, &[attributes])
    }

    /// Returns the description with the product's secret, which newer modules take.
    pub const fn secret(mut self, product_secret: &[u8; 32]) -> Self {
        self.secret = true;
        self.with(74, product_secret)
    }

    /// The payload.
    pub const fn bytes(&self) -> &[u8] {
        match self.bytes.split_at_checked(74) {
            Some((short, _)) if !self.secret => short,
            _ => &self.bytes,
        }
    }

    /// The product key.
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
    /// The module opens a network of its own.
    SoftAp,
    /// The phone broadcasts name and password of the network.
    AirLink,
    /// Any other.
    Unknown(u8),
}

impl ConfigMode {
    /// The byte that is sent.
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
    /// A file of this type is not wanted.
    pub const FILE_TYPE: Illegal = Illegal(4);
}

/// The connections of the module.
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

            /// The strength of the router's signal, 0 to 7.
            pub const fn rssi(self) -> u8 {
                (self.0.wrapping_shr(8) & 7) as u8
            }
        }
    };
}

flags! {
    /// The module has a network of its own.
    soft_ap = 0;
    /// The module is a station.
    station = 1;
    /// A phone may configure it.
    onboarding = 2;
    /// The device may be bound.
    binding = 3;
    /// The module is connected to a router.
    router = 4;
    /// The module is connected to the cloud.
    cloud = 5;
    /// An app is online.
    app = 11;
    /// The module is in the factory test.
    test = 12;
}

/// A payload that has to be `N` bytes long.
fn exactly<const N: usize>(payload: &[u8]) -> Result<&[u8; N], Error> {
    let wrong = |_| Error::wrong_length(payload.len(), N);
    payload.try_into().map_err(wrong)
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
        exactly(payload).map(Time)
    }

    /// The year.
    pub const fn year(self) -> u16 {
        let [high, low, ..] = *self.0;
        u16::from_be_bytes([high, low])
    }

    /// Month, from 1, and day.
    pub const fn date(self) -> (u8, u8) {
        let [_, _, month, day, ..] = *self.0;
        (month, day)
    }

    /// Hour, minute, second.
    pub const fn time(self) -> (u8, u8, u8) {
        let [_, _, _, _, hour, minute, second, ..] = *self.0;
        (hour, minute, second)
    }

    /// Seconds since 1970.
    pub const fn unix(self) -> u32 {
        let [.., a, b, c, d] = *self.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

/// The module's description of itself; text is padded with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ModuleInfo<'b>(pub(crate) &'b [u8; 65]);

impl<'b> ModuleInfo<'b> {
    /// Reads the payload.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`], [`ErrorKind::Trailing`]: it has 65 bytes.
    pub fn parse(payload: &'b [u8]) -> Result<Self, Error> {
        exactly(payload).map(ModuleInfo)
    }

    /// The kind that was asked for: 0 is a Wi-Fi module, 1 a mobile one.
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
    /// The version of the serial protocol.
    protocol: 8 at 1;
    /// The hardware version.
    hardware: 8 at 9;
    /// The software version.
    software: 8 at 17;
    /// The MAC address as text.
    mac: 16 at 25;
    /// The IP address as text.
    ip: 16 at 41;
    /// The attributes.
    attributes: 8 at 57;
}

/// The decoded payload of a frame, for tools that show what is on a line.
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
    /// Decodes the payload.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`], [`ErrorKind::Trailing`]: `byte` counts in the payload.
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
