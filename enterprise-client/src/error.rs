//! Errors of calls.

use std::error::Error as StdError;
use std::fmt;

use serde_json::Value;

use crate::code::ErrorCode;
use crate::http::{Failure, FailureKind, Target};
use crate::model::Timestamp;

/// The error of a call. No error contains a secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server refused the call with an error code.
    Api(Box<ApiError>),
    /// The rate limit is reached, and the wait for its reset is longer than
    /// [`max_wait`](crate::Call::max_wait).
    RateLimited(Box<RateLimited>),
    /// The answer does not come from the API: the page of a gateway, a redirect, or the answer to a path
    /// that doesn't exist.
    Unexpected(Box<Unexpected>),
    /// The answer is not the JSON that the endpoint is expected to return.
    Decode(Box<DecodeError>),
    /// No complete answer was received.
    Transport(Box<TransportError>),
    /// The product's definition doesn't allow a value. Nothing was sent.
    #[cfg(feature = "codec")]
    Codec(gizwits_codec_std::Error),
    /// The product's definition has errors. The call was not sent.
    #[cfg(feature = "codec")]
    Definition(gizwits_codec_std::CheckError),
    /// A parameter of the call is not valid. Nothing was sent.
    Invalid(String),
}

/// A refusal of the server, with an error code.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApiError {
    /// The error code.
    pub code: ErrorCode,
    /// The HTTP status. It is less specific than the code: the status of a wrong token is 400, and that of
    /// too many calls is 403.
    pub status: u16,
    /// The message of the server. May be empty.
    pub message: String,
    /// The details that the server gave, if any.
    pub detail: Option<Value>,
    /// The request.
    pub target: Target,
}

/// The error of a call that would exceed the rate limit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RateLimited {
    /// The time at which the rate limit is reset, by the server's clock. An estimate if the server didn't
    /// send it.
    pub reset_at: Timestamp,
    /// The refusal of the server. `None` if the request was not sent, because the client knew that the
    /// limit was reached.
    pub refusal: Option<ApiError>,
    /// The request.
    pub target: Target,
}

/// The error of an answer that does not come from the API.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unexpected {
    /// The HTTP status.
    pub status: u16,
    /// The start of the content type, on one line and without secrets, if the answer has one.
    pub content_type: Option<String>,
    /// The start of the body, on one line and without secrets.
    pub excerpt: String,
    /// The request.
    pub target: Target,
}

/// The error of an answer that is not the expected JSON.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DecodeError {
    /// The HTTP status.
    pub status: u16,
    /// The path in the JSON, for example `objects[3].did`. A `.` stands for the whole document.
    pub path: String,
    /// The problem at that path.
    pub message: String,
    /// The part of the body around that path, on one line and without secrets.
    pub excerpt: String,
    /// The request.
    pub target: Target,
}

/// The error of a request without a complete answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransportError {
    /// The failure of the last attempt.
    pub failure: Failure,
    /// The number of attempts.
    pub attempts: u32,
    /// The request.
    pub target: Target,
}

