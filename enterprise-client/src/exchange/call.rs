//! Calls: the parameters of a call, and the operation that creates its requests and reads their answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::exchange::driver::Exchange;
use crate::exchange::request::RequestParts;
use crate::exchange::response;
use crate::exchange::retry::{Allowance, RetryPolicy};
use crate::exchange::session::{Definition, ProductSession, Session};
use crate::http::{Request, Response};
use crate::mode::{Async, Mode};
use crate::model::{Extra, Gid, Timestamp};

/// A call of an endpoint. The functions of this crate that create calls send nothing: `send`, `stream` and
/// `iter` do. A call can be cloned and sent several times.
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct Call<M, O> {
    pub(crate) session: Arc<Session>,
    pub(crate) product: Option<Arc<ProductSession>>,
    #[cfg_attr(not(feature = "blocking"), allow(dead_code))]
    pub(crate) mode: M,
    pub(crate) parts: RequestParts,
    pub(crate) operation: O,
    pub(crate) retry: RetryPolicy,
    pub(crate) max_wait: Duration,
}

/// The time and the definition that a call is checked with.
pub struct Context<'a> {
    /// The current time by the server's clock.
    pub(crate) now: Timestamp,
    /// The current time by the local clock.
    pub(crate) local_time: Timestamp,
    pub(crate) definition: Option<&'a Definition>,
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// An answer and its request.
pub struct Received<'a> {
    /// The index of the request among the requests of the call.
    pub(crate) index: usize,
    pub(crate) request: &'a Request,
    pub(crate) answer: &'a Response,
    pub(crate) context: &'a Context<'a>,
}

impl fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl Received<'_> {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        response::json(self.request, self.answer)
    }
}

/// An answer without content (empty, `null` or `{}`): the server accepted the request.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Option<Extra>")]
#[non_exhaustive]
pub struct Accepted {
    /// Members of the answer that this crate doesn't know.
    pub extra: Extra,
}

impl From<Option<Extra>> for Accepted {
    fn from(extra: Option<Extra>) -> Self {
        Accepted {
            extra: extra.unwrap_or_default(),
        }
    }
}

/// The requests of a call in order, or the error of a call that is not valid.
pub(crate) type Requests = Result<Vec<RequestParts>, Error>;

/// The kind of a call, which defines its requests and the type of its answer. Only this crate implements the
/// trait.
pub trait Operation: Clone + Send + Sync + 'static {
    /// The type of the answer.
    type Output: Send;

    /// Validates the call and returns the requests that it needs, in order.
    #[doc(hidden)]
    fn requests(&self, parts: &RequestParts, context: &Context<'_>) -> Requests {
        let _ = context;
        Ok(vec![parts.clone()])
    }

    /// Reads the answer to one of the requests.
    #[doc(hidden)]
    fn read(&self, received: &Received<'_>) -> Result<Self::Output, Error>;

    /// Adds the result of the request with this index to the results before it. A failed request is the last
    /// request of the call.
    #[doc(hidden)]
    fn join(
        &self,
        before: Self::Output,
        next: Result<Self::Output, Error>,
        index: usize,
    ) -> Result<Self::Output, Error> {
        let _ = (before, index);
        next
    }

    /// Whether the call needs the product's definition.
    #[doc(hidden)]
    fn wants_definition(&self) -> bool {
        false
    }

    /// Whether the requests of the call depend on the current time.
    #[doc(hidden)]
    fn wants_clock(&self) -> bool {
        false
    }
}

/// Declares operations of one request, with the type of their answers and the groups of their parameters.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident => $output:ty $([$($group:ident),*])?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl $crate::exchange::Operation for $name {
            type Output = $output;

            fn read(
                &self,
                received: &$crate::exchange::Received<'_>,
            ) -> Result<Self::Output, $crate::error::Error> {
                received.json()
            }
        }

        $($(impl $group for $name {})*)?
    )*};
}

pub(crate) use operations;

/// An operation that can be limited to the devices of a group.
pub trait Grouped: Operation {}

impl<M: Mode, O: Grouped> Call<M, O> {
    /// Counts or returns only devices of this group. Default: all devices.
    pub fn gid(self, gid: impl Into<Gid>) -> Self {
        self.parameter("gid", gid.into())
    }
}

/// An operation that can be limited to devices in a state.
pub trait ByState: Operation {}

impl<M: Mode, O: ByState> Call<M, O> {
    /// Counts or returns only devices that are online (true) or offline (false). Default: both.
    pub fn is_online(self, online: bool) -> Self {
        self.parameter("is_online", u8::from(online).to_string())
    }

