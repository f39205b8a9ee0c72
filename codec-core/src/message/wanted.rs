//! The points that a read asks for.

use crate::bits;
use crate::error::PointId;
use crate::layout::Mask;

/// The points that a read asks for.
///
/// A read of a standard product asks for all points. So does a read of a var_len product whose mask consists
/// of ff bytes only, of any length: some senders use the same mask for every product.
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
    /// The mask as received: of the length for all points, or only ff bytes. Empty in a standard read.
    mask: Mask<'b>,
}

impl<'b> Wanted<'b> {
    /// Returns the points that a mask asks for in a product with `points` points, or `None` if the mask
    /// neither has the length for all points nor consists of ff bytes only.
    pub(crate) fn new(points: u16, mask: Mask<'b>) -> Option<Self> {
        let wanted = Wanted { points, mask };
        let len = usize::from(points.div_ceil(8));
        (mask.bytes().len() == len || !mask.bytes().is_empty() && wanted.is_ones())
            .then_some(wanted)
    }

    /// Returns the points that a read of a standard product asks for: all of its `points` points.
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

    /// Returns whether the read asks for all points.
    pub fn is_all(self) -> bool {
        self.is_ones() || self.mask.is_full(self.points)
    }

    /// Returns whether the read asks for the point with this id.
    pub fn contains(self, id: PointId) -> bool {
        id.0 < self.points && (self.is_ones() || self.mask.contains(id))
    }

    /// Returns the ids of the wanted points in ascending order.
    pub fn ids(self) -> impl Iterator<Item = PointId> + use<'b> {
        let (all, some) = match self.is_all() {
            true => (self.points, Mask::new(&[])),
            false => (0, self.mask),
        };
        let some = some.ids().take_while(move |id| id.0 < self.points);
        (0..all).map(PointId).chain(some)
    }

    /// Returns the numbers of the surplus flags in ascending order: the set bits of the mask that belong to
    /// no point.
    pub fn surplus_flags(self) -> impl Iterator<Item = u16> + use<'b> {
        self.mask.surplus(self.points)
    }

    /// Writes the mask as an encoder would: with the length for all points and without surplus flags.
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
