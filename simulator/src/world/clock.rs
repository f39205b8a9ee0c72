//! The clock of a simulator. Times are milliseconds since 1970.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// The clock of a simulator: the clock of this machine, or a time that only
/// [`Simulator::step`](crate::Simulator::step) moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// The time of this machine, plus all steps.
    Real,
    /// A fixed start, plus all steps.
    Manual {
        /// The start in milliseconds since 1970.
        start: i64,
    },
}

/// A clock that never goes back.
#[derive(Debug)]
pub(crate) struct Clock {
    time: Time,
    /// The sum of all steps in milliseconds.
    offset: AtomicI64,
    /// The latest time that [`now`](Self::now) returned. The clock of a machine may be set back.
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
