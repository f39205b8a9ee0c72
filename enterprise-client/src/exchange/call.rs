//! One call in the making. Parameters are added by name; `send` sends it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::client::Enterprise;
use crate::error::Error;
use crate::exchange::answer;
use crate::exchange::drive::drive;
use crate::exchange::driver::{Options, Parts, Patience};
use crate::exchange::retry::RetryPolicy;
use crate::exchange::session::ProductCore;
use crate::http::{Answer, Request};
use crate::mode::{Async, Front};
use crate::model::ids::Gid;
use crate::model::time::Timestamp;

/// The product's definition, as the codec knows it.
#[cfg(feature = "codec")]
pub(crate) type Definition = gizwits_codec_std::Product;
/// There is none without the codec.
#[cfg(not(feature = "codec"))]
#[derive(Clone)]
pub enum Definition {}

/// A call, ready to be sent. A clone is the same call once more.
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct Call<C, O> {
    pub(crate) enterprise: Enterprise<C>,
    pub(crate) product: Option<Arc<ProductCore>>,
    pub(crate) parts: Parts,
    pub(crate) operation: O,
    pub(crate) options: Options,
}

/// What an operation may look at.
pub struct Context<'a> {
    /// By the server's clock, as far as it told.
    pub(crate) now: Timestamp,
    /// By ours.
    pub(crate) ours: Timestamp,
    pub(crate) definition: Option<&'a Definition>,
}

/// An answer, and what it answers.
pub struct Received<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) request: &'a Request,
    pub(crate) answer: &'a Answer,
    pub(crate) context: &'a Context<'a>,
}

impl Received<'_> {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        answer::json(self.request, self.answer)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.answer.body().trim_ascii().is_empty()
    }
}

/// What a call does and what it answers. Only this crate implements it.
pub trait Operation: Clone + Send + Sync + 'static {
    /// The answer.
    type Output: Send;

    /// The requests it takes, after it was checked.
    #[doc(hidden)]
    fn requests(&self, parts: &Parts, context: &Context<'_>) -> Result<Vec<Parts>, Error> {
        let _ = context;
        Ok(vec![parts.clone()])
    }

    /// One answer of them.
    #[doc(hidden)]
    fn read(&self, received: &Received<'_>) -> Result<Self::Output, Error>;

    /// Two answers as one.
    #[doc(hidden)]
    fn join(&self, before: Self::Output, next: Self::Output) -> Self::Output {
        let _ = before;
        next
    }

    /// After a failure behind the first answer: whether what is done is worth more than the error.
    #[doc(hidden)]
    fn stop(
        &self,
        done: Self::Output,
        error: Error,
        rest: &[Parts],
    ) -> Result<Self::Output, Error> {
        let _ = (done, rest);
        Err(error)
    }

    #[doc(hidden)]
    fn wants_definition(&self) -> bool {
        false
    }
}

/// Operations of one request, whose answer is the type as it stands.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident => $output:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl $crate::exchange::call::Operation for $name {
            type Output = $output;

            fn read(
                &self,
                received: &$crate::exchange::call::Received<'_>,
            ) -> Result<Self::Output, $crate::error::Error> {
                received.json()
            }
        }
    )*};
}

pub(crate) use operations;

