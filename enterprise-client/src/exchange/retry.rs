//! When a request is repeated, and how soon.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use crate::exchange::lock::lock;

/// How often and how soon a failed request is repeated. Only harmless requests are: a request that
/// never left, an answer that the server calls temporary, and reads without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a policy does nothing until it is given to a client or a call"]
pub struct RetryPolicy {
    pub(crate) attempts: u32,
    base: Duration,
    cap: Duration,
}

impl RetryPolicy {
    /// Repeats nothing, not even after a refusal because of the rate limit.
    pub const NONE: RetryPolicy = RetryPolicy {
        attempts: 1,
        base: Duration::ZERO,
        cap: Duration::ZERO,
    };

    /// The most attempts, including the first one, and the most attempts that the server refuses
    /// because of the rate limit. Default: 3.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The longest wait before the second attempt; it doubles from there. Default: 500 ms.
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// The longest wait before any attempt. Default: 20 s.
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

/// The cost of all retries of a client, which is limited so that a server that is down gets a rest.
pub(crate) struct RetryBudget(AtomicU32);

impl RetryBudget {
    const FULL: u32 = 500;
    /// The cost of a retry.
    pub(crate) const COST: u32 = 5;
    /// The cost of a retry after a timeout, which holds the server's resources longest.
    pub(crate) const TIMEOUT: u32 = 10;

    pub(crate) fn take(&self, cost: u32) -> bool {
        let rest = |left: u32| left.checked_sub(cost);
        self.0.fetch_update(Relaxed, Relaxed, rest).is_ok()
    }

    /// After a success: the cost of its retries, or a little.
    pub(crate) fn give_back(&self, spent: u32) {
        let more = |left: u32| Some(left.saturating_add(spent.max(1)).min(RetryBudget::FULL));
        let _ = self.0.fetch_update(Relaxed, Relaxed, more);
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        RetryBudget(AtomicU32::new(RetryBudget::FULL))
    }
}

/// How often the requests of one call are repeated, and how long they may still wait for the server.
pub(crate) struct Allowance {
    pub(crate) policy: RetryPolicy,
    wait: Mutex<Duration>,
}

impl Allowance {
    pub(crate) fn new(policy: RetryPolicy, max_wait: Duration) -> Self {
        Allowance {
            policy,
            wait: Mutex::new(max_wait),
        }
    }

    /// Takes the wait from the time that is left, if there is as much.
    pub(crate) fn take_wait(&self, wait: Duration) -> bool {
        let mut left = lock(&self.wait);
        let rest = left.checked_sub(wait);
        *left = rest.unwrap_or(*left);
        rest.is_some()
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
        let budget = RetryBudget::default();
        assert_eq!(
            (0..1000).filter(|_| budget.take(RetryBudget::COST)).count(),
            100
        );
        budget.give_back(0);
        assert!(!budget.take(RetryBudget::COST));
        budget.give_back(RetryBudget::COST);
        assert!(budget.take(RetryBudget::COST));
        budget.give_back(u32::MAX);
        assert!(budget.take(500) && !budget.take(1));
    }
}
