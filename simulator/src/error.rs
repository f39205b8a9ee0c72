//! The error of everything but API calls.

/// An error when a simulator is built, or when it is changed from outside the API.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database failed.
    #[error("the simulator's database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The scenario, or a file that it names, is unsound.
    #[error("the scenario: {0}")]
    Scenario(String),
    /// The file is another simulator's at the moment, or no simulator's at all.
    #[error("{0}")]
    File(String),
    /// Something was asked for that there isn't, or that can't be done.
    #[error("{0}")]
    Invalid(String),
    /// A socket or a file failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// An error about an unsound scenario, or about what it names.
pub(crate) fn unsound<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Scenario(message.into()))
}

/// An error about something that was asked for.
pub(crate) fn invalid<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Invalid(message.into()))
}
