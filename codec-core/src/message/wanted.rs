//! The points that a read asks for.

use crate::bits;
use crate::error::PointId;
use crate::layout::Mask;

/// The points that a read asks for.
///
/// A read of a standard product asks for all points, and so does a read of a var_len product whose mask
/// is nothing but `ff`, of any length: senders are known that use the same mask for every product.
///
/// ```
/// use gizwits_codec_core::{Access, Layout, P0, Point, PointId, Protocol};
///
/// static LAYOUT: Layout<2> = Layout::must(
///     Protocol::VarLen,
///     &[
///         Point::bool(0, Access::Writable, 0, 0),
///         Point::bool(1, Access::Writable, 0, 0),
///     ],
/// );
/// let P0::Read(wanted) = P0::parse(LAYOUT.get(), &[0x12, 0xff, 0xff])? else {
///     panic!("not a read");
/// };
/// assert!(wanted.is_all() && wanted.ids().eq([PointId(0), PointId(1)]));
/// assert!(wanted.surplus_flags().eq(2..16));
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'b> {
    points: u16,
    /// The mask as it came: as long as the points need, or nothing but `ff`; empty in a standard read.
    mask: Mask<'b>,
}

impl<'b> Wanted<'b> {
    /// The points that a mask asks for of a product with so many points; `None` if it is neither as long as
    /// they need nor nothing but `ff`.
    pub(crate) fn new(points: u16, mask: Mask<'b>) -> Option<Self> {
        let wanted = Wanted { points, mask };
        let len = usize::from(points.div_ceil(8));
        (mask.bytes().len() == len || !mask.bytes().is_empty() && wanted.is_ones())
            .then_some(wanted)
    }

    /// The points that a read of a standard product with so many points asks for: all.
    pub(crate) const fn all(points: u16) -> Self {
        Wanted {
            points,
            mask: Mask::new(&[]),
        }
    }

    #[inline]
    fn is_ones(self) -> bool {
        self.mask.bytes().iter().all(|byte| *byte == 0xff)
    }

    /// Whether it asks for all points.
    pub fn is_all(self) -> bool {
        self.is_ones() || self.mask.is_full(self.points)
    }

    /// Whether it asks for the point with this id.
    pub fn contains(self, id: PointId) -> bool {
        id.0 < self.points && (self.is_ones() || self.mask.contains(id))
    }

    /// The ids of the points that it asks for, ascending.
    pub fn ids(self) -> impl Iterator<Item = PointId> + use<'b> {
        let (all, some) = match self.is_all() {
            true => (self.points, Mask::new(&[])),
            false => (0, self.mask),
        };
        let some = some.ids().take_while(move |id| id.0 < self.points);
        (0..all).map(PointId).chain(some)
    }

    /// The numbers of the mask's bits that are set past the last point, ascending: they ask for nothing.
    pub fn surplus_flags(self) -> impl Iterator<Item = u16> + use<'b> {
        self.mask.surplus(self.points)
    }

    /// Writes the mask as an encoder would: just as long as the points need, no bit past them.
    pub(crate) fn put_into(self, mask: &mut [u8]) {
        if self.is_ones() {
            mask.fill(0xff);
        } else {
            bits::copy(mask, self.mask.bytes());
        }
        if let Some(first) = mask.first_mut() {
            *first &= Mask::top(self.points);
        }
    }
}
