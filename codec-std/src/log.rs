//! Decodes logs in bulk: the raw records of the cloud become text or columns, on all cores.
//!
//! ```text
//! Source -> blocks of whole lines -> Record -> Decoded -> Sink -> blocks -> Format
//!   one thread at a time            all threads                             the caller's thread
//! ```
//!
//! A record is one of these:
//! - a line of JSON as in the Enterprise API, with `timestamp`, `type`, `payload`, and optionally `did`,
//!   `product_key` and other members,
//! - an object in a page of the API, or in an array, on one line or on several,
//! - a bare payload, in any of the [notations](crate::payload::NOTATIONS),
//! - a record of another program: a push (`s2c_raw`, `event_push` with `device_status_raw`), a member `payload_bin`, a
//!   payload as a list of bytes, JSON in a text, an MQTT message with its `topic`, or a packet of `tshark -T ek`, `-T json`
//!   or `-T jsonraw`. A packet can have several payloads, and a payload several frames. Each payload of several has its
//!   number, from 1, in the member `packet_payload`.
//!
//! Inputs are plain text, gzip or zstd. A bad record never ends a log: it is counted, and written to the
//! rejects with its line number and the reason.
//!
//! Blocks are written in the order of the input. Memory does not depend on the length of the input: there are
//! two more blocks than threads, they are reused, and each has a limited number of bytes and lines.
//!
//! ```
//! use gizwits_codec_std::Product;
//! use gizwits_codec_std::log::{Log, Ndjson, Products, Source};
//!
//! let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
//! let products = Products::one(Product::from_json(&definition)?);
//! let input = r#"{"timestamp":1517384252.294,"type":"app2dev","payload":"0000000309000090010101000010"}
//! {"timestamp":1517384252.301,"type":"app2dev","payload":"00000003090000900101"}
//! "#;
//!
//! let (mut out, mut rejects) = (Vec::new(), Vec::new());
//! let source = Source::new("input", input.as_bytes());
//! let summary = Log::new(&products).rejects(&mut rejects).decode([source], Ndjson::new(&products, &mut out))?;
//! assert_eq!((summary.records, summary.decoded), (2, 1));
//! assert_eq!(
//!     String::from_utf8(out)?,
//!     "{\"timestamp\":1517384252.294,\"type\":\"app2dev\",\"action\":\"control\",\"attrs\":{\"switch\":1}}\n",
//! );
//! assert!(String::from_utf8(rejects)?.contains(r#""line":2,"reason":{"kind":"incomplete""#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "arrow")]
mod batch_reader;
mod decoder;
mod pipeline;
mod record;
mod rejects;
pub(crate) mod sink;
mod source;
mod states;

pub use crate::product::products::Products;
#[cfg(feature = "arrow")]
pub use batch_reader::{BatchReader, BatchSender};
pub use decoder::{DEVICE_LIMIT, Decoder, LINE_LIMIT, Options};
pub use pipeline::{FirstReject, Log, Summary};
pub use record::Record;
pub use record::lazy::LazyRecord;
pub use record::reader::DEPTH_LIMIT;
pub use record::text::TextBlock;
pub use record::timestamp::Timestamp;
pub use rejects::KINDS;
#[cfg(feature = "arrow")]
pub use sink::arrow::{Arrow, Batches, schema};
pub use sink::columns::{Column, Columns};
pub use sink::csv::{Csv, CsvSink};
pub use sink::ndjson::{Ndjson, NdjsonSink};
pub use sink::only::{Only, OnlyBlock, OnlySink};
#[cfg(feature = "parquet")]
pub use sink::parquet::{Parquet, ParquetBlock, ParquetSink};
pub use sink::partition::{Partition, Span};
pub use sink::partitioned::{Partitioned, PartitionedBlock, PartitionedSink};
#[cfg(feature = "arrow")]
pub use sink::payload_decoder::PayloadDecoder;
pub use sink::table::{Numbers, TableOptions};
pub use sink::{ByProduct, Format, Sink};
pub use source::Source;
pub use states::States;
