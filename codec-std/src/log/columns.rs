//! Statuses to columns of narrow integers: tiles of rows, a window of 8 bytes at a time.
//!
//! Of a window the bytes of many rows are put side by side, and what has up to 8 bits is made of 8 rows at
//! once; wider points are cut from the windows as numbers.

use super::plan::{Place, places};
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
    /// The bytes of a status.
    stride: usize,
    windows: Vec<Window>,
    columns: Vec<Column>,
}

/// Points next to each other that stand in the same 8 bytes, or one binary.
#[derive(Clone, Debug)]
struct Window {
    /// Its first byte. Only a status of less than 8 bytes ends before its window.
    start: usize,
    /// The first of its points, by id.
    first: usize,
    places: Vec<Place>,
    /// Whether there are points of up to 8 bits, and such of more.
    narrow: bool,
    wide: bool,
}

/// So many rows are turned at once.
const TILE: usize = 256;

/// So many windows are done with a tile before the next: more columns than that are more places to write
/// to than the processor keeps in mind.
const WINDOWS: usize = 8;

/// So many bytes of rows stay in the L2 cache.
const L2: usize = 256 << 10;

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
        let stride = product.layout().status_len();
        Columns {
            stride,
            columns: columns.collect(),
            windows: windows(&places, stride),
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

fn windows(places: &[Place], stride: usize) -> Vec<Window> {
    let mut all: Vec<Window> = Vec::new();
    // The bytes of the last window so far, unless it is a binary.
    let mut span = None;
    for (id, place) in places.iter().enumerate() {
        let own = place.end - place.len..place.end;
        let joint = span
            .map(|span: std::ops::Range<usize>| span.start.min(own.start)..span.end.max(own.end));
        let joint = joint.filter(|joint| place.bits > 0 && joint.len() <= 8);
        let start = |start: usize| start.min(stride.saturating_sub(8));
        match (joint, all.last_mut()) {
            (Some(joint), Some(window)) => {
                window.start = start(joint.start);
                window.places.push(*place);
                span = Some(joint);
            }
            _ => {
                all.push(Window {
                    start: start(own.start),
                    first: id,
                    places: vec![*place],
                    narrow: false,
                    wide: false,
                });
                span = Some(own).filter(|_| place.bits > 0);
            }
        }
    }
    for window in &mut all {
        window.narrow = window
            .places
            .iter()
            .any(|place| (1..=8).contains(&place.bits));
        window.wide = window.places.iter().any(|place| place.bits > 8);
    }
    all
}

/// Chosen once for all rows: it, and what it calls, is compiled for either kind of machine.
#[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2"))]
fn extend(rows: &[u8], stride: usize, windows: &[Window], columns: &mut [Column]) {
    let tile = TILE * stride;
    let (mut words, mut planes) = ([0; TILE], [[0; TILE / 8]; 8]);
    for block in rows.chunks((L2 / tile).max(1) * tile) {
        if windows.len() > 1 {
            touch(block);
        }
        for windows in windows.chunks(WINDOWS) {
            for rows in block.chunks(tile) {
                for window in windows {
                    let columns = columns.get_mut(window.first..).unwrap_or_default();
                    if window.narrow || window.wide {
                        window.load(rows, stride, &mut words, &mut planes);
                    }
                    if window.narrow {
                        transpose(&mut planes);
                    }
                    window.turn(rows, stride, &words, &planes, columns);
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

impl Window {
    /// Appends its points of up to [`TILE`] rows.
    #[inline(always)]
    fn turn(
        &self,
        rows: &[u8],
        stride: usize,
        words: &[u64; TILE],
        planes: &Planes,
        columns: &mut [Column],
    ) {
        let count = rows.len() / stride;
        let words = words.get(..count).unwrap_or(words);
        for (place, column) in self.places.iter().zip(columns) {
            match column {
                Column::U8(to) => {
                    let values = bytes(planes, self.start + 8 - place.end, *place);
                    append(to, &values, count);
                }
                Column::Bytes(len, to) => match *len {
                    32.. => copy::<32>(rows, stride, *place, to),
                    8.. => copy::<8>(rows, stride, *place, to),
                    _ => copy::<1>(rows, stride, *place, to),
                },
                _ => {
                    let below = 8 * (self.start + 8 - place.end) as u32;
                    let shift = below + u32::from(place.shift);
                    let mask = u32::MAX >> (32 - u32::from(place.bits)).min(31);
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

    /// Puts the window of each row into the words, as wide points need it, or where that of planes begins.
    #[inline(always)]
    fn load(&self, rows: &[u8], stride: usize, words: &mut [u64; TILE], planes: &mut Planes) {
        let window = self.start..self.start + 8;
        if window.end > stride {
            if self.wide {
                each_short(rows, stride, |n, row, word| words[8 * n + row] = word);
            }
            if self.narrow {
                each_short(rows, stride, |n, row, word| planes[row][n] = word);
            }
            return;
        }
        for (word, row) in words.iter_mut().zip(rows.chunks_exact(stride)) {
            let window = row.get(window.clone()).and_then(<[u8]>::first_chunk);
            *word = u64::from_be_bytes(*window.unwrap_or(&[0; 8]));
        }
        if self.narrow {
            for (n, rows) in words.as_chunks::<8>().0.iter().enumerate() {
                for (plane, word) in planes.iter_mut().zip(rows) {
                    plane[n] = *word;
                }
            }
        }
    }
}

/// Calls with each status of less than 8 bytes and a part of the next: 8 of them are in 64 bytes, the last
/// ones in less.
#[inline(always)]
fn each_short(rows: &[u8], stride: usize, mut with: impl FnMut(usize, usize, u64)) {
    let stride = stride.min(7);
    for n in 0..TILE / 8 {
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
            with(n, row, u64::from_be_bytes(*window.unwrap_or(&[0; 8])));
        }
    }
}

/// Puts the same byte of 8 rows side by side: 8 rows of 8 bytes are turned like a matrix, first by halves,
/// then by quarters, then by bytes.
#[inline(always)]
fn transpose(planes: &mut Planes) {
    for (step, mask) in [
        (4, 0x0000_0000_ffff_ffff),
        (2, 0x0000_ffff_0000_ffff),
        (1, 0x00ff_00ff_00ff_00ff),
    ] {
        for low in (0..8).filter(|low| low & step == 0) {
            let (lows, highs) = planes.split_at_mut(low + step);
            for (a, b) in lows[low].iter_mut().zip(&mut highs[0]) {
                let change = (*a >> (8 * step) ^ *b) & mask;
                *a ^= change << (8 * step);
                *b ^= change;
            }
        }
    }
}

/// For each byte of a window, the last first: that of every row, 8 in a number.
type Planes = [[u64; TILE / 8]; 8];

/// A point of up to 8 bits in every row, the last byte of which is in this plane.
#[inline(always)]
fn bytes(planes: &Planes, last: usize, place: Place) -> [[u8; 8]; TILE / 8] {
    let all = |byte: u64| byte * 0x0101_0101_0101_0101;
    let (shift, ones) = (place.shift % 8, 0xff >> (8 - place.bits));
    // What a shift brings from the next row's byte is masked.
    let low = all(0xff >> shift & ones);
    let high = match place.len {
        ..2 => 0,
        _ => all(0xff << (8 - shift) & ones),
    };
    let plane = |n: usize| planes.get(n).unwrap_or(&planes[0]);
    let mut values = [[0; 8]; TILE / 8];
    let words = plane(last).iter().zip(plane(last + 1));
    for (to, (word, before)) in values.iter_mut().zip(words) {
        *to = (word >> shift & low | before << (8 - shift) & high).to_le_bytes();
    }
    values
}

/// Appends the values of so many rows. Pieces of whole tiles are known to be so long, and copied in place.
#[inline(always)]
fn append(to: &mut Vec<u8>, values: &[[u8; 8]; TILE / 8], count: usize) {
    match values.as_flattened().get(..count).filter(|_| count < TILE) {
        Some(values) => to.extend_from_slice(values),
        None => {
            to.reserve(TILE);
            for piece in values.as_flattened().as_chunks::<128>().0 {
                to.extend_from_slice(piece);
            }
        }
    }
}

/// Appends a binary, which is not shorter than `N`, in pieces of `N` bytes, the last of which may overlap.
#[inline(always)]
fn copy<const N: usize>(rows: &[u8], stride: usize, place: Place, to: &mut Vec<u8>) {
    let (start, len) = (to.len(), place.len);
    to.resize(start + rows.len() / stride * len, 0);
    let values = to[start..].chunks_exact_mut(len.max(1));
    for (to, row) in values.zip(rows.chunks_exact(stride)) {
        let from = row.get(place.end - len..place.end).unwrap_or(&[]);
        for (to, from) in to.as_chunks_mut::<N>().0.iter_mut().zip(from.as_chunks().0) {
            *to = *from;
        }
        if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk()) {
            *to = *from;
        }
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
