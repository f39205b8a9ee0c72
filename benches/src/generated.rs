//! Code that knows one product when it is compiled: every location, ratio and addition is a constant.
//!
//! The modules `a` and `b` are written by hand, to be the fastest code that anybody can write. `code_a` and `code_b` are
//! what `gizwits_codec_std::codegen` writes.

use gizwits_codec_core::{Decimal, Value};

/// The bits of a field, which all are constants where this is called: the compiler leaves a load, a
/// shift and a mask.
#[inline(always)]
fn bits<const LEN: usize>(status: &[u8; LEN], end: usize, shift: usize, width: usize) -> u32 {
    let word = match (shift + width).div_ceil(8) {
        1 => u32::from(status[end - 1]),
        2 => u32::from(u16::from_be_bytes([status[end - 2], status[end - 1]])),
        _ => u32::from_be_bytes([
            status[end - 4],
            status[end - 3],
            status[end - 2],
            status[end - 1],
        ]),
    };
    (word >> shift) & (u32::MAX >> (32 - width))
}

/// A field that only constants describe, of each kind.
macro_rules! value {
    ($status:ident, bool($end:literal, $shift:literal)) => {
        Value::Bool(bits($status, $end, $shift, 1) != 0)
    };
    ($status:ident, label($end:literal, $shift:literal, $width:literal)) => {
        Value::Enum(bits($status, $end, $shift, $width))
    };
    ($status:ident, uint($end:literal, $width:literal, $ratio:literal, $addition:literal, $places:literal)) => {
        Value::Number(Decimal::new(
            i64::from(bits($status, $end, 0, $width)) * $ratio + $addition,
            $places,
        ))
    };
    ($status:ident, bytes($start:literal, $end:literal)) => {
        Value::Binary(&$status[$start..$end])
    };
}

/// The decimal of a field; 0 for a binary.
macro_rules! decimal {
    ($status:ident, uint($end:literal, $width:literal, $ratio:literal, $addition:literal, $places:literal)) => {
        Decimal::new(
            i64::from(bits($status, $end, 0, $width)) * $ratio + $addition,
            $places,
        )
    };
    ($status:ident, $kind:ident($($place:literal),*)) => {
        Decimal::new(i64::from(raw!($status, $kind($($place),*))), 0)
    };
}

/// The raw integer of a field; 0 for a binary.
macro_rules! raw {
    ($status:ident, bool($end:literal, $shift:literal)) => {
        bits($status, $end, $shift, 1)
    };
    ($status:ident, label($end:literal, $shift:literal, $width:literal)) => {
        bits($status, $end, $shift, $width)
    };
    ($status:ident, uint($end:literal, $width:literal, $($scale:literal),*)) => {
        bits($status, $end, 0, $width)
    };
    ($status:ident, bytes($start:literal, $end:literal)) => {
        0
    };
}

/// The float of a field; 0 for a binary.
macro_rules! float {
    ($status:ident, uint($end:literal, $width:literal, $ratio:literal, $addition:literal, 0)) => {
        (i64::from(bits($status, $end, 0, $width)) * $ratio + $addition) as f64
    };
    ($status:ident, uint($end:literal, $width:literal, $ratio:literal, $addition:literal, $places:literal)) => {
        (i64::from(bits($status, $end, 0, $width)) * $ratio + $addition) as f64
            / const { 10_i64.pow($places) as f64 }
    };
    ($status:ident, $kind:ident($($place:literal),*)) => {
        f64::from(raw!($status, $kind($($place),*)))
    };
}

