//! Text from outside, such as the names and labels of a definition, made safe to show to people.

pub(crate) mod cursor;
pub(crate) mod digits;

use std::borrow::Cow;

/// Whether a character is invisible, or changes how the text around it is shown.
///
/// These are the control characters, the line and paragraph separators, the marks and overrides of text
/// direction, and the characters that Unicode lets a program ignore in display
/// (`Default_Ignorable_Code_Point`), without the variation selectors of emoji.
///
/// # Examples
/// ```
/// use gizwits_codec_std::text::is_invisible;
///
/// assert!(is_invisible('\u{202e}')); // right-to-left override
/// assert!(is_invisible('\u{200b}')); // zero width space
/// assert!(!is_invisible('温'));
/// ```
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a text of 16 bytes or more is visible ASCII, as nearly all text is, which needs no table of characters.
fn is_plain_ascii(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<16>() else {
        return false;
    };
    let odd = |odd, byte: &u8| odd | !(0x20..0x7f).contains(byte);
    let mut chunks = text.as_chunks::<16>().0.iter().chain([last]);
    // The bytes of a chunk are compared at once.
    chunks.all(|chunk| !chunk.iter().fold(false, odd))
}

/// Returns text with its [invisible](is_invisible) characters escaped as in Rust: `\n`, `\u{202e}`.
///
/// # Examples
/// ```
/// use gizwits_codec_std::text::printable;
///
/// assert_eq!(printable("温度"), "温度");
/// assert_eq!(printable("a\u{202e}b\n"), r"a\u{202e}b\n");
/// ```
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if is_plain_ascii(text.as_bytes()) || !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match is_invisible(character) {
            true => escaped.extend(character.escape_default()),
            false => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

/// Returns a did as text. A did that is not UTF-8 is `0x` and hex.
///
/// # Examples
/// ```
/// use gizwits_codec_std::text::did;
///
/// assert_eq!(did(b"aB3dE5fG7hJ9kL1mN3pQ5r"), "aB3dE5fG7hJ9kL1mN3pQ5r");
/// assert_eq!(did(&[0x64, 0xff]), "0x64ff");
/// ```
#[must_use]
pub fn did(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => format!("0x{}", faster_hex::hex_string(bytes)).into(),
    }
}

/// Returns the candidate that is most similar to a text, for a hint. `None` if no candidate is similar enough to be
/// what was meant.
pub(crate) fn nearest<'c>(
    text: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(candidate, text), candidate))
        // Texts below this similarity are not plausible typing errors.
        .filter(|(similarity, _)| *similarity > 0.7)
        .max_by(|one, two| one.0.total_cmp(&two.0))
        .map(|(_, candidate)| candidate)
}
