//! The waits between attempts to connect.

use std::time::Duration;

use fastrand::Rng;

/// The options of the waits between attempts to connect.
///
/// The first wait is up to [`base`](Self::base), and every further one up to twice as long as the one before, but never
/// longer than [`cap`](Self::cap). A wait is drawn between half of its limit and the limit, so that devices that were lost
/// together are not called together.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BackoffOptions {
    /// The limit of the first wait, 500 ms by default, and at least 1 ms.
    pub base: Duration,
    /// The limit of all waits, 30 s by default. A connection that has lasted for this time makes the next wait the first one
    /// again.
    pub cap: Duration,
    /// The seed of the random numbers. With the same seed, the waits are the same. By default, the seed is random.
    pub seed: Option<u64>,
}

impl Default for BackoffOptions {
    fn default() -> Self {
        BackoffOptions {
            base: Duration::from_millis(500),
            cap: Duration::from_secs(30),
            seed: None,
        }
    }
}

impl BackoffOptions {
    /// Returns the limit of the wait after this number of waits.
    fn limit(&self, waits: u32) -> Duration {
        let base = self.base.max(Duration::from_millis(1));
        let factor = 1_u32.checked_shl(waits).unwrap_or(u32::MAX);
        base.saturating_mul(factor).min(self.cap.max(base))
    }
}

/// The waits since the last connection that has lasted.
#[derive(Debug)]
pub(crate) struct Backoff {
    options: BackoffOptions,
    waits: u32,
    rng: Rng,
}

impl Backoff {
    pub(crate) fn new(options: BackoffOptions) -> Self {
        Backoff {
            waits: 0,
            rng: options.seed.map_or_else(Rng::new, Rng::with_seed),
            options,
        }
    }

    /// Returns the next wait.
    pub(crate) fn next(&mut self) -> Duration {
        let limit = self.options.limit(self.waits);
        self.waits = self.waits.saturating_add(1);
        limit.mul_f64(0.5 + self.rng.f64() / 2.0)
    }

    /// Returns the number of waits since the first one.
    pub(crate) const fn waits(&self) -> u32 {
        self.waits
    }

    /// Begins with the first wait again.
    pub(crate) const fn restart(&mut self) {
        self.waits = 0;
    }

    /// Begins with the first wait again if a connection has lasted for long enough.
    pub(crate) fn lasted(&mut self, time: Duration) {
        if time >= self.options.cap {
            self.restart();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_begin_again() {
        let options = BackoffOptions {
            seed: Some(7),
            ..BackoffOptions::default()
        };
        let mut backoff = Backoff::new(options.clone());
        let limits = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
        let mut waits = Vec::new();
        for limit in limits.map(Duration::from_millis) {
            let wait = backoff.next();
            assert!(limit / 2 <= wait && wait <= limit, "{wait:?} of {limit:?}");
            waits.push(wait);
        }
        backoff.lasted(Duration::from_secs(29));
        assert!(backoff.next() >= Duration::from_secs(15));
        backoff.lasted(Duration::from_secs(30));
        assert!(backoff.next() <= Duration::from_millis(500));
        // The waits follow from the seed.
        let mut again = Backoff::new(options);
        assert!(waits.iter().all(|wait| *wait == again.next()));
    }

    #[test]
    fn options_of_any_size_give_a_wait() {
        for (base, cap) in [
            (Duration::ZERO, Duration::ZERO),
            (Duration::MAX, Duration::MAX),
            (Duration::from_secs(9), Duration::ZERO),
        ] {
            let mut backoff = Backoff::new(BackoffOptions {
                base,
                cap,
                seed: None,
            });
            for _ in 0..100 {
                let wait = backoff.next();
                assert!(wait >= Duration::from_micros(500));
                assert!(wait >= base / 2);
            }
        }
    }
}
