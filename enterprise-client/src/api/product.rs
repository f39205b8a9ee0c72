//! A product's token and definition.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Product;
use crate::endpoint;
use crate::error::Error;
use crate::exchange::answer;
use crate::exchange::call::{Call, Definition, Operation, Received};
use crate::exchange::driver::{Options, Patience, read_token, token_parts};
use crate::exchange::session::{Core, ProductCore};
use crate::exchange::token::Token;
use crate::http::{Answer, Request};
use crate::mode::Front;
use crate::model::scalar::{Extra, lenient};

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

    fn read(&self, received: &Received<'_>) -> Result<Token, Error> {
        read_token(received.request, received.answer, received.context.now)
    }
}

/// [`Product::datapoint`](crate::client::Product::datapoint)
#[derive(Clone, Copy, Debug)]
pub struct Datapoint;

impl Operation for Datapoint {
    type Output = Datapoints;

    fn read(&self, received: &Received<'_>) -> Result<Datapoints, Error> {
        Datapoints::read(received.request, received.answer)
    }
}

/// A product's data points, as the server describes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Datapoints {
    /// The product's name.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<String>,
    /// The product's key.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub product_key: Option<String>,
    /// `standard` or `var_len`.
    #[serde(
        rename = "protocolType",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub protocol_type: Option<String>,
    /// The version of the protocol.
    #[serde(
        rename = "packetVersion",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub packet_version: Option<String>,
    /// The entities and their data points.
    pub entities: Vec<Value>,
    /// How an app shows them.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub ui: Option<Value>,
    /// Members that this crate doesn't know.
    #[serde(flatten)]
    pub extra: Extra,
    #[serde(skip)]
    json: String,
}

impl Datapoints {
    fn read(request: &Request, answer: &Answer) -> Result<Self, Error> {
        let mut datapoints: Datapoints = answer::json(request, answer)?;
        datapoints.json = String::from_utf8_lossy(answer.body()).into_owned();
        Ok(datapoints)
    }

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

/// The definition, from the server once and from memory then.
#[cfg(feature = "codec")]
pub(crate) async fn definition(
    core: &Core,
    product: &ProductCore,
    options: Options,
    patience: &Patience,
) -> Result<Definition, Error> {
    use std::ops::ControlFlow;

    use crate::exchange::drive::{advance, sleep};
    use crate::exchange::driver::Exchange;
    if let Some(definition) = product.known_definition() {
        return Ok(definition);
    }
    let parts = crate::exchange::driver::Parts::new(endpoint::DATAPOINT);
    let options = options.of_another();
    let mut exchange = Exchange::new(core, Some(product), parts, options, patience);
    let mut begun = false;
    loop {
        let seen = product.definitions.landed();
        let gate = product.definitions.gate.lock().await;
        if let Some(definition) = product.known_definition() {
            return Ok(definition);
        }
        if let Some(error) = product.definitions.failed_since(seen) {
            return Err(error);
        }
        if let Some((wait, error)) = product.definitions.held(core.now()).filter(|_| !begun) {
            if !patience.take(wait) {
                return Err(error);
            }
            drop(gate);
            sleep(core, wait).await;
            continue;
        }
        begun = true;
        match advance(core, Some(product), &mut exchange).await {
            ControlFlow::Continue(wait) => {
                product.definitions.hold(exchange.told.take());
                drop(gate);
                sleep(core, wait).await;
            }
            ControlFlow::Break(result) => {
                let definition = result.and_then(|(request, answer)| {
                    Datapoints::read(&request, &answer)?.definition()
                });
                product.definitions.land(definition.as_ref().err());
                let definition = definition?;
                product.define(Some(definition.clone()));
                return Ok(definition);
            }
        }
    }
}

#[cfg(not(feature = "codec"))]
pub(crate) async fn definition(
    _: &Core,
    _: &ProductCore,
    _: Options,
    _: &Patience,
) -> Result<Definition, Error> {
    Err(Error::invalid("definitions need the feature `codec`"))
}

#[cfg(feature = "codec")]
async fn defined(core: &Core, product: &ProductCore) -> Result<Definition, Error> {
    let options = Options::default();
    definition(core, product, options, &Patience::new(core, options)).await
}

#[cfg(feature = "codec")]
impl Product<crate::mode::Async> {
    /// The product's definition: one call of [`datapoint`](Product::datapoint), the first time.
    ///
    /// # Errors
    /// Those of the call; [`Error::Definition`] with everything that is wrong with it.
    pub async fn definition(&self) -> Result<gizwits_codec_std::Product, Error> {
        defined(&self.enterprise.core, &self.product).await
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
        front.wait(async move { defined(&product.enterprise.core, &product.product).await })
    }
}

#[cfg(feature = "codec")]
impl<C: Front> Product<C> {
    /// Uses this definition from now on, which saves the call for it.
    pub fn set_definition(&self, definition: gizwits_codec_std::Product) {
        self.product.define(Some(definition));
    }

    /// Asks for the definition anew the next time: after its data points were changed.
    pub fn forget_definition(&self) {
        self.product.define(None);
    }
}
