//! `gizwits-executor`: an executor of a Ballista cluster, with the functions of this crate.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use ballista_core::error::{BallistaError, Result};
use ballista_executor::config::Config;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_executor::health::spawn_health_server;
use clap::{CommandFactory as _, FromArgMatches as _};
use gizwits_datafusion::Stores;
use gizwits_datafusion::cluster::{self, program};
use tokio::sync::oneshot;

const ABOUT: &str = "Runs its part of the queries of gizwits-sql --cluster.\n\n\
                     The options are those of Ballista's executor. The environment configures access to s3:// \
                     objects, as for gizwits-sql.";

fn main() -> ExitCode {
    let command = program::command(Config::command(), "gizwits-executor", ABOUT);
    let config =
        Config::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    program::run(&config.log_level_setting.clone(), run(config))
}

async fn run(config: Config) -> Result<()> {
    let health: SocketAddr = format!("{}:{}", config.bind_host, config.bind_health_port)
        .parse()
        .map_err(|error| BallistaError::Configuration(format!("--bind-host: {error}")))?;
    let config = cluster::executor(
        ExecutorProcessConfig::try_from(config)?,
        Arc::<Stores>::default(),
    )?;
    let (stop, stopped) = oneshot::channel();
    let probes = spawn_health_server(health, config.health.clone(), stopped);
    let done = start_executor_process(Arc::new(config)).await;
    // The receiver is gone if the probes have failed, which is not why an executor ends.
    let _ = stop.send(());
    let _ = probes.await;
    done
}
