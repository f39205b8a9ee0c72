//! Errors of calls.

use std::error::Error as StdError;
use std::fmt;

use serde_json::Value;

use crate::code::ErrorCode;
use crate::http::{Failure, FailureKind, Target};
use crate::model::Timestamp;

/// The error of a call. No variant holds a secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server refused, with a code.
    Api(Box<ApiError>),
    /// The rate limit is reached, and its reset is further away than the caller waits.
    RateLimited(Box<RateLimited>),
    /// The answer is not one of the API: a gateway's page, a redirect, a path that doesn't exist.
    Unexpected(Box<Unexpected>),
    /// The answer is not of the expected shape.
    Decode(Box<DecodeError>),
    /// No complete answer came.
    Transport(Box<TransportError>),
    /// The product's definition doesn't allow a value; nothing was sent.
    #[cfg(feature = "codec")]
    Codec(gizwits_codec_std::Error),
    /// The product's definition can't be used; nothing was sent.
    #[cfg(feature = "codec")]
    Definition(gizwits_codec_std::Invalid),
    /// The call is wrong in itself; nothing was sent.
    Invalid(String),
}

/// The server's refusal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApiError {
    /// The code.
    pub code: ErrorCode,
    /// The HTTP status. It says less than the code: wrong tokens are 400, too many calls 403.
    pub status: u16,
    /// The server's message; may be empty.
    pub message: String,
    /// The server's details, if there are any.
    pub detail: Option<Value>,
    /// The request.
    pub target: Target,
}

/// The rate limit is reached.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RateLimited {
    /// The time of the reset, as far as it is known.
    pub reset_at: Timestamp,
    /// The server's refusal; none if the request wasn't sent because the limit is known to be reached.
    pub refusal: Option<ApiError>,
    /// The request.
    pub target: Target,
}

/// An answer that is not one of the API.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unexpected {
    /// The HTTP status.
    pub status: u16,
    /// The content type, if the answer has one.
    pub content_type: Option<String>,
    /// The start of the body.
    pub excerpt: String,
    /// The request.
    pub target: Target,
}

/// An answer that is not of the expected shape.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DecodeError {
    /// The HTTP status.
    pub status: u16,
    /// The path in the JSON: `objects[3].did`; `.` is the top.
    pub path: String,
    /// The problem at that path.
    pub message: String,
    /// The body around that path.
    pub excerpt: String,
    /// The request.
    pub target: Target,
}

/// No complete answer came.
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
    /// The server's code, if it refused.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        self.api().map(|error| error.code)
    }

    /// The server's refusal, if it is one.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Error::Api(error) => Some(error),
            Error::RateLimited(error) => error.refusal.as_ref(),
            _ => None,
        }
    }

    /// The HTTP status, if one came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::Unexpected(error) => Some(error.status),
            Error::Decode(error) => Some(error.status),
            Error::Transport(error) => error.failure.status,
            _ => self.api().map(|error| error.status),
        }
    }

    /// Whether the request took too long.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Error::Transport(error) if error.failure.kind == FailureKind::Timeout)
    }

    /// Whether the server may have done what was asked although the call failed: by this or an earlier
    /// attempt. Not so if the call failed before, for want of a token or a definition.
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

    /// Whether this attempt may have arrived.
    pub(crate) fn is_unsure(&self) -> bool {
        match self {
            Error::Transport(error) => error.failure.may_have_arrived(),
            Error::Unexpected(error) => error.status >= 500,
            Error::Decode(_) => true,
            Error::Api(error) => error.code == ErrorCode::SendCommandFailed,
            _ => false,
        }
    }

    /// The error, with whether any attempt may have arrived.
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

    /// A name of the kind of error, for programs.
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
            Error::Definition(invalid) => write!(f, "the definition can't be used: {invalid}"),
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
        // In whole seconds, as servers say it; what corrects their clock has fractions.
        let seconds = self.reset_at.millis().saturating_add(999).div_euclid(1000);
        write!(
            f,
            "{}: the quota is used up; it is reset at {}",
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
            "{target}: HTTP status {status} with an answer that is none of the API's: {excerpt}{doubt}"
        )
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, status, doubt) = (&self.target, self.status, self.target.doubt());
        let excerpt = or_nothing(&self.excerpt);
        write!(
            f,
            "{target}: HTTP status {status}, but the answer is not of the expected shape at `{}`: {}; in \
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
            FailureKind::Timeout => "the answer took too long",
            FailureKind::Broken => "the connection broke",
            FailureKind::TooLong => "the answer is too long",
            FailureKind::Request => "the request could not be made",
        })?;
        if let Some(status) = self.failure.status {
            write!(f, " after HTTP status {status}")?;
        }
        if self.attempts > 1 {
            write!(f, ", {} times", self.attempts)?;
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

/// The head of a server's text in one line: characters that can't be seen are escaped, and a long text is cut.
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
impl From<gizwits_codec_std::Invalid> for Error {
    fn from(invalid: gizwits_codec_std::Invalid) -> Self {
        Error::Definition(invalid)
    }
}

#[cfg(feature = "codec")]
impl From<gizwits_codec_std::Error> for Error {
    fn from(error: gizwits_codec_std::Error) -> Self {
        Error::Codec(error)
    }
}
