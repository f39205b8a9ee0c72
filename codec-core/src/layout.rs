//! The layout of a product: the table of numbers that decoding and encoding read.
//!
//! A layout has no strings and no lifetimes. The same `const fn` makes it in a `static` of a firmware and at
//! run time on a server.
//!
//! The [`rules`] check the [`Point`]s of a product and fill the [`Tables`], which a [`LayoutRef`] reads. A
//! [`Mask`] is the set of points in a message. Layout and mask together determine the offsets in a var_len
//! message.

mod field;
#[cfg(target_pointer_width = "64")]
mod kernel;
mod mask;
mod packing;
mod point;
pub mod rules;
#[cfg(target_pointer_width = "64")]
mod runs;
#[cfg(target_pointer_width = "64")]
mod sizes;
#[cfg(target_pointer_width = "64")]
mod spare;
mod tables;

pub use field::{Field, Limits};
pub(crate) use field::{Location, Shape};
pub use mask::{Ids, Mask};
pub(crate) use packing::Packing;
pub use point::{Access, Kind, Point, Position, Protocol, UintSpec, Unit};
use rules::{Findings, check};
#[cfg(target_pointer_width = "64")]
pub(crate) use runs::{RunKind, Runs};
pub use tables::{Head, LayoutRef, Tables};

use crate::error::{ConstText, Error, ErrorKind};
use crate::value::Scale;

/// The layout of a product with at most `N` points and at most `S` different scales, not counting the
/// identity scale (ratio 1, addition 0).
///
/// ```
/// use gizwits_codec_core::{Access, Layout, Point, PointId, Protocol, UintSpec, Value};
///
/// // The compiler checks the layout: two points that overlap, for example, do not build.
/// static LAYOUT: Layout<2> = Layout::must(
///     Protocol::Standard,
///     &[
///         Point::bool(0, Access::Writable, 0, 0),
///         Point::uint8(1, Access::Writable, 1, UintSpec::new(16, 30)),
///     ],
/// );
/// let view = LAYOUT.get().view(&[0x01, 0x18])?;
/// assert_eq!(view.get(PointId(1)), Some(Value::Number(24.into())));
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout<const N: usize, const S: usize = 4> {
    head: Head,
    fields: [Field; N],
    limits: [Limits; N],
    scales: [Scale; S],
}

impl<const N: usize, const S: usize> Layout<N, S> {
    /// Creates the layout of these points.
    ///
    /// # Errors
    /// The first rule that the points break, with the points and the position. [`check`] describes the rules.
    ///
    /// # Examples
    /// ```
    /// use gizwits_codec_core::{Access, ErrorKind, Layout, Point, Protocol, UintSpec};
    ///
    /// let points = [
    ///     Point::bool(0, Access::Writable, 0, 0),
    ///     Point::uint8(1, Access::Writable, 1, UintSpec::new(16, 300)),
    /// ];
    /// let error = Layout::<2>::new(Protocol::Standard, &points).unwrap_err();
    /// assert_eq!(error.kind, ErrorKind::MaxTooLarge);
    /// assert_eq!(error.point.map(|id| id.0), Some(1));
    /// ```
    pub const fn new(protocol: Protocol, points: &[Point]) -> Result<Self, Error> {
        let mut layout = Layout {
            head: Head::EMPTY,
            fields: [Field::EMPTY; N],
            limits: [Limits::EMPTY; N],
            scales: [Scale::IDENTITY; S],
        };
        let mut first = [Error::new(ErrorKind::NoPoints)];
        let mut findings = Findings::errors(&mut first);
        let tables = Tables {
            fields: &mut layout.fields,
            limits: &mut layout.limits,
            scales: &mut layout.scales,
        };
        layout.head = check(protocol, points, points.len(), tables, &mut findings);
        match findings.first() {
            Some(error) => Err(error),
            None => Ok(layout),
        }
    }

    /// Creates the layout in a `const` or `static`. Points that break a rule are a compile error there, whose
    /// message names the points and the position. At run time, use [`new`](Self::new).
    ///
    /// ```compile_fail
    /// use gizwits_codec_core::{Access, Layout, Point, Protocol};
    ///
    /// // error: the point overlaps another point: point 1, point 0, byte 0, bit 0
    /// static LAYOUT: Layout<2> = Layout::must(
    ///     Protocol::Standard,
    ///     &[Point::bool(0, Access::Writable, 0, 0), Point::bool(1, Access::Writable, 0, 0)],
    /// );
    /// ```
    ///
    /// # Panics
    /// If the points break a rule.
    #[must_use]
    #[expect(clippy::panic, reason = "in a constant, the panic is a compile error")]
    pub const fn must(protocol: Protocol, points: &[Point]) -> Self {
        match Self::new(protocol, points) {
            Ok(layout) => layout,
            Err(error) => panic!("{}", ConstText::of(&error).as_str()),
        }
    }

    /// Returns a reference to the layout, without its capacity in the type.
    #[inline]
    pub const fn get(&self) -> LayoutRef<'_> {
        LayoutRef::new(&self.head, &self.fields, &self.limits, &self.scales)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]
mod tests {
    extern crate std;

    use super::*;
    use crate::error::PointId;
    use crate::value::{Decimal, Scale};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        /// Whatever the order of the scales, and of the points: each scale is stored once, the table is sorted, and
        /// each point has its own.
        #[test]
        fn scales_are_sorted(
            seeds in vec((1_i64..40, 0_u8..3, 0_i64..3), 1..40),
            swaps in vec((any::<usize>(), any::<usize>()), 0..40),
            spare in 0_usize..2,
        ) {
            let point = |(id, (ratio, places, addition)): (u16, &(i64, u8, i64))| {
                let (ratio, addition) = (Decimal::new(*ratio, *places), Decimal::new(*addition, 0));
                let spec = UintSpec::new(0, 100).scaled(ratio, addition);
                Point::uint8(id, Access::ReadOnly, id.into(), spec)
            };
            let mut points: Vec<Point> = (0..).zip(&seeds).map(point).collect();
            let scales = |points: &[Point]| {
                let (mut fields, mut limits) = ([Field::EMPTY; 40], [Limits::EMPTY; 40]);
                let mut scales = [Scale::IDENTITY; 41];
                let mut expected: Vec<_> = points.iter().map(|one| one.scale().unwrap().sort_key()).collect();
                expected.retain(|key| *key != Scale::IDENTITY.sort_key());
                expected.sort_unstable();
                expected.dedup();
                let tables = Tables {
                    fields: &mut fields,
                    limits: &mut limits,
                    scales: scales.get_mut(..expected.len() + spare).unwrap(),
                };
                let mut room = [Error::new(ErrorKind::NoPoints); 1];
                let mut findings = Findings::errors(&mut room);
                let head = check(Protocol::Standard, points, points.len(), tables, &mut findings);
                prop_assert_eq!(findings.first(), None);
                let layout = LayoutRef::new(&head, &fields, &limits, &scales);
                let keys: Vec<_> = layout.scales.iter().map(|scale| scale.sort_key()).collect();
                prop_assert_eq!(keys, expected);
                for point in points {
                    prop_assert_eq!(layout.scale(PointId(point.id)), point.scale().ok());
                }
                Ok(())
            };
            scales(&points)?;
            for (one, two) in swaps {
                let len = points.len();
                points.swap(one % len, two % len);
            }
            scales(&points)?;
        }
    }
}
