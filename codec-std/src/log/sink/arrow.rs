//! Arrow: records as record batches with typed columns.
//!
//! | column | type |
//! | --- | --- |
//! | `timestamp` | Timestamp(Millisecond, UTC) |
//! | `type`, `did` | Utf8 |
//! | `action` | Dictionary(UInt8, Utf8) |
//! | `extra`, by option | Utf8, a JSON object: kept members, surplus flags, missing and extra bytes |
//! | `flagged`, by option | List(Utf8), the names of the points whose value breaks the definition |
//! | a bool | Boolean |
//! | an enum of up to 7 bits | Dictionary(UInt8, Utf8), otherwise Utf8 |
//! | a whole number | the narrowest of UInt8 to UInt32, Int16 to Int64 |
//! | a number with decimal places | Decimal128; Float64 by option |
//! | a binary | Binary |
//!
//! With [`Numbers::Raw`], all numbers are raw values of the type UInt8, UInt16 or UInt32.
//!
//! All columns are nullable, because a message need not have every point. The metadata of the schema
//! contains the definition. The metadata of a field contains the id, names, access, ratio, addition,
//! limits, decimal places and description of its point.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, DictionaryArray,
    Float64Array, PrimitiveArray, RecordBatch, StringArray, TimestampMillisecondArray, UInt8Array,
};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use gizwits_codec_core::{Kind, PointId, Scale, View};

use super::columns::{Column, Columns};
use super::table::{ACTIONS, Numbers, TableOptions, flagged_names, head_names};
use super::{Format, Sink};
use crate::error::Error;
use crate::log::record::Record;
use crate::log::record::lazy::LazyRecord;
use crate::log::record::timestamp::Timestamp;
use crate::message::{Decoded, Status};
use crate::product::Product;
use crate::product::attr::{Attr, access_type, uint_spec};

/// Returns the schema of the records of a product.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{TableOptions, schema};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let schema = schema(&Product::from_json(&definition)?, TableOptions::default());
/// assert_eq!(schema.fields().len(), 4 + 11);
/// let room_temp = schema.field_with_name("room_temp")?;
/// assert_eq!(room_temp.data_type().to_string(), "Int16");
/// assert_eq!(room_temp.metadata()["gizwits.addition"], "-10");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn schema(product: &Product, options: TableOptions) -> SchemaRef {
    let head = [
        Some(DataType::Timestamp(
            TimeUnit::Millisecond,
            Some("UTC".into()),
        )),
        Some(DataType::Utf8),
        (!options.partition.did).then_some(DataType::Utf8),
        Some(dictionary()),
        options.extra.then_some(DataType::Utf8),
        options
            .flagged
            .then(|| DataType::new_list(DataType::Utf8, true)),
    ];
    let head = head.into_iter().flatten();
    let mut names = head_names(product, &options).into_iter();
    let head = head.zip(names.by_ref());
    let mut fields: Vec<Field> = head
        .map(|(data_type, name)| Field::new(name, data_type, true))
        .collect();
    let points = product.attrs().zip(names);
    let numbers = options.numbers;
    fields.extend(points.map(|(attr, name)| point_field(product, attr, numbers).with_name(name)));
    let definition = [
        ("gizwits.definition", product.to_json()),
        ("gizwits.numbers", numbers.name().to_owned()),
        ("gizwits.product_key", product.product_key().to_owned()),
    ];
    let definition = definition.map(|(key, value)| (key.to_owned(), value));
    Arc::new(Schema::new_with_metadata(fields, definition.into()))
}

/// The field of a point, which has its name.
pub(super) fn point_field(product: &Product, attr: &Attr, numbers: Numbers) -> Field {
    let data_type = ColumnType::new(product, attr, numbers).data_type;
    Field::new(attr.name(), data_type, true).with_metadata(metadata(product, attr))
}

/// The type of an enum with up to 128 values.
fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8))
}

fn metadata(product: &Product, attr: &Attr) -> HashMap<String, String> {
    let mut all = HashMap::new();
    let mut say = |key: &str, value: String| all.insert(format!("gizwits.{key}"), value);
    let (layout, id) = (product.layout(), attr.id());
    say("id", id.0.to_string());
    say("display_name", attr.display_name().to_owned());
    if !attr.desc().is_empty() {
        say("desc", attr.desc().to_owned());
    }
    say("access", access_type(attr.point().access).to_owned());
    say("place", attr.location());
    if let (Some(_), Some(scale)) = (uint_spec(attr.point().kind), layout.scale(id)) {
        say("ratio", scale.ratio().to_string());
        say("addition", scale.addition().to_string());
        say("scale", scale.decimals().to_string());
        if let Some((min, max)) = layout.limits(id) {
            say("min", scale.value(min).to_string());
            say("max", scale.value(max).to_string());
        }
    }
    all
}

