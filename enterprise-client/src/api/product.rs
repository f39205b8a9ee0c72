//! A product's token and definition.

use crate::client::Product;
use crate::endpoint::{self, page};
use crate::error::Error;
use crate::exchange::{Call, Operation, Received, RequestParts, Token, operations, read_token};
use crate::mode::Mode;
use crate::model::Datapoints;

impl<M: Mode> Product<M> {
    /// A new token, for use elsewhere: calls get theirs by themselves.
    #[doc = page!(ACCESS_TOKEN)]
    pub fn access_token(&self) -> Call<M, AccessToken> {
        let mut call = self.call(endpoint::ACCESS_TOKEN, AccessToken);
        call.parts = RequestParts::of_token(&self.enterprise.session, &self.session);
        call
    }

    /// The product's data points, as the server describes them.
    #[doc = page!(DATAPOINT)]
    pub fn datapoint(&self) -> Call<M, Datapoint> {
        self.call(endpoint::DATAPOINT, Datapoint)
    }
}

operations! {
    /// [`Product::datapoint`]
    Datapoint => Datapoints;
}

/// [`Product::access_token`]
#[derive(Clone, Copy, Debug)]
pub struct AccessToken;

impl Operation for AccessToken {
    type Output = Token;

    fn read(&self, received: &Received<'_>) -> Result<Token, Error> {
        read_token(received.request, received.answer, received.context.now)
    }
}

#[cfg(feature = "codec")]
impl<M: Mode> Product<M> {
    async fn fetch_definition(self) -> Result<gizwits_codec_std::Product, Error> {
        let session = &self.enterprise.session;
        let settings = &session.settings;
        let allowance = crate::exchange::Allowance::new(settings.retry, settings.max_wait);
        crate::exchange::definition(session, &self.session, &allowance).await
    }

    /// Uses this definition from now on, which saves the call for it.
    pub fn set_definition(&self, definition: gizwits_codec_std::Product) {
        self.session.define(Some(definition));
    }

    /// Fetches the definition anew the next time: after the data points were changed.
    pub fn forget_definition(&self) {
        self.session.define(None);
    }
}

#[cfg(feature = "codec")]
impl Product<crate::mode::Async> {
    /// The product's definition: one call of [`datapoint`](Product::datapoint), the first time.
    ///
    /// # Errors
    /// Those of the call; [`Error::Definition`] with every problem of the definition.
    pub async fn definition(&self) -> Result<gizwits_codec_std::Product, Error> {
        self.clone().fetch_definition().await
    }
}

#[cfg(all(feature = "codec", feature = "blocking"))]
impl Product<crate::mode::Blocking> {
    /// The product's definition: one call of [`datapoint`](Product::datapoint), the first time.
    ///
    /// # Errors
    /// Those of the call; [`Error::Definition`] with every problem of the definition.
    pub fn definition(&self) -> Result<gizwits_codec_std::Product, Error> {
        self.enterprise.mode.wait(self.clone().fetch_definition())
    }
}
