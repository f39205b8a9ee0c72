//! What all calls of one enterprise share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use secrecy::SecretString;

use crate::call::Definition;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::http::{Answer, Transport};
use crate::id::{EnterpriseId, ProductKey};
use crate::limiter::Limiter;
use crate::retry::{Budget, RetryPolicy};
use crate::time::{Clock, Timestamp};
use crate::token::{Token, TokenKey, TokenStore};

pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) budget: Budget,
    routes: Mutex<HashMap<&'static str, usize>>,
    products: Mutex<HashMap<ProductKey, Vec<Arc<ProductCore>>>>,
    chance: Mutex<fastrand::Rng>,
    /// Microseconds that the server's clock is ahead of ours.
    ahead: AtomicI64,
}

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
    /// Held by the one who gets a token.
    pub(crate) gate: tokio::sync::Mutex<()>,
    slot: Mutex<Slot>,
    definition: Mutex<Option<Definition>>,
    /// Held by the one who gets the definition.
    #[cfg(feature = "codec")]
    pub(crate) defining: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Slot {
    kept: Option<Kept>,
    refused: Option<Token>,
    /// Counts the ends of fetches.
    fetches: u64,
    failure: Option<Error>,
}

struct Kept {
    token: Token,
    refresh_at: Timestamp,
}

impl Core {
    pub(crate) fn new(settings: Settings) -> Self {
        Core {
            settings,
            budget: Budget::default(),
            routes: Mutex::default(),
            products: Mutex::default(),
            chance: Mutex::default(),
            ahead: AtomicI64::new(0),
        }
    }

    /// The time by the server's clock, as far as its answers told.
    pub(crate) fn now(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let distance = Duration::from_micros(ahead.unsigned_abs());
        let now = Timestamp::from(self.settings.clock.now());
        if ahead < 0 {
            now.minus(distance)
        } else {
            now.plus(distance)
        }
    }

    /// Takes the server's time from an answer. `Date` has whole seconds, so a small difference is none.
    pub(crate) fn observe_clock(&self, answer: &Answer) {
        let date = answer
            .header("date")
            .and_then(|date| httpdate::parse_http_date(date).ok());
        let Some(date) = date else { return };
        let now: SystemTime = self.settings.clock.now();
        let ahead = match date.duration_since(now) {
            Ok(ahead) => i64::try_from(ahead.as_micros()).unwrap_or(i64::MAX),
            Err(behind) => i64::try_from(behind.duration().as_micros()).map_or(i64::MIN, |by| -by),
        };
        let ahead = if ahead.unsigned_abs() < 2_000_000 {
            0
        } else {
            ahead
        };
        self.ahead.store(ahead, Ordering::Relaxed);
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
        if endpoint.templates.len() > 1 {
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
            gate: tokio::sync::Mutex::new(()),
            slot: Mutex::default(),
            definition: Mutex::default(),
            #[cfg(feature = "codec")]
            defining: tokio::sync::Mutex::new(()),
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
        let life = token.expires_at.since(self.now());
        product.with(|slot| {
            slot.kept = Some(self.kept(token.clone(), life));
            slot.refused = None;
            slot.failure = None;
            slot.fetches = slot.fetches.wrapping_add(1);
        });
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

    /// The token, if it hasn't expired.
    pub(crate) fn valid_token(&self, now: Timestamp) -> Option<Token> {
        self.with(|slot| {
            let kept = slot
                .kept
                .as_ref()
                .filter(|kept| now < kept.token.expires_at)?;
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

    /// How many fetches have ended.
    pub(crate) fn fetches(&self) -> u64 {
        self.with(|slot| slot.fetches)
    }

    /// Those who wait for the token share the failure.
    pub(crate) fn fetch_failed(&self, error: &Error) {
        self.with(|slot| {
            slot.fetches = slot.fetches.wrapping_add(1);
            slot.failure = Some(error.copy());
        });
    }

    /// The failure that ended a fetch since `fetches` were counted.
    pub(crate) fn failed_since(&self, fetches: u64) -> Option<Error> {
        self.with(|slot| {
            let failure = slot.failure.as_ref()?;
            (slot.fetches != fetches).then(|| failure.copy())
        })
    }
}
