//! Failures and their exit statuses.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::text::{printable, printable_lines, tell};

/// Why a command ends without success.
pub(crate) enum Failure {
    /// Wrong usage or an unusable definition: exit status 2, with this text on stderr.
    Usage(String),
    /// Some payload failed or a value was refused, which has been reported: exit status 1.
    Some,
    /// A server refused, or can't be reached: exit status 1, with this text on stderr.
    Server(String),
    /// Ctrl-C, which has been answered: exit status 130, as shells expect.
    Interrupted,
    /// Reading or writing failed: exit status 2.
    Io(io::Error),
}

/// Wrong usage, in one line.
pub(crate) fn usage(message: impl Display) -> Failure {
    Failure::Usage(format!("error: {}", printable(&message.to_string())))
}

/// Wrong usage or a failure that concerns one file.
pub(crate) fn in_file(path: &Path, message: impl Display) -> Failure {
    usage(format_args!("{}: {message}", path.display()))
}

/// A value, a device or an answer that is not as it should be, in one line.
pub(crate) fn refused(message: impl Display) -> Failure {
    Failure::Server(format!("error: {}", printable(&message.to_string())))
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

impl From<gizwits_simulator::Error> for Failure {
    fn from(error: gizwits_simulator::Error) -> Self {
        Failure::Usage(format!("error: {}", printable_lines(&error.to_string())))
    }
}

impl Failure {
    /// Tells the reason, if it has not been told, and returns the exit status.
    pub(crate) fn report(self) -> ExitCode {
        let (status, message) = match self {
            Failure::Some => return ExitCode::from(1),
            Failure::Interrupted => return ExitCode::from(130),
            // The reader has seen enough.
            Failure::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return ExitCode::SUCCESS;
            }
            Failure::Io(error) => (2, format!("error: {error}")),
            Failure::Server(message) => (1, message),
            Failure::Usage(message) => (2, message),
        };
        tell(message);
        ExitCode::from(status)
    }
}
