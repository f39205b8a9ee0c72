//! The port that leads to an MCU: a serial port, or a TCP connection to an emulator.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use serial2_tokio::SerialPort;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::failure::{Failure, usage};

/// The time in which a TCP connection has to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// A line of bytes in both directions.
pub(super) trait Line: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Line for T {}

/// Opens a port by its name.
///
/// # Errors
/// A failure that says what would be right.
pub(super) async fn open(name: &str, baud: u32) -> Result<Box<dyn Line>, Failure> {
    match name.split_once("://") {
        Some(("tcp", address)) => connect(name, address).await,
        Some(_) => Err(usage(format_args!("{name}: {EXPECTED}"))),
        None => {
            let port = serial(name, baud).map_err(|why| usage(format_args!("{name}: {why}")))?;
            Ok(Box::new(port))
        }
    }
}

const EXPECTED: &str = "expected a serial port such as /dev/ttyUSB0 or COM3, or tcp://HOST:PORT";

async fn connect(name: &str, address: &str) -> Result<Box<dyn Line>, Failure> {
    let port = address
        .rsplit_once(':')
        .map(|(_, port)| port.parse::<u16>());
    let Some(Ok(1..)) = port else {
        let message = format_args!("{name}: the address has no port: expected tcp://HOST:PORT");
        return Err(usage(message));
    };
    let stream = match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(usage(format_args!("{name}: {error}"))),
        Err(_) => {
            let seconds = CONNECT.as_secs();
            return Err(usage(format_args!("{name}: no answer within {seconds} s")));
        }
    };
    // A frame is small, and an MCU sends it again after 200 ms.
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

/// Opens a serial port with eight bits, no parity and one stop bit. An error is the text for the user.
fn serial(name: &str, baud: u32) -> Result<SerialPort, String> {
    let metadata = Path::new(name).metadata();
    if metadata.is_ok_and(|metadata| metadata.is_dir() || metadata.is_file()) {
        let what = if Path::new(name).is_dir() {
            "folder"
        } else {
            "file"
        };
        return Err(format!("this is a {what}: {EXPECTED}"));
    }
    SerialPort::open(name, baud).map_err(|error| reason(&error))
}

/// Returns the reason for which a serial port is not opened, as text for the user.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => format!("there is no such port. {}", available()),
        ErrorKind::PermissionDenied => format!(
            "{error}: on Linux, members of the group that owns the port (often dialout) may open it, after their next login"
        ),
        ErrorKind::ResourceBusy => format!("{error}: another program has opened the port"),
        _ if is_no_terminal(error) => format!("this is no serial port: {EXPECTED}"),
        _ => format!("{error}"),
    }
}

/// Whether the system says that a file is no terminal (ENOTTY).
fn is_no_terminal(error: &io::Error) -> bool {
    cfg!(unix) && error.raw_os_error() == Some(25)
}

/// The serial ports of this machine, as a sentence.
fn available() -> String {
    let ports = SerialPort::available_ports().unwrap_or_default();
    let names: Vec<_> = ports
        .iter()
        .map(|port| port.display().to_string())
        .collect();
    match names.is_empty() {
        true => "This machine has no serial port: is the adapter plugged in?".to_owned(),
        false => format!("The serial ports of this machine: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An administrator may open every port, so that no test of the command is refused one.
    #[test]
    fn a_refused_port_is_explained() {
        for (kind, told) in [
            (ErrorKind::PermissionDenied, "(often dialout) may open it"),
            (
                ErrorKind::ResourceBusy,
                "another program has opened the port",
            ),
            (ErrorKind::NotFound, "there is no such port"),
        ] {
            assert!(reason(&kind.into()).contains(told), "{kind}");
        }
    }
}
