//! What all calls of one enterprise share.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::exchange::call::Definition;
use crate::exchange::limiter::Limiter;
use crate::exchange::retry::{Budget, RetryPolicy};
use crate::exchange::token::{Token, TokenKey, TokenStore};
use crate::http::{Answer, Transport};
use crate::model::ids::{EnterpriseId, ProductKey};
use crate::model::time::{Clock, Timestamp};

pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) budget: Budget,
    routes: Mutex<HashMap<&'static str, usize>>,
    products: Mutex<HashMap<ProductKey, Vec<Arc<ProductCore>>>>,
    chance: Mutex<fastrand::Rng>,
    ahead: Mutex<Ahead>,
}

/// Microseconds that the server's clock is ahead of ours.
#[derive(Default)]
struct Ahead {
    believed: i64,
    /// By the last answer.
    told: Option<i64>,
}

/// Before there was an API, and long after it, it is no time at all.
const SENSIBLE: Range<Timestamp> =
    Timestamp::from_seconds(1_451_606_400)..Timestamp::from_seconds(4_102_444_800);

/// How long a token is used that had expired when it came.
const DOUBTFUL: Duration = Duration::from_secs(600);
/// From a refresh that failed to the next one, while the old token does.
const PAUSE: Duration = Duration::from_secs(60);

/// What the caller chose.
pub(crate) struct Settings {
    pub(crate) id: EnterpriseId,
    pub(crate) secret: SecretString,
    /// Without a slash at its end.
    pub(crate) base: String,
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) store: Box<dyn TokenStore>,
    pub(crate) limiter: Limiter,
    pub(crate) retry: RetryPolicy,
    pub(crate) max_wait: Duration,
    /// Paths in place of ours, by the endpoint's id.
    pub(crate) paths: HashMap<&'static str, String>,
}

/// What all calls for one product share.
pub(crate) struct ProductCore {
    pub(crate) key: ProductKey,
    pub(crate) secret: SecretString,
    pub(crate) tokens: Flight,
    slot: Mutex<Slot>,
    #[cfg(feature = "codec")]
    pub(crate) definitions: Flight,
    definition: Mutex<Option<Definition>>,
}

/// One gets what all need, and those who wait for it share a failure.
#[derive(Default)]
pub(crate) struct Flight {
    /// Held by the one who gets it; not while it waits because the server says so, since how long a
    /// caller waits for that is its own affair.
    pub(crate) gate: tokio::sync::Mutex<()>,
    /// Up to when the server wants to be left alone, and the failure that told.
    held: Mutex<Option<Told>>,
    /// How many have landed, and how the last one failed.
    landed: Mutex<(u64, Option<Error>)>,
}

/// A wait that the server told with a failure.
pub(crate) struct Told {
    pub(crate) until: Timestamp,
    pub(crate) error: Error,
}

impl Flight {
    pub(crate) fn hold(&self, told: Option<Told>) {
        if told.is_some() {
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = told;
        }
    }

