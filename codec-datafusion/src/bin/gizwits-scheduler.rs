//! `gizwits-scheduler`: the scheduler of a Ballista cluster, with the functions of this crate.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use ballista_core::error::{BallistaError, Result};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{Config, SchedulerConfig};
use ballista_scheduler::scheduler_process::start_server;
use clap::{CommandFactory as _, FromArgMatches as _};
use gizwits_datafusion::Stores;
use gizwits_datafusion::cluster::{self, program};

const ABOUT: &str = "Divides the queries of gizwits-sql --cluster among executors.\n\n\
                     The options are those of Ballista's scheduler. The environment configures access to s3:// \
                     objects, as for gizwits-sql.";

fn main() -> ExitCode {
    let command = program::command(Config::command(), "gizwits-scheduler", ABOUT);
    let config =
        Config::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    program::run(&config.log_level_setting.clone(), run(config))
}

async fn run(config: Config) -> Result<()> {
    let address: SocketAddr = format!("{}:{}", config.bind_host, config.bind_port)
        .parse()
        .map_err(|error| BallistaError::Configuration(format!("--bind-host: {error}")))?;
    let config = cluster::scheduler(SchedulerConfig::try_from(config)?, Arc::<Stores>::default());
    let cluster = BallistaCluster::new_from_config(&config).await?;
    start_server(cluster, address, Arc::new(config)).await
}
