//! The status that functions return.

use core::ffi::{CStr, c_char};

use gizwits_codec_core::ErrorKind;

/// The status of a call: 0 if it succeeded, otherwise the kind of its error. The numbers never change.
///
/// Always 4 bytes, also where a compiler makes enums shorter. gizwits_status_name() returns the name.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum gizwits_status {
    /// The call succeeded.
    Ok = 0,
    // The arguments of a call.
    /// A pointer is null that must not be.
    NullPointer = 1,
    /// A pointer does not have the alignment of its type.
    Misaligned = 2,
    /// A buffer that a call writes overlaps another argument.
    Overlap = 3,
    /// A length is impossible: longer than any object in memory, or not the length that the function requires.
    InvalidLength = 4,
    /// The handle is 0, was freed, or never came from this library.
    InvalidHandle = 5,
    /// A number is none of those that an argument allows.
    InvalidArgument = 6,
    /// A text is not UTF-8.
    InvalidUtf8 = 7,
    /// A buffer is too short. The needed length is stored.
    OutOfSpace = 8,
    /// Another request is in progress.
    Busy = 9,
    /// The library has a bug. Its state is intact.
    Internal = 10,
    // Payloads and frames.
    /// The text is neither hex, nor base64, nor a list of bytes.
    NotHexOrBase64 = 32,
    /// The bytes end too early.
    Incomplete = 33,
    /// Bytes follow the end of the message.
    Trailing = 34,
    /// The first byte of the P0 is not an action.
    UnknownAction = 35,
    /// The action belongs to the other protocol: standard or var_len.
    OtherProtocol = 36,
    /// A control sets a flag that belongs to no point.
    UnknownFlag = 37,
    /// A control sets a point that is not writable.
    NotWritable = 38,
    /// The bytes do not begin with 00 00 00 03.
    NotM2m = 39,
    /// The length of the frame is invalid.
    FrameLength = 40,
    /// The frame is longer than the limit.
    FrameLimit = 41,
    /// The command requires a sequence number, or does not allow it.
    FrameSn = 42,
    /// The bytes do not begin with ff ff.
    NotUart = 43,
    /// An ff in a UART frame is not followed by 55.
    Stuffing = 44,
    /// The checksum of a UART frame is wrong.
    Checksum = 45,
    /// The did is longer than 64 bytes.
    DidLength = 46,
    /// The text has two readings with different bytes.
    Ambiguous = 47,
    // Values.
    /// The kind of the value does not match the point.
    WrongKind = 64,
    /// The value is below the minimum of the point.
    BelowMin = 65,
    /// The value is above the maximum of the point.
    AboveMax = 66,
    /// The enum index has no label.
    PastLabels = 67,
    /// The value is between two steps.
    OffStep = 68,
    /// The length of the binary value does not match the point.
    BinaryLength = 69,
    /// The product has no such point.
    UnknownPoint = 70,
    /// A point is given twice.
    DuplicatePoint = 71,
    /// The enum has no such label.
    UnknownLabel = 72,
    /// A report or reply of a standard product requires every point.
    MissingPoints = 73,
    /// A control sets no point.
    NothingSet = 74,
    /// The operation does not fit the action of the message.
    WrongAction = 75,
    /// The text is not a number, or has too many digits.
    NotANumber = 76,
    /// The message does not contain the point.
    NoValue = 77,
    /// The text is not a JSON object.
    Json = 78,
    // Definitions.
    /// The definition is invalid.
    Definition = 96,
}

use gizwits_status as S;

