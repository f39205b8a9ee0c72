//! The error of the crate: its kind, the point it is about, and its position.

use core::fmt;

/// The id of a data point: its bit in `attr_flags`, its row in the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PointId(pub u16);

impl PointId {
    /// The id as an index.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for PointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An error: its kind, the point it is about, and its position.
///
/// `byte` counts from 0 in the bytes that were given; in a definition or a refused value it is the
/// byte of the status. `bit` is the bit's number within its bit area. There are no strings in it:
/// `gizwits-codec-std` adds names.
///
/// ```
/// use gizwits_codec_core::{Access, Error, ErrorKind, Layout, Point, Protocol};
///
/// const SWITCH: Point = Point::bool(0, Access::Writable, 0, 0);
/// const CLASH: Point = Point::bool(1, Access::Writable, 0, 0);
/// let error = Layout::<2>::new(Protocol::Standard, &[SWITCH, CLASH]).unwrap_err();
/// assert_eq!(error.kind, ErrorKind::Overlap);
/// assert_eq!(error.to_string(), "overlaps another point: point 1, point 0, byte 0, bit 0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub struct Error {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The point it is about.
    pub point: Option<PointId>,
    /// The other point of a clash between two.
    pub other: Option<PointId>,
    /// The byte, from 0.
    pub byte: Option<u32>,
    /// The bit within its bit area, from the area's least significant bit.
    pub bit: Option<u32>,
}

impl Error {
    /// An error of this kind with nothing known about where.
    pub const fn new(kind: ErrorKind) -> Self {
        Error {
            kind,
            point: None,
            other: None,
            byte: None,
            bit: None,
        }
    }

    /// Returns the error with the point it is about.
    pub const fn about(mut self, point: PointId) -> Self {
        self.point = Some(point);
        self
    }

    /// Returns the error with the other point of a clash.
    pub const fn with(mut self, other: PointId) -> Self {
        self.other = Some(other);
        self
    }

    /// Returns the error with its byte.
    pub const fn at(mut self, byte: u32) -> Self {
        self.byte = Some(byte);
        self
    }

    /// Returns the error with its bit within the bit area.
    pub const fn bit(mut self, bit: u32) -> Self {
        self.bit = Some(bit);
        self
    }

    /// Returns the error as seen from an envelope in which the bytes begin `bytes` later.
    pub const fn behind(mut self, bytes: u32) -> Self {
        if let Some(byte) = self.byte {
            self.byte = Some(byte.saturating_add(bytes));
        }
        self
    }

    /// The error of `have` bytes where `needed` are required.
    #[cold]
    pub(crate) fn wrong_length(have: usize, needed: usize) -> Self {
        let missing = needed.saturating_sub(have) as u32;
        let extra = u32::try_from(have.saturating_sub(needed)).unwrap_or(u32::MAX);
        let kind = match extra {
            0 => ErrorKind::Incomplete { missing },
            _ => ErrorKind::Trailing { extra },
        };
        Error::new(kind).at(have.min(needed) as u32)
    }

