//! Plans as bytes.

use std::sync::Arc;

use ballista_core::serde::{BallistaLogicalExtensionCodec, BallistaPhysicalExtensionCodec};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::{Result, TableReference, exec_err};
use datafusion::datasource::file_format::FileFormatFactory;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Extension, LogicalPlan};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::logical_plan::LogicalExtensionCodec;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use crate::definitions::Definitions;
use crate::table::{LogExec, LogTable};

/// The start of what this crate writes.
const MARK: &[u8] = b"gizwits-datafusion ";
/// The form of what follows the mark, and a space.
const FORM: &[u8] = b"1 ";

/// Returns what follows the mark; `None` if another crate has written the bytes.
fn marked(bytes: &[u8]) -> Result<Option<&[u8]>> {
    match bytes.strip_prefix(MARK).map(|rest| rest.strip_prefix(FORM)) {
        Some(None) => exec_err!(
            "the plan is of another version of gizwits-datafusion: all programs of a cluster must have one version"
        ),
        Some(own) => Ok(own),
        None => Ok(None),
    }
}

/// Writes and reads the tables of `gizwits_log` in logical plans. Ballista's codec does the rest.
#[derive(Debug)]
pub(super) struct LogicalCodec {
    definitions: Definitions,
    ballista: BallistaLogicalExtensionCodec,
}

impl LogicalCodec {
    pub(super) fn new(definitions: Definitions) -> Self {
        LogicalCodec {
            definitions,
            ballista: BallistaLogicalExtensionCodec::default(),
        }
    }
}

impl LogicalExtensionCodec for LogicalCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[LogicalPlan],
        context: &TaskContext,
    ) -> Result<Extension> {
        self.ballista.try_decode(bytes, inputs, context)
    }

    fn try_encode(&self, node: &Extension, bytes: &mut Vec<u8>) -> Result<()> {
        self.ballista.try_encode(node, bytes)
    }

    fn try_decode_table_provider(
        &self,
        bytes: &[u8],
        name: &TableReference,
        schema: SchemaRef,
        context: &TaskContext,
    ) -> Result<Arc<dyn TableProvider>> {
        match marked(bytes)? {
            Some(bytes) => Ok(Arc::new(LogTable::from_bytes(bytes, &self.definitions)?)),
            None => self
                .ballista
                .try_decode_table_provider(bytes, name, schema, context),
        }
    }

    fn try_encode_table_provider(
        &self,
        name: &TableReference,
        table: Arc<dyn TableProvider>,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let Some(log) = table.downcast_ref::<LogTable>() else {
            return self.ballista.try_encode_table_provider(name, table, bytes);
        };
        bytes.extend([MARK, FORM, &log.to_bytes()].concat());
        Ok(())
    }

    fn try_decode_file_format(
        &self,
        bytes: &[u8],
        context: &TaskContext,
    ) -> Result<Arc<dyn FileFormatFactory>> {
        self.ballista.try_decode_file_format(bytes, context)
    }

    fn try_encode_file_format(
        &self,
        bytes: &mut Vec<u8>,
        format: Arc<dyn FileFormatFactory>,
    ) -> Result<()> {
        self.ballista.try_encode_file_format(bytes, format)
    }
}

/// Writes and reads the scans of `gizwits_log` in physical plans. Ballista's codec does the rest.
#[derive(Debug)]
pub(super) struct PhysicalCodec {
    definitions: Definitions,
    ballista: BallistaPhysicalExtensionCodec,
}

impl PhysicalCodec {
    pub(super) fn new(definitions: Definitions) -> Self {
        PhysicalCodec {
            definitions,
            ballista: BallistaPhysicalExtensionCodec::default(),
        }
    }
}

impl PhysicalExtensionCodec for PhysicalCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match marked(bytes)? {
            Some(bytes) => Ok(Arc::new(LogExec::from_bytes(
                bytes,
                inputs,
                &self.definitions,
            )?)),
            None => self.ballista.try_decode(bytes, inputs, context, converter),
        }
    }

    fn try_encode(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(log) = plan.downcast_ref::<LogExec>() else {
            return self.ballista.try_encode(plan, bytes, converter);
        };
        bytes.extend([MARK, FORM, &log.to_bytes()].concat());
        Ok(())
    }
}
