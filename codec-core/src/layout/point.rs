//! A data point, as a definition describes it.

use crate::error::{Error, ErrorKind, PointId};
use crate::value::{Decimal, Scale};

/// The message layout of a product (definition: `protocolType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `standard`: a status has all points, each at the position that the definition declares.
    Standard,
    /// `var_len`: a message has a presence mask and the points in the mask, one after the other.
    VarLen,
}

impl Protocol {
    /// Returns the name in a definition: `standard` or `var_len`.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Standard => "standard",
            Protocol::VarLen => "var_len",
        }
    }
}

/// The access to a point, which also distinguishes alerts and faults (definition: `type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// `status_writable`: the cloud and apps may set the point.
    Writable,
    /// `status_readonly`: the device only reports the point.
    ReadOnly,
    /// `alert`: a read-only point that tells the user about an event.
    Alert,
    /// `fault`: a read-only point that tells the user about a defect.
    Fault,
}

/// The type of a point's value (definition: `data_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bool of one bit.
    Bool,
    /// An enum: an index into a list of labels.
    Enum {
        /// The number of labels.
        labels: u32,
    },
    /// An integer of one byte.
    Uint8(UintSpec),
    /// An integer of two bytes, big-endian.
    Uint16(UintSpec),
    /// An integer of four bytes, big-endian.
    Uint32(UintSpec),
    /// A binary: bytes without further meaning.
    Binary,
}

/// The limits and the scale of an integer (definition: `uint_spec`). The limits are raw values.
///
/// ```
/// use gizwits_codec_core::{Decimal, UintSpec};
///
/// // -10 °C to 35 °C in steps of 0.1 °C.
/// const ROOM_TEMP: UintSpec =
///     UintSpec::new(0, 450).scaled(Decimal::new(1, 1), Decimal::new(-10, 0));
/// assert_eq!(ROOM_TEMP.max, 450);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct UintSpec {
    /// The minimum raw value.
    pub min: i64,
    /// The maximum raw value.
    pub max: i64,
    /// The ratio: engineering units per raw unit. Must be above 0.
    pub ratio: Decimal,
    /// The addition: the engineering value of raw 0.
    pub addition: Decimal,
}

impl UintSpec {
    /// Returns whether the ratio is 1 and the addition 0, in the form in which most definitions have them.
    const fn is_identity(&self) -> bool {
        let (ratio, addition) = (self.ratio, self.addition);
        ratio.coefficient() == 1 && ratio.scale() == 0 && addition.coefficient() == 0
    }

    /// Creates a specification with these raw limits, ratio 1 and addition 0.
    pub const fn new(min: u32, max: u32) -> Self {
        UintSpec {
            min: min as i64,
            max: max as i64,
            ratio: Decimal::ONE,
            addition: Decimal::ZERO,
        }
    }

    /// Returns the specification with the scale `ratio * x + addition`.
    pub const fn scaled(mut self, ratio: Decimal, addition: Decimal) -> Self {
        self.ratio = ratio;
        self.addition = addition;
        self
    }
}

/// The unit of a position (definition: `position.unit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bits, counted in the bit area that begins at the byte offset.
    Bit,
    /// Whole bytes.
    Byte,
}

/// The position of a point in the status (definition: `position`). A var_len product only uses `unit` and
/// `len`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The unit of `len`: bits for bools and enums, bytes for all other kinds.
    pub unit: Unit,
    /// The offset of the first byte of the point, or of its bit area.
    pub byte_offset: u32,
    /// The offset of the lowest bit of the point, from the least significant bit of its area. It may be above
    /// 7.
    pub bit_offset: u32,
    /// The length in bits or bytes.
    pub len: u32,
}

/// A data point: plain data, written in a `const` or read from a definition.
///
/// ```
/// use gizwits_codec_core::{Access, Decimal, Point, UintSpec};
///
/// const SWITCH: Point = Point::bool(0, Access::Writable, 0, 0);
/// const MODE: Point = Point::enumeration(1, Access::Writable, 0, 1, 2, 4);
/// const ROOM: Point = Point::uint8(
///     2,
///     Access::ReadOnly,
///     1,
///     UintSpec::new(0, 45).scaled(Decimal::ONE, Decimal::new(-10, 0)),
/// );
/// assert_eq!(ROOM.position.byte_offset, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Point {
    /// The id of the point. The ids of `n` points are 0 to `n - 1`. In a standard product, writable points
    /// have the lowest ids.
    pub id: u16,
    /// The access to the point.
    pub access: Access,
    /// The type of the value.
    pub kind: Kind,
    /// The position in the status.
    pub position: Position,
}

