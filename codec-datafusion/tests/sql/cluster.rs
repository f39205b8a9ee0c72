//! Queries on a cluster of a scheduler and two executors, and what is refused.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use datafusion::object_store::memory::InMemory;
use datafusion::object_store::{ObjectStoreExt as _, path::Path};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use gizwits_codec_std::log::Options;
use gizwits_datafusion::cluster;
use tempfile::TempDir;
use url::Url;

use crate::records::{gzip, ndjson, write_parquet};
use crate::{failure, fixture, product, rows, session};

/// Runs a test on threads with the stack that the engine needs for its plans.
fn block_on<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(32 << 20)
        .enable_all()
        .build();
    runtime.unwrap().block_on(test)
}

fn stores() -> Arc<DefaultObjectStoreRegistry> {
    Arc::default()
}

/// Starts a scheduler and returns its address.
async fn scheduler(config: SchedulerConfig) -> SocketAddr {
    let config = Arc::new(config.with_scheduler_policy(TaskSchedulingPolicy::PullStaged));
    let cluster = BallistaCluster::new_from_config(&config).await.unwrap();
    let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, config);
    let scheduler = scheduler.await.unwrap();
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(start_grpc_service_with_listener(listener, scheduler));
    address
}

/// The configuration of an executor that keeps its files in this folder.
fn executor(folder: &TempDir, scheduler: SocketAddr) -> ExecutorProcessConfig {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    ExecutorProcessConfig {
        bind_host: "127.0.0.1".to_owned(),
        external_host: Some("127.0.0.1".to_owned()),
        port: free.local_addr().unwrap().port(),
        scheduler_host: "127.0.0.1".to_owned(),
        scheduler_port: scheduler.port(),
        task_scheduling_policy: TaskSchedulingPolicy::PullStaged,
        vcores: 2,
        work_dir: Some(folder.path().display().to_string()),
        ..ExecutorProcessConfig::default()
    }
}

/// Starts a scheduler and two executors that read logs from these stores, and connects a session in which `ac` is
/// the air conditioner.
async fn connected(folder: &TempDir, stores: Arc<dyn ObjectStoreRegistry>) -> SessionContext {
    let scheduler = scheduler(cluster::scheduler(
        SchedulerConfig::default(),
        Arc::clone(&stores),
    ))
    .await;
    for _ in 0..2 {
        let executor = cluster::executor(executor(folder, scheduler), Arc::clone(&stores)).unwrap();
        tokio::spawn(start_executor_process(Arc::new(executor)));
    }
    client(scheduler).await
}

async fn client(scheduler: SocketAddr) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(4);
    let client = cluster::connect(&format!("df://{scheduler}"), config, stores()).await;
    let (context, definitions) = client.unwrap();
    definitions.define("ac", product("air-conditioner"));
    context
}

/// A folder with a log in several files, and the same decoded.
fn logs() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    fs::create_dir(folder.path().join("the log")).unwrap();
    for n in 0..5 {
        write(
            &format!("the log/{n}.ndjson"),
            ndjson(n * 1000..(n + 1) * 1000).as_bytes(),
        );
    }
    write("the log/5.ndjson.gz", &gzip(ndjson(5000..6000).as_bytes()));
    write("raw.json", ndjson(0..6000).as_bytes());
    let decoded = folder.path().join("log.parquet");
    write_parquet(
        &product("air-conditioner"),
        Options::default(),
        &ndjson(0..6000),
        &decoded,
    );
    folder
}

/// The queries that a cluster must answer as one process does. `LOG` is the log, `RAW` its undecoded lines, `AC`
/// the path of the definition.
const QUERIES: &[&str] = &[
    "SELECT date_trunc('hour', timestamp) AS hour, count(*) AS n, avg(room_temp) AS room, max(set_temp) AS wanted
     FROM LOG GROUP BY hour ORDER BY hour",
    "SELECT * FROM LOG ORDER BY timestamp LIMIT 200",
    "SELECT did, mode, count(*) FROM LOG WHERE timestamp >= '2023-11-16' AND room_temp > 20
     GROUP BY did, mode ORDER BY did, mode",
    // The names of columns are those of the query, with the definition that it gives.
    "SELECT gizwits_attr('ac', payload, 'room_temp'), gizwits_decode('ac', payload), gizwits_error('AC', payload),
            gizwits_action(payload)
     FROM RAW ORDER BY timestamp LIMIT 200",
    "SELECT gizwits_attr('AC', payload, 'mode'), count(*), sum(gizwits_decode('ac', payload)['set_temp'])
     FROM RAW GROUP BY gizwits_attr('AC', payload, 'mode') ORDER BY 1",
    "SELECT gizwits_decode('ac', payload)['mode'] AS mode, gizwits_decode('ac', payload)['switch'] AS switch
     FROM RAW WHERE gizwits_decode('ac', payload)['room_temp'] > 10 ORDER BY timestamp, mode",
    "SELECT d['mode'] AS mode, max(d['room_temp']) FROM (SELECT gizwits_decode('ac', payload) AS d FROM RAW)
     GROUP BY mode ORDER BY mode",
    "SELECT did, timestamp, gizwits_fill(gizwits_attr('ac', payload, 'set_temp'), gizwits_action(payload))
                            OVER (PARTITION BY did ORDER BY timestamp) AS wanted
     FROM RAW ORDER BY timestamp LIMIT 500",
    "SELECT gizwits_encode('ac', 'control', {set_temp: set_temp}) AS payload, count(*)
     FROM LOG WHERE set_temp >= 16 GROUP BY payload ORDER BY payload",
    "SELECT gizwits_decode('ac', '0401000010280000')['room_temp'] AS constant, count(*) AS n FROM LOG
     WHERE did IN (SELECT did FROM RAW WHERE gizwits_attr('ac', payload, 'room_temp') = 30)",
];