/// The decoders of one product from one line a point.
macro_rules! product {
    ($points:literal points in $len:literal bytes: $($id:literal = $kind:ident $place:tt,)*) => {
        /// The number of points.
        pub const POINTS: usize = $points;
        /// The bytes of a status.
        pub const LEN: usize = $len;

        /// Every point as it is on the wire; of a binary 0.
        #[inline]
        pub fn raw(status: &[u8; LEN], out: &mut [u32; POINTS]) {
            $(out[$id] = raw!(status, $kind $place);)*
        }

        /// Every point's engineering value.
        #[inline]
        pub fn values<'b>(status: &'b [u8; LEN], out: &mut [Value<'b>; POINTS]) {
            $(out[$id] = value!(status, $kind $place);)*
        }

        /// Every point's engineering value as a decimal; of a binary 0.
        #[inline]
        pub fn decimals(status: &[u8; LEN], out: &mut [Decimal; POINTS]) {
            $(out[$id] = decimal!(status, $kind $place);)*
        }

        /// Every point's engineering value as a float; of a binary 0.
        #[inline]
        pub fn floats(status: &[u8; LEN], out: &mut [f64; POINTS]) {
            $(out[$id] = float!(status, $kind $place);)*
        }
    };
}

/// Product A.
pub mod a {
    use super::{Decimal, Value, bits};

    product! {
        11 points in 7 bytes:
        0 = bool(1, 0),
        1 = bool(1, 1),
        2 = label(1, 2, 3),
        3 = label(1, 5, 2),
        4 = uint(2, 8, 1, 0, 0),
        5 = uint(3, 8, 1, 0, 0),
        6 = uint(4, 8, 1, 0, 0),
        7 = uint(5, 8, 1, -10, 0),
        8 = bool(6, 0),
        9 = bool(7, 0),
        10 = bool(7, 1),
    }

    /// A status with a type for each point.
    #[derive(Clone, Copy, Debug, Default)]
    #[expect(missing_docs, reason = "the names are those of the definition")]
    pub struct Status {
        pub switch: bool,
        pub louver: bool,
        pub work_mode: u8,
        pub fan_speed: u8,
        pub on_hours: u8,
        pub off_hours: u8,
        pub target_temp: u8,
        pub room_temp: i16,
        pub alert_filter_full: bool,
        pub fault_room_sensor: bool,
        pub fault_compressor: bool,
    }

    impl Status {
        /// Decodes a status.
        #[inline]
        #[must_use]
        pub fn new(status: &[u8; LEN]) -> Self {
            Status {
                switch: status[0] & 1 != 0,
                louver: status[0] & 2 != 0,
                work_mode: (status[0] >> 2) & 7,
                fan_speed: (status[0] >> 5) & 3,
                on_hours: status[1],
                off_hours: status[2],
                target_temp: status[3],
                room_temp: i16::from(status[4]) - 10,
                alert_filter_full: status[5] & 1 != 0,
                fault_room_sensor: status[6] & 1 != 0,
                fault_compressor: status[6] & 2 != 0,
            }
        }

        /// The coefficients of the values, to check them.
        #[must_use]
        pub fn coefficients(&self) -> Vec<i64> {
            vec![
                self.switch.into(),
                self.louver.into(),
                self.work_mode.into(),
                self.fan_speed.into(),
                self.on_hours.into(),
                self.off_hours.into(),
                self.target_temp.into(),
                self.room_temp.into(),
                self.alert_filter_full.into(),
                self.fault_room_sensor.into(),
                self.fault_compressor.into(),
            ]
        }
    }
}

/// Product B.
pub mod b {
    use super::{Decimal, Value, bits};

