//! The record of a message, as the `gizwits log` commands read it.

use gizwits_codec_std::payload;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Returns the record of a P0 that has come at this time, from the device with this did.
pub(super) fn log_record(now: Timestamp, did: Option<&str>, p0: &[u8]) -> Value {
    // A device can pass on what an app has sent.
    let direction = match p0.first() {
        Some(0x01 | 0x02 | 0x05 | 0x11 | 0x12 | 0x72) => "app2dev",
        _ => "dev2app",
    };
    let seconds = now.as_millisecond() as f64 / 1000.0;
    let mut record = json!({"timestamp": seconds, "type": direction, "payload": payload::hex(p0)});
    if let Some(did) = did {
        record["did"] = did.into();
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of an app has the direction of an app, whoever passes it on.
    #[test]
    fn a_record_has_the_direction_of_its_action() {
        let now = Timestamp::from_millisecond(1_700_000_000_250).unwrap();
        assert_eq!(
            log_record(now, Some("a did"), b"\x01\x40"),
            json!({"timestamp": 1_700_000_000.25, "type": "app2dev", "payload": "0140", "did": "a did"})
        );
        assert_eq!(
            log_record(now, None, b"\x04\x01"),
            json!({"timestamp": 1_700_000_000.25, "type": "dev2app", "payload": "0401"})
        );
    }
}
