//! `gizwits_attr`: one attribute of a payload.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::decode::decode;
use super::literal;
use crate::definitions::Definitions;
use crate::payloads::{apply, payload_type};

/// `gizwits_attr(definition, payload, 'attribute')`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Attr {
    definitions: Definitions,
    signature: Signature,
}

impl Attr {
    pub(crate) fn new(definitions: Definitions) -> Self {
        Attr {
            definitions,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Attr {
    fn name(&self) -> &'static str {
        "gizwits_attr"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [definition, payload, name] = given else {
            return plan_err!(
                "gizwits_attr takes a definition, a payload and the name of an attribute"
            );
        };
        let payload = payload_type(payload, self.name())?;
        Ok(vec![definition.clone(), payload, name.clone()])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("the type of gizwits_attr depends on its definition")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let [definition, _, name] = *args.scalar_arguments else {
            return internal_err!("gizwits_attr without a name");
        };
        let definition = self.definitions.get(definition)?;
        let point = definition.point(name)?;
        match definition.fields(&[point]).first() {
            Some(field) => Ok(Arc::clone(field)),
            None => internal_err!("a point without a field"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [definition, payloads, name] = &*args.args else {
            return internal_err!("gizwits_attr without a name");
        };
        let definition = self.definitions.get(literal(Some(definition)))?;
        let point = definition.point(literal(Some(name)))?;
        apply(payloads, |payloads| {
            let rows = decode(&definition, vec![point], payloads)?;
            Ok(Arc::clone(rows.column(0)))
        })
    }
}
