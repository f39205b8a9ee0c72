//! What goes wrong outside the API.

use std::fmt;

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

/// An error about a scenario, or about what it names.
pub(crate) fn wrong<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Scenario(message.into()))
}

/// An error about something that was asked for.
pub(crate) fn invalid<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Invalid(message.into()))
}