/// The type of the column of a point, with the data that its values need.
#[derive(Clone, Debug)]
pub(crate) struct ColumnType {
    pub(crate) data_type: DataType,
    scale: Scale,
    /// The text of each value of an enum; only the labels if there are too many values for a dictionary.
    texts: Arc<StringArray>,
}

impl ColumnType {
    pub(crate) fn new(product: &Product, attr: &Attr, numbers: Numbers) -> Self {
        let scale = product.layout().scale(attr.id()).unwrap_or(Scale::IDENTITY);
        let (data_type, texts) = match (attr.point().kind, attr.point().position.len) {
            (Kind::Bool, _) => (DataType::Boolean, 0),
            // Some readers refuse a dictionary of 256 values with keys of 8 bits.
            (Kind::Enum { .. }, bits @ 0..=7) => (dictionary(), 1 << bits),
            (Kind::Enum { labels }, _) => (DataType::Utf8, labels),
            (kind, _) => match uint_spec(kind) {
                Some((_, widest)) => (number_type(scale, widest, numbers), 0),
                None => (DataType::Binary, 0),
            },
        };
        let text = |index| match attr.label(index) {
            Some(label) => label.to_owned(),
            None => index.to_string(),
        };
        ColumnType {
            data_type,
            scale,
            texts: Arc::new((0..texts).map(|index| Some(text(index))).collect()),
        }
    }

    /// Returns the array of a column. The type and the column belong to the same point, so other pairs do not
    /// occur.
    fn array(&self, column: &Column, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        let scaled = |raw| self.scale.value(raw).coefficient();
        Ok(match (&self.data_type, column) {
            (DataType::Boolean, Column::U8(values)) => {
                Arc::new(BooleanArray::new(packed(values), nulls))
            }
            (DataType::Dictionary(..), Column::U8(values)) => {
                let keys = UInt8Array::new(values.clone().into(), nulls);
                let texts: ArrayRef = Arc::<StringArray>::clone(&self.texts);
                Arc::new(DictionaryArray::<UInt8Type>::try_new(keys, texts)?)
            }
            (DataType::Utf8, column) => {
                let mut texts = StringBuilder::new();
                for (n, raw) in each(column, |raw| raw).iter().enumerate() {
                    let index = *raw as usize;
                    if nulls.as_ref().is_some_and(|nulls| nulls.is_null(n)) {
                        texts.append_null();
                    } else if index < self.texts.len() {
                        texts.append_value(self.texts.value(index));
                    } else {
                        texts.append_value(raw.to_string());
                    }
                }
                Arc::new(texts.finish())
            }
            (DataType::UInt8, column) => ints::<UInt8Type>(column, nulls, |raw| raw as u8),
            (DataType::UInt16, column) => ints::<UInt16Type>(column, nulls, |raw| raw as u16),
            (DataType::UInt32, column) => ints::<UInt32Type>(column, nulls, |raw| raw),
            (DataType::Int16, column) => ints::<Int16Type>(column, nulls, |raw| scaled(raw) as i16),
            (DataType::Int32, column) => ints::<Int32Type>(column, nulls, |raw| scaled(raw) as i32),
            (DataType::Int64, column) => ints::<Int64Type>(column, nulls, scaled),
            (DataType::Float64, column) => {
                let float = |raw| self.scale.value(raw).to_f64();
                Arc::new(Float64Array::new(each(column, float), nulls))
            }
            (DataType::Decimal128(digits, decimals), column) => {
                let values = each(column, |raw| i128::from(scaled(raw)));
                let array = Decimal128Array::new(values, nulls);
                Arc::new(array.with_precision_and_scale(*digits, *decimals)?)
            }
            (DataType::Binary, Column::Bytes(len, values)) => {
                let rows = values.len() / (*len).max(1);
                let ends = OffsetBuffer::from_lengths(std::iter::repeat_n(*len, rows));
                Arc::new(BinaryArray::try_new(ends, values.clone().into(), nulls)?)
            }
            (data_type, column) => {
                let message = format!("{data_type} of {column:?}");
                return Err(ArrowError::InvalidArgumentError(message));
            }
        })
    }
}

