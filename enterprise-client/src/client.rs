//! The client of an enterprise, and its products.

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

/// The URL of the server in the API documentation, with HTTPS, because requests contain secrets.
pub const BASE_URL: &str = "https://enterpriseapi.gizwits.com";

/// The client of an enterprise: credentials, rate limit, tokens and connections. Clones are cheap and
/// share all of them.
///
/// # Examples
/// ```
/// use gizwits_enterprise_client::Enterprise;
///
/// let enterprise = Enterprise::builder()
///     .id("enterprise id")
///     .secret("enterprise secret")
/// #   .base_url("http://localhost")
///     .build()?;
/// let product = enterprise.product("product key", "product secret");
/// assert_eq!(product.key(), "product key");
/// # Ok::<(), gizwits_enterprise_client::Error>(())
/// ```
#[derive(Clone)]
pub struct Enterprise<M> {
    pub(crate) session: Arc<Session>,
    pub(crate) mode: M,
}

/// A product of an enterprise: key, secret, token and definition. Clones are cheap and share all of them.
#[derive(Clone)]
pub struct Product<M> {
    pub(crate) enterprise: Enterprise<M>,
    pub(crate) session: Arc<ProductSession>,
}

impl<M: Mode> Enterprise<M> {
    /// Returns a builder with default settings.
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
            #[cfg(feature = "rustls")]
            roots: None,
            transport: None,
            mode: PhantomData,
        }
    }

    /// Returns a product of this enterprise. All handles with the same key and secret share the token and
    /// the definition. Sends nothing.
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

    /// The state of the rate limit, as far as the client knows it. Sends nothing.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// product.devices().search().send().await?;
    /// let known = product.enterprise().rate_limit();
    /// // The token and the search.
    /// assert_eq!((known.limit, known.remaining), (Some(3600), Some(3598)));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn rate_limit(&self) -> RateLimit {
        self.session.settings.limiter.rate_limit()
    }

    /// The path at which the server has answered an endpoint. `None` before the first answer, and for an
    /// endpoint whose path was replaced with [`Builder::path`].
    #[must_use]
    pub fn answering_path(&self, endpoint: &Endpoint) -> Option<&'static str> {
        let route = self.session.route(endpoint)?;
        endpoint.templates.get(route).copied()
    }

    /// The current time by the server's clock: the local time, corrected by the `Date` header of the last
    /// answer. Before the first answer, it is the local time, which may be wrong: [`Product::now`] sends a request then.
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

/// A builder of an [`Enterprise`]. Only [`id`](Self::id) and [`secret`](Self::secret) are required.
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<M> {
    settings: Settings,
    http: reqwest::ClientBuilder,
    #[cfg(feature = "rustls")]
    roots: Option<Vec<u8>>,
    transport: Option<Box<dyn Transport>>,
    mode: PhantomData<M>,
}

impl<M: Mode> Builder<M> {
    /// Sets the id of the enterprise. Required.
    pub fn id(mut self, id: impl Into<EnterpriseId>) -> Self {
        self.settings.id = id.into();
        self
    }

