#![doc = include_str!("../README.md")]
//!
//! # Overview
//! - [`Simulator`] is a world in memory or in a file, and a clock. [`Scenario`] describes how the world begins and
//!   [`Time`] how time passes.
//! - [`Server`] serves a simulator over HTTP: the API, its pages and an administration.
//! - [`LanOptions`] puts the devices on the local network as well, for clients without a cloud.
//! - [`Request`] and [`Response`] are a call without a socket. [`ROUTES`] lists all calls.
//! - [`Act`] and [`Switch`] change a device, a product or an enterprise from outside the API.
//! - [`Mode`] makes calls fail or differ, for one route or all of them.
//! - [`Remark`] is a note of a device about a value outside its limits, or about a frame that it ignored.
//!
//! # Choices where the documents are silent
//! Devices and reports:
//! - A device exists for the API once it was online for the first time.
//! - Reports count days, ISO 8601 weeks and months in China Standard Time. The reports of big data include events
//!   until last midnight; a period that begins later is refused with 5014. The online, total and new devices in
//!   `summary` are current counts.
//! - In `fault/report/devices`, a device is unresolved while any of its faults is open.
//! - `gid` includes the groups below that group, unless the scenario turns `group_descendants` off.
//! - A control from the local network is in the command log, with the command 0093 in place of 0090, and the number 0
//!   if it came without one. A read from there
//!   is not. A device that is offline does not answer there either.
//! - `/data` of a var_len device has only the points that were in the report.
//! - Log windows count whole seconds and include both bounds. One bound without the other is refused with 5002.
//! - `devices/report/activation` takes `gid`, `cycle`, `start` and `end`, and its answer has the form of
//!   `liveness/history`.
//!
//! Groups and users:
//! - A new group is answered with 201. Binding a bound device succeeds, and unbinding an unbound device fails.
//! - `users/liveness_total` and `users/location` accept the product key as `product_key` or as `product_secret`, and
//!   also the product's secret. 5801 means that the product belongs to another enterprise.
//!
//! Quotas, tokens and controls:
//! - A call counts against the quota of the enterprise that it names in its body or headers, or else of the
//!   enterprise that owns the product in the path. Refused calls count, except those refused with 5012 or 5013.
//! - A new token does not revoke older tokens.
//! - A raw control with values outside their limits is refused with 5401, as `attrs` are. With
//!   [`Mode::UncheckedRaw`] it reaches the device, which leaves those points out, applies the others and answers as
//!   usual.

#![forbid(unsafe_code)]
#![deny(missing_debug_implementations, missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod api;
mod endpoint;
mod error;
mod lan;
mod route;
mod simulator;
mod web;
mod world;

pub use api::{CODES, Mode, ModeSet, Request, Response};
pub use error::Error;
pub use lan::{LanAddress, LanOptions};
pub use route::{Auth, ROUTES, Route, openapi};
pub use simulator::{Builder, Credentials, Simulator};
pub use web::{Options, Server};
pub use world::{Act, OFFLINE_REASONS, Remark, RemarkKind, Scenario, Switch, Time};
