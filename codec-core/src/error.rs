//! The error type of the crate: a kind, the points concerned, and a position.

use core::fmt;

/// The id of a data point: its bit in the flags or mask of a message, and its row in the layout.
///
/// The ids of a product are 0 to `n - 1` for `n` points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PointId(pub u16);

impl PointId {
    /// Returns the id as an index into a slice of all points.
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

/// An error: a kind, the points concerned, and a position.
///
/// The error of a payload has the byte of that payload. The error of a definition has the byte offset and the bit offset
/// of the definition. The error of a refused value has the first byte of the status that holds the value, which in a bit
/// area of several bytes is not the byte offset of the definition. An error is `Copy` and holds no strings:
/// `gizwits-codec-std` adds the names of points.
///
/// ```
/// use gizwits_codec_core::{Access, Error, ErrorKind, Layout, Point, Protocol};
///
/// const SWITCH: Point = Point::bool(0, Access::Writable, 0, 0);
/// const CLASH: Point = Point::bool(1, Access::Writable, 0, 0);
/// let error = Layout::<2>::new(Protocol::Standard, &[SWITCH, CLASH]).unwrap_err();
/// assert_eq!(error.kind, ErrorKind::Overlap);
/// assert_eq!(error.to_string(), "the point overlaps another point: point 1, point 0, byte 0, bit 0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
#[non_exhaustive]
pub struct Error {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The point that the error is about.
    pub point: Option<PointId>,
    /// The other point, if the error is a conflict between two points.
    pub other: Option<PointId>,
    /// The byte offset, from 0.
    pub byte: Option<u32>,
    /// The bit offset in the bit area, from the least significant bit of the area.
    pub bit: Option<u32>,
}

impl Error {
    /// Creates an error of this kind without points and position.
    ///
    /// ```
    /// use gizwits_codec_core::{Error, ErrorKind, PointId};
    ///
    /// let error = Error::new(ErrorKind::AboveMax).about(PointId(3)).at(5).offset_by(2);
    /// assert_eq!(error.to_string(), "the value is above the maximum: point 3, byte 7");
    /// ```
    pub const fn new(kind: ErrorKind) -> Self {
        Error {
            kind,
            point: None,
            other: None,
            byte: None,
            bit: None,
        }
    }

    /// Returns the error with the point that it is about.
    pub const fn about(mut self, point: PointId) -> Self {
        self.point = Some(point);
        self
    }

    /// Returns the error with the other point of a conflict.
    pub const fn with(mut self, other: PointId) -> Self {
        self.other = Some(other);
        self
    }

    /// Returns the error with this byte offset.
    pub const fn at(mut self, byte: u32) -> Self {
        self.byte = Some(byte);
        self
    }

    /// Returns the error with this bit offset in the bit area.
    pub const fn bit(mut self, bit: u32) -> Self {
        self.bit = Some(bit);
        self
    }

    /// Returns the error with `bytes` added to its byte offset, for a payload that begins `bytes` bytes into
    /// an envelope.
    pub const fn offset_by(mut self, bytes: u32) -> Self {
        if let Some(byte) = self.byte {
            self.byte = Some(byte.saturating_add(bytes));
        }
        self
    }

    /// Returns the error of `have` bytes where `needed` bytes are required.
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