    /// Counts or returns only devices with a fault (true) or without a fault (false). Default: both.
    pub fn is_faulty(self, faulty: bool) -> Self {
        self.parameter("is_faulty", u8::from(faulty).to_string())
    }

    /// Counts or returns only devices with an alert (true) or without an alert (false). Default: both.
    pub fn is_alert(self, alert: bool) -> Self {
        self.parameter("is_alert", u8::from(alert).to_string())
    }
}

/// An operation that can be limited to the devices in a country, region or city.
pub trait ByPlace: Operation {}

impl<M: Mode, O: ByPlace> Call<M, O> {
    /// Returns only devices in this country. Default: all countries.
    pub fn country(self, country: impl Into<String>) -> Self {
        self.parameter("country", country)
    }

    /// Returns only devices in this region of a country. Default: all regions.
    pub fn region(self, region: impl Into<String>) -> Self {
        self.parameter("region", region)
    }

    /// Returns only devices in this city. Default: all cities.
    pub fn city(self, city: impl Into<String>) -> Self {
        self.parameter("city", city)
    }
}

impl<M, O> Call<M, O> {
    /// Sets the retry policy of this call. Default: the policy of the client
    /// ([`Builder::retry`](crate::Builder::retry)).
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use gizwits_enterprise_client::RetryPolicy;
    ///
    /// let call = product.device_reports().realtime();
    /// call.retry(RetryPolicy::default().attempts(5)).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the maximum time that this call waits for the reset of the rate limit. Default: the maximum of the
    /// client ([`Builder::max_wait`](crate::Builder::max_wait)).
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use std::time::Duration;
    /// use gizwits_enterprise_client::Error;
    ///
    /// // Fails at once if the rate limit is reached.
    /// let call = product.device_reports().realtime().max_wait(Duration::ZERO);
    /// if let Err(Error::RateLimited(error)) = call.send().await {
    ///     println!("try again at {}", error.reset_at);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = wait;
        self
    }

    /// Sets whether the client may send the request again when no answer came. Default: true for reads, false
    /// for writes. See also [`Error::may_have_arrived`].
    pub fn repeatable(mut self, repeatable: bool) -> Self {
        self.parts.endpoint.repeatable = repeatable;
        self
    }

    /// Sets a parameter of the query by its name, in place of an earlier value.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let page = product.devices().search().parameter("type", "mac").parameter("val", "virtual:site");
    /// assert_eq!(page.send().await?.objects.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn parameter(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parts.set(name, value);
        self
    }

    pub(crate) fn path(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parts.path.push((name, value.into()));
        self
    }

    pub(crate) fn context<'a>(&self, definition: Option<&'a Definition>) -> Context<'a> {
        Context {
            now: self.session.now(),
            local_time: self.session.local_time(),
            definition,
        }
    }
}

impl<M: Mode, O: Operation> Call<M, O> {
    pub(crate) async fn run(self) -> Result<O::Output, Error> {
        let session = &*self.session;
        let product = self.product.as_deref();
        let allowance = Allowance::new(self.retry, self.max_wait);
        let definition = match product {
            #[cfg(feature = "codec")]
            Some(product) if self.operation.wants_definition() => {
                let fetched = definition(session, product, &allowance).await;
                Some(fetched.map_err(|error| error.arrived(false))?)
            }
            // A known definition is used even if the call doesn't need it.
            _ => product.and_then(ProductSession::known_definition),
        };
        if self.operation.wants_clock()
            && let Some(product) = product
        {
            let time = server_time(session, product, &allowance).await;
            time.map_err(|error| error.arrived(false))?;
        }
        let context = self.context(definition.as_ref());
        let requests = self.operation.requests(&self.parts, &context)?;
        let mut done: Option<O::Output> = None;
        for (index, parts) in requests.into_iter().enumerate() {
            let exchange = Exchange::new(session, product, parts, &allowance);
            let read = exchange.run().await.and_then(|answered| {
                self.operation.read(&Received {
                    index,
                    request: &answered.0,
                    answer: &answered.1,
                    context: &context,
                })
            });
            let failed = read.is_err();
            done = Some(match done {
                None => read?,
                Some(done) => self.operation.join(done, read, index)?,
            });
            if failed {
                break;
            }
        }
        done.ok_or_else(|| Error::Invalid("the list is empty: there is nothing to send".to_owned()))
    }

