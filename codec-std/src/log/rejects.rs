//! Rejected records as lines of JSON.

use std::borrow::Cow;

use serde::Serialize;

use crate::error::Error;
use crate::message::payload;

/// The kinds of rejects in addition to [`Error::KINDS`], with their meanings.
pub const KINDS: &[(&str, &str)] = &[
    ("json", "the line begins with `{` but is not JSON"),
    ("record", "a member is missing, duplicate or not a string"),
    (
        "timestamp",
        "the timestamp is neither a number of seconds nor RFC 3339, or is outside the years -9999 to 9999",
    ),
    ("depth", "arrays and objects are nested more than 32 deep"),
    (
        "unknown_device",
        "the record, its frame and the input name no device, but an option requires one",
    ),
    (
        "other_device",
        "the record or its frame names another device than the input",
    ),
    (
        "device_limit",
        "the log has more devices than the limit of devices whose values are kept",
    ),
    (
        "partition",
        "the did can't be the name of a partition's folder",
    ),
    ("not_utf8", "the line is not UTF-8 text"),
    ("line_length", "the line is longer than the limit"),
    (
        "unknown_product",
        "no given definition is of the record's product",
    ),
    (
        "unreadable",
        "the input is unreadable from here on, or is neither a page of the API nor an array of records",
    ),
];

/// A rejected record, as it is serialized.
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
/// A record that is not UTF-8 is written as base64, with `"encoding":"base64"`. A record that is too long
/// is cut, and `"length"` is its full length in bytes.
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
        // A cut within a character does not make the record binary.
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