impl Point {
    const fn new(id: u16, access: Access, kind: Kind, at: (Unit, u32, u32, u32)) -> Self {
        let (unit, byte_offset, bit_offset, len) = at;
        let position = Position {
            unit,
            byte_offset,
            bit_offset,
            len,
        };
        Point {
            id,
            access,
            kind,
            position,
        }
    }

    /// Creates a bool at bit `bit` of the area that begins at byte `area`.
    pub const fn bool(id: u16, access: Access, area: u32, bit: u32) -> Self {
        Point::new(id, access, Kind::Bool, (Unit::Bit, area, bit, 1))
    }

    /// Creates an enum with `labels` labels that takes `len` bits from bit `bit` of the area that begins at
    /// byte `area`.
    pub const fn enumeration(
        id: u16,
        access: Access,
        area: u32,
        bit: u32,
        len: u32,
        labels: u32,
    ) -> Self {
        let kind = Kind::Enum { labels };
        Point::new(id, access, kind, (Unit::Bit, area, bit, len))
    }

    /// Creates a uint8 at byte `byte`.
    pub const fn uint8(id: u16, access: Access, byte: u32, spec: UintSpec) -> Self {
        Point::new(id, access, Kind::Uint8(spec), (Unit::Byte, byte, 0, 1))
    }

    /// Creates a uint16 at bytes `byte` and `byte + 1`.
    pub const fn uint16(id: u16, access: Access, byte: u32, spec: UintSpec) -> Self {
        Point::new(id, access, Kind::Uint16(spec), (Unit::Byte, byte, 0, 2))
    }

    /// Creates a uint32 at bytes `byte` to `byte + 3`.
    pub const fn uint32(id: u16, access: Access, byte: u32, spec: UintSpec) -> Self {
        Point::new(id, access, Kind::Uint32(spec), (Unit::Byte, byte, 0, 4))
    }

    /// Creates a binary of `len` bytes from byte `byte`.
    pub const fn binary(id: u16, access: Access, byte: u32, len: u32) -> Self {
        Point::new(id, access, Kind::Binary, (Unit::Byte, byte, 0, len))
    }

    /// Returns the position of the kind in the canonical order of a section: bool, enum, uint8, uint16,
    /// uint32, binary.
    pub(crate) const fn rank(&self) -> u8 {
        match self.kind {
            Kind::Bool => 0,
            Kind::Enum { .. } => 1,
            Kind::Uint8(_) => 2,
            Kind::Uint16(_) => 3,
            Kind::Uint32(_) => 4,
            Kind::Binary => 5,
        }
    }

    /// Returns the specification of an integer, and the maximum value of its width.
    pub(crate) const fn uint(&self) -> Option<(&UintSpec, u32)> {
        match &self.kind {
            Kind::Uint8(spec) => Some((spec, u8::MAX as u32)),
            Kind::Uint16(spec) => Some((spec, u16::MAX as u32)),
            Kind::Uint32(spec) => Some((spec, u32::MAX)),
            _ => None,
        }
    }

    /// Returns the scale of an integer, valid for every raw value of its width.
    pub(crate) const fn scale(&self) -> Result<Scale, Error> {
        match self.uint() {
            // Most integers are not scaled, and the check of a scale takes divisions.
            Some((spec, widest)) if !spec.is_identity() => {
                Scale::new(spec.ratio, spec.addition, widest)
            }
            _ => Ok(Scale::IDENTITY),
        }
    }

    /// Returns the scale of a point that passed the rules of one point.
    #[cfg(not(target_pointer_width = "64"))]
    pub(crate) const fn sound_scale(&self) -> Scale {
        match self.scale() {
            Ok(scale) => scale,
            Err(_) => Scale::IDENTITY,
        }
    }

    pub(crate) const fn error(&self, kind: ErrorKind) -> Error {
        let error = Error::new(kind).about(PointId(self.id));
        let error = error.at(self.position.byte_offset);
        match self.position.unit {
            Unit::Bit => error.bit(self.position.bit_offset),
            Unit::Byte => error,
        }
    }
}