    /// Returns whether the bytes end too early. A stream reads more bytes and tries again.
    ///
    /// ```
    /// use gizwits_codec_core::{ErrorKind, m2m};
    ///
    /// let error = m2m::parse(b"\0\0\0\x03\x04\0\0", m2m::DEFAULT_LIMIT).unwrap_err();
    /// assert!(error.is_incomplete());
    /// assert_eq!(error.kind, ErrorKind::Incomplete { missing: 2 });
    /// ```
    pub const fn is_incomplete(&self) -> bool {
        matches!(self.kind, ErrorKind::Incomplete { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        // The standard library's text of an integer has a reachable panic at some levels of optimisation.
        let mut place = ConstText::EMPTY;
        place.put_place(self);
        f.write_str(place.as_str())
    }
}

impl core::error::Error for Error {}

/// The text of an error as its `Display` writes it, made by a constant function that the compiler can call for its own
/// messages.
pub(crate) struct ConstText {
    bytes: [u8; ConstText::ROOM],
    len: usize,
}

impl ConstText {
    /// The room for a text. No text of a rule is longer.
    const ROOM: usize = 192;

    const EMPTY: ConstText = ConstText {
        bytes: [0; ConstText::ROOM],
        len: 0,
    };

    pub(crate) const fn of(error: &Error) -> Self {
        let mut text = ConstText::EMPTY;
        text.put(error.kind.text());
        text.put_fields(&error.kind);
        text.put_place(error);
        text
    }

    /// Appends the fields of a kind, in brackets.
    const fn put_fields(&mut self, kind: &ErrorKind) {
        match *kind {
            ErrorKind::Incomplete { missing } => {
                self.put_number(" (", "at least ", missing);
                self.put(" missing)");
            }
            ErrorKind::Trailing { extra } => self.put_bytes(" (", extra, ")"),
            ErrorKind::UnknownAction { action } | ErrorKind::OtherProtocol { action } => {
                self.put_hex(" (", action);
                self.put(")");
            }
            ErrorKind::Checksum { expected, found } => {
                self.put_hex(" (expected ", expected);
                self.put_hex(", found ", found);
                self.put(")");
            }
            ErrorKind::OffStep { below } => {
                self.put_number(" (", "raw values ", below);
                self.put_number(" and ", "", below.saturating_add(1));
                self.put(")");
            }
            ErrorKind::BinaryLength { expected } => {
                self.put_bytes(" (expected ", expected as u32, ")");
            }
            ErrorKind::OutOfSpace { needed } => self.put_bytes(" (", needed, " needed)"),
            ErrorKind::Missing { key }
            | ErrorKind::WrongType { key }
            | ErrorKind::UnknownWord { key } => {
                self.put(" (");
                self.put(key.pointer());
                self.put(")");
            }
            ErrorKind::LabelType { index } => {
                self.put_number(" (", "label ", index);
                self.put(")");
            }
            _ => {}
        }
    }

    /// Appends the points, the byte and the bit of an error.
    const fn put_place(&mut self, error: &Error) {
        let mut lead = ": ";
        if let Some(PointId(id)) = error.point {
            lead = self.put_number(lead, "point ", id as u32);
        }
        if let Some(PointId(id)) = error.other {
            lead = self.put_number(lead, "point ", id as u32);
        }
        if let Some(byte) = error.byte {
            lead = self.put_number(lead, "byte ", byte);
        }
        if let Some(bit) = error.bit {
            self.put_number(lead, "bit ", bit);
        }
    }

    pub(crate) const fn as_str(&self) -> &str {
        let text = match self.bytes.split_at_checked(self.len) {
            Some((text, _)) => text,
            None => &self.bytes,
        };
        match core::str::from_utf8(text) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    const fn put(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        while let Some((byte, behind)) = rest.split_first() {
            self.put_byte(*byte);
            rest = behind;
        }
    }

    const fn put_bytes(&mut self, lead: &str, number: u32, end: &str) {
        self.put_number(lead, "", number);
        self.put(if number == 1 { " byte" } else { " bytes" });
        self.put(end);
    }

    const fn put_hex(&mut self, lead: &str, byte: u8) {
        self.put(lead);
        self.put("0x");
        self.put_digit(byte >> 4);
        self.put_digit(byte & 15);
    }

    const fn put_digit(&mut self, digit: u8) {
        let zero = if digit < 10 { b'0' } else { b'a' - 10 };
        self.put_byte(zero.wrapping_add(digit));
    }

    const fn put_byte(&mut self, byte: u8) {
        if let Some((_, [slot, ..])) = self.bytes.split_at_mut_checked(self.len) {
            *slot = byte;
            self.len = self.len.saturating_add(1);
        }
    }

    /// Writes a number with its noun, and returns what separates it from the next.
    const fn put_number(&mut self, lead: &str, noun: &str, number: u32) -> &'static str {
        self.put(lead);
        self.put(noun);
        let mut unit: u32 = 1_000_000_000;
        // Behind the last digit the unit is 0.
        while let Some(digits) = number.checked_div(unit) {
            if digits > 0 || unit == 1 {
                self.put_byte(b'0'.wrapping_add((digits % 10) as u8));
            }
            unit /= 10;
        }
        ", "
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident $({ $($field:ident : $type:ty),* })? $name:literal $text:literal;)*) => {
        /// The kind of an error in a payload, a value or a definition.
        ///
        /// ```
        /// use gizwits_codec_core::ErrorKind;
        ///
        /// let kind = ErrorKind::OffStep { below: 7 };
        /// assert_eq!(kind.name(), "off_step");
        /// assert_eq!(kind.to_string(), "the value is between two steps (raw values 7 and 8)");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])+ #[allow(missing_docs)] $kind $({ $($field: $type),* })?,)*
        }

        impl ErrorKind {
            /// Returns the kind in snake_case. The names are stable: programs may compare them.
            pub const fn name(&self) -> &'static str {
                match self { $(ErrorKind::$kind { .. } => $name,)* }
            }

            /// Returns a text about the kind, without the numbers of this error.
            pub(crate) const fn text(&self) -> &'static str {
                match self { $(ErrorKind::$kind { .. } => $text,)* }
            }
        }
    };
}

