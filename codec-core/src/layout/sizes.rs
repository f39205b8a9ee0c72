//! The sizes of the points of a var_len product, as 64-bit machines add them up: a popcount for each bit of a size.

use super::field::{Field, Room};

/// The sizes of the points of a var_len product as bit planes: plane n is the set of points whose [`Room`] has bit n
/// set. The space of the points of a mask is the sum of the popcounts of mask and planes, whatever the mask.
///
/// ```text
/// sizes 1, 1, 2, 3  ->  plane 0 = points 0, 1, 3; plane 1 = points 2, 3
/// points 0, 1, 3    ->  3 * 1 + 1 * 2 = 5
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    planes: [Plane; Sizes::MOST],
    /// All points, as the words of a [`Mask`](super::Mask).
    points: [u64; 2],
    /// The number of planes, or 0 if the product has more planes than the table holds, or more points than two words
    /// have bits.
    len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plane {
    /// The points with this bit in their size, as the words of a [`Mask`](super::Mask).
    points: [u64; 2],
    /// The number of the bit.
    bit: u32,
}

impl Sizes {
    const MOST: usize = 10;
    /// The number of present points up to which one step for each point is as fast. Without an instruction for it, a
    /// popcount takes a dozen others.
    const FEW: u32 = if cfg!(target_feature = "popcnt") {
        4
    } else {
        12
    };
    pub(crate) const NONE: Sizes = Sizes {
        planes: [Plane {
            points: [0; 2],
            bit: 0,
        }; Sizes::MOST],
        points: [0; 2],
        len: 0,
    };

    /// Returns the sizes of these points.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the loops limit the indexes"
    )]
    pub(crate) const fn new(fields: &[Field]) -> Self {
        let mut sizes = Sizes::NONE;
        if fields.len() > 128 {
            return sizes;
        }
        let mut id = 0;
        while id < fields.len() {
            sizes.points[id / 64] |= 1 << (id % 64);
            let mut room = fields[id].room().0;
            while room != 0 {
                let bit = room.trailing_zeros();
                room &= room - 1;
                let mut n = 0;
                while n < sizes.len && sizes.planes[n].bit != bit {
                    n += 1;
                }
                if n == Sizes::MOST {
                    return Sizes::NONE;
                }
                sizes.planes[n].bit = bit;
                sizes.planes[n].points[id / 64] |= 1 << (id % 64);
                if n == sizes.len {
                    sizes.len += 1;
                }
            }
            id += 1;
        }
        sizes
    }

    /// Returns whether the table has the sizes of the product.
    #[inline]
    pub(crate) fn is_known(&self) -> bool {
        self.len > 0
    }

    /// Returns whether a mask has all points. Requires a table that [`is_known`](Self::is_known).
    #[inline]
    pub(crate) fn is_full(&self, words: [u64; 2]) -> bool {
        let is_full = |(word, points): (u64, u64)| word & points == points;
        words.into_iter().zip(self.points).all(is_full)
    }

    /// Returns the space that the points of a mask take. Requires the fields and a table that [`is_known`](Self::is_known).
    #[inline]
    pub(crate) fn room(&self, fields: &[Field], words: [u64; 2]) -> Room {
        let [low, high] = words;
        let mut room = Room(0);
        if low.count_ones().wrapping_add(high.count_ones()) <= Sizes::FEW {
            for (mut word, base) in words.into_iter().zip([0, 64]) {
                while word != 0 {
                    let id = word.trailing_zeros() as usize | base;
                    word &= word.wrapping_sub(1);
                    room = room.and(fields.get(id).map_or(Room(0), |field| field.room));
                }
            }
            return room;
        }
        for plane in self.planes.iter().take(self.len) {
            let [one, two] = plane.points;
            let count = (low & one)
                .count_ones()
                .wrapping_add((high & two).count_ones());
            room = room.and(Room(count.wrapping_shl(plane.bit)));
        }
        room
    }
}