    /// How much longer the server wants to be left alone, and why.
    pub(crate) fn held(&self, now: Timestamp) -> Option<(Duration, Error)> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let told = held.as_ref().filter(|told| now < told.until)?;
        Some((told.until.since(now), told.error.clone()))
    }

    fn with<T>(&self, run: impl FnOnce(&mut (u64, Option<Error>)) -> T) -> T {
        run(&mut self.landed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn landed(&self) -> u64 {
        self.with(|landed| landed.0)
    }

    pub(crate) fn land(&self, failure: Option<&Error>) {
        if !matches!(failure, Some(Error::RateLimited(_))) {
            let failure = failure.cloned();
            self.with(|landed| *landed = (landed.0.wrapping_add(1), failure));
        }
    }

    /// How it failed, if it has landed since.
    pub(crate) fn failed_since(&self, before: u64) -> Option<Error> {
        self.with(|(landed, failure)| failure.clone().filter(|_| *landed != before))
    }
}

#[derive(Default)]
struct Slot {
    kept: Option<Kept>,
    refused: Option<Token>,
}

struct Kept {
    token: Token,
    refresh_at: Timestamp,
    /// It may be used up to here if there is no other.
    good_until: Timestamp,
}

impl Core {
    pub(crate) fn new(settings: Settings) -> Self {
        Core {
            settings,
            budget: Budget::default(),
            routes: Mutex::default(),
            products: Mutex::default(),
            chance: Mutex::default(),
            ahead: Mutex::default(),
        }
    }

    /// The time by our clock.
    pub(crate) fn ours(&self) -> Timestamp {
        Timestamp::from(self.settings.clock.now())
    }

    /// The time by the server's clock, as far as its answers told.
    pub(crate) fn now(&self) -> Timestamp {
        self.ours().shifted(self.with_ahead(|ahead| ahead.believed))
    }

    /// Takes the server's time from an answer of the API, and gives it. It is that of all calls once
    /// two answers agree about it.
    pub(crate) fn observe_clock(&self, answer: &Answer) -> Timestamp {
        let date = answer
            .header("date")
            .and_then(|date| httpdate::parse_http_date(date).ok())
            .map(Timestamp::from)
            .filter(|date| SENSIBLE.contains(date));
        let Some(date) = date else { return self.now() };
        let ours = self.ours();
        // `Date` has whole seconds, so a small difference is none.
        let told = match date.ahead_of(ours) {
            -1_999_999..=1_999_999 => 0,
            told => told,
        };
        self.with_ahead(|ahead| {
            let agrees = |one: i64| one.abs_diff(told) < 5_000_000;
            if ahead.told.is_some_and(agrees) && !agrees(ahead.believed) {
                ahead.believed = told;
            }
            ahead.told = Some(told);
        });
        let now = self.now();
        if date.ahead_of(now).unsigned_abs() < 5_000_000 {
            now
        } else {
            date
        }
    }

    fn with_ahead<T>(&self, run: impl FnOnce(&mut Ahead) -> T) -> T {
        run(&mut self.ahead.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From 0 to 1.
    pub(crate) fn chance(&self) -> f64 {
        self.chance
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .f64()
    }

    /// Which of an endpoint's paths answered last.
    pub(crate) fn route(&self, endpoint: &Endpoint) -> Option<usize> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.get(endpoint.id).copied()
    }

    pub(crate) fn remember_route(&self, endpoint: &Endpoint, route: usize) {
        // Of a path that the caller gave there is no other.
        if endpoint.templates.len() > 1 && !self.settings.paths.contains_key(endpoint.id) {
            let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
            routes.insert(endpoint.id, route);
        }
    }

    /// The product's shared state: the same for the same key and secret.
    pub(crate) fn product(&self, key: ProductKey, secret: SecretString) -> Arc<ProductCore> {
        use secrecy::ExposeSecret as _;
        let mut products = self.products.lock().unwrap_or_else(PoisonError::into_inner);
        let known = products.entry(key.clone()).or_default();
        let same = known
            .iter()
            .find(|one| one.secret.expose_secret() == secret.expose_secret());
        if let Some(same) = same {
            return Arc::clone(same);
        }
        let product = Arc::new(ProductCore {
            key,
            secret,
            tokens: Flight::default(),
            slot: Mutex::default(),
            #[cfg(feature = "codec")]
            definitions: Flight::default(),
            definition: Mutex::default(),
        });
        known.push(Arc::clone(&product));
        product
    }

    fn key(&self, product: &ProductCore) -> TokenKey {
        TokenKey {
            enterprise: self.settings.id.clone(),
            product: product.key.clone(),
        }
    }

    /// The token of the store, if it is a fresh one that wasn't refused; kept from then on.
    pub(crate) fn stored_token(&self, product: &ProductCore) -> Option<Token> {
        let token = match self.settings.store.load(&self.key(product)) {
            Ok(token) => token?,
            Err(error) => {
                tracing::warn!(%error, "no token from the store");
                return None;
            }
        };
        let kept = self.kept(token, Duration::MAX);
        let now = self.now();
        product.with(|slot| {
            let refused = slot.refused.as_ref();
            if now >= kept.refresh_at || refused.is_some_and(|refused| refused.is(&kept.token)) {
                return None;
            }
            Some(slot.kept.insert(kept).token.clone())
        })
    }

    pub(crate) fn keep_token(&self, product: &ProductCore, token: &Token) {
        let now = self.now();
        let life = token.expires_at.since(now);
        let mut kept = self.kept(token.clone(), life);
        if life.is_zero() {
            tracing::warn!(expires_at = %token.expires_at, "a new token that has expired: is the clock right?");
            kept.good_until = now.plus(DOUBTFUL);
            kept.refresh_at = kept.good_until;
        }
        product.with(|slot| {
            slot.kept = Some(kept);
            slot.refused = None;
        });
        product.tokens.land(None);
        if let Err(error) = self.settings.store.save(&self.key(product), token) {
            tracing::warn!(%error, "the token was not stored");
        }
    }

    /// Tokens are refreshed ten minutes before they expire and up to one more; new ones that live
    /// shorter, in the middle of their life.
    fn kept(&self, token: Token, life: Duration) -> Kept {
        let margin = Duration::from_secs(600) + Duration::from_secs(60).mul_f64(self.chance());
        Kept {
            refresh_at: token.expires_at.minus(margin.min(life / 2)),
            good_until: token.expires_at,
            token,
        }
    }

    /// Drops a token that was refused, unless there is another by now.
    pub(crate) fn drop_token(&self, product: &ProductCore, refused: &Token) {
        let dropped = product.with(|slot| {
            let current = slot
                .kept
                .as_ref()
                .is_some_and(|kept| kept.token.is(refused));
            if current {
                slot.kept = None;
                slot.refused = Some(refused.clone());
            }
            current
        });
        if dropped {
            let key = self.key(product);
            let stored = self.settings.store.load(&key).ok().flatten();
            if stored.is_some_and(|stored| stored.is(refused))
                && let Err(error) = self.settings.store.remove(&key)
            {
                tracing::warn!(%error, "the refused token was not removed from the store");
            }
        }
    }
}

impl ProductCore {
    fn with<T>(&self, run: impl FnOnce(&mut Slot) -> T) -> T {
        run(&mut self.slot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The token, if it need not be refreshed yet.
    pub(crate) fn fresh_token(&self, now: Timestamp) -> Option<Token> {
        self.with(|slot| {
            let kept = slot.kept.as_ref().filter(|kept| now < kept.refresh_at)?;
            Some(kept.token.clone())
        })
    }

    /// The token after a refresh that failed, if it hasn't expired; for a while nobody tries again.
    pub(crate) fn old_token(&self, now: Timestamp) -> Option<Token> {
        self.with(|slot| {
            let kept = slot.kept.as_mut().filter(|kept| now < kept.good_until)?;
            kept.refresh_at = now.plus(PAUSE).min(kept.good_until);
            Some(kept.token.clone())
        })
    }

    /// The definition, if it is known.
    pub(crate) fn known_definition(&self) -> Option<Definition> {
        self.definition
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    #[cfg(feature = "codec")]
    pub(crate) fn define(&self, definition: Option<Definition>) {
        *self
            .definition
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = definition;
    }
}
