//! The bodies of the commands: discovery, passcode, login, module info, heartbeat, hotspots and acknowledgements.
//!
//! A text is preceded by its length in two bytes. Only [`DeviceInfo`] may have a tail, which old modules leave out.

use core::fmt;

use super::{ACK, FROM_DEVICE, Frame, Output, REQUEST, TO_DEVICE};
use crate::error::{Error, ErrorKind};

/// The decoded body of a frame.
///
/// ```
/// use gizwits_codec_core::m2m::{self, Event, Message, Secret};
///
/// let bytes = b"\0\0\0\x03\x0f\0\0\x07\0\x0aABCDEFGHIJ";
/// let (Event::Frame(frame), _) = m2m::parse(bytes, m2m::DEFAULT_LIMIT)? else { panic!() };
/// let message = frame.message()?;
/// assert_eq!(message, Message::Passcode(Secret(b"ABCDEFGHIJ")));
///
/// let mut out = [0; 32];
/// let len = message.encode(&mut out)?;
/// assert_eq!(&out[..len], bytes);
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Message<'b> {
    /// Command 0x0001: the access data of a network, sent to a device that is being configured.
    Onboarding {
        /// The SSID of the network.
        ssid: &'b [u8],
        /// The password of the network.
        password: Secret<'b>,
    },
    /// Command 0x0002: acknowledges [`Onboarding`](Self::Onboarding).
    OnboardingAck,
    /// Command 0x0003: asks all devices of the network to describe themselves.
    Discovery,
    /// Command 0x0004: answers [`Discovery`](Self::Discovery).
    DiscoveryReply(DeviceInfo<'b>),
    /// Command 0x0005: broadcast by a device after its start.
    Announcement(DeviceInfo<'b>),
    /// Command 0x0006: asks for the passcode of the device.
    PasscodeRequest,
    /// Command 0x0007: the passcode. Empty outside the period in which a user can bind the device.
    Passcode(Secret<'b>),
    /// Command 0x0008: a login with the passcode.
    Login(Secret<'b>),
    /// Command 0x0009: the result of a login, 0 for success.
    LoginResult(u8),
    /// Command 0x000a: asks for the version of the firmware.
    VersionRequest,
    /// Command 0x000b: the version of the firmware, in a form without documentation.
    Version(&'b [u8]),
    /// Command 0x000c: asks for the Wi-Fi networks that the module receives.
    HotspotsRequest,
    /// Command 0x000d: the Wi-Fi networks that the module receives.
    Hotspots(Hotspots<'b>),
    /// Command 0x0010: a line of the module's log.
    Log(&'b [u8]),
    /// Command 0x0013: asks for the versions of the module.
    ModuleInfoRequest,
    /// Command 0x0014: the versions of the module.
    ModuleInfo(ModuleInfo<'b>),
    /// Command 0x0015: sent by the client every few seconds to keep the connection.
    Heartbeat,
    /// Command 0x0016: acknowledges [`Heartbeat`](Self::Heartbeat).
    HeartbeatAck,
    /// Command 0x0017: ends the factory test.
    ExitTest,
    /// Command 0x0018: acknowledges [`ExitTest`](Self::ExitTest).
    ExitTestAck,
    /// Command 0x0019: broadcast by a device that has joined a network.
    Configured {
        /// The MAC address, 6 bytes.
        mac: &'b [u8],
        /// The product key, 32 characters.
        product_key: &'b [u8],
        /// The did, usually 22 characters.
        did: &'b [u8],
    },
    /// Commands [`TO_DEVICE`], [`FROM_DEVICE`], [`REQUEST`], and [`ACK`] with a body: a P0.
    P0 {
        /// The command.
        command: u16,
        /// The sequence number, for [`REQUEST`] and [`ACK`].
        sn: Option<u32>,
        /// The P0. Some devices send it empty.
        p0: &'b [u8],
    },
    /// Command [`ACK`] without a body: acknowledges a [`REQUEST`].
    Ack {
        /// The sequence number of the request.
        sn: u32,
    },
    /// Any other command.
    Other {
        /// The command.
        command: u16,
        /// The body.
        body: &'b [u8],
    },
}

/// A passcode or password. `Debug` shows its length only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret<'b>(pub &'b [u8]);

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Secret<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Secret({} bytes)", self.0.len());
    }
}

/// The description of a device, which it sends to clients in its network.
///
/// ```
/// use gizwits_codec_core::m2m::DeviceInfo;
///
/// let tail = b"euapi.gizwits.com:80\x004.1.2\0";
/// let info = DeviceInfo {
///     did: b"fTZ6jUmwmuTUkEdbXWePQ3",
///     mac: b"\xaa\xbb\xcc\xdd\xee\xff",
///     firmware: b"04020034",
///     product_key: b"9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50",
///     attributes: [0; 8],
///     tail,
/// };
/// assert_eq!(info.api_server(), Some(&b"euapi.gizwits.com:80"[..]));
/// assert_eq!((info.version(), info.extra()), (Some(&b"4.1.2"[..]), &[][..]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DeviceInfo<'b> {
    /// The did, usually 22 characters.
    pub did: &'b [u8],
    /// The MAC address, 6 bytes.
    pub mac: &'b [u8],
    /// The version of the module's firmware.
    pub firmware: &'b [u8],
    /// The product key, 32 characters.
    pub product_key: &'b [u8],
    /// The attributes of the MCU.
    pub attributes: [u8; 8],
    /// The bytes after the attributes: two texts that end with a zero byte, and up to 8 more characters. Old modules
    /// send no tail.
    pub tail: &'b [u8],
}

impl<'b> DeviceInfo<'b> {
    /// Returns the host and port of the cloud's API, or `None` if the tail has none.
    #[must_use]
    pub fn api_server(&self) -> Option<&'b [u8]> {
        Some(split_zero(self.tail)?.0)
    }

    /// Returns the version of the protocol, or `None` if the tail has none.
    #[must_use]
    pub fn version(&self) -> Option<&'b [u8]> {
        Some(split_zero(split_zero(self.tail)?.1)?.0)
    }

    /// Returns the bytes of the tail after the version.
    #[must_use]
    pub fn extra(&self) -> &'b [u8] {
        let behind = split_zero(self.tail).and_then(|(_, rest)| split_zero(rest));
        behind.map_or(&[], |(_, rest)| rest)
    }

    fn read(input: &mut Input<'b>) -> Result<Self, Error> {
        Ok(DeviceInfo {
            did: input.text()?,
            mac: input.text()?,
            firmware: input.text()?,
            product_key: input.text()?,
            attributes: input.array()?,
            tail: input.rest(),
        })
    }
}

/// The bytes before the first zero, and those after it.
fn split_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let zero = bytes.iter().position(|byte| *byte == 0)?;
    let (head, rest) = bytes.split_at_checked(zero)?;
    Some((head, rest.split_first()?.1))
}

