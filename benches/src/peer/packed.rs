//! packed_struct: structs of products A and B, raw values.

use packed_struct::prelude::*;

/// A status of A.
#[derive(Clone, Copy, Debug, PackedStruct)]
#[packed_struct(bit_numbering = "msb0", endian = "msb", size_bytes = "7")]
#[expect(missing_docs, reason = "the names are those of the definition")]
pub struct A {
    #[packed_field(bits = "1..=2")]
    pub fan_speed: Integer<u8, packed_bits::Bits<2>>,
    #[packed_field(bits = "3..=5")]
    pub work_mode: Integer<u8, packed_bits::Bits<3>>,
    #[packed_field(bits = "6")]
    pub louver: bool,
    #[packed_field(bits = "7")]
    pub switch: bool,
    #[packed_field(bytes = "1")]
    pub on_hours: u8,
    #[packed_field(bytes = "2")]
    pub off_hours: u8,
    #[packed_field(bytes = "3")]
    pub target_temp: u8,
    #[packed_field(bytes = "4")]
    pub room_temp: u8,
    #[packed_field(bits = "47")]
    pub alert_filter_full: bool,
    #[packed_field(bits = "54")]
    pub fault_compressor: bool,
    #[packed_field(bits = "55")]
    pub fault_room_sensor: bool,
}

impl A {
    /// The numbers of the points.
    #[must_use]
    pub fn numbers(&self) -> Vec<f64> {
        let values = [
            i32::from(self.switch),
            i32::from(self.louver),
            i32::from(u8::from(self.work_mode)),
            i32::from(u8::from(self.fan_speed)),
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
#[derive(Clone, Copy, Debug, PackedStruct)]
#[packed_struct(bit_numbering = "msb0", endian = "msb", size_bytes = "206")]
#[expect(missing_docs, reason = "the names are those of the definition")]
pub struct B {
    #[packed_field(bits = "5..=8")]
    pub phase: Integer<u8, packed_bits::Bits<4>>,
    #[packed_field(bits = "9..=11")]
    pub work_mode: Integer<u8, packed_bits::Bits<3>>,
    #[packed_field(bits = "12")]
    pub locked: bool,
    #[packed_field(bits = "13")]
    pub eco: bool,
    #[packed_field(bits = "14")]
    pub grid: bool,
    #[packed_field(bits = "15")]
    pub run: bool,
    #[packed_field(bytes = "2..=3")]
    pub heatsink: u16,
    #[packed_field(bytes = "4..=147", element_size_bytes = "4")]
    pub numbers: [u32; 36],
    #[packed_field(bytes = "148..=159")]
    pub serial_no: [u8; 12],
    #[packed_field(bytes = "160..=205")]
    pub schedule: [u8; 46],
}

impl B {
    /// The numbers of the points in their smallest unit; 0 for a binary.
    #[must_use]
    pub fn numbers(&self) -> Vec<f64> {
        let mut all = vec![
            f64::from(u8::from(self.run)),
            f64::from(u8::from(self.grid)),
            f64::from(u8::from(self.eco)),
            f64::from(u8::from(self.locked)),
            f64::from(u8::from(self.work_mode)),
            f64::from(u8::from(self.phase)),
            f64::from(self.heatsink) - 400.0,
        ];
        all.extend(self.numbers.map(f64::from));
        all.extend([0.0, 0.0]);
        all
    }
}
