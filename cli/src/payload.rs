//! Payloads as people write and read them.

use clap::ValueEnum;
use gizwits_codec_std::core::P0;
use gizwits_codec_std::{Content, Decoded, payload};
use unicode_width::UnicodeWidthStr as _;

/// How bytes are written.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Encoding {
    Hex,
    Base64,
}

impl From<Encoding> for payload::Encoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Hex => payload::Encoding::Hex,
            Encoding::Base64 => payload::Encoding::Base64,
        }
    }
}

/// The action of a payload, and its body if that has no points.
pub(crate) fn action_and_body<'b>(decoded: &Decoded<'_, 'b>) -> (&'static str, Option<&'b [u8]>) {
    match decoded.content {
        Content::P0(P0::Control(_)) => ("control", None),
        Content::P0(P0::Read { .. }) => ("read", None),
        Content::P0(P0::Reply(_)) => ("reply", None),
        Content::P0(P0::Report(_)) => ("report", None),
        Content::P0(P0::Transparent { data, .. }) => ("transparent", Some(data)),
        Content::P0(P0::Gateway { body, .. }) => ("gateway", Some(body)),
        Content::Body(body) => ("no data points", Some(body)),
    }
}

/// The bytes around the one that an error is about, and a caret below it.
pub(crate) fn pointed_at(bytes: &[u8], byte: usize) -> String {
    const NEAR: usize = 12;
    let first = byte.saturating_sub(NEAR).min(bytes.len());
    let last = (byte + NEAR).min(bytes.len());
    let mut row = match first {
        0 => "  ".to_owned(),
        _ => "  … ".to_owned(),
    };
    let mut caret = 0;
    for at in first..last.max(byte + 1) {
        if at == byte {
            caret = row.width();
        }
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
