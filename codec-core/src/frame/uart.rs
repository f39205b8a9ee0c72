//! The UART frame between an MCU and its Wi-Fi module, 9600 8N1 (vendor: UART protocol).
//!
//! ```text
//! ff ff | length, 2 | command | sn | flags, 2 | payload | checksum
//! ```
//!
//! The length counts the bytes from the command to the checksum. The checksum is the low byte of the sum of
//! all bytes between the header and the checksum. On the wire, every ff after the header is followed by a
//! stuffing byte 55, which counts neither for the length nor for the checksum:
//!
//! ```text
//! frame     ff ff 00 09 05 ff    00 00 04 ff    ff    55 64
//! wire      ff ff 00 09 05 ff 55 00 00 04 ff 55 ff 55 55 64
//! ```
//!
//! Therefore ff ff is always a header, and a decoder finds every complete frame, whatever precedes it.
//! [`Decoder`] reads a stream byte by byte, [`parse`] one frame from a slice. [`Frame::write`] and [`Writer`]
//! write into any sink.

mod command;
mod decoder;
mod frame;
mod message;

pub use command::Command;
pub use decoder::{Decoder, Event, parse};
pub use frame::{Frame, MAX_PAYLOAD, OVERHEAD, Writer, write};
pub use message::{ConfigMode, DeviceInfo, Illegal, Message, ModuleInfo, ModuleStatus, Time};
