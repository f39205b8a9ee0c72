//! The rules for retries.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use crate::exchange::lock::lock;

/// The number of retries of a failed request, and the waits before them. The client only retries requests
/// that are safe to repeat: a request that was not sent, a request that the server refused because of a
/// temporary problem, and a read without an answer.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use gizwits_enterprise_client::RetryPolicy;
///
/// // Up to five attempts, with random waits of at most 200, 400, 800 and 1,000 ms between them.
/// let policy = RetryPolicy::default()
///     .attempts(5)
///     .base(Duration::from_millis(200))
///     .cap(Duration::from_secs(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a policy does nothing until it is given to a client or a call"]
pub struct RetryPolicy {
    pub(crate) attempts: u32,
    base: Duration,
    cap: Duration,
}

impl RetryPolicy {
    /// No retries, not even after a refusal because of the rate limit.
    pub const NONE: RetryPolicy = RetryPolicy {
        attempts: 1,
        base: Duration::ZERO,
        cap: Duration::ZERO,
    };

    /// Sets the maximum number of attempts, including the first one. Attempts that the server refuses because
    /// of the rate limit are counted separately, with the same maximum. Default: 3.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets the maximum wait before the second attempt. The maximum doubles with each further attempt, and the
    /// wait is a random part of it. Default: 500 ms.
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the maximum wait before any attempt. Default: 20 s.
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// The wait before the next attempt: a random part of the maximum (full jitter), so that clients that
    /// failed together don't retry together. `chance` is from 0 to 1.
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

/// The retry budget of a client. It limits the retries of all calls together, so that a server that is
/// down doesn't get a multiple of its usual load.
pub(crate) struct RetryBudget(AtomicU32);

impl RetryBudget {
    const FULL: u32 = 500;
    /// The cost of a retry.
    pub(crate) const COST: u32 = 5;
    /// The cost of a retry after a timeout. It is higher, because the server may still work on the request.
    pub(crate) const TIMEOUT: u32 = 10;

    pub(crate) fn take(&self, cost: u32) -> bool {
        let rest = |left: u32| left.checked_sub(cost);
        self.0.fetch_update(Relaxed, Relaxed, rest).is_ok()
    }

    /// Gives back the cost of the retries of a request that succeeded, or 1 if it had no retries.
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

/// The retries of the requests of one call, and the time that they may still wait for the server.
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

    /// Subtracts the wait from the time that is left. Returns false if less time is left.
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
