//! The two modes of calls: async, and blocking on top of async.

use crate::error::Error;

#[cfg(feature = "blocking")]
pub use blocking::Blocking;

/// How calls are run: [`Async`] or blocking. Only this crate implements it.
pub trait Mode: Clone + Send + Sync + 'static {
    #[doc(hidden)]
    fn start() -> Result<Self, Error>;
}

/// Calls are futures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Async;

impl Mode for Async {
    fn start() -> Result<Self, Error> {
        Ok(Async)
    }
}

#[cfg(feature = "blocking")]
mod blocking {
    use std::sync::{Arc, mpsc};

    use tokio::runtime;
    use tokio::sync::oneshot;
    use tracing::instrument::{Instrument as _, WithSubscriber as _};

    use super::{Error, Mode};

    /// Calls wait for their results.
    #[derive(Clone, Debug)]
    pub struct Blocking {
        runtime: runtime::Handle,
        /// Dropped with the last client, which ends the thread.
        _alive: Arc<oneshot::Sender<()>>,
    }

    impl Mode for Blocking {
        fn start() -> Result<Self, Error> {
            let no_runtime = |error| Error::Invalid(format!("no runtime: {error}"));
            let runtime = runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(no_runtime)?;
            let handle = runtime.handle().clone();
            let (alive, ended) = oneshot::channel();
            std::thread::Builder::new()
                .name("gizwits-enterprise".to_owned())
                .spawn(move || runtime.block_on(ended))
                .map_err(no_runtime)?;
            Ok(Blocking {
                runtime: handle,
                _alive: Arc::new(alive),
            })
        }
    }

    impl Blocking {
        /// Runs a future on the client's thread and waits for its result on this one.
        pub(crate) fn wait<T: Send + 'static>(
            &self,
            future: impl Future<Output = Result<T, Error>> + Send + 'static,
        ) -> Result<T, Error> {
            let (sender, receiver) = mpsc::sync_channel(1);
            let future = future.in_current_span().with_current_subscriber();
            drop(self.runtime.spawn(async move {
                // Nobody waits any more only if the waiting thread is gone.
                let _ = sender.send(future.await);
            }));
            receiver.recv().unwrap_or_else(|_| {
                // Nothing in this crate panics.
                let message = "the call panicked: its transport, clock or token store did";
                Err(Error::Invalid(message.to_owned()))
            })
        }
    }
}
