//! Records that were not decoded, as lines of JSON.

use std::borrow::Cow;

use serde::Serialize;

use crate::error::Error;
use crate::message::payload;

/// The reasons of rejects besides [`Error::KINDS`], and what they mean.
pub const KINDS: &[(&str, &str)] = &[
    ("json", "the line begins like an object and is not JSON"),
    (
        "record",
        "a member is missing, stands twice or is not a text",
    ),
    (
        "timestamp",
        "the timestamp is neither a number of seconds nor RFC 3339, or outside the years -9999 to 9999",
    ),
    ("depth", "arrays and objects are nested more than 32 deep"),
    (
        "unknown_device",
        "neither the record, its frame nor the input names a device, and values of one device are wanted",
    ),
    (
        "other_device",
        "the record or its frame names another device than the one that the input is of",
    ),
    (
        "device_limit",
        "the record is of one more device than values are kept for",
    ),
    ("not_utf8", "the line is not UTF-8 text"),
    ("line_length", "the line is longer than the limit"),
    (
        "unknown_product",
        "no definition that was given is of the record's product",
    ),
    (
        "unreadable",
        "the input can't be read on, or is no page of the API",
    ),
];

/// A record that was not decoded, as a line of JSON.
#[derive(Serialize)]
struct Reject<'a> {
    file: &'a str,
    line: u64,
    reason: &'a Error,
    record: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
}

/// Appends `{"file":…,"line":N,"reason":{…},"record":…}`.
///
/// A record that is no text has `"encoding":"base64"`. Of one that is too long the head is shown, and
/// `"length"` says how long it is.
pub(crate) fn write(
    out: &mut Vec<u8>,
    (file, line): (&str, u64),
    reason: &Error,
    record: &[u8],
    length: Option<u64>,
) {
    let cut = length.is_some_and(|length| length > record.len() as u64);
    let (record, encoding) = match std::str::from_utf8(record) {
        Ok(record) => (record.into(), None),
        // A head that was cut within a character is text all the same.
        Err(error) if cut && error.error_len().is_none() => (
            String::from_utf8_lossy(&record[..error.valid_up_to()]),
            None,
        ),
        Err(_) => (payload::base64(record).into(), Some("base64")),
    };
    let reject = Reject {
        file,
        line,
        reason,
        record,
        encoding,
        length,
    };
    let _ = serde_json::to_writer(&mut *out, &reject);
    out.push(b'\n');
}
