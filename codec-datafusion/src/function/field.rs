//! `gizwits_field`: a field of a struct that stays beside the other fields.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::functions::core::getfield::GetFieldFunc;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};

/// `gizwits_field(struct, 'name')`. The optimizer moves `get_field` towards the tables and thereby
/// duplicates the call that makes the struct. It leaves this function in its place, so that all fields share
/// the call.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Field(GetFieldFunc);

impl Field {
    pub(crate) fn new() -> Self {
        Field(GetFieldFunc::new())
    }
}

impl ScalarUDFImpl for Field {
    fn name(&self) -> &'static str {
        "gizwits_field"
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.0.coerce_types(given)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.0.return_type(given)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.0.return_field_from_args(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.0.invoke_with_args(args)
    }
}
