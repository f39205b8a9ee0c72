//! `gizwits log`: command logs in bulk.

mod decode;
mod input;
mod plot;
mod reports;
mod state_file;
mod stats;
mod totals;

use std::io::Write;

use clap::Subcommand;

use crate::failure::Failure;

/// The arguments of `gizwits log`.
#[derive(Subcommand)]
pub(crate) enum Log {
    Decode(decode::Decode),
    Stats(stats::Stats),
    Plot(plot::Plot),
}

impl Log {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        match self {
            Log::Decode(decode) => decode.run(),
            Log::Stats(stats) => stats.run(out),
            Log::Plot(plot) => plot.run(out),
        }
    }
}
