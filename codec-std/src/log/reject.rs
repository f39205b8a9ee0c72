//! Records that were not decoded, as lines of JSON.

use serde_json::Value;

use crate::error::Error;
use crate::payload;

/// Appends `{"file":…,"line":N,"reason":{…},"record":…}`.
///
/// A record that is no text has `"encoding":"base64"`. Of one that is too long the head is shown, and
/// `"length"` says how long it is.
pub(crate) fn write(
    out: &mut Vec<u8>,
    (file, line): (&str, u64),
    error: &Error,
    record: &[u8],
    length: Option<u64>,
) {
    let json = |value: &str| Value::from(value).to_string();
    let mut text = format!(
        r#"{{"file":{},"line":{line},"reason":{{"kind":"{}","message":{}"#,
        json(file),
        error.kind,
        json(&error.message),
    );
    if let Some(point) = &error.point {
        text += &format!(r#","point":{}"#, json(point));
    }
    for (name, value) in [("byte", error.byte), ("bit", error.bit)] {
        if let Some(value) = value {
            text += &format!(r#","{name}":{value}"#);
        }
    }
    text += r#"},"record":"#;
    let cut = length.is_some_and(|length| length > record.len() as u64);
    match std::str::from_utf8(record) {
        Ok(record) => text += &json(record),
        // A head that was cut within a character is text all the same.
        Err(error) if cut && error.error_len().is_none() => {
            text += &json(&String::from_utf8_lossy(&record[..error.valid_up_to()]));
        }
        Err(_) => text += &format!(r#""{}","encoding":"base64""#, payload::base64(record)),
    }
    if let Some(length) = length {
        text += &format!(r#","length":{length}"#);
    }
    text += "}\n";
    out.extend(text.as_bytes());
}
