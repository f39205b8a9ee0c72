//! `gizwits-sql`: SQL over logs and payloads of Gizwits devices.

mod args;
mod output;
mod output_file;
mod repl;
mod session;

use std::io::{self, IsTerminal as _, Read as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use tokio::task::JoinSet;

use args::Args;
use output::Output;
use session::Session;

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let done = runtime.block_on(run(args));
    // Threads that still read a file or an object are not waited for.
    runtime.shutdown_background();
    match done {
        Ok(()) | Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Err(Failure::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(Failure::Message(message)) => failed(&message),
    }
}

/// The exit status of a program that Ctrl-C ended, as shells have it.
const INTERRUPTED: u8 = 130;

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
    /// Ctrl-C.
    Interrupted,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
            // ERROR_PIPE_NOT_CONNECTED has no kind.
            _ if cfg!(windows) && error.raw_os_error() == Some(233) => Failure::BrokenPipe,
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
    let queries = async move {
        for query in &queries {
            session.run(query, &mut output).await?;
        }
        output.finish()
    };
    // A task of its own, because a query may compute for long before it returns to the runtime. The signal comes
    // first, so that the query begins after the signal is handled.
    let mut task = JoinSet::new();
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => {
            task.abort_all();
            // The end of the task removes an incomplete output file.
            let _ = tokio::time::timeout(PATIENCE, task.join_next()).await;
            Err(Failure::Interrupted)
        }
        done = async { task.spawn(queries); task.join_next().await } => match done {
            Some(Ok(done)) => done,
            Some(Err(error)) => Err(Failure::Message(error.to_string())),
            None => Ok(()),
        }
    }
}

/// The longest wait for the end of an interrupted query.
const PATIENCE: Duration = Duration::from_secs(1);
