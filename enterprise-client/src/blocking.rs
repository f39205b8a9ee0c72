//! The same without async: every call ends with a `send()` that waits, every page with an iterator.
//!
//! Waiting is done by the async client on a runtime of its own, one thread for all clones, so that
//! there is one implementation and the caller needs no runtime. It can't be used from async code.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime;
use tokio::sync::oneshot;

use crate::client;
use crate::error::Error;
use crate::front::{Front, sealed};

/// [`Enterprise`](crate::Enterprise), blocking.
pub type Enterprise = client::Enterprise<Blocking>;
/// [`Product`](crate::Product), blocking.
pub type Product = client::Product<Blocking>;
/// [`Device`](crate::Device), blocking.
pub type Device = crate::device::Device<Blocking>;

/// Calls wait.
#[derive(Clone, Debug)]
pub struct Blocking(Arc<Runtime>);

#[derive(Debug)]
struct Runtime {
    handle: runtime::Handle,
    /// Dropped with the last client, which ends the thread.
    _alive: oneshot::Sender<()>,
}

impl sealed::Sealed for Blocking {}

impl Front for Blocking {
    fn start() -> Result<Self, Error> {
        let no_runtime = |error| Error::invalid(format!("no runtime: {error}"));
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(no_runtime)?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        std::thread::Builder::new()
            .name("gizwits-enterprise".to_owned())
            .spawn(move || {
                let _ = runtime.block_on(ended);
            })
            .map_err(no_runtime)?;
        Ok(Blocking(Arc::new(Runtime {
            handle,
            _alive: alive,
        })))
    }
}

impl Blocking {
    /// Runs a future on this thread; the runtime's own drives sockets and timers.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, Error> {
        if runtime::Handle::try_current().is_ok() {
            let message =
                "a blocking call within async code would stop its runtime: use the async client";
            return Err(Error::invalid(message));
        }
        Ok(self.0.handle.block_on(future))
    }
}
