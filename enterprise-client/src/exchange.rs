//! The way of a call to the server: parameters, token, rate limit, retries and pages.

mod batch;
mod call;
mod clock;
mod driver;
mod limiter;
mod lock;
mod paging;
mod request;
mod response;
mod retry;
mod session;
mod token;
mod trace;

pub use batch::{Batch, DeviceId, Outcome};
#[cfg(feature = "codec")]
pub(crate) use call::definition;
pub(crate) use call::server_time;
pub use call::{Accepted, ByPlace, ByState, Call, Grouped, Operation};
pub(crate) use call::{Context, Received, Requests, operations};
pub use clock::{Clock, Sleep, SystemClock};
pub use limiter::{Limiter, RateLimit};
pub use paging::{Items, Meta, Page, Paged};
pub(crate) use request::RequestParts;
pub(crate) use response::token as read_token;
pub(crate) use retry::Allowance;
pub use retry::RetryPolicy;
pub(crate) use session::{Definition, ProductSession, Session, Settings};
pub use token::{FileStore, MemoryStore, Token, TokenKey, TokenStore};