/// The versions of a Wi-Fi module and its MCU. Texts of 8 bytes may be padded with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ModuleInfo<'b> {
    /// The hardware version of the module.
    pub wifi_hardware: [u8; 8],
    /// The software version of the module.
    pub wifi_software: [u8; 8],
    /// The hardware version of the MCU.
    pub mcu_hardware: [u8; 8],
    /// The software version of the MCU.
    pub mcu_software: [u8; 8],
    /// The version of the P0.
    pub p0: [u8; 8],
    /// The id of the firmware.
    pub firmware_id: [u8; 8],
    /// The version of the firmware.
    pub firmware: &'b [u8],
    /// The product key, 32 characters.
    pub product_key: &'b [u8],
}

impl<'b> ModuleInfo<'b> {
    /// Returns the product key in the body of a module info: 32 hex digits behind their number, or else the first 32 hex
    /// digits. Some modules send fields of other lengths than [`ModuleInfo`] has, and their product key can still be
    /// found.
    ///
    /// ```
    /// use gizwits_codec_core::m2m::ModuleInfo;
    ///
    /// let body = b"04020034 9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50";
    /// assert_eq!(ModuleInfo::find_product_key(body), Some(&b"9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50"[..]));
    /// assert_eq!(ModuleInfo::find_product_key(b"04020034"), None);
    ///
    /// let body = b"0402003403030001030300000000000201\0\x209b3ff3e5c9a14d4a9b1f1d8c2a7e6f50";
    /// assert_eq!(ModuleInfo::find_product_key(body), Some(&b"9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50"[..]));
    /// ```
    #[must_use]
    pub fn find_product_key(body: &[u8]) -> Option<&[u8]> {
        let is_key = |key: &&[u8]| key.iter().all(u8::is_ascii_hexdigit);
        // The versions before the key can be hex digits, too.
        let mut counted = body
            .windows(34)
            .filter_map(|part| part.strip_prefix(&[0, 32]));
        counted
            .find(is_key)
            .or_else(|| body.windows(32).find(is_key))
    }