    /// The current time by the server's clock, as [`server_time`] returns it.
    pub(crate) async fn server_time(self) -> Result<Timestamp, Error> {
        let Some(product) = self.product.as_deref() else {
            return Ok(self.session.now());
        };
        let allowance = Allowance::new(self.retry, self.max_wait);
        server_time(&self.session, product, &allowance).await
    }

    /// The requests of the call as curl commands for a POSIX shell, one on each line. Shell variables such as
    /// `$GIZWITS_TOKEN` replace the secrets. Sends nothing. Checks the call against the product's definition
    /// only if the definition is known.
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::Codec`] if the call is not valid.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let command = product.devices().search().curl()?;
    /// assert!(command.starts_with("curl -X GET 'http://127.0.0.1:"));
    /// assert!(command.contains("\"$GIZWITS_TOKEN\""));
    /// # Ok(())
    /// # }
    /// ```
    pub fn curl(&self) -> Result<String, Error> {
        let session = &*self.session;
        let product = self.product.as_deref();
        let definition = product.and_then(ProductSession::known_definition);
        let context = self.context(definition.as_ref());
        let token = SecretString::from("$GIZWITS_TOKEN");
        let requests = self.operation.requests(&self.parts, &context)?;
        let commands = requests.iter().map(|parts| {
            let route = session.route(&parts.endpoint).unwrap_or(0);
            let request = parts.request(session, product, Some(&token), route)?;
            Ok(request.curl())
        });
        Ok(commands.collect::<Result<Vec<_>, Error>>()?.join("\n"))
    }
}

/// Returns the product's definition, which is fetched only once.
#[cfg(feature = "codec")]
pub(crate) async fn definition(
    session: &Session,
    product: &ProductSession,
    allowance: &Allowance,
) -> Result<Definition, Error> {
    let known = || product.known_definition();
    if let Some(known) = known() {
        return Ok(known);
    }
    let read = |request: &Request, answer: &Response| read_definition(product, request, answer);
    let parts = RequestParts::new(crate::endpoint::DATAPOINT);
    let exchange = Exchange::new(session, Some(product), parts, allowance);
    exchange
        .fetch(&product.definition_flight, known, read)
        .await
}

/// Reads the definition from the answer that has it, and keeps it for the calls of the product.
#[cfg(feature = "codec")]
fn read_definition(
    product: &ProductSession,
    request: &Request,
    answer: &Response,
) -> Result<Definition, Error> {
    let datapoints: crate::model::Datapoints = response::json(request, answer)?;
    let definition = datapoints.definition()?;
    product.define(Some(definition.clone()));
    Ok(definition)
}

/// Returns the time by the server's clock. If no answer has set the clock yet, fetches a token, or else the data
/// points of the product. Any answer sets the clock, also a refusal.
pub(crate) async fn server_time(
    session: &Session,
    product: &ProductSession,
    allowance: &Allowance,
) -> Result<Timestamp, Error> {
    let known = || session.knows_clock().then(|| session.now());
    if let Some(now) = known() {
        return Ok(now);
    }
    let read = |request: &Request, answer: &Response| {
        // A page of a gateway is no answer of the server.
        let _: serde::de::IgnoredAny = response::json(request, answer)?;
        // The time does not depend on what the data points are.
        #[cfg(feature = "codec")]
        if product.known_definition().is_none() {
            let _ = read_definition(product, request, answer);
        }
        session.observe_clock(answer);
        Ok(session.now())
    };
    let parts = RequestParts::new(crate::endpoint::DATAPOINT);
    let exchange = Exchange::new(session, Some(product), parts, allowance);
    let fetched = exchange.fetch(&session.clock_flight, known, read).await;
    fetched.or_else(|error| match (known(), &error) {
        (Some(now), _) => Ok(now),
        // A gateway that serves no data points may serve logs. Their answers set the clock.
        (None, Error::Unexpected(_)) => Ok(session.now()),
        (None, _) => Err(error),
    })
}

impl<O: Operation> Call<Async, O> {
    /// Sends the call and returns its answer.
    ///
    /// # Errors
    /// The variants of [`Error`] list the reasons.
    pub async fn send(self) -> Result<O::Output, Error> {
        self.run().await
    }
}

#[cfg(feature = "blocking")]
impl<O: Operation> Call<crate::mode::Blocking, O> {
    /// Sends the call and waits for its answer.
    ///
    /// # Errors
    /// The variants of [`Error`] list the reasons.
    pub fn send(self) -> Result<O::Output, Error> {
        let mode = self.mode.clone();
        mode.wait(self.run())
    }
}

impl<M, O> fmt::Debug for Call<M, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("endpoint", &self.parts.endpoint.id)
            .finish_non_exhaustive()
    }
}