kinds! {
    // Payloads.
    /// The bytes end at least `missing` bytes too early; [`Error::byte`] is the first missing byte.
    Incomplete { missing: u32 } "incomplete" "the bytes end too early";
    /// `extra` bytes follow the end of the message.
    Trailing { extra: u32 } "trailing" "bytes follow the end of the message";
    /// The protocol has no P0 action with this byte.
    UnknownAction { action: u8 } "unknown_action" "unknown action";
    /// The P0 action belongs to the other protocol: the product is standard and the action var_len, or
    /// the reverse.
    OtherProtocol { action: u8 } "other_protocol" "the action belongs to the other protocol";
    /// A control sets a flag that belongs to no point.
    UnknownFlag "unknown_flag" "a flag is set that belongs to no point";
    /// A control sets a point that is not writable.
    NotWritable "not_writable" "the point is not writable";
    /// The bytes do not begin with 00 00 00 03.
    NotM2m "not_m2m" "not an M2M frame: 00 00 00 03 is expected";
    /// The length of a frame is too small for its fields, the length of a UART frame begins with ff, the
    /// length of an M2M frame has more than four bytes, or an M2M service command is unknown.
    FrameLength "frame_length" "the length of the frame is invalid";
    /// The frame is longer than the limit of the caller, or than its format allows.
    FrameLimit "frame_limit" "the frame is longer than the limit";
    /// The sequence number is missing in a frame of command 0x0093 or 0x0094, or present in any other.
    FrameSn "frame_sn" "commands 0x0093 and 0x0094 require a sequence number, other commands have none";
    /// The bytes do not begin with ff ff.
    NotUart "not_uart" "not a UART frame: ff ff is expected";
    /// An ff in a UART frame is not followed by its stuffing byte 55.
    Stuffing "stuffing" "ff is not followed by 55";
    /// A UART frame ends with the checksum `found`, but its bytes add up to `expected`.
    Checksum { expected: u8, found: u8 } "checksum" "wrong checksum";
    /// The did is longer than 64 bytes.
    DidLength "did_length" "the did is longer than 64 bytes";

    // Values.
    /// The kind of the value does not match the kind of the point, for example a number for a bool.
    WrongKind "wrong_kind" "the kind of the value does not match the point";
    /// The value is below the minimum of the point.
    BelowMin "below_min" "the value is below the minimum";
    /// The value is above the maximum of the point.
    AboveMax "above_max" "the value is above the maximum";
    /// The enum index has no label.
    PastLabels "past_labels" "the enum index has no label";
    /// The value is between two steps: those of the raw values `below` and `below + 1`.
    OffStep { below: u32 } "off_step" "the value is between two steps";
    /// The binary value does not have the `expected` number of bytes.
    BinaryLength { expected: u16 } "binary_length" "the length of the binary value does not match the point";
    /// The product has no point with this id.
    UnknownPoint "unknown_point" "the product has no point with this id";
    /// The operation does not fit the action of the message: a value in a read, a wanted point in anything
    /// but a read of a var_len product, or a merge of anything but a reply or a report.
    WrongAction "wrong_action" "not allowed in a message with this action";
    /// The output buffer is too short: `needed` bytes are required.
    OutOfSpace { needed: u32 } "out_of_space" "the output buffer is too short";
    /// The text or float is not a number that a [`Decimal`](crate::Decimal) holds exactly.
    NotANumber "not_a_number" "not a number, or a number with too many digits";

    // Definitions: rules of one point.
    /// The unit does not fit the kind: bit for bool and enum, byte for all other kinds.
    Unit "unit" "the unit must be bit for bool and enum, byte for all other kinds";
    /// A point with the unit byte has a bit offset other than 0.
    BitOffset "bit_offset" "a point with the unit byte must have the bit offset 0";
    /// A bool has a length other than 1 bit.
    BoolWidth "bool_width" "a bool must have 1 bit";
    /// An enum has a length of 0 or of more than 32 bits.
    EnumWidth "enum_width" "an enum must have 1 to 32 bits";
    /// The length of an integer does not fit its type: 1 byte for uint8, 2 for uint16, 4 for uint32.
    UintWidth "uint_width" "the length must be 1, 2 or 4 bytes for uint8, uint16 or uint32";
    /// A binary has a length of 0 or of more than 65,535 bytes.
    BinaryWidth "binary_width" "a binary must have 1 to 65535 bytes";
    /// An enum has no labels.
    NoLabels "no_labels" "the enum has no labels";
    /// An enum has more labels than its bits can number.
    TooManyLabels "too_many_labels" "the enum has more labels than its bits can number";
    /// The raw minimum is negative.
    NegativeMin "negative_min" "the raw minimum is negative";
    /// The raw minimum is above the raw maximum.
    MinAboveMax "min_above_max" "the minimum is above the maximum";
    /// The raw maximum does not fit the integer type.
    MaxTooLarge "max_too_large" "the raw maximum does not fit the integer type";
    /// The ratio is zero or negative.
    Ratio "ratio" "the ratio must be above 0";
    /// A ratio or addition has more than 15 significant digits.
    Digits "digits" "the ratio or addition has more than 15 significant digits";
    /// The ratio and addition lead to engineering values that a [`Decimal`](crate::Decimal) does not hold
    /// exactly.
    ScaleOverflow "scale_overflow" "the ratio and addition lead to values with too many digits";

    // Definitions: rules between points.
    /// The product has no points.
    NoPoints "no_points" "the product has no points";
    /// The product has more points than the layout, or any layout, can hold.
    TooManyPoints "too_many_points" "the product has more points than the layout can hold";
    /// The product has more different scales than the layout can hold.
    TooManyScales "too_many_scales" "the product has more different scales than the layout can hold";
    /// Two points have the same id.
    DuplicateId "duplicate_id" "two points have the same id";
    /// The ids of `n` points are not 0 to `n - 1`.
    IdRange "id_range" "the ids of n points must be 0 to n-1";
    /// The status is longer than 65,535 bytes.
    StatusLength "status_length" "the status is longer than 65535 bytes";
    /// The point shares a bit with another point.
    Overlap "overlap" "the point overlaps another point";
    /// The point shares a bit area with a point of another access.
    SharedArea "shared_area" "the point shares a bit area with a point of another access";
    /// A writable point of a standard product has a higher id than a point that is not writable.
    WritableIds "writable_ids" "writable points must have lower ids than all other points";
    /// A writable point of a standard product comes after a point that is not writable.
    WritableBytes "writable_bytes" "writable points must come before all other points in the status";

    // Definitions: warnings.
    /// Warning: an enum has more than the 8 bits that vendor code supports.
    WideBits "wide_bits" "the enum has more than the 8 bits that vendor code supports";
    /// Warning: the bytes before the point belong to no point.
    Gap "gap" "the bytes before the point belong to no point";
    /// Warning: the points are not in the order in which the cloud writes them.
    Order "order" "the point is not in canonical order";

    // Definitions: their JSON.
    /// The text is not JSON, or a value has the wrong JSON type.
    Json "json" "not JSON, or a value of the wrong type";
    /// A required key is missing.
    Missing { key: Key } "missing" "a required key is missing";
    /// A value has the wrong JSON type, or is not a whole number where a whole number is required.
    WrongType { key: Key } "wrong_type" "a value has the wrong type";
    /// A value is not one of the words that its key allows.
    UnknownWord { key: Key } "unknown_word" "the value is not one of the words that its key allows";
    /// The name of a point is empty.
    EmptyName "empty_name" "the name is empty";
    /// Two points have the same name.
    DuplicateName "duplicate_name" "two points have the same name";
    /// The definition has no entity, or more than one.
    Entities "entities" "there must be exactly one entity";
    /// The attrs are outside an entity.
    OutsideEntity "outside_entity" "the attrs must be inside an entity";
    /// A label is not a string.
    LabelType { index: u32 } "label_type" "a label is not a string";
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())?;
        let mut fields = ConstText::EMPTY;
        fields.put_fields(self);
        f.write_str(fields.as_str())
    }
}

