//! A client of the Gizwits (机智云) Enterprise API, with the data point codec inside.
//!
//! An [`Enterprise`] has [products](Product). A product has devices, groups, bindings, users and
//! reports. Each endpoint of the API is a method that returns a [`Call`]. The method `send` of the call
//! sends the request and returns the answer. The client fetches tokens, keeps the rate limit and
//! retries requests that are safe to repeat. Each of these functions can be configured or switched off.
//! The client never prints, never follows a redirect, and shows no secret in errors, `Debug` output or
//! traces.
//!
//! ```
//! use gizwits_enterprise_client::Enterprise;
//! use gizwits_simulator::{Server, Simulator};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A simulator on this machine instead of the cloud: the example needs no account.
//! let server = Server::start(Simulator::builder().build()?, Default::default())?;
//! let account = server.simulator().credentials()?.swap_remove(0);
//!
//! let enterprise = Enterprise::builder()
//!     .id(&account.enterprise_id)
//!     .secret(account.enterprise_secret)
//!     .base_url(server.url())
//!     .build()?;
//! let product = enterprise.product(&account.product_key, account.product_secret);
//!
//! let mut online = product.devices().search().city("Guangzhou").is_online(true).stream();
//! while let Some(device) = online.next().await {
//!     let device = product.device(device?.did);
//!     // The client checks the values against the product's definition before it sends them.
//!     device.control(json!({"set_temp": 24, "mode": "制冷"})).send().await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `blocking`, the module `blocking` has the same methods without async.
//!
//! # Features
//! - `rustls` (default): HTTPS.
//! - `codec` (default): controls are checked and completed by the product's definition, and the frames
//!   of logs are decoded.
//! - `blocking`: the same methods without async.
//!
//! # Modules
//! Each group of endpoints is a module with its calls and the types of its answers: [`devices`],
//! [`device`], [`log`], [`groups`], [`bindings`], [`reports`], [`users`]. The module [`endpoint`] has the
//! table of all endpoints. The module [`http`] has the types for a transport of your own.

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
pub mod app;
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

/// The async client of an enterprise.
pub type Enterprise = client::Enterprise<Async>;
/// A product of an enterprise, with async calls.
pub type Product = client::Product<Async>;
/// A device of a product, with async calls.
pub type Device = device::Device<Async>;

#[cfg(all(doctest, feature = "codec"))]
#[doc = include_str!("../README.md")]
struct Readme;
