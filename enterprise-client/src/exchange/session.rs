//! The state that the calls of an enterprise share: settings, products and their tokens.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::exchange::clock::Clock;
use crate::exchange::limiter::Limiter;
use crate::exchange::lock::lock;
use crate::exchange::response::http_date;
use crate::exchange::retry::{RetryBudget, RetryPolicy};
use crate::exchange::token::{Token, TokenKey, TokenStore};
use crate::http::{Response, Transport};
use crate::model::{EnterpriseId, ProductKey, Timestamp};

/// The definition of a product, as the codec uses it.
#[cfg(feature = "codec")]
pub(crate) type Definition = gizwits_codec_std::Product;
/// A type without values: without the codec there are no definitions.
#[cfg(not(feature = "codec"))]
#[derive(Clone, Debug)]
pub enum Definition {}

/// The range of plausible dates in answers: 2016 to 2099. Other dates don't change the server's time.
const SENSIBLE: Range<Timestamp> =
    Timestamp::from_seconds(1_451_606_400)..Timestamp::from_seconds(4_102_444_800);

/// The time for which a token is used that has expired when it is received.
const EXPIRED_TOKEN_USE: Duration = Duration::from_secs(600);
/// The time between a failed refresh of a token and the next one, while the old token is valid.
const REFRESH_PAUSE: Duration = Duration::from_secs(60);

/// The state that the calls of an enterprise share.
pub(crate) struct Session {
    pub(crate) settings: Settings,
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) retry_budget: RetryBudget,
    routes: Mutex<HashMap<&'static str, usize>>,
    products: Mutex<Vec<Arc<ProductSession>>>,
    pub(crate) clock_flight: Flight,
    /// The lead of the server's clock over the local clock in microseconds, by the last answer. `None` before the
    /// first answer.
    server_ahead: Mutex<Option<i64>>,
}

/// The settings of a client.
pub(crate) struct Settings {
    pub(crate) id: EnterpriseId,
    pub(crate) secret: SecretString,
    /// The base URL without a slash at its end.
    pub(crate) base: String,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) store: Box<dyn TokenStore>,
    pub(crate) limiter: Limiter,
    pub(crate) retry: RetryPolicy,
    pub(crate) max_wait: Duration,
    /// The paths that replace the paths of endpoints, by the endpoint's id.
    pub(crate) paths: HashMap<&'static str, String>,
}

/// The state that the calls of a product share.
pub(crate) struct ProductSession {
    pub(crate) key: ProductKey,
    pub(crate) secret: SecretString,
    pub(crate) token_flight: Flight,
    token: Mutex<Option<CachedToken>>,
    #[cfg(feature = "codec")]
    pub(crate) definition_flight: Flight,
    definition: Mutex<Option<Definition>>,
}

/// A fetch that callers share: one caller sends the request, the others wait for the lock and use the result.
/// The caller that sends releases the lock during waits that the server asks for, because each caller has its
/// own maximum wait. The value is the last failure, with the time before which the server wants no request if the
/// server has asked for a wait.
pub(crate) type Flight = tokio::sync::Mutex<Option<(Option<Timestamp>, Error)>>;

struct CachedToken {
    token: Token,
    refresh_at: Timestamp,
}

impl Session {
    pub(crate) fn new(settings: Settings, transport: Box<dyn Transport>) -> Self {
        Session {
            settings,
            transport,
            retry_budget: RetryBudget::default(),
            routes: Mutex::default(),
            products: Mutex::default(),
            clock_flight: Flight::default(),
            server_ahead: Mutex::default(),
        }
    }

    /// The current time by the local clock.
    pub(crate) fn local_time(&self) -> Timestamp {
        Timestamp::from(self.settings.clock.now())
    }

    /// The current time by the server's clock, or by the local clock before the first answer.
    pub(crate) fn now(&self) -> Timestamp {
        self.local_time()
            .shifted(lock(&self.server_ahead).unwrap_or(0))
    }

    /// Whether an answer has set the server's clock.
    pub(crate) fn knows_clock(&self) -> bool {
        lock(&self.server_ahead).is_some()
    }

    /// Takes the server's time from the `Date` header of an answer. Without a plausible date, the clock remains as
    /// it was: that of the last answer, or else the local clock.
    pub(crate) fn observe_clock(&self, answer: &Response) {
        let date = answer.header("date").and_then(http_date);
        let date = date.filter(|date| SENSIBLE.contains(date));
        // `Date` has whole seconds and the answer took some time, so small differences are ignored.
        let ahead = date.map(|date| match date.ahead_of(self.local_time()) {
            -1_999_999..=1_999_999 => 0,
            ahead => ahead,
        });
        let mut known = lock(&self.server_ahead);
        *known = ahead.or(*known).or(Some(0));
    }

    pub(crate) async fn sleep(&self, wait: Duration) {
        if !wait.is_zero() {
            tracing::debug!(wait_ms = wait.as_millis() as u64, "waiting");
            self.settings.clock.sleep(wait).await;
        }
    }

