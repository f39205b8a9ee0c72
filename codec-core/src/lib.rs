//! Decodes and encodes the data points of Gizwits (机智云) devices, in firmware and anywhere else.
//!
//! This crate needs no operating system, never allocates, and does not panic once a layout is made. For
//! names, labels and JSON values, use `gizwits-codec-std`.
//!
//! | to … | use |
//! | --- | --- |
//! | describe a product | [`Point`], [`Layout`], or [`definition`] with the feature `json` |
//! | decode a message | [`P0::parse`], [`View`] |
//! | encode a message | [`Encoder`] |
//! | read and write frames on networks | [`m2m`] |
//! | read and write frames on the serial line | [`uart`] |
//! | be the device on the serial line | [`link`], [`model`] |
//! | be the Wi-Fi module on the serial line | [`module`] with the feature `module` |
//! | calculate with exact numbers | [`Decimal`], [`Fixed`] |
//!
//! # Example
//! Decode a report, then encode a control:
//!
//! ```
//! use gizwits_codec_core::{
//!     Access, Action, Decimal, Encoder, Layout, P0, Point, PointId, Protocol, UintSpec, Value,
//! };
//!
//! const SET_TEMP: PointId = PointId(1);
//! const ROOM_TEMP: PointId = PointId(2);
//! // The compiler checks the layout: two points that overlap, for example, do not build.
//! static LAYOUT: Layout<3> = Layout::must(
//!     Protocol::Standard,
//!     &[
//!         Point::bool(0, Access::Writable, 0, 0),
//!         Point::uint8(SET_TEMP.0, Access::Writable, 1, UintSpec::new(16, 30)),
//!         // Raw 215 is 11.5 °C: 0.1 * 215 - 10.
//!         Point::uint8(
//!             ROOM_TEMP.0,
//!             Access::ReadOnly,
//!             2,
//!             UintSpec::new(0, 250).scaled(Decimal::new(1, 1), Decimal::new(-10, 0)),
//!         ),
//!     ],
//! );
//!
//! let P0::Report(view) = P0::parse(LAYOUT.get(), &[0x04, 0x01, 0x10, 0xd7])? else {
//!     panic!("not a report");
//! };
//! assert_eq!(view.get(ROOM_TEMP), Some(Value::Number(Decimal::new(115, 1))));
//!
//! let mut buffer = [0; 8];
//! let mut control = Encoder::begin(LAYOUT.get(), Action::Control, &mut buffer)?;
//! control.set(SET_TEMP, Value::Number(25.into()))?;
//! assert_eq!(control.finish(), [0x01, 0b10, 0x00, 25]);
//! # Ok::<(), gizwits_codec_core::Error>(())
//! ```
//!
//! The folder `examples` has programs for decoding, encoding and a firmware.
//!
//! # Features
//! None is enabled by default.
//!
//! - `json`: the module [`definition`] reads the definition JSON of a product.
//! - `serde`: [`Value`] and [`Decimal`] implement `Serialize` and `Deserialize`, [`PointId`] implements
//!   `Serialize`.
//! - `defmt`: errors, values, frames and events implement `Format`.
//! - `module`: [`module`] is the Wi-Fi module's side of the serial line. Needs an allocator.
//! - `testing`: [`link::testing`] plays the Wi-Fi module in tests of an application on the host. Needs an allocator.
//!
//! # Sources
//! The rules come from Gizwits' UART protocol, the datapoint JSON, and the code that the vendor's MCU
//! generator writes. The documentation of each module names its source.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_debug_implementations, missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "module")]
extern crate alloc;

mod bits;
#[cfg(feature = "json")]
pub mod definition;
mod error;
mod frame;
pub mod layout;
pub mod link;
mod message;
pub mod model;
#[cfg(feature = "module")]
pub mod module;
mod value;

pub use error::{Error, ErrorKind, Key, PointId};
pub use frame::{m2m, uart};
pub use layout::{
    Access, Ids, Kind, Layout, LayoutRef, Mask, Point, Position, Protocol, UintSpec, Unit, rules,
};
pub use message::{Action, Encoder, Iter, P0, PointValue, Span, View, Wanted};
pub use value::{Decimal, Fixed, Raw, Rounding, Scale, Value};

/// The types with a `Format`, as the feature `defmt` promises.
#[cfg(feature = "defmt")]
const _: () = {
    const fn has_format<T: defmt::Format>() {}
    has_format::<Error>();
    has_format::<link::Busy>();
    has_format::<link::Timing>();
    has_format::<Value<'_>>();
    has_format::<Raw<'_>>();
    has_format::<Decimal>();
    has_format::<Fixed<i32, 1>>();
    has_format::<PointValue<'_, '_>>();
    has_format::<m2m::Frame<'_>>();
    has_format::<m2m::Event<'_>>();
    has_format::<m2m::Message<'_>>();
    has_format::<uart::Frame<'_>>();
    has_format::<uart::Event<'_>>();
    has_format::<uart::Message<'_>>();
};

#[cfg(all(feature = "defmt", feature = "module"))]
const _: () = {
    const fn has_format<T: defmt::Format>() {}
    has_format::<module::Event<'_>>();
    has_format::<module::RequestError>();
    has_format::<module::Timing>();
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
