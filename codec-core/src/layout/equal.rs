//! Runs of equal integers in a whole status, which 64-bit machines decode with one loop each.

use super::field::{Field, Shape};

/// The runs of a whole status: consecutive integers of 32 bits that have the same scale, and the points between such
/// runs.
///
/// A run of four or more such integers is decoded by a loop that reads one field for all of them. This takes a
/// third of the instructions that a loop over their fields takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EqualRuns {
    /// The first id of each run, with [`Self::EQUAL`] if its points are equal; then the number of points.
    starts: [u16; EqualRuns::MOST + 1],
    /// The number of runs.
    len: u16,
}

impl EqualRuns {
    const MOST: usize = 12;
    /// The least number of equal points for which a loop of their own is faster.
    const LONG: usize = 4;
    /// The flag of a run of equal points. Ids are below 1,024, so it is never a bit of an id.
    const EQUAL: u16 = 0x8000;
    pub(crate) const NONE: EqualRuns = EqualRuns {
        starts: [0; EqualRuns::MOST + 1],
        len: 0,
    };

    /// Finds the runs of all points of a product.
    #[expect(clippy::arithmetic_side_effects, reason = "the loop bounds it")]
    pub(crate) const fn new(fields: &[Field]) -> Self {
        let mut runs = EqualRuns::NONE;
        let mut id = 0;
        let mut starts_run = true;
        while id < fields.len() {
            let mut end = id + 1;
            while end < fields.len() && follows(&fields[end - 1], &fields[end]) {
                end += 1;
            }
            let is_equal = end - id >= EqualRuns::LONG;
            if is_equal || starts_run {
                if runs.len as usize == EqualRuns::MOST {
                    // More runs than the table holds: all points are one run.
                    runs = EqualRuns::NONE;
                    runs.len = 1;
                    runs.starts[1] = fields.len() as u16;
                    return runs;
                }
                let flag = if is_equal { EqualRuns::EQUAL } else { 0 };
                runs.starts[runs.len as usize] = id as u16 | flag;
                runs.len += 1;
            }
            // The points after equal points are another run.
            starts_run = is_equal;
            id = end;
        }
        runs.starts[runs.len as usize] = fields.len() as u16;
        runs
    }

    /// Returns the fields of each run in order, each with whether its points are equal.
    #[inline]
    pub(crate) fn split<'f>(
        &self,
        fields: &'f [Field],
    ) -> impl Iterator<Item = (bool, &'f [Field])> {
        let starts = self.starts.get(..=usize::from(self.len)).unwrap_or(&[]);
        starts.array_windows().map(|[start, end]| {
            let ids = usize::from(start & !EqualRuns::EQUAL)..usize::from(end & !EqualRuns::EQUAL);
            (
                start & EqualRuns::EQUAL != 0,
                fields.get(ids).unwrap_or(&[]),
            )
        })
    }
}

/// Returns whether `next` is an integer of 32 bits directly after another one with the same scale.
const fn follows(one: &Field, next: &Field) -> bool {
    let both = matches!((one.shape, next.shape), (Shape::Uint, Shape::Uint));
    both && one.drop == 0
        && next.drop == 0
        && one.aux == next.aux
        && one.end.wrapping_add(4) == next.end
}