    /// The index of the path at which the server answered the endpoint.
    pub(crate) fn route(&self, endpoint: &Endpoint) -> Option<usize> {
        lock(&self.routes).get(endpoint.id).copied()
    }

    pub(crate) fn remember_route(&self, endpoint: &Endpoint, route: usize) {
        // A path that the caller has set is the only one to try.
        if endpoint.templates.len() > 1 && !self.settings.paths.contains_key(endpoint.id) {
            lock(&self.routes).insert(endpoint.id, route);
        }
    }

    /// The shared state of a product. Calls with the same key and secret get the same state.
    pub(crate) fn product(&self, key: ProductKey, secret: SecretString) -> Arc<ProductSession> {
        let mut products = lock(&self.products);
        let known = products.iter().find(|product| {
            product.key == key && product.secret.expose_secret() == secret.expose_secret()
        });
        if let Some(known) = known {
            return Arc::clone(known);
        }
        let product = Arc::new(ProductSession {
            key,
            secret,
            token_flight: Flight::default(),
            token: Mutex::default(),
            #[cfg(feature = "codec")]
            definition_flight: Flight::default(),
            definition: Mutex::default(),
        });
        products.push(Arc::clone(&product));
        product
    }

    fn token_key(&self, product: &ProductSession) -> TokenKey {
        TokenKey::new(&self.settings.id, &product.key)
    }

    /// Loads the token from the store and caches it. `None` if the store has no fresh token.
    pub(crate) fn stored_token(&self, product: &ProductSession) -> Option<Token> {
        let loaded = self.settings.store.load(&self.token_key(product));
        let token = traced(loaded, "the token store could not be read").flatten()?;
        let cached = cached(token.clone(), Duration::MAX);
        if self.now() >= cached.refresh_at {
            return None;
        }
        *lock(&product.token) = Some(cached);
        Some(token)
    }

    /// Puts a new token into the cache and the store.
    pub(crate) fn keep_token(&self, product: &ProductSession, token: &Token) {
        let now = self.now();
        let life = token.expires_at.since(now);
        let mut cached = cached(token.clone(), life);
        if life.is_zero() {
            tracing::warn!(expires_at = %token.expires_at, "the server sent a token that has expired: check the clocks");
            cached.refresh_at = now.plus(EXPIRED_TOKEN_USE);
            cached.token.expires_at = cached.refresh_at;
        }
        *lock(&product.token) = Some(cached);
        let saved = self.settings.store.save(&self.token_key(product), token);
        traced(saved, "the token could not be stored");
    }

    /// Removes a refused token from the cache and the store, unless another token has replaced it.
    pub(crate) fn drop_token(&self, product: &ProductSession, refused: &Token) {
        let mut slot = lock(&product.token);
        if !slot.as_ref().is_some_and(|cached| cached.token.is(refused)) {
            return;
        }
        *slot = None;
        drop(slot);
        let (store, key) = (&self.settings.store, self.token_key(product));
        let stored = store.load(&key).ok().flatten();
        if stored.is_some_and(|stored| stored.is(refused)) {
            let removed = store.remove(&key);
            traced(
                removed,
                "the refused token could not be removed from the store",
            );
        }
    }
}

/// The value of a result of the token store. An error is traced, because the client works without a store.
fn traced<T>(result: std::io::Result<T>, message: &str) -> Option<T> {
    result
        .inspect_err(|error| tracing::warn!(%error, "{message}"))
        .ok()
}

/// Creates a cached token. Tokens are refreshed ten to eleven minutes before they expire, at a random time so
/// that many clients don't refresh at once. New tokens with a shorter life are refreshed after half of it.
fn cached(token: Token, life: Duration) -> CachedToken {
    let margin = Duration::from_secs(600) + Duration::from_secs(60).mul_f64(fastrand::f64());
    CachedToken {
        refresh_at: token.expires_at.minus(margin.min(life / 2)),
        token,
    }
}

impl ProductSession {
    /// The token, if it doesn't need a refresh yet.
    pub(crate) fn fresh_token(&self, now: Timestamp) -> Option<Token> {
        let slot = lock(&self.token);
        let cached = slot.as_ref().filter(|cached| now < cached.refresh_at)?;
        Some(cached.token.clone())
    }

    /// The token after a failed refresh, if the token hasn't expired. Delays the next refresh.
    pub(crate) fn old_token(&self, now: Timestamp) -> Option<Token> {
        let mut slot = lock(&self.token);
        let cached = slot
            .as_mut()
            .filter(|cached| now < cached.token.expires_at)?;
        cached.refresh_at = now.plus(REFRESH_PAUSE).min(cached.token.expires_at);
        Some(cached.token.clone())
    }

    /// The definition, if it is known.
    pub(crate) fn known_definition(&self) -> Option<Definition> {
        lock(&self.definition).clone()
    }
    #[cfg(feature = "codec")]
    pub(crate) fn define(&self, definition: Option<Definition>) {
        *lock(&self.definition) = definition;
    }
}
