//! The session: parses and runs queries.

use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt as _;
use gizwits_codec_std::Product;
use gizwits_datafusion::{Definitions, Stores};

use crate::Failure;
use crate::args::Args;
use crate::output::Output;

pub(crate) struct Session {
    pub(crate) context: SessionContext,
}

impl Session {
    pub(crate) async fn new(args: &Args) -> Result<Self, Failure> {
        let mut config = SessionConfig::from_env().map_err(readable)?;
        config = config.with_information_schema(true);
        if let Some(threads) = args.threads {
            config = config.with_target_partitions(threads.into());
        }
        let (context, definitions) = match &args.cluster {
            Some(url) => on_cluster(url, config, args).await?,
            None => on_this_machine(config).map_err(readable)?,
        };
        let context = context.enable_url_table();
        for (name, file) in &args.define {
            let shown = file.display();
            let json = std::fs::read_to_string(file)
                .map_err(|error| Failure::Message(format!("{shown}: {error}")))?;
            let product = Product::from_json(&json).map_err(|invalid| {
                Failure::Message(format!("{shown} is not a definition:\n{invalid}"))
            })?;
            definitions.define(name, product);
        }
        Ok(Session { context })
    }

    /// Runs queries that are separated by semicolons.
    pub(crate) async fn run(&self, text: &str, output: &mut Output) -> Result<(), Failure> {
        for statement in gizwits_datafusion::parse(text).map_err(readable)? {
            let plan = self.context.state().statement_to_plan(statement).await;
            let frame = self.context.execute_logical_plan(plan.map_err(readable)?);
            let mut rows = frame
                .await
                .map_err(readable)?
                .execute_stream()
                .await
                .map_err(readable)?;
            // A statement such as CREATE TABLE has no result.
            if rows.schema().fields().is_empty() {
                while let Some(batch) = rows.next().await {
                    batch.map_err(readable)?;
                }
                continue;
            }
            output.begin(&rows.schema())?;
            while let Some(batch) = rows.next().await {
                if !output.write(&batch.map_err(readable)?)? {
                    break;
                }
            }
            output.end()?;
        }
        Ok(())
    }
}

fn on_this_machine(
    config: SessionConfig,
) -> Result<(SessionContext, Definitions), DataFusionError> {
    let runtime = RuntimeEnvBuilder::new().with_object_store_registry(Arc::<Stores>::default());
    let context = SessionContext::new_with_config_rt(config, runtime.build_arc()?);
    let definitions = gizwits_datafusion::register(&context);
    Ok((context, definitions))
}

#[cfg(feature = "cluster")]
async fn on_cluster(
    url: &str,
    mut config: SessionConfig,
    args: &Args,
) -> Result<(SessionContext, Definitions), Failure> {
    // The cores of this machine say nothing about a cluster.
    if args.threads.is_none()
        && std::env::var_os("DATAFUSION_EXECUTION_TARGET_PARTITIONS").is_none()
    {
        config = config.with_target_partitions(16);
    }
    let stores = Arc::<Stores>::default();
    gizwits_datafusion::cluster::connect(url, config, stores)
        .await
        .map_err(readable)
}

#[cfg(not(feature = "cluster"))]
async fn on_cluster(
    _: &str,
    _: SessionConfig,
    _: &Args,
) -> Result<(SessionContext, Definitions), Failure> {
    let message = "this gizwits-sql was built without --features cluster";
    Err(Failure::Message(message.to_owned()))
}

