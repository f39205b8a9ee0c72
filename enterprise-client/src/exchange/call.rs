//! A call: its parameters, and the operation that makes its requests and reads their answers.

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
use crate::http::{Answer, Request};
use crate::mode::{Async, Mode};
use crate::model::{Extra, Gid, Timestamp};

/// A call, ready to be sent. A clone is the same call once more.
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

/// The circumstances of a call.
pub struct Context<'a> {
    /// The time by the server's clock.
    pub(crate) now: Timestamp,
    /// The time by the local clock.
    pub(crate) local_time: Timestamp,
    pub(crate) definition: Option<&'a Definition>,
}

/// An answer, and the request that it answers.
pub struct Received<'a> {
    /// The index of the request among those of the call.
    pub(crate) index: usize,
    pub(crate) request: &'a Request,
    pub(crate) answer: &'a Answer,
    pub(crate) context: &'a Context<'a>,
}

impl Received<'_> {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        response::json(self.request, self.answer)
    }
}

/// An answer without content, which is nothing, `null` or `{}`: the server took the request.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Option<Extra>")]
#[non_exhaustive]
pub struct Accepted {
    /// Members that this crate doesn't know.
    pub extra: Extra,
}

impl From<Option<Extra>> for Accepted {
    fn from(extra: Option<Extra>) -> Self {
        Accepted {
            extra: extra.unwrap_or_default(),
        }
    }
}

/// The requests of a call, in order, or what is wrong with the call.
pub(crate) type Requests = Result<Vec<RequestParts>, Error>;

/// The kind of a call: its requests and its answer. Only this crate implements it.
pub trait Operation: Clone + Send + Sync + 'static {
    /// The answer.
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

    /// Adds the result of a later request, which is this one of all. A failure ends the call.
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

    /// Whether the definition is to be fetched before the call.
    #[doc(hidden)]
    fn wants_definition(&self) -> bool {
        false
    }
}

/// Declares operations of one request whose answer is read as the given type, and the groups of
/// parameters that they take.
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

/// Operations over all devices or those of one group.
pub trait Grouped: Operation {}

impl<M: Mode, O: Grouped> Call<M, O> {
    /// Counts or returns only devices of this group.
    pub fn gid(self, gid: impl Into<Gid>) -> Self {
        self.parameter("gid", gid.into())
    }
}

/// Operations over devices in any state or in one.
pub trait ByState: Operation {}

impl<M: Mode, O: ByState> Call<M, O> {
    /// Counts or returns only devices that are online, or offline.
    pub fn is_online(self, online: bool) -> Self {
        self.parameter("is_online", u8::from(online).to_string())
    }

    /// Counts or returns only devices with a fault, or without.
    pub fn is_faulty(self, faulty: bool) -> Self {
        self.parameter("is_faulty", u8::from(faulty).to_string())
    }

    /// Counts or returns only devices with an alert, or without.
    pub fn is_alert(self, alert: bool) -> Self {
        self.parameter("is_alert", u8::from(alert).to_string())
    }
}

/// Operations over devices anywhere or in one place.
pub trait ByPlace: Operation {}

impl<M: Mode, O: ByPlace> Call<M, O> {
    /// Returns only devices in this country.
    pub fn country(self, country: impl Into<String>) -> Self {
        self.parameter("country", country)
    }

    /// Returns only devices in this region of a country.
    pub fn region(self, region: impl Into<String>) -> Self {
        self.parameter("region", region)
    }

    /// Returns only devices in this city.
    pub fn city(self, city: impl Into<String>) -> Self {
        self.parameter("city", city)
    }
}

impl<M, O> Call<M, O> {
    /// The retry policy of this call, in place of the client's.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// How long this call may wait for the reset of the rate limit in all, in place of the client's
    /// limit.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = wait;
        self
    }

    /// Whether a second request does no harm, so that the request may be sent again when no answer
    /// came. Default: true for reads, false for writes. The error of a write that may have arrived says
    /// so.
    pub fn repeatable(mut self, repeatable: bool) -> Self {
        self.parts.endpoint.repeatable = repeatable;
        self
    }

    /// Sets a parameter of the query that this crate doesn't know, or replaces one.
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
            // A definition that is known costs nothing.
            _ => product.and_then(ProductSession::known_definition),
        };
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
        done.ok_or_else(|| Error::Invalid("there is nothing to send".to_owned()))
    }

    /// The requests as commands for a POSIX shell, one a line, with `$GIZWITS_TOKEN` and the like in
    /// place of secrets. The call is checked against the definition if that is known already.
    ///
    /// # Errors
    /// Those of a call that is wrong in itself.
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

/// The definition, from the server once and from memory then.
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
    let read = |request: &Request, answer: &Answer| {
        let datapoints: crate::model::Datapoints = response::json(request, answer)?;
        let definition = datapoints.definition()?;
        product.define(Some(definition.clone()));
        Ok(definition)
    };
    let parts = RequestParts::new(crate::endpoint::DATAPOINT);
    let exchange = Exchange::new(session, Some(product), parts, allowance);
    exchange
        .fetch(&product.definition_flight, known, read)
        .await
}

impl<O: Operation> Call<Async, O> {
    /// Sends the call.
    ///
    /// # Errors
    /// What is wrong with the call, the way to the server, or its answer; see [`Error`].
    pub async fn send(self) -> Result<O::Output, Error> {
        self.run().await
    }
}

#[cfg(feature = "blocking")]
impl<O: Operation> Call<crate::mode::Blocking, O> {
    /// Sends the call and waits for its result.
    ///
    /// # Errors
    /// What is wrong with the call, the way to the server, or its answer; see [`Error`].
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
