//! The rows of a picture: each byte stands in one of them, once.

use std::collections::BTreeMap;

use gizwits_codec_std::Product;
use gizwits_codec_std::core::{Protocol, Unit, View};

/// One line of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// A byte of a bit area: the ids of the points that have its bits, bit 7 first, and the area's
    /// number of its bit 0 unless the area has no other byte.
    Bits {
        byte: usize,
        bits: [Option<usize>; 8],
        lowest: Option<u32>,
    },
    /// Bytes `first..=last` of the point `id`, beginning with its byte number `part`.
    Bytes {
        first: usize,
        last: usize,
        id: usize,
        part: usize,
    },
    /// Bytes that hold no point, and what they are instead.
    Other {
        first: usize,
        last: usize,
        what: String,
    },
}

/// A binary of more bytes is drawn as one band.
pub(super) const BAND: usize = 4;

/// The rows so far: each byte stands in one of them, once.
pub(super) struct Rows<'p> {
    product: &'p Product,
    pub(super) rows: Vec<Row>,
    /// The first byte that is in none.
    pub(super) next: usize,
}

impl<'p> Rows<'p> {
    pub(super) fn new(product: &'p Product) -> Self {
        Rows {
            product,
            rows: Vec::new(),
            next: 0,
        }
    }

    /// `len` bytes that hold no point.
    pub(super) fn other(&mut self, len: usize, what: impl Into<String>) {
        if len > 0 {
            let (first, what) = (self.next, what.into());
            self.next += len;
            let last = self.next - 1;
            self.rows.push(Row::Other { first, last, what });
        }
    }

    /// The values of a view, which begin with the next byte.
    pub(super) fn values(&mut self, view: View<'_, '_>) {
        /// The bits of an area: how many, and of which point from which number on.
        type Area = (u32, Vec<(usize, std::ops::Range<u32>)>);
        let base = self.next;
        // By the byte behind it.
        let mut areas: BTreeMap<usize, Area> = BTreeMap::new();
        let mut rows: Vec<Row> = Vec::new();
        let mut packed = None;
        for (reading, attr) in view
            .iter()
            .filter_map(|one| Some((one, self.product.attr(one.id())?)))
        {
            let (id, span) = (attr.id().index(), reading.span());
            let (start, end) = (base + span.bytes.start, base + span.bytes.end);
            let position = &attr.point().position;
            if position.unit == Unit::Byte {
                match end - start {
                    len if len > BAND => rows.push(Row::Bytes {
                        first: start,
                        last: end - 1,
                        id,
                        part: 0,
                    }),
                    len => rows.extend((0..len).map(|part| Row::Bytes {
                        first: start + part,
                        last: start + part,
                        id,
                        part,
                    })),
                }
                continue;
            }
            let (behind, number) = match self.product.protocol() {
                Protocol::Standard => {
                    let number = position.bit_offset;
                    (end + number as usize / 8, number)
                }
                // The first of them has bit 0 of the one area.
                Protocol::VarLen => {
                    let behind = *packed.get_or_insert(end);
                    (behind, 8 * (behind - end) as u32 + u32::from(span.shift))
                }
            };
            let (bits, members) = areas.entry(behind).or_default();
            *bits = (*bits).max(number + position.len);
            members.push((id, number..number + position.len));
        }
        for (behind, (bits, members)) in areas {
            let size = bits.div_ceil(8);
            rows.extend((0..size).map(|n| {
                let mut bits = [None; 8];
                for (cell, bit) in bits.iter_mut().rev().zip(8 * n..) {
                    let owner = members.iter().find(|(_, bits)| bits.contains(&bit));
                    *cell = owner.map(|(id, _)| *id);
                }
                Row::Bits {
                    byte: behind - 1 - n as usize,
                    bits,
                    lowest: (size > 1).then_some(8 * n),
                }
            }));
        }
        rows.sort_by_key(|row| row.bytes().0);
        for row in rows {
            let (first, last) = row.bytes();
            self.other(first.saturating_sub(self.next), "·");
            self.next = last + 1;
            self.rows.push(row);
        }
        self.other((base + view.values().len()).saturating_sub(self.next), "·");
    }
}

impl Row {
    /// Its first and last byte.
    pub(super) fn bytes(&self) -> (usize, usize) {
        match self {
            Row::Bits { byte, .. } => (*byte, *byte),
            Row::Bytes { first, last, .. } | Row::Other { first, last, .. } => (*first, *last),
        }
    }
}

/// Neighbouring bits of one point as one cell; a free bit is a cell of its own.
pub(super) fn spans(bits: &[Option<usize>; 8]) -> impl Iterator<Item = (Option<usize>, usize)> {
    bits.chunk_by(|one, two| one.is_some() && one == two)
        .map(|span| (span[0], span.len()))
}

/// `3`, `3..5`.
pub(super) fn range_of(first: usize, last: usize) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first}..{last}"),
    }
}
