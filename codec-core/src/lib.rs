//! Encode and decode Gizwits (机智云) data points.
//!
//! This crate never allocates, never panics once a layout is made, and needs no operating system.
//! To read definitions with names, labels and JSON values, start with `gizwits-codec-std`.
//!
//! A product's [`Point`]s make a [`Layout`]; the layout makes a [`View`] over the bytes of a message,
//! and an [`Encoder`] that writes one. [`P0`] is the message, [`m2m`] and [`uart`] are the frames around it.
//!
//! Decode a report:
//!
//! ```
//! use gizwits_codec_core::{Access, Decimal, Layout, P0, Point, PointId, Protocol, UintSpec, Value};
//!
//! const ROOM_TEMP: PointId = PointId(2);
//! static LAYOUT: Layout<3> = Layout::must(
//!     Protocol::Standard,
//!     &[
//!         Point::bool(0, Access::Writable, 0, 0),
//!         Point::uint8(1, Access::Writable, 1, UintSpec::new(16, 30)),
//!         Point::uint8(
//!             ROOM_TEMP.0,
//!             Access::ReadOnly,
//!             2,
//!             UintSpec::new(0, 250).scaled(Decimal::new(1, 1), Decimal::new(-10, 0)),
//!         ),
//!     ],
//! );
//!
//! let Ok(P0::Report(view)) = P0::parse(LAYOUT.get(), &[0x04, 0x01, 0x10, 0xd7]) else {
//!     panic!("not a report");
//! };
//! assert_eq!(view.get(ROOM_TEMP), Some(Value::Number(Decimal::new(115, 1))));
//! ```
//!
//! To encode, see [`Encoder`]. Sources of the rules: Gizwits' UART protocol, its datapoint JSON, and
//! the code that its MCU generator writes; each file names what it relies on.
//!
//! # Features
//! None by default. `serde`: [`Value`] and [`Decimal`] implement serde's traits. `json`:
//! [`definition`] reads the datapoint JSON. `defmt`: errors, values, frames and events implement `Format`.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bits;
#[cfg(feature = "json")]
pub mod definition;
mod error;
mod frame;
pub mod layout;
pub mod link;
mod message;
pub mod model;
mod value;

pub use error::{Error, ErrorKind, Key, PointId};
pub use frame::{m2m, uart};
pub use layout::{
    Access, Ids, Kind, Layout, LayoutRef, Mask, Point, Position, Protocol, UintSpec, Unit, rules,
};
pub use message::{Action, Encoder, Iter, P0, PointValue, Span, View, Wanted};
pub use model::Fixed;
pub use value::{Decimal, Raw, Rounding, Scale, Value};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