#[test]
fn answers_are_those_of_one_process() {
    block_on(async {
        let (folder, work) = (logs(), tempfile::tempdir().unwrap());
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (cluster, alone) = (connected(&work, stores()).await, session());
        let raw = format!(
            "CREATE EXTERNAL TABLE raw STORED AS JSON LOCATION '{}'",
            path("raw.json")
        );
        for context in [&cluster, &alone] {
            rows(context, &raw).await;
        }
        for query in QUERIES {
            for log in [
                "the log/*",
                "the log",
                "log.parquet",
                "{raw.json,log.parquet}",
            ] {
                if !query.contains("LOG") && log != "the log" {
                    continue;
                }
                let log = match log.strip_prefix('{') {
                    None => format!("gizwits_log('{}', 'ac')", path(log)),
                    Some(_) => format!("gizwits_log('{}', 'AC')", path("*[wg].*")),
                };
                let query = query.replace("LOG", &log).replace("RAW", "raw");
                let query = query.replace("AC", &fixture("air-conditioner"));
                let (found, expected) = (rows(&cluster, &query).await, rows(&alone, &query).await);
                let texts = [&found, &expected].map(|rows| {
                    datafusion::arrow::util::pretty::pretty_format_batches(rows)
                        .unwrap()
                        .to_string()
                });
                assert!(expected.iter().any(|rows| rows.num_rows() > 0), "{query}");
                assert_eq!(texts[0], texts[1], "{query}");
            }
        }
    });
}

/// Only the scheduler and the executors have the log, and only the client has the definition, which is gone when
/// the query runs.
#[test]
fn definitions_travel_and_logs_do_not() {
    block_on(async {
        let (log, work) = (InMemory::new(), tempfile::tempdir().unwrap());
        for n in 0..4 {
            let lines = ndjson(n * 100..(n + 1) * 100).into_bytes();
            log.put(&Path::from(format!("log/{n}.ndjson")), lines.into())
                .await
                .unwrap();
        }
        let remote = stores();
        remote.register_store(&Url::parse("memory://logs").unwrap(), Arc::new(log));
        let context = connected(&work, remote).await;
        let definition = work.path().join("ac.json");
        fs::copy(fixture("air-conditioner"), &definition).unwrap();
        let query = format!(
            "SELECT count(*) AS n, count(DISTINCT mode) AS modes FROM gizwits_log('memory://logs/log/*.ndjson', '{}')",
            definition.display()
        );
        let planned = context.sql(&query).await.unwrap();
        fs::remove_file(definition).unwrap();
        let rows = planned.collect().await.unwrap();
        let text = datafusion::arrow::util::pretty::pretty_format_batches(&rows)
            .unwrap()
            .to_string();
        assert!(text.contains("| 392 "), "{text}");

        // A log that the cluster does not reach.
        let error = failure(&context, "SELECT * FROM gizwits_log('none/*.ndjson', 'ac')").await;
        assert!(
            error.contains("no file matches `none/*.ndjson`: logs must be"),
            "{error}"
        );
    });
}

/// A scheduler or an executor of Ballista itself refuses a query, by the name of what it does not know.
#[test]
fn programs_without_the_functions() {
    block_on(async {
        let (folder, work) = (logs(), tempfile::tempdir().unwrap());
        let log = format!(
            "SELECT count(*) FROM gizwits_log('{}/the log', 'ac')",
            folder.path().display()
        );
        let address = scheduler(SchedulerConfig::default()).await;
        let error = failure(&client(address).await, &log).await;
        assert!(
            error.contains("LogicalExtensionCodec is not provided"),
            "{error}"
        );

        let address = scheduler(cluster::scheduler(SchedulerConfig::default(), stores())).await;
        tokio::spawn(start_executor_process(Arc::new(executor(&work, address))));
        let context = client(address).await;
        let error = failure(&context, &log).await;
        assert!(
            error.contains("Could not deserialize BallistaPhysicalPlanNode"),
            "{error}"
        );
        let call =
            "SELECT gizwits_action(payload) FROM (VALUES ('0401'), ('0402')) AS log(payload)";
        let error = failure(&context, call).await;
        let function = "PhysicalExtensionCodec is not provided for scalar function gizwits_action";
        assert!(error.contains(function), "{error}");
    });
}

#[test]
fn addresses_of_schedulers() {
    block_on(async {
        let config = SessionConfig::new;
        for url in [
            "scheduler",
            "scheduler:50050",
            "ftp://scheduler",
            "df://",
            "",
        ] {
            let refused = cluster::connect(url, config(), stores())
                .await
                .err()
                .unwrap();
            let refused = refused.strip_backtrace();
            assert!(
                refused.ends_with("expected df://HOST:PORT"),
                "{url}: {refused}"
            );
        }
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap();
        let refused = cluster::connect(&format!("df://{free}"), config(), stores()).await;
        let refused = refused.err().unwrap().strip_backtrace();
        assert!(
            refused.contains(&format!("no scheduler answers at {free}: ")),
            "{refused}"
        );
    });
}
