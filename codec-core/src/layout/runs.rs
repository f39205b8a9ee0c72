//! Runs of equal points in a whole status, which 64-bit machines decode with one loop each.

use super::field::{Field, Shape};

/// The runs of a whole status: consecutive points that are decoded alike, and the points between such runs.
///
/// Four or more points that are decoded alike have a loop of their own, which reads one kernel for all of them. This
/// takes a quarter of the instructions that a loop over their fields takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    runs: [Run; Runs::MOST],
    /// The number of runs.
    len: u16,
}

/// Consecutive points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) kind: RunKind,
    /// The number of points.
    pub(crate) len: u16,
}

/// How the numbers of a run are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunKind {
    /// Each point with its own kernel.
    Each,
    /// Adjacent integers of 32 bits with one scale.
    Words,
    /// Adjacent integers of 32 bits with one scale, whose coefficients are the raw values.
    UnitWords,
    /// Binaries, which have no number.
    Binaries,
}

impl Runs {
    const MOST: usize = 12;
    /// The least number of equal points for which a loop of their own is faster.
    const LONG: usize = 4;
    pub(crate) const NONE: Runs = Runs {
        runs: [Run {
            kind: RunKind::Each,
            len: 0,
        }; Runs::MOST],
        len: 0,
    };

    /// Finds the runs of all points of a product.
    #[expect(clippy::arithmetic_side_effects, reason = "the loop bounds it")]
    pub(crate) const fn new(fields: &[Field]) -> Self {
        let mut runs = Runs::NONE;
        let mut id = 0;
        while id < fields.len() {
            let mut end = id + 1;
            while end < fields.len() && follows(&fields[end - 1], &fields[end]) {
                end += 1;
            }
            let kind = match fields[id].shape {
                _ if end - id < Runs::LONG => RunKind::Each,
                Shape::Binary => RunKind::Binaries,
                _ if fields[id].kernel.is_unit() => RunKind::UnitWords,
                _ => RunKind::Words,
            };
            runs.add(kind, (end - id) as u16);
            id = end;
        }
        runs
    }

    /// Adds points to the last run, or a run. The last run of a full table takes all points that follow.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a product has at most 1,024 points"
    )]
    const fn add(&mut self, kind: RunKind, len: u16) {
        let last = (self.len as usize).saturating_sub(1);
        let is_each = matches!((self.runs[last].kind, kind), (RunKind::Each, RunKind::Each));
        if self.len > 0 && (is_each || self.len as usize == Runs::MOST) {
            self.runs[last].kind = RunKind::Each;
            self.runs[last].len += len;
        } else {
            self.runs[self.len as usize] = Run { kind, len };
            self.len += 1;
        }
    }

    /// Returns the runs in the order of their points.
    #[inline]
    pub(crate) fn list(&self) -> &[Run] {
        self.runs.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

/// Returns whether `next` is decoded like `one`: whether both are binaries, or `next` is an integer of 32 bits directly
/// after another one with the same scale.
const fn follows(one: &Field, next: &Field) -> bool {
    match (one.shape, next.shape) {
        (Shape::Binary, Shape::Binary) => true,
        (Shape::Uint, Shape::Uint) => {
            one.drop == 0
                && next.drop == 0
                && one.aux == next.aux
                && one.end.wrapping_add(4) == next.end
        }
        _ => false,
    }
}
