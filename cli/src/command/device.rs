//! `gizwits device`: the daily verbs.

mod answer;
mod changes;
mod control;
mod list;
mod records;
mod show;
mod status;
mod watch;

use std::io::{self, IsTerminal as _, Write};

use clap::{Args, Subcommand};

use self::answer::Answer;
use crate::account::{self, Account};
use crate::failure::Failure;

/// List, show, control and follow the devices of a product
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = format!("{}\n\n{EXAMPLES}", account::HELP),
    long_about = "List, show, control and follow the devices of a product, by the Enterprise API.\n\n\
        On a terminal they are tables and lines for people; into a pipe, or with --json, one JSON \
        object a line."
)]
pub(crate) struct DeviceArgs {
    #[command(flatten)]
    account: Account,
    /// One JSON object a line, on a terminal, too
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  gizwits device list --online
  gizwits device show DID
  gizwits device control DID switch=off --wait
  gizwits device log DID --since 7d > log.ndjson";

#[derive(Subcommand)]
enum Verb {
    /// The devices of the product
    List(list::List),
    /// What is known of a device, and its last values
    Show(show::Show),
    /// Set points of a device, checked against the definition first
    Control(control::Control),
    /// The frames to and from a device, decoded
    Log(records::LogRecords),
    /// The values that a device reported
    Data(records::Span),
    /// When a device came and went, and why
    Online(records::Span),
    /// Print what changes, until Ctrl-C
    Watch(watch::Watch),
}

impl DeviceArgs {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let product = self.account.product()?;
        let json = self.json || !io::stdout().is_terminal();
        let json_option = if self.json { "--json " } else { "" };
        let again = format!("gizwits device {}{json_option}", self.account.option());
        let answer = &mut Answer { json, out, again };
        match &self.verb {
            Verb::List(list) => list.run(&product, answer),
            Verb::Show(show) => show.run(&product, answer),
            Verb::Control(control) => control.run(&product, answer),
            Verb::Log(log) => log.run(&product, answer),
            Verb::Data(span) => span.data(&product, answer),
            Verb::Online(span) => span.online(&product, answer),
            Verb::Watch(watch) => watch.run(&product, answer),
        }
    }
}
