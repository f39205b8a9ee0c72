//! `gizwits log`: command logs in bulk.

mod decode;
mod input;
mod plot;
mod reports;
mod stats;
mod totals;

use std::io::Write;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// Decode command logs in bulk: to NDJSON, CSV, Arrow, Parquet, figures, a drawing
#[derive(Args)]
pub(crate) struct LogArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Decode(decode::Decode),
    Stats(stats::Stats),
    Plot(plot::Plot),
}

impl LogArgs {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        match &self.verb {
            Verb::Decode(decode) => decode.run(),
            Verb::Stats(stats) => stats.run(out),
            Verb::Plot(plot) => plot.run(out),
        }
    }
}