    fn read(input: &mut Input<'b>) -> Result<Self, Error> {
        Ok(ModuleInfo {
            wifi_hardware: input.array()?,
            wifi_software: input.array()?,
            mcu_hardware: input.array()?,
            mcu_software: input.array()?,
            p0: input.array()?,
            firmware_id: input.array()?,
            firmware: input.text()?,
            product_key: input.text()?,
        })
    }
}

/// A list of Wi-Fi networks.
///
/// ```
/// use gizwits_codec_core::m2m::{Hotspot, Hotspots};
///
/// let list = Hotspots::parse(b"\0\x04home\x64\0\x05guest\x1e")?;
/// assert!(list.iter().eq([Hotspot { ssid: b"home", rssi: 100 }, Hotspot { ssid: b"guest", rssi: 30 }]));
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Hotspots<'b>(&'b [u8]);

/// A Wi-Fi network that a module receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Hotspot<'b> {
    /// The SSID of the network.
    pub ssid: &'b [u8],
    /// The strength of the signal, as the module measures it.
    pub rssi: u8,
}

impl<'b> Hotspots<'b> {
    /// Reads the body of a list.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] if the body ends within an entry.
    pub fn parse(body: &'b [u8]) -> Result<Self, Error> {
        let mut input = Input::new(body);
        while !input.is_empty() {
            input.hotspot()?;
        }
        Ok(Hotspots(body))
    }

    /// Returns the body of the list.
    #[must_use]
    pub const fn bytes(self) -> &'b [u8] {
        self.0
    }

    /// Returns the networks in the order of the list.
    pub fn iter(self) -> impl Iterator<Item = Hotspot<'b>> {
        let mut input = Input::new(self.0);
        core::iter::from_fn(move || input.hotspot().ok())
    }
}

impl<'b> Frame<'b> {
    /// Decodes the body.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] or [`ErrorKind::Trailing`] if the body has not the length that its command requires.
    /// The byte offset of the error counts from the start of the body.
    ///
    /// # Examples
    /// ```
    /// use gizwits_codec_core::m2m::{Frame, Message};
    /// use gizwits_codec_core::{Error, ErrorKind};
    ///
    /// let heartbeat = Frame { flag: 0, command: 0x0015, sn: None, did: None, body: &[] };
    /// assert_eq!(heartbeat.message(), Ok(Message::Heartbeat));
    /// let login = Frame { command: 0x0008, body: b"\0\x0aABCDEF", ..heartbeat };
    /// assert_eq!(login.message(), Err(Error::new(ErrorKind::Incomplete { missing: 4 }).at(8)));
    /// ```
    pub fn message(&self) -> Result<Message<'b>, Error> {
        let mut input = Input::new(self.body);
        let message = match self.command {
            0x0001 => Message::Onboarding {
                ssid: input.text()?,
                password: input.secret()?,
            },
            0x0002 => Message::OnboardingAck,
            0x0003 => Message::Discovery,
            0x0004 => Message::DiscoveryReply(DeviceInfo::read(&mut input)?),
            0x0005 => Message::Announcement(DeviceInfo::read(&mut input)?),
            0x0006 => Message::PasscodeRequest,
            0x0007 => Message::Passcode(input.secret()?),
            0x0008 => Message::Login(input.secret()?),
            0x0009 => {
                let [result] = input.array()?;
                Message::LoginResult(result)
            }
            0x000a => Message::VersionRequest,
            0x000b => Message::Version(input.rest()),
            0x000c => Message::HotspotsRequest,
            0x000d => Message::Hotspots(Hotspots::parse(input.rest())?),
            0x0010 => Message::Log(input.rest()),
            0x0013 => Message::ModuleInfoRequest,
            0x0014 => Message::ModuleInfo(ModuleInfo::read(&mut input)?),
            0x0015 => Message::Heartbeat,
            0x0016 => Message::HeartbeatAck,
            0x0017 => Message::ExitTest,
            0x0018 => Message::ExitTestAck,
            0x0019 => Message::Configured {
                mac: input.text()?,
                product_key: input.text()?,
                did: input.text()?,
            },
            ACK if self.body.is_empty() => Message::Ack {
                sn: self.sn.unwrap_or(0),
            },
            TO_DEVICE | FROM_DEVICE | REQUEST | ACK => Message::P0 {
                command: self.command,
                sn: self.sn,
                p0: input.rest(),
            },
            command => Message::Other {
                command,
                body: input.rest(),
            },
        };
        input.end()?;
        Ok(message)
    }
}

