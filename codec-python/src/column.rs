//! Decodes a column of payloads.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{
    Array, ArrayAccessor, ArrayRef, GenericBinaryArray, OffsetSizeTrait, RecordBatch,
    RecordBatchOptions,
};
use arrow_schema::{DataType, Schema, SchemaRef};
use gizwits_codec_std as codec;
use gizwits_codec_std::core::PointId;
use gizwits_codec_std::log::{Numbers, PayloadDecoder};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::argument::{payload_bytes, wrong_type};
use crate::arrow_import::arrow_arrays;
use crate::error::codec_error;
use crate::reader::arrow_failure;
use crate::table::Table;

/// The number of rows of a batch of a list, and of an array that is longer: their values fit in the cache.
const ROWS: usize = 1 << 16;

/// Decodes an Arrow array of payloads, or an iterable of them.
pub(crate) fn decode_column(
    product: &codec::Product,
    payloads: &Bound<'_, PyAny>,
    points: Option<&[String]>,
    numbers: Numbers,
) -> PyResult<Table> {
    let py = payloads.py();
    let mut column = Column::new(product, &ids(py, product, points)?, numbers);
    match arrow_arrays(payloads)? {
        Some(arrays) => py.detach(|| arrays.iter().try_for_each(|array| column.array(array)))?,
        None => column.items(payloads)?,
    }
    Ok(Table::new(column.schema, column.batches, column.rejected))
}

/// The decoder of a column and the batches that are complete.
struct Column {
    decoder: PayloadDecoder,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    rejected: usize,
}

impl Column {
    fn new(product: &codec::Product, points: &[PointId], numbers: Numbers) -> Self {
        let decoder = PayloadDecoder::with_numbers(product, points, numbers);
        Column {
            schema: Arc::new(Schema::new(decoder.fields().clone())),
            decoder,
            batches: Vec::new(),
            rejected: 0,
        }
    }

    /// Decodes the payloads of an array.
    fn array(&mut self, array: &ArrayRef) -> PyResult<()> {
        for start in (0..array.len()).step_by(ROWS) {
            let part = array.slice(start, ROWS.min(array.len() - start));
            self.rejected += push_array(&mut self.decoder, &part)?;
            self.finish()?;
        }
        Ok(())
    }

    /// Decodes the payloads of an iterable of bytes, str and None.
    fn items(&mut self, items: &Bound<'_, PyAny>) -> PyResult<()> {
        let Ok(iterator) = items.try_iter() else {
            let expected = "an Arrow array or an iterable of payloads";
            return Err(wrong_type(items, expected));
        };
        for (row, item) in iterator.enumerate() {
            let item = item?;
            let is_sound = if item.is_none() {
                self.decoder.push_null();
                true
            } else if let Ok(text) = item.cast::<PyString>() {
                self.decoder.push_text(&text.to_cow()?)
            } else {
                self.decoder.push(&payload_bytes(&item)?)
            };
            self.rejected += usize::from(!is_sound);
            if row % ROWS == ROWS - 1 {
                items.py().check_signals()?;
                self.finish()?;
            }
        }
        self.finish()
    }

    /// Moves the rows of the decoder to a batch.
    fn finish(&mut self) -> PyResult<()> {
        let rows = self.decoder.finish().map_err(arrow_failure)?;
        if !rows.is_empty() {
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            // The fields of a rejected payload are null, so the nulls of the rows are not needed.
            let (_, columns, _) = rows.into_parts();
            let schema = Arc::clone(&self.schema);
            let batch = RecordBatch::try_new_with_options(schema, columns, &options);
            self.batches.push(batch.map_err(arrow_failure)?);
        }
        Ok(())
    }
}

fn ids(
    py: Python<'_>,
    product: &codec::Product,
    points: Option<&[String]>,
) -> PyResult<Vec<PointId>> {
    let Some(points) = points else {
        return Ok(product.attrs().map(|attr| attr.id()).collect());
    };
    let ids = points.iter().map(|name| match product.find(name) {
        Some(attr) => Ok(attr.id()),
        None => {
            // A message of the product refuses the name, and suggests a similar one.
            let refused = product
                .message(codec::Action::Control)
                .set_word(name, "")
                .map_or_else(
                    |error| codec_error(py, &error),
                    |()| PyTypeError::new_err(name.clone()),
                );
            Err(refused)
        }
    });
    ids.collect()
}

/// Adds the payloads of an array and returns the number of those that were rejected.
fn push_array(decoder: &mut PayloadDecoder, array: &ArrayRef) -> PyResult<usize> {
    let bytes = PayloadDecoder::push;
    let text = PayloadDecoder::push_text;
    Ok(match array.data_type() {
        DataType::Binary => push_binary::<i32>(decoder, array.as_binary()),
        DataType::LargeBinary => push_binary::<i64>(decoder, array.as_binary()),
        DataType::BinaryView => push_all(decoder, array.as_binary_view(), bytes),
        DataType::FixedSizeBinary(_) => {
            let array = array.as_fixed_size_binary();
            let len = array.value_length() as usize;
            match array.value_data().get(..array.len() * len) {
                Some(data) if len > 0 && array.null_count() == 0 => decoder.push_equal(data, len),
                _ => push_all(decoder, array, bytes),
            }
        }
        DataType::Utf8 => push_all(decoder, array.as_string::<i32>(), text),
        DataType::LargeUtf8 => push_all(decoder, array.as_string::<i64>(), text),
        DataType::Utf8View => push_all(decoder, array.as_string_view(), text),
        other => {
            return Err(PyTypeError::new_err(format!(
                "expected a column of binaries or strings, not {other}"
            )));
        }
    })
}

/// Adds the payloads of a binary array. Most columns have payloads of one length.
fn push_binary<O: OffsetSizeTrait>(
    decoder: &mut PayloadDecoder,
    array: &GenericBinaryArray<O>,
) -> usize {
    let offsets = array.value_offsets();
    let (first, len) = (offsets[0].as_usize(), array.value_length(0).as_usize());
    let is_equal = |pair: &[O]| (pair[1] - pair[0]).as_usize() == len;
    let last = first + len * array.len();
    match array.value_data().get(first..last) {
        Some(data) if len > 0 && array.null_count() == 0 && offsets.windows(2).all(is_equal) => {
            decoder.push_equal(data, len)
        }
        _ => push_all(decoder, array, PayloadDecoder::push),
    }
}

fn push_all<A: ArrayAccessor>(
    decoder: &mut PayloadDecoder,
    array: A,
    push: impl Fn(&mut PayloadDecoder, A::Item) -> bool,
) -> usize {
    let mut rejected = 0;
    for row in 0..array.len() {
        if array.is_null(row) {
            decoder.push_null();
        } else if !push(decoder, array.value(row)) {
            rejected += 1;
        }
    }
    rejected
}