impl ErrorKind {
    /// Returns whether the kind is a warning: the definition can be used.
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
            /// Returns the key as the definition spells it.
            pub const fn name(self) -> &'static str {
                match self { $(Key::$key => $name,)* }
            }

            /// Returns the JSON pointer of the value: from the attr, or from the definition for a key of the
            /// product.
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

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::string::ToString;

    /// The compiler says what `Display` says.
    #[test]
    fn constant_texts_are_those_of_display() {
        let error = Error::new(ErrorKind::WritableBytes);
        for error in [
            error,
            error.about(PointId(0)),
            error.about(PointId(10)).with(PointId(1023)),
            error.at(0).bit(70),
            Error::new(ErrorKind::FrameSn)
                .about(PointId(u16::MAX))
                .with(PointId(u16::MAX))
                .at(u32::MAX)
                .bit(u32::MAX),
        ] {
            assert_eq!(ConstText::of(&error).as_str(), error.to_string());
        }
    }

    /// Both texts of a kind with fields end with the fields.
    #[test]
    fn texts_have_the_fields() {
        let (max, key) = (u32::MAX, Key::BitOffset);
        for (kind, fields) in [
            (ErrorKind::Incomplete { missing: 3 }, "at least 3 missing"),
            (ErrorKind::Trailing { extra: 1 }, "1 byte"),
            (ErrorKind::Trailing { extra: 20 }, "20 bytes"),
            (ErrorKind::UnknownAction { action: 0x53 }, "0x53"),
            (ErrorKind::OtherProtocol { action: 0x0a }, "0x0a"),
            (
                ErrorKind::Checksum {
                    expected: 0xf9,
                    found: 0,
                },
                "expected 0xf9, found 0x00",
            ),
            (ErrorKind::OffStep { below: 7 }, "raw values 7 and 8"),
            (
                ErrorKind::OffStep { below: max },
                "raw values 4294967295 and 4294967295",
            ),
            (
                ErrorKind::BinaryLength { expected: u16::MAX },
                "expected 65535 bytes",
            ),
            (
                ErrorKind::OutOfSpace { needed: max },
                "4294967295 bytes needed",
            ),
            (ErrorKind::Missing { key: Key::Max }, "/uint_spec/max"),
            (ErrorKind::WrongType { key: Key::Attrs }, "/attrs"),
            (ErrorKind::UnknownWord { key }, "/position/bit_offset"),
            (ErrorKind::LabelType { index: max }, "label 4294967295"),
        ] {
            let other = PointId(u16::MAX);
            let error = Error::new(kind).about(other).with(other).at(max).bit(max);
            let place = "point 65535, point 65535, byte 4294967295, bit 4294967295";
            let expected = std::format!("{} ({fields}): {place}", kind.text());
            assert_eq!(error.to_string(), expected);
            assert_eq!(ConstText::of(&error).as_str(), expected);
        }
    }
}
