//! The documented errors, and what a refused call answers.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

macro_rules! codes {
    ($($code:literal $status:literal $message:literal)*) => {
        /// Every documented code with its HTTP status and message.
        pub const CODES: &[(u32, u16, &str)] = &[$(($code, $status, $message)),*];
    };
}

codes! {
    5001 400 "body json invalid"
    5002 400 "form invalid"
    5003 404 "enterprise id not exist"
    5004 400 "enterprise secret error"
    5005 400 "product secret error"
    5006 400 "product exist devicegroups"
    5007 404 "association not exist"
    5008 400 "association existed"
    5009 400 "token invalid"
    5010 400 "token not match product_key"
    5011 400 "token has expired"
    5012 400 "ip not in white list"
    5013 403 "API call rate limit execeed quota"
    5014 400 "Report has not been generated!"
    5015 404 "Product key not exist!"
    5016 404 "Appid not exist!"
    5017 404 "Uid not exist!"
    5018 403 "product operation not allowed"
    5019 404 "organization does not exist"
    5020 400 "can not delete published product!"
    5021 400 "enterprise is exist"
    5022 404 "enterprise does not exist"
    5023 403 "enterprise is creating"
    5024 403 "api deny to visit!"
    5025 404 "product does not exist"
    5201 403 "device group not belong to this product"
    5202 404 "parent group not exist"
    5203 400 "already has one root group"
    5204 400 "group has subgroup"
    5205 400 "group has device item"
    5206 404 "group not exist"
    5207 400 "product key not in pre assignment!"
    5208 400 "create assign device in progress!"
    5301 404 "device not exist"
    5302 403 "device not belong to this product"
    5303 400 "device not bound"
    5304 400 "device is disabled"
    5305 400 "device offline!"
    5401 400 "attr invalid!"
    5402 404 "datapoint data not found!"
    5403 400 "send command failed!"
    5404 403 "remote control not allowed!"
    5405 404 "attrs not exist!"
    5406 500 "Datapoints malformed"
    5407 500 "generate meta failed"
    5408 400 "raw data error!"
    5409 500 "call innerapi failed!"
    5501 404 "firmware does not exist"
    5502 400 "firmware version has created"
    5503 403 "firmware operation not allowed"
    5601 500 "kairosdb query error!"
    5701 403 "This eid has no permission to reset pwd."
    5702 403 "This eid has no permission to reset pwd for this appid."
    5703 400 "Cannot reset pwd for anonymous user"
    5801 400 "the pks has not associate with enterprise!"
    5901 400 "x-service secret key invalid!"
}

/// Why a call is refused: a documented code, and what was wrong in the simulator's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// One of [`CODES`].
    pub code: u32,
    /// What the answer has as `detail_message`.
    pub detail: Option<String>,
}

impl Refusal {
    /// A refusal by its code alone.
    #[must_use]
    pub fn new(code: u32) -> Self {
        Refusal { code, detail: None }
    }

    /// A refusal that says what was wrong.
    #[must_use]
    pub fn because(code: u32, detail: impl Into<String>) -> Self {
        Refusal {
            code,
            detail: Some(detail.into()),
        }
    }

    /// Its HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.row().1
    }

    /// Its documented message.
    #[must_use]
    pub fn message(&self) -> &'static str {
        self.row().2
    }

    fn row(&self) -> (u32, u16, &'static str) {
        let row = CODES.iter().find(|(code, ..)| *code == self.code);
        row.copied().unwrap_or((self.code, 500, "unknown error"))
    }

    pub(crate) fn body(&self) -> ErrorBody {
        ErrorBody {
            error_message: self.message(),
            error_code: self.code,
            detail_message: self.detail.clone(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.message())?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

/// The body of an error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    pub(crate) error_message: &'static str,
    pub(crate) error_code: u32,
    pub(crate) detail_message: Option<String>,
}

/// What goes wrong while a call is answered: it is refused, or the database fails.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(Refusal),
    Database(rusqlite::Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure::Database(error)
    }
}

/// A refusal as an error of a call.
pub(crate) fn refuse<T>(code: u32, detail: impl Into<String>) -> Result<T, Failure> {
    Err(Refusal::because(code, detail).into())
}

/// What goes wrong when a simulator is made, or told to do something from outside the API.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The database.
    Database(rusqlite::Error),
    /// The scenario, or what it names.
    Scenario(String),
    /// The file is another simulator's at the moment, or no simulator's at all.
    File(String),
    /// Something was asked for that there isn't, or that can't be done.
    Invalid(String),
    /// A socket, or a file.
    Io(std::io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Database(error) => write!(f, "the simulator's database: {error}"),
            Error::Scenario(error) => write!(f, "the scenario: {error}"),
            Error::File(error) | Error::Invalid(error) => f.write_str(error),
            Error::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Database(error) => Some(error),
            Error::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Error::Database(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::Io(error)
    }
}
