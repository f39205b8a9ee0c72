//! Tables and scans as bytes, which travel between the programs of a cluster.

use std::sync::Arc;

use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use glob::Pattern;
use prost::Message;

use super::LogTable;
use super::exec::LogExec;
use super::files::Files;
use super::time_range::TimeRange;
use crate::definitions::Definitions;

/// `gizwits_log` in a logical plan. The definition is JSON, so that no other machine reads its file.
#[derive(Clone, PartialEq, Message)]
struct TableMessage {
    /// The files as the query names them, for errors.
    #[prost(string, tag = "1")]
    given: String,
    #[prost(string, tag = "2")]
    url: String,
    #[prost(string, optional, tag = "3")]
    glob: Option<String>,
    #[prost(string, tag = "4")]
    definition: String,
}

/// `LogExec` in a physical plan.
#[derive(Clone, PartialEq, Message)]
struct ScanMessage {
    #[prost(string, tag = "1")]
    store: String,
    #[prost(string, tag = "2")]
    definition: String,
    /// The names of the columns.
    #[prost(string, repeated, tag = "3")]
    columns: Vec<String>,
    #[prost(message, optional, tag = "4")]
    times: Option<TimesMessage>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct TimesMessage {
    #[prost(sint64, tag = "1")]
    first: i64,
    #[prost(sint64, tag = "2")]
    last: i64,
}

impl LogTable {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Files {
            given, url, glob, ..
        } = &self.files;
        let message = TableMessage {
            given: given.clone(),
            url: url.as_str().to_owned(),
            glob: glob.as_ref().map(|glob| glob.as_str().to_owned()),
            definition: self.definition.json(),
        };
        message.encode_to_vec()
    }

    pub(crate) fn from_bytes(bytes: &[u8], definitions: &Definitions) -> Result<Self> {
        let message = TableMessage::decode(bytes)
            .map_err(|error| exec_datafusion_err!("invalid table of a log: {error}"))?;
        let glob = message.glob.as_deref().map(Pattern::new).transpose();
        let files = Files {
            given: message.given,
            url: ListingTableUrl::parse(message.url)?,
            glob: glob.map_err(|error| exec_datafusion_err!("invalid glob: {error}"))?,
            on_cluster: true,
        };
        Ok(LogTable::new(
            files,
            definitions.of_json(&message.definition)?,
        ))
    }
}

impl LogExec {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let projected = self.schema();
        let fields = projected.fields().iter();
        let message = ScanMessage {
            store: self.store.as_str().to_owned(),
            definition: self.definition.json(),
            columns: { fields }.map(|field| field.name().clone()).collect(),
            times: self
                .times
                .map(|TimeRange { first, last }| TimesMessage { first, last }),
        };
        message.encode_to_vec()
    }

    /// The inputs are those of the node in the plan: the rows of its parts.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        definitions: &Definitions,
    ) -> Result<Self> {
        let [rows] = inputs else {
            return exec_err!("the scan of a log has {} inputs, not 1", inputs.len());
        };
        let message = ScanMessage::decode(bytes)
            .map_err(|error| exec_datafusion_err!("invalid scan of a log: {error}"))?;
        let definition = definitions.of_json(&message.definition)?;
        let schema = definition.log_schema();
        let columns = message.columns.iter().map(|name| schema.index_of(name));
        let scan = LogExec::new(
            ObjectStoreUrl::parse(message.store)?,
            Vec::new(),
            Arc::clone(&definition),
            &schema,
            Some(&columns.collect::<Result<_, _>>()?),
            message
                .times
                .map(|TimesMessage { first, last }| TimeRange { first, last }),
        )?;
        scan.of_rows(Arc::clone(rows))
    }
}
