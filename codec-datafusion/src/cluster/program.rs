//! The command line and the log of `gizwits-scheduler` and `gizwits-executor`.

use std::fmt::Display;
use std::future::Future;
use std::io;
use std::process::ExitCode;

use clap::Command;
use tracing_subscriber::EnvFilter;

/// Plans are trees, which the engine walks by recursion.
const STACK: usize = 32 << 20;

/// Gives Ballista's command the name of a program of this crate. The log goes to standard error, so the options
/// for files of it are refused.
pub fn command(ballista: Command, name: &'static str, about: &'static str) -> Command {
    let refused = |_: &str| Err::<String, _>("the log goes to standard error: redirect it");
    ballista
        .name(name)
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .mut_arg("log_dir", |option| option.hide(true).value_parser(refused))
        .mut_arg("log_rotation_policy", |option| option.hide(true))
        .mut_arg("print_thread_info", |option| option.hide(true))
}

/// Runs a program to its end. `RUST_LOG` replaces the level of its log.
pub fn run<E: Display>(level: &str, program: impl Future<Output = Result<(), E>>) -> ExitCode {
    // Ballista writes every plan to its log, and a plan contains the definitions of products.
    let quiet = "ballista_scheduler::state::task_manager=warn";
    let default = || EnvFilter::new(format!("{level},{quiet}"));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| default());
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(program).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
