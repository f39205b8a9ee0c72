//! Redaction of secrets in errors and logs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All characters except the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encodes a segment of a path, or a name or value of a query.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The text as a JSON string, with quotes.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The forms that a secret can have in a text: unchanged, escaped for JSON, percent-encoded.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let json = quoted(secret);
    let json = json
        .get(1..json.len().saturating_sub(1))
        .unwrap_or_default();
    let mut forms = vec![secret.to_owned(), json.to_owned(), encode(secret)];
    forms.dedup();
    forms.retain(|form| !form.is_empty());
    forms
}

/// The names of members and parameters whose values are secrets: `"token":"…"`, `passcode=…`.
const KEYS: [&[u8]; 4] = [b"token", b"passcode", b"secret", b"password"];

/// Replaces the bytes of the secrets, and of the values after the names of [`KEYS`], with `*`. All other
/// bytes keep their value and position, so that an offset into the text stays valid.
pub(crate) fn cover<'s>(text: &mut [u8], secrets: impl IntoIterator<Item = &'s str>) {
    for secret in secrets {
        for form in forms(secret) {
            cover_all(text, form.as_bytes());
        }
    }
    for key in KEYS {
        let mut from = 0;
        while let Some(at) = find(text, key.len(), from, |part| part.eq_ignore_ascii_case(key)) {
            from = at + key.len();
            let separates = |byte: &u8| matches!(byte, b'"' | b'\\' | b' ' | b':' | b'=' | b'\'');
            let rest = text.get(from..).unwrap_or_default();
            let gap = rest.iter().take_while(|byte| separates(byte)).count();
            let announces = rest
                .iter()
                .take(gap)
                .any(|byte| matches!(byte, b':' | b'='));
            if announces {
                let value = text.get_mut(from + gap..).unwrap_or_default();
                let ends =
                    |byte: &u8| matches!(byte, b'"' | b'\\' | b'\'' | b',' | b'}' | b'&' | b'<');
                let len = value.iter().take_while(|byte| !ends(byte)).count();
                value.iter_mut().take(len).for_each(|byte| *byte = b'*');
            }
        }
    }
}

fn cover_all(text: &mut [u8], secret: &[u8]) {
    let mut from = 0;
    while let Some(at) = find(text, secret.len(), from, |part| part == secret) {
        from = at + secret.len();
        if let Some(found) = text.get_mut(at..from) {
            found.fill(b'*');
        }
    }
}

/// The first position at or after `from` where a window of this length fits.
fn find(text: &[u8], len: usize, from: usize, fits: impl Fn(&[u8]) -> bool) -> Option<usize> {
    let found = text.get(from..)?.windows(len.max(1)).position(fits)?;
    Some(from + found)
}

/// The part of a body around the offset `at`, on one line and without secrets.
pub(crate) fn excerpt<'s>(
    body: &[u8],
    at: usize,
    secrets: impl IntoIterator<Item = &'s str>,
) -> String {
    const BEFORE: usize = 60;
    const LEN: usize = 160;
    let mut body = body.to_vec();
    cover(&mut body, secrets);
    let start = if at < LEN { 0 } else { at - BEFORE };
    let start = start.min(body.len());
    let end = body.len().min(start.saturating_add(LEN));
    let part = String::from_utf8_lossy(body.get(start..end).unwrap_or_default());
    let blank = |char: char| {
        char.is_whitespace() || char.is_control() || char == char::REPLACEMENT_CHARACTER
    };
    let words: Vec<&str> = part.split(blank).filter(|word| !word.is_empty()).collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if end < body.len() { "…" } else { "" };
    format!("{before}{}{after}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn covered() {
        for (text, shown) in [
            (
                r#"{"token":"89d7","expire_at":1}"#,
                r#"{"token":"****","expire_at":1}"#,
            ),
            (r#"{"passcode" : 123456}"#, r#"{"passcode" : ******}"#),
            (r#"{"token":"89d"#, r#"{"token":"***"#),
            ("?product_secret=abc&x=1", "?product_secret=***&x=1"),
            (r#""{\"token\":\"abc\"}""#, r#""{\"token\":\"***\"}""#),
            ("Authorization: token s3", "Authorization: token **"),
            ("token invalid", "token invalid"),
            ("S3 is not s3", "S3 is not **"),
            ("a%2Bb a+b", "***** ***"),
            ("<p>a+b</p>", "<p>***</p>"),
        ] {
            assert_eq!(excerpt(text.as_bytes(), 0, ["s3", "a+b", ""]), shown);
        }
    }

    proptest! {
        #[test]
        fn no_secret_is_left(before in ".{0,300}", secret in "[a-z0-9]{8,32}", after in ".{0,300}", at in 0..700_usize) {
            let text = format!("{before}{secret}{after}");
            let shown = excerpt(text.as_bytes(), at, [secret.as_str()]);
            prop_assert!(!shown.contains(&secret));
        }

        #[test]
        fn any_bytes(body: Vec<u8>, at: usize) {
            excerpt(&body, at, ["x"]);
        }
    }
}
