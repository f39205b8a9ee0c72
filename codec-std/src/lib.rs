//! Decodes and encodes the data points of Gizwits (机智云) devices, with names, labels and JSON.
//!
//! | to … | use |
//! | --- | --- |
//! | read the definition of a product, or report every problem in it | [`Product::from_json`], [`check`] |
//! | read payloads from text: hex, base64, lists of bytes | [`payload`] |
//! | decode a payload | [`Product::decode`], [`Decoded`] |
//! | encode a control, a report or a reply | [`Product::message`], [`Message`] |
//! | keep the last values of a device | [`State`] |
//! | show every byte and bit of a message | [`Picture`](picture::Picture) |
//! | find frames in captured bytes, also without a definition | [`capture`] |
//! | decode logs in bulk, to NDJSON, CSV, Arrow or Parquet | the module `log` with the feature `log` |
//! | generate the code of a firmware, or a dissector for Wireshark | [`codegen`] |
//!
//! The JSON follows the Enterprise API's `/data` responses: a bool is 0 or 1, an enum is its label, a number is exact, and
//! a binary is lower-case hex. The crate never exits and, apart from [`codegen::build`], never prints. Firmware and code
//! without an allocator use [`core`] alone.
//!
//! # Example
//! Decode a report, then encode a control:
//!
//! ```
//! use gizwits_codec_std::{Action, Product, payload};
//!
//! let product = Product::from_json(
//!     r#"{
//!       "name": "lamp", "product_key": "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50",
//!       "protocolType": "standard", "packetVersion": "0x00000004",
//!       "entities": [{"id": 0, "name": "entity0", "attrs": [
//!         {"id": 0, "name": "mode", "type": "status_writable", "data_type": "enum",
//!          "position": {"unit": "bit", "byte_offset": 0, "bit_offset": 0, "len": 2},
//!          "enum": ["day", "night", "party"]},
//!         {"id": 1, "name": "warmth", "type": "status_writable", "data_type": "uint16",
//!          "position": {"unit": "byte", "byte_offset": 1, "bit_offset": 0, "len": 2},
//!          "uint_spec": {"min": 0, "max": 1000, "ratio": 0.01, "addition": -2}}]}]
//!     }"#,
//! )?;
//!
//! let bytes = payload::parse("04 01 02dc", None)?;
//! assert_eq!(
//!     product.decode(&bytes)?.to_json(),
//!     r#"{"action":"report","attrs":{"mode":"night","warmth":5.32}}"#,
//! );
//!
//! let mut control = product.message(Action::Control);
//! control.set_word("warmth", "5.32")?;
//! assert_eq!(payload::hex(&control.encode()?), "01020002dc");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//! All features are off by default.
//!
//! - `log`: the module `log`, which decodes command logs in bulk to NDJSON and CSV.
//! - `arrow`, `parquet`: Arrow and Parquet as outputs of logs. Both include `log`.
//! - `tokio`: `M2mCodec`, which reads and writes M2M frames over TCP.

#![forbid(unsafe_code)]
#![deny(missing_debug_implementations, missing_docs)]

pub mod capture;
pub mod codegen;
mod error;
#[cfg(feature = "log")]
pub mod log;
mod message;
mod product;
pub mod text;

pub use gizwits_codec_core as core;
pub use gizwits_codec_core::{Action, Decimal, PointId, Rounding, Value};

pub use error::Error;
pub use message::{
    Broadcast, Content, Decoded, Description, Lax, Message, State, Status, payload, picture,
    wrap_m2m, wrap_uart,
};
#[cfg(feature = "tokio")]
pub use message::{M2mCodec, M2mFrame};
pub use product::DEFINITION_SCHEMA;
pub use product::Product;
pub use product::attr::Attr;
pub use product::check::check;
pub use product::diagnostic::{Check, CheckError, Diagnostic, Severity};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
