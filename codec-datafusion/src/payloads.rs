//! Columns of payloads: text or binary, plain or in a dictionary.

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray as _, GenericBinaryArray, OffsetSizeTrait,
};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::ColumnarValue;

/// A payload of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payload<'a> {
    /// Hex, base64 or a list of bytes.
    Text(&'a str),
    /// The bytes of the message.
    Bytes(&'a [u8]),
}

/// Returns the type to which a column of payloads is cast.
pub(crate) fn payload_type(given: &DataType, function: &str) -> Result<DataType> {
    Ok(match given {
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView => given.clone(),
        DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Null => DataType::Utf8,
        DataType::Dictionary(keys, values) => {
            DataType::Dictionary(keys.clone(), Box::new(payload_type(values, function)?))
        }
        other => {
            return plan_err!("the payload of {function} is {other}: expected text or binary");
        }
    })
}

/// Returns the bytes of all payloads, which are one after the other, and the length of each. `None` if a payload is text, null
/// or empty, or if their lengths differ.
pub(crate) fn equal_payloads(array: &dyn Array) -> Option<(&[u8], usize)> {
    fn equal<O: OffsetSizeTrait>(array: &GenericBinaryArray<O>) -> Option<(&[u8], usize)> {
        let offsets = array.value_offsets();
        let (first, last) = (offsets.first()?.as_usize(), offsets.last()?.as_usize());
        let len = offsets.get(1)?.as_usize().checked_sub(first)?;
        let mut rows = offsets.iter().enumerate();
        let is_equal = rows.all(|(row, offset)| offset.as_usize() == first + row * len);
        let bytes = array.value_data().get(first..last)?;
        (is_equal && len > 0).then_some((bytes, len))
    }
    if array.null_count() > 0 {
        return None;
    }
    match array.data_type() {
        DataType::Binary => equal(array.as_binary::<i32>()),
        DataType::LargeBinary => equal(array.as_binary::<i64>()),
        _ => None,
    }
}

/// Calls `with` for each payload of a column; `None` is null.
pub(crate) fn for_each(array: &dyn Array, mut with: impl FnMut(Option<Payload<'_>>)) -> Result<()> {
    use Payload::{Bytes, Text};
    match array.data_type() {
        DataType::Utf8 => array
            .as_string::<i32>()
            .iter()
            .for_each(|text| with(text.map(Text))),
        DataType::LargeUtf8 => array
            .as_string::<i64>()
            .iter()
            .for_each(|text| with(text.map(Text))),
        DataType::Utf8View => array
            .as_string_view()
            .iter()
            .for_each(|text| with(text.map(Text))),
        DataType::Binary => array
            .as_binary::<i32>()
            .iter()
            .for_each(|bytes| with(bytes.map(Bytes))),
        DataType::LargeBinary => array
            .as_binary::<i64>()
            .iter()
            .for_each(|bytes| with(bytes.map(Bytes))),
        DataType::BinaryView => array
            .as_binary_view()
            .iter()
            .for_each(|bytes| with(bytes.map(Bytes))),
        other => return exec_err!("a payload is {other}: expected text or binary"),
    }
    Ok(())
}

/// Applies a function to a column of payloads, or to a single payload. Applies it to the values of a
/// dictionary only once.
pub(crate) fn apply(
    payloads: &ColumnarValue,
    with: impl Fn(&dyn Array) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let apply = |array: &ArrayRef| match array.as_any_dictionary_opt() {
        Some(dictionary) => {
            let values = with(dictionary.values())?;
            Ok(take(&values, dictionary.keys(), None)?)
        }
        None => with(array),
    };
    match payloads {
        ColumnarValue::Array(array) => apply(array).map(ColumnarValue::Array),
        ColumnarValue::Scalar(scalar) => {
            let array = apply(&scalar.to_array()?)?;
            ScalarValue::try_from_array(&array, 0).map(ColumnarValue::Scalar)
        }
    }
}
