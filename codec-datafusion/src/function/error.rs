//! `gizwits_error`: why a payload is rejected.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, NullBufferBuilder, StringArray, StructArray, UInt32Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use gizwits_codec_std::{Error, Product, payload};

use super::literal;
use crate::definitions::Definitions;
use crate::payloads::{Payload, apply, for_each, payload_type};

/// `gizwits_error(definition, payload)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ErrorOf {
    definitions: Definitions,
    signature: Signature,
}

impl ErrorOf {
    pub(crate) fn new(definitions: Definitions) -> Self {
        ErrorOf {
            definitions,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for ErrorOf {
    fn name(&self) -> &'static str {
        "gizwits_error"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [definition, payload] = given else {
            return plan_err!("gizwits_error takes a definition and a payload");
        };
        let payload = payload_type(payload, self.name())?;
        Ok(vec![definition.clone(), payload])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [definition, payloads] = &*args.args else {
            return internal_err!("gizwits_error without a payload");
        };
        let definition = self.definitions.get(literal(Some(definition)))?;
        let product = definition.product();
        apply(payloads, |payloads| {
            let mut errors = Vec::with_capacity(payloads.len());
            for_each(payloads, |payload| {
                errors.push(payload.and_then(|payload| refused(product, payload)));
            })?;
            table(&errors)
        })
    }
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("kind", DataType::Utf8, true),
        Field::new("message", DataType::Utf8, true),
        Field::new("byte", DataType::UInt32, true),
    ])
}

fn refused(product: &Product, payload: Payload<'_>) -> Option<Error> {
    match payload {
        Payload::Bytes(bytes) => product.decode(bytes).err(),
        Payload::Text(text) => match payload::parse(text, None) {
            Ok(bytes) => product.decode(&bytes).err(),
            Err(error) => Some(error),
        },
    }
}

fn table(errors: &[Option<Error>]) -> Result<ArrayRef> {
    let each = || errors.iter().map(Option::as_ref);
    let kinds: StringArray = each().map(|error| error.map(|error| error.kind)).collect();
    let messages: StringArray = each()
        .map(|error| error.map(|error| error.message.as_str()))
        .collect();
    let bytes: UInt32Array = each().map(|error| error?.byte).collect();
    let mut valid = NullBufferBuilder::new(errors.len());
    each().for_each(|error| valid.append(error.is_some()));
    let columns: Vec<ArrayRef> = vec![Arc::new(kinds), Arc::new(messages), Arc::new(bytes)];
    Ok(Arc::new(StructArray::try_new(
        fields(),
        columns,
        valid.finish(),
    )?))
}
