//! Statuses to columns of narrow integers: tiles of rows, a window of 8 bytes at a time.
//!
//! Of a window the bytes of many rows are put side by side, and what has up to 8 bits is made of these;
//! wider points are cut from the windows as numbers. Loops are such that the compiler makes vectors of them.

use super::location::{Location, locations};
use crate::product::Product;

/// The values of one point in every row, as they are on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// A bool, an enum or an integer of up to 8 bits.
    U8(Vec<u8>),
    /// An enum or an integer of up to 16 bits.
    U16(Vec<u16>),
    /// An enum or an integer of up to 32 bits.
    U32(Vec<u32>),
    /// A binary: so many bytes a row, one row behind the other.
    Bytes(usize, Vec<u8>),
}

/// Turns whole statuses into columns.
#[derive(Clone, Debug)]
pub struct Columns {
    /// The bytes of a status.
    stride: usize,
    windows: Vec<Window>,
    columns: Vec<Column>,
}

/// Points next to each other that stand in the same 8 bytes, or one binary.
#[derive(Clone, Debug)]
struct Window {
    /// The first byte. Only a status of less than 8 bytes ends before its window.
    start: usize,
    /// The first of its points, by id.
    first: usize,
    locations: Vec<Location>,
    /// Whether there are points of up to 8 bits, and such of more.
    narrow: bool,
    wide: bool,
}

/// The number of rows that are turned at once.
const ROWS: usize = 256;

/// The number of windows that are done with a tile before the next: more columns are more places to write
/// to than the processor keeps in mind.
const WINDOWS: usize = 8;

/// The number of bytes of rows that stay in the L2 cache.
const L2: usize = 256 << 10;

impl Columns {
    /// Columns for the points of a product.
    #[must_use]
    pub fn new(product: &Product) -> Self {
        let locations = locations(product);
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
            windows: windows(&locations, stride),
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

    /// Appends the points of statuses, one behind the other. A part of one at the end is left out.
    pub fn extend(&mut self, statuses: &[u8]) {
        if self.stride > 0 {
            extend(statuses, self.stride, &self.windows, &mut self.columns);
        }
    }
}

fn windows(locations: &[Location], stride: usize) -> Vec<Window> {
    let mut all: Vec<Window> = Vec::new();
    // The bytes of the last window so far, unless it is a binary.
    let mut span = None;
    for (id, location) in locations.iter().enumerate() {
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
                    first: id,
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

/// Chosen once for all rows: it, and what it calls, is compiled for either kind of machine.
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

/// Memory is fast from end to end, not in steps as long as a row.
#[inline(always)]
fn touch(block: &[u8]) {
    let sum = |sum: u64, eight: &[u8; 8]| sum.wrapping_add(u64::from_ne_bytes(*eight));
    std::hint::black_box(block.as_chunks().0.iter().fold(0, sum));
}

/// The bytes of one window in many rows, in three arrangements.
struct Tile {
    /// The window of each row, as a big-endian number.
    words: [u64; ROWS],
    /// The windows as little-endian numbers: those of every eighth row are next to each other.
    eighths: [[u64; ROWS / 8]; 8],
    /// For each byte of the window: that of every row.
    planes: [[[u8; 8]; ROWS / 8]; 8],
}

impl Tile {
    /// Makes what the points of the window need.
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

    /// Puts the same byte of 8 rows side by side: 8 rows of 8 bytes are turned like a matrix, first by
    /// halves, then by quarters, then by bytes.
    #[inline(always)]
    fn transpose(&mut self) {
        for n in 0..ROWS / 8 {
            // What is written out here is a loop of vectors; as loops it isn't.
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

    /// Appends a point of up to 8 bits of so many rows.
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

/// Exchanges what of two rows is on the wrong side of a diagonal.
#[inline(always)]
fn exchange(rows: &mut [u64; 8], low: usize, high: usize, mask: u64) {
    let shift = 8 * (high - low);
    let change = (rows[low] >> shift ^ rows[high]) & mask;
    rows[low] ^= change << shift;
    rows[high] ^= change;
}

/// Calls with each status of less than 8 bytes and a part of the next: 8 of them are in 64 bytes, the last
/// ones in less.
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
    /// Appends its points of up to [`ROWS`] rows.
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
                    // Behind the point in its word.
                    let below = 8 * (self.start + 8 - location.end) as u32;
                    let shift = below + u32::from(location.shift);
                    let mask = u32::MAX >> (32 - u32::from(location.bits)).min(31);
                    match column {
                        // Either half, which needs no more than a shuffle.
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

/// Appends a binary of `N` to `2 * N` bytes: the first `N` and the last, which may overlap.
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

/// Makes room for a binary in every row, and calls with the room and the binary.
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
