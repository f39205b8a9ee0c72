//! Tables and scans as bytes, which travel between the programs of a cluster.

use std::sync::Arc;

use datafusion::common::{Result, exec_datafusion_err};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path;
use datafusion::physical_plan::ExecutionPlan as _;
use gizwits_codec_std::log::schema;
use glob::Pattern;
use prost::Message;

use super::LogTable;
use super::exec::LogExec;
use super::files::{Files, Part};
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
    #[prost(message, repeated, tag = "5")]
    partitions: Vec<PartitionMessage>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct TimesMessage {
    #[prost(sint64, tag = "1")]
    first: i64,
    #[prost(sint64, tag = "2")]
    last: i64,
}

#[derive(Clone, PartialEq, Message)]
struct PartitionMessage {
    #[prost(message, repeated, tag = "1")]
    parts: Vec<PartMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct PartMessage {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(uint64, tag = "2")]
    size: u64,
    #[prost(uint64, tag = "3")]
    start: u64,
    #[prost(uint64, tag = "4")]
    end: u64,
}

/// The path of a log means the same on all machines, or the scheduler does not find the log of the client.
const SHARED: &str =
    ": logs must be in object storage, or in a file system that all machines of the cluster have";

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
            hint: SHARED,
        };
        Ok(LogTable::new(
            files,
            definitions.of_json(&message.definition)?,
        ))
    }
}

impl LogExec {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let part = |part: &Part| PartMessage {
            path: part.file.location.to_string(),
            size: part.file.size,
            start: part.range.start,
            end: part.range.end,
        };
        let partition = |parts: &Vec<Part>| PartitionMessage {
            parts: parts.iter().map(part).collect(),
        };
        let projected = self.schema();
        let fields = projected.fields().iter();
        let message = ScanMessage {
            store: self.store.as_str().to_owned(),
            definition: self.definition.json(),
            columns: { fields }.map(|field| field.name().clone()).collect(),
            times: self
                .times
                .map(|TimeRange { first, last }| TimesMessage { first, last }),
            partitions: self.partitions.iter().map(partition).collect(),
        };
        message.encode_to_vec()
    }

    pub(crate) fn from_bytes(bytes: &[u8], definitions: &Definitions) -> Result<Self> {
        let message = ScanMessage::decode(bytes)
            .map_err(|error| exec_datafusion_err!("invalid scan of a log: {error}"))?;
        let definition = definitions.of_json(&message.definition)?;
        let partition =
            |partition: PartitionMessage| partition.parts.into_iter().map(part).collect();
        let partitions = message.partitions.into_iter().map(partition);
        let schema = schema(definition.product(), false);
        let columns = message.columns.iter().map(|name| schema.index_of(name));
        LogExec::new(
            ObjectStoreUrl::parse(message.store)?,
            partitions.collect::<Result<_>>()?,
            Arc::clone(&definition),
            &schema,
            Some(&columns.collect::<Result<_, _>>()?),
            message
                .times
                .map(|TimesMessage { first, last }| TimeRange { first, last }),
        )
    }
}

/// The part of a message. A scan reads only the place and the size of a file.
fn part(message: PartMessage) -> Result<Part> {
    Ok(Part {
        file: ObjectMeta {
            location: Path::parse(message.path)?,
            last_modified: Default::default(),
            size: message.size,
            e_tag: None,
            version: None,
        },
        range: message.start..message.end,
    })
}