/// The narrowest type of numbers with this scale whose greatest raw value is `widest`.
fn number_type(scale: Scale, widest: u32, numbers: Numbers) -> DataType {
    let ends = [0, widest].map(|raw| scale.value(raw).coefficient());
    let fits = |low: i64, high: i64| ends.iter().all(|end| (low..=high).contains(end));
    if numbers == Numbers::Float64 && scale.decimals() > 0 {
        DataType::Float64
    } else if numbers != Numbers::Raw && scale.decimals() > 0 {
        let digits = ends.map(|end| end.unsigned_abs().checked_ilog10().unwrap_or(0) + 1);
        let digits = digits[0].max(digits[1]).max(u32::from(scale.decimals()));
        DataType::Decimal128(digits as u8, scale.decimals() as i8)
    } else if numbers == Numbers::Raw || scale == Scale::IDENTITY {
        match widest {
            0xff => DataType::UInt8,
            0xffff => DataType::UInt16,
            _ => DataType::UInt32,
        }
    } else if fits(i16::MIN.into(), i16::MAX.into()) {
        DataType::Int16
    } else if fits(i32::MIN.into(), i32::MAX.into()) {
        DataType::Int32
    } else {
        DataType::Int64
    }
}

/// Returns values of 0 and 1 as bits.
fn packed(values: &[u8]) -> BooleanBuffer {
    // The product has the lowest bit of each byte in its highest byte. No two of its terms have the same power
    // of two, so there are no carries.
    let pack = |eight: [u8; 8]| {
        let product = u64::from_le_bytes(eight).wrapping_mul(0x0102_0408_1020_4080);
        (product >> 56) as u8
    };
    let (eights, rest) = values.as_chunks();
    let mut bytes: Vec<u8> = eights.iter().map(|eight| pack(*eight)).collect();
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        bytes.push(pack(last));
    }
    BooleanBuffer::new(bytes.into(), 0, values.len())
}

/// Converts the raw values of a column.
fn each<T: ArrowNativeType>(column: &Column, value: impl Fn(u32) -> T) -> ScalarBuffer<T> {
    let all: Vec<T> = match column {
        Column::U8(values) => values.iter().map(|raw| value((*raw).into())).collect(),
        Column::U16(values) => values.iter().map(|raw| value((*raw).into())).collect(),
        Column::U32(values) => values.iter().map(|raw| value(*raw)).collect(),
        Column::Bytes(..) => Vec::new(),
    };
    all.into()
}

fn ints<T: ArrowPrimitiveType>(
    column: &Column,
    nulls: Option<NullBuffer>,
    value: impl Fn(u32) -> T::Native,
) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(each(column, value), nulls))
}

/// The approximate memory of a record in bytes: as a status, in columns and in arrays.
pub(crate) fn row_len(product: &Product, options: TableOptions) -> usize {
    let schema = schema(product, options);
    let fields = schema.fields().iter();
    let array = fields.map(|field| field.data_type().primitive_width().unwrap_or(8));
    2 * product.layout().status_len() + array.sum::<usize>()
}

/// Rows of points, which become an array for each of the chosen points.
#[derive(Debug)]
pub(super) struct PointTable {
    ids: Vec<PointId>,
    types: Vec<ColumnType>,
    columns: Columns,
    rows: usize,
    /// The length of a mask in bytes.
    mask_len: usize,
    /// The length of a status in bytes.
    status_len: usize,
    status: Vec<u8>,
    /// A presence mask for each row; empty as long as every row has all points.
    known: Vec<u8>,
}

/// The number of bytes of statuses that are turned into columns at once.
const CACHED: usize = 64 << 10;

impl PointTable {
    /// Creates an empty table with a column for each of these points of the product.
    pub(super) fn new(product: &Product, ids: &[PointId], numbers: Numbers) -> Self {
        let attrs = ids.iter().filter_map(|id| product.attr(*id));
        let types = attrs.map(|attr| ColumnType::new(product, attr, numbers));
        PointTable {
            ids: ids.to_vec(),
            types: types.collect(),
            columns: Columns::of_points(product, ids),
            rows: 0,
            mask_len: product.layout().mask_len(),
            status_len: product.layout().status_len(),
            status: Vec::new(),
            known: Vec::new(),
        }
    }

