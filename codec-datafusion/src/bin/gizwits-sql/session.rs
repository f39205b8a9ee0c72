//! The session: parses and runs queries.

use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt as _;
use gizwits_codec_std::Product;

use crate::Failure;
use crate::args::Args;
use crate::output::Output;
use crate::stores::Stores;

pub(crate) struct Session {
    pub(crate) context: SessionContext,
}

impl Session {
    pub(crate) fn new(args: &Args) -> Result<Self, Failure> {
        let mut config = SessionConfig::from_env().map_err(readable)?;
        config = config.with_information_schema(true);
        if let Some(threads) = args.threads {
            config = config.with_target_partitions(threads.into());
        }
        let runtime = RuntimeEnvBuilder::new()
            .with_object_store_registry(Arc::<Stores>::default())
            .build_arc()
            .map_err(readable)?;
        let context = SessionContext::new_with_config_rt(config, runtime).enable_url_table();
        let definitions = gizwits_datafusion::register(&context);
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

/// The text of an error, without the names of the engine's parts.
pub(crate) fn readable(error: DataFusionError) -> Failure {
    let text = error.strip_backtrace();
    // The last cause is what the user can change.
    let mut text = text.rsplit("\ncaused by\n").next().unwrap_or(&text);
    if let Some((_, reason)) = text.split_once("coercion failed with: ") {
        let end = reason.find(" No function matches").unwrap_or(reason.len());
        text = &reason[..end];
    }
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
const PARTS: [&str; 7] = [
    "Error during planning: ",
    "Execution error: ",
    "External error: ",
    "SQL error: ",
    "Schema error: ",
    "Arrow error: ",
    "Object Store error: ",
];