/// Optional parameters of the query, one method each.
macro_rules! parameters {
    ($operation:ty { $($(#[$doc:meta])* $name:ident => $key:literal,)* }) => {
        impl<C: $crate::mode::Front> $crate::exchange::call::Call<C, $operation> {
            $(
                $(#[$doc])*
                pub fn $name(mut self, $name: impl Into<String>) -> Self {
                    self.parts.set($key, $name);
                    self
                }
            )*
        }
    };
}

pub(crate) use parameters;

/// A flag is 0 or 1.
pub(crate) struct Flag(pub(crate) bool);

impl From<Flag> for String {
    fn from(flag: Flag) -> Self {
        if flag.0 { "1" } else { "0" }.to_owned()
    }
}

/// Operations over all devices or those of one group.
pub trait Grouped: Operation {}

impl<C: Front, O: Grouped> Call<C, O> {
    /// Only devices of this group.
    pub fn gid(mut self, gid: impl Into<Gid>) -> Self {
        self.parts.set("gid", gid.into());
        self
    }
}

/// Operations over devices in any state or in one.
pub trait ByState: Operation {}

impl<C: Front, O: ByState> Call<C, O> {
    /// Only those that are online, or offline.
    pub fn is_online(self, online: bool) -> Self {
        self.query("is_online", Flag(online))
    }

    /// Only those with a fault, or without.
    pub fn is_faulty(self, faulty: bool) -> Self {
        self.query("is_faulty", Flag(faulty))
    }

    /// Only those with an alert, or without.
    pub fn is_alert(self, alert: bool) -> Self {
        self.query("is_alert", Flag(alert))
    }
}

/// Operations over devices anywhere or in one place.
pub trait ByPlace: Operation {}

impl<C: Front, O: ByPlace> Call<C, O> {
    /// Only in this country.
    pub fn country(self, country: impl Into<String>) -> Self {
        self.query("country", country)
    }

    /// Only in this region of a country.
    pub fn region(self, region: impl Into<String>) -> Self {
        self.query("region", region)
    }

    /// Only in this city.
    pub fn city(self, city: impl Into<String>) -> Self {
        self.query("city", city)
    }
}

impl<C, O> Call<C, O> {
    pub(crate) fn new(
        enterprise: Enterprise<C>,
        product: Option<Arc<ProductCore>>,
        parts: Parts,
        operation: O,
    ) -> Self {
        Call {
            enterprise,
            product,
            parts,
            operation,
            options: Options::default(),
        }
    }

    /// Another retry policy for this call.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.options.retry = Some(retry);
        self
    }

    /// Another limit for waiting until the quota is reset, in all.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.options.max_wait = Some(wait);
        self
    }

    /// Whether a second request does no harm, so that it may be sent again when no answer came. Reads
    /// are repeatable and writes are not, unless told otherwise here. The error of a write that may have
    /// arrived says so.
    pub fn repeatable(mut self, repeatable: bool) -> Self {
        self.options.repeatable = Some(repeatable);
        self
    }

    /// A parameter that this crate doesn't know, in place of one of the same name.
    pub fn parameter(self, name: &str, value: impl Into<String>) -> Self {
        self.query(name, value)
    }

    pub(crate) fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parts.set(name, value);
        self
    }

    pub(crate) fn path(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parts.path.push((name, value.into()));
        self
    }
}

impl<C: Front, O: Operation> Call<C, O> {
    pub(crate) async fn run(self) -> Result<O::Output, Error> {
        let core = &*self.enterprise.core;
        let product = self.product.as_deref();
        let patience = Patience::new(core, self.options);
        let definition = match product {
            Some(product) if self.operation.wants_definition() => {
                let got =
                    crate::api::product::definition(core, product, self.options, &patience).await;
                Some(got.map_err(|error| error.arrived(false))?)
            }
            // What is known costs nothing.
            _ => product.and_then(ProductCore::known_definition),
        };
        let context = Context {
            now: core.now(),
            ours: core.ours(),
            definition: definition.as_ref(),
        };
        let all = self.operation.requests(&self.parts, &context)?;
        let mut done: Option<O::Output> = None;
        for (n, parts) in all.iter().enumerate() {
            let answered = drive(core, product, parts.clone(), self.options, &patience).await;
            let read = answered.and_then(|(request, answer)| {
                self.operation.read(&Received {
                    parts,
                    request: &request,
                    answer: &answer,
                    context: &context,
                })
            });
            done = Some(match (done, read) {
                (None, read) => read?,
                (Some(done), Ok(next)) => self.operation.join(done, next),
                (Some(done), Err(error)) => {
                    let rest = all.get(n..).unwrap_or_default();
                    return self.operation.stop(done, error, rest);
                }
            });
        }
        done.ok_or_else(|| Error::invalid("there is nothing to send"))
    }

    /// The requests as commands for a POSIX shell, one a line, with `$GIZWITS_TOKEN` and the like in
    /// place of secrets. What is checked against the definition is if that is known already.
    ///
    /// # Errors
    /// What is wrong with the call before anything is sent.
    pub fn curl(&self) -> Result<String, Error> {
        let core = &*self.enterprise.core;
        let product = self.product.as_deref();
        let definition = product.and_then(ProductCore::known_definition);
        let context = Context {
            now: core.now(),
            ours: core.ours(),
            definition: definition.as_ref(),
        };
        let token = secrecy::SecretString::from("$GIZWITS_TOKEN");
        let mut commands = Vec::new();
        for parts in self.operation.requests(&self.parts, &context)? {
            let route = core.route(&parts.endpoint).unwrap_or(0);
            commands.push(parts.request(core, product, Some(&token), route)?.curl());
        }
        Ok(commands.join("\n"))
    }
}

impl<O: Operation> Call<Async, O> {
    /// Sends it.
    ///
    /// # Errors
    /// What is wrong with the call, the way to the server, or its answer; see [`Error`].
    pub async fn send(self) -> Result<O::Output, Error> {
        self.run().await
    }
}

#[cfg(feature = "blocking")]
impl<O: Operation> Call<crate::blocking::Blocking, O> {
    /// Sends it and waits.
    ///
    /// # Errors
    /// What is wrong with the call, the way to the server, or its answer; see [`Error`].
    pub fn send(self) -> Result<O::Output, Error> {
        let front = self.enterprise.front.clone();
        front.wait(self.run())
    }
}

impl<C, O> fmt::Debug for Call<C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("endpoint", &self.parts.endpoint.id)
            .finish_non_exhaustive()
    }
}
