//! The token and the definition of a product.

use crate::client::Product;
use crate::endpoint::{self, page};
use crate::error::Error;
use crate::exchange::{
    Allowance, Call, Operation, Received, RequestParts, Token, operations, read_token, server_time,
};
use crate::mode::{Async, Mode};
use crate::model::{Datapoints, Timestamp};

impl<M: Mode> Product<M> {
    /// Fetches a new token for another program. The client fetches the tokens of its own calls by itself.
    #[doc = page!(ACCESS_TOKEN)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use gizwits_enterprise_client::ExposeSecret as _;
    ///
    /// let token = product.access_token().send().await?;
    /// assert!(!token.value.expose_secret().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn access_token(&self) -> Call<M, AccessToken> {
        let mut call = self.call(endpoint::ACCESS_TOKEN, AccessToken);
        call.parts = RequestParts::of_token(&self.enterprise.session, &self.session);
        call
    }

    /// Returns the data points of the product, as the server has them.
    #[doc = page!(DATAPOINT)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let datapoints = product.datapoint().send().await?;
    /// assert_eq!(datapoints.protocol_type.as_deref(), Some("standard"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn datapoint(&self) -> Call<M, Datapoint> {
        self.call(endpoint::DATAPOINT, Datapoint)
    }
}

operations! {
    /// The operation of [`Product::datapoint`].
    Datapoint => Datapoints;
}

/// The operation of [`Product::access_token`].
#[derive(Clone, Copy, Debug)]
pub struct AccessToken;

impl Operation for AccessToken {
    type Output = Token;

    fn read(&self, received: &Received<'_>) -> Result<Token, Error> {
        read_token(received.request, received.answer, received.context.now)
    }
}

impl<M: Mode> Product<M> {
    /// The waits and attempts of a request that the caller has no call for.
    fn allowance(&self) -> Allowance {
        let settings = &self.enterprise.session.settings;
        Allowance::new(settings.retry, settings.max_wait)
    }

    async fn server_time(self) -> Result<Timestamp, Error> {
        let session = &self.enterprise.session;
        server_time(session, &self.session, &self.allowance()).await
    }
}

impl Product<Async> {
    /// Returns the current time by the server's clock: the local time, corrected by the `Date` header of the last
    /// answer. Before the first answer of any call, sends a request: that of a token, or else that of
    /// [`datapoint`](Product::datapoint).
    ///
    /// # Errors
    /// The errors of a call, if no answer has arrived.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use std::time::Duration;
    ///
    /// let now = product.now().await?;
    /// let hour = now.minus(Duration::from_secs(3600));
    /// let device = product.device("cBYkSjoE2xspYMhaUHdk5k");
    /// let page = device.data().between(hour, now).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn now(&self) -> Result<Timestamp, Error> {
        self.clone().server_time().await
    }
}

#[cfg(feature = "blocking")]
impl Product<crate::mode::Blocking> {
    /// Returns the current time by the server's clock: the local time, corrected by the `Date` header of the last
    /// answer. Before the first answer of any call, sends a request: that of a token, or else that of
    /// [`datapoint`](Product::datapoint).
    ///
    /// # Errors
    /// The errors of a call, if no answer has arrived.
    pub fn now(&self) -> Result<Timestamp, Error> {
        self.enterprise.mode.wait(self.clone().server_time())
    }
}

#[cfg(feature = "codec")]
impl<M: Mode> Product<M> {
    async fn fetch_definition(self) -> Result<gizwits_codec_std::Product, Error> {
        let session = &self.enterprise.session;
        crate::exchange::definition(session, &self.session, &self.allowance()).await
    }

    /// Sets the definition, so that the client doesn't fetch it.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// // Kept from an earlier run, in a file for example.
    /// let json = serde_json::to_string(&product.datapoint().send().await?)?;
    ///
    /// product.set_definition(gizwits_enterprise_client::codec::Product::from_json(&json)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_definition(&self, definition: gizwits_codec_std::Product) {
        self.session.define(Some(definition));
    }

    /// Removes the known definition, so that the next call that needs it fetches it again. Use it after a change
    /// of the data points.
    pub fn forget_definition(&self) {
        self.session.define(None);
    }
}

#[cfg(feature = "codec")]
impl Product<Async> {
    /// Returns the definition of the product. Only the first call sends a request, that of
    /// [`datapoint`](Product::datapoint).
    ///
    /// # Errors
    /// The errors of a call, and [`Error::Definition`] with all problems of the definition.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let definition = product.definition().await?;
    /// let points: Vec<&str> = definition.attrs().map(|attr| attr.name()).collect();
    /// assert!(points.contains(&"set_temp"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn definition(&self) -> Result<gizwits_codec_std::Product, Error> {
        self.clone().fetch_definition().await
    }
}

#[cfg(all(feature = "codec", feature = "blocking"))]
impl Product<crate::mode::Blocking> {
    /// Returns the definition of the product. Only the first call sends a request, that of
    /// [`datapoint`](Product::datapoint).
    ///
    /// # Errors
    /// The errors of a call, and [`Error::Definition`] with all problems of the definition.
    pub fn definition(&self) -> Result<gizwits_codec_std::Product, Error> {
        self.enterprise.mode.wait(self.clone().fetch_definition())
    }
}
