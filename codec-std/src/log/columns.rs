//! Statuses to columns of narrow integers: blocks of rows that stay in the L1 cache, a column at a time.

use super::text::{Place, places};
use crate::product::Product;

/// The values of one point in every row, as they are on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// A bool, an enum or an integer of up to 8 bits.
    U8(Vec<u8>),
    /// Of up to 16.
    U16(Vec<u16>),
    /// Of up to 32.
    U32(Vec<u32>),
    /// A binary: so many bytes a row, one row behind the other.
    Bytes(usize, Vec<u8>),
}

/// Turns whole statuses into columns.
#[derive(Clone, Debug)]
pub struct Columns {
    /// The bytes of a row: a status, and what makes windows of 8 bytes possible in front of it.
    stride: usize,
    places: Vec<Place>,
    columns: Vec<Column>,
}

/// In front of each status: no window of 8 bytes begins before its row.
const PAD: usize = 8;

/// So many bytes of rows are turned at once.
const L1: usize = 16 << 10;

impl Columns {
    /// Columns for the points of a product.
    #[must_use]
    pub fn new(product: &Product) -> Self {
        let places = places(product);
        let columns = places.iter().map(|place| match place.bits {
            0 => Column::Bytes(place.len, Vec::new()),
            1..=8 => Column::U8(Vec::new()),
            9..=16 => Column::U16(Vec::new()),
            _ => Column::U32(Vec::new()),
        });
        Columns {
            stride: PAD + product.layout().status_len(),
            columns: columns.collect(),
            places,
        }
    }

    /// The columns, in the order of the points' ids.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Forgets the rows, not their room.
    pub fn clear(&mut self) {
        for column in &mut self.columns {
            match column {
                Column::U8(values) | Column::Bytes(_, values) => values.clear(),
                Column::U16(values) => values.clear(),
                Column::U32(values) => values.clear(),
            }
        }
    }

    /// Appends the points of rows, each of which has 8 bytes of any content and then a status.
    pub fn extend(&mut self, rows: &[u8]) {
        extend(rows, self.stride, &self.places, &mut self.columns);
    }
}

/// Chosen once for all rows: it, and what it calls, is compiled for either kind of machine.
#[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2"))]
fn extend(rows: &[u8], stride: usize, places: &[Place], columns: &mut [Column]) {
    let block = (L1 / stride).max(16) * stride;
    let mut words = [0; L1 / 8];
    for rows in rows.chunks(block) {
        if stride <= 2 * PAD {
            // A status of up to 8 bytes is one integer, loaded once for all of its points.
            let (at, count) = (stride - PAD, rows.len() / stride);
            for (word, row) in words.iter_mut().zip(rows.chunks_exact(stride)) {
                *word = u64::from_be_bytes(*row[at..].first_chunk().unwrap_or(&[0; 8]));
            }
            let words = words.get(..count).unwrap_or(&[]);
            for (place, column) in places.iter().zip(&mut *columns) {
                let shift = 8 * (at - place.end) as u32 + u32::from(place.shift);
                let mask = u32::MAX >> (32 - u32::from(place.bits)).min(31);
                match column {
                    Column::U8(to) => pick(words, shift, to, |word| word as u8 & mask as u8),
                    Column::U16(to) => pick(words, shift, to, |word| word as u16 & mask as u16),
                    Column::U32(to) => pick(words, shift, to, |word| word as u32 & mask),
                    Column::Bytes(..) => fill(rows, stride, *place, column),
                }
            }
            continue;
        }
        for (place, column) in places.iter().zip(&mut *columns) {
            fill(rows, stride, *place, column);
        }
    }
}

/// Appends what `value` makes of each word, shifted.
#[inline(always)]
fn pick<T: Copy + Default>(words: &[u64], shift: u32, to: &mut Vec<T>, value: impl Fn(u64) -> T) {
    let start = to.len();
    to.resize(start + words.len(), T::default());
    for (to, word) in to[start..].iter_mut().zip(words) {
        *to = value(word >> shift);
    }
}

#[inline(always)]
fn fill(rows: &[u8], stride: usize, place: Place, column: &mut Column) {
    // What stands in bytes of its own needs no shift.
    let whole = place.shift == 0 && usize::from(place.bits) == 8 * place.len;
    let end = PAD + place.end;
    let mask = u32::MAX >> (32 - u32::from(place.bits)).min(31);
    let bits = |window| (u64::from_be_bytes(window) >> place.shift) as u32 & mask;
    match column {
        Column::U8(to) if whole => each(rows, stride, end, to, |[byte]: [u8; 1]| byte),
        Column::U16(to) if whole => each(rows, stride, end, to, u16::from_be_bytes),
        Column::U32(to) if whole => each(rows, stride, end, to, u32::from_be_bytes),
        Column::U8(to) if place.len == 1 => {
            let mask = mask as u8;
            each(rows, stride, end, to, |[byte]: [u8; 1]| {
                byte >> place.shift & mask
            });
        }
        Column::U8(to) => each(rows, stride, end, to, |window| bits(window) as u8),
        Column::U16(to) => each(rows, stride, end, to, |window| bits(window) as u16),
        Column::U32(to) => each(rows, stride, end, to, bits),
        Column::Bytes(len, to) => {
            for row in rows.chunks_exact(stride) {
                to.extend_from_slice(row.get(end - *len..end).unwrap_or(&[]));
            }
        }
    }
}

/// Appends what `value` makes of the `N` bytes before `end` of each row.
#[inline(always)]
fn each<const N: usize, T>(
    rows: &[u8],
    stride: usize,
    end: usize,
    to: &mut Vec<T>,
    value: impl Fn([u8; N]) -> T,
) {
    // Rows that begin with the window: all but the last are as long as ever.
    let rows = rows.get(end - N..).unwrap_or(&[]).chunks(stride);
    to.extend(rows.map(|row| value(*row.first_chunk().unwrap_or(&[0; N]))));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every column has what a view has, whatever the bytes are.
    #[test]
    fn columns_are_what_views_have() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
        for file in std::fs::read_dir(folder).unwrap() {
            let json = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let product = Product::from_json(&json).unwrap();
            let layout = product.layout();
            let mut columns = Columns::new(&product);
            let mut seed = 1_u32;
            let mut rows = Vec::new();
            for _ in 0..3000 {
                rows.extend([0xff; 8]);
                rows.extend((0..layout.status_len()).map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                }));
            }
            let (head, tail) = rows.split_at(columns.stride * 1234);
            columns.extend(head);
            columns.extend(tail);
            let known = vec![0xff; layout.mask_len()];
            for (n, row) in rows.chunks_exact(columns.stride).enumerate() {
                let view = layout.view_known(&known, &row[8..]).unwrap();
                for (id, column) in columns.columns().iter().enumerate() {
                    let id = gizwits_codec_core::PointId(id as u16);
                    let found = match column {
                        Column::U8(values) => Some(values[n].into()),
                        Column::U16(values) => Some(values[n].into()),
                        Column::U32(values) => Some(values[n]),
                        Column::Bytes(len, values) => {
                            let raw = view.read(id).unwrap().raw();
                            let bytes = &values[n * len..][..*len];
                            assert_eq!(raw, gizwits_codec_core::Raw::Bytes(bytes));
                            None
                        }
                    };
                    assert_eq!(found, view.raw(id), "{} of {}", id.0, product.name());
                }
            }
        }
    }
}
