//! The scalar functions.

mod action;
mod attr;
mod decode;
mod encode;
mod error;
mod field;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;

pub(crate) use action::ActionOf;
pub(crate) use attr::Attr;
pub(crate) use decode::Decode;
pub(crate) use encode::Encode;
pub(crate) use error::ErrorOf;
pub(crate) use field::Field;

/// The literal of an argument, as it was given when the query was planned.
fn literal(argument: Option<&ColumnarValue>) -> Option<&ScalarValue> {
    match argument {
        Some(ColumnarValue::Scalar(scalar)) => Some(scalar),
        _ => None,
    }
}
