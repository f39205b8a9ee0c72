//! The same without async: every call ends with a `send()` that waits, every page with an iterator.
//!
//! Waiting is done by the async client on a runtime of its own, one thread for all clones, so that
//! there is one implementation and the caller needs no runtime. Within async code a call stops the
//! thread that it is made on, and nothing else: make it on one that may be stopped.

use std::future::Future;
use std::sync::{Arc, mpsc};

use tokio::runtime;
use tokio::sync::oneshot;
use tracing::instrument::{Instrument as _, WithSubscriber as _};

use crate::client;
use crate::error::Error;
use crate::mode::{Front, sealed};

/// [`Enterprise`](crate::Enterprise), blocking.
pub type Enterprise = client::Enterprise<Blocking>;
/// [`Product`](crate::Product), blocking.
pub type Product = client::Product<Blocking>;
/// [`Device`](crate::Device), blocking.
pub type Device = crate::api::device::Device<Blocking>;

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
    /// Runs a future on the client's thread and waits for it on this one.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = mpsc::sync_channel(1);
        let future = future.in_current_span().with_current_subscriber();
        let task = self.0.handle.spawn(future);
        drop(self.0.handle.spawn(async move {
            let result = task.await.unwrap_or_else(|error| {
                // Of what the caller brought: nothing in this crate does.
                Err(Error::invalid(if error.is_panic() {
                    "the call panicked: its transport, clock or token store did"
                } else {
                    "the call was given up"
                }))
            });
            // Nobody waits any more only if the waiting thread is gone.
            let _ = answer.send(result);
        }));
        answered
            .recv()
            .unwrap_or_else(|_| Err(Error::invalid("the client's thread has ended")))
    }
}
