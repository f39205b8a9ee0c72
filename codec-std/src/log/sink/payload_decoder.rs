//! Decodes a column of payloads, for query engines.

use arrow_array::{ArrayRef, StructArray};
use arrow_buffer::NullBufferBuilder;
use arrow_schema::{ArrowError, Fields};
use gizwits_codec_core::{PointId, View};

use super::arrow::{PointTable, point_field};
use super::table::Numbers;
use crate::message::{Status, payload};
use crate::product::Product;

/// A decoder of payloads that are values of a column. Returns a struct array with a field for each of the
/// chosen points.
///
/// Each added payload is a row. The row of a rejected payload is null. The row of a payload without points,
/// such as a read, has null in every field. Fields have the types and metadata of [`schema`](crate::log::schema).
///
/// ```
/// use arrow_array::cast::AsArray as _;
/// use arrow_array::types::Int16Type;
/// use arrow_array::Array as _;
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::PayloadDecoder;
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let room_temp = product.find("room_temp").unwrap().id();
///
/// let mut decoder = PayloadDecoder::new(&product, &[room_temp]);
/// assert!(decoder.push(&[0x04, 0x01, 0x00, 0x00, 0x10, 0x1e, 0x00, 0x00]));
/// assert!(decoder.push_text("0401000010280000"));
/// assert!(!decoder.push_text("04010000"));
/// let rows = decoder.finish()?;
/// assert_eq!(rows.column(0).as_primitive::<Int16Type>().values()[..2], [20, 30]);
/// assert!(rows.is_null(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PayloadDecoder {
    product: Product,
    fields: Fields,
    points: PointTable,
    valid: NullBufferBuilder,
    /// The bytes of the last payload that was text.
    bytes: Vec<u8>,
}

impl PayloadDecoder {
    /// Creates a decoder of these points, in this order. Ids that the product does not have are ignored.
    #[must_use]
    pub fn new(product: &Product, points: &[PointId]) -> Self {
        Self::with_numbers(product, points, Numbers::Decimal)
    }

    /// Like [`new`](Self::new), but with numbers of this type.
    #[must_use]
    pub fn with_numbers(product: &Product, points: &[PointId], numbers: Numbers) -> Self {
        let attrs = points.iter().filter_map(|id| product.attr(*id));
        let fields = attrs
            .clone()
            .map(|attr| point_field(product, attr, numbers));
        let ids: Vec<PointId> = attrs.clone().map(|attr| attr.id()).collect();
        PayloadDecoder {
            product: product.clone(),
            fields: fields.collect(),
            points: PointTable::new(product, &ids, numbers),
            valid: NullBufferBuilder::new(0),
            bytes: Vec::new(),
        }
    }

    /// The fields of the struct array: name, type and metadata of each point.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Adds a payload: an M2M frame or a bare P0. Returns whether it was accepted.
    #[inline]
    pub fn push(&mut self, payload: &[u8]) -> bool {
        let decoded = match Status::of(&self.product, payload) {
            Some(status) => {
                self.valid.append_non_null();
                self.points.put_status(status.values());
                return true;
            }
            None => self.product.decode(payload),
        };
        let is_sound = decoded.is_ok();
        self.valid.append(is_sound);
        self.points
            .put(decoded.ok().and_then(|decoded| decoded.view()));
        is_sound
    }

