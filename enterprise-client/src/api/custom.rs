//! Calls by endpoint or path, for what has no method in this crate.

use std::sync::Arc;

use reqwest::Url;
use serde::Serialize;
use serde_json::Value;

use crate::client::{Enterprise, Product};
use crate::endpoint::{Auth, Endpoint, Method};
use crate::error::Error;
use crate::exchange::{Call, Context, Operation, ProductSession, Received, RequestParts, Requests};
use crate::mode::Mode;

/// [`Product::endpoint`], [`Product::request`] and [`Enterprise::request`]
#[derive(Clone, Debug)]
pub struct Custom {
    /// The text of the error of a call that is wrong in itself.
    wrong: Option<String>,
}

impl<M: Mode> Product<M> {
    /// A call of an endpoint by its entry in the table: parameters and answer are left to the caller.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result {
    /// # let (_server, product) = simulated::<gizwits_enterprise_client::Async>()?;
    /// use gizwits_enterprise_client::endpoint;
    ///
    /// let data = product.endpoint(endpoint::DATA).within("did", "cBYkSjoE2xspYMhaUHdk5k");
    /// let answer = data.parameter("limit", "1").send().await?;
    /// assert_eq!(answer["objects"].as_array().map(Vec::len), Some(1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn endpoint(&self, endpoint: Endpoint) -> Call<M, Custom> {
        self.call(endpoint, Custom { wrong: None })
    }

    /// A call that this crate doesn't know, with the product's token. `{product_key}` in the path is
    /// filled in.
    pub fn request(&self, method: Method, path: impl Into<String>) -> Call<M, Custom> {
        self.enterprise
            .custom(Some(&self.session), method, &path.into())
    }
}

impl<M: Mode> Enterprise<M> {
    /// A call that this crate doesn't know, with the enterprise's id and secret in its headers.
    pub fn request(&self, method: Method, path: impl Into<String>) -> Call<M, Custom> {
        self.custom(None, method, &path.into())
    }

    fn custom(
        &self,
        product: Option<&Arc<ProductSession>>,
        method: Method,
        path: &str,
    ) -> Call<M, Custom> {
        let settings = &self.session.settings;
        let mut parts = RequestParts::new(Endpoint {
            id: "custom",
            method,
            templates: &[],
            auth: match product {
                Some(_) => Auth::Token,
                None => Auth::Enterprise,
            },
            repeatable: method == Method::GET,
            function: "product.request(method, path)",
        });
        // A `next` link may be whole, and must lead to the same server then.
        let own = path.strip_prefix(settings.base.as_str()).unwrap_or(path);
        let wrong = (!own.starts_with('/') || own.starts_with("//")).then(|| {
            // The rest of the link may hold secrets.
            let url = Url::parse(path).ok();
            let host = url.as_ref().and_then(Url::host_str).unwrap_or("the path");
            format!("{host} does not lead to {}", settings.base)
        });
        let (template, query) = own.split_once('?').unwrap_or((own, ""));
        parts.template = Some(template.to_owned());
        if let Ok(mut url) = Url::parse(&settings.base) {
            url.set_query(Some(query));
            parts.query.extend(url.query_pairs().into_owned());
        }
        self.call(product, parts, Custom { wrong })
    }
}

impl<M: Mode> Call<M, Custom> {
    /// Fills in `{name}` in the path of an endpoint.
    pub fn within(self, name: &'static str, value: impl Into<String>) -> Self {
        self.path(name, value)
    }

    /// Sets the body, as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_string(body) {
            Ok(body) => self.parts.body = Some(body),
            Err(error) => self.operation.wrong = Some(format!("the body is no JSON: {error}")),
        }
        self
    }
}

impl Operation for Custom {
    type Output = Value;

    fn requests(&self, parts: &RequestParts, _: &Context<'_>) -> Requests {
        match &self.wrong {
            Some(wrong) => Err(Error::Invalid(wrong.clone())),
            None => Ok(vec![parts.clone()]),
        }
    }

    fn read(&self, received: &Received<'_>) -> Result<Value, Error> {
        received.json()
    }
}
