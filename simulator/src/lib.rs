//! The Gizwits (机智云) Enterprise API at home: its 33 routes over SQLite, and devices behind them that
//! hold raw bytes and speak the real frames.
//!
//! It never calls anybody, and listens on loopback unless told otherwise. What it answers was not written
//! down beforehand: a control is a frame that a device decodes and answers; logs, data, faults and
//! reports follow from that.
//!
//! ```
//! use gizwits_simulator::{Options, Request, Server, Simulator, Time};
//!
//! let simulator = Simulator::builder()
//!     .time(Time::Manual { start: 1_514_692_800_000 })
//!     .build()?;
//! let server = Server::start(simulator.clone(), Options::default())?;
//! println!("{} {:?}", server.url(), simulator.credentials()?);
//!
//! // The same without a socket:
//! let product = simulator.credentials()?.swap_remove(0);
//! let base = format!("/v1/products/{}", product.product_key);
//! let body = format!(
//!     r#"{{"enterprise_id":"{}","enterprise_secret":"{}","product_secret":"{}"}}"#,
//!     product.enterprise_id, product.enterprise_secret, product.product_secret,
//! );
//! let answer = simulator.answer(&Request::new("POST", format!("{base}/access_token")).body(body));
//! let token = answer.text().split('"').nth(3).unwrap_or_default().to_owned();
//!
//! let device = format!("{base}/devices/{}", product.dids[0]);
//! let control = Request::new("POST", format!("{device}/control"));
//! let answer = simulator.answer(&control.token(&token).body(r#"{"attrs":{"set_temp":24}}"#));
//! assert_eq!((answer.status, answer.text()), (200, "{}"));
//! simulator.step(1000)?; // time for the device to answer
//! let data = simulator.answer(&Request::new("GET", format!("{device}/data?limit=1")).token(&token));
//! assert!(data.text().contains(r#""set_temp":24"#));
//! server.stop();
//! # Ok::<(), gizwits_simulator::Error>(())
//! ```
//!
//! # What there is
//! - [`Simulator`]: a world in memory or in a file, and a clock. The same [`Scenario`], seed and
//!   [manual](Time::Manual) clock give the same bytes.
//! - [`Server`]: the API on a socket, and an administration beside it.
//! - [`Act`] and [`Switch`]: what a device, or the vendor's console, may do outside the API.
//! - [`Mode`]: faults on demand, for every route and for as many calls as wanted.
//! - [`Remark`]: what a device says of values that are outside their limits, and of frames that it does
//!   not understand.
//!
//! # Where the documents are silent
//! - A device is known once it was first online. Reports count days, weeks (ISO 8601) and months in
//!   China; those of big data know what happened until last midnight, and 5014 is the answer for what
//!   begins after. In `summary` the devices online, their total and those new today are of now.
//! - In `fault/report/devices` a device is unresolved while any of its faults is open.
//! - `gid` takes in the groups below it (the scenario's `group_descendants`).
//! - `/data` of a var_len device has the points that the report had.
//! - Log windows count whole seconds, both ends within. One bound without the other is 5002.
//! - A group is created with 201. Binding what is bound succeeds; unbinding what isn't fails.
//! - `devices/report/activation` takes `gid`, `cycle`, `start`, `end` and answers as `liveness/history`.
//! - `users/liveness_total` and `users/location` take the key as `product_key` or `product_secret`, and
//!   the product's secret, too. 5801 says that the product is another enterprise's.
//! - The enterprise whose quota a call costs is the one of its path's product, or the one that it names.
//!   Calls that are refused cost, too, but for 5012 and 5013.
//! - A new token leaves the old ones as they are.
//! - A raw control whose values are outside their limits is refused with 5401, as `attrs` are, unless
//!   [`Mode::UncheckedRaw`] is set. A device that gets such a value leaves the point out, applies the
//!   others and answers as always.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
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
mod route;
mod simulator;
mod web;
mod world;

pub use api::{Answer, CODES, Mode, ModeSet, Request};
pub use error::Error;
pub use route::{Auth, ROUTES, Route, openapi};
pub use simulator::{Builder, Credentials, Simulator};
pub use web::{Options, Server};
pub use world::{Act, OFFLINE_REASONS, Remark, RemarkKind, Scenario, Switch, Time};
