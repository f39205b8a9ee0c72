//! A shortcut of 64-bit machines through whole statuses: a loop of vectors for each run of equal integers.

use super::field::{Field, Shape};

/// The runs of a whole status: integers of 32 bits with one scale in a row, and what is between them.
///
/// Four or more such integers are decoded by one loop without a look at their fields, of which the compiler makes
/// vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EqualRuns {
    /// The first id of each run, with [`Self::EQUAL`] if its points are equal; then the number of points.
    starts: [u16; EqualRuns::MOST + 1],
    /// The number of runs.
    len: u16,
}

impl EqualRuns {
    const MOST: usize = 12;
    /// The number of equal points from which a loop of their own is faster.
    const LONG: usize = 4;
    /// Ids are below 1,024.
    const EQUAL: u16 = 0x8000;
    pub(crate) const NONE: EqualRuns = EqualRuns {
        starts: [0; EqualRuns::MOST + 1],
        len: 0,
    };

    /// The runs of all these points.
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
                    // More runs than there is room for: all points are one.
                    runs = EqualRuns::NONE;
                    runs.len = 1;
                    runs.starts[1] = fields.len() as u16;
                    return runs;
                }
                let flag = if is_equal { EqualRuns::EQUAL } else { 0 };
                runs.starts[runs.len as usize] = id as u16 | flag;
                runs.len += 1;
            }
            // What comes behind equal points is another run.
            starts_run = is_equal;
            id = end;
        }
        runs.starts[runs.len as usize] = fields.len() as u16;
        runs
    }

    /// The runs of these fields in order, each with whether its points are equal.
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

/// Whether a field is an integer of 32 bits right behind another with the same scale.
const fn follows(one: &Field, next: &Field) -> bool {
    let both = matches!((one.shape, next.shape), (Shape::Uint, Shape::Uint));
    both && one.drop == 0
        && next.drop == 0
        && one.aux == next.aux
        && one.end.wrapping_add(4) == next.end
}
