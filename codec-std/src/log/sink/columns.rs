//! Statuses to columns of narrow integers, in tiles of rows, a window of 8 bytes at a time.
//!
//! For points of up to 8 bits, equal bytes of many rows are put next to each other. Wider points are cut
//! from the windows as numbers. All loops are written so that the compiler vectorises them.

use gizwits_codec_core::PointId;

use crate::product::Product;
use crate::product::location::{Location, locations};

/// The raw values of a point in every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// The values of a bool, an enum or an integer of up to 8 bits.
    U8(Vec<u8>),
    /// The values of an enum or integer of 9 to 16 bits.
    U16(Vec<u16>),
    /// The values of an enum or integer of 17 to 32 bits.
    U32(Vec<u32>),
    /// The values of a binary, concatenated, after the number of bytes of each.
    Bytes(usize, Vec<u8>),
}

/// A table of raw values, with a column for each point. [`extend`](Self::extend) appends statuses as rows.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{Column, Columns};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let mut columns = Columns::new(&product);
/// columns.extend(&[0x01, 0x00, 0x00, 0x10, 0x1e, 0x00, 0x00]);
/// columns.extend(&[0x00, 0x00, 0x00, 0x18, 0x1f, 0x00, 0x00]);
///
/// let set_temp = product.find("set_temp").unwrap().id();
/// assert_eq!(columns.columns()[set_temp.index()], Column::U8(vec![16, 24]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Columns {
    /// The length of a status in bytes.
    stride: usize,
    windows: Vec<Window>,
    columns: Vec<Column>,
}

/// Adjacent points within 8 bytes, or one binary.
#[derive(Clone, Debug)]
struct Window {
    /// The offset of the first byte. The window ends within the status unless the status is shorter than 8
    /// bytes.
    start: usize,
    /// The index of the first point's column.
    first: usize,
    locations: Vec<Location>,
    /// Whether there are points of up to 8 bits.
    narrow: bool,
    /// Whether there are points of more than 8 bits.
    wide: bool,
}

/// The number of rows of a tile.
const ROWS: usize = 256;

/// The number of windows that are processed before the next tile. With more of them, a processor has too many
/// columns to write to at the same time.
const WINDOWS: usize = 8;

/// The number of bytes of rows that fit in the L2 cache.
const L2: usize = 256 << 10;

impl Columns {
    /// Creates empty columns for the points of a product.
    #[must_use]
    pub fn new(product: &Product) -> Self {
        Self::at(product, &locations(product))
    }

    /// Creates empty columns for some points of a product, in the order of the given ids. Ids that the product
    /// does not have are ignored.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    /// use gizwits_codec_std::log::{Column, Columns};
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let set_temp = product.find("set_temp").unwrap().id();
    /// let mut columns = Columns::of_points(&product, &[set_temp]);
    /// columns.extend(&[0x01, 0x00, 0x00, 0x10, 0x1e, 0x00, 0x00]);
    /// assert_eq!(columns.columns(), [Column::U8(vec![16])]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of_points(product: &Product, points: &[PointId]) -> Self {
        let all = locations(product);
        let chosen = points.iter().filter_map(|id| all.get(id.index()));
        Self::at(product, &chosen.copied().collect::<Vec<_>>())
    }

    fn at(product: &Product, locations: &[Location]) -> Self {
        let columns = locations.iter().map(|location| match location.bits {
            0 => Column::Bytes(location.len, Vec::new()),
            1..=8 => Column::U8(Vec::new()),
            9..=16 => Column::U16(Vec::new()),
            _ => Column::U32(Vec::new()),
        });
        let stride = product.layout().status_len();
        Columns {
            stride,
            columns: columns.collect(),
            windows: windows(locations, stride),
        }
    }

    /// The columns, in the order of the ids of their points, or in the order in which the points were given.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        for column in &mut self.columns {
            match column {
                Column::U8(values) | Column::Bytes(_, values) => values.clear(),
                Column::U16(values) => values.clear(),
                Column::U32(values) => values.clear(),
            }
        }
    }

    /// Appends a row for each of the concatenated statuses. An incomplete status at the end is ignored.
    pub fn extend(&mut self, statuses: &[u8]) {
        if self.stride > 0 {
            extend(statuses, self.stride, &self.windows, &mut self.columns);
        }
    }

    /// Appends a row for each of the concatenated payloads of `len` bytes, which end with their status. `len`
    /// must be at least the length of a status. An incomplete payload at the end is ignored.
    #[cfg(feature = "arrow")]
    pub(crate) fn extend_from_payloads(&mut self, payloads: &[u8], len: usize) {
        let head = len.saturating_sub(self.stride);
        let locations = self.windows.iter().flat_map(|window| &window.locations);
        let behind = locations.map(|location| Location {
            end: location.end + head,
            ..*location
        });
        let windows = windows(&behind.collect::<Vec<_>>(), len);
        if self.stride > 0 {
            extend(payloads, len, &windows, &mut self.columns);
        }
    }
}

