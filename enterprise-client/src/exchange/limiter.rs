//! The rate limit: 3,600 calls an hour for an enterprise, over all its products and tokens.
//!
//! The client counts the calls itself, and the headers of answers correct the count. Calls without an answer
//! are subtracted from the remaining calls that a header names, because the server may not have counted them.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::exchange::lock::lock;
use crate::exchange::response::number;
use crate::http::Response;
use crate::model::Timestamp;

/// The period in which the server counts calls.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// The counter of the rate limit of an enterprise. Clones share the count.
///
/// # Examples
/// ```
/// use gizwits_enterprise_client::Limiter;
///
/// // Half of the limit, because another program uses the other half.
/// let limiter = Limiter::per_hour(1800);
/// assert_eq!(limiter.rate_limit().remaining, Some(1800));
/// ```
#[derive(Clone)]
pub struct Limiter(Arc<Mutex<Window>>);

/// The state of the rate limit, as far as the client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// The number of calls an hour. `None` if the calls are not limited.
    pub limit: Option<u64>,
    /// The number of calls that remain until the reset. `None` if the calls are not limited.
    pub remaining: Option<u64>,
    /// The time of the reset. `None` before the first call.
    pub reset_at: Option<Timestamp>,
}

struct Window {
    enforced: bool,
    known: RateLimit,
    on_the_way: u64,
    /// The remaining calls and the reset of the last answer that had them. An answer that arrives late names
    /// more remaining calls than the answer before it.
    last_told: Option<(u64, Timestamp)>,
}

/// A call that is counted and has no answer yet.
pub(crate) struct Permit(Limiter);

impl Drop for Permit {
    fn drop(&mut self) {
        let mut window = lock(&self.0.0);
        window.on_the_way = window.on_the_way.saturating_sub(1);
    }
}

impl Limiter {
    /// A counter that allows this many calls an hour, until the server names another limit.
    #[must_use]
    pub fn per_hour(limit: u64) -> Self {
        Limiter::new(Some(limit))
    }

    /// A counter that delays no call. It still records the state that the server sends.
    #[must_use]
    pub fn unlimited() -> Self {
        Limiter::new(None)
    }

    fn new(limit: Option<u64>) -> Self {
        Limiter(Arc::new(Mutex::new(Window {
            enforced: limit.is_some(),
            known: RateLimit {
                limit,
                remaining: limit,
                reset_at: None,
            },
            on_the_way: 0,
            last_told: None,
        })))
    }

