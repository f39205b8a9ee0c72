//! The clock of a simulator. Times are milliseconds since 1970.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Transaction, TransactionBehavior};

use super::store::{Sql, Store};

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

/// A clock that never goes back, and the time that the world has reached.
///
/// The world follows the clock. During a step the world is behind: its events are carried out in slices, and until the
/// last slice is committed, the time is the time of the last event.
#[derive(Debug)]
pub(crate) struct Clock {
    time: Time,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The sum of all steps in milliseconds.
    offset: i64,
    /// The latest time that the world had to follow. The clock of a machine may be set back.
    latest: i64,
    /// The time that the world has reached while a step is under way. `None` if no step is under way.
    reached: Option<i64>,
}

impl State {
    /// The time that the world follows.
    fn target(&mut self, time: Time) -> i64 {
        let base = match time {
            Time::Manual { start } => start,
            Time::Real => Timestamp::now().as_millisecond(),
        };
        self.latest = self.latest.max(base.saturating_add(self.offset));
        self.latest
    }

    /// The time of the world.
    fn now(&mut self, time: Time) -> i64 {
        let target = self.target(time);
        self.reached.unwrap_or(target)
    }
}

impl Clock {
    /// Makes a clock with a step under way, so that the events of the first advance are carried out in slices.
    pub(crate) fn new(time: Time) -> Self {
        Clock {
            time,
            state: Mutex::new(State {
                offset: 0,
                latest: i64::MIN,
                reached: Some(i64::MIN),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of the world.
    pub(crate) fn now(&self) -> i64 {
        self.state().now(self.time)
    }

    /// The time that the world follows.
    pub(crate) fn target(&self) -> i64 {
        self.state().target(self.time)
    }

    /// Moves the clock forward, and begins a step. The world stays at its time until it is [advanced](Self::advance).
    pub(crate) fn step(&self, millis: i64) {
        let mut state = self.state();
        state.reached = Some(state.now(self.time));
        state.offset = state.offset.saturating_add(millis);
    }

    /// Moves the clock forward without a step, as a machine does that was suspended.
    pub(crate) fn shift(&self, millis: i64) {
        let mut state = self.state();
        state.offset = state.offset.saturating_add(millis);
    }

    /// Begins a transaction and carries out events that are due: one slice during a step, otherwise all. Not for two
    /// threads at the same time.
    pub(crate) fn advance<'a>(&'a self, store: &'a Store) -> Sql<Moment<'a>> {
        let transaction =
            Transaction::new_unchecked(&store.connection, TransactionBehavior::Immediate)?;
        let (target, before) = {
            let mut state = self.state();
            (state.target(self.time), state.reached)
        };
        let mut reached = store.advance(target)?;
        while before.is_none() && reached < target {
            reached = store.advance(target)?;
        }
        Ok(Moment {
            now: reached.max(before.unwrap_or(reached)),
            is_behind: reached < target,
            transaction,
            clock: self,
        })
    }

    pub(crate) fn offset(&self) -> i64 {
        self.state().offset
    }

    pub(crate) fn is_real(&self) -> bool {
        self.time == Time::Real
    }
}

/// A transaction at one time of the world. If the transaction is dropped, the events that it carried out are rolled
/// back, and the clock stays as it was.
pub(crate) struct Moment<'a> {
    /// The time of the world in the transaction. The time is read once: all records of the transaction have the same
    /// time, so logs stay in order.
    pub(crate) now: i64,
    /// Whether events that are due are still to be carried out.
    is_behind: bool,
    transaction: Transaction<'a>,
    clock: &'a Clock,
}

impl Moment<'_> {
    /// Commits the transaction, and then moves the time of the world.
    pub(crate) fn commit(self) -> Sql<()> {
        self.transaction.commit()?;
        self.clock.state().reached = self.is_behind.then_some(self.now);
        Ok(())
    }
}