    /// Adds a row with the points of a message; `None` adds a row without points.
    pub(super) fn put(&mut self, view: Option<View<'_, '_>>) {
        match view {
            Some(view) if view.is_whole() => self.put_status(view.values()),
            view => self.put_some(view),
        }
    }

    /// Adds a row with all points.
    #[inline]
    pub(super) fn put_status(&mut self, values: &[u8]) {
        self.status.extend_from_slice(values);
        if !self.known.is_empty() {
            self.known.resize(self.known.len() + self.mask_len, 0xff);
        }
        self.turn_full();
    }

    /// Adds a row for each of the concatenated payloads of `len` bytes, which end with the status of all points.
    pub(super) fn put_payloads(&mut self, payloads: &[u8], len: usize) {
        self.columns.extend(&self.status);
        self.status.clear();
        self.columns.extend_from_payloads(payloads, len);
        self.rows += payloads.len() / len;
        if !self.known.is_empty() {
            self.known.resize(self.rows * self.mask_len, 0xff);
        }
    }

    /// Adds a row with some points or none.
    fn put_some(&mut self, view: Option<View<'_, '_>>) {
        let end = self.status.len();
        self.status.resize(end + self.status_len, 0);
        let start = self.rows * self.mask_len;
        if self.known.is_empty() {
            self.known.resize(start, 0xff);
        }
        self.known.resize(start + self.mask_len, 0);
        if let Some(view) = view {
            // Both buffers have the lengths that the layout requires, so merging never fails.
            let _ = view.merge_into(&mut self.known[start..], &mut self.status[end..]);
        }
        self.turn_full();
    }

    #[inline]
    fn turn_full(&mut self) {
        self.rows += 1;
        if self.status.len() >= CACHED {
            self.columns.extend(&self.status);
            self.status.clear();
        }
    }

    /// Calls `with` for each column, one at a time, and removes the rows.
    pub(super) fn drain<E: From<ArrowError>>(
        &mut self,
        mut with: impl FnMut(ArrayRef) -> Result<(), E>,
    ) -> Result<(), E> {
        self.columns.extend(&self.status);
        self.status.clear();
        let columns = self.types.iter().zip(self.columns.columns());
        for (id, (column_type, column)) in self.ids.iter().zip(columns) {
            let nulls = match self.known.is_empty() {
                true => None,
                false => {
                    let id = id.index();
                    // The last byte of a mask has the points 0 to 7.
                    let byte = self.mask_len - 1 - id / 8;
                    let known =
                        |row: usize| self.known[row * self.mask_len + byte] >> (id % 8) & 1 == 1;
                    let nulls = NullBuffer::new(BooleanBuffer::collect_bool(self.rows, known));
                    Some(nulls).filter(|nulls| nulls.null_count() > 0)
                }
            };
            with(column_type.array(column, nulls)?)?;
        }
        self.columns.clear();
        self.known.clear();
        self.rows = 0;
        Ok(())
    }
}

/// Collects records of a product into record batches.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{Batches, Record, TableOptions};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let mut batches = Batches::new(&product, TableOptions::default());
/// batches.push(&Record::bare("014000000018"), &product.decode(&[0x01, 0x40, 0, 0, 0, 0x18])?);
/// let batch = batches.finish()?.unwrap();
/// assert_eq!((batch.num_rows(), batch.num_columns()), (1, 4 + 11));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Batches {
    pub(crate) schema: SchemaRef,
    points: PointTable,
    times: Vec<Option<i64>>,
    kinds: StringBuilder,
    dids: Option<StringBuilder>,
    actions: Vec<Option<u8>>,
    extra: Option<StringBuilder>,
    flagged: Option<ListBuilder<StringBuilder>>,
}

impl Batches {
    /// Creates an empty collection.
    #[must_use]
    pub fn new(product: &Product, options: TableOptions) -> Self {
        let points: Vec<PointId> = product.attrs().map(Attr::id).collect();
        Self::of_points(product, options, &points)
    }