    /// Whether the bytes ended too early: with more of them the message may be complete.
    pub const fn is_incomplete(&self) -> bool {
        matches!(self.kind, ErrorKind::Incomplete { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lead = ": ";
        self.kind.fmt(f)?;
        for point in [self.point, self.other].into_iter().flatten() {
            write!(f, "{lead}point {point}")?;
            lead = ", ";
        }
        if let Some(byte) = self.byte {
            write!(f, "{lead}byte {byte}")?;
            lead = ", ";
        }
        if let Some(bit) = self.bit {
            write!(f, "{lead}bit {bit}")?;
        }
        Ok(())
    }
}

impl core::error::Error for Error {}

macro_rules! kinds {
    ($(#[$doc:meta] $kind:ident $({ $($field:ident : $type:ty),* })? $name:literal $text:literal;)*) => {
        /// The kind of an error in a payload, a value or a definition.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum ErrorKind {
            $(#[$doc] #[allow(missing_docs)] $kind $({ $($field: $type),* })?,)*
        }

        impl ErrorKind {
            /// The kind in snake_case, for programs: stable.
            pub const fn name(&self) -> &'static str {
                match self { $(ErrorKind::$kind { .. } => $name,)* }
            }

            /// The kind in words, without its figures.
            pub(crate) const fn text(&self) -> &'static str {
                match self { $(ErrorKind::$kind { .. } => $text,)* }
            }
        }
    };
}

kinds! {
    // Payloads.
    /// The bytes end `missing` bytes too early; `byte` is the first that is missing.
    Incomplete { missing: u32 } "incomplete" "bytes are missing";
    /// There are `extra` bytes after the end.
    Trailing { extra: u32 } "trailing" "bytes follow the end";
    /// The P0 action is not one of the protocol's.
    UnknownAction { action: u8 } "unknown_action" "the action is unknown";
    /// The P0 action belongs to the other protocol (standard or var_len).
    OtherProtocol { action: u8 } "other_protocol" "the action belongs to the other protocol";
    /// A flag past the last point that can have one.
    UnknownFlag "unknown_flag" "a flag is set that belongs to no point";
    /// A control for a point that can't be written.
    NotWritable "not_writable" "the point is not writable";
    /// The bytes don't begin with 00000003.
    NotM2m "not_m2m" "not an M2M frame";
    /// The length of a frame is too small for its parts, or an M2M varint has more than four bytes.
    FrameLength "frame_length" "the frame's length is not possible";
    /// The frame is longer than the limit set for it.
    FrameLimit "frame_limit" "the frame is longer than the limit";

    /// 0x0093 and 0x0094 have an sn, other commands have none.
    FrameSn "frame_sn" "commands 0x0093 and 0x0094 have an sn, others have none";
    /// The bytes don't begin with ff ff.
    NotUart "not_uart" "not a UART frame";
    /// An ff of a UART frame without the 55 that must follow it.
    Stuffing "stuffing" "an ff without the 55 behind it";
    /// The checksum of a UART frame is `found`; that of its bytes is `expected`.
    Checksum { expected: u8, found: u8 } "checksum" "the checksum is wrong";
    /// A did is longer than 64 bytes.
    DidLength "did_length" "a did has at most 64 bytes";

    // Values.
    /// The value is of another kind than the point.
    WrongKind "wrong_kind" "the value's kind is not the point's";
    /// The value is below the point's minimum.
    BelowMin "below_min" "below the minimum";
    /// The value is above the point's maximum.
    AboveMax "above_max" "above the maximum";
    /// The enum index has no label.
    PastLabels "past_labels" "past the labels";
    /// The value lies between the raw values `below` and `below + 1`.
    OffStep { below: u32 } "off_step" "not on a step";
    /// A binary value must have exactly `expected` bytes.
    BinaryLength { expected: u16 } "binary_length" "the binary value's length is not the point's";
    /// No point has this id.
    UnknownPoint "unknown_point" "no such point";
    /// A read sets no values; only a read of a var_len product names points that it wants.
    WrongAction "wrong_action" "the message has no place for it";
    /// The output needs `needed` bytes.
    OutOfSpace { needed: u32 } "out_of_space" "the output is too short";
    /// Text that is no exact decimal number.
    NotANumber "not_a_number" "not a number, or one of too many digits";

    // Definitions: rules of one point.
    /// The kind must be counted in the other unit.
    Unit "unit" "bool and enum stand in bits, everything else in bytes";
    /// A point counted in bytes has a bit offset.
    BitOffset "bit_offset" "a point in bytes has no bit offset";
    /// A bool has exactly one bit.
    BoolWidth "bool_width" "a bool has one bit";
    /// An enum has 1 to 32 bits.
    EnumWidth "enum_width" "an enum has 1 to 32 bits";
    /// A uint8, uint16 or uint32 has 1, 2 or 4 bytes.
    UintWidth "uint_width" "the length is not the integer's";
    /// A binary has 1 to 65,535 bytes.
    BinaryWidth "binary_width" "a binary has 1 to 65535 bytes";
    /// An enum without labels.
    NoLabels "no_labels" "an enum needs labels";
    /// An enum has more labels than its bits can number.
    TooManyLabels "too_many_labels" "more labels than the bits can number";
    /// The raw minimum is negative.
    NegativeMin "negative_min" "the raw minimum is negative";
    /// The minimum is above the maximum.
    MinAboveMax "min_above_max" "the minimum is above the maximum";
    /// The raw maximum does not fit the integer.
    MaxTooLarge "max_too_large" "the raw maximum does not fit the integer";
    /// The ratio is not above zero.
    Ratio "ratio" "the ratio is not above 0";
    /// A ratio or addition has more than 15 significant digits.
    Digits "digits" "more than 15 significant digits";
    /// Some value of the point could not be held exactly.
    ScaleOverflow "scale_overflow" "the ratio and addition lead to values of too many digits";

    // Definitions: rules between points.
    /// There are no points.
    NoPoints "no_points" "no points";
    /// There are more points than a layout can hold.
    TooManyPoints "too_many_points" "too many points";
    /// There are more different scales than the layout has room for.
    TooManyScales "too_many_scales" "more different scales than the layout has room for";
    /// Two points have the same id.
    DuplicateId "duplicate_id" "two points have the same id";
    /// The ids are not 0 to n-1.
    IdRange "id_range" "the ids are not 0 to n-1";
    /// The status is longer than 65,535 bytes.
    StatusLength "status_length" "the status is longer than 65535 bytes";
    /// Two points share a bit.
    Overlap "overlap" "overlaps another point";
    /// A bit area holds points of different access.
    SharedArea "shared_area" "shares a bit area with a point of another access";
    /// A writable point has a higher id than one that isn't.
    WritableIds "writable_ids" "the ids of the writable points don't come first";
    /// A writable point stands behind one that isn't.
    WritableBytes "writable_bytes" "the bytes of the writable points don't come first";

    // Definitions: warnings.
    /// A bit field is wider than vendor code supports.
    WideBits "wide_bits" "more than 8 bits, which vendor code does not support";
    /// Bytes of the status belong to no point.
    Gap "gap" "there is a gap before the point";
    /// The order is not the one the cloud writes.
    Order "order" "not in canonical order";

    // Definitions: their JSON.
    /// Not JSON, or a value of the wrong JSON type.
    Json "json" "not JSON, or a value of the wrong type";
    /// A key is missing.
    Missing { key: Key } "missing" "a key is missing";
    /// A value is of the wrong JSON type, or not a whole number where one is needed.
    WrongType { key: Key } "wrong_type" "a value has the wrong type";
    /// A word that is not one of those allowed.
    UnknownWord { key: Key } "unknown_word" "a word is not one of those allowed";
    /// A name is empty.
    EmptyName "empty_name" "a name is empty";
    /// Two points have the same name.
    DuplicateName "duplicate_name" "two points have the same name";
    /// There is more than one entity.
    Entities "entities" "there must be exactly one entity";
    /// The attrs stand outside an entity.
    OutsideEntity "outside_entity" "the attrs must stand in an entity";
    /// A label is not a string.
    LabelType { index: u32 } "label_type" "a label is not a string";
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())?;
        if let ErrorKind::Checksum { expected, found } = self {
            write!(f, " ({expected:#04x} is expected, {found:#04x} was found)")?;
        }
        Ok(())
    }
}

