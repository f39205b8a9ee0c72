//! The table function `gizwits_log`.

mod decoding;
mod exec;
mod files;
#[cfg(feature = "cluster")]
mod message;
mod object;
mod parts;
mod time_range;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat as _;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;

use crate::definitions::{Definition, Definitions};
pub(crate) use exec::LogExec;
use files::{Files, LogFiles};
use time_range::TimeRange;

/// `gizwits_log('path, URL or glob', definition)`.
#[derive(Debug)]
pub(crate) struct LogFunction {
    definitions: Definitions,
}

impl LogFunction {
    pub(crate) fn new(definitions: Definitions) -> Self {
        LogFunction { definitions }
    }
}

impl TableFunctionImpl for LogFunction {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let [files, definition] = args.exprs() else {
            return plan_err!("gizwits_log takes a path, URL or glob of files, and a definition");
        };
        let Some(files) = literal(files).and_then(|files| files.try_as_str().flatten()) else {
            return plan_err!(
                "the files of gizwits_log must be a path, URL or glob in single quotes"
            );
        };
        let definition = self.definitions.get(literal(definition))?;
        Ok(Arc::new(LogTable::new(Files::parse(files)?, definition)))
    }
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}

/// The decoded records of files, as a table.
#[derive(Debug)]
pub(crate) struct LogTable {
    files: Files,
    definition: Arc<Definition>,
    schema: SchemaRef,
}

#[async_trait]
impl TableProvider for LogTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters prune row groups of Parquet files. Of text files, records outside of the range of time are
    /// skipped. Both may return more rows than the filter accepts.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let LogFiles { parquet, text } = self.files.list(state).await?;
        let mut plans = Vec::new();
        if !parquet.is_empty() {
            plans.push(self.parquet(state, parquet, projection).await?);
        }
        if !text.is_empty() {
            let config = state.config_options();
            let store = state.runtime_env().object_store(self.files.store())?;
            let min_len = match config.optimizer.repartition_file_scans {
                true => config.optimizer.repartition_file_min_size as u64,
                false => u64::MAX,
            };
            let partitions = config.execution.target_partitions;
            let groups = files::partitions(&*store, text, partitions, min_len).await?;
            let scan = LogExec::new(
                self.files.store(),
                groups,
                Arc::clone(&self.definition),
                &self.schema,
                projection,
                TimeRange::of(filters),
            )?;
            plans.push(Arc::new(match self.files.on_cluster {
                true => scan.divisible()?,
                false => scan,
            }) as _);
        }
        match plans.len() {
            1 => Ok(plans.remove(0)),
            _ => UnionExec::try_new(plans),
        }
    }
}

impl LogTable {
    fn new(files: Files, definition: Arc<Definition>) -> Self {
        LogTable {
            files,
            schema: definition.log_schema(),
            definition,
        }
    }

    async fn parquet(
        &self,
        state: &dyn Session,
        files: Vec<PartitionedFile>,
        projection: Option<&Vec<usize>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = state.config_options().execution.parquet.clone();
        let format = ParquetFormat::default().with_options(
            datafusion::common::config::TableParquetOptions {
                global: options,
                ..Default::default()
            },
        );
        self.check(state, &format, &files).await?;
        let source = ParquetSource::new(Arc::clone(&self.schema));
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let config = FileScanConfigBuilder::new(self.files.store(), Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .build();
        format.create_physical_plan(state, config).await
    }

    /// Refuses files that `gizwits log decode` has not written, whose columns would all be null.
    async fn check(
        &self,
        state: &dyn Session,
        format: &ParquetFormat,
        files: &[PartitionedFile],
    ) -> Result<()> {
        let store = state.runtime_env().object_store(self.files.store())?;
        let Some(first) = files.first().map(|file| file.object_meta.clone()) else {
            return Ok(());
        };
        let name = first.location.clone();
        let found = format.infer_schema(state, &store, &[first]).await?;
        let has = |name: &str| found.field_with_name(name).is_ok();
        // The engine would cast raw numbers to the types of engineering values, and take them for such.
        let is_raw = |field: &FieldRef| {
            let own = found.field_with_name(field.name()).map(Field::data_type);
            !field.data_type().is_unsigned_integer()
                && field.data_type().is_numeric()
                && own.is_ok_and(DataType::is_unsigned_integer)
        };
        if let Some(field) = self.schema.fields().iter().find(|field| is_raw(field)) {
            let column = field.name();
            return plan_err!(
                "`{name}` has raw numbers in the column `{column}`: write it without --numbers raw, or read it as a \
                 table"
            );
        }
        let attrs = self.definition.product().attrs();
        let has_attrs = attrs.into_iter().any(|attr| has(attr.name()));
        if has("payload") && !has_attrs {
            return plan_err!(
                "`{name}` has undecoded payloads: read it as a table, and use gizwits_decode(definition, payload)"
            );
        }
        let head = self.schema.fields().iter().take(self.head());
        let missing = match head.map(|field| field.name()).find(|head| !has(head)) {
            Some(missing) => format!("no column `{missing}`"),
            None if !has_attrs => "no attribute of the definition".to_owned(),
            None => return Ok(()),
        };
        let columns: Vec<&str> = found.fields().iter().map(|field| &**field.name()).collect();
        plan_err!(
            "`{name}` has {missing}: expected a file of `gizwits log decode`, found the columns {}",
            columns.join(", ")
        )
    }

    /// The number of columns before the attributes.
    fn head(&self) -> usize {
        self.schema.fields().len() - self.definition.product().attrs().len()
    }
}
