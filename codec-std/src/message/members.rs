//! The members of a JSON object of points, read in one pass over the text.
//!
//! [`read`] accepts what programs write: keys, labels and hex without escapes, and plain numbers. It refuses every
//! other text without a reason, also some that are valid. The plain path of [`Message`](super::Message) then reads
//! the text or explains what is wrong.

use gizwits_codec_core::{Kind, PointId, Scale};

use crate::product::Product;
use crate::product::attr::Attr;

/// The value of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given<'t> {
    /// The raw value of a bool, an enum or an integer. It may be outside the limits of the point.
    Raw(u32),
    /// The content of a string for a binary: an even number of bytes, at most two for each byte of the point.
    /// They need not be hex digits.
    Hex(&'t [u8]),
}

/// Calls `take` for each member of a JSON object, in the order of the text. Returns `None` if this reader or `take`
/// refuses a part of the text.
pub(super) fn read<'t>(
    product: &Product,
    json: &'t str,
    mut take: impl FnMut(PointId, Given<'t>) -> Option<()>,
) -> Option<()> {
    let layout = product.layout();
    let mut rest = trimmed(json.as_bytes()).strip_prefix(b"{")?;
    rest = trimmed(rest);
    // Programs often write points in the order of their ids.
    let mut next = PointId(0);
    if let [b'}', end @ ..] = rest {
        return trimmed(end).is_empty().then_some(());
    }
    loop {
        let (attr, text) = key(product, next, rest)?;
        let id = attr.id();
        let text = trimmed(text);
        let (given, text) = match attr.point().kind {
            Kind::Bool => raw(bool(text)?),
            Kind::Enum { .. } => raw(index(attr, text)?),
            Kind::Binary => hex(attr, text)?,
            _ => raw(number(layout.scale(id)?, text)?),
        };
        take(id, given)?;
        next = PointId(id.0.wrapping_add(1));
        rest = match trimmed(text) {
            [b',', rest @ ..] => trimmed(rest),
            [b'}', end @ ..] => return trimmed(end).is_empty().then_some(()),
            _ => return None,
        };
    }
}

#[inline(always)]
fn raw<'t>((raw, rest): (u32, &'t [u8])) -> (Given<'t>, &'t [u8]) {
    (Given::Raw(raw), rest)
}

/// Returns the text without the white space at its start.
#[inline(always)]
fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

/// Returns the point that the text begins with, and the text after the colon.
#[inline(always)]
fn key<'p, 't>(
    product: &'p Product,
    next: PointId,
    text: &'t [u8],
) -> Option<(&'p Attr, &'t [u8])> {
    if let Some(attr) = product.attr(next)
        && let Some(rest) = after(attr.key.as_bytes(), text)
    {
        return Some((attr, rest));
    }
    let content = text.strip_prefix(b"\"")?;
    let (name, rest) = content.split_at_checked(content.iter().position(|byte| *byte == b'"')?)?;
    let attr = product.named(name)?;
    // A longer key has escapes, so its name contains characters that a JSON string must not contain.
    let is_plain = attr.key.len() == name.len() + 3;
    let rest = trimmed(rest.get(1..)?).strip_prefix(b":")?;
    is_plain.then_some((attr, rest))
}

#[inline(always)]
fn bool(text: &[u8]) -> Option<(u32, &[u8])> {
    match text {
        [b'0', rest @ ..] => Some((0, rest)),
        [b'1', rest @ ..] => Some((1, rest)),
        [b't', b'r', b'u', b'e', rest @ ..] => Some((1, rest)),
        [b'f', b'a', b'l', b's', b'e', rest @ ..] => Some((0, rest)),
        _ => None,
    }
}

/// Reads a label or an index.
fn index<'t>(attr: &Attr, text: &'t [u8]) -> Option<(u32, &'t [u8])> {
    match text.first()? {
        // A label that is equal to another is rendered as its index, which no string begins with.
        b'"' => (0..)
            .zip(&attr.rendered)
            .find_map(|(index, label)| Some((index, after(label.as_bytes(), text)?))),
        b'-' => None,
        _ => number(Scale::IDENTITY, text),
    }
}

/// Returns the text after a key or label that it begins with. Most have up to 16 bytes, which two comparisons of
/// overlapping words cover: a call of `memcmp` takes longer.
#[inline(always)]
fn after<'t>(start: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    let (head, rest) = text.split_at_checked(start.len())?;
    let is_equal = match (start.first_chunk::<8>(), start.last_chunk::<8>()) {
        (Some(first), Some(last)) if start.len() <= 16 => {
            head.first_chunk() == Some(first) && head.last_chunk() == Some(last)
        }
        _ => head == start,
    };
    is_equal.then_some(rest)
}

/// Reads the string of a binary.
fn hex<'t>(attr: &Attr, text: &'t [u8]) -> Option<(Given<'t>, &'t [u8])> {
    let content = text.strip_prefix(b"\"")?;
    let full = 2 * attr.point().position.len as usize;
    let len = match content.get(full) {
        Some(b'"') => full,
        _ => content.iter().take(full).position(|byte| *byte == b'"')?,
    };
    let (digits, rest) = content.split_at_checked(len)?;
    let rest = rest.get(1..)?;
    len.is_multiple_of(2).then_some((Given::Hex(digits), rest))
}

/// The greatest number of digits that fit 63 bits.
const DIGITS: usize = 18;

const POWERS: [u64; DIGITS + 1] = {
    let mut powers = [1; DIGITS + 1];
    let mut n = 1;
    while n <= DIGITS {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

/// Reads a number without an exponent that is the value of a raw value.
#[inline(always)]
fn number(scale: Scale, text: &[u8]) -> Option<(u32, &[u8])> {
    let (is_negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (whole, mut rest) = digits(0, text);
    let count = text.len() - rest.len();
    // JSON numbers have at least one digit before the point, and no leading zeros.
    if count == 0 || count > 1 && text[0] == b'0' {
        return None;
    }
    let (mut number, mut places) = (whole, 0);
    if let [b'.', fraction @ ..] = rest {
        (number, rest) = digits(whole, fraction);
        places = fraction.len() - rest.len();
        if places == 0 {
            return None;
        }
    }
    let missing = usize::from(scale.decimals()).checked_sub(places)?;
    if count + places + missing > DIGITS {
        return None;
    }
    let magnitude = number.wrapping_mul(POWERS[missing]) as i64;
    let value = if is_negative { -magnitude } else { magnitude };
    let addition = scale.value(0).coefficient();
    let ratio = scale.value(1).coefficient().wrapping_sub(addition);
    let distance = u64::try_from(value.checked_sub(addition)?).ok()?;
    let raw = match ratio {
        1 => distance,
        _ => {
            let ratio = ratio as u64;
            if distance % ratio != 0 {
                return None;
            }
            distance / ratio
        }
    };
    Some((u32::try_from(raw).ok()?, rest))
}

/// Appends the digits at the start of the text to a number. More than 19 digits wrap around.
#[inline(always)]
fn digits(mut number: u64, mut text: &[u8]) -> (u64, &[u8]) {
    while let [digit, rest @ ..] = text
        && digit.is_ascii_digit()
    {
        number = number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'));
        text = rest;
    }
    (number, text)
}
