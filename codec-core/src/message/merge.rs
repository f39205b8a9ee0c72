//! Merging of messages into the status that a caller keeps.

#[cfg(target_pointer_width = "64")]
use super::view::Placing;
use super::view::View;
use crate::bits;
use crate::error::{Error, ErrorKind};
#[cfg(target_pointer_width = "64")]
use crate::layout::{Field, Mask};

impl View<'_, '_> {
    /// Writes the points of the message into `status`, each at its offset in the layout, and sets their bits
    /// in the mask `known`. Bits of `status` that belong to none of these points keep their value.
    /// [`LayoutRef::view_known`](crate::LayoutRef::view_known) reads the two buffers, and has an example.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfSpace`]. Requires `known` to be at least [`mask_len`](crate::LayoutRef::mask_len)
    /// bytes long and `status` to be at least [`status_len`](crate::LayoutRef::status_len) bytes long.
    /// Otherwise nothing is written.
    pub fn merge_into(&self, known: &mut [u8], status: &mut [u8]) -> Result<(), Error> {
        let room = |needed: usize| {
            let needed = needed as u32;
            Error::new(ErrorKind::OutOfSpace { needed })
        };
        let layout = self.layout();
        let (mask_len, status_len) = (layout.mask_len(), layout.status_len());
        let known = known.get_mut(..mask_len).ok_or(room(mask_len))?;
        let status = status.get_mut(..status_len).ok_or(room(status_len))?;
        #[cfg(target_pointer_width = "64")]
        if self.is_whole() && layout.head.spare.copy(status, self.values()) {
            Mask::fill(known, layout.point_count());
            return Ok(());
        }
        #[cfg(target_pointer_width = "64")]
        if self.put_packed(status) {
            self.mask.add_to(known, layout.point_count());
            return Ok(());
        }
        for reading in self {
            reading.put_into(status);
            // `known` has a bit for every point of the layout.
            let _ = bits::set_bit(known, reading.id().0);
        }
        Ok(())
    }

    /// Writes the points of the message into `values`, each at its offset in the layout.
    pub(crate) fn put_into(&self, values: &mut [u8]) {
        #[cfg(target_pointer_width = "64")]
        if self.is_whole() {
            bits::copy(values, self.values());
            return;
        }
        #[cfg(target_pointer_width = "64")]
        if self.put_packed(values) {
            return;
        }
        for reading in self {
            reading.put_into(values);
        }
    }

    /// Writes the points of a complete var_len message with some of the points. Returns false, and writes nothing, for
    /// any other message, and if the bit area of all points has 8 bytes or more.
    #[inline]
    #[cfg(target_pointer_width = "64")]
    fn put_packed(&self, status: &mut [u8]) -> bool {
        let layout = self.layout();
        let Placing::Packed(packed) = self.placing else {
            return false;
        };
        let area_len = layout.head.area_len;
        if area_len >= 8 || status.len() < area_len.into() || self.missing() > 0 {
            return false;
        }
        let spare = 64_u32.wrapping_sub(u32::from(packed).wrapping_mul(8));
        let bits = self.body.head.checked_shr(spare).unwrap_or(0);
        let from = self.values().get(packed.into()..).unwrap_or(&[]);
        put_runs(layout.fields, self.mask, bits, from, area_len, status);
        true
    }
}

/// Writes the points of a mask to a status with all points, whose bit area has `area_len` bytes. `bits` are the bit area of
/// the message and `from` the bytes after it.
///
/// Present points with consecutive ids are copied together: their bits follow each other both in the message and in a
/// status with all points, and so do their bytes.
#[inline(never)]
#[cfg(target_pointer_width = "64")]
fn put_runs(
    fields: &[Field],
    mask: Mask<'_>,
    bits: u64,
    mut from: &[u8],
    area_len: u16,
    status: &mut [u8],
) {
    let mut area = Area {
        rest: bits,
        value: 0,
        mask: 0,
    };
    let Some((area_to, to)) = status.split_at_mut_checked(area_len.into()) else {
        return;
    };
    mask.for_each_run(fields.len(), |first, len| {
        let last = first.wrapping_add(len).wrapping_sub(1);
        let (Some(first), Some(last)) = (fields.get(first), fields.get(last)) else {
            return;
        };
        let room = last.before.and(last.room).without(first.before);
        if room.bits() > 0 {
            area.take(first.before.bits(), room.bits());
        }
        let len = usize::from(room.bytes());
        if len == 0 {
            return;
        }
        let to = to.get_mut(first.before.bytes().into()..);
        if let (Some(to), Some(rest)) = (to, from.get(len..)) {
            bits::copy_head(to, from, len);
            from = rest;
        }
    });
    area.put_into(area_to);
}

/// The bit area of a var_len message as it is moved to the bit area of all points.
#[cfg(target_pointer_width = "64")]
struct Area {
    /// The bits of the message that were not taken yet.
    rest: u64,
    /// The bits at their position in the area of all points.
    value: u64,
    /// The bits of that area that belong to a point of the message.
    mask: u64,
}

#[cfg(target_pointer_width = "64")]
impl Area {
    /// Moves the next `bits` bits, fewer than 64, to bit `to`.
    #[inline(always)]
    fn take(&mut self, to: u16, bits: u16) {
        let ones = !u64::MAX.wrapping_shl(bits.into());
        self.value |= (self.rest & ones).wrapping_shl(to.into());
        self.mask |= ones.wrapping_shl(to.into());
        self.rest = self.rest.wrapping_shr(bits.into());
    }

    /// Writes the bits into the area of all points.
    fn put_into(mut self, area: &mut [u8]) {
        if self.mask == 0 {
            return;
        }
        for byte in area.iter_mut().rev() {
            *byte = *byte & !(self.mask as u8) | self.value as u8;
            self.mask >>= 8;
            self.value >>= 8;
        }
    }
}
