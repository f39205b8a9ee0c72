//! modular-bitfield: product A, and the bit area of B. It has no integers in big-endian order, so those of B are read by
//! hand.
#![allow(
    missing_docs,
    reason = "the macro writes functions without documentation"
)]

use modular_bitfield::prelude::*;

/// A status of A.
#[bitfield]
#[derive(Clone, Copy, Debug)]
pub struct A {
    pub switch: bool,
    pub louver: bool,
    pub work_mode: B3,
    pub fan_speed: B2,
    #[skip]
    __: B1,
    pub on_hours: u8,
    pub off_hours: u8,
    pub target_temp: u8,
    pub room_temp: u8,
    pub alert_filter_full: bool,
    #[skip]
    __: B7,
    pub fault_room_sensor: bool,
    pub fault_compressor: bool,
    #[skip]
    __: B6,
}

impl A {
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
#[bitfield]
#[derive(Clone, Copy, Debug)]
pub struct Bits {
    pub run: bool,
    pub grid: bool,
    pub eco: bool,
    pub locked: bool,
    pub work_mode: B3,
    pub phase: B4,
    #[skip]
    __: B5,
}

/// All numbers of B in their smallest unit, in the order of their ids.
#[inline]
#[must_use]
pub fn b(status: &[u8; 206]) -> [i64; 45] {
    let bits = Bits::from_bytes([status[1], status[0]]);
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
