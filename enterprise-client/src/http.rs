//! HTTP requests and answers, and the transport that sends the requests.

pub(crate) mod redaction;
pub(crate) mod reqwest;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use crate::endpoint::Method;
pub(crate) use crate::http::redaction::{cover, encode, excerpt, quoted};

/// A secret of a request, and the shell variable that replaces it in a curl command.
#[derive(Clone)]
pub(crate) struct Secret {
    pub(crate) value: SecretString,
    pub(crate) variable: &'static str,
}

/// An HTTP request. `Debug` shows method, path and length, but no header, no query and no body.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) base: String,
    /// The path with its parameters in braces.
    pub(crate) template: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) secrets: Vec<Secret>,
    /// Whether the request may be sent again when no answer came.
    pub(crate) repeatable: bool,
}

impl Request {
    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The path, without the query. It contains no secret.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole URL. The query may contain a secret.
    #[must_use]
    pub fn url(&self) -> String {
        let mut url = format!("{}{}", self.base, self.path);
        for (n, (name, value)) in self.query.iter().enumerate() {
            url.push(if n == 0 { '?' } else { '&' });
            url.push_str(&encode(name));
            url.push('=');
            url.push_str(&encode(value));
        }
        url
    }

    /// The names and values of the headers. Values may contain secrets.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }

    /// The body, a JSON document. It may contain secrets.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }

    /// The request as a curl command for a POSIX shell. Shell variables such as `$GIZWITS_TOKEN` replace the
    /// secrets.
    #[must_use]
    pub fn curl(&self) -> String {
        let mut command = format!(
            "curl -X {} {}",
            self.method.as_str(),
            self.shell(&self.url())
        );
        for (name, value) in self.headers() {
            command.push_str(" -H ");
            command.push_str(&self.shell(&format!("{name}: {value}")));
        }
        if let Some(body) = self.body() {
            command.push_str(" --data-binary ");
            command.push_str(&self.shell(&String::from_utf8_lossy(body)));
        }
        command
    }

    /// Quotes a word of a shell command: text in single quotes, secrets as variables in double quotes.
    fn shell(&self, text: &str) -> String {
        let mut forms: Vec<(String, &str)> = Vec::new();
        for secret in &self.secrets {
            let found = redaction::forms(secret.value.expose_secret());
            forms.extend(found.into_iter().map(|form| (form, secret.variable)));
        }
        // A secret that contains another secret must be replaced before it.
        forms.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        format!("'{}'", quoted_for_shell(text, &forms))
    }

    pub(crate) fn target(&self) -> Target {
        Target {
            method: self.method,
            path: self.path.clone(),
            repeatable: self.repeatable,
            arrived: false,
        }
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets
            .iter()
            .map(|secret| secret.value.expose_secret())
    }
}

/// The content of a word in single quotes, with a variable in place of each secret.
fn quoted_for_shell(text: &str, secrets: &[(String, &str)]) -> String {
    let Some(((secret, variable), rest)) = secrets.split_first() else {
        return text.replace('\'', r"'\''");
    };
    let parts = text.split(secret.as_str());
    let parts: Vec<String> = parts.map(|part| quoted_for_shell(part, rest)).collect();
    parts.join(&format!("'\"${variable}\"'"))
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("body_len", &self.body.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

/// The method and path of the request that an error refers to. Neither contains a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// Whether the request may be sent again when no answer came.
    pub(crate) repeatable: bool,
    /// Whether the server may have received the caller's own request, in any attempt.
    pub(crate) arrived: bool,
}

impl Target {
    /// The end of the text of an error that leaves open whether the server carried out the request. Empty if
    /// the request may be sent again.
    pub(crate) fn doubt(&self) -> &'static str {
        match self.arrived && !self.repeatable {
            true => {
                "; the server may have received the request: check its effect before you send it again"
            }
            false => "",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_str(), self.path)
    }
}

/// An HTTP response. `Debug` shows the status and the length of the body.
#[derive(Clone)]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    /// Creates the response that a transport received.
    pub fn new(
        status: u16,
        headers: impl IntoIterator<Item = (String, String)>,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        Response {
            status,
            headers: headers.into_iter().collect(),
            body: body.into(),
        }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The value of the first header with this name. Upper and lower case are equal.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(one, _)| one.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The reason why a request got no complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The connection could not be established, so nothing was sent.
    Connect,
    /// The certificate of the server is not trusted or not valid, so nothing was sent. Another attempt would fail,
    /// too.
    Certificate,
    /// The request timed out.
    Timeout,
    /// The connection was interrupted.
    Broken,
    /// The answer was longer than the limit.
    TooLong,
    /// The request is not valid, for example because of a character in a header. Nothing was sent.
    Request,
}

impl FailureKind {
    /// The name of the kind, for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            FailureKind::Connect => "connect",
            FailureKind::Certificate => "certificate",
            FailureKind::Timeout => "timeout",
            FailureKind::Broken => "broken",
            FailureKind::TooLong => "too_long",
            FailureKind::Request => "request",
        }
    }
}

/// The failure of a request that got no complete answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// The status, if the head of an answer was received.
    pub status: Option<u16>,
    /// The cause of the failure. Its text must not contain the URL, which may contain a secret.
    pub source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Failure {
    /// Creates the failure of a transport.
    #[must_use]
    pub fn new(kind: FailureKind) -> Self {
        Failure {
            kind,
            status: None,
            source: None,
        }
    }

    /// Adds the status that was received before the failure.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds the cause. Its text must not contain the query of the URL.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let source: Box<dyn StdError + Send + Sync> = source.into();
        self.source = Some(source.into());
        self
    }

    pub(crate) fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }

    /// Whether the server may have received the request.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        !matches!(
            self.kind,
            FailureKind::Connect | FailureKind::Certificate | FailureKind::Request
        )
    }
}

/// The future that [`Transport::send`] returns.
pub type ResponseFuture<'a> = Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send + 'a>>;

/// The transport that sends requests to the server. The default is reqwest. Tests and gateways can set
/// another one with [`Builder::transport`](crate::Builder::transport).
///
/// A transport must not follow redirects, because requests contain secrets, and must not send a request
/// twice.
///
/// # Examples
/// ```
/// use gizwits_enterprise_client::Enterprise;
/// use gizwits_enterprise_client::http::{Request, Response, ResponseFuture, Transport};
///
/// /// A transport for tests: it answers every request in the same way.
/// struct Fixed(&'static str);
///
/// impl Transport for Fixed {
///     fn send(&self, _: Request) -> ResponseFuture<'_> {
///         Box::pin(async { Ok(Response::new(200, [], self.0)) })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), gizwits_enterprise_client::Error> {
/// let enterprise = Enterprise::builder()
///     .id("enterprise id")
///     .secret("enterprise secret")
///     .transport(Fixed(r#"{"token":"t","expire_at":4102444800,"total":31}"#))
///     .build()?;
/// let product = enterprise.product("product key", "product secret");
/// assert_eq!(product.user_reports().total().send().await?.total, Some(31));
/// # Ok(())
/// # }
/// ```
pub trait Transport: Send + Sync + 'static {
    /// Sends a request and receives the whole answer.
    fn send(&self, request: Request) -> ResponseFuture<'_>;
}