impl ErrorKind {
    /// Whether the definition is usable all the same.
    pub const fn is_warning(&self) -> bool {
        matches!(self, Self::WideBits | Self::Gap | Self::Order)
    }
}

macro_rules! keys {
    ($($key:ident $parent:literal $name:literal;)*) => {
        /// A key of the definition JSON.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub enum Key { $($key,)* }

        impl Key {
            /// The key as the definition spells it.
            pub const fn name(self) -> &'static str {
                match self { $(Key::$key => $name,)* }
            }

            /// The JSON pointer of the key's value, within an attr or, of a key of the product, within the
            /// definition.
            pub const fn pointer(self) -> &'static str {
                match self { $(Key::$key => concat!($parent, "/", $name),)* }
            }
        }
    };
}

keys! {
    PacketVersion "" "packetVersion";
    ProtocolType "" "protocolType";
    Entities "" "entities";
    Attrs "" "attrs";
    Id "" "id";
    Name "" "name";
    Type "" "type";
    DataType "" "data_type";
    Position "" "position";
    Unit "/position" "unit";
    ByteOffset "/position" "byte_offset";
    BitOffset "/position" "bit_offset";
    Len "/position" "len";
    UintSpec "" "uint_spec";
    Min "/uint_spec" "min";
    Max "/uint_spec" "max";
    Ratio "/uint_spec" "ratio";
    Addition "/uint_spec" "addition";
    Enum "" "enum";
}
