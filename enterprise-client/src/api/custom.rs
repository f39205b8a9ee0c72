//! Calls by endpoint or path, for calls without a method in this crate.

use std::sync::Arc;

use reqwest::Url;
use serde::Serialize;
use serde_json::Value;

use crate::client::{Enterprise, Product};
use crate::endpoint::{Auth, Endpoint, Method};
use crate::error::Error;
use crate::exchange::{Call, Context, Operation, ProductSession, Received, RequestParts, Requests};
use crate::mode::Mode;

/// The operation of [`Product::endpoint`], [`Product::request`] and [`Enterprise::request`].
#[derive(Clone, Debug)]
pub struct Custom {
    /// The error of a call that is not valid.
    wrong: Option<String>,
}

impl<M: Mode> Product<M> {
    /// Calls an endpoint of the table. The caller sets the parameters by name and gets the answer as JSON.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
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

    /// Calls a path that this crate has no method for, with the product's token. The client replaces
    /// `{product_key}` in the path. The path may have a query, and may be the `next` link of a page.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use gizwits_enterprise_client::{Method, endpoint};
    ///
    /// let path = format!("{}?limit=1", endpoint::DEVICES.path());
    /// let answer = product.request(Method::GET, path).send().await?;
    /// assert_eq!(answer["meta"]["total"], 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<String>) -> Call<M, Custom> {
        self.enterprise
            .custom(Some(&self.session), method, &path.into())
    }
}

impl<M: Mode> Enterprise<M> {
    /// Calls a path that this crate has no method for, with the id and the secret of the enterprise in headers.
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
        // A `next` link may be a whole URL. The secrets must not leave the server of the client.
        let own = path.strip_prefix(settings.base.as_str()).unwrap_or(path);
        let wrong = (!own.starts_with('/') || own.starts_with("//")).then(|| {
            // The error shows only the host, because the rest of the link may contain secrets.
            let url = Url::parse(path).ok();
            let host = url.as_ref().and_then(Url::host_str).unwrap_or("the path");
            format!("{host} does not belong to the server {}", settings.base)
        });
        // A fragment is never sent, and the path is shown in errors.
        let own = own.split('#').next().unwrap_or_default();
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
    /// Sets the parameter `{name}` in the path of an endpoint.
    pub fn within(self, name: &'static str, value: impl Into<String>) -> Self {
        self.path(name, value)
    }

    /// Sets the body of the request, as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_string(body) {
            Ok(body) => self.parts.body = Some(body),
            Err(error) => {
                self.operation.wrong = Some(format!("the body can't be written as JSON: {error}"))
            }
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
        match received.answer.body().trim_ascii() {
            b"" => Ok(Value::Null),
            _ => received.json(),
        }
    }
}