    /// The state of the rate limit, as far as it is known.
    #[must_use]
    pub fn rate_limit(&self) -> RateLimit {
        let known = lock(&self.0).known;
        RateLimit {
            // Without a limit, a server's count says nothing.
            remaining: known.limit.and(known.remaining),
            ..known
        }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// The time of the reset, if no call remains.
    pub(crate) fn acquire(&self, now: Timestamp) -> Result<Permit, Timestamp> {
        let mut window = lock(&self.0);
        if window.known.reset_at.is_some_and(|reset| reset <= now) {
            let limit = window.known.limit;
            window.known.remaining = limit.map(|limit| limit.saturating_sub(window.on_the_way));
            window.known.reset_at = None;
            window.last_told = None;
        }
        // A clock that was set back must not make the hour longer.
        let hour = now.plus(HOUR);
        let reset = window.known.reset_at.unwrap_or(hour).min(hour);
        window.known.reset_at = Some(reset);
        if window.enforced && window.known.remaining == Some(0) {
            return Err(reset);
        }
        window.known.remaining = window.known.remaining.map(|left| left.saturating_sub(1));
        window.on_the_way += 1;
        Ok(Permit(self.clone()))
    }

    /// Takes the state from the headers of an answer. `now` is the time by the server's clock.
    pub(crate) fn observe(&self, permit: Permit, answer: &Response, now: Timestamp) {
        drop(permit);
        let limit = number(answer, "x-ratelimit-limit").filter(|limit| *limit > 0);
        let reset = number(answer, "x-ratelimit-reset").map(Timestamp::from_seconds);
        let mut window = lock(&self.0);
        window.known.limit = limit.or(window.known.limit);
        let Some(remaining) = number::<u64>(answer, "x-ratelimit-remaining") else {
            return;
        };
        // Remaining calls of an hour that is over say nothing about the next hour.
        if reset.is_some_and(|reset| reset <= now) {
            return;
        }
        // The server counts by the hour: a later reset is a mistake.
        let hour = now.plus(HOUR);
        let reset = reset.or(window.known.reset_at).unwrap_or(hour).min(hour);
        let is_late = window
            .last_told
            .is_some_and(|(least, of)| reset.ahead_of(of).abs() <= 1_000_000 && remaining > least);
        if !is_late {
            window.last_told = Some((remaining, reset));
            window.known.remaining = Some(remaining.saturating_sub(window.on_the_way));
            window.known.reset_at = Some(reset);
        }
    }

    /// Records that the server refused a call because of the rate limit.
    pub(crate) fn exhausted(&self, until: Timestamp) {
        let mut window = lock(&self.0);
        window.known.remaining = Some(0);
        window.known.reset_at = Some(until);
    }
}

impl Default for Limiter {
    /// The documented rate limit, 3,600 calls an hour.
    fn default() -> Self {
        Limiter::per_hour(3600)
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rate_limit().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn told(limit: u64, remaining: u64, reset: i64) -> Response {
        let header = |name: &str, value: String| (format!("X-RateLimit-{name}"), value);
        Response::new(
            200,
            [
                header("Limit", limit.to_string()),
                header("Remaining", remaining.to_string()),
                header("Reset", (1_700_000_000 + reset).to_string()),
            ],
            "",
        )
    }

    #[test]
    fn counts_by_itself() {
        let limiter = Limiter::per_hour(2);
        let one = limiter.acquire(NOON).ok();
        let two = limiter.acquire(NOON.plus(Duration::from_secs(5))).ok();
        assert!(one.is_some() && two.is_some());
        let refused = limiter.acquire(NOON.plus(Duration::from_secs(9))).err();
        assert_eq!(refused, Some(NOON.plus(HOUR)));
        drop((one, two));
        assert!(limiter.acquire(NOON.plus(HOUR)).is_ok());
        // A clock that was put back doesn't make the hour longer.
        let limiter = Limiter::per_hour(1);
        let _on_the_way = limiter.acquire(NOON);
        let yesterday = NOON.minus(HOUR * 24);
        assert_eq!(limiter.acquire(yesterday).err(), Some(yesterday.plus(HOUR)));
    }

    #[test]
    fn the_server_corrects() {
        let limiter = Limiter::default();
        let permits: Vec<Permit> = (0..3).filter_map(|_| limiter.acquire(NOON).ok()).collect();
        let mut permits = permits.into_iter();
        let mut answered = |answer| limiter.observe(permits.next().unwrap(), &answer, NOON);
        answered(told(60, 10, 600));
        // Two are on their way.
        let known = limiter.rate_limit();
        assert_eq!((known.limit, known.remaining), (Some(60), Some(8)));
        assert_eq!(known.reset_at, Some(NOON.plus(Duration::from_secs(600))));
        answered(told(60, 7, 600));
        // A late answer knows less.
        answered(told(60, 9, 600));
        assert_eq!(limiter.rate_limit().remaining, Some(6));
        limiter.exhausted(NOON.plus(Duration::from_secs(60)));
        assert!(limiter.acquire(NOON).is_err());
        assert!(limiter.acquire(NOON.plus(Duration::from_secs(60))).is_ok());
    }

    #[test]
    fn nonsense_does_no_harm() {
        let limiter = Limiter::default();
        for answer in [
            told(0, 0, -10),
            told(60, 99, 1_000_000),
            Response::new(200, [], ""),
        ] {
            let permit = limiter
                .acquire(NOON.plus(HOUR))
                .or_else(|reset| limiter.acquire(reset));
            limiter.observe(permit.ok().unwrap(), &answer, NOON);
            assert!(limiter.rate_limit().reset_at <= Some(NOON.plus(HOUR * 2)));
        }
        let unlimited = Limiter::unlimited();
        unlimited.exhausted(NOON.plus(HOUR));
        assert!(unlimited.acquire(NOON).is_ok());
    }
}
