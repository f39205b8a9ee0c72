//! Queries on a [Ballista](https://datafusion.apache.org/ballista) cluster.
//!
//! A client plans a query and sends it to the scheduler, which divides it among executors. The programs
//! `gizwits-scheduler` and `gizwits-executor` are those of Ballista with the functions of this crate. Definitions
//! travel inside the plan. Logs do not: all machines must reach them, in object storage or on a shared file system.

mod codec;
mod planner;
#[doc(hidden)]
pub mod program;

use std::sync::Arc;
use std::time::Duration;

use ballista_core::RuntimeProducer;
use ballista_core::extension::{SessionConfigExt as _, SessionStateExt as _};
use ballista_core::planner::BallistaQueryPlanner;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::utils::default_session_builder;
use ballista_executor::executor_process::ExecutorProcessConfig;
use ballista_scheduler::config::SchedulerConfig;
use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::execution::SessionState;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use crate::Definitions;
use codec::{LogicalCodec, PhysicalCodec};
use planner::Planner;

/// The port of a scheduler if its address has none.
const PORT: u16 = 50050;
/// The time in which a scheduler must accept a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Creates a session that runs queries on the cluster of the scheduler at `df://HOST:PORT`, and registers all
/// functions on it. Returns the session and its definitions.
///
/// The stores are those from which this session reads definitions.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use datafusion::prelude::SessionConfig;
/// use gizwits_datafusion::{Stores, cluster};
///
/// # #[tokio::main]
/// # async fn main() -> datafusion::error::Result<()> {
/// let config = SessionConfig::new().with_target_partitions(64);
/// let (context, _) = cluster::connect("df://scheduler:50050", config, Arc::<Stores>::default()).await?;
/// let query = "SELECT did, max(room_temp) FROM gizwits_log('s3://logs/2024/*.gz', 'ac.json') GROUP BY did";
/// context.sql(query).await?.show().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// An error if the URL is not that of a scheduler, or if nothing answers there.
pub async fn connect(
    url: &str,
    config: SessionConfig,
    stores: Arc<dyn ObjectStoreRegistry>,
) -> Result<(SessionContext, Definitions)> {
    let address = address(url)?;
    match timeout(PATIENCE, TcpStream::connect(&address)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return plan_err!("no scheduler answers at {address}: {error}"),
        Err(_) => return plan_err!("no scheduler answers at {address} within {PATIENCE:?}"),
    }
    let runtime = RuntimeEnvBuilder::new()
        .with_object_store_registry(stores)
        .build_arc()?;
    let definitions = Definitions::new(Arc::clone(&runtime), true);
    let scheduler = format!("http://{address}");
    let config = config.upgrade_for_ballista();
    let ballista = BallistaQueryPlanner::with_extension(
        scheduler.clone(),
        config.ballista_config(),
        Arc::new(LogicalCodec::new(definitions.clone())),
    );
    let planner = Arc::new(Planner::new(definitions.clone(), ballista));
    let state = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config.with_ballista_query_planner(planner))
        .with_runtime_env(runtime)
        .build()
        .upgrade_for_ballista(scheduler)?;
    let context = SessionContext::new_with_state(state);
    crate::add(&context, &definitions);
    Ok((context, definitions))
}

/// Returns the host and port of `df://HOST:PORT`.
fn address(url: &str) -> Result<String> {
    let expected = || {
        plan_datafusion_err!("`{url}` is not the address of a scheduler: expected df://HOST:PORT")
    };
    let parsed = Url::parse(url).map_err(|_| expected())?;
    match (parsed.scheme(), parsed.host_str()) {
        ("df" | "http", Some(host)) => Ok(format!("{host}:{}", parsed.port().unwrap_or(PORT))),
        _ => Err(expected()),
    }
}

/// Adds the functions to the configuration of a scheduler. The stores are those in which it lists logs.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use ballista_scheduler::cluster::BallistaCluster;
/// use ballista_scheduler::config::SchedulerConfig;
/// use ballista_scheduler::scheduler_process::start_server;
/// use gizwits_datafusion::{Stores, cluster};
///
/// # #[tokio::main]
/// # async fn main() -> ballista_core::error::Result<()> {
/// let config = cluster::scheduler(SchedulerConfig::default(), Arc::<Stores>::default());
/// let cluster = BallistaCluster::new_from_config(&config).await?;
/// start_server(cluster, ([0, 0, 0, 0], 50050).into(), Arc::new(config)).await
/// # }
/// ```
#[must_use]
pub fn scheduler(
    mut config: SchedulerConfig,
    stores: Arc<dyn ObjectStoreRegistry>,
) -> SchedulerConfig {
    let definitions = Definitions::new(Arc::default(), true);
    config.override_logical_codec = Some(Arc::new(LogicalCodec::new(definitions.clone())));
    config.override_physical_codec = Some(Arc::new(PhysicalCodec::new(definitions.clone())));
    config.override_session_builder = Some(Arc::new(move |config| {
        session(config, &definitions, &stores)
    }));
    config
}

/// Adds the functions to the configuration of an executor. The stores are those from which it reads logs.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
/// use gizwits_datafusion::{Stores, cluster};
///
/// # #[tokio::main]
/// # async fn main() -> ballista_core::error::Result<()> {
/// let config = cluster::executor(ExecutorProcessConfig::default(), Arc::<Stores>::default())?;
/// start_executor_process(Arc::new(config)).await
/// # }
/// ```
///
/// # Errors
/// An error if the engine refuses the session whose functions are used.
pub fn executor(
    mut config: ExecutorProcessConfig,
    stores: Arc<dyn ObjectStoreRegistry>,
) -> Result<ExecutorProcessConfig> {
    let definitions = Definitions::new(Arc::default(), true);
    let functions = session(SessionConfig::new_with_ballista(), &definitions, &stores)?;
    config.override_logical_codec = Some(Arc::new(LogicalCodec::new(definitions.clone())));
    config.override_physical_codec = Some(Arc::new(PhysicalCodec::new(definitions)));
    config.override_function_registry = Some(Arc::new(BallistaFunctionRegistry::from(&functions)));
    let work = config.work_dir.clone();
    let runtime: RuntimeProducer = Arc::new(move |_| {
        let runtime = RuntimeEnvBuilder::new().with_object_store_registry(Arc::clone(&stores));
        match &work {
            Some(work) => runtime.with_temp_file_path(work).build_arc(),
            None => runtime.build_arc(),
        }
    });
    config.override_runtime_producer = Some(runtime);
    Ok(config)
}

/// Returns Ballista's session with the functions and stores.
fn session(
    config: SessionConfig,
    definitions: &Definitions,
    stores: &Arc<dyn ObjectStoreRegistry>,
) -> Result<SessionState> {
    let runtime = RuntimeEnvBuilder::new().with_object_store_registry(Arc::clone(stores));
    let state = SessionStateBuilder::new_from_existing(default_session_builder(config)?)
        .with_runtime_env(runtime.build_arc()?)
        .build();
    let context = SessionContext::new_with_state(state);
    crate::add(&context, definitions);
    Ok(context.state())
}
