//! Calls that this crate doesn't know.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;

use crate::client::Enterprise;
use crate::endpoint::{Auth, Endpoint, Method};
use crate::error::Error;
use crate::exchange::call::{Call, Context, Operation, Received};
use crate::exchange::driver::Parts;
use crate::exchange::session::ProductCore;
use crate::http::redaction;
use crate::mode::Front;

/// [`Product::request`](crate::client::Product::request) and
/// [`Enterprise::request`](crate::client::Enterprise::request)
#[derive(Clone, Debug)]
pub struct Custom {
    pub(crate) wrong: Option<String>,
}

impl Custom {
    pub(crate) fn call<C: Front>(
        enterprise: Enterprise<C>,
        product: Option<Arc<ProductCore>>,
        method: Method,
        path: String,
    ) -> Call<C, Custom> {
        let mut parts = Parts::new(Endpoint {
            id: "custom",
            method,
            templates: &[],
            auth: if product.is_some() {
                Auth::Token
            } else {
                Auth::Enterprise
            },
            repeatable: method == Method::GET,
            function: "product.request(method, path)",
        });
        // A `next` link may be whole, and must lead to the same server then.
        let own = path
            .strip_prefix(enterprise.core.settings.base.as_str())
            .unwrap_or(&path);
        let leads = own.starts_with('/') && !own.starts_with("//");
        let wrong = (!leads).then(|| {
            let core = &enterprise.core;
            let secrets = product.iter().map(|product| &product.secret);
            let shown = place(&path, secrets.chain([&core.settings.secret]));
            format!("`{shown}` does not lead to {}", core.settings.base)
        });
        let (template, query) = own.split_once('?').unwrap_or((own, ""));
        parts.template = Some(template.to_owned());
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parts.query.push((decode(name), decode(value)));
        }
        Call::new(enterprise, product, parts, Custom { wrong })
    }
}

/// Where a link leads: without what may be a secret.
fn place<'s>(link: &str, secrets: impl Iterator<Item = &'s SecretString>) -> String {
    let place = link.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match place.split_once("//") {
        Some((scheme, rest)) => (format!("{scheme}//"), rest),
        None => (String::new(), place),
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    let mut shown = format!("{scheme}{host}{path}").into_bytes();
    redaction::cover(&mut shown, secrets.map(ExposeSecret::expose_secret));
    String::from_utf8_lossy(&shown).into_owned()
}

impl<C: Front> Call<C, Custom> {
    /// What stands for `{name}` in the path of an endpoint.
    pub fn within(self, name: &'static str, value: impl Into<String>) -> Self {
        self.path(name, value)
    }

    /// A body, as JSON.
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

    fn requests(&self, parts: &Parts, _: &Context<'_>) -> Result<Vec<Parts>, Error> {
        match &self.wrong {
            Some(wrong) => Err(Error::invalid(wrong.clone())),
            None => Ok(vec![parts.clone()]),
        }
    }

    fn read(&self, received: &Received<'_>) -> Result<Value, Error> {
        if received.is_empty() {
            return Ok(Value::Null);
        }
        received.json()
    }
}