impl<'b> Message<'b> {
    /// Returns the command of the frames with this message.
    ///
    /// ```
    /// use gizwits_codec_core::m2m::{self, Message};
    ///
    /// assert_eq!(Message::Heartbeat.command(), 0x0015);
    /// assert_eq!(Message::Ack { sn: 7 }.command(), m2m::ACK);
    /// ```
    #[must_use]
    pub const fn command(&self) -> u16 {
        match self {
            Message::Onboarding { .. } => 0x0001,
            Message::OnboardingAck => 0x0002,
            Message::Discovery => 0x0003,
            Message::DiscoveryReply(_) => 0x0004,
            Message::Announcement(_) => 0x0005,
            Message::PasscodeRequest => 0x0006,
            Message::Passcode(_) => 0x0007,
            Message::Login(_) => 0x0008,
            Message::LoginResult(_) => 0x0009,
            Message::VersionRequest => 0x000a,
            Message::Version(_) => 0x000b,
            Message::HotspotsRequest => 0x000c,
            Message::Hotspots(_) => 0x000d,
            Message::Log(_) => 0x0010,
            Message::ModuleInfoRequest => 0x0013,
            Message::ModuleInfo(_) => 0x0014,
            Message::Heartbeat => 0x0015,
            Message::HeartbeatAck => 0x0016,
            Message::ExitTest => 0x0017,
            Message::ExitTestAck => 0x0018,
            Message::Configured { .. } => 0x0019,
            Message::Ack { .. } => ACK,
            Message::P0 { command, .. } | Message::Other { command, .. } => *command,
        }
    }

    /// Returns the sequence number of the frame with this message, if the message has one.
    #[must_use]
    pub const fn sn(&self) -> Option<u32> {
        match self {
            Message::Ack { sn } => Some(*sn),
            Message::P0 { sn, .. } => *sn,
            _ => None,
        }
    }

