//! A shortcut through var_len messages on 64-bit machines: a popcount for each run of points.

use super::field::{Field, Room};
use crate::error::PointId;

/// The runs of a var_len product: consecutive points that take the same space. The space of the points that
/// are present is one popcount for each run. With more than a few points present, that is faster than one
/// step for each point.
///
/// The benchmark `decode` compares the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    /// The first id of each run. No run crosses a multiple of 64, so that its bits are in one word.
    first: [u16; Runs::MOST],
    /// The number of runs, or 0 if the product has more than [`Runs::MOST`] runs, or more points than two
    /// words have bits.
    len: u16,
}

impl Runs {
    const MOST: usize = 12;
    /// The number of present points up to which one step for each point is as fast.
    const FEW: u32 = 10;
    pub(crate) const NONE: Runs = Runs {
        first: [0; Runs::MOST],
        len: 0,
    };

    /// Returns the runs of these points.
    #[expect(clippy::arithmetic_side_effects, reason = "the loop limits the index")]
    pub(crate) const fn new(fields: &[Field]) -> Self {
        let mut runs = Runs::NONE;
        let mut id = 0;
        while id < fields.len() {
            if id % 64 == 0 || fields[id].room().0 != fields[id - 1].room().0 {
                if id >= 128 || runs.len as usize == Runs::MOST {
                    return Runs::NONE;
                }
                runs.first[runs.len as usize] = id as u16;
                runs.len += 1;
            }
            id += 1;
        }
        runs
    }

    /// Returns the space that the present points below `end` take, or `None` if a step for each point is
    /// faster.
    #[inline]
    pub(crate) fn room(&self, fields: &[Field], mask: [usize; 2], end: PointId) -> Option<Room> {
        let runs = self.first.get(..usize::from(self.len))?;
        let [low, high] = mask;
        if runs.is_empty() || low.count_ones().wrapping_add(high.count_ones()) <= Runs::FEW {
            return None;
        }
        let points = fields.len() as u16;
        let mut room = Room(0);
        let ends = runs.iter().skip(1).chain(core::iter::once(&points));
        for (first, last) in runs.iter().zip(ends) {
            let count = end.0.min(*last).saturating_sub(*first);
            if count == 0 {
                break;
            }
            // A run is within one word, so `count` is 1 to 64, and the shift 0 for 64.
            let word = if *first < 64 { low } else { high };
            let above = word.wrapping_shr(u32::from(*first)) << (64_u16.wrapping_sub(count) & 63);
            let each = fields.get(usize::from(*first))?.room();
            room = room.and(Room(each.0.wrapping_mul(above.count_ones())));
        }
        Some(room)
    }
}
