//! A call on its way to the server: parameters, token, rate limit, retries and pages.

pub(crate) mod batch;
pub(crate) mod call;
pub(crate) mod clock;
pub(crate) mod driver;
pub(crate) mod limiter;
mod lock;
pub(crate) mod paging;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod retry;
pub(crate) mod session;
pub(crate) mod token;
mod trace;
