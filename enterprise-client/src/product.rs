//! A product's token and definition.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer;
use crate::call::{Call, Context, Definition, Operation};
use crate::client::Product;
use crate::core::ProductCore;
use crate::endpoint;
use crate::error::Error;
use crate::exchange::{Parts, token_parts};
use crate::front::Front;
use crate::http::{Answer, Request};
use crate::scalar::{Extra, absent, lenient};
use crate::token::{Token, TokenAnswer};

/// [`Product::access_token`](crate::client::Product::access_token)
#[derive(Clone, Copy, Debug)]
pub struct AccessToken;

impl AccessToken {
    pub(crate) fn call<C: Front>(product: &Product<C>) -> Call<C, AccessToken> {
        let mut call = product.call(endpoint::ACCESS_TOKEN, AccessToken);
        call.parts = token_parts(&product.enterprise.core, &product.product);
        call
    }
}

impl Operation for AccessToken {
    type Output = Token;

    fn read(
        &self,
        _: &Parts,
        request: &Request,
        answer: &Answer,
        context: &Context<'_>,
    ) -> Result<Token, Error> {
        let token: TokenAnswer = answer::json(request, answer)?;
        Ok(token.token(context.now))
    }
}

/// [`Product::datapoint`](crate::client::Product::datapoint)
#[derive(Clone, Copy, Debug)]
pub struct Datapoint;

impl Operation for Datapoint {
    type Output = Datapoints;

    fn read(
        &self,
        _: &Parts,
        request: &Request,
        answer: &Answer,
        _: &Context<'_>,
    ) -> Result<Datapoints, Error> {
        let mut datapoints: Datapoints = answer::json(request, answer)?;
        datapoints.json = String::from_utf8_lossy(answer.body()).into_owned();
        Ok(datapoints)
    }
}

/// A product's data points, as the server describes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Datapoints {
    /// The product's name.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "absent")]
    pub name: Option<String>,
    /// The product's key.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "absent")]
    pub product_key: Option<String>,
    /// `standard` or `var_len`.
    #[serde(
        rename = "protocolType",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "absent"
    )]
    pub protocol_type: Option<String>,
    /// The version of the protocol.
    #[serde(
        rename = "packetVersion",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "absent"
    )]
    pub packet_version: Option<String>,
    /// The entities and their data points.
    pub entities: Vec<Value>,
    /// How an app shows them.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "absent")]
    pub ui: Option<Value>,
    /// Members that this crate doesn't know.
    #[serde(flatten)]
    pub extra: Extra,
    #[serde(skip)]
    json: String,
}

impl Datapoints {
    /// The answer as it came, in which no digit is lost.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The definition that the codec works by.
    ///
    /// # Errors
    /// [`Error::Definition`] with everything that is wrong with it.
    #[cfg(feature = "codec")]
    pub fn definition(&self) -> Result<gizwits_codec_std::Product, Error> {
        gizwits_codec_std::Product::from_json(&self.json).map_err(Error::Definition)
    }
}

/// The definition, from the server once and from memory ever after.
#[cfg(feature = "codec")]
pub(crate) async fn definition(
    core: &crate::core::Core,
    product: &ProductCore,
    options: crate::exchange::Options,
) -> Result<Definition, Error> {
    let options = crate::exchange::Options {
        repeatable: None,
        ..options
    };
    let fetch = async || {
        let parts = Parts::new(endpoint::DATAPOINT);
        let driven = crate::drive::drive(core, Some(product), parts.clone(), options).await;
        let (request, answer) = driven?;
        let context = Context {
            now: core.now(),
            definition: None,
        };
        Datapoint
            .read(&parts, &request, &answer, &context)?
            .definition()
    };
    product.definition.get_or_try_init(fetch).await.cloned()
}

#[cfg(not(feature = "codec"))]
pub(crate) async fn definition(
    _: &crate::core::Core,
    _: &ProductCore,
    _: crate::exchange::Options,
) -> Result<Definition, Error> {
    Err(Error::invalid("definitions need the feature `codec`"))
}

/// The definition, if it is in memory.
pub(crate) fn known_definition(product: &ProductCore) -> Option<&Definition> {
    #[cfg(feature = "codec")]
    return product.definition.get();
    #[cfg(not(feature = "codec"))]
    {
        let _ = product;
        None
    }
}

#[cfg(feature = "codec")]
impl Product<crate::front::Async> {
    /// The product's definition: one call of [`datapoint`](Product::datapoint), the first time.
    ///
    /// # Errors
    /// Those of the call; [`Error::Definition`] with everything that is wrong with it.
    pub async fn definition(&self) -> Result<gizwits_codec_std::Product, Error> {
        let options = crate::exchange::Options::default();
        definition(&self.enterprise.core, &self.product, options).await
    }
}

#[cfg(all(feature = "codec", feature = "blocking"))]
impl Product<crate::blocking::Blocking> {
    /// The product's definition: one call of [`datapoint`](Product::datapoint), the first time.
    ///
    /// # Errors
    /// Those of the call; [`Error::Definition`] with everything that is wrong with it.
    pub fn definition(&self) -> Result<gizwits_codec_std::Product, Error> {
        let product = self.clone();
        let front = &self.enterprise.front;
        front.wait(async move {
            let options = crate::exchange::Options::default();
            definition(&product.enterprise.core, &product.product, options).await
        })
    }
}

#[cfg(feature = "codec")]
impl<C: Front> Product<C> {
    /// A definition that is known already, which saves the call for it. It is used unless there is one
    /// from before.
    pub fn set_definition(&self, definition: gizwits_codec_std::Product) {
        // What is there already came the same way.
        let _ = self.product.definition.set(definition);
    }
}
