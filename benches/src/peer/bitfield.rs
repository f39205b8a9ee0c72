//! bitfield-struct: product A as one word of 64 bits, and the bit area of B. It has no integers in big-endian
//! order, so those of B are read by hand.

use bitfield_struct::bitfield;

/// A status of A: its 7 bytes as a big-endian number.
#[bitfield(u64)]
pub struct A {
    pub fault_room_sensor: bool,
    pub fault_compressor: bool,
    #[bits(6)]
    __: u8,
    pub alert_filter_full: bool,
    #[bits(7)]
    __: u8,
    pub room_temp: u8,
    pub target_temp: u8,
    pub off_hours: u8,
    pub on_hours: u8,
    pub switch: bool,
    pub louver: bool,
    #[bits(3)]
    pub work_mode: u8,
    #[bits(2)]
    pub fan_speed: u8,
    #[bits(9)]
    __: u16,
}

impl A {
    /// Decodes a status.
    #[inline]
    #[must_use]
    pub fn decode(status: &[u8; 7]) -> Self {
        let mut bytes = [0; 8];
        bytes[1..].copy_from_slice(status);
        A::from_bits(u64::from_be_bytes(bytes))
    }

    /// All points, as numbers in the order of their ids.
    #[inline]
    #[must_use]
    pub fn values(self) -> [i32; 11] {
        [
            self.switch().into(),
            self.louver().into(),
            self.work_mode().into(),
            self.fan_speed().into(),
            self.on_hours().into(),
            self.off_hours().into(),
            self.target_temp().into(),
            i32::from(self.room_temp()) - 10,
            self.alert_filter_full().into(),
            self.fault_room_sensor().into(),
            self.fault_compressor().into(),
        ]
    }
}

/// The bit area of B.
#[bitfield(u16)]
pub struct Bits {
    pub run: bool,
    pub grid: bool,
    pub eco: bool,
    pub locked: bool,
    #[bits(3)]
    pub work_mode: u8,
    #[bits(4)]
    pub phase: u8,
    #[bits(5)]
    __: u8,
}

/// All numbers of B in their smallest unit, in the order of their ids.
#[inline]
#[must_use]
pub fn b(status: &[u8; 206]) -> [i64; 45] {
    let bits = Bits::from_bits(u16::from_be_bytes([status[0], status[1]]));
    let mut all = [0; 45];
    all[0] = bits.run().into();
    all[1] = bits.grid().into();
    all[2] = bits.eco().into();
    all[3] = bits.locked().into();
    all[4] = bits.work_mode().into();
    all[5] = bits.phase().into();
    all[6] = i64::from(u16::from_be_bytes([status[2], status[3]])) - 400;
    let (words, _) = status[4..148].as_chunks();
    for (slot, word) in all[7..43].iter_mut().zip(words) {
        *slot = u32::from_be_bytes(*word).into();
    }
    all
}
