//! Failures and their exit statuses.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use gizwits_codec_std::Error;

use crate::standard_output::failed_output;
use crate::text::{printable, tell};

/// The reason why a command fails, which determines its exit status.
pub(crate) enum Failure {
    /// Wrong usage, or a file or definition that can't be used. Prints this message to stderr; exit status 2.
    Usage(String),
    /// Failed payloads, refused values or findings, all of them printed already. Exit status 1.
    Some,
    /// A refusal by a server, a device or a definition, or an unreachable server. Prints this message to
    /// stderr; exit status 1.
    Server(String),
    /// Ctrl-C, to which the command has reacted already. Exit status 130, as shells expect.
    Interrupted,
    /// An error of reading or writing, which is printed to stderr. Exit status 2, or 1 if standard output can't be written: the
    /// usage is right, and a control may have been sent.
    Io(io::Error),
}

/// Returns a [`Failure::Usage`] with a message of one line.
pub(crate) fn usage(message: impl Display) -> Failure {
    Failure::Usage(format!("error: {}", printable(&message.to_string())))
}

/// Returns a [`Failure::Usage`] with a message of one line, and a hint of any number of lines below it.
pub(crate) fn usage_with_hint(message: impl Display, hint: &str) -> Failure {
    let message = message.to_string();
    Failure::Usage(format!("error: {}\n{hint}", printable(&message)))
}

/// Returns a [`Failure::Usage`] whose message begins with the path of a file.
pub(crate) fn in_file(path: &Path, message: impl Display) -> Failure {
    usage(format_args!("{}: {message}", path.display()))
}

/// Returns a [`Failure::Server`] with a message of one line.
pub(crate) fn refused(message: impl Display) -> Failure {
    Failure::Server(format!("error: {}", printable(&message.to_string())))
}

/// Returns the failure of a value that a definition refuses. Some errors are wrong usage with any definition.
pub(crate) fn refused_value(error: &Error, message: &str) -> Failure {
    let message = format!("error: {message}");
    match error.kind {
        "duplicate_point" | "nothing_set" | "wrong_action" | "json" | "did_length" => {
            Failure::Usage(message)
        }
        _ => Failure::Server(message),
    }
}

/// Checks that the server returned all records that it counts.
///
/// # Errors
/// A warning that the output is incomplete.
pub(crate) fn check_complete(missing: u64) -> Result<(), Failure> {
    match missing {
        0 => Ok(()),
        _ => Err(Failure::Server(format!(
            "warning: the output is incomplete: the server counts {missing} more than it returned"
        ))),
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

impl Failure {
    /// Prints the message, if there is one, and returns the exit status.
    pub(crate) fn report(self) -> ExitCode {
        let (status, message) = match self {
            Failure::Some => return ExitCode::from(1),
            Failure::Interrupted => return ExitCode::from(130),
            // A reader that closes its pipe early, such as `head`, is no error.
            Failure::Io(error) if is_closed_pipe(&error) => return ExitCode::SUCCESS,
            Failure::Io(error) => {
                let status = if failed_output(&error).is_some() {
                    1
                } else {
                    2
                };
                (status, format!("error: {error}"))
            }
            Failure::Server(message) => (1, message),
            Failure::Usage(message) => (2, message),
        };
        tell(message);
        ExitCode::from(status)
    }
}

/// Whether an error of writing means that the reader has closed its end of the pipe.
fn is_closed_pipe(error: &io::Error) -> bool {
    let error = failed_output(error).unwrap_or(error);
    // 232 is ERROR_NO_DATA, the error of a pipe that is being closed, and 233 is ERROR_PIPE_NOT_CONNECTED, that of a
    // named pipe whose reader has gone. The standard library knows only the former.
    error.kind() == io::ErrorKind::BrokenPipe
        || cfg!(windows) && matches!(error.raw_os_error(), Some(232 | 233))
}