/// Every status with its name.
const NAMES: &[(gizwits_status, &CStr)] = &[
    (S::Ok, c"ok"),
    (S::NullPointer, c"null_pointer"),
    (S::Misaligned, c"misaligned"),
    (S::Overlap, c"overlap"),
    (S::InvalidLength, c"invalid_length"),
    (S::InvalidHandle, c"invalid_handle"),
    (S::InvalidArgument, c"invalid_argument"),
    (S::InvalidUtf8, c"invalid_utf8"),
    (S::OutOfSpace, c"out_of_space"),
    (S::Busy, c"busy"),
    (S::Internal, c"internal"),
    (S::NotHexOrBase64, c"not_hex_or_base64"),
    (S::Incomplete, c"incomplete"),
    (S::Trailing, c"trailing"),
    (S::UnknownAction, c"unknown_action"),
    (S::OtherProtocol, c"other_protocol"),
    (S::UnknownFlag, c"unknown_flag"),
    (S::NotWritable, c"not_writable"),
    (S::NotM2m, c"not_m2m"),
    (S::FrameLength, c"frame_length"),
    (S::FrameLimit, c"frame_limit"),
    (S::FrameSn, c"frame_sn"),
    (S::NotUart, c"not_uart"),
    (S::Stuffing, c"stuffing"),
    (S::Checksum, c"checksum"),
    (S::DidLength, c"did_length"),
    (S::Ambiguous, c"ambiguous"),
    (S::WrongKind, c"wrong_kind"),
    (S::BelowMin, c"below_min"),
    (S::AboveMax, c"above_max"),
    (S::PastLabels, c"past_labels"),
    (S::OffStep, c"off_step"),
    (S::BinaryLength, c"binary_length"),
    (S::UnknownPoint, c"unknown_point"),
    (S::DuplicatePoint, c"duplicate_point"),
    (S::UnknownLabel, c"unknown_label"),
    (S::MissingPoints, c"missing_points"),
    (S::NothingSet, c"nothing_set"),
    (S::WrongAction, c"wrong_action"),
    (S::NotANumber, c"not_a_number"),
    (S::NoValue, c"no_value"),
    (S::Json, c"json"),
    (S::Definition, c"definition"),
];

impl gizwits_status {
    /// Returns the status of the kind with this name.
    #[cfg(feature = "std")]
    pub(crate) fn named(kind: &str) -> Self {
        let named = NAMES
            .iter()
            .find(|(_, name)| name.to_bytes() == kind.as_bytes());
        named.map_or(S::Internal, |(status, _)| *status)
    }
}

impl From<ErrorKind> for gizwits_status {
    /// Returns the status with the name of the kind. The kinds of a definition are one status.
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::OutOfSpace { .. } => S::OutOfSpace,
            ErrorKind::Incomplete { .. } => S::Incomplete,
            ErrorKind::Trailing { .. } => S::Trailing,
            ErrorKind::UnknownAction { .. } => S::UnknownAction,
            ErrorKind::OtherProtocol { .. } => S::OtherProtocol,
            ErrorKind::UnknownFlag => S::UnknownFlag,
            ErrorKind::NotWritable => S::NotWritable,
            ErrorKind::NotM2m => S::NotM2m,
            ErrorKind::FrameLength => S::FrameLength,
            ErrorKind::FrameLimit => S::FrameLimit,
            ErrorKind::FrameSn => S::FrameSn,
            ErrorKind::NotUart => S::NotUart,
            ErrorKind::Stuffing => S::Stuffing,
            ErrorKind::Checksum { .. } => S::Checksum,
            ErrorKind::DidLength => S::DidLength,
            ErrorKind::WrongKind => S::WrongKind,
            ErrorKind::BelowMin => S::BelowMin,
            ErrorKind::AboveMax => S::AboveMax,
            ErrorKind::PastLabels => S::PastLabels,
            ErrorKind::OffStep { .. } => S::OffStep,
            ErrorKind::BinaryLength { .. } => S::BinaryLength,
            ErrorKind::UnknownPoint => S::UnknownPoint,
            ErrorKind::WrongAction => S::WrongAction,
            ErrorKind::NotANumber => S::NotANumber,
            ErrorKind::Json => S::Json,
            _ => S::Definition,
        }
    }
}

/// Returns the name of a status in snake_case, for example `above_max`. The names never change. A number without a
/// status has the name `unknown_status`.
///
/// The text ends with a NUL and lives as long as the program. The caller does not free it.
#[unsafe(no_mangle)]
pub extern "C" fn gizwits_status_name(status: i32) -> *const c_char {
    let named = NAMES.iter().find(|(one, _)| *one as i32 == status);
    named.map_or(c"unknown_status", |(_, name)| name).as_ptr()
}
