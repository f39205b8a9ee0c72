//! Gizwits data points in SQL: functions for [DataFusion](datafusion) that decode payloads and logs.
//!
//! [`register`] adds all functions to a session with one call.
//!
//! | function | returns |
//! | --- | --- |
//! | `gizwits_decode(definition, payload)` | a struct with a field for each attribute |
//! | `gizwits_decode(definition, payload, 'a', 'b')` | a struct with these attributes |
//! | `gizwits_attr(definition, payload, 'a')` | the value of one attribute |
//! | `gizwits_action(payload)` | `control`, `read`, `reply`, `report` or `transparent` |
//! | `gizwits_error(definition, payload)` | why a payload is rejected: a struct of kind, message and byte |
//! | `gizwits_encode(definition, 'control', struct)` | the hex text of a control, read, reply or report |
//! | `gizwits_fill(value, action) OVER (…)` | the last known value of a device |
//! | `gizwits_log('log/*.ndjson.gz', definition)` | a table: the decoded records of files |
//!
//! A payload is text (hex, base64 or a list of bytes) or binary. It is an M2M frame or a bare P0. A rejected
//! payload is null.
//!
//! A definition is a literal: the path or URL of a definition, its JSON, or a name given to
//! [`Definitions::define`]. It is read when the query is planned, so that columns have the types of the
//! definition. A session reads a definition once.
//!
//! ```
//! use datafusion::prelude::SessionContext;
//!
//! # #[tokio::main]
//! # async fn main() -> datafusion::error::Result<()> {
//! let context = SessionContext::new();
//! gizwits_datafusion::register(&context);
//!
//! let rows = context
//!     .sql("SELECT gizwits_decode('../tests/fixtures/air-conditioner.json', payload)['room_temp'] AS room_temp
//!           FROM (VALUES ('0401'), ('0401000010280000')) AS log(payload)")
//!     .await?
//!     .collect()
//!     .await?;
//! assert_eq!(
//!     datafusion::arrow::util::pretty::pretty_format_batches(&rows)?.to_string(),
//!     "\
//! +-----------+
//! | room_temp |
//! +-----------+
//! |           |
//! | 30        |
//! +-----------+",
//! );
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "cluster")]
pub mod cluster;
mod definitions;
mod dialect;
mod fill;
mod function;
mod narrowing;
mod payloads;
#[cfg(feature = "cli")]
mod stores;
mod table;

use std::sync::Arc;

use datafusion::logical_expr::{ScalarUDF, WindowUDF};
use datafusion::prelude::SessionContext;

pub use definitions::Definitions;
pub use dialect::{parse, sql};
#[cfg(feature = "cli")]
pub use stores::Stores;

/// Registers all functions on a session, and the optimizer rule that decodes only the attributes that a query
/// uses. Returns the definitions of the session, to which names can be given.
///
/// ```
/// use datafusion::prelude::SessionContext;
/// use gizwits_codec_std::Product;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = SessionContext::new();
/// let definitions = gizwits_datafusion::register(&context);
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// definitions.define("ac", Product::from_json(&definition)?);
/// let rows = context.sql("SELECT gizwits_attr('ac', '0401000010280000', 'set_temp') AS set_temp");
/// assert_eq!(rows.await?.count().await?, 1);
/// # Ok(())
/// # }
/// ```
pub fn register(context: &SessionContext) -> Definitions {
    let definitions = Definitions::new(context.runtime_env(), false);
    add(context, &definitions);
    definitions
}

/// Adds the functions and the optimizer rule to a session.
fn add(context: &SessionContext, definitions: &Definitions) {
    let of = || definitions.clone();
    let decode = Arc::new(ScalarUDF::from(function::Decode::new(of())));
    let attr = Arc::new(ScalarUDF::from(function::Attr::new(of())));
    let field = Arc::new(ScalarUDF::from(function::Field::new()));
    context.register_udf(ScalarUDF::clone(&decode));
    context.register_udf(ScalarUDF::clone(&attr));
    context.register_udf(ScalarUDF::clone(&field));
    context.register_udf(ScalarUDF::from(function::ActionOf::new()));
    context.register_udf(ScalarUDF::from(function::ErrorOf::new(of())));
    context.register_udf(ScalarUDF::from(function::Encode::new(of())));
    context.register_udwf(WindowUDF::from(fill::Fill::new()));
    context.register_udtf("gizwits_log", Arc::new(table::LogFunction::new(of())));
    let narrowing = Arc::new(narrowing::Narrowing::new(decode, attr, field));
    // As the first rule, before common subexpressions hide which fields of a call are used. As the last rule,
    // after projections have been merged.
    context.add_analyzer_rule(Arc::<narrowing::Narrowing>::clone(&narrowing));
    context.add_optimizer_rule(narrowing);
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