fn windows(locations: &[Location], stride: usize) -> Vec<Window> {
    let mut all: Vec<Window> = Vec::new();
    // The bytes of the points in the last window; `None` if that is a binary.
    let mut span = None;
    for (index, location) in locations.iter().enumerate() {
        let own = location.end - location.len..location.end;
        let joint = span
            .map(|span: std::ops::Range<usize>| span.start.min(own.start)..span.end.max(own.end));
        let joint = joint.filter(|joint| location.bits > 0 && joint.len() <= 8);
        let start = |start: usize| start.min(stride.saturating_sub(8));
        let (narrow, wide) = ((1..=8).contains(&location.bits), location.bits > 8);
        match (joint, all.last_mut()) {
            (Some(joint), Some(window)) => {
                window.start = start(joint.start);
                window.locations.push(*location);
                window.narrow |= narrow;
                window.wide |= wide;
                span = Some(joint);
            }
            _ => {
                all.push(Window {
                    start: start(own.start),
                    first: index,
                    locations: vec![*location],
                    narrow,
                    wide,
                });
                span = Some(own).filter(|_| location.bits > 0);
            }
        }
    }
    all
}

/// Compiled twice, with and without AVX2, together with the functions that it calls.
#[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2"))]
fn extend(rows: &[u8], stride: usize, windows: &[Window], columns: &mut [Column]) {
    let len = ROWS * stride;
    let mut tile = Tile {
        words: [0; ROWS],
        eighths: [[0; ROWS / 8]; 8],
        planes: [[[0; 8]; ROWS / 8]; 8],
    };
    for block in rows.chunks((L2 / len).max(1) * len) {
        if windows.len() > 1 {
            touch(block);
        }
        for windows in windows.chunks(WINDOWS) {
            for rows in block.chunks(len) {
                for window in windows {
                    let columns = columns.get_mut(window.first..).unwrap_or_default();
                    tile.load(window, rows, stride);
                    window.turn(&tile, rows, stride, columns);
                }
            }
        }
    }
}

/// Reads a block into the cache from start to end. If the windows read it first, in steps of a row, memory
/// is slower.
#[inline(always)]
fn touch(block: &[u8]) {
    let sum = |sum: u64, eight: &[u8; 8]| sum.wrapping_add(u64::from_ne_bytes(*eight));
    std::hint::black_box(block.as_chunks().0.iter().fold(0, sum));
}

/// The bytes of a window in many rows, in three arrangements.
struct Tile {
    /// The window of each row, as a big-endian number.
    words: [u64; ROWS],
    /// The windows as little-endian numbers. Those of every eighth row are next to each other.
    eighths: [[u64; ROWS / 8]; 8],
    /// The bytes of the window: for each of the 8 offsets, the byte of every row.
    planes: [[[u8; 8]; ROWS / 8]; 8],
}

