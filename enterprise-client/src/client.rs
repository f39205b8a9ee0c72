//! The enterprise and its products.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::exchange::{
    Call, Clock, Limiter, MemoryStore, ProductSession, RateLimit, RequestParts, RetryPolicy,
    Session, Settings, SystemClock, TokenStore,
};
use crate::http::Transport;
use crate::http::reqwest::Reqwest;
use crate::mode::Mode;
use crate::model::{EnterpriseId, ProductKey, Timestamp};

/// The documented host. TLS, since requests carry secrets.
const BASE_URL: &str = "https://enterpriseapi.gizwits.com";

/// An enterprise: its credentials, its rate limit, its connections. Cheap to clone.
#[derive(Clone)]
pub struct Enterprise<M> {
    pub(crate) session: Arc<Session>,
    pub(crate) mode: M,
}

/// A product of an enterprise: its secret, its token, its definition. Cheap to clone.
#[derive(Clone)]
pub struct Product<M> {
    pub(crate) enterprise: Enterprise<M>,
    pub(crate) session: Arc<ProductSession>,
}

impl<M: Mode> Enterprise<M> {
    /// A builder with default settings.
    pub fn builder() -> Builder<M> {
        Builder {
            settings: Settings {
                id: "".into(),
                secret: SecretString::default(),
                base: BASE_URL.to_owned(),
                clock: Box::new(SystemClock),
                store: Box::new(MemoryStore::default()),
                limiter: Limiter::default(),
                retry: RetryPolicy::default(),
                max_wait: Duration::from_secs(60),
                paths: HashMap::new(),
            },
            http: Reqwest::builder(),
            transport: None,
            mode: PhantomData,
        }
    }

    /// A product of this enterprise. Handles of the same key and secret share token and definition.
    pub fn product(
        &self,
        key: impl Into<ProductKey>,
        secret: impl Into<SecretString>,
    ) -> Product<M> {
        Product {
            enterprise: self.clone(),
            session: self.session.product(key.into(), secret.into()),
        }
    }

    /// The known state of the rate limit.
    #[must_use]
    pub fn rate_limit(&self) -> RateLimit {
        self.session.settings.limiter.rate_limit()
    }

    /// The path of an endpoint that the server has answered; none before the first answer, and none of
    /// an endpoint that was given another [`path`](Builder::path).
    #[must_use]
    pub fn answering_path(&self, endpoint: &Endpoint) -> Option<&'static str> {
        let route = self.session.route(endpoint)?;
        endpoint.templates.get(route).copied()
    }

    /// The time by the server's clock, as its last answer told.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.session.now()
    }

    pub(crate) fn call<O>(
        &self,
        product: Option<&Arc<ProductSession>>,
        parts: RequestParts,
        operation: O,
    ) -> Call<M, O> {
        Call {
            session: self.session.clone(),
            product: product.cloned(),
            mode: self.mode.clone(),
            parts,
            operation,
            retry: self.session.settings.retry,
            max_wait: self.session.settings.max_wait,
        }
    }
}

impl<M: Mode> Product<M> {
    /// The key of the product.
    #[must_use]
    pub fn key(&self) -> &ProductKey {
        &self.session.key
    }

    /// The enterprise that the product belongs to.
    #[must_use]
    pub fn enterprise(&self) -> &Enterprise<M> {
        &self.enterprise
    }

    pub(crate) fn call<O>(&self, endpoint: Endpoint, operation: O) -> Call<M, O> {
        let parts = RequestParts::new(endpoint);
        self.enterprise.call(Some(&self.session), parts, operation)
    }
}

impl<M> fmt::Debug for Enterprise<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enterprise")
            .field("id", &self.session.settings.id)
            .field("base_url", &self.session.settings.base)
            .field("rate_limit", &self.session.settings.limiter)
            .finish_non_exhaustive()
    }
}

impl<M> fmt::Debug for Product<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Product")
            .field("key", &self.session.key)
            .finish_non_exhaustive()
    }
}

