//! The client without async: every call ends with a `send()` that waits, every page with an iterator.
//!
//! The async client does the work on a runtime of its own, one thread for all clones, so that there is
//! one implementation and the caller needs no runtime. Within async code a call blocks the thread that
//! it is made on: make it on a thread that may be blocked.

pub use crate::mode::Blocking;
use crate::{api, client};

/// [`Enterprise`](crate::Enterprise), blocking.
pub type Enterprise = client::Enterprise<Blocking>;
/// [`Product`](crate::Product), blocking.
pub type Product = client::Product<Blocking>;
/// [`Device`](crate::Device), blocking.
pub type Device = api::device::Device<Blocking>;
