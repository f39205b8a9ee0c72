//! The layout: a table of numbers that drives every decode and encode.
//!
//! A layout has no strings and no lifetimes, so the same `const fn` makes it in a `static` of a
//! firmware and at run time on a server.
//!
//! The [`rules`] check the [`Point`]s of a product and fill the [`Tables`]; a [`LayoutRef`] reads them. A
//! [`Mask`] names the points that a message has, and the packing of a var_len message follows from both.

#[cfg(target_pointer_width = "64")]
mod equal;
mod field;
#[cfg(target_pointer_width = "64")]
mod kernel;
mod mask;
mod packing;
mod point;
pub mod rules;
#[cfg(target_pointer_width = "64")]
mod runs;
mod tables;

pub use field::{Field, Limits};
pub(crate) use field::{Location, Shape};
pub use mask::{Ids, Mask};
pub(crate) use packing::Packing;
pub use point::{Access, Kind, Point, Position, Protocol, UintSpec, Unit};
use rules::{Findings, check};
pub use tables::{Head, LayoutRef, Tables};

use crate::error::{Error, ErrorKind};
use crate::value::Scale;

/// The layout of a product of at most `N` points with at most `S` different scales, the identity
/// not counted.
///
/// ```
/// use gizwits_codec_core::{Access, Layout, Point, PointId, Protocol, UintSpec, Value};
///
/// // Checked by the compiler: an overlap, say, does not build.
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
    /// Lays the points out.
    ///
    /// # Errors
    /// The first rule that the points break, with the points and the place; see [`check`].
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

    /// Lays the points out in a `const` or `static`, where a definition that breaks a rule is a
    /// compile error. At run time use [`new`](Self::new).
    ///
    /// # Panics
    /// If the points break a rule.
    #[must_use]
    #[expect(clippy::panic, reason = "for constants: it panics in the compiler")]
    pub const fn must(protocol: Protocol, points: &[Point]) -> Self {
        match Self::new(protocol, points) {
            Ok(layout) => layout,
            Err(error) => panic!("{}", error.kind.text()),
        }
    }

    /// The layout without its capacity in the type.
    #[inline]
    pub const fn get(&self) -> LayoutRef<'_> {
        LayoutRef::new(&self.head, &self.fields, &self.limits, &self.scales)
    }
}
