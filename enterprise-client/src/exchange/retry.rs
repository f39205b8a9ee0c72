//! When to try again, and how soon.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often and how soon a failed request is tried again. Only what does no harm is: a request that
/// never left, an answer that the server calls temporary, and reads that got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    pub(crate) attempts: u32,
    base: Duration,
    cap: Duration,
}

impl RetryPolicy {
    /// Nothing is tried again, nor after a refusal for the quota's sake.
    pub const NONE: RetryPolicy = RetryPolicy {
        attempts: 1,
        base: Duration::ZERO,
        cap: Duration::ZERO,
    };

    /// At most this many attempts, the first among them; and at most as many that the server refuses
    /// for the quota's sake. 3 unless told otherwise.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The longest wait before the second attempt; it doubles from there. 500 ms unless told
    /// otherwise.
    #[must_use]
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// The longest wait of all. 20 s unless told otherwise.
    #[must_use]
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Full jitter: anything from nothing to the longest wait. `chance` is from 0 to 1.
    pub(crate) fn wait(&self, failures: u32, chance: f64) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let longest = self.base.saturating_mul(doubled).min(self.cap);
        longest.mul_f64(chance.clamp(0.0, 1.0))
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            attempts: 3,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(20),
        }
    }
}

/// What all retries of a client may cost, so that a server that is down is not beaten.
pub(crate) struct Budget(Mutex<u32>);

impl Budget {
    const FULL: u32 = 500;
    /// Of a retry.
    pub(crate) const COST: u32 = 5;
    /// Of one after a timeout: those hold the server's resources longest.
    pub(crate) const TIMEOUT: u32 = 10;

    pub(crate) fn take(&self, cost: u32) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match left.checked_sub(cost) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => false,
        }
    }

    /// After a success: what its retries cost, or a little.
    pub(crate) fn give_back(&self, spent: u32) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_add(spent.max(1)).min(Budget::FULL);
    }
}

impl Default for Budget {
    fn default() -> Self {
        Budget(Mutex::new(Budget::FULL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_full_and_capped() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.wait(1, 1.0), Duration::from_millis(500));
        assert_eq!(policy.wait(3, 1.0), Duration::from_secs(2));
        assert_eq!(policy.wait(3, 0.0), Duration::ZERO);
        assert_eq!(policy.wait(u32::MAX, 1.0), Duration::from_secs(20));
        assert_eq!(RetryPolicy::NONE.wait(1, 1.0), Duration::ZERO);
    }

    #[test]
    fn the_budget_runs_out_and_fills_up() {
        let budget = Budget::default();
        assert_eq!((0..1000).filter(|_| budget.take(Budget::COST)).count(), 100);
        budget.give_back(0);
        assert!(!budget.take(Budget::COST));
        budget.give_back(Budget::COST);
        assert!(budget.take(Budget::COST));
        budget.give_back(u32::MAX);
        assert!(budget.take(500) && !budget.take(1));
    }
}