    /// Creates an empty collection with columns for some points of the product, in the order of the given ids.
    /// The columns of the record precede them. Ids that the product does not have are ignored.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    /// use gizwits_codec_std::log::{Batches, Record, TableOptions};
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let room_temp = product.find("room_temp").unwrap().id();
    /// let mut batches = Batches::of_points(&product, TableOptions::default(), &[room_temp]);
    /// batches.push(&Record::bare("02"), &product.decode(&[0x02])?);
    /// assert_eq!(batches.finish()?.unwrap().num_columns(), 4 + 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of_points(product: &Product, options: TableOptions, points: &[PointId]) -> Self {
        let whole = schema(product, options);
        let head = whole.fields().len() - product.attrs().len();
        let points = points.iter().copied();
        let points: Vec<PointId> = points.filter(|id| product.attr(*id).is_some()).collect();
        let fields = (0..head).chain(points.iter().map(|id| head + id.index()));
        let fields: Vec<_> = fields
            .map(|field| Arc::clone(&whole.fields()[field]))
            .collect();
        Batches {
            schema: Arc::new(Schema::new_with_metadata(fields, whole.metadata().clone())),
            points: PointTable::new(product, &points, options.numbers),
            times: Vec::new(),
            kinds: StringBuilder::new(),
            dids: (!options.partition.did).then(StringBuilder::new),
            actions: Vec::new(),
            extra: options.extra.then(StringBuilder::new),
            flagged: options
                .flagged
                .then(|| ListBuilder::new(StringBuilder::new())),
        }
    }

    /// Adds a record and its decoded payload.
    pub fn push(&mut self, record: &Record<'_>, decoded: &Decoded<'_, '_>) {
        let mut remarks = Vec::new();
        if self.extra.is_some() && decoded.has_remarks() {
            decoded.write_remarks(&mut remarks);
        }
        let did = record.device(decoded);
        self.put_record(record, did, decoded.action_number(), &remarks);
        let view = decoded.view();
        if self.flagged.is_some() {
            self.put_flagged(decoded.product, view.as_ref());
        }
        self.points.put(view);
    }

    /// Adds a status in a plain frame.
    #[inline]
    pub(crate) fn push_status(&mut self, line: &LazyRecord<'_>, status: &Status<'_, '_>) {
        let record = line.record();
        let did = record.did.map(Cow::Borrowed);
        self.put_record(&record, did, status.action_number(), &[]);
        if self.flagged.is_some() {
            let decoded = status.decoded();
            self.put_flagged(decoded.product, decoded.view().as_ref());
        }
        self.points.put_status(status.values());
    }

    /// Adds the row of the column `flagged`.
    fn put_flagged(&mut self, product: &Product, view: Option<&View<'_, '_>>) {
        if let Some(flagged) = &mut self.flagged {
            for name in flagged_names(product, view) {
                flagged.values().append_value(name);
            }
            flagged.append(true);
        }
    }

    #[inline]
    fn put_record(
        &mut self,
        record: &Record<'_>,
        did: Option<Cow<'_, str>>,
        action: usize,
        remarks: &[u8],
    ) {
        self.times
            .push(record.timestamp.as_ref().map(Timestamp::millis));
        self.kinds.append_option(record.kind);
        if let Some(dids) = &mut self.dids {
            dids.append_option(did);
        }
        let is_named = action < ACTIONS.len();
        self.actions.push(is_named.then_some(action as u8));
        if let Some(extra) = &mut self.extra {
            let text = |json| std::str::from_utf8(json).unwrap_or("");
            let (kept, remarks) = (text(record.extra), text(remarks));
            if kept.is_empty() && remarks.is_empty() {
                extra.append_null();
            } else {
                // Text that is written to the builder becomes part of the next value. Each member follows a
                // comma, which the first member of the object must not have.
                let rest = if kept.is_empty() {
                    &remarks[1..]
                } else {
                    remarks
                };
                let kept = kept.strip_prefix(',').unwrap_or("");
                let _ = write!(extra, "{{{kept}{rest}}}");
                extra.append_value("");
            }
        }
    }

    /// The number of records.
    #[cfg(feature = "parquet")]
    pub(crate) fn len(&self) -> usize {
        self.points.rows
    }

    /// Returns the records as a batch and removes them; `None` if there are no records.
    ///
    /// # Errors
    /// An [`ArrowError`] if the records exceed the limits of Arrow.
    pub fn finish(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let mut arrays = Vec::new();
        self.drain(|array| {
            arrays.push(array);
            Ok::<_, ArrowError>(())
        })?;
        match arrays.is_empty() {
            true => Ok(None),
            false => RecordBatch::try_new(Arc::clone(&self.schema), arrays).map(Some),
        }
    }

    /// Calls `with` for each column of the records, one at a time, and removes the records. Calls nothing
    /// if there are no records.
    pub(crate) fn drain<E: From<ArrowError>>(
        &mut self,
        mut with: impl FnMut(ArrayRef) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.points.rows == 0 {
            return Ok(());
        }
        let times = TimestampMillisecondArray::from(std::mem::take(&mut self.times));
        let actions = UInt8Array::from(std::mem::take(&mut self.actions));
        let words: ArrayRef = Arc::new(StringArray::from(ACTIONS.to_vec()));
        // The order of the columns is that of `schema`.
        with(Arc::new(times.with_timezone("UTC")))?;
        with(Arc::new(self.kinds.finish()))?;
        if let Some(dids) = &mut self.dids {
            with(Arc::new(dids.finish()))?;
        }
        with(Arc::new(DictionaryArray::<UInt8Type>::try_new(
            actions, words,
        )?))?;
        if let Some(extra) = &mut self.extra {
            with(Arc::new(extra.finish()))?;
        }
        if let Some(flagged) = &mut self.flagged {
            with(Arc::new(flagged.finish()))?;
        }
        self.points.drain(with)
    }
}

