//! The command line `gizwits`: decodes, encodes and shows data points of Gizwits devices, calls the
//! Enterprise API and simulates it.
//!
//! Results go to stdout, everything else to stderr. The exit status is 0 on success; 1 if a payload can't be
//! decoded, a value or a call is refused, a definition has errors, or stdout can't be written; 2 for wrong
//! usage, a definition that can't be used, or another error of reading or writing; 130 after Ctrl-C.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod account;
mod action;
mod cache;
mod changes;
mod command;
mod definition;
mod failure;
mod moment;
mod output;
mod payload;
mod shell;
mod signals;
mod standard_output;
mod text;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::command::{
    api, check, codegen, completions, decode, definition as fetch, demo, device, encode, identify,
    lan, layout, log, man, module, simulate,
};
use crate::failure::{Failure, usage};
use crate::standard_output::StandardOutput;
use crate::text::tell;

/// Decode, encode and inspect the data points of Gizwits (机智云) devices.
#[derive(Parser)]
#[command(name = "gizwits", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// The profile in config.toml: the account of `device` and `api`, the definition of the other commands
    #[arg(long = "profile", id = "early_profile", value_name = "NAME")]
    profile: Option<String>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
ac.json is a definition: `gizwits definition PRODUCT_KEY -o ac.json` fetches one.

Examples:
  gizwits demo
  gizwits decode -d ac.json 000000030b0000910401000010000000
  gizwits encode -d ac.json control set_temp=24
  gizwits layout -d ac.json
  gizwits check ac.json";

#[derive(Subcommand)]
enum Command {
    Decode(decode::Decode),
    Encode(encode::Encode),
    Identify(identify::Identify),
    Layout(layout::LayoutArgs),
    Check(check::Check),
    Definition(fetch::Definition),
    Codegen(codegen::Codegen),
    /// Decode command logs in bulk to NDJSON, CSV, Arrow, Parquet, statistics or a chart
    #[command(subcommand)]
    Log(log::Log),
    Device(device::DeviceArgs),
    Lan(lan::Lan),
    Module(module::ModuleArgs),
    Api(api::Api),
    Simulate(simulate::Simulate),
    Demo(demo::Demo),
    /// Print the JSON Schema of definitions
    ///
    /// An editor that knows the schema completes and checks a definition. `gizwits check` checks more: the rules
    /// between points.
    #[command(after_help = "Example:\n  gizwits schema > definition.schema.json")]
    Schema,
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    /// Whether the command has an account or a definition, which a profile can name.
    fn reads_profile(&self) -> bool {
        !matches!(
            self,
            Command::Simulate(_)
                | Command::Definition(_)
                | Command::Demo(_)
                | Command::Schema
                | Command::Completions(_)
                | Command::Man(_)
        )
    }
}

/// The command line with the endpoints of `api`. The options --definition name their default.
fn command() -> clap::Command {
    let command = Cli::command().mut_subcommand("api", api::with_endpoints);
    each_definition(command, &|arg| {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        arg.help(format!(
            "{help}. Default: GIZWITS_DEFINITION, or `definition` in config.toml"
        ))
    })
}

/// Changes the option --definition of all commands that have it.
fn each_definition(
    mut command: clap::Command,
    change: &dyn Fn(clap::Arg) -> clap::Arg,
) -> clap::Command {
    let is_definition = |argument: &&clap::Arg| argument.get_long() == Some("definition");
    let definition = command.get_arguments().find(is_definition);
    if let Some(id) = definition.map(|argument| argument.get_id().clone()) {
        command = command.mut_arg(id, change);
    }
    let names = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned());
    for name in names.collect::<Vec<_>>() {
        command = command.mut_subcommand(name, |command| each_definition(command, change));
    }
    command
}

