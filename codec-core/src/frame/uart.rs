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
//! before it. [`Decoder`] takes bytes, [`parse`] a slice; [`Writer`] writes into any sink.

mod command;
mod decoder;
mod frame;
mod message;

pub use command::Command;
pub use decoder::{Decoder, Event, parse};
pub(crate) use frame::write;
pub use frame::{Frame, MAX_PAYLOAD, OVERHEAD, Writer};
pub use message::{ConfigMode, DeviceInfo, Illegal, Message, ModuleInfo, ModuleStatus, Time};
