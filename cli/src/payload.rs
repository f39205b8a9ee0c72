//! Payloads as people write and read them.

use clap::ValueEnum;
use gizwits_codec_std::payload;
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
