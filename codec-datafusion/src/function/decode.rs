//! `gizwits_decode`: a payload as a struct.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use gizwits_codec_std::core::PointId;

use super::literal;
use crate::definitions::{Definition, Definitions};
use crate::payloads::{Payload, apply, equal_payloads, for_each, payload_type};

/// `gizwits_decode(definition, payload [, 'attribute', …])`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Decode {
    definitions: Definitions,
    signature: Signature,
}

impl Decode {
    pub(crate) fn new(definitions: Definitions) -> Self {
        Decode {
            definitions,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Decode {
    fn name(&self) -> &'static str {
        "gizwits_decode"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [_, payload, ..] = given else {
            return plan_err!(
                "gizwits_decode takes a definition, a payload, and optionally names of attributes"
            );
        };
        let mut types = given.to_vec();
        types[1] = payload_type(payload, self.name())?;
        Ok(types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("the type of gizwits_decode depends on its definition")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let literals = args.scalar_arguments;
        let definition = self.definitions.get(literals.first().copied().flatten())?;
        let names = literals.get(2..).unwrap_or(&[]);
        let points = definition.points(names.iter().copied())?;
        let data_type = DataType::Struct(definition.fields(&points));
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [definition, payloads, names @ ..] = &*args.args else {
            return internal_err!("gizwits_decode without payloads");
        };
        let definition = self.definitions.get(literal(Some(definition)))?;
        let points = definition.points(names.iter().map(|name| literal(Some(name))))?;
        apply(payloads, |payloads| {
            Ok(Arc::new(decode(&definition, points.clone(), payloads)?) as ArrayRef)
        })
    }
}

/// Decodes these points of all payloads.
pub(super) fn decode(
    definition: &Definition,
    points: Vec<PointId>,
    payloads: &dyn Array,
) -> Result<StructArray> {
    definition.decode(points, |decoder| {
        // Frames of one product mostly have one length, and are then decoded where they are.
        if let Some((bytes, len)) = equal_payloads(payloads) {
            decoder.push_equal(bytes, len);
            return Ok(());
        }
        for_each(payloads, |payload| match payload {
            Some(Payload::Text(text)) => {
                decoder.push_text(text);
            }
            Some(Payload::Bytes(bytes)) => {
                decoder.push(bytes);
            }
            None => decoder.push_null(),
        })
    })
}