    /// Returns the product key that the message names. `None` for a message without one.
    #[must_use]
    pub const fn product_key(&self) -> Option<&'b [u8]> {
        match self {
            Message::DiscoveryReply(info) | Message::Announcement(info) => Some(info.product_key),
            Message::ModuleInfo(info) => Some(info.product_key),
            Message::Configured { product_key, .. } => Some(product_key),
            _ => None,
        }
    }

    /// Writes the body of the message to the start of `out` and returns its length in bytes.
    ///
    /// ```
    /// use gizwits_codec_core::m2m::{Frame, Message, Secret};
    ///
    /// // A frame with a did and this body.
    /// let (login, mut body) = (Message::Login(Secret(b"ABCDEFGHIJ")), [0; 16]);
    /// let len = login.encode_body(&mut body)?;
    /// let frame = Frame { flag: 0, command: login.command(), sn: None, did: Some(b"a"), body: &body[..len] };
    /// assert_eq!(frame.message(), Ok(login));
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::OutOfSpace`] if `out` is too short.
    /// - [`ErrorKind::FrameLimit`] if a text is longer than 65,535 bytes.
    pub fn encode_body(&self, out: &mut [u8]) -> Result<usize, Error> {
        let mut output = Output { out, len: 0 };
        self.put_body(&mut output)?;
        output.finish()
    }

    /// Writes the frame of the message, without flags and did, to the start of `out`. Returns its length in bytes.
    ///
    /// # Errors
    /// - [`ErrorKind::OutOfSpace`] if `out` is too short.
    /// - [`ErrorKind::FrameSn`] if a P0 has no sequence number and its command requires one, or vice versa.
    /// - [`ErrorKind::FrameLimit`] if a text is longer than 65,535 bytes, or the length does not fit a varint of four
    ///   bytes.
    ///
    /// # Examples
    /// ```
    /// use gizwits_codec_core::m2m::Message;
    ///
    /// let mut out = [0; 16];
    /// let len = Message::Discovery.encode(&mut out)?;
    /// assert_eq!(out[..len], *b"\0\0\0\x03\x03\0\0\x03");
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Error> {
        let mut body = Output {
            out: &mut [],
            len: 0,
        };
        self.put_body(&mut body)?;
        let frame = Frame {
            flag: 0,
            command: self.command(),
            sn: self.sn(),
            did: None,
            body: &[],
        };
        let body_len = body.len;
        let mut output = Output { out, len: 0 };
        frame.put_head(body_len, &mut output)?;
        self.put_body(&mut output)?;
        output.finish()
    }

    fn put_body(&self, output: &mut Output<'_>) -> Result<(), Error> {
        match self {
            Message::Onboarding { ssid, password } => output.put_texts(&[ssid, password.0])?,
            Message::Passcode(passcode) | Message::Login(passcode) => {
                output.put_texts(&[passcode.0])?;
            }
            Message::Configured {
                mac,
                product_key,
                did,
            } => output.put_texts(&[mac, product_key, did])?,
            Message::DiscoveryReply(info) | Message::Announcement(info) => {
                output.put_texts(&[info.did, info.mac, info.firmware, info.product_key])?;
                output.put(&info.attributes);
                output.put(info.tail);
            }
            Message::ModuleInfo(info) => {
                for version in [
                    &info.wifi_hardware,
                    &info.wifi_software,
                    &info.mcu_hardware,
                    &info.mcu_software,
                    &info.p0,
                    &info.firmware_id,
                ] {
                    output.put(version);
                }
                output.put_texts(&[info.firmware, info.product_key])?;
            }
            Message::LoginResult(result) => output.put(&[*result]),
            Message::Hotspots(list) => output.put(list.0),
            Message::Version(body)
            | Message::Log(body)
            | Message::P0 { p0: body, .. }
            | Message::Other { body, .. } => output.put(body),
            _ => {}
        }
        Ok(())
    }
}

impl Output<'_> {
    /// Writes texts, each behind its length.
    fn put_texts(&mut self, texts: &[&[u8]]) -> Result<(), Error> {
        for text in texts {
            let Ok(len) = u16::try_from(text.len()) else {
                return Err(Error::new(ErrorKind::FrameLimit));
            };
            self.put(&len.to_be_bytes());
            self.put(text);
        }
        Ok(())
    }
}

/// A body that is being read.
struct Input<'b> {
    rest: &'b [u8],
    len: usize,
}

impl<'b> Input<'b> {
    fn new(body: &'b [u8]) -> Self {
        Input {
            rest: body,
            len: body.len(),
        }
    }

    fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn missing(&self, missing: usize) -> Error {
        let missing = missing as u32;
        Error::new(ErrorKind::Incomplete { missing }).at(self.len as u32)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let Some((array, rest)) = self.rest.split_first_chunk() else {
            return Err(self.missing(N.saturating_sub(self.rest.len())));
        };
        self.rest = rest;
        Ok(*array)
    }

    fn text(&mut self) -> Result<&'b [u8], Error> {
        let len = usize::from(u16::from_be_bytes(self.array()?));
        let Some((text, rest)) = self.rest.split_at_checked(len) else {
            return Err(self.missing(len.saturating_sub(self.rest.len())));
        };
        self.rest = rest;
        Ok(text)
    }

    fn secret(&mut self) -> Result<Secret<'b>, Error> {
        self.text().map(Secret)
    }

    fn hotspot(&mut self) -> Result<Hotspot<'b>, Error> {
        let ssid = self.text()?;
        let [rssi] = self.array()?;
        Ok(Hotspot { ssid, rssi })
    }

    /// Takes all bytes that are left.
    fn rest(&mut self) -> &'b [u8] {
        core::mem::take(&mut self.rest)
    }

    fn end(&self) -> Result<(), Error> {
        match self.rest.len() {
            0 => Ok(()),
            extra => {
                let at = self.len.saturating_sub(extra);
                Err(Error::wrong_length(self.len, at))
            }
        }
    }
}