impl Tile {
    /// Loads the arrangements that the points of the window need.
    #[inline(always)]
    fn load(&mut self, window: &Window, rows: &[u8], stride: usize) {
        if !window.narrow && !window.wide {
            return;
        }
        let bytes = window.start..window.start + 8;
        if bytes.end > stride {
            if window.wide {
                each_short(rows, stride, |n, row, word| self.words[8 * n + row] = word);
            }
            if window.narrow {
                each_short(rows, stride, |n, row, word| self.eighths[row][n] = word);
            }
        } else {
            for (word, row) in self.words.iter_mut().zip(rows.chunks_exact(stride)) {
                let Some(bytes) = row.get(bytes.clone()).and_then(<[u8]>::first_chunk) else {
                    return;
                };
                *word = u64::from_le_bytes(*bytes);
            }
            if window.narrow {
                for (n, rows) in self.words.as_chunks::<8>().0.iter().enumerate() {
                    for (eighth, word) in self.eighths.iter_mut().zip(rows) {
                        eighth[n] = *word;
                    }
                }
            }
        }
        if window.narrow {
            self.transpose();
        }
        if window.wide {
            for word in &mut self.words {
                *word = word.swap_bytes();
            }
        }
    }

    /// Puts bytes with the same offset next to each other. 8 rows of 8 bytes are transposed like a matrix:
    /// first halves, then quarters, then bytes.
    #[inline(always)]
    fn transpose(&mut self) {
        for n in 0..ROWS / 8 {
            // Written out, the compiler vectorises the outer loop. With inner loops it does not.
            let mut rows = std::array::from_fn(|row| self.eighths[row][n]);
            let halves = 0x0000_0000_ffff_ffff;
            exchange(&mut rows, 0, 4, halves);
            exchange(&mut rows, 1, 5, halves);
            exchange(&mut rows, 2, 6, halves);
            exchange(&mut rows, 3, 7, halves);
            let quarters = 0x0000_ffff_0000_ffff;
            exchange(&mut rows, 0, 2, quarters);
            exchange(&mut rows, 1, 3, quarters);
            exchange(&mut rows, 4, 6, quarters);
            exchange(&mut rows, 5, 7, quarters);
            let bytes = 0x00ff_00ff_00ff_00ff;
            exchange(&mut rows, 0, 1, bytes);
            exchange(&mut rows, 2, 3, bytes);
            exchange(&mut rows, 4, 5, bytes);
            exchange(&mut rows, 6, 7, bytes);
            for (plane, row) in self.planes.iter_mut().zip(rows) {
                plane[n] = row.to_le_bytes();
            }
        }
    }

    /// Appends the values of a point of up to 8 bits in `count` rows.
    #[inline(always)]
    fn append(&self, window: &Window, location: Location, count: usize, to: &mut Vec<u8>) {
        let (shift, mask) = (location.shift % 8, 0xff_u8 >> (8 - location.bits));
        let last = location.end.wrapping_sub(window.start + 1);
        let plane = |n: usize| {
            let plane = self.planes.get(n).unwrap_or(&self.planes[0]);
            let plane = plane.as_flattened();
            plane.get(..count).unwrap_or(plane)
        };
        if location.len < 2 {
            to.extend(plane(last).iter().map(|byte| byte >> shift & mask));
        } else {
            let both = plane(last.wrapping_sub(1)).iter().zip(plane(last));
            let both = both.map(|(before, byte)| u16::from_be_bytes([*before, *byte]));
            to.extend(both.map(|both| (both >> shift) as u8 & mask));
        }
    }
}

/// Exchanges the parts of two rows that are on the wrong side of the diagonal.
#[inline(always)]
fn exchange(rows: &mut [u64; 8], low: usize, high: usize, mask: u64) {
    let shift = 8 * (high - low);
    let change = (rows[low] >> shift ^ rows[high]) & mask;
    rows[low] ^= change << shift;
    rows[high] ^= change;
}

