//! The two modes of a client: async, and blocking on top of async.

use crate::error::Error;

#[cfg(feature = "blocking")]
pub use blocking::Blocking;

/// The mode of a client: [`Async`] or blocking. Only this crate implements the trait.
pub trait Mode: Clone + Send + Sync + 'static {
    #[doc(hidden)]
    fn start() -> Result<Self, Error>;
}

/// The mode in which calls are futures.
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

    /// The mode in which calls block the current thread.
    #[derive(Clone, Debug)]
    pub struct Blocking {
        runtime: runtime::Handle,
        /// Ends the thread when the last clone of the client is dropped.
        _alive: Arc<oneshot::Sender<()>>,
    }

    impl Mode for Blocking {
        fn start() -> Result<Self, Error> {
            let no_runtime = |error| {
                Error::Invalid(format!(
                    "the thread of the client could not be started: {error}"
                ))
            };
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
        /// Runs a future on the client's thread, and waits for its result on the current thread.
        pub(crate) fn wait<T: Send + 'static>(
            &self,
            future: impl Future<Output = Result<T, Error>> + Send + 'static,
        ) -> Result<T, Error> {
            let (sender, receiver) = mpsc::sync_channel(1);
            let future = future.in_current_span().with_current_subscriber();
            drop(self.runtime.spawn(async move {
                // The result is only lost if the waiting thread has ended.
                let _ = sender.send(future.await);
            }));
            receiver.recv().unwrap_or_else(|_| {
                // This crate doesn't panic, so the reason is code of the caller.
                let message = "the transport, the clock or the token store panicked";
                Err(Error::Invalid(message.to_owned()))
            })
        }
    }
}
