//! The Gizwits (机智云) Enterprise API at home.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod admin;
mod bindings;
mod call;
mod clock;
mod control;
mod device;
mod device_reports;
mod devices;
mod error;
mod groups;
mod http;
mod logs;
mod mode;
mod page;
mod period;
mod products;
mod random;
mod route;
mod scenario;
mod server;
mod simulator;
mod store;
mod tree;
mod user_reports;
mod users;

pub use clock::Time;
pub use device::Act;
pub use error::{CODES, Error, Refusal};
pub use http::{Answer, Request};
pub use mode::Mode;
pub use route::{Auth, ROUTES, Route};
pub use scenario::{OFFLINE_REASONS, Scenario};
pub use server::{Options, Server};
pub use simulator::{Builder, Credentials, ModeSet, Simulator, Switch};
