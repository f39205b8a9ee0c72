//! deku: structs of products A and B, raw values.

use deku::prelude::*;

/// A status of A.
#[derive(Clone, Debug, DekuRead, DekuWrite)]
#[deku(endian = "big")]
#[expect(missing_docs, reason = "the names are those of the definition")]
pub struct A {
    #[deku(bits = 2, pad_bits_before = "1")]
    pub fan_speed: u8,
    #[deku(bits = 3)]
    pub work_mode: u8,
    #[deku(bits = 1)]
    pub louver: bool,
    #[deku(bits = 1)]
    pub switch: bool,
    pub on_hours: u8,
    pub off_hours: u8,
    pub target_temp: u8,
    pub room_temp: u8,
    #[deku(bits = 1, pad_bits_before = "7")]
    pub alert_filter_full: bool,
    #[deku(bits = 1, pad_bits_before = "6")]
    pub fault_compressor: bool,
    #[deku(bits = 1)]
    pub fault_room_sensor: bool,
}

impl A {
    /// Decodes a status.
    #[must_use]
    pub fn new(status: &[u8]) -> Option<Self> {
        A::from_bytes((status, 0)).ok().map(|(_, status)| status)
    }

    /// Encodes a status.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        self.to_bytes().ok()
    }

    /// The numbers of the points.
    #[must_use]
    pub fn numbers(&self) -> Vec<f64> {
        let values = [
            i32::from(self.switch),
            i32::from(self.louver),
            self.work_mode.into(),
            self.fan_speed.into(),
            self.on_hours.into(),
            self.off_hours.into(),
            self.target_temp.into(),
            i32::from(self.room_temp) - 10,
            self.alert_filter_full.into(),
            self.fault_room_sensor.into(),
            self.fault_compressor.into(),
        ];
        values.map(f64::from).to_vec()
    }
}

/// A status of B.
#[derive(Clone, Debug, DekuRead, DekuWrite)]
#[deku(endian = "big")]
#[expect(missing_docs, reason = "the names are those of the definition")]
pub struct B {
    #[deku(bits = 4, pad_bits_before = "5")]
    pub phase: u8,
    #[deku(bits = 3)]
    pub work_mode: u8,
    #[deku(bits = 1)]
    pub locked: bool,
    #[deku(bits = 1)]
    pub eco: bool,
    #[deku(bits = 1)]
    pub grid: bool,
    #[deku(bits = 1)]
    pub run: bool,
    pub heatsink: u16,
    pub numbers: [u32; 36],
    pub serial_no: [u8; 12],
    pub schedule: [u8; 46],
}

impl B {
    /// Decodes a status.
    #[must_use]
    pub fn new(status: &[u8]) -> Option<Self> {
        B::from_bytes((status, 0)).ok().map(|(_, status)| status)
    }

    /// Encodes a status.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        self.to_bytes().ok()
    }

    /// The numbers of the points in their smallest unit; 0 for a binary.
    #[must_use]
    pub fn numbers(&self) -> Vec<f64> {
        let mut all = vec![
            f64::from(u8::from(self.run)),
            f64::from(u8::from(self.grid)),
            f64::from(u8::from(self.eco)),
            f64::from(u8::from(self.locked)),
            f64::from(self.work_mode),
            f64::from(self.phase),
            f64::from(self.heatsink) - 400.0,
        ];
        all.extend(self.numbers.map(f64::from));
        all.extend([0.0, 0.0]);
        all
    }
}
