//! The spare bits of a status on 64-bit machines: those that belong to no point.

use super::field::Field;

/// The bytes of a status that have spare bits, so that a whole status can be copied without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spare {
    bytes: [SpareByte; Spare::MOST],
    /// The number of bytes, or more than [`Spare::MOST`] if the table does not list all spare bits.
    len: u16,
}

/// A byte of a status with its spare bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SpareByte {
    offset: u16,
    bits: u8,
}

impl Spare {
    const MOST: usize = 8;
    pub(crate) const UNKNOWN: Spare = Spare {
        bytes: [SpareByte { offset: 0, bits: 0 }; Spare::MOST],
        len: u16::MAX,
    };

    /// Finds the spare bits of a status of `len` bytes. Requires the offsets of the fields.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a status has at most 65,535 bytes"
    )]
    pub(crate) const fn new(fields: &[Field], len: u16) -> Self {
        let mut spare = Spare::UNKNOWN;
        spare.len = 0;
        // The bytes that belong to some point.
        let mut taken = 0;
        let mut id = 0;
        while id < fields.len() {
            let field = &fields[id];
            if !field.in_bits() {
                taken += field.len() as u32;
            } else {
                let mut bits = (u32::MAX as u64 >> field.drop) << field.shift;
                let mut end = field.end;
                while bits != 0 {
                    end -= 1;
                    match spare.take(end, bits as u8) {
                        Some(is_new) => taken += is_new as u32,
                        None => return Spare::UNKNOWN,
                    }
                    bits >>= 8;
                }
            }
            id += 1;
        }
        if taken == len as u32 {
            spare
        } else {
            Spare::UNKNOWN
        }
    }

    /// Removes bits that belong to a point. Returns whether the byte had no such bits before, or `None` if the table
    /// is full.
    #[expect(clippy::arithmetic_side_effects, reason = "`len` is at most `MOST`")]
    const fn take(&mut self, offset: u16, bits: u8) -> Option<bool> {
        let mut n = self.len as usize;
        // The bits of a byte mostly belong to points that follow each other.
        while n > 0 {
            n -= 1;
            if self.bytes[n].offset == offset {
                self.bytes[n].bits &= !bits;
                if self.bytes[n].bits == 0 {
                    self.len -= 1;
                    self.bytes[n] = self.bytes[self.len as usize];
                }
                return Some(false);
            }
        }
        if bits != 0xff {
            if self.len as usize == Spare::MOST {
                return None;
            }
            self.bytes[self.len as usize] = SpareByte {
                offset,
                bits: !bits,
            };
            self.len += 1;
        }
        Some(true)
    }

    /// Copies a whole status, except for the spare bits, which keep their value in `to`. Returns false, and copies
    /// nothing, if the table does not list all spare bits.
    #[inline]
    #[must_use]
    pub(crate) fn copy(&self, to: &mut [u8], from: &[u8]) -> bool {
        let Some(spare) = self.bytes.get(..usize::from(self.len)) else {
            return false;
        };
        if to.len() != from.len() {
            return false;
        }
        let mut kept = [0; Spare::MOST];
        for (kept, byte) in kept.iter_mut().zip(spare) {
            *kept = to.get(usize::from(byte.offset)).copied().unwrap_or(0) & byte.bits;
        }
        to.copy_from_slice(from);
        for (kept, byte) in kept.iter().zip(spare) {
            if let Some(to) = to.get_mut(usize::from(byte.offset)) {
                *to = *to & !byte.bits | kept;
            }
        }
        true
    }
}
