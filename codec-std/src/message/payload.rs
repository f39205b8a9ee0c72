//! Payloads as text: hex, base64 or a list of bytes.
//!
//! The cloud documents the payloads of command logs as base64, but sends lower-case hex. A text can be both,
//! so hex is tried first: the base64 of an M2M frame is never hex.

mod hex_run;
mod literal;
mod notation;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::Error;

pub use hex_run::{HexRun, hex_runs};
pub use notation::NOTATIONS;

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
/// [`NOTATIONS`] lists the notations. Without an `encoding`, a text that is both hex and base64 is read as hex.
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
/// `not_hex_or_base64` if the text has none of the notations, `incomplete` if it is empty, and `ambiguous` if it has two
/// readings with different bytes.
pub fn parse(text: &str, encoding: Option<Encoding>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    parse_into(text, encoding, &mut bytes)?;
    Ok(bytes)
}

/// Like [`parse`], but writes the bytes to a buffer, which is cleared first. For hex and base64, does not
/// allocate if the buffer is large enough.
///
/// # Errors
/// The error of [`parse`].
pub fn parse_into(
    text: &str,
    encoding: Option<Encoding>,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    let text = text.trim();
    // The base64 of a frame begins with `AAAAAw`, which is not hex, so hex can be tried first.
    let is_sound = match encoding {
        Some(Encoding::Hex) => hex_into(text, bytes),
        Some(Encoding::Base64) => base64_into(text, bytes),
        None => plain_into(text, bytes),
    };
    match is_sound {
        true => Ok(()),
        false
            if matches!(
                text,
                "" | "0x" | "0X" | "\"\"" | "''" | "b''" | "b\"\"" | "[]" | "{}" | "<>"
            ) =>
        {
            bytes.clear();
            Err(Error::empty())
        }
        false => notation::read(text, encoding, bytes),
    }
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

/// Decodes hex, or else base64. Digits after `0x` are never base64, so that `0x0` is not read as two bytes.
fn plain_into(text: &str, bytes: &mut Vec<u8>) -> bool {
    let is_prefixed = || {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        digits.is_some_and(notation::is_hex)
    };
    hex_into(text, bytes) || !is_prefixed() && base64_into(text, bytes)
}

pub(crate) fn base64_into(text: &str, bytes: &mut Vec<u8>) -> bool {
    bytes.clear();
    !text.is_empty() && BASE64.decode_vec(text, bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals() {
        for text in [
            "0",
            "[256]",
            "[1,",
            "é",
            "abc=d",
            "abd",
            "0:00",
            "zz zz",
            "[-129]",
            "{1,,2}",
            "1:2:3",
            "0x00, 01",
            "b'é'",
            "'",
            r"\x0",
            r"\q",
            r"\07",
            "<Buffer 00 00 ... 5 more bytes>",
            "[1 2, 3]",
            "{0x0g}",
            "0xabcde",
            "'0x123'",
            r#""\x00" + "\x03""#,
            r#""\x00""#.trim_end_matches('"'),
            r"b'\x00",
            r#"\x00""#,
            r"{\x00, a}",
            r#""\x00" b'\x03'"#,
            "'it's'",
        ] {
            let error = parse(text, None).unwrap_err();
            assert_eq!(error.kind, "not_hex_or_base64", "{text}");
        }
        for text in [
            "",
            " ",
            "0x",
            "[]",
            "b''",
            "\"\"",
            "bytearray(b'')",
            "b'' b''",
        ] {
            let error = parse(text, None).unwrap_err();
            assert_eq!((error.kind, error.byte), ("incomplete", Some(0)), "{text}");
        }
        for text in [
            "{10, 11}",
            "10, 11",
            "[10 11]",
            "0x00000003 0x0b000091",
            r"\x030",
            r#""\x03" "\x030""#,
            "b'0000000303000015'",
            "b'AAAAAwMAABU='",
            "b'00' b'03'",
            "bytearray(b'0x00')",
            r"\x00\x2c,",
            r"\x00\x03;",
            r"\x00 \x03",
            r"\x00, \x03",
            r#"["10", "11"]"#,
        ] {
            let error = parse(text, None).unwrap_err();
            assert_eq!(error.kind, "ambiguous", "{text}");
            assert!(error.message.contains("two readings"), "{error}");
        }
        assert!(parse("123", Some(Encoding::Hex)).is_err());
        // Quotes do not change what the encoding allows.
        assert!(parse("'AAAAAwMAABU='", Some(Encoding::Hex)).is_err());
        // An odd number of digits is not hex, but can be base64.
        assert_eq!(parse("abc", None), Ok(vec![0x69, 0xb7]));
    }

    #[test]
    fn notations() {
        let heartbeat = vec![0, 0, 0, 3, 3, 0, 0, 0x15];
        for (name, example) in NOTATIONS {
            assert_eq!(parse(example, None), Ok(heartbeat.clone()), "{name}");
        }
        for (text, bytes) in [
            ("[10, 11]", &[10, 11][..]),
            ("{10, 0b}", &[16, 11]),
            ("{10, 200}", &[10, 200]),
            ("[0, 3, -111]", &[0, 3, 0x91]),
            ("0 3 145", &[0, 3, 145]),
            // Their characters are those of base64 as well.
            ("0x0", &[0]),
            ("\"0xf\"", &[15]),
            ("10 11", &[16, 17]),
            ("{ 0x0, 0x3, };", &[0, 3]),
            ("'AAAAAwMAABU='", &heartbeat),
            (r"b'\x030\n\\'", &[3, b'0', b'\n', b'\\']),
            (r#""\u0000\u0003""#, &[0, 3]),
            // Adjacent literals are one text. An escape ends with its literal.
            (r#""\x00" "\x03""#, &[0, 3]),
            (r#""\x03" "0";"#, &[3, b'0']),
            (r#""0000" "0003""#, &[0, 0, 0, 3]),
            (r"b'\x00,' b'\x03'", &[0, b',', 3]),
            (r"{'\x00', '\x03', '0'}", &[0, 3, b'0']),
            (r"[\x00, \x03]", &[0, 3]),
            (r#"["0x00", "0x03"],"#, &[0, 3]),
            (r#"'\x00"\x03', "#, &[0, b'"', 3]),
            (r"\x00 A\x03", &[0, b' ', b'A', 3]),
            // These characters are in no other notation.
            ("b'xyz!'", b"xyz!"),
        ] {
            assert_eq!(parse(text, None).as_deref(), Ok(bytes), "{text}");
        }
        let hex = Some(Encoding::Hex);
        assert_eq!(parse("{10, 11}", hex), Ok(vec![0x10, 0x11]));
        let base64 = Some(Encoding::Base64);
        for quoted in ["'0404'", "b'0404'", r#""04" "04""#] {
            assert_eq!(
                parse(quoted, base64),
                Ok(vec![0xd3, 0x8d, 0x38]),
                "{quoted}"
            );
            assert_eq!(parse(quoted, hex), Ok(vec![4, 4]), "{quoted}");
        }
    }

    #[test]
    fn runs_in_lines() {
        for (line, runs) in [
            (
                "2024-01-31 12:30:00 recv 0000000303000015 end",
                &["0000000303000015"][..],
            ),
            ("12:30:00.5 00 00 00 03 03 00 00 15", &["0000000303000015"]),
            (
                "12:30:00.123456 04 01 00 00 10 1e 00 00",
                &["04010000101e0000"],
            ),
            ("2024-01-31 00 00 00 03 03 00 00 15", &["0000000303000015"]),
            ("x=0x00, 0x00, 0x00, 0x03;", &["00000003"]),
            ("payload=00000003,0b000091", &["00000003", "0b000091"]),
            (
                "0x00000003 0x0b000091 0x00 0x01 0x02",
                &["00000003", "0b000091"],
            ),
            (
                "from aa:bb:cc:dd:ee:ff: 00-00-00-03",
                &["aabbccddeeff", "00000003"],
            ),
            ("<00000003 03000015 04>", &["000000030300001504"]),
            ("deadbeefs 1234567 温00000003 000000", &[]),
            ("", &[]),
        ] {
            let found: Vec<String> = hex_runs(line)
                .iter()
                .map(|run| super::hex(&run.bytes))
                .collect();
            assert_eq!(found, runs, "{line}");
        }
    }
}
