//! `gizwits_fill`: the last known values of a device.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray as _, NullBufferBuilder, StructArray, UInt32Array,
};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, exec_err, internal_err, plan_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

/// `gizwits_fill(value [, action]) OVER (PARTITION BY … ORDER BY …)`.
///
/// The value is a column, or a struct of `gizwits_decode`, whose fields are filled independently. A null
/// value becomes the last known value. With an action, only the rows of replies and reports are filled and
/// remembered: a control states what somebody wants.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fill {
    signature: Signature,
}

impl Fill {
    pub(crate) fn new() -> Self {
        Fill {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl WindowUDFImpl for Fill {
    fn name(&self) -> &'static str {
        "gizwits_fill"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [value] => Ok(vec![value.clone()]),
            [value, _] => Ok(vec![value.clone(), DataType::Utf8]),
            _ => plan_err!("gizwits_fill takes a value and optionally the action of its message"),
        }
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        match args.get_input_field(0) {
            Some(field) => {
                let field = field.as_ref().clone().with_name(args.name());
                Ok(Arc::new(field.with_nullable(true)))
            }
            None => internal_err!("gizwits_fill without a value"),
        }
    }

    fn partition_evaluator(
        &self,
        _: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(FillEvaluator))
    }
}

#[derive(Debug)]
struct FillEvaluator;

impl PartitionEvaluator for FillEvaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let Some(value) = values.first() else {
            return exec_err!("gizwits_fill without a value");
        };
        let actions = match values.get(1) {
            Some(actions) => Some(cast(actions, &DataType::Utf8)?),
            None => None,
        };
        let actions = actions.as_ref().map(|actions| actions.as_string::<i32>());
        let is_filled = |row: usize| {
            actions.is_none_or(|actions| {
                actions.is_valid(row) && matches!(actions.value(row), "reply" | "report")
            })
        };
        let is_filled: Vec<bool> = (0..rows).map(is_filled).collect();
        let Some(parts) = value.as_struct_opt() else {
            return Ok(take(value, &sources(value, &is_filled), None)?);
        };
        let columns = parts.columns().iter();
        let columns = columns.map(|column| take(column, &sources(column, &is_filled), None));
        let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
        let mut valid = NullBufferBuilder::new(rows);
        let mut seen = false;
        for (row, is_filled) in is_filled.iter().enumerate() {
            seen |= *is_filled && parts.is_valid(row);
            valid.append(parts.is_valid(row) || *is_filled && seen);
        }
        let fields = parts.fields().clone();
        Ok(Arc::new(StructArray::try_new_with_length(
            fields,
            columns,
            valid.finish(),
            rows,
        )?))
    }
}

/// The row of the value that each row gets: the last known value for filled rows, its own for others.
fn sources(column: &ArrayRef, is_filled: &[bool]) -> UInt32Array {
    let nulls = column.logical_nulls();
    let is_valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    let mut last = None;
    let source = |(row, is_filled): (usize, &bool)| {
        let own = is_valid(row).then_some(row as u32);
        if !is_filled {
            return own;
        }
        last = own.or(last);
        last
    };
    is_filled.iter().enumerate().map(source).collect()
}