/// Parses the arguments. Where --definition is missing, the definition of the environment or of the profile is used:
/// only then is config.toml read, so that an error in it stops no other command. An error is the exit status.
fn matches() -> Result<clap::ArgMatches, ExitCode> {
    let parsed = command().try_get_matches();
    let is_missing = match &parsed {
        Ok(matches) => lacks_definition(matches),
        Err(error) => matches!(
            error.get(ContextKind::InvalidArg),
            Some(ContextValue::Strings(missing)) if missing.iter().any(|name| name.contains("--definition"))
        ),
    };
    let definition = match is_missing {
        true => account::definition(early_profile()).map_err(Failure::report)?,
        false => None,
    };
    let parsed = match definition {
        None => parsed,
        Some(path) => each_definition(command(), &|arg| {
            let path = clap::builder::OsStr::from(path.clone().into_os_string());
            arg.required(false).default_value(path)
        })
        .try_get_matches(),
    };
    parsed.map_err(|error| wrong_usage(&error))
}

/// The profile that is named before the command. It is known although the command may lack other options.
fn early_profile() -> Option<String> {
    let parsed = command().ignore_errors(true).try_get_matches().ok()?;
    parsed.get_one::<String>("early_profile").cloned()
}

/// Whether the command has an option --definition that was not given. `check` also takes definitions as files.
fn lacks_definition(matches: &clap::ArgMatches) -> bool {
    let is_given = |id| matches.try_contains_id(id).unwrap_or(false);
    match matches.subcommand() {
        Some((_, matches)) => lacks_definition(matches),
        None if is_given("files") => false,
        None => ["definition", "definitions"]
            .iter()
            .any(|id| matches.try_contains_id(id).is_ok_and(|given| !given)),
    }
}

/// Prints an error of the arguments, or the help that they ask for, and returns the exit status.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    let asks = |(kind, value): (ContextKind, &ContextValue)| {
        kind == ContextKind::InvalidArg && value.to_string().contains("--definition")
    };
    if error.kind() == ErrorKind::MissingRequiredArgument && error.context().any(asks) {
        tell(format_args!("\n{}", definition::HOW_TO_GET));
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn main() -> ExitCode {
    let matches = match matches() {
        Ok(matches) => matches,
        Err(status) => return status,
    };
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let choice = anstream::AutoStream::choice(&io::stdout());
    let colours = choice != anstream::ColorChoice::Never && io::stdout().is_terminal();
    let mut out = io::BufWriter::new(StandardOutput(io::stdout().lock()));
    let profile = cli.profile;
    if profile.is_some() && !cli.command.reads_profile() {
        let error = usage("--profile is an option of commands with an account or a definition");
        return error.report();
    }
    let ended = match cli.command {
        Command::Device(device) => device.run(profile, &mut out),
        Command::Lan(lan) => lan.run(&mut out),
        Command::Module(module) => module.run(&mut out),
        Command::Api(api) => api.run(profile, &matches, &mut out),
        Command::Decode(decode) => decode.run(&mut out, colours),
        Command::Encode(encode) => encode.run(&mut out),
        Command::Identify(identify) => identify.run(&mut out),
        Command::Layout(layout) => layout::run(&layout, &mut out, colours),
        Command::Check(check) => check.run(&mut out, colours),
        Command::Definition(definition) => definition.run(&mut out),
        Command::Codegen(codegen) => codegen.run(&mut out),
        Command::Log(log) => log.run(&mut out),
        Command::Simulate(simulate) => simulate.run(&mut out),
        Command::Demo(demo) => demo.run(&mut out),
        Command::Schema => {
            let schema = gizwits_codec_std::DEFINITION_SCHEMA;
            out.write_all(schema.as_bytes()).map_err(Failure::Io)
        }
        Command::Completions(completions) => completions.run(command(), &mut out),
        Command::Man(man) => man.run(command(), &mut out),
    };
    // The results come before the error, also where stdout and stderr are one terminal.
    let flushed = out.flush().map_err(Failure::Io);
    match ended.and(flushed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
