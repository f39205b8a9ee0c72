//! The command line `gizwits`: decodes, encodes and shows data points of Gizwits devices, calls the
//! Enterprise API and simulates it.
//!
//! Results go to stdout, everything else to stderr. The exit status is 0 on success; 1 if a payload can't be
//! decoded, a value or a call is refused, or a definition has errors; 2 for wrong usage, a definition that
//! can't be used, or an error of reading or writing; 130 after Ctrl-C.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod account;
mod command;
mod definition;
mod failure;
mod output;
mod payload;
mod signals;
mod text;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::command::{api, check, codegen, decode, demo, device, encode, layout, log, simulate};
use crate::failure::Failure;

/// Decode, encode and inspect the data points of Gizwits (机智云) devices.
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
    /// Decode command logs in bulk to NDJSON, CSV, Arrow, Parquet, statistics or a chart
    #[command(subcommand)]
    Log(log::Log),
    Device(device::DeviceArgs),
    Api(api::Api),
    Simulate(simulate::Simulate),
    Demo(demo::Demo),
    /// Print the JSON Schema of definitions
    ///
    /// An editor that knows the schema completes and checks a definition. `gizwits check` checks more: the rules
    /// between points.
    #[command(after_help = "Example:\n  gizwits schema > definition.schema.json")]
    Schema,
    /// Print a script for tab completion in your shell
    #[command(after_help = "Example:\n  gizwits completions bash > gizwits.bash")]
    Completions {
        /// The shell that runs the script
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let choice = anstream::AutoStream::choice(&io::stdout());
    let colours = choice != anstream::ColorChoice::Never && io::stdout().is_terminal();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let ended = match cli.command {
        Command::Decode(decode) => decode.run(&mut out, colours),
        Command::Encode(encode) => encode.run(&mut out),
        Command::Layout(layout) => layout::run(&layout, &mut out, colours),
        Command::Check(check) => check.run(&mut out, colours),
        Command::Codegen(codegen) => codegen.run(&mut out),
        Command::Log(log) => log.run(&mut out),
        Command::Device(device) => device.run(&mut out),
        Command::Api(api) => api.run(&matches, &mut out),
        Command::Simulate(simulate) => simulate.run(&mut out),
        Command::Demo(demo) => demo.run(&mut out),
        Command::Schema => {
            let schema = gizwits_codec_std::DEFINITION_SCHEMA;
            out.write_all(schema.as_bytes()).map_err(Failure::Io)
        }
        Command::Completions { shell } => {
            // `generate` panics if it can't write, so it writes to memory first.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "gizwits", &mut script);
            out.write_all(&script).map_err(Failure::Io)
        }
    };
    // The results come before the error, also where stdout and stderr are one terminal.
    let flushed = out.flush().map_err(Failure::Io);
    match ended.and(flushed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
