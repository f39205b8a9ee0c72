//! The error of the crate, which names points where the core's error has ids.

use std::borrow::Cow;
use std::fmt;

use gizwits_codec_core as core;
use serde::Serialize;

use crate::text::printable;

/// An error of decoding or encoding: its kind, its message and its location.
///
/// `kind` is for programs and never changes. `message` is for people and may change with any version.
/// Serialized, an error is an object with these fields, without those that are `None`.
///
/// ```
/// use gizwits_codec_std::{Action, Product, payload};
///
/// let error = payload::parse("not a payload", None).unwrap_err();
/// assert_eq!(error.kind, "not_hex_or_base64");
///
/// // An error about a value names the point and its location in the status.
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let mut control = product.message(Action::Control);
/// control.set_word("set_temp", "31")?;
/// let error = control.encode().unwrap_err();
/// assert_eq!((error.kind, error.point.as_deref(), error.byte), ("above_max", Some("set_temp"), Some(3)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Error {
    /// The kind in snake_case: one of [`KINDS`](Self::KINDS), of `log::KINDS` for a record of a log, or of
    /// [`capture::KINDS`](crate::capture::KINDS) for a stream.
    pub kind: &'static str,
    /// The message for people: the problem, its location and the expected value.
    pub message: String,
    /// The name of the point that the error is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
    /// The offset of the byte, from 0: in the given payload, or in the status if a value was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte: Option<u32>,
    /// The offset of the bit in its bit area.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit: Option<u32>,
}

impl Error {
    /// Every kind that decoding or encoding can return, with its meaning.
    pub const KINDS: &[(&str, &str)] = &[
        (
            "not_hex_or_base64",
            "the text is neither hex, nor base64, nor a list of bytes",
        ),
        (
            "ambiguous",
            "the text has two readings with different bytes; the message names both",
        ),
        (
            "incomplete",
            "the payload ends too early; `byte` is the first missing byte",
        ),
        (
            "trailing",
            "bytes follow the end of the payload; `byte` is the first of them",
        ),
        ("not_m2m", "the payload does not begin with 00000003"),
        ("frame_length", "the M2M frame has an impossible length"),
        (
            "unknown_action",
            "the first byte of the P0 is not an action",
        ),
        (
            "other_protocol",
            "the action belongs to the other protocol (standard or var_len)",
        ),
        ("unknown_flag", "a control sets a flag past the last point"),
        (
            "not_writable",
            "a control sets a point that is not writable",
        ),
        ("unknown_point", "the definition has no point of this name"),
        ("duplicate_point", "a point is given twice"),
        ("wrong_kind", "the value does not fit the kind of the point"),
        ("unknown_label", "the enum has no such label"),
        ("past_labels", "the index is past the labels of the enum"),
        ("below_min", "the value is below the point's minimum"),
        ("above_max", "the value is above the point's maximum"),
        (
            "off_step",
            "the value is between two steps; the message names both",
        ),
        ("binary_length", "the binary value is longer than the point"),
        (
            "missing_points",
            "a report or reply of a standard product needs every point",
        ),
        ("nothing_set", "a control sets no point"),
        (
            "wrong_action",
            "a read sets no values, and only a read of a var_len product names points",
        ),
        (
            "other_product",
            "the state and the payload belong to different definitions",
        ),
        (
            "snapshot",
            "the text is not a snapshot of a state, or is of another version",
        ),
        ("json", "the text is not a JSON object"),
        (
            "frame_sn",
            "the command requires an sn, or does not allow it",
        ),
        ("did_length", "the did is longer than 64 bytes"),
        ("frame_limit", "the frame is longer than the limit"),
    ];

    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: cut(message.into()),
            point: None,
            byte: None,
            bit: None,
        }
    }

    /// Creates an error whose message quotes nothing, so that it needs no escapes and is short.
    #[cfg(feature = "log")]
    pub(crate) fn own(kind: &'static str, message: String) -> Self {
        Error {
            kind,
            message,
            point: None,
            byte: None,
            bit: None,
        }
    }

    /// Returns the error with the message of another error behind its own.
    #[cfg(feature = "log")]
    pub(crate) fn and(mut self, other: Error) -> Self {
        self.message = cut(format!("{}; {}", self.message, other.message));
        self
    }

    /// Returns the error with `bytes` added to its byte offset.
    pub(crate) fn offset_by(mut self, bytes: usize) -> Self {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.byte = self.byte.map(|byte| byte.saturating_add(bytes));
        self
    }

    /// The error of a payload without bytes.
    pub(crate) fn empty() -> Self {
        let message =
            "the payload is empty: expected an M2M frame, which begins with 00000003, or a P0";
        Error::new("incomplete", message).at(Some(0), None)
    }

    /// The error of bytes after an M2M frame. `rest` are the last of `bytes`.
    pub(crate) fn trailing(bytes: &[u8], rest: &[u8]) -> Self {
        let at = bytes.len() - rest.len();
        let extra = counted(rest.len(), "byte");
        let hint = match rest.starts_with(&core::m2m::PREFIX) {
            true => ". The bytes begin another M2M frame: a stream can have several",
            false => "",
        };
        let message = format!("{extra} after the end, from byte {at} on{hint}");
        Error::new("trailing", message).at(u32::try_from(at).ok(), None)
    }

    pub(crate) fn about(mut self, point: &str) -> Self {
        self.point = Some(point.to_owned());
        self
    }

    pub(crate) fn at(mut self, byte: Option<u32>, bit: Option<u32>) -> Self {
        self.byte = byte;
        self.bit = bit;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<core::Error> for Error {
    /// Converts an error without a definition, so the message has ids in place of names.
    fn from(error: core::Error) -> Self {
        Error::new(error.kind.name(), error.to_string()).at(error.byte, error.bit)
    }
}

/// Returns a message for people: at most 1,000 bytes, with invisible characters escaped. Messages quote names, labels
/// and values, which can hold any characters and be of any length.
pub(crate) fn cut(mut message: String) -> String {
    const MAX: usize = 1000;
    if let Cow::Owned(escaped) = printable(&message) {
        message = escaped;
    }
    if message.len() > MAX {
        message.truncate(message.floor_char_boundary(MAX));
        message.push('…');
    }
    message
}

/// Returns a number with its noun: `1 byte`, `2 bytes`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// The first 40 characters of a text, for messages.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