    /// Adds payloads of `len` bytes each, which are one after the other. Returns the number of those that were
    /// rejected. An incomplete payload at the end is ignored. A `len` of 0 adds no rows.
    ///
    /// Reports of a standard product in equal frames are decoded where they are, which takes a fraction of the
    /// time of [`push`](Self::push).
    ///
    /// ```
    /// use arrow_array::Array as _;
    /// use gizwits_codec_std::Product;
    /// use gizwits_codec_std::log::PayloadDecoder;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let room_temp = product.find("room_temp").unwrap().id();
    /// let mut decoder = PayloadDecoder::new(&product, &[room_temp]);
    /// let reports = b"\0\0\0\x03\x0b\0\0\x91\x04\x01\0\0\x10\x1e\0\0".repeat(1000);
    /// assert_eq!(decoder.push_equal(&reports, 16), 0);
    /// assert_eq!(decoder.finish()?.len(), 1000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn push_equal(&mut self, payloads: &[u8], len: usize) -> usize {
        if len == 0 {
            return 0;
        }
        let rows = payloads.chunks_exact(len);
        if !self.are_statuses(rows.clone()) {
            return rows.filter(|row| !self.push(row)).count();
        }
        self.valid.append_n_non_nulls(rows.len());
        let whole = payloads.len() - rows.remainder().len();
        self.points.put_payloads(&payloads[..whole], len);
        0
    }

    /// Whether all payloads are statuses in equal plain frames.
    fn are_statuses<'b>(&self, mut rows: impl Iterator<Item = &'b [u8]>) -> bool {
        let Some(first) = rows.next() else {
            return false;
        };
        let Some(status) = Status::of(&self.product, first) else {
            return false;
        };
        // The bytes before the values are 9 or 10, so two words cover them.
        let head = first.len() - status.values().len();
        let words = |row: &[u8]| {
            let (start, end) = (row.first_chunk()?, row.get(..head)?.last_chunk()?);
            Some((u64::from_ne_bytes(*start), u64::from_ne_bytes(*end)))
        };
        let expected = words(first);
        expected.is_some() && rows.all(|row| words(row) == expected)
    }

    /// Adds a payload as text: hex, base64 or a list of bytes. Returns whether it was accepted.
    #[inline]
    pub fn push_text(&mut self, payload: &str) -> bool {
        let mut bytes = std::mem::take(&mut self.bytes);
        let is_sound = payload::plain_hex_into(payload.as_bytes(), &mut bytes)
            || payload::parse_into(payload, None, &mut bytes).is_ok();
        let is_sound = match is_sound {
            true => self.push(&bytes),
            false => {
                self.push_null();
                false
            }
        };
        self.bytes = bytes;
        is_sound
    }

    /// Adds the points of a view, for example those of a [`State`](crate::State). The view must be of the
    /// same definition.
    pub fn push_view(&mut self, view: View<'_, '_>) {
        self.valid.append_non_null();
        self.points.put(Some(view));
    }

    /// Adds a row that is null.
    pub fn push_null(&mut self) {
        self.valid.append_null();
        self.points.put(None);
    }

    /// Returns the rows and removes them.
    ///
    /// # Errors
    /// An [`ArrowError`] if the rows exceed the limits of Arrow.
    pub fn finish(&mut self) -> Result<StructArray, ArrowError> {
        let rows = self.valid.len();
        let mut arrays: Vec<ArrayRef> = Vec::new();
        self.points.drain(|array| {
            arrays.push(array);
            Ok::<_, ArrowError>(())
        })?;
        let valid = self.valid.finish();
        StructArray::try_new_with_length(self.fields.clone(), arrays, valid, rows)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Array as _;
    use gizwits_codec_core::Protocol;

    use super::*;
    use crate::log::{Batches, Record, TableOptions};

    /// Payloads that are added together are rows like payloads that are added one by one.
    #[test]
    fn equal_payloads_are_rows() {
        for name in [
            "air-conditioner",
            "product-a",
            "product-b",
            "lamp",
            "wave-pump",
        ] {
            let path = format!(
                "{}/../tests/fixtures/{name}.json",
                env!("CARGO_MANIFEST_DIR")
            );
            let product = Product::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
            let len = product.layout().status_len();
            let head = match len + 4 {
                short @ 0..0x80 => vec![0, 0, 0, 3, short as u8, 0, 0, 0x91, 4],
                long => vec![
                    0,
                    0,
                    0,
                    3,
                    long as u8 | 0x80,
                    (long >> 7) as u8,
                    0,
                    0,
                    0x91,
                    4,
                ],
            };
            let ids: Vec<PointId> = product.attrs().map(|attr| attr.id()).collect();
            let payload = |n: usize| {
                let status = (0..len).map(move |byte| (byte * 37 + n * 101 + n / 7) as u8);
                head.iter().copied().chain(status)
            };
            let stride = head.len() + len;
            for (rows, damaged) in [
                (0, None),
                (1, None),
                (3, Some(1)),
                (1000, None),
                (1000, Some(999)),
            ] {
                let mut payloads: Vec<u8> = (0..rows).flat_map(payload).collect();
                if let Some(row) = damaged {
                    payloads[row * stride + 3] ^= 1;
                }
                let (mut one, mut all) = (
                    PayloadDecoder::new(&product, &ids),
                    PayloadDecoder::new(&product, &ids),
                );
                for decoder in [&mut one, &mut all] {
                    decoder.push(&payload(5).collect::<Vec<u8>>());
                    decoder.push_null();
                }
                let rejected = payloads.chunks(stride).filter(|row| !one.push(row)).count();
                payloads.push(0);
                assert_eq!(all.push_equal(&payloads, stride), rejected);
                for decoder in [&mut one, &mut all] {
                    decoder.push(&payload(9).collect::<Vec<u8>>());
                }
                assert_eq!(
                    one.finish().unwrap(),
                    all.finish().unwrap(),
                    "{name}, {rows} rows"
                );
            }
        }
    }

    /// Bytes are not payloads of length 0.
    #[test]
    fn payloads_without_bytes_are_no_rows() {
        let json = include_str!("../../../../tests/fixtures/air-conditioner.json");
        let mut decoder = PayloadDecoder::new(&Product::from_json(json).unwrap(), &[]);
        assert_eq!(decoder.push_equal(&[2, 2, 2], 0), 0);
        assert_eq!(decoder.finish().unwrap().len(), 0);
    }

    /// The rows are those of `Batches`, for all points and for each point alone, and rejected payloads are null.
    #[test]
    fn rows_are_those_of_batches() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
        for file in std::fs::read_dir(folder).unwrap() {
            let json = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let product = Product::from_json(&json).unwrap();
            let layout = product.layout();
            let status = (0..layout.status_len()).map(|byte| (byte * 37) as u8);
            let no_points = vec![0; layout.mask_len()];
            let (report, read) = match layout.protocol() {
                Protocol::Standard => ([vec![4], status.collect()].concat(), vec![2]),
                Protocol::VarLen => ([vec![0x14], no_points].concat(), vec![0x12, 0xff]),
            };
            let payloads = [report, read, vec![0xee]];
            let all: Vec<PointId> = product.attrs().map(|attr| attr.id()).collect();
            let mut batches = Batches::new(&product, TableOptions::default());
            for payload in &payloads[..2] {
                let decoded = product.decode(payload).unwrap();
                batches.push(&Record::default(), &decoded);
            }
            let batch = batches.finish().unwrap().unwrap();
            let mut chosen = vec![all.clone()];
            chosen.extend(all.iter().map(|id| vec![*id]));
            for points in chosen {
                let mut decoder = PayloadDecoder::new(&product, &points);
                for payload in &payloads {
                    decoder.push(payload);
                }
                decoder.push_text(&payload::hex(&payloads[0]));
                decoder.push_null();
                let rows = decoder.finish().unwrap();
                let valid: Vec<bool> = (0..rows.len()).map(|row| rows.is_valid(row)).collect();
                assert_eq!(valid, [true, true, false, true, false]);
                for (column, id) in rows.columns().iter().zip(&points) {
                    let expected = batch.column(4 + id.index());
                    assert_eq!(&column.slice(0, 2), expected, "{}", product.name());
                    assert_eq!(column.slice(3, 1).to_data(), expected.slice(0, 1).to_data());
                }
            }
            assert_eq!(
                PayloadDecoder::new(&product, &[]).finish().unwrap().len(),
                0
            );
        }
    }
}
