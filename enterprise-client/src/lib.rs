//! A client of the Gizwits (机智云) Enterprise API, with the data point codec inside.
//!
//! An [`Enterprise`] has [products](Product), a product has devices, groups, bindings, users and
//! reports. Every endpoint is a method that makes a [`Call`], which `send` sends. The client fetches
//! tokens, keeps the rate limit and retries what is harmless; each of that can be configured or
//! switched off. It never prints, never follows a redirect, and shows no secret in errors, `Debug` or
//! traces.
//!
//! ```no_run
//! # async fn run() -> Result<(), gizwits_enterprise_client::Error> {
//! use gizwits_enterprise_client::Enterprise;
//! use serde_json::json;
//!
//! let enterprise = Enterprise::builder().id("…").secret("…").build()?;
//! let product = enterprise.product("…", "…");
//!
//! let mut online = product.devices().search().city("Guangzhou").is_online(true).stream();
//! while let Some(device) = online.next().await {
//!     let device = product.device(device?.did);
//!     // Checked against the product's definition before it costs a call.
//!     device.control(json!({"set_temp": 24, "mode": "制冷"})).send().await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
#![cfg_attr(
    feature = "blocking",
    doc = "Without async, with the feature `blocking`:

```no_run
# fn run() -> Result<(), gizwits_enterprise_client::Error> {
use gizwits_enterprise_client::blocking::Enterprise;

let enterprise = Enterprise::builder().id(\"…\").secret(\"…\").build()?;
let device = enterprise.product(\"…\", \"…\").device(\"…\");
for command in device.cmd_log().iter() {
    println!(\"{:?}\", command?.decoded);
}
# Ok(())
# }
```
"
)]
//!
//! # Features
//! - `rustls` (default): HTTPS.
//! - `codec` (default): controls are checked and completed, logs come decoded.
//! - `blocking`: the same methods without async.
//!
//! # Modules
//! Each group of endpoints is a module with its calls and the types of its answers: [`devices`],
//! [`device`], [`log`], [`groups`], [`bindings`], [`reports`], [`users`]. The table of all endpoints is
//! [`endpoint`], and [`http`] has what a transport of your own needs.

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
#[cfg(feature = "blocking")]
pub mod blocking;
pub mod client;
mod code;
pub mod endpoint;
mod error;
mod exchange;
pub mod http;
mod mode;
mod model;

#[cfg(feature = "codec")]
pub use gizwits_codec_std as codec;
pub use secrecy::{ExposeSecret, SecretString};

pub use api::control::{Coding, Control};
pub use api::custom::Custom;
pub use api::groups::{GroupNode, GroupTree};
pub use api::product::{AccessToken, Datapoint};
pub use api::{bindings, device, devices, groups, log, reports, users};
pub use client::Builder;
pub use code::{ErrorCode, ErrorKind, Repeat};
pub use endpoint::{Endpoint, Method};
pub use error::{ApiError, DecodeError, Error, RateLimited, TransportError, Unexpected};
pub use exchange::{
    Accepted, Batch, ByPlace, ByState, Call, Clock, DeviceId, FileStore, Grouped, Items, Limiter,
    MemoryStore, Meta, Operation, Outcome, Page, Paged, RateLimit, RetryPolicy, Sleep, SystemClock,
    Token, TokenKey, TokenStore,
};
pub use jiff::civil::Date;
pub use mode::{Async, Mode};
pub use model::{
    AppId, AttrValue, Attrs, Count, Datapoints, Did, EnterpriseId, EventCount, Extra, Gid, Mac,
    Month, ParseError, Period, Place, Places, ProductKey, StateCount, Timestamp, Uid, Week,
    YearPart,
};
#[cfg(feature = "codec")]
pub use model::{Body, Message};

/// An enterprise: its credentials, its rate limit, its connections.
pub type Enterprise = client::Enterprise<Async>;
/// A product of an enterprise: its secret, its token, its definition.
pub type Product = client::Product<Async>;
/// One device of a product.
pub type Device = device::Device<Async>;

#[cfg(all(doctest, feature = "codec"))]
#[doc = include_str!("../README.md")]
struct Readme;
