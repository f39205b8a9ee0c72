//! The error of the Rust interface. Refused API calls are answers, not errors.

/// An error of building a simulator, or of changing it from outside the API.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// SQLite failed.
    #[error("the simulator's database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// The scenario, or a definition that it names, is invalid.
    #[error("the scenario: {0}")]
    Scenario(String),
    /// The database file can't be used: another simulator has it open, it is not a database of this version
    /// of the simulator, or it can't be written.
    #[error("{0}")]
    File(String),
    /// The arguments of a change are invalid, such as the did of an unknown device.
    #[error("{0}")]
    Invalid(String),
    /// The server can't listen on an address.
    #[error("can't listen on {address}, the address of {service}: {error}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The service that listens there: `the API`, `the administration` or `a device`.
        service: &'static str,
        /// The error of the operating system.
        #[source]
        error: std::io::Error,
    },
    /// A socket or a file failed: the error of the operating system.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Returns [`Error::Scenario`].
pub(crate) fn reject<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Scenario(message.into()))
}

/// Returns [`Error::Invalid`].
pub(crate) fn invalid<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Invalid(message.into()))
}
