//! `gizwits device`: commands for the devices of a product.

mod checkpoint;
mod control;
mod export;
mod list;
mod records;
mod show;
mod status;
mod watch;

use std::io::{self, IsTerminal as _, Write};

use clap::{Args, Subcommand};

use crate::account::{self, Account};
use crate::failure::Failure;
use crate::output::line::Output;

/// List, show, control and watch the devices of a product
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = format!(
        "{}\n\n\
        Exit status: 0 on success, 1 if a call fails or a server returns fewer records than it counts, \
        2 for wrong usage, 130 if Ctrl-C interrupts `log`, `data` or `online`.\n\n{EXAMPLES}",
        account::HELP
    ),
    long_about = "List, show, control and watch the devices of a product through the Enterprise API.\n\n\
        On a terminal, the output is tables and lines of text. On a pipe, in a file or with --json, the \
        output is JSON, one object per line."
)]
pub(crate) struct DeviceArgs {
    #[command(flatten, next_help_heading = GLOBAL)]
    account: Account,
    /// Print JSON, one object per line, on a terminal too; on a pipe or in a file, the output is always JSON
    #[arg(long, global = true, help_heading = GLOBAL)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

/// The heading of the options that all device commands have.
const GLOBAL: &str = "Options of all device commands";

const EXAMPLES: &str = "\
Examples:
  gizwits device list --online
  gizwits device show DID
  gizwits device control DID switch=off --wait
  gizwits device log DID --since 7d > log.ndjson
  gizwits device log --all --checkpoint export.checkpoint -o export.ndjson";

#[derive(Subcommand)]
enum Verb {
    /// List the devices of the product
    ///
    /// The output is a table on a terminal. On a pipe, in a file or with --json, the output is JSON: one
    /// object per device, with the members that the server returns.
    List(list::List),
    /// Show a device and its last reported values
    ///
    /// The output is text on a terminal. On a pipe, in a file or with --json, the output is one JSON object:
    /// `device` is the device, `last` has the time (`ts`) and the values (`attrs`) of the last report, or is
    /// null. If the values can't be read, `last_error` has the reason.
    Show(show::Show),
    /// Set points of a device, after checking the values against the definition
    ///
    /// The output is text on a terminal. On a pipe, in a file or with --json, the output is one JSON object:
    /// `sent` has the values, and with --wait, `reported_at` has the time of the device's report.
    Control(control::Control),
    /// Print or export the frames to and from devices, decoded
    ///
    /// Records of one device are in the order of time; with several devices, their pages alternate. The output is one line of text per frame on a terminal. On a pipe, in a file or with --json, the output
    /// is JSON: one object per frame, which `gizwits log` commands accept as a record.
    Log(records::LogRecords),
    /// Print or export the values that devices reported
    ///
    /// The output is one line of text per report on a terminal, with the values that changed. On a pipe, in a
    /// file or with --json, the output is JSON: one object per report, with all of its values.
    Data(records::Records),
    /// Print or export when devices connected and disconnected, and why
    ///
    /// The output is one line of text per event on a terminal. On a pipe, in a file or with --json, the output
    /// is JSON: one object per event.
    Online(records::Records),
    /// Print the last values of a device, then every new report, until Ctrl-C
    ///
    /// The output is one line of text per report on a terminal, with the values that changed. On a pipe, in a
    /// file or with --json, the output is JSON: one object per report, with all of its values.
    Watch(watch::Watch),
}

impl DeviceArgs {
    /// `profile` is the profile that was named before the command.
    pub(crate) fn run(&self, profile: Option<String>, out: &mut impl Write) -> Result<(), Failure> {
        let account = self.account.or_profile(profile);
        let cloud = account.cloud()?;
        let json = self.json || !io::stdout().is_terminal();
        let json_option = if self.json { "--json " } else { "" };
        let command = format!("gizwits device {}{json_option}", account.option());
        let output = &mut Output { json, out, command };
        match &self.verb {
            Verb::List(list) => list.run(&cloud, output),
            Verb::Show(show) => show.run(&cloud, output),
            Verb::Control(control) => control.run(&cloud, output),
            Verb::Log(log) => log.run(&cloud, output),
            Verb::Data(records) => records.data(&cloud, output),
            Verb::Online(records) => records.online(&cloud, output),
            Verb::Watch(watch) => watch.run(&cloud, output),
        }
    }
}