impl Sink for Batches {
    type Block = Option<RecordBatch>;

    #[inline]
    fn record(
        &mut self,
        _: &mut Self::Block,
        record: &Record<'_>,
        _: usize,
        decoded: &Decoded<'_, '_>,
    ) -> Result<(), Box<Error>> {
        self.push(record, decoded);
        Ok(())
    }

    #[inline]
    fn status(
        &mut self,
        _: &mut Self::Block,
        line: &LazyRecord<'_>,
        _: usize,
        status: &Status<'_, '_>,
    ) -> Result<(), Box<Error>> {
        self.push_status(line, status);
        Ok(())
    }

    fn end(&mut self, block: &mut Self::Block) -> io::Result<()> {
        *block = self.finish().map_err(io_error)?;
        Ok(())
    }
}

/// The Arrow format: the records of one product in Arrow's IPC format.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{Arrow, Log, Products, Source, TableOptions};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let mut file = Vec::new();
/// let input = Source::new("input", &b"014000000018\n"[..]);
/// let arrow = Arrow::file(&product, TableOptions::default(), &mut file)?;
/// Log::new(&Products::one(product)).decode([input], arrow)?;
/// assert!(file.starts_with(b"ARROW1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Arrow<W: Write> {
    product: Product,
    options: TableOptions,
    out: Ipc<W>,
}

enum Ipc<W: Write> {
    File(FileWriter<W>),
    Stream(StreamWriter<W>),
}

impl<W: Write> fmt::Debug for Arrow<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrow")
            .field("product", &self.product)
            .finish_non_exhaustive()
    }
}

impl<W: Write> Arrow<W> {
    /// Begins a file, which allows random access to its batches.
    ///
    /// # Errors
    /// The error of the write.
    pub fn file(product: &Product, options: TableOptions, out: W) -> io::Result<Self> {
        let out = FileWriter::try_new(out, &schema(product, options)).map_err(io_error)?;
        Ok(Self::new(product, options, Ipc::File(out)))
    }

    /// Begins a stream, which can be read while it is written.
    ///
    /// # Errors
    /// The error of the write.
    pub fn stream(product: &Product, options: TableOptions, out: W) -> io::Result<Self> {
        let out = StreamWriter::try_new(out, &schema(product, options)).map_err(io_error)?;
        Ok(Self::new(product, options, Ipc::Stream(out)))
    }

    fn new(product: &Product, options: TableOptions, out: Ipc<W>) -> Self {
        let product = product.clone();
        Arrow {
            product,
            options,
            out,
        }
    }
}

impl<W: Write> Format for Arrow<W> {
    type Sink = Batches;

    fn sink(&self) -> Batches {
        Batches::new(&self.product, self.options)
    }

    fn write(&mut self, block: &mut Option<RecordBatch>) -> io::Result<()> {
        let Some(batch) = block.take() else {
            return Ok(());
        };
        match &mut self.out {
            Ipc::File(out) => out.write(&batch),
            Ipc::Stream(out) => out.write(&batch),
        }
        .map_err(io_error)
    }

    fn finish(&mut self) -> io::Result<()> {
        match &mut self.out {
            Ipc::File(out) => out.finish(),
            Ipc::Stream(out) => out.finish(),
        }
        .map_err(io_error)
    }

    fn record_len(&self) -> usize {
        row_len(&self.product, self.options)
    }
}

/// Returns the error of the writer if that is the cause.
pub(super) fn io_error(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        error => io::Error::other(error),
    }
}
