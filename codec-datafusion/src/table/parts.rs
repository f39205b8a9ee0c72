//! The parts of files as rows, so that a cluster can divide them.
//!
//! The scheduler gives each task some partitions of a plan. It knows how to take partitions from scans of its own
//! kinds only, and lets every task run all partitions of any other scan. So the parts are the rows of a table in
//! memory, of which it takes partitions, and [`LogExec`](super::LogExec) is the node above.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray as _, RecordBatch, StringArray, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use datafusion::catalog::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path;
use datafusion::physical_plan::ExecutionPlan;

use super::files::Part;

/// Returns a plan whose partitions have the parts of these partitions as rows.
pub(super) fn to_plan(partitions: &[Vec<Part>]) -> Result<Arc<dyn ExecutionPlan>> {
    let numbers = ["size", "start", "end"].map(|name| Field::new(name, DataType::UInt64, false));
    let mut fields = vec![Field::new("path", DataType::Utf8, false)];
    fields.extend(numbers);
    let schema = Arc::new(Schema::new(fields));
    let partition = |parts: &Vec<Part>| {
        let paths = parts.iter().map(|part| Some(part.file.location.as_ref()));
        let number = |of: fn(&Part) -> u64| Arc::new(parts.iter().map(of).collect::<UInt64Array>());
        let rows = RecordBatch::try_new(
            Arc::clone(&schema),
            vec![
                Arc::new(paths.collect::<StringArray>()),
                number(|part| part.file.size),
                number(|part| part.range.start),
                number(|part| part.range.end),
            ],
        )?;
        Ok(vec![rows])
    };
    let rows: Vec<_> = partitions.iter().map(partition).collect::<Result<_>>()?;
    Ok(MemorySourceConfig::try_new_exec(&rows, schema, None)?)
}

/// Returns the parts of each partition of a plan that [`to_plan`] has made.
pub(super) fn of_plan(plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<Vec<Part>>> {
    let scan = plan.downcast_ref::<DataSourceExec>();
    let rows = scan.and_then(|scan| scan.data_source().downcast_ref::<MemorySourceConfig>());
    let rows =
        rows.ok_or_else(|| internal_datafusion_err!("the parts of a log are a {}", plan.name()))?;
    rows.partitions()
        .iter()
        .map(|batches| {
            let parts: Vec<Vec<Part>> = batches.iter().map(of_rows).collect::<Result<_>>()?;
            Ok(parts.concat())
        })
        .collect()
}

fn of_rows(rows: &RecordBatch) -> Result<Vec<Part>> {
    let missing =
        || internal_datafusion_err!("the parts of a log have other columns: {}", rows.schema());
    let [path, size, start, end] = rows.columns() else {
        return Err(missing());
    };
    let paths = path.as_string_opt::<i32>().ok_or_else(missing)?;
    let number = |column: &ArrayRef| {
        let numbers = column.as_primitive_opt::<UInt64Type>().cloned();
        numbers.ok_or_else(missing)
    };
    let (sizes, starts, ends) = (number(size)?, number(start)?, number(end)?);
    let part = |row: usize| {
        // A scan reads only the place and the size of a file.
        let file = ObjectMeta {
            location: Path::parse(paths.value(row))?,
            last_modified: Default::default(),
            size: sizes.value(row),
            e_tag: None,
            version: None,
        };
        Ok(Part {
            file,
            range: starts.value(row)..ends.value(row),
        })
    };
    (0..rows.num_rows()).map(part).collect()
}