    /// Sets the secret of the enterprise. Required.
    pub fn secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.settings.secret = secret.into();
        self
    }

    /// Sets the URL of the server. Requests to an `http:` URL send secrets as clear text. Default: [`BASE_URL`].
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.settings.base = url.into();
        self
    }

    /// Sets the time limit of a request, from the connection attempt to the last byte of the answer.
    /// Default: 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.http = self.http.timeout(timeout);
        self
    }

    /// Sets the time limit of a connection attempt. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.http = self.http.connect_timeout(timeout);
        self
    }

    /// Sets the `User-Agent` header. Default: the name and version of this crate.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.http = self.http.user_agent(user_agent.into());
        self
    }

    /// Ignores the proxy of the environment variables (`HTTPS_PROXY` and others). Default: the proxy is
    /// used, except for a server on this machine (`localhost`, 127.0.0.0/8, ::1).
    pub fn no_proxy(mut self) -> Self {
        self.http = self.http.no_proxy();
        self
    }

    /// Sets CA certificates as PEM text, for example of the private authority of a gateway. They are trusted in
    /// addition to the certificates of the platform. Not available on Android. Default: the certificates of the
    /// platform.
    ///
    /// # Examples
    /// ```no_run
    /// use gizwits_enterprise_client::Enterprise;
    ///
    /// let enterprise = Enterprise::builder()
    ///     .id("enterprise id")
    ///     .secret("enterprise secret")
    ///     .base_url("https://gateway.example")
    ///     .root_certificates(std::fs::read("authority.pem")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "rustls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Sets the store of tokens, for example a [`FileStore`](crate::FileStore), so that the next run of a
    /// program doesn't fetch a new token. Default: [`MemoryStore`].
    ///
    /// # Examples
    /// ```
    /// use gizwits_enterprise_client::{Enterprise, FileStore};
    ///
    /// let enterprise = Enterprise::builder()
    ///     .id("enterprise id")
    ///     .secret("enterprise secret")
    /// #   .base_url("http://localhost")
    ///     .token_store(FileStore::new("/var/lib/service/tokens.json"))
    ///     .build()?;
    /// # Ok::<(), gizwits_enterprise_client::Error>(())
    /// ```
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.settings.store = Box::new(store);
        self
    }

    /// Sets the counter of the rate limit. Clients of the same enterprise share one counter, because the
    /// server counts their calls together. Default: a counter of this client, with 3,600 calls an hour.
    ///
    /// # Examples
    /// ```
    /// use gizwits_enterprise_client::{Enterprise, Limiter};
    ///
    /// let limiter = Limiter::default();
    /// let client = || {
    ///     Enterprise::builder()
    ///         .id("enterprise id")
    ///         .secret("enterprise secret")
    /// #       .base_url("http://localhost")
    ///         .limiter(limiter.clone())
    ///         .build()
    /// };
    /// let (one, two) = (client()?, client()?);
    /// # Ok::<(), gizwits_enterprise_client::Error>(())
    /// ```
    pub fn limiter(mut self, limiter: Limiter) -> Self {
        self.settings.limiter = limiter;
        self
    }

    /// Sets the retry policy of all calls. Default: [`RetryPolicy::default`], three attempts.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// use gizwits_enterprise_client::{Enterprise, RetryPolicy};
    ///
    /// let enterprise = Enterprise::builder()
    ///     .id("enterprise id")
    ///     .secret("enterprise secret")
    /// #   .base_url("http://localhost")
    ///     .retry(RetryPolicy::default().attempts(5).cap(Duration::from_secs(5)))
    ///     .build()?;
    /// # Ok::<(), gizwits_enterprise_client::Error>(())
    /// ```
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.settings.retry = retry;
        self
    }

    /// Sets the maximum time that one call waits for the reset of the rate limit. A call that would wait
    /// longer fails with [`Error::RateLimited`]. The time includes the waits for the call's token and
    /// definition, and the waits that a gateway asks for with `Retry-After`. Default: 60 s.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.settings.max_wait = wait;
        self
    }

    /// Replaces the paths of an endpoint by another one, with the same parameters in braces. Default: the
    /// paths in the table of [endpoints](crate::endpoint).
    pub fn path(mut self, endpoint: &Endpoint, template: impl Into<String>) -> Self {
        self.settings.paths.insert(endpoint.id, template.into());
        self
    }

    /// Sets the source of time and waits. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Box::new(clock);
        self
    }

    /// Sets the transport that sends the requests. The transport then decides about timeouts, user agent
    /// and proxy: the options of this builder for them have no effect. Default: reqwest.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the id or the secret is missing, if the base URL or a root certificate is not valid, or if the
    /// HTTP client or the runtime of the blocking client could not be created.
    pub fn build(self) -> Result<Enterprise<M>, Error> {
        let mut settings = self.settings;
        let (id, secret) = (settings.id.as_str(), settings.secret.expose_secret());
        for (name, value) in [("id", id), ("secret", secret)] {
            if value.is_empty() {
                let message = format!("the {name} of the enterprise is missing");
                return Err(Error::Invalid(message));
            }
        }
        let base = base(&settings.base).map_err(Error::Invalid)?;
        let transport = match self.transport {
            Some(transport) => transport,
            #[cfg(feature = "rustls")]
            None => Box::new(transport(&base, self.http, self.roots.as_deref())?),
            #[cfg(not(feature = "rustls"))]
            None => Box::new(transport(&base, self.http)?),
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
        // A URL that is not valid may contain a password.
        let base = base(&self.settings.base).unwrap_or_else(|error| error);
        f.debug_struct("Builder")
            .field("id", &self.settings.id)
            .field("base_url", &base)
            .finish_non_exhaustive()
    }
}

/// Returns the transport to a server. `roots` are further certificates as PEM text.
pub(crate) fn transport(
    base: &str,
    http: reqwest::ClientBuilder,
    #[cfg(feature = "rustls")] roots: Option<&[u8]>,
) -> Result<Reqwest, Error> {
    #[cfg(feature = "rustls")]
    let http = crate::http::reqwest::with_tls(http, base, roots);
    #[cfg(not(feature = "rustls"))]
    let http = match base.starts_with("https:") {
        true => Err(format!(
            "{base} needs TLS: enable the feature `rustls` of this crate"
        )),
        false => Ok(http),
    };
    let reqwest = http.and_then(|http| Reqwest::new(base, http));
    reqwest.map_err(Error::Invalid)
}

/// Returns the base URL without the slash at its end.
pub(crate) fn base(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("the base URL is not valid: {error}"))?;
    let wrong = if !matches!(url.scheme(), "https" | "http") {
        "it must begin with https:// or http://"
    } else if !url.username().is_empty() || url.password().is_some() {
        "it must not contain credentials"
    } else if url.query().is_some() || url.fragment().is_some() {
        "it must not contain a query or a fragment"
    } else {
        return Ok(url.as_str().trim_end_matches('/').to_owned());
    };
    Err(format!("the base URL is not valid: {wrong}"))
}