    product! {
        45 points in 206 bytes:
        0 = bool(2, 0),
        1 = bool(2, 1),
        2 = bool(2, 2),
        3 = bool(2, 3),
        4 = label(2, 4, 3),
        5 = label(2, 7, 4),
        6 = uint(4, 16, 1, -400, 1),
        7 = uint(8, 32, 1, 0, 1),
        8 = uint(12, 32, 1, 0, 1),
        9 = uint(16, 32, 1, 0, 1),
        10 = uint(20, 32, 1, 0, 1),
        11 = uint(24, 32, 1, 0, 1),
        12 = uint(28, 32, 1, 0, 1),
        13 = uint(32, 32, 1, 0, 1),
        14 = uint(36, 32, 1, 0, 1),
        15 = uint(40, 32, 1, 0, 1),
        16 = uint(44, 32, 1, 0, 1),
        17 = uint(48, 32, 1, 0, 1),
        18 = uint(52, 32, 1, 0, 1),
        19 = uint(56, 32, 1, 0, 1),
        20 = uint(60, 32, 1, 0, 1),
        21 = uint(64, 32, 1, 0, 2),
        22 = uint(68, 32, 1, 0, 2),
        23 = uint(72, 32, 1, 0, 2),
        24 = uint(76, 32, 1, 0, 2),
        25 = uint(80, 32, 1, 0, 2),
        26 = uint(84, 32, 1, 0, 2),
        27 = uint(88, 32, 1, 0, 2),
        28 = uint(92, 32, 1, 0, 2),
        29 = uint(96, 32, 1, 0, 2),
        30 = uint(100, 32, 1, 0, 2),
        31 = uint(104, 32, 1, 0, 2),
        32 = uint(108, 32, 1, 0, 2),
        33 = uint(112, 32, 1, 0, 2),
        34 = uint(116, 32, 1, 0, 2),
        35 = uint(120, 32, 1, 0, 0),
        36 = uint(124, 32, 1, 0, 0),
        37 = uint(128, 32, 1, 0, 0),
        38 = uint(132, 32, 1, 0, 0),
        39 = uint(136, 32, 1, 0, 0),
        40 = uint(140, 32, 1, 0, 0),
        41 = uint(144, 32, 1, 0, 0),
        42 = uint(148, 32, 1, 0, 0),
        43 = bytes(148, 160),
        44 = bytes(160, 206),
    }

    /// A status with a type for each point; scaled ones are in their smallest unit.
    #[derive(Clone, Copy, Debug)]
    #[expect(missing_docs, reason = "the names are those of the definition")]
    pub struct Status {
        pub run: bool,
        pub grid: bool,
        pub eco: bool,
        pub locked: bool,
        pub work_mode: u8,
        pub phase: u8,
        pub heatsink: i32,
        pub energy: [u32; 14],
        pub current: [u32; 14],
        pub count: [u32; 8],
        pub serial_no: [u8; 12],
        pub schedule: [u8; 46],
    }

    impl Status {
        /// Decodes a status.
        #[inline]
        #[must_use]
        pub fn new(status: &[u8; LEN]) -> Self {
            let group = u16::from_be_bytes(array(status, 0));
            let int = |at| u32::from_be_bytes(array(status, at));
            Status {
                run: group & 1 != 0,
                grid: group & 2 != 0,
                eco: group & 4 != 0,
                locked: group & 8 != 0,
                work_mode: ((group >> 4) & 7) as u8,
                phase: ((group >> 7) & 15) as u8,
                heatsink: i32::from(u16::from_be_bytes(array(status, 2))) - 400,
                energy: std::array::from_fn(|n| int(4 + 4 * n)),
                current: std::array::from_fn(|n| int(60 + 4 * n)),
                count: std::array::from_fn(|n| int(116 + 4 * n)),
                serial_no: array(status, 148),
                schedule: array(status, 160),
            }
        }

        /// The coefficients of the values, to check them; of a binary 0.
        #[must_use]
        pub fn coefficients(&self) -> Vec<i64> {
            let mut all = vec![
                self.run.into(),
                self.grid.into(),
                self.eco.into(),
                self.locked.into(),
                self.work_mode.into(),
                self.phase.into(),
                self.heatsink.into(),
            ];
            let numbers = [&self.energy[..], &self.current, &self.count].concat();
            all.extend(numbers.into_iter().map(i64::from));
            all.extend([0, 0]);
            all
        }
    }

    #[inline(always)]
    fn array<const N: usize>(status: &[u8; LEN], at: usize) -> [u8; N] {
        std::array::from_fn(|n| status[at + n])
    }
}

/// Product A, as the code generator writes it.
#[allow(dead_code, reason = "firmware uses more of it")]
pub mod code_a {
    include!(concat!(env!("OUT_DIR"), "/product-a.rs"));
}

/// Product B, as the code generator writes it.
#[allow(dead_code, reason = "firmware uses more of it")]
pub mod code_b {
    include!(concat!(env!("OUT_DIR"), "/product-b.rs"));
}
