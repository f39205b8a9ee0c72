//! The tables of a layout. [`check`](super::rules::check) fills them, decoding and encoding read them.

use super::field::{Field, Limits, Shape};
use super::point::{Access, Protocol};
#[cfg(target_pointer_width = "64")]
use super::{runs::Runs, sizes::Sizes, spare::Spare};
use crate::error::PointId;
use crate::value::Scale;

/// The numbers that describe a layout as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub(crate) protocol: Protocol,
    pub(crate) points: u16,
    pub(crate) writable: u16,
    pub(crate) scales: u16,
    pub(crate) status_len: u16,
    pub(crate) writable_len: u16,
    /// The length in bytes of the bit area in a var_len message with all points.
    pub(crate) area_len: u16,
    #[cfg(target_pointer_width = "64")]
    pub(crate) sizes: Sizes,
    #[cfg(target_pointer_width = "64")]
    pub(crate) spare: Spare,
    #[cfg(target_pointer_width = "64")]
    pub(crate) runs: Runs,
}

impl Head {
    pub(crate) const EMPTY: Head = Head {
        protocol: Protocol::Standard,
        points: 0,
        writable: 0,
        scales: 0,
        status_len: 0,
        writable_len: 0,
        area_len: 0,
        #[cfg(target_pointer_width = "64")]
        sizes: Sizes::NONE,
        #[cfg(target_pointer_width = "64")]
        spare: Spare::UNKNOWN,
        #[cfg(target_pointer_width = "64")]
        runs: Runs::NONE,
    };

    /// Returns the number of points.
    pub const fn point_count(&self) -> usize {
        self.points as usize
    }

    /// Returns the number of different scales, not counting the identity.
    pub const fn scale_count(&self) -> usize {
        self.scales as usize
    }
}

/// The tables that [`check`](super::rules::check) fills: a field and limits for each point, and the different
/// scales. A slice that is too short is an error of the check.
#[derive(Debug)]
pub struct Tables<'t> {
    /// The fields, one for each point.
    pub fields: &'t mut [Field],
    /// The limits, one for each point.
    pub limits: &'t mut [Limits],
    /// The different scales, not counting the identity.
    pub scales: &'t mut [Scale],
}

/// A reference to a layout. Decoding and encoding take it by value: copying it is cheap.
///
/// ```
/// use gizwits_codec_core::{Access, Layout, Point, PointId, Protocol, UintSpec};
///
/// static LAYOUT: Layout<2> = Layout::must(
///     Protocol::Standard,
///     &[
///         Point::bool(0, Access::Writable, 0, 0),
///         Point::uint8(1, Access::ReadOnly, 1, UintSpec::new(16, 30)),
///     ],
/// );
/// let layout = LAYOUT.get();
/// assert_eq!((layout.point_count(), layout.writable_count()), (2, 1));
/// assert_eq!((layout.status_len(), layout.writable_len(), layout.flags_len()), (2, 1, 1));
/// assert_eq!(layout.access(PointId(1)), Some(Access::ReadOnly));
/// assert_eq!(layout.limits(PointId(1)), Some((16, 30)));
/// assert_eq!(layout.limits(PointId(2)), None);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct LayoutRef<'l> {
    pub(crate) head: &'l Head,
    pub(crate) fields: &'l [Field],
    pub(crate) limits: &'l [Limits],
    pub(crate) scales: &'l [Scale],
}

impl<'l> LayoutRef<'l> {
    /// Creates a reference to the layout that [`check`](super::rules::check) wrote into these tables.
    #[inline]
    pub const fn new(
        head: &'l Head,
        fields: &'l [Field],
        limits: &'l [Limits],
        scales: &'l [Scale],
    ) -> Self {
        LayoutRef {
            head,
            fields: head_of(fields, head.point_count()),
            limits: head_of(limits, head.point_count()),
            scales: head_of(scales, head.scale_count()),
        }
    }

    /// Returns the protocol: standard or var_len.
    #[inline]
    pub const fn protocol(self) -> Protocol {
        self.head.protocol
    }

    /// Returns the number of points. Their ids are 0 to `point_count - 1`.
    #[inline]
    pub const fn point_count(self) -> u16 {
        self.head.points
    }

    /// Returns the number of writable points. In a standard product their ids are 0 to `writable_count - 1`.
    #[inline]
    pub const fn writable_count(self) -> u16 {
        self.head.writable
    }

    /// Returns the length in bytes of a complete status. For a var_len product, these are the bytes after the
    /// mask in a message with all points.
    #[inline]
    pub const fn status_len(self) -> usize {
        self.head.status_len as usize
    }

    /// Returns the length in bytes of the writable section of a standard product: the first bytes of the
    /// status, and the `attr_vals` of a control. Returns 0 for a var_len product.
    #[inline]
    pub const fn writable_len(self) -> usize {
        self.head.writable_len as usize
    }

    /// Returns the length in bytes of the bitmap of a message: the `attr_flags` in the control of a standard
    /// product, with a bit for each writable point, or the mask of a var_len message, with a bit for each
    /// point.
    #[inline]
    pub const fn flags_len(self) -> usize {
        match self.head.protocol {
            Protocol::Standard => self.head.writable.wrapping_add(7) as usize / 8,
            Protocol::VarLen => self.mask_len(),
        }
    }

    /// Returns the number of different scales, not counting the identity.
    pub const fn scale_count(self) -> usize {
        self.head.scale_count()
    }

    /// Returns the length in bytes of a bitmap of all points.
    #[inline]
    pub const fn mask_len(self) -> usize {
        self.head.points.wrapping_add(7) as usize / 8
    }

    /// Returns the access to a point, or `None` if the product has no such point.
    pub fn access(self, id: PointId) -> Option<Access> {
        Some(self.field(id)?.access)
    }

    /// Returns the minimum and the maximum raw value of a point, or the length of a binary twice.
    pub fn limits(self, id: PointId) -> Option<(u32, u32)> {
        let limits = self.limits.get(id.index())?;
        Some((limits.min, limits.max))
    }

    /// Returns the scale of a point. All kinds but integers have [`Scale::IDENTITY`].
    pub fn scale(self, id: PointId) -> Option<Scale> {
        Some(*self.scale_of(self.field(id)?))
    }

    #[inline]
    pub(crate) fn field(self, id: PointId) -> Option<&'l Field> {
        self.fields.get(id.index())
    }

    #[inline]
    pub(crate) fn scale_of(self, field: &Field) -> &'l Scale {
        match (field.shape, field.aux.checked_sub(1)) {
            (Shape::Uint, Some(index)) => self
                .scales
                .get(usize::from(index))
                .unwrap_or(&Scale::IDENTITY),
            _ => &Scale::IDENTITY,
        }
    }
}

/// Returns the first `len` rows.
const fn head_of<T>(rows: &[T], len: usize) -> &[T] {
    match rows.split_at_checked(len) {
        Some((head, _)) => head,
        None => rows,
    }
}

impl PartialEq for LayoutRef<'_> {
    /// Layouts are equal if they have the same points at the same offsets. Their capacity makes no
    /// difference.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        if core::ptr::eq(self.fields, other.fields) && core::ptr::eq(self.scales, other.scales) {
            return true;
        }
        self.is_equal(other)
    }
}

impl LayoutRef<'_> {
    /// Compares the tables of different layouts.
    #[cold]
    fn is_equal(&self, other: &Self) -> bool {
        self.head == other.head
            && self.fields == other.fields
            && self.limits == other.limits
            && self.scales == other.scales
    }
}

impl Eq for LayoutRef<'_> {}
