//! The clock of a client.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

/// The future that [`Clock::sleep`] returns.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The source of the time and of waits. Tests can set another one with
/// [`Builder::clock`](crate::Builder::clock).
pub trait Clock: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> SystemTime;

    /// Waits for a duration.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The clock of the operating system, and the timer of tokio.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}
