//! `gizwits device`: the daily verbs.

mod answers;
mod changes;
mod control;
mod list;
mod records;
mod show;
mod status;
mod watch;

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use self::control::Control;
use self::list::List;
use self::records::Span;
use crate::account::{self, Account};
use crate::failure::Failure;
use clap::{Args, Subcommand};

/// List, show, control and follow the devices of a product
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = long_help(),
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

fn long_help() -> String {
    format!("{}\n\n{EXAMPLES}", account::HELP)
}

#[derive(Subcommand)]
enum Verb {
    /// The devices of the product
    List(List),
    /// What is known of a device, and its last values
    Show {
        /// The device
        did: String,
    },
    /// Set points of a device, checked against the definition first
    Control(Control),
    /// The frames to and from a device, decoded
    Log {
        #[command(flatten)]
        span: Span,
        /// Decode the complete points of replies and reports of any length, and report the rest as extra,
        /// missing or whole_body
        #[arg(long)]
        lax: bool,
    },
    /// The values that a device reported
    Data(Span),
    /// When a device came and went, and why
    Online(Span),
    /// Print what changes, until Ctrl-C
    Watch {
        /// The device
        did: String,
        /// How often to look; each look is a call of the quota
        #[arg(long, value_name = "TIME", default_value = "5s", value_parser = every)]
        every: Duration,
    },
}

fn every(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(every) if every < Duration::from_secs(1) => {
            Err("a look a second is the most".to_owned())
        }
        Ok(every) => Ok(every),
        Err(error) => Err(error.to_string()),
    }
}

impl DeviceArgs {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let product = self.account.product()?;
        let json = self.json || !io::stdout().is_terminal();
        match &self.verb {
            Verb::List(list) => list.run(&product, json, out),
            Verb::Show { did } => show::show(&product, did, json, out),
            Verb::Control(control) => control.run(&product, json, out),
            Verb::Log { span, lax } => {
                let again = self.options(if *lax { "log --lax" } else { "log" });
                span.log(&product, json, *lax, &again, out)
            }
            Verb::Data(span) => span.data(&product, json, &self.options("data"), out),
            Verb::Online(span) => span.online(&product, json, &self.options("online"), out),
            Verb::Watch { did, every } => watch::watch(&product, did, *every, json, out),
        }
    }
}

impl DeviceArgs {
    /// The head of the same command, to be typed again.
    fn options(&self, verb: &str) -> String {
        let json = if self.json { "--json " } else { "" };
        format!("gizwits device {}{json}{verb}", self.account.option())
    }
}
