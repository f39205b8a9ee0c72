//! `gizwits lan`: devices on the local network.

mod control;
mod discover;
mod host;
mod log_record;
mod record;
mod show;
mod watch;

use std::io::{self, IsTerminal as _, Write};

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::output::line::Output;

/// Find, show, control, watch and record the devices of the local network
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    long_about = "Find, show, control, watch and record the devices of the local network, without any cloud.\n\n\
        A device answers on UDP port 12414 and accepts connections on TCP port 12416. It hands out its passcode to \
        everyone in its network, unless its period for binding is over.\n\n\
        On a terminal, the output is tables and lines of text. On a pipe, in a file or with --json, the output is JSON, \
        one object per line."
)]
pub(crate) struct Lan {
    /// Print JSON, one object per line, on a terminal too; on a pipe or in a file, the output is always JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Exit status: 0 on success, 1 if a device does not answer or no device is found, 2 for wrong usage.

Examples:
  gizwits lan discover
  gizwits lan show 192.168.1.7 -d definitions
  gizwits lan control 192.168.1.7 -d ac.json set_temp=24
  gizwits lan watch 192.168.1.7 -d ac.json
  gizwits lan record 192.168.1.7 -o log.ndjson";

#[derive(Subcommand)]
enum Verb {
    Discover(discover::Discover),
    Show(show::Show),
    Control(control::Control),
    Watch(watch::Watch),
    Record(record::Record),
}

impl Lan {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let json = self.json || !io::stdout().is_terminal();
        let command = "gizwits lan ".to_owned();
        let output = &mut Output { json, out, command };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            match &self.verb {
                Verb::Discover(discover) => discover.run(output).await,
                Verb::Show(show) => show.run(output).await,
                Verb::Control(control) => control.run(output).await,
                Verb::Watch(watch) => watch.run(output).await,
                Verb::Record(record) => record.run(&mut *output.out).await,
            }
        })
    }
}
