//! A row of the layout: the location of one point, and the range of its raw value.

#[cfg(target_pointer_width = "64")]
use super::kernel::Kernel;
use super::point::Access;
use crate::error::{ErrorKind, PointId};
#[cfg(target_pointer_width = "64")]
use crate::value::Scale;

/// The location of a point in the status: end byte, shift and width. A field takes 8 bytes. On 64-bit
/// machines a field also holds its kernel and its size and takes 40 bytes: decoding reads no other table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The end of the value: one past its last byte, in a status with all points.
    pub(crate) end: u16,
    /// For an integer, 0 for the identity scale, or one more than the index of the scale. For a binary, its
    /// length in bytes.
    pub(crate) aux: u16,
    /// The number of bits of the last byte below the value.
    pub(crate) shift: u8,
    /// 32 minus the width of the value in bits.
    pub(crate) drop: u8,
    pub(crate) shape: Shape,
    pub(crate) access: Access,
    #[cfg(target_pointer_width = "64")]
    pub(crate) kernel: Kernel,
    /// The space of the point, and of all points before it, in a var_len message with all points.
    #[cfg(target_pointer_width = "64")]
    pub(crate) room: Room,
    #[cfg(target_pointer_width = "64")]
    pub(crate) before: Room,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Bool,
    Enum,
    Uint,
    Binary,
}

impl Field {
    /// A placeholder for array initialisation.
    pub const EMPTY: Field = Field {
        end: 0,
        aux: 0,
        shift: 0,
        drop: 0,
        shape: Shape::Bool,
        access: Access::Writable,
        #[cfg(target_pointer_width = "64")]
        kernel: Kernel::EMPTY,
        #[cfg(target_pointer_width = "64")]
        room: Room(0),
        #[cfg(target_pointer_width = "64")]
        before: Room(0),
    };

    /// Keeps the scale, so that it need not be checked again.
    #[cfg(target_pointer_width = "64")]
    pub(crate) const fn keep_scale(&mut self, scale: Scale) {
        self.kernel = Kernel::new(scale);
    }

    /// Prepares what only 64-bit machines store, once location and scale are known. `before` is the space of the
    /// points with lower ids.
    #[cfg(target_pointer_width = "64")]
    pub(crate) const fn prepare(&mut self, before: Room) {
        let mut kernel = self.kernel;
        kernel.place(self);
        self.kernel = kernel;
        self.before = before;
    }

    /// Returns the field with its size, once kind and width are known.
    pub(crate) const fn measured(self) -> Self {
        #[cfg(target_pointer_width = "64")]
        return Field {
            room: self.size(),
            ..self
        };
        #[cfg(not(target_pointer_width = "64"))]
        return self;
    }

    /// Returns the sort key of the scale that the kernel was prepared with.
    #[cfg(target_pointer_width = "64")]
    pub(crate) const fn scale_key(&self) -> u128 {
        self.kernel.scale_key()
    }

    /// Returns whether the point is in a bit area.
    #[inline]
    pub(crate) const fn in_bits(self) -> bool {
        matches!(self.shape, Shape::Bool | Shape::Enum)
    }

    /// Returns the width of a number in bits.
    #[inline]
    pub(crate) const fn width(self) -> u16 {
        32_u16.wrapping_sub(self.drop as u16)
    }

    /// Returns the length in bytes of a point outside the bit areas.
    #[inline]
    pub(crate) const fn len(self) -> u16 {
        match self.shape {
            Shape::Binary => self.aux,
            _ => self.width() / 8,
        }
    }

    /// Returns the location in a status with all points.
    #[inline]
    pub(crate) const fn location(&self, id: PointId) -> Location<'_> {
        Location {
            id,
            field: self,
            end: self.end,
            shift: self.shift,
        }
    }

    /// Returns the space that the point takes in a var_len message.
    #[inline]
    pub(crate) const fn room(&self) -> Room {
        #[cfg(target_pointer_width = "64")]
        return self.room;
        #[cfg(not(target_pointer_width = "64"))]
        return self.size();
    }

    /// Computes the space that the point takes in a var_len message.
    #[inline]
    pub(crate) const fn size(&self) -> Room {
        match self.in_bits() {
            true => Room(self.width() as u32),
            false => Room((self.len() as u32).wrapping_shl(16)),
        }
    }
}

/// The location of a point in a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Location<'l> {
    pub(crate) id: PointId,
    pub(crate) field: &'l Field,
    /// The end of the value: one past its last byte.
    pub(crate) end: u16,
    /// The number of bits of the last byte below the value.
    pub(crate) shift: u8,
}

impl Location<'_> {
    /// Returns the offset of the first byte of the value.
    pub(crate) fn start(self) -> u16 {
        let len = match self.field.shape {
            Shape::Binary => self.field.aux,
            _ => (7 + u16::from(self.shift)).wrapping_add(self.field.width()) / 8,
        };
        self.end.saturating_sub(len)
    }
}

/// The range of the raw value of a point. Limits take 8 bytes. Encoding and flagging read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(crate) min: u32,
    pub(crate) max: u32,
}

impl Limits {
    /// A placeholder for array initialisation.
    pub const EMPTY: Limits = Limits { min: 0, max: 0 };

    /// Returns the error kind of a raw value outside the limits.
    #[inline(always)]
    pub(crate) fn broken_by(&self, raw: u32, shape: Shape) -> Option<ErrorKind> {
        if raw > self.max {
            Some(match shape {
                Shape::Enum => ErrorKind::PastLabels,
                _ => ErrorKind::AboveMax,
            })
        } else if raw < self.min {
            Some(ErrorKind::BelowMin)
        } else {
            None
        }
    }
}

/// The space that points take in a var_len message: bits of the bit area in the low half, bytes after it in
/// the high half, so that one addition adds both. Neither half can overflow, because the rules limit the
/// status with all points to 65,535 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room(pub(crate) u32);

impl Room {
    #[inline]
    pub(crate) const fn bits(self) -> u16 {
        self.0 as u16
    }

    #[inline]
    pub(crate) const fn bytes(self) -> u16 {
        self.0.wrapping_shr(16) as u16
    }

    /// Returns the space that this space has more than `other`. Requires that no half of `other` is greater.
    #[inline]
    #[cfg(target_pointer_width = "64")]
    pub(crate) const fn without(self, other: Room) -> Room {
        Room(self.0.wrapping_sub(other.0))
    }

    #[inline]
    pub(crate) const fn and(self, other: Room) -> Room {
        Room(self.0.wrapping_add(other.0))
    }
}
