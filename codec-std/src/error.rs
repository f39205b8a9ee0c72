//! An error in the words of a definition: names where the core has ids.

use std::fmt;

use gizwits_codec_core as core;
use serde::Serialize;

/// An error: its kind, a sentence about it, and where it is.
///
/// ```
/// use gizwits_codec_std::payload;
///
/// let error = payload::parse("not a payload", None).unwrap_err();
/// assert_eq!(error.kind, "not_hex_or_base64");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Error {
    /// The kind in snake_case: one of [`KINDS`](Self::KINDS).
    pub kind: &'static str,
    /// A sentence: the problem, its place, and the expected value.
    pub message: String,
    /// The name of the point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
    /// The byte, from 0: of the payload as given, or of the status for a value that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte: Option<u32>,
    /// The bit within its bit area.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit: Option<u32>,
}

impl Error {
    /// Every kind that decoding or encoding can end with, and what it means.
    pub const KINDS: &[(&str, &str)] = &[
        (
            "not_hex_or_base64",
            "the text is neither hex, nor base64, nor a list of bytes",
        ),
        (
            "incomplete",
            "the payload ends too early; `byte` is the first that is missing",
        ),
        (
            "trailing",
            "bytes follow the end; `byte` is the first of them",
        ),
        ("not_m2m", "the payload does not begin with 00000003"),
        (
            "frame_length",
            "the length of the M2M frame is not possible",
        ),
        ("unknown_action", "the first byte of the P0 is no action"),
        (
            "other_protocol",
            "the action belongs to the other protocol, standard or var_len",
        ),
        ("unknown_flag", "a control sets a flag past the last point"),
        (
            "not_writable",
            "a control sets a point that is not writable",
        ),
        ("unknown_point", "the definition has no point of this name"),
        ("duplicate_point", "the same point is given twice"),
        ("wrong_kind", "the value is not of the point's kind"),
        ("unknown_label", "the text is none of the enum's labels"),
        ("past_labels", "the index is past the enum's labels"),
        ("below_min", "the value is below the point's minimum"),
        ("above_max", "the value is above the point's maximum"),
        (
            "off_step",
            "the value lies between two steps; the message names them",
        ),
        ("binary_length", "the binary value is longer than the point"),
        (
            "missing_points",
            "a report or reply of a standard product needs every point",
        ),
        ("nothing_set", "a control sets no point"),
        (
            "wrong_action",
            "a read sets no points, and only one of a var_len product names them",
        ),
        (
            "other_product",
            "the state and the payload are of different definitions",
        ),
        ("json", "the values are not a JSON object"),
        ("frame_sn", "the command needs an sn, or has none"),
        ("did_length", "a did has at most 64 bytes"),
        ("frame_limit", "the frame is too long"),
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
    /// Without a definition at hand: ids in place of names.
    fn from(error: core::Error) -> Self {
        Error::new(error.kind.name(), error.to_string()).at(error.byte, error.bit)
    }
}

/// A message of at most 1,000 bytes: names, labels and values come from outside, and may be of any length.
pub(crate) fn cut(mut message: String) -> String {
    const MAX: usize = 1000;
    if message.len() > MAX {
        message.truncate(message.floor_char_boundary(MAX));
        message.push('…');
    }
    message
}

/// `1 byte`, `2 bytes`.
pub(crate) fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// The head of a text, which may be long.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
