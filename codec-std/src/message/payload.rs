//! Payloads as text: hex, base64 or a list of bytes.
//!
//! The cloud documents the payloads of command logs as base64, but sends lower-case hex. A text can be both,
//! so hex is tried first: the base64 of an M2M frame is never hex.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::{Error, shown};

/// The encoding of a payload as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Two hex digits for each byte, in upper or lower case.
    Hex,
    /// Base64 in the standard alphabet, with or without padding.
    Base64,
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Parses the text of a payload.
///
/// Hex may begin with `0x` and may have spaces or colons between bytes. Without an `encoding`, a text can also
/// be a list of bytes such as `[0,0,0,3]`, and a text that is both hex and base64 is read as hex.
///
/// ```
/// use gizwits_codec_std::payload::{Encoding, parse};
///
/// let frame = [0, 0, 0, 3, 3, 0, 0, 0x15];
/// for text in ["0000000303000015", "00:00:00:03 03 00 00 15", "AAAAAwMAABU=", "[0,0,0,3,3,0,0,21]"] {
///     assert_eq!(parse(text, None)?, frame);
/// }
/// assert_eq!(parse("0404", Some(Encoding::Base64))?, [0xd3, 0x8d, 0x38]);
/// # Ok::<(), gizwits_codec_std::Error>(())
/// ```
///
/// # Errors
/// `not_hex_or_base64` if the text has none of these forms.
pub fn parse(text: &str, encoding: Option<Encoding>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    parse_into(text, encoding, &mut bytes)?;
    Ok(bytes)
}

/// Like [`parse`], but writes the bytes to a buffer, which is cleared first. Unless the text is a list of bytes, does
/// not allocate if the buffer is large enough.
///
/// # Errors
/// The error of [`parse`].
pub fn parse_into(
    text: &str,
    encoding: Option<Encoding>,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    let text = text.trim();
    let (is_sound, why) = match encoding {
        Some(Encoding::Hex) => (
            hex_into(text, bytes),
            "not hex: expected two digits for each byte",
        ),
        Some(Encoding::Base64) => (base64_into(text, bytes), "not base64"),
        None if text.starts_with('[') => return list(text, bytes),
        // The base64 of a frame begins with `AAAAAw`, which is not hex, so hex can be tried first.
        None => (
            hex_into(text, bytes) || base64_into(text, bytes),
            "neither hex (two digits for each byte), nor base64, nor a list of bytes [0,0,0,3]",
        ),
    };
    is_sound.then_some(()).ok_or_else(|| refused(text, why))
}

fn refused(text: &str, why: &str) -> Error {
    let shown = shown(text);
    Error::new("not_hex_or_base64", format!("`{shown}` is {why}"))
}

/// Returns bytes as lower-case hex.
///
/// ```
/// use gizwits_codec_std::payload;
///
/// assert_eq!(payload::hex(&[0x04, 0xff]), "04ff");
/// ```
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    faster_hex::hex_string(bytes)
}

/// Returns bytes as base64 with padding.
///
/// ```
/// use gizwits_codec_std::payload;
///
/// assert_eq!(payload::base64(&[0x04, 0xff]), "BP8=");
/// ```
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Appends bytes as lower-case hex.
pub(crate) fn put_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + 2 * bytes.len(), 0);
    // The buffer has exactly the required length, so encoding never fails.
    let _ = faster_hex::hex_encode(bytes, &mut out[start..]);
}

/// Decodes hex without a prefix or separators.
#[inline(always)]
pub(crate) fn plain_hex_into(digits: &[u8], bytes: &mut Vec<u8>) -> bool {
    bytes.resize(digits.len() / 2, 0);
    !digits.is_empty() && faster_hex::hex_decode(digits, bytes).is_ok()
}

pub(crate) fn hex_into(text: &str, bytes: &mut Vec<u8>) -> bool {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .unwrap_or(text)
        .as_bytes();
    // Nearly all texts have no separators, and are then decoded in one call.
    if plain_hex_into(digits, bytes) {
        return true;
    }
    bytes.clear();
    // A separator may be between two bytes, but not between the digits of a byte.
    for pair in digits.split(|byte| matches!(byte, b' ' | b':')) {
        let start = bytes.len();
        bytes.resize(start + pair.len() / 2, 0);
        if faster_hex::hex_decode(pair, &mut bytes[start..]).is_err() {
            return false;
        }
    }
    !bytes.is_empty()
}

pub(crate) fn base64_into(text: &str, bytes: &mut Vec<u8>) -> bool {
    bytes.clear();
    !text.is_empty() && BASE64.decode_vec(text, bytes).is_ok()
}

fn list(text: &str, bytes: &mut Vec<u8>) -> Result<(), Error> {
    bytes.clear();
    let listed: Vec<u8> = serde_json::from_str(text).map_err(|error| {
        let why = format!("not a list of bytes from 0 to 255: {error}");
        refused(text, &why)
    })?;
    bytes.extend(listed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gizwits_codec_core::m2m;
    use proptest::prelude::*;

    #[test]
    fn refusals() {
        for text in [
            "", "0", "0x", "[256]", "[1,", "é", "abc=d", "abd", "0:00", "zz zz",
        ] {
            let error = parse(text, None).unwrap_err();
            assert_eq!(error.kind, "not_hex_or_base64", "{text}");
        }
        assert!(parse("123", Some(Encoding::Hex)).is_err());
        // An odd number of digits is not hex, but can be base64.
        assert_eq!(parse("abc", None), Ok(vec![0x69, 0xb7]));
    }

    proptest! {
        #[test]
        fn every_form_means_the_same(tail in proptest::collection::vec(any::<u8>(), 3..200)) {
            let frame = m2m::Frame { flag: 0, command: 0x90, sn: None, did: None, body: &tail };
            let mut bytes = vec![0; tail.len() + 16];
            let len = frame.encode(&mut bytes).unwrap_or(0);
            bytes.truncate(len);
            let colons: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            for text in [
                hex(&bytes),
                format!("0x{}", hex(&bytes).to_uppercase()),
                colons.join(":"),
                base64(&bytes),
                base64(&bytes).trim_end_matches('=').to_owned(),
                format!("{bytes:?}"),
            ] {
                prop_assert_eq!(parse(&text, None), Ok(bytes.clone()));
            }
        }
    }
}
