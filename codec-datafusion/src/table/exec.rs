//! The scan of text files.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions,
};
use gizwits_codec_std::core::PointId;
use gizwits_codec_std::log::Source;
use tokio::runtime::Handle;

use super::decoding::Decoding;
use super::files::Part;
use super::object::PartReader;
use super::parts;
use super::time_range::TimeRange;
use crate::definitions::{Definition, conform};

/// Reads and decodes text files. Each partition has a thread that decodes.
#[derive(Debug)]
pub(crate) struct LogExec {
    pub(super) store: ObjectStoreUrl,
    partitions: Vec<Vec<Part>>,
    /// The parts as rows, if a cluster divides them.
    rows: Option<Arc<dyn ExecutionPlan>>,
    pub(super) definition: Arc<Definition>,
    points: Arc<[PointId]>,
    columns: Arc<[usize]>,
    pub(super) times: Option<TimeRange>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// The number of batches that a partition decodes ahead of the query.
const AHEAD: usize = 2;

impl LogExec {
    /// Creates a scan of the columns in `projection` of the table with this schema.
    pub(super) fn new(
        store: ObjectStoreUrl,
        partitions: Vec<Vec<Part>>,
        definition: Arc<Definition>,
        schema: &SchemaRef,
        projection: Option<&Vec<usize>>,
        times: Option<TimeRange>,
    ) -> Result<Self> {
        let head = schema.fields().len() - definition.product().attrs().len();
        let all = (0..schema.fields().len()).collect();
        let projection = projection.unwrap_or(&all);
        let mut points: Vec<usize> = projection.iter().filter(|n| **n >= head).copied().collect();
        points.sort_unstable();
        points.dedup();
        let column = |n: &usize| match points.binary_search(n) {
            Ok(point) => head + point,
            Err(_) => *n,
        };
        let columns: Vec<usize> = projection.iter().map(column).collect();
        let projected = Arc::new(schema.project(projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(projected),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let points = points.iter().map(|n| PointId((n - head) as u16));
        Ok(LogExec {
            store,
            partitions,
            rows: None,
            definition,
            points: points.collect(),
            columns: columns.into(),
            times,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// Returns the scan with its parts as rows, which a cluster divides among tasks.
    pub(super) fn divisible(self) -> Result<Self> {
        let rows = parts::to_plan(&self.partitions)?;
        self.of_rows(rows)
    }

    fn of_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(rows) => Ok(Arc::new(self.of_rows(rows)?)),
            None => Ok(self),
        }
    }

    /// Returns the scan of the parts that are the rows of a plan.
    pub(super) fn of_rows(&self, rows: Arc<dyn ExecutionPlan>) -> Result<Self> {
        let partitions = parts::of_plan(&rows)?;
        let mut properties = PlanProperties::clone(&self.properties);
        properties.partitioning = Partitioning::UnknownPartitioning(partitions.len());
        Ok(LogExec {
            store: self.store.clone(),
            partitions,
            rows: Some(rows),
            definition: Arc::clone(&self.definition),
            points: Arc::clone(&self.points),
            columns: Arc::clone(&self.columns),
            times: self.times,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

impl DisplayAs for LogExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.partitions.iter().map(Vec::len).sum::<usize>();
        let (partitions, points) = (self.partitions.len(), self.points.len());
        write!(
            f,
            "LogExec: partitions={partitions}, parts={parts}, points={points}"
        )?;
        match self.times {
            Some(TimeRange { first, last }) => write!(f, ", timestamps={first}..={last}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for LogExec {
    fn name(&self) -> &'static str {
        "LogExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.rows.iter().collect()
    }

    /// The rows are places of files, which another partitioning would only move around.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.children().len()]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.of_children(children)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.of_children(children)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let Some(parts) = self.partitions.get(partition).cloned() else {
            return internal_err!("no partition {partition}");
        };
        let store = context.runtime_env().object_store(&self.store)?;
        let handle = Handle::current();
        let sources = parts.into_iter().map(move |part| {
            let name = part.file.location.to_string();
            Source::new(
                name,
                PartReader::new(part, Arc::clone(&store), handle.clone()),
            )
        });
        let decoding = Decoding {
            product: self.definition.product().clone(),
            points: Arc::clone(&self.points),
            columns: Arc::clone(&self.columns),
            times: self.times,
        };
        let counter = |name| MetricBuilder::new(&self.metrics).counter(name, partition);
        let (rows, records, rejected) = (
            MetricBuilder::new(&self.metrics).output_rows(partition),
            counter("records"),
            counter("rejected"),
        );
        let mut stream = RecordBatchReceiverStream::builder(
            Arc::clone(self.properties.eq_properties.schema()),
            AHEAD,
        );
        let batches = stream.tx();
        let schema = self.schema();
        let conform = move |batch: RecordBatch| {
            let columns = conform(batch.columns().to_vec(), schema.fields())?;
            let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            Ok(RecordBatch::try_new_with_options(
                Arc::clone(&schema),
                columns,
                &rows,
            )?)
        };
        stream.spawn_blocking(move || {
            let summary = decoding.run(sources, |batch| {
                rows.add(batch.num_rows());
                batches.blocking_send(conform(batch)).is_ok()
            })?;
            records.add(summary.records as usize);
            rejected.add(summary.rejected.values().sum::<u64>() as usize);
            Ok(())
        });
        Ok(stream.build())
    }
}
