//! Failures and their exit statuses.

use std::io;
use std::process::ExitCode;

use crate::text::{printable, tell};

/// Why a command ends without success.
pub(crate) enum Failure {
    /// Wrong usage or an unusable definition: exit status 2, with this on stderr.
    Usage(String),
    /// Some payload failed or a value was refused, which has been told: exit status 1.
    Some,
    /// A server refused, or can't be reached: exit status 1, with this on stderr.
    Server(String),
    /// Ctrl-C, which has been answered: exit status 130, as shells expect.
    Interrupted,
    /// Reading or writing failed.
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

impl Failure {
    /// Tells what is not told yet, and returns the exit status.
    pub(crate) fn report(self) -> ExitCode {
        let (status, message) = match self {
            Failure::Some => return ExitCode::from(1),
            Failure::Interrupted => return ExitCode::from(130),
            // Whoever reads has seen enough.
            Failure::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return ExitCode::SUCCESS;
            }
            Failure::Io(error) => (2, format!("error: {error}")),
            Failure::Server(message) => (1, message),
            Failure::Usage(message) => (2, message),
        };
        tell(format_args!("{message}"));
        ExitCode::from(status)
    }
}

/// Wrong usage, in one line.
pub(crate) fn usage(message: impl std::fmt::Display) -> Failure {
    Failure::Usage(format!("error: {}", printable(&message.to_string())))
}
