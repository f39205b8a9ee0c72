//! The record of a message, as the `gizwits log` commands read it.

use gizwits_codec_std::{Product, payload};
use jiff::Timestamp;
use serde_json::json;

/// Returns the record of a P0 that has come at this time, from the device with this did. With a definition, the record has the
/// members of the decoded P0, or of the error, behind the payload.
pub(super) fn log_record(
    now: Timestamp,
    did: Option<&str>,
    p0: &[u8],
    product: Option<&Product>,
) -> String {
    // A device can pass on what an app has sent.
    let direction = match p0.first() {
        Some(0x01 | 0x02 | 0x05 | 0x11 | 0x12 | 0x72) => "app2dev",
        _ => "dev2app",
    };
    let seconds = json!(now.as_millisecond() as f64 / 1000.0);
    let did = did.map(|did| format!(r#""did":{},"#, json!(did)));
    let did = did.unwrap_or_default();
    let payload = payload::hex(p0);
    let decoded = product.map(|product| match product.decode_p0(p0) {
        Ok(decoded) => decoded.to_json(),
        Err(error) => json!({"error": {"kind": error.kind, "message": error.message}}).to_string(),
    });
    let decoded = decoded.as_deref().and_then(|json| json.strip_prefix('{'));
    let rest = decoded.map_or("}".to_owned(), |rest| format!(",{rest}"));
    format!(r#"{{"timestamp":{seconds},"type":"{direction}",{did}"payload":"{payload}"{rest}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of an app has the direction of an app, whoever passes it on.
    #[test]
    fn a_record_has_the_direction_of_its_action() {
        let now = Timestamp::from_millisecond(1_700_000_000_250).unwrap();
        assert_eq!(
            log_record(now, Some("a did"), b"\x01\x40", None),
            r#"{"timestamp":1700000000.25,"type":"app2dev","did":"a did","payload":"0140"}"#
        );
        assert_eq!(
            log_record(now, None, b"\x04\x01", None),
            r#"{"timestamp":1700000000.25,"type":"dev2app","payload":"0401"}"#
        );
    }
}
