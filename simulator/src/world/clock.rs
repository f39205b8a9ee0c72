//! The simulator's time, in milliseconds since 1970.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// The way in which time passes: with this machine's, or only when it is stepped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// The time of this machine, plus the steps that were made.
    Real,
    /// A time that stands until it is stepped.
    Manual {
        /// Milliseconds since 1970.
        start: i64,
    },
}

/// A clock: a time that moves by itself or not, and an offset that moves it on.
#[derive(Debug)]
pub(crate) struct Clock {
    time: Time,
    offset: AtomicI64,
    /// The latest that it said: a machine's clock may be set back, the world's never goes back.
    latest: AtomicI64,
}

impl Clock {
    pub(crate) fn new(time: Time) -> Self {
        Clock {
            time,
            offset: AtomicI64::new(0),
            latest: AtomicI64::new(i64::MIN),
        }
    }

    pub(crate) fn now(&self) -> i64 {
        let base = match self.time {
            Time::Manual { start } => start,
            Time::Real => Timestamp::now().as_millisecond(),
        };
        let now = base.saturating_add(self.offset.load(Ordering::Relaxed));
        self.latest.fetch_max(now, Ordering::Relaxed).max(now)
    }

    pub(crate) fn step(&self, millis: i64) {
        self.offset.fetch_add(millis, Ordering::Relaxed);
    }

    pub(crate) fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }

    pub(crate) fn is_real(&self) -> bool {
        self.time == Time::Real
    }
}
