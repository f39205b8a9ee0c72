//! `gizwits`: decode, encode and look at the data points of Gizwits devices; simulate their cloud.
//!
//! stdout is the answer, stderr is everything else. Exit status: 0; 1 if a payload failed, a value or a
//! call was refused or a definition has errors; 2 for wrong usage or a definition that can't be used.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod account;
mod api;
mod check;
mod codegen;
mod decode;
mod definition;
mod demo;
mod device;
mod encode;
mod history;
mod layout;
mod log;
mod picture;
mod simulate;

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// Decode, encode and look at the data points of Gizwits (机智云) devices.
#[derive(Parser)]
#[command(name = "gizwits", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  gizwits demo
  gizwits decode -d tests/fixtures/air-conditioner.json 000000030b0000910401000010000000
  gizwits encode -d tests/fixtures/air-conditioner.json control set_temp=24
  gizwits layout -d tests/fixtures/air-conditioner.json
  gizwits check -d tests/fixtures/air-conditioner.json";

#[derive(Subcommand)]
enum Command {
    Decode(decode::Decode),
    Encode(encode::Encode),
    Layout(layout::LayoutArgs),
    Check(check::Check),
    Codegen(codegen::Codegen),
    Log(log::LogArgs),
    Device(device::DeviceArgs),
    /// Call any endpoint of the Enterprise API
    Api(api::Api),
    Simulate(simulate::Simulate),
    Demo(demo::Demo),
    /// Print a script that completes `gizwits` in your shell
    #[command(after_help = "Example:\n  gizwits completions bash > gizwits.bash")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

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

fn main() -> ExitCode {
    let cli = Cli::parse();
    let colours = {
        let choice = anstream::AutoStream::choice(&io::stdout());
        choice != anstream::ColorChoice::Never && io::stdout().is_terminal()
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let ended = match cli.command {
        Command::Decode(decode) => decode.run(&mut out, colours),
        Command::Encode(encode) => encode.run(&mut out),
        Command::Layout(layout) => layout::run(&layout, &mut out, colours),
        Command::Check(check) => check.run(&mut out, colours),
        Command::Codegen(codegen) => codegen.run(&mut out),
        Command::Log(log) => log.run(&mut out),
        Command::Device(device) => device.run(&mut out),
        Command::Api(api) => api.run(&mut out),
        Command::Simulate(simulate) => simulate.run(&mut out),
        Command::Demo(demo) => demo.run(&mut out),
        Command::Completions { shell } => {
            // It panics where it can't write.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "gizwits", &mut script);
            out.write_all(&script).map_err(Failure::Io)
        }
    };
    // What was found comes before what went wrong.
    let flushed = out.flush().map_err(Failure::Io);
    match ended.and(flushed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Some) => ExitCode::from(1),
        Err(Failure::Server(message)) => {
            tell(format_args!("{message}"));
            ExitCode::from(1)
        }
        Err(Failure::Interrupted) => ExitCode::from(130),
        // Whoever reads has seen enough.
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Io(error)) => {
            tell(format_args!("error: {error}"));
            ExitCode::from(2)
        }
        Err(Failure::Usage(message)) => {
            tell(format_args!("{message}"));
            ExitCode::from(2)
        }
    }
}

/// A line on stderr; where that is closed nobody wants it.
pub(crate) fn tell(message: std::fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{message}");
}

/// `1 byte`, `2 bytes`.
pub(crate) fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Text from outside as a terminal may have it: without control characters.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for one in text.chars() {
        match one.is_control() {
            true => out.extend(one.escape_default()),
            false => out.push(one),
        }
    }
    Cow::Owned(out)
}