/// The text of an error, without the names of the engine's parts.
pub(crate) fn readable(error: DataFusionError) -> Failure {
    let text = error.strip_backtrace();
    // The last cause is what the user can change.
    let mut text = text.rsplit("\ncaused by\n").next().unwrap_or(&text);
    if let Some((_, reason)) = text.split_once("coercion failed with: ") {
        let end = reason.find(" No function matches").unwrap_or(reason.len());
        text = &reason[..end];
    }
    let of_cluster = cluster_cause(text);
    text = of_cluster.as_deref().unwrap_or(text);
    while let Some(rest) = PARTS.iter().find_map(|part| text.strip_prefix(part)) {
        text = rest;
    }
    let parser = text.strip_prefix("ParserError(\"");
    text = parser
        .and_then(|text| text.strip_suffix("\")"))
        .unwrap_or(text);
    let table = text.strip_prefix("table 'datafusion.public.");
    if let Some(table) = table.and_then(|text| text.strip_suffix("' not found")) {
        let has_known_format = [".parquet", ".csv", ".json"]
            .iter()
            .any(|form| table.ends_with(form));
        return Failure::Message(match table.contains('.') {
            true if has_known_format => format!("no file `{table}`"),
            true => format!(
                "`{table}` is not a file of a known format (.parquet, .csv, .json): \
                 read logs with gizwits_log('{table}', definition)"
            ),
            false => format!("unknown table `{table}`"),
        });
    }
    if UNKNOWN.iter().any(|unknown| text.contains(unknown)) {
        let message = "a scheduler or executor of the cluster does not know the functions: all must be \
                       gizwits-scheduler and gizwits-executor";
        return Failure::Message(format!("{message} ({text})"));
    }
    for (function, usage) in USAGES {
        if text.starts_with(&format!("Invalid function '{function}'")) {
            return Failure::Message(format!("{function} is a {usage}"));
        }
    }
    // The address of the service that gives credentials to machines of the cloud.
    let hint = match text.contains("169.254.169.254") {
        true => {
            "\nno credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for \
             public objects"
        }
        false => "",
    };
    Failure::Message(format!("{text}{hint}"))
}

/// The errors of Ballista about tables, scans and functions that it does not know.
const UNKNOWN: [&str; 2] = [
    "ExtensionCodec is not provided",
    "Could not deserialize BallistaPhysicalPlanNode",
];

/// The cause of the failure of a job or of its submission. Ballista writes some causes as Rust code.
fn cluster_cause(text: &str) -> Option<String> {
    let text = text.strip_prefix("Execution error: ").unwrap_or(text);
    if let Some((_, cause)) = text.split_once(" failed: DataFusion error: ") {
        return Some(cause.to_owned());
    }
    let (cause, end) = if text.starts_with("Job ") {
        (
            text.split_once("DataFusionError(")?.1.split_once("(\"")?.1,
            "\")",
        )
    } else {
        let status = text.strip_prefix("Status { ")?;
        (status.split_once("message: \"")?.1, "\", metadata: ")
    };
    let cause = &cause[..cause.rfind(end)?];
    let cause = cause
        .strip_prefix("Could not parse plan: DataFusion error: ")
        .unwrap_or(cause);
    Some(
        cause
            .replace("\\\"", "\"")
            .replace("\\n", "\n")
            .replace("\\\\", "\\"),
    )
}

/// The use of the functions that are not scalar.
const USAGES: [(&str, &str); 2] = [
    (
        "gizwits_log",
        "table function: SELECT … FROM gizwits_log('log.ndjson', definition)",
    ),
    (
        "gizwits_fill",
        "window function: gizwits_fill(value, action) OVER (PARTITION BY did ORDER BY timestamp)",
    ),
];

/// The prefixes that the engine puts before the text of an error.
const PARTS: [&str; 8] = [
    "Error during planning: ",
    "Execution error: ",
    "External error: ",
    "SQL error: ",
    "Schema error: ",
    "Arrow error: ",
    "Object Store error: ",
    "This feature is not implemented: ",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_of_failed_jobs() {
        let unknown = "a scheduler or executor of the cluster does not know the functions: all must be \
                       gizwits-scheduler and gizwits-executor";
        for (text, expected) in [
            (
                "Job 03 failed: DataFusion error: Error during planning: no file matches `a`",
                "no file matches `a`",
            ),
            (
                "Job 03 failed: Error planning job 03: DataFusionError(Plan(\"no file matches `a \\\"b\\\".gz`\"))",
                "no file matches `a \"b\".gz`",
            ),
            (
                "Job 03 failed: Job failed due to stage 0 failed: Task failed due to runtime execution error: \
                 DataFusionError(NotImplemented(\"PhysicalExtensionCodec is not provided for scalar function f\"))",
                unknown,
            ),
            (
                "Status { code: InvalidArgument, message: \"Could not parse plan: DataFusion error: This feature is \
                 not implemented: LogicalExtensionCodec is not provided\", metadata: MetadataMap { headers: {} }, \
                 source: None }",
                unknown,
            ),
        ] {
            match readable(DataFusionError::Execution(text.to_owned())) {
                Failure::Message(message) => assert!(message.starts_with(expected), "{message}"),
                Failure::BrokenPipe | Failure::Interrupted => panic!("{text}"),
            }
        }
    }
}
