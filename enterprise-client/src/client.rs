//! The enterprise and its products, over either front.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::api::bindings::Bindings;
use crate::api::custom::Custom;
use crate::api::device::Device;
use crate::api::device_reports::DeviceReports;
use crate::api::devices::Devices;
use crate::api::groups::{Group, Groups};
use crate::api::product::{AccessToken, Datapoint};
use crate::api::user_reports::UserReports;
use crate::api::users::Users;
use crate::endpoint::{Endpoint, Method, page};
use crate::error::Error;
use crate::exchange::call::Call;
use crate::exchange::driver::Parts;
use crate::exchange::limiter::{Limiter, RateLimit};
use crate::exchange::retry::RetryPolicy;
use crate::exchange::session::{Core, ProductCore, Settings};
use crate::exchange::token::{MemoryStore, TokenStore};
use crate::http::Transport;
use crate::http::reqwest::{Reqwest, Timeouts};
use crate::mode::Front;
use crate::model::ids::{Did, EnterpriseId, Gid, ProductKey};
use crate::model::time::{Clock, SystemClock, Timestamp};

/// The documented host. TLS, since requests carry secrets.
const BASE_URL: &str = "https://enterpriseapi.gizwits.com";

/// An enterprise: its credentials, its quota, its connections. Cheap to clone.
#[derive(Clone)]
pub struct Enterprise<C> {
    pub(crate) core: Arc<Core>,
    // The async one is nothing but its type.
    #[cfg_attr(not(feature = "blocking"), allow(dead_code))]
    pub(crate) front: C,
}

/// A product of an enterprise: its secret, its token, its definition. Cheap to clone.
#[derive(Clone)]
pub struct Product<C> {
    pub(crate) enterprise: Enterprise<C>,
    pub(crate) product: Arc<ProductCore>,
}

impl<C: Front> Enterprise<C> {
    /// Begins with nothing but defaults.
    #[must_use]
    pub fn builder() -> Builder<C> {
        Builder {
            id: None,
            secret: None,
            base_url: BASE_URL.to_owned(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            user_agent: concat!("gizwits-enterprise-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            system_proxy: true,
            transport: None,
            clock: Box::new(SystemClock),
            store: Box::new(MemoryStore::default()),
            limiter: Limiter::default(),
            retry: RetryPolicy::default(),
            max_wait: Duration::from_secs(60),
            paths: HashMap::new(),
            front: PhantomData,
        }
    }

    /// A product of this enterprise. Handles of the same key and secret share token and definition.
    pub fn product(
        &self,
        key: impl Into<ProductKey>,
        secret: impl Into<SecretString>,
    ) -> Product<C> {
        Product {
            enterprise: self.clone(),
            product: self.core.product(key.into(), secret.into()),
        }
    }

    /// What is known of the quota.
    #[must_use]
    pub fn rate_limit(&self) -> RateLimit {
        self.core.settings.limiter.rate_limit()
    }

    /// Which of an endpoint's paths the server has; none before the first answer, and none of an
    /// endpoint that was given another [`path`](Builder::path).
    #[must_use]
    pub fn answering_path(&self, endpoint: &Endpoint) -> Option<&'static str> {
        endpoint.templates.get(self.core.route(endpoint)?).copied()
    }

    /// The time by the server's clock, as far as its answers told.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.core.now()
    }

    /// A call that this crate doesn't know, with the enterprise's id and secret in its headers.
    pub fn request(&self, method: Method, path: impl Into<String>) -> Call<C, Custom> {
        Custom::call(self.clone(), None, method, path.into())
    }
}

impl<C: Front> Product<C> {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> &ProductKey {
        &self.product.key
    }

    /// The enterprise it belongs to.
    #[must_use]
    pub fn enterprise(&self) -> &Enterprise<C> {
        &self.enterprise
    }

    pub(crate) fn call<O>(&self, endpoint: Endpoint, operation: O) -> Call<C, O> {
        let parts = Parts::new(endpoint);
        Call::new(
            self.enterprise.clone(),
            Some(self.product.clone()),
            parts,
            operation,
        )
    }

    /// A new token, for use elsewhere: calls get theirs by themselves.
    #[doc = page!(ACCESS_TOKEN)]
    pub fn access_token(&self) -> Call<C, AccessToken> {
        AccessToken::call(self)
    }

    /// The product's data points, as the server describes them.
    #[doc = page!(DATAPOINT)]
    pub fn datapoint(&self) -> Call<C, Datapoint> {
        self.call(crate::endpoint::DATAPOINT, Datapoint)
    }

    /// Its users.
    #[must_use]
    pub fn users(&self) -> Users<C> {
        Users(self.clone())
    }

    /// Its devices.
    #[must_use]
    pub fn devices(&self) -> Devices<C> {
        Devices(self.clone())
    }

    /// One of its devices.
    pub fn device(&self, did: impl Into<Did>) -> Device<C> {
        Device {
            product: self.clone(),
            did: did.into(),
        }
    }

    /// Its groups of devices.
    #[must_use]
    pub fn groups(&self) -> Groups<C> {
        Groups(self.clone())
    }

    /// One of its groups.
    pub fn group(&self, gid: impl Into<Gid>) -> Group<C> {
        Group {
            product: self.clone(),
            gid: gid.into(),
        }
    }

    /// Who its devices are bound to.
    #[must_use]
    pub fn bindings(&self) -> Bindings<C> {
        Bindings(self.clone())
    }

    /// Counts of its devices, by place and time.
    #[must_use]
    pub fn device_reports(&self) -> DeviceReports<C> {
        DeviceReports(self.clone())
    }

    /// Counts of its users, by place and time.
    #[must_use]
    pub fn user_reports(&self) -> UserReports<C> {
        UserReports(self.clone())
    }

