//! The text forms of payloads: encodings and error positions.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use gizwits_codec_std::core::P0;
use gizwits_codec_std::payload::{Encoding, NOTATIONS};
use gizwits_codec_std::{Content, Decoded};
use unicode_width::UnicodeWidthStr as _;

/// The parser of `--encoding`.
pub(crate) fn encoding() -> impl TypedValueParser<Value = Encoding> {
    PossibleValuesParser::new(["hex", "base64"]).map(|name| match &*name {
        "hex" => Encoding::Hex,
        _ => Encoding::Base64,
    })
}

/// The notations of payloads for a help text, one per line.
pub(crate) fn list_of_notations() -> String {
    let notations = NOTATIONS.iter();
    let lines = notations.map(|(name, example)| format!("  {name:21} {example}\n"));
    lines.collect()
}

/// Formats kinds of errors and their meanings for a help text, one per line.
pub(crate) fn list_of_kinds(kinds: &[(&str, &str)]) -> String {
    // The width of the help, which would wrap longer lines without an indent.
    let options = textwrap::Options::new(100).subsequent_indent("                     ");
    let lines = kinds.iter();
    let lines = lines.map(|(kind, meaning)| format!("  {kind:18} {meaning}"));
    lines
        .map(|line| textwrap::fill(&line, &options) + "\n")
        .collect()
}

/// Returns the action of a payload, and its body if the body has no points.
pub(crate) fn action_and_body<'b>(decoded: &Decoded<'_, 'b>) -> (&'static str, Option<&'b [u8]>) {
    let body = match decoded.content {
        Content::P0(P0::Transparent { data: body, .. } | P0::Gateway { body, .. })
        | Content::Body(body) => Some(body),
        Content::P0(_) => None,
    };
    (decoded.action_name(), body)
}

/// Formats the bytes around the one that an error is about, with a caret below that byte. A byte past the end
/// is shown as `__`.
pub(crate) fn pointed_at(bytes: &[u8], byte: usize) -> String {
    /// The number of bytes that are shown on either side.
    const NEAR: usize = 12;
    let first = byte.saturating_sub(NEAR).min(bytes.len());
    let last = (byte + NEAR).min(bytes.len());
    let mut row = if first == 0 { "  " } else { "  … " }.to_owned();
    let caret = row.width() + 3 * (byte - first);
    for at in first..last.max(byte + 1) {
        match bytes.get(at) {
            Some(byte) => row += &format!("{byte:02x} "),
            None => row += "__ ",
        }
    }
    if last < bytes.len() {
        row.push('…');
    }
    let row = row.trim_end();
    format!("\n{row}\n{:caret$}^ byte {byte}", "")
}
