//! A call on its way to the server: token, rate limit, retries and pages.

pub(crate) mod answer;
pub(crate) mod batch;
pub(crate) mod call;
pub(crate) mod drive;
pub(crate) mod driver;
pub(crate) mod limiter;
pub(crate) mod paging;
pub(crate) mod retry;
pub(crate) mod session;
pub(crate) mod token;
