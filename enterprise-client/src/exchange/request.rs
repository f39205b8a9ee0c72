//! The parts of a request, and the HTTP request made of them.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::endpoint::{self, Auth, Endpoint};
use crate::error::Error;
use crate::exchange::session::{ProductSession, Session};
use crate::http::{Request, Secret, encode};

/// The parts of a request: endpoint, parameters and body.
#[derive(Clone)]
pub struct RequestParts {
    pub(crate) endpoint: Endpoint,
    /// The path that replaces the paths of the endpoint.
    pub(crate) template: Option<String>,
    pub(crate) path: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

impl fmt::Debug for RequestParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Query and body may contain secrets.
        f.debug_struct("RequestParts")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl RequestParts {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        RequestParts {
            endpoint,
            template: None,
            path: Vec::new(),
            query: Vec::new(),
            body: None,
        }
    }

    /// The parts of the request of a token.
    pub(crate) fn of_token(session: &Session, product: &ProductSession) -> Self {
        let mut parts = RequestParts::new(endpoint::ACCESS_TOKEN);
        let body = json!({
            "enterprise_id": session.settings.id,
            "enterprise_secret": session.settings.secret.expose_secret(),
            "product_secret": product.secret.expose_secret(),
        });
        parts.body = Some(body.to_string());
        parts
    }

    /// Sets a parameter of the query, and removes the parameters with the same name.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.query.retain(|(known, _)| known != name);
        self.query.push((name.to_owned(), value.into()));
    }

    /// The templates of the paths to try, in order.
    pub(crate) fn templates<'a>(&'a self, session: &'a Session) -> Vec<&'a str> {
        let given = session.settings.paths.get(self.endpoint.id);
        match self.template.as_ref().or(given) {
            Some(template) => vec![template.as_str()],
            None => self.endpoint.templates.to_vec(),
        }
    }

    /// The HTTP request to the path with this index.
    pub(crate) fn request(
        &self,
        session: &Session,
        product: Option<&ProductSession>,
        token: Option<&SecretString>,
        route: usize,
    ) -> Result<Request, Error> {
        let templates = self.templates(session);
        let template = templates.get(route).copied().unwrap_or_default();
        let settings = &session.settings;
        let mut headers = vec![("accept", "application/json".to_owned())];
        // All secrets of the call, even those that this request doesn't contain: a server may echo any part of
        // an earlier request.
        let secret = |value, variable| Secret { value, variable };
        let own = settings.secret.clone();
        let mut secrets = vec![secret(own, "GIZWITS_ENTERPRISE_SECRET")];
        let products = product.map(|product| product.secret.clone());
        secrets.extend(products.map(|value| secret(value, "GIZWITS_PRODUCT_SECRET")));
        match self.endpoint.auth {
            Auth::Body => {}
            Auth::Token => {
                let value = token.cloned().unwrap_or_default();
                headers.push(("authorization", format!("token {}", value.expose_secret())));
                secrets.push(secret(value, "GIZWITS_TOKEN"));
            }
            Auth::Enterprise => {
                headers.push(("x-gizwits-enterprise-id", settings.id.to_string()));
                let secret = settings.secret.expose_secret().to_owned();
                headers.push(("x-gizwits-enterprise-secret", secret));
            }
        }
        if self.body.is_some() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        Ok(Request {
            method: self.endpoint.method,
            base: settings.base.clone(),
            template: template.to_owned(),
            path: self.fill_in(template, product)?,
            query: self.query.clone(),
            headers,
            body: self.body.clone().map(String::into_bytes),
            secrets,
            repeatable: self.endpoint.repeatable,
        })
    }

    /// The path with the parameters filled in, percent-encoded.
    fn fill_in(&self, template: &str, product: Option<&ProductSession>) -> Result<String, Error> {
        let mut path = template.to_owned();
        let key = product.map(|product| ("product_key", product.key.as_str()));
        let own = self.path.iter();
        let own = own.map(|(name, value)| (*name, value.as_str()));
        for (name, value) in own.chain(key) {
            let parameter = format!("{{{name}}}");
            // A server or proxy would interpret `.` and `..` as steps of the path.
            if path.contains(&parameter) && matches!(value, "" | "." | "..") {
                return Err(Error::Invalid(format!(
                    "`{value}` is not a valid {name}: it would change the path of the request"
                )));
            }
            path = path.replace(&parameter, &encode(value));
        }
        Ok(path)
    }
}
