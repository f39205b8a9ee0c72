//! Runs of hex digits in other text.

use super::hex_into;

/// A run of hex digits in other text, as [`hex_runs`] finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HexRun {
    /// The range of the run in the text, in bytes.
    pub range: std::ops::Range<usize>,
    /// The bytes that the digits mean.
    pub bytes: Vec<u8>,
}

impl HexRun {
    /// Whether the run in this text has the form of a MAC address: six bytes with colons or hyphens.
    pub(crate) fn is_address(&self, text: &str) -> bool {
        let run = text.get(self.range.clone()).unwrap_or_default();
        self.bytes.len() == 6 && run.len() == 17 && run.contains([':', '-'])
    }

    /// Whether the run in this text has the form of a date, with or without the time of day, or of a number of seconds or
    /// microseconds since 1970.
    pub(crate) fn is_time(&self, text: &str) -> bool {
        let run = text.get(self.range.clone()).unwrap_or_default();
        let is_start = match run.len() {
            8 | 14 => run.starts_with("19") || run.starts_with("20"),
            10 | 16 => run.starts_with('1'),
            _ => false,
        };
        is_start && run.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// Returns the runs of at least eight hex digits in a text, such as a line of a program's log.
///
/// The bytes of a run are written without separators, or all with the same one: a space, a colon or a hyphen. Each byte may
/// begin with `0x`, and may then be followed by a comma. Times and dates are shorter than a run.
///
/// ```
/// use gizwits_codec_std::payload::hex_runs;
///
/// let runs = hex_runs("2024-01-31 12:30:00.123 [lan] RX(8): 00 00 00 03 03 00 00 15 ok");
/// assert_eq!(runs.len(), 1);
/// assert_eq!(runs[0].bytes, [0, 0, 0, 3, 3, 0, 0, 0x15]);
/// ```
#[must_use]
pub fn hex_runs(text: &str) -> Vec<HexRun> {
    let bytes = text.as_bytes();
    let mut runs: Vec<HexRun> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let Some((digits, mut end, prefixed)) = word(text, at) else {
            // A word of other characters is no part of a run.
            let is_word = bytes[at].is_ascii_alphanumeric() || bytes[at] >= 0x80;
            let rest = &bytes[at..];
            at += match is_word {
                true => rest
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte >= 0x80)
                    .count(),
                false => 1,
            };
            continue;
        };
        let (size, start) = (digits.len(), at);
        let mut all = digits.to_owned();
        let mut separator = None;
        while let Some((len, kind)) = separator_at(bytes, end)
            && separator.is_none_or(|first| first == kind)
            && let Some((digits, behind, again)) = word(text, end + len)
            // Without 0x, numbers between commas may be decimal, and with it, long numbers may have any byte order.
            && (again, again || kind != b',') == (prefixed, true)
            && (size == 2 || !prefixed)
            // Groups of several bytes have the same length, except for the last.
            && (digits.len() == size || digits.len() < size && ends_at(text, behind))
        {
            separator = Some(kind);
            all += digits;
            end = behind;
            if digits.len() < size {
                break;
            }
        }
        let mut decoded = Vec::new();
        if all.len() >= 8 && hex_into(&all, &mut decoded) {
            runs.push(HexRun {
                range: start..end,
                bytes: decoded,
            });
        }
        at = end;
    }
    runs
}

/// Whether no word follows: the last group of a run may be shorter than the others.
fn ends_at(text: &str, at: usize) -> bool {
    let next = separator_at(text.as_bytes(), at);
    next.is_none_or(|(len, _)| word(text, at + len).is_none())
}

/// The separator between two bytes, its length and its kind.
fn separator_at(bytes: &[u8], at: usize) -> Option<(usize, u8)> {
    match (bytes.get(at)?, bytes.get(at + 1)) {
        (b',', Some(b' ')) => Some((2, b',')),
        (kind @ (b' ' | b':' | b'-' | b','), _) => Some((1, *kind)),
        _ => None,
    }
}

/// A word of an even number of hex digits that begins here, without its `0x`; the index behind it, and whether it has an
/// `0x`.
fn word(text: &str, at: usize) -> Option<(&str, usize, bool)> {
    let bytes = text.as_bytes();
    let begins = at == 0 || !bytes.get(at - 1)?.is_ascii_alphanumeric();
    let rest = bytes.get(at..)?;
    let prefix = match rest {
        [b'0', b'x' | b'X', ..] => 2,
        _ => 0,
    };
    let digits = rest.get(prefix..)?;
    let len = digits
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let ends = digits
        .get(len)
        .is_none_or(|next| !next.is_ascii_alphanumeric() && *next < 0x80);
    let range = at + prefix..at + prefix + len;
    let is_word = begins && ends && len > 0 && len.is_multiple_of(2);
    is_word.then_some((text.get(range.clone())?, range.end, prefix > 0))
}
