//! The packing of a var_len message: the locations of its points.

use super::field::{Field, Location, Room};
use super::mask::Mask;
use super::tables::LayoutRef;
use crate::error::PointId;

/// The packing of a var_len message. The points that are present follow each other in the order of their ids:
/// bools and enums in one bit area from bit 0 up, all other kinds in the bytes after the area (vendor: UART
/// protocol, var_len `attr_vals`).
///
/// ```text
/// present: 1 bit, 2 bits, uint8  ->  area of 1 byte, shifts 0 and 1; the integer ends at byte 2
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packing {
    /// The length of the bit area in bytes.
    pub(crate) area: u16,
    /// The space that the points so far take.
    room: Room,
}

impl Packing {
    /// Creates a packing without points, with a bit area of `area` bytes.
    #[inline]
    pub(crate) const fn behind(area: u16) -> Self {
        let room = Room(0);
        Packing { area, room }
    }

    /// Returns the packing of all points of a mask, or `None` if the mask has all points of the product. Requires a mask
    /// of exactly the length for that many points.
    #[inline]
    pub(crate) fn of(layout: LayoutRef<'_>, mask: Mask<'_>) -> Option<Self> {
        #[cfg(target_pointer_width = "64")]
        if layout.head.sizes.is_known() {
            let (sizes, words) = (&layout.head.sizes, mask.words());
            let packing = || Packing {
                area: 0,
                room: sizes.room(layout.fields, words),
            };
            return (!sizes.is_full(words)).then(|| packing().closed());
        }
        (!mask.is_full(layout.point_count())).then(|| Packing::all(layout, mask))
    }

    /// Returns the packing of all points of a mask.
    #[inline]
    pub(crate) fn all(layout: LayoutRef<'_>, mask: Mask<'_>) -> Self {
        let mut all = Packing::behind(0);
        all.pass(layout, mask, PointId(layout.point_count()));
        all.closed()
    }

    /// Returns the packing of the points of a mask below `end`, behind a bit area of `area` bytes.
    // Not inlined: the loops of the callers need the registers.
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    pub(crate) fn before(layout: LayoutRef<'_>, mask: Mask<'_>, area: u16, end: PointId) -> Self {
        let mut before = Packing::behind(area);
        before.pass(layout, mask, end);
        before
    }

    /// Returns the packing with a bit area of exactly the length for the points so far.
    #[inline]
    pub(crate) const fn closed(self) -> Self {
        let area = self.room.bits().div_ceil(8);
        Packing { area, ..self }
    }

    /// Adds the points of a mask below `end`.
    #[inline]
    pub(crate) fn pass(&mut self, layout: LayoutRef<'_>, mask: Mask<'_>, end: PointId) {
        #[cfg(target_pointer_width = "64")]
        if layout.head.sizes.is_known() {
            let [low, high] = mask.words();
            let below = |bits: u16| !u64::MAX.checked_shl(bits.into()).unwrap_or(0);
            let words = [low & below(end.0), high & below(end.0.saturating_sub(64))];
            let room = layout.head.sizes.room(layout.fields, words);
            self.room = self.room.and(room);
            return;
        }
        for id in mask.ids().take_while(|id| *id < end) {
            if let Some(field) = layout.field(id) {
                self.room = self.room.and(field.room());
            }
        }
    }

    /// Returns the length of the packed points so far: one past their last byte.
    #[inline]
    pub(crate) const fn end(self) -> u16 {
        self.area.wrapping_add(self.room.bytes())
    }

    /// Returns the number of unused bits at the top of the bit area.
    #[inline]
    pub(crate) const fn spare(self) -> u16 {
        (self.area.wrapping_mul(8)).wrapping_sub(self.room.bits())
    }

    /// Adds the next point and returns its location.
    #[inline]
    pub(crate) const fn push<'l>(&mut self, id: PointId, field: &'l Field) -> Location<'l> {
        let bits = self.room.bits();
        self.room = self.room.and(field.room());
        let (end, shift) = match field.in_bits() {
            true => (self.area.wrapping_sub(bits / 8), (bits % 8) as u8),
            false => (self.end(), 0),
        };
        Location {
            id,
            field,
            end,
            shift,
        }
    }
}
