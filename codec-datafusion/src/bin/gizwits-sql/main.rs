//! `gizwits-sql`: SQL over logs and payloads of Gizwits devices.

mod args;
mod output;
mod repl;
mod session;

use std::io::{self, IsTerminal as _, Read as _};
use std::process::ExitCode;

use clap::Parser as _;

use args::Args;
use output::Output;
use session::Session;

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(run(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Err(Failure::Message(message)) => failed(&message),
    }
}

fn failed(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

/// Why a query ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    Message(String),
    /// The reader of the output has closed it, as `head` does.
    BrokenPipe,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
            _ => Failure::Message(error.to_string()),
        }
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let mut output = Output::new(&args)?;
    let session = Session::new(&args).await?;
    let mut queries = args.command.clone();
    for file in &args.file {
        let text = match file.as_os_str() == "-" {
            true => io::read_to_string(io::stdin()),
            false => std::fs::read_to_string(file),
        };
        let file = file.display();
        queries.push(text.map_err(|error| Failure::Message(format!("{file}: {error}")))?);
    }
    if queries.is_empty() {
        if io::stdin().is_terminal() {
            return repl::run(&session, &mut output).await;
        }
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        queries.push(text);
    }
    for query in &queries {
        session.run(query, &mut output).await?;
    }
    output.finish()
}
