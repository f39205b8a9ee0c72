//! A data point as a definition describes it.

use crate::error::{Error, ErrorKind, PointId};
use crate::value::{Decimal, Scale};

/// The message layout of a product (definition: `protocolType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `standard`: the status always has all points, each at its declared position.
    Standard,
    /// `var_len`: a message has the points that its bitmap names.
    VarLen,
}

impl Protocol {
    /// The name in a definition.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Standard => "standard",
            Protocol::VarLen => "var_len",
        }
    }
}

/// The access to a point, which also tells alerts and faults apart (definition: `type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// `status_writable`: controlled from outside.
    Writable,
    /// `status_readonly`: reported only.
    ReadOnly,
    /// `alert`
    Alert,
    /// `fault`
    Fault,
}

/// The type of a point's value (definition: `data_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One bit.
    Bool,
    /// An index into `labels` labels.
    Enum {
        /// How many labels there are.
        labels: u32,
    },
    /// One byte.
    Uint8(UintSpec),
    /// Two bytes, big-endian.
    Uint16(UintSpec),
    /// Four bytes, big-endian.
    Uint32(UintSpec),
    /// Bytes as they are.
    Binary,
}

/// Limits and scale of an integer (definition: `uint_spec`). The limits are raw values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct UintSpec {
    /// The least raw value.
    pub min: i64,
    /// The greatest raw value.
    pub max: i64,
    /// Engineering units per raw unit; above 0.
    pub ratio: Decimal,
    /// The engineering value of raw 0.
    pub addition: Decimal,
}

impl UintSpec {
    /// Whether the ratio is 1 and the addition 0, in the form in which most definitions have them.
    const fn is_identity(&self) -> bool {
        let (ratio, addition) = (self.ratio, self.addition);
        ratio.coefficient() == 1 && ratio.scale() == 0 && addition.coefficient() == 0
    }

    /// Raw limits, with ratio 1 and addition 0.
    pub const fn new(min: u32, max: u32) -> Self {
        UintSpec {
            min: min as i64,
            max: max as i64,
            ratio: Decimal::ONE,
            addition: Decimal::ZERO,
        }
    }

    /// Returns the limits with the scale `y = ratio * x + addition`.
    pub const fn scaled(mut self, ratio: Decimal, addition: Decimal) -> Self {
        self.ratio = ratio;
        self.addition = addition;
        self
    }
}

/// The unit of a position (definition: `position.unit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bits of the area that begins at the byte offset.
    Bit,
    /// Bytes.
    Byte,
}

/// The position of a point in the status (definition: `position`). var_len products use `len` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The unit of `len`.
    pub unit: Unit,
    /// The point's first byte, or the first byte of its bit area.
    pub byte_offset: u32,
    /// The point's lowest bit, from the least significant bit of its area; runs past 7.
    pub bit_offset: u32,
    /// Bits or bytes.
    pub len: u32,
}

/// One data point: plain data, made in a `const` or read from a definition.
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
    /// The point's id: 0 to n-1 in a product; in a standard one the writable ones first.
    pub id: u16,
    /// Who may change it.
    pub access: Access,
    /// The type of its value.
    pub kind: Kind,
    /// Its position in the status.
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

    /// A bool at bit `bit` of the area that begins at byte `area`.
    pub const fn bool(id: u16, access: Access, area: u32, bit: u32) -> Self {
        Point::new(id, access, Kind::Bool, (Unit::Bit, area, bit, 1))
    }

    /// An enum of `labels` labels, `len` bits from bit `bit` of the area that begins at byte `area`.
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

    /// A uint8 at byte `byte`.
    pub const fn uint8(id: u16, access: Access, byte: u32, spec: UintSpec) -> Self {
        Point::new(id, access, Kind::Uint8(spec), (Unit::Byte, byte, 0, 1))
    }

    /// A uint16 at bytes `byte` and `byte + 1`.
    pub const fn uint16(id: u16, access: Access, byte: u32, spec: UintSpec) -> Self {
        Point::new(id, access, Kind::Uint16(spec), (Unit::Byte, byte, 0, 2))
    }

    /// A uint32 at `byte` to `byte + 3`.
    pub const fn uint32(id: u16, access: Access, byte: u32, spec: UintSpec) -> Self {
        Point::new(id, access, Kind::Uint32(spec), (Unit::Byte, byte, 0, 4))
    }

    /// A binary of `len` bytes from byte `byte`.
    pub const fn binary(id: u16, access: Access, byte: u32, len: u32) -> Self {
        Point::new(id, access, Kind::Binary, (Unit::Byte, byte, 0, len))
    }

    /// The position of the kind in the canonical order of a section: bool, enum, uint8, uint16, uint32,
    /// binary.
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

    /// The integer's specification, and the greatest value of its width.
    pub(crate) const fn uint(&self) -> Option<(&UintSpec, u32)> {
        match &self.kind {
            Kind::Uint8(spec) => Some((spec, u8::MAX as u32)),
            Kind::Uint16(spec) => Some((spec, u16::MAX as u32)),
            Kind::Uint32(spec) => Some((spec, u32::MAX)),
            _ => None,
        }
    }

    /// The scale of an integer's values, for every raw value of its width.
    pub(crate) const fn scale(&self) -> Result<Scale, Error> {
        match self.uint() {
            // Most integers are not scaled, and the check of a scale takes divisions.
            Some((spec, widest)) if !spec.is_identity() => {
                Scale::new(spec.ratio, spec.addition, widest)
            }
            _ => Ok(Scale::IDENTITY),
        }
    }

    /// The scale of a point that keeps the rules.
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