/// Builds an [`Enterprise`].
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<M> {
    settings: Settings,
    http: reqwest::ClientBuilder,
    transport: Option<Box<dyn Transport>>,
    mode: PhantomData<M>,
}

impl<M: Mode> Builder<M> {
    /// The enterprise's id. Required.
    pub fn id(mut self, id: impl Into<EnterpriseId>) -> Self {
        self.settings.id = id.into();
        self
    }

    /// The enterprise's secret. Required.
    pub fn secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.settings.secret = secret.into();
        self
    }

    /// The URL of the server. `http:` sends secrets in clear text. Default:
    /// `https://enterpriseapi.gizwits.com`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.settings.base = url.into();
        self
    }

    /// The time limit of a request, from the connection to the last byte. Default: 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.http = self.http.timeout(timeout);
        self
    }

    /// The time limit of a connection attempt. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.http = self.http.connect_timeout(timeout);
        self
    }

    /// The `User-Agent` header. Default: name and version of this crate.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.http = self.http.user_agent(user_agent.into());
        self
    }

    /// Ignores the proxy that the environment names. A server on this machine (`localhost`,
    /// 127.0.0.0/8, ::1) is reached without a proxy in any case.
    pub fn no_proxy(mut self) -> Self {
        self.http = self.http.no_proxy();
        self
    }

    /// The store of tokens. Default: in memory.
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.settings.store = Box::new(store);
        self
    }

    /// The count of calls, to share it with other clients of the same enterprise. Default: a count of
    /// its own, of 3,600 calls an hour.
    pub fn limiter(mut self, limiter: Limiter) -> Self {
        self.settings.limiter = limiter;
        self
    }

    /// How often requests are repeated, and how soon.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.settings.retry = retry;
        self
    }

    /// The longest time that a call waits for the reset of the rate limit in all, for its token and its
    /// definition too, before it fails with [`Error::RateLimited`]. The waits that a gateway asks for
    /// count too. Default: 60 s.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.settings.max_wait = wait;
        self
    }

    /// The path of an endpoint, in place of the documented ones.
    pub fn path(mut self, endpoint: &Endpoint, template: impl Into<String>) -> Self {
        self.settings.paths.insert(endpoint.id, template.into());
        self
    }

    /// The clock. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Box::new(clock);
        self
    }

    /// The transport of requests, which then has timeouts, user agent and proxy of its own. Default:
    /// reqwest.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`Error::Invalid`] if id or secret are missing or empty, or the base URL can't be used.
    pub fn build(self) -> Result<Enterprise<M>, Error> {
        let mut settings = self.settings;
        let (id, secret) = (settings.id.as_str(), settings.secret.expose_secret());
        for (name, value) in [("id", id), ("secret", secret)] {
            if value.is_empty() {
                let message = format!("the enterprise's {name} is missing");
                return Err(Error::Invalid(message));
            }
        }
        let base = base(&settings.base).map_err(Error::Invalid)?;
        let transport = match self.transport {
            Some(transport) => transport,
            None if base.starts_with("https:") && cfg!(not(feature = "rustls")) => {
                return Err(Error::Invalid(format!(
                    "{base} needs TLS: switch on the feature `rustls`"
                )));
            }
            None => Box::new(Reqwest::new(&base, self.http).map_err(Error::Invalid)?),
        };
        settings.base = base;
        Ok(Enterprise {
            session: Arc::new(Session::new(settings, transport)),
            mode: M::start()?,
        })
    }
}

impl<M> fmt::Debug for Builder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("id", &self.settings.id)
            .field("base_url", &self.settings.base)
            .finish_non_exhaustive()
    }
}

/// The base URL without a slash at its end.
fn base(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("the base URL can't be used: {error}"))?;
    let wrong = if !matches!(url.scheme(), "https" | "http") {
        "it must begin with https:// or http://"
    } else if !url.username().is_empty() || url.password().is_some() {
        "it must not contain credentials"
    } else if url.query().is_some() || url.fragment().is_some() {
        "it must end with the path"
    } else {
        return Ok(url.as_str().trim_end_matches('/').to_owned());
    };
    Err(format!("the base URL can't be used: {wrong}"))
}