/// Calls `with` for each status of less than 8 bytes, with the bytes of the next status after it. Reads 64
/// bytes for every 8 rows, which they never exceed; the last rows are copied to a buffer first.
#[inline(always)]
fn each_short(rows: &[u8], stride: usize, mut with: impl FnMut(usize, usize, u64)) {
    let stride = stride.min(7);
    for n in 0..ROWS / 8 {
        let rows = rows.get(8 * stride * n..).unwrap_or(&[]);
        let mut last = [0; 64];
        let eight = rows.first_chunk().unwrap_or_else(|| {
            for (to, from) in last.iter_mut().zip(rows) {
                *to = *from;
            }
            &last
        });
        for row in 0..8 {
            let window = eight.get(row * stride..).and_then(<[u8]>::first_chunk);
            with(n, row, u64::from_le_bytes(*window.unwrap_or(&[0; 8])));
        }
    }
}

impl Window {
    /// Appends the points of the window in up to [`ROWS`] rows.
    #[inline(always)]
    fn turn(&self, tile: &Tile, rows: &[u8], stride: usize, columns: &mut [Column]) {
        let count = rows.len() / stride;
        let words = tile.words.get(..count).unwrap_or(&tile.words);
        for (location, column) in self.locations.iter().zip(columns) {
            match column {
                Column::U8(to) => tile.append(self, *location, count, to),
                Column::Bytes(len, to) => match *len {
                    1..2 => copy::<1>(rows, stride, *location, to),
                    2..4 => copy::<2>(rows, stride, *location, to),
                    4..8 => copy::<4>(rows, stride, *location, to),
                    8..16 => copy::<8>(rows, stride, *location, to),
                    16..32 => copy::<16>(rows, stride, *location, to),
                    32..64 => copy::<32>(rows, stride, *location, to),
                    _ => each_binary(rows, stride, *location, to, <[u8]>::copy_from_slice),
                },
                _ => {
                    // The number of bits in the word below the point.
                    let below = 8 * (self.start + 8 - location.end) as u32;
                    let shift = below + u32::from(location.shift);
                    let mask = u32::MAX >> (32 - u32::from(location.bits)).min(31);
                    match column {
                        // For either half of the word, a shuffle is enough.
                        Column::U32(to) if (shift, mask) == (0, u32::MAX) => {
                            to.extend(words.iter().map(|word| *word as u32));
                        }
                        Column::U32(to) if (shift, mask) == (32, u32::MAX) => {
                            to.extend(words.iter().map(|word| (word >> 32) as u32));
                        }
                        Column::U32(to) => {
                            to.extend(words.iter().map(|word| (word >> shift) as u32 & mask));
                        }
                        Column::U16(to) => {
                            let mask = mask as u16;
                            to.extend(words.iter().map(|word| (word >> shift) as u16 & mask));
                        }
                        Column::U8(_) | Column::Bytes(..) => {}
                    }
                }
            }
        }
    }
}

/// Appends a binary of `N` to `2 * N` bytes in two copies of `N` bytes, which may overlap.
#[inline(always)]
fn copy<const N: usize>(rows: &[u8], stride: usize, location: Location, to: &mut Vec<u8>) {
    each_binary(rows, stride, location, to, |to, from| {
        if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk()) {
            *to = *from;
        }
        if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk()) {
            *to = *from;
        }
    });
}

/// Calls `with` for the binary of every row, with its destination in the column and its source.
#[inline(always)]
fn each_binary(
    rows: &[u8],
    stride: usize,
    location: Location,
    to: &mut Vec<u8>,
    with: impl Fn(&mut [u8], &[u8]),
) {
    let (start, len) = (to.len(), location.len);
    to.resize(start + rows.len() / stride * len, 0);
    let room = to[start..].chunks_exact_mut(len.max(1));
    for (to, row) in room.zip(rows.chunks_exact(stride)) {
        let Some(from) = row.get(location.end - len..location.end) else {
            return;
        };
        with(to, from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every column has the raw values of a view, for any bytes.
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
                rows.extend((0..layout.status_len()).map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                }));
            }
            let mut rest = &rows[..];
            for count in [0, 1, 7, 128, 1234] {
                let (head, tail) = rest.split_at(columns.stride * count);
                columns.extend(head);
                rest = tail;
            }
            columns.extend(rest);
            let known = vec![0xff; layout.mask_len()];
            for (n, row) in rows.chunks_exact(columns.stride).enumerate() {
                let view = layout.view_known(&known, row).unwrap();
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