    /// A call of an endpoint by its entry in the table: what its own method knows of its parameters and
    /// its answer is left to the caller.
    ///
    /// ```no_run
    /// # async fn run(product: gizwits_enterprise_client::Product) -> Result<(), gizwits_enterprise_client::Error> {
    /// use gizwits_enterprise_client::endpoint;
    ///
    /// let data = product.endpoint(endpoint::DATA).within("did", "cBYkSjoE2xspYMhaUHdk5k");
    /// println!("{}", data.parameter("limit", "1").send().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn endpoint(&self, endpoint: Endpoint) -> Call<C, Custom> {
        self.call(endpoint, Custom { wrong: None })
    }

    /// A call that this crate doesn't know, with the product's token. `{product_key}` in the path is
    /// filled in.
    pub fn request(&self, method: Method, path: impl Into<String>) -> Call<C, Custom> {
        let product = Some(self.product.clone());
        Custom::call(self.enterprise.clone(), product, method, path.into())
    }
}

impl<C> fmt::Debug for Enterprise<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enterprise")
            .field("id", &self.core.settings.id)
            .field("base_url", &self.core.settings.base)
            .field("rate_limit", &self.core.settings.limiter)
            .finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for Product<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Product")
            .field("key", &self.product.key)
            .finish_non_exhaustive()
    }
}

/// Makes an [`Enterprise`].
pub struct Builder<C> {
    id: Option<EnterpriseId>,
    secret: Option<SecretString>,
    base_url: String,
    timeout: Duration,
    connect_timeout: Duration,
    user_agent: String,
    system_proxy: bool,
    transport: Option<Box<dyn Transport>>,
    clock: Box<dyn Clock>,
    store: Box<dyn TokenStore>,
    limiter: Limiter,
    retry: RetryPolicy,
    max_wait: Duration,
    paths: HashMap<&'static str, String>,
    front: PhantomData<C>,
}

impl<C: Front> Builder<C> {
    /// The enterprise's id. Needed.
    #[must_use]
    pub fn id(mut self, id: impl Into<EnterpriseId>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The enterprise's secret. Needed.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Another server. `https://enterpriseapi.gizwits.com` unless told otherwise; http only if spelt
    /// out, since requests carry secrets.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// How long a request may take, from the connection to the last byte. 30 s unless told otherwise.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a connection may take. 10 s unless told otherwise.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Who is calling.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Goes past the proxy that the environment names. A server on this machine (`localhost`,
    /// 127.0.0.0/8, ::1) is reached without it in any case.
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.system_proxy = false;
        self
    }

    /// Where tokens are kept. In memory unless told otherwise.
    #[must_use]
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.store = Box::new(store);
        self
    }

    /// The count of calls, to share it with other clients of the same enterprise. 3,600 an hour unless
    /// told otherwise.
    #[must_use]
    pub fn limiter(mut self, limiter: Limiter) -> Self {
        self.limiter = limiter;
        self
    }

    /// When to try again, and how often to ask for a quota that is used up.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// How long a call may wait for the quota in all, for its token and its definition too, before it
    /// fails with [`Error::RateLimited`]. What a gateway says to wait counts too. 60 s unless told
    /// otherwise.
    #[must_use]
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = wait;
        self
    }

    /// Another path for an endpoint, in place of those that the page lets one guess.
    #[must_use]
    pub fn path(mut self, endpoint: &Endpoint, template: impl Into<String>) -> Self {
        self.paths.insert(endpoint.id, template.into());
        self
    }

    /// Another clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Another way to the server than reqwest; timeouts, user agent and proxy are its own then.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`Error::Invalid`] if id or secret are missing or empty, or the base URL can't be used.
    pub fn build(self) -> Result<Enterprise<C>, Error> {
        let missing = |what| Error::invalid(format!("the enterprise's {what} is missing"));
        let id = self.id.filter(|id| !id.as_str().is_empty());
        let secret = self
            .secret
            .filter(|secret| !secret.expose_secret().is_empty());
        let base = base(&self.base_url)?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => {
                if base.starts_with("https:") && cfg!(not(feature = "rustls")) {
                    let message = format!("{base} needs TLS: switch on the feature `rustls`");
                    return Err(Error::invalid(message));
                }
                let timeouts = Timeouts {
                    total: self.timeout,
                    connect: self.connect_timeout,
                };
                Box::new(Reqwest::new(
                    &base,
                    &self.user_agent,
                    &timeouts,
                    self.system_proxy,
                )?)
            }
        };
        let core = Core::new(Settings {
            id: id.ok_or_else(|| missing("id"))?,
            secret: secret.ok_or_else(|| missing("secret"))?,
            base,
            transport,
            clock: self.clock,
            store: self.store,
            limiter: self.limiter,
            retry: self.retry,
            max_wait: self.max_wait,
            paths: self.paths,
        });
        Ok(Enterprise {
            core: Arc::new(core),
            front: C::start()?,
        })
    }
}

impl<C> fmt::Debug for Builder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("id", &self.id)
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

fn base(text: &str) -> Result<String, Error> {
    let url = reqwest::Url::parse(text)
        .map_err(|error| Error::invalid(format!("the base URL can't be used: {error}")))?;
    let wrong = if !matches!(url.scheme(), "https" | "http") {
        "it must begin with https:// or http://"
    } else if !url.username().is_empty() || url.password().is_some() {
        "credentials don't belong into it"
    } else if url.query().is_some() || url.fragment().is_some() {
        "it must end with the path"
    } else {
        return Ok(url.as_str().trim_end_matches('/').to_owned());
    };
    Err(Error::invalid(format!(
        "the base URL can't be used: {wrong}"
    )))
}
