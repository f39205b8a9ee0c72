//! `gizwits_encode`: a payload from a struct of values.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray as _, StringArray, StructArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use gizwits_codec_std::{Action, Product, payload};

use super::literal;
use crate::definitions::Definitions;

/// `gizwits_encode(definition, 'control', struct)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Encode {
    definitions: Definitions,
    signature: Signature,
}

impl Encode {
    pub(crate) fn new(definitions: Definitions) -> Self {
        Encode {
            definitions,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Encode {
    fn name(&self) -> &'static str {
        "gizwits_encode"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [_, _, DataType::Struct(_)] => Ok(given.to_vec()),
            [_, _, other] => plan_err!(
                "the values of gizwits_encode are {other}: expected a struct such as {{set_temp: 24}}"
            ),
            _ => plan_err!("gizwits_encode takes a definition, an action and a struct of values"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("return_field_from_args checks the arguments")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let ([definition, action, _], [.., values]) = (args.scalar_arguments, args.arg_fields)
        else {
            return internal_err!("gizwits_encode without values");
        };
        let definition = self.definitions.get(*definition)?;
        action_of(*action)?;
        if let DataType::Struct(fields) = values.data_type() {
            for field in fields {
                definition.named(field.name())?;
            }
        }
        Ok(Arc::new(Field::new(self.name(), DataType::Utf8, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [definition, action, values] = &*args.args else {
            return internal_err!("gizwits_encode without values");
        };
        let definition = self.definitions.get(literal(Some(definition)))?;
        let action = action_of(literal(Some(action)))?;
        let encode = |values: &ArrayRef| match values.as_struct_opt() {
            Some(values) => encode(definition.product(), action, values),
            None => internal_err!("the values of gizwits_encode are not a struct"),
        };
        Ok(match values {
            ColumnarValue::Array(values) => ColumnarValue::Array(Arc::new(encode(values)?)),
            ColumnarValue::Scalar(values) => {
                let encoded = encode(&values.to_array()?)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&encoded, 0)?)
            }
        })
    }
}

fn action_of(name: Option<&ScalarValue>) -> Result<Action> {
    match name.and_then(|name| name.try_as_str().flatten()) {
        Some(name) => match Action::ALL.into_iter().find(|action| action.name() == name) {
            Some(action) => Ok(action),
            None => plan_err!(
                "unknown action `{name}`: expected 'control', 'read', 'reply' or 'report'"
            ),
        },
        None => plan_err!("the action must be a literal: 'control', 'read', 'reply' or 'report'"),
    }
}

/// Encodes each row of a struct. Null values are not set.
fn encode(product: &Product, action: Action, rows: &StructArray) -> Result<StringArray> {
    let options = FormatOptions::default();
    let texts: Vec<ArrayFormatter<'_>> = rows
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options))
        .collect::<Result<_, _>>()?;
    let row = |row: usize| -> Result<Option<String>> {
        if rows.is_null(row) {
            return Ok(None);
        }
        let mut message = product.message(action);
        let columns = rows.columns().iter().zip(&texts).zip(rows.column_names());
        for ((column, texts), name) in columns {
            if !column
                .logical_nulls()
                .is_some_and(|nulls| nulls.is_null(row))
            {
                let set = message.set_word(name, &texts.value(row).to_string());
                set.map_err(|error| exec_datafusion_err!("gizwits_encode: {error}"))?;
            }
        }
        let bytes = message
            .encode()
            .map_err(|error| exec_datafusion_err!("gizwits_encode: {error}"))?;
        Ok(Some(payload::hex(&bytes)))
    };
    (0..rows.len()).map(row).collect()
}
