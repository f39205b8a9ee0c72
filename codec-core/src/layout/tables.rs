//! The tables of a layout, which [`check`](super::rules::check) fills and every decode and encode reads.

use super::field::{Field, Limits, Shape};
use super::point::{Access, Protocol};
#[cfg(target_pointer_width = "64")]
use super::{equal::EqualRuns, runs::Runs};
use crate::error::PointId;
use crate::value::Scale;

/// The figures of a layout as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub(crate) protocol: Protocol,
    pub(crate) points: u16,
    pub(crate) writable: u16,
    pub(crate) scales: u16,
    pub(crate) status_len: u16,
    pub(crate) writable_len: u16,
    /// The bytes of the bit area of a var_len message with all points.
    pub(crate) area_len: u16,
    #[cfg(target_pointer_width = "64")]
    pub(crate) runs: Runs,
    #[cfg(target_pointer_width = "64")]
    pub(crate) equal: EqualRuns,
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
        runs: Runs::NONE,
        #[cfg(target_pointer_width = "64")]
        equal: EqualRuns::NONE,
    };

    /// The number of points.
    pub const fn points(&self) -> usize {
        self.points as usize
    }

    /// The number of different scales other than the identity.
    pub const fn scales(&self) -> usize {
        self.scales as usize
    }
}

/// The tables that [`check`](super::rules::check) fills: a field and limits for each point, and the
/// different scales.
#[derive(Debug)]
pub struct Tables<'t> {
    /// The field of each point.
    pub fields: &'t mut [Field],
    /// The limits of each point.
    pub limits: &'t mut [Limits],
    /// A scale for each different one but the identity.
    pub scales: &'t mut [Scale],
}

/// A reference to a layout, which every decode and encode takes. Cheap to copy.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct LayoutRef<'l> {
    pub(crate) head: &'l Head,
    pub(crate) fields: &'l [Field],
    pub(crate) limits: &'l [Limits],
    pub(crate) scales: &'l [Scale],
}

impl<'l> LayoutRef<'l> {
    /// The layout that [`check`](super::rules::check) wrote into these tables.
    #[inline]
    pub const fn new(
        head: &'l Head,
        fields: &'l [Field],
        limits: &'l [Limits],
        scales: &'l [Scale],
    ) -> Self {
        LayoutRef {
            head,
            fields: head_of(fields, head.points()),
            limits: head_of(limits, head.points()),
            scales: head_of(scales, head.scales()),
        }
    }

    /// Standard or var_len.
    #[inline]
    pub const fn protocol(self) -> Protocol {
        self.head.protocol
    }

    /// The number of points; their ids are 0 to one less.
    #[inline]
    pub const fn points(self) -> u16 {
        self.head.points
    }

    /// The number of writable points. In a standard product their ids are 0 to one less.
    #[inline]
    pub const fn writable(self) -> u16 {
        self.head.writable
    }

    /// The bytes of a whole status: of a var_len product what follows the mask of all points.
    #[inline]
    pub const fn status_len(self) -> usize {
        self.head.status_len as usize
    }

    /// The bytes of the writable section of a standard product: the head of the status, and the
    /// `attr_vals` of a control. A var_len product has none: 0.
    #[inline]
    pub const fn writable_len(self) -> usize {
        self.head.writable_len as usize
    }

    /// The bytes of the bitmap of a message: `attr_flags`, for the writable points of a standard
    /// product's control; the mask, for all points of every var_len message.
    #[inline]
    pub const fn flags_len(self) -> usize {
        match self.head.protocol {
            Protocol::Standard => self.head.writable.div_ceil(8) as usize,
            Protocol::VarLen => self.mask_len(),
        }
    }

    /// The number of different scales other than the identity.
    pub const fn scales(self) -> usize {
        self.head.scales()
    }

    /// The bytes of a bitmap of all points.
    #[inline]
    pub const fn mask_len(self) -> usize {
        self.head.points.div_ceil(8) as usize
    }

    /// Who may change this point.
    pub fn access(self, id: PointId) -> Option<Access> {
        Some(self.field(id)?.access)
    }

    /// The least and the greatest raw value that the definition allows; of a binary its length.
    pub fn limits(self, id: PointId) -> Option<(u32, u32)> {
        let limits = self.limits.get(id.index())?;
        Some((limits.min, limits.max))
    }

    /// The scale of this point's values; the identity for all but integers.
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

/// The first `len` of some rows, which are that many or more.
const fn head_of<T>(rows: &[T], len: usize) -> &[T] {
    match rows.split_at_checked(len) {
        Some((head, _)) => head,
        None => rows,
    }
}

impl PartialEq for LayoutRef<'_> {
    /// Layouts are equal if they have the same points at the same offsets; room to spare makes no difference.
    fn eq(&self, other: &Self) -> bool {
        if core::ptr::eq(self.fields, other.fields) && core::ptr::eq(self.scales, other.scales) {
            return true;
        }
        self.head == other.head
            && self.fields == other.fields
            && self.limits == other.limits
            && self.scales == other.scales
    }
}

impl Eq for LayoutRef<'_> {}
