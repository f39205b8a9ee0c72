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

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::RunKind::{Binaries, Each, UnitWords, Words};
    use super::*;
    use crate::{Access, Decimal, Layout, Point, Protocol, UintSpec};

    /// Returns the runs of a product. A letter is a point: a `u`int32 whose coefficient is the raw value, a `d`ouble one,
    /// one with an `o`ffset, a uint`1`6, or a `b`inary. A space is a byte without a point.
    fn runs(letters: &str) -> Vec<(RunKind, u16)> {
        let (mut points, mut offset) = (Vec::new(), 0);
        for letter in letters.bytes() {
            let id = points.len() as u16;
            let spec = UintSpec::new(0, 100);
            let doubled = spec.scaled(Decimal::new(2, 0), Decimal::ZERO);
            let shifted = spec.scaled(Decimal::ONE, Decimal::ONE);
            let (point, len) = match letter {
                b'u' => (Point::uint32(id, Access::Writable, offset, spec), 4),
                b'd' => (Point::uint32(id, Access::Writable, offset, doubled), 4),
                b'o' => (Point::uint32(id, Access::Writable, offset, shifted), 4),
                b'1' => (Point::uint16(id, Access::Writable, offset, spec), 2),
                b'b' => (Point::binary(id, Access::Writable, offset, 3), 3),
                _ => {
                    offset += 1;
                    continue;
                }
            };
            points.push(point);
            offset += len;
        }
        let layout: Layout<128> = Layout::new(Protocol::Standard, &points).unwrap();
        let runs = layout.get().head.runs;
        assert_eq!(runs, Runs::new(layout.get().fields));
        runs.list().iter().map(|run| (run.kind, run.len)).collect()
    }

    #[test]
    fn a_run_has_points_that_are_decoded_alike() {
        assert_eq!(runs("uuuu"), [(UnitWords, 4)]);
        assert_eq!(runs("uuu"), [(Each, 3)]);
        assert_eq!(runs("ddddd"), [(Words, 5)]);
        assert_eq!(runs("oooo"), [(Words, 4)]);
        assert_eq!(runs("bbbb"), [(Binaries, 4)]);
        assert_eq!(runs("b b bb"), [(Binaries, 4)]);
        assert_eq!(runs("11111111"), [(Each, 8)]);
        assert_eq!(runs("uuuu uuuu"), [(UnitWords, 4), (UnitWords, 4)]);
        assert_eq!(runs("uu uu"), [(Each, 4)]);
        assert_eq!(runs("uuuudddd"), [(UnitWords, 4), (Words, 4)]);
        assert_eq!(runs("uuu1uuuu1"), [(Each, 4), (UnitWords, 4), (Each, 1)]);
        assert_eq!(
            runs("uuuubbbb111"),
            [(UnitWords, 4), (Binaries, 4), (Each, 3)]
        );
        assert_eq!(runs("u1u1bbub"), [(Each, 8)]);
    }

    /// The last of the runs that there is room for has all other points, each decoded by itself.
    #[test]
    fn more_runs_than_there_is_room_for() {
        for count in 1..16 {
            let letters: std::string::String =
                ["uuuu", "bbbb"].into_iter().cycle().take(count).collect();
            let found = runs(&letters);
            assert_eq!(found.len(), count.min(Runs::MOST));
            let points: usize = found.iter().map(|(_, len)| usize::from(*len)).sum();
            assert_eq!(points, letters.len());
            let last = match count {
                ..=12 if count % 2 == 1 => UnitWords,
                ..=12 => Binaries,
                _ => Each,
            };
            assert_eq!(found[found.len() - 1].0, last);
        }
    }
}