impl Error {
    /// The error code of the server, if the server refused the call.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use gizwits_enterprise_client::{ErrorCode, ErrorKind};
    ///
    /// let error = product.device("nobody").data().send().await.unwrap_err();
    /// match error.code() {
    ///     Some(ErrorCode::DeviceOffline) => println!("try again later"),
    ///     Some(code) if code.kind() == ErrorKind::NotFound => println!("{}", code.remedy()),
    ///     _ => return Err(error.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        self.api().map(|error| error.code)
    }

    /// The refusal of the server, if the server refused the call.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Error::Api(error) => Some(error),
            Error::RateLimited(error) => error.refusal.as_ref(),
            _ => None,
        }
    }

    /// The HTTP status, if an answer was received.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::Unexpected(error) => Some(error.status),
            Error::Decode(error) => Some(error.status),
            Error::Transport(error) => error.failure.status,
            _ => self.api().map(|error| error.status),
        }
    }

    /// Whether the request timed out.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Error::Transport(error) if error.failure.kind == FailureKind::Timeout)
    }

    /// Whether the server may have received the request, in any attempt, although the call failed. False if
    /// the call failed before its own request, because it got no token or no definition.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use serde_json::json;
    ///
    /// let device = product.device("cBYkSjoE2xspYMhaUHdk5k");
    /// if let Err(error) = device.control(json!({"set_temp": 24})).send().await {
    ///     match error.may_have_arrived() {
    ///         true => println!("look at the device first: {error}"),
    ///         false => println!("send the control again: {error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        let target = match self {
            Error::Api(error) => &error.target,
            Error::RateLimited(error) => &error.target,
            Error::Unexpected(error) => &error.target,
            Error::Decode(error) => &error.target,
            Error::Transport(error) => &error.target,
            _ => return false,
        };
        target.arrived
    }

    /// Whether the server may have received the request of this attempt.
    pub(crate) fn is_unsure(&self) -> bool {
        match self {
            Error::Transport(error) => error.failure.may_have_arrived(),
            Error::Unexpected(error) => error.status >= 500,
            Error::Decode(_) => true,
            Error::Api(error) => error.code == ErrorCode::SendCommandFailed,
            _ => false,
        }
    }

    /// Sets whether the server may have received the request in any attempt.
    pub(crate) fn arrived(mut self, arrived: bool) -> Self {
        match &mut self {
            Error::Api(error) => error.target.arrived = arrived,
            Error::RateLimited(error) => error.target.arrived = arrived,
            Error::Unexpected(error) => error.target.arrived = arrived,
            Error::Decode(error) => error.target.arrived = arrived,
            Error::Transport(error) => error.target.arrived = arrived,
            _ => {}
        }
        self
    }

    /// The kind of the error as a stable name for programs, for example `rate_limited`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Error::Api(_) => "api",
            Error::RateLimited(_) => "rate_limited",
            Error::Unexpected(_) => "unexpected",
            Error::Decode(_) => "decode",
            Error::Transport(error) => error.failure.kind.name(),
            #[cfg(feature = "codec")]
            Error::Codec(error) => error.kind,
            #[cfg(feature = "codec")]
            Error::Definition(_) => "definition",
            Error::Invalid(_) => "invalid",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Api(error) => error.fmt(f),
            Error::RateLimited(error) => error.fmt(f),
            Error::Unexpected(error) => error.fmt(f),
            Error::Decode(error) => error.fmt(f),
            Error::Transport(error) => error.fmt(f),
            #[cfg(feature = "codec")]
            Error::Codec(error) => error.fmt(f),
            #[cfg(feature = "codec")]
            Error::Definition(invalid) => {
                write!(f, "the product's definition is not valid: {invalid}")
            }
            Error::Invalid(message) => f.write_str(message),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Error::Transport(error) => error.failure.cause(),
            _ => None,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: error {}", self.target, self.code)?;
        let detail = match &self.detail {
            None => String::new(),
            Some(Value::String(detail)) => shown(detail),
            Some(detail) => shown(&detail.to_string()),
        };
        let mut said = vec![shown(&self.message), detail];
        said.dedup();
        said.retain(|text| !text.is_empty() && text != self.code.label());
        if !said.is_empty() {
            write!(f, ", the server says: {}", said.join(": "))?;
        }
        match self.code.remedy() {
            "" => write!(f, ", with HTTP status {}", self.status),
            remedy => write!(f, "; {remedy}"),
        }
    }
}

impl fmt::Display for RateLimited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In whole seconds, as servers send the time. The correction of the clock adds a fraction.
        let seconds = self.reset_at.millis().saturating_add(999).div_euclid(1000);
        write!(
            f,
            "{}: the rate limit is reached; it is reset at {}",
            self.target,
            Timestamp::from_seconds(seconds)
        )
    }
}

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, status, doubt) = (&self.target, self.status, self.target.doubt());
        let excerpt = or_nothing(&self.excerpt);
        write!(
            f,
            "{target}: HTTP status {status}, and the answer does not come from the API: {excerpt}{doubt}"
        )
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, status, doubt) = (&self.target, self.status, self.target.doubt());
        let excerpt = or_nothing(&self.excerpt);
        write!(
            f,
            "{target}: HTTP status {status}, but the answer has unexpected JSON at `{}`: {}; the answer: \
             {excerpt}{doubt}",
            self.path, self.message
        )
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.target)?;
        f.write_str(match self.failure.kind {
            FailureKind::Connect => "no connection",
            FailureKind::Certificate => "the certificate of the server is not accepted",
            FailureKind::Timeout => "timed out",
            FailureKind::Broken => "the connection was interrupted",
            FailureKind::TooLong => "the answer is too long",
            FailureKind::Request => "the request is not valid",
        })?;
        if let Some(status) = self.failure.status {
            write!(f, " after HTTP status {status}")?;
        }
        if self.attempts > 1 {
            write!(f, " ({} attempts)", self.attempts)?;
        }
        let mut source = self.failure.cause();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        f.write_str(self.target.doubt())
    }
}

fn or_nothing(excerpt: &str) -> String {
    match excerpt {
        "" => "(nothing)".to_owned(),
        excerpt => shown(excerpt),
    }
}

/// Shortens a text of the server to one line of at most 300 characters, with invisible characters escaped.
fn shown(text: &str) -> String {
    const MOST: usize = 300;
    let mut line = String::new();
    for (n, char) in text.trim().chars().enumerate() {
        match char {
            _ if n == MOST => return line + "…",
            '"' | '\'' | '\\' => line.push(char),
            // Also escapes marks that change the direction of text, and combining characters.
            char => line.extend(char.escape_debug()),
        }
    }
    line
}

#[cfg(feature = "codec")]
impl From<gizwits_codec_std::CheckError> for Error {
    fn from(invalid: gizwits_codec_std::CheckError) -> Self {
        Error::Definition(invalid)
    }
}

#[cfg(feature = "codec")]
impl From<gizwits_codec_std::Error> for Error {
    fn from(error: gizwits_codec_std::Error) -> Self {
        Error::Codec(error)
    }
}
