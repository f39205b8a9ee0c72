//! Points as text: what has few values is written before it is needed.
//!
//! A [`Plan`] writes a whole status in pieces. Points that stand in one byte, or have few values, are one
//! piece: a table of finished text, which is copied in steps of a fixed length. Numbers are integers
//! until their last digit. What the definition doesn't foresee is left to [`Product`].

use std::io::Write as _;

use gizwits_codec_core::{Kind, PointId, Raw, Scale, View};

use crate::product::{Attr, Product};

/// Text that grows: bytes that are there, and room that was cleared once.
#[derive(Debug, Default)]
pub(crate) struct Text {
    room: Vec<u8>,
    len: usize,
    /// Where others write what is then appended.
    aside: Vec<u8>,
}

/// What is copied at once.
const STEP: usize = 32;

impl Text {
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or(&[])
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Forgets what is behind the first `len` bytes.
    pub(crate) fn cut(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Replaces a byte.
    pub(crate) fn set(&mut self, at: usize, byte: u8) {
        if let Some(to) = self.room.get_mut(at) {
            *to = byte;
        }
    }

    /// Makes room for so many bytes, and a step more. What is put makes its own where there is none.
    #[inline]
    pub(crate) fn reserve(&mut self, more: usize) {
        let needed = self.len + more + STEP;
        if needed > self.room.len() {
            self.room.resize(needed.max(self.room.len() * 2), 0);
        }
    }

    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        match self.room.get_mut(self.len..self.len + bytes.len()) {
            Some(to) => {
                to.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.grow_and_put(bytes),
        }
    }

    #[cold]
    fn grow_and_put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.put(bytes);
    }

    /// Appends the head of some bytes, all of which are written if there is room.
    #[inline]
    fn put_of<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        let room = self.room.get_mut(self.len..);
        match room.and_then(<[u8]>::first_chunk_mut) {
            Some(to) => {
                *to = *bytes;
                self.len += len;
            }
            None => self.grow_and_put(&bytes[..len]),
        }
    }

    /// Appends what is written to a vector.
    pub(crate) fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut aside = std::mem::take(&mut self.aside);
        aside.clear();
        write(&mut aside);
        self.put(&aside);
        self.aside = aside;
    }

    #[inline]
    fn put_hex(&mut self, bytes: &[u8]) {
        self.reserve(2 * bytes.len());
        if let Some(to) = self.room.get_mut(self.len..self.len + 2 * bytes.len()) {
            let _ = faster_hex::hex_encode(bytes, to);
            self.len += to.len();
        }
    }

    /// Appends a number of at most 8 digits, and zeros in front up to `least` digits.
    #[inline]
    pub(crate) fn put_8(&mut self, number: u32, least: u32) {
        let digits = digits(number);
        let zeros = (digits.trailing_zeros() / 8).min(8 - least);
        let ascii = (digits | 0x3030_3030_3030_3030) >> (8 * zeros);
        self.put_of(&ascii.to_le_bytes(), 8 - zeros as usize);
    }

    #[inline]
    fn put_number(&mut self, number: u64) {
        if number < 100_000_000 {
            return self.put_8(number as u32, 1);
        }
        let (high, low) = (number / 100_000_000, (number % 100_000_000) as u32);
        if high < 100_000_000 {
            self.put_8(high as u32, 1);
        } else {
            self.put_number(high);
        }
        self.put_8(low, 8);
    }
}

/// The 8 digits of a number below 10^8, the first in the lowest byte: halves, then pairs, then digits
/// side by side.
#[inline]
fn digits(number: u32) -> u64 {
    let halves = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | (halves - hundreds * 100) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (pairs - tens * 10) << 8
}

/// How points are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `,"key":value`
    Json,
    /// `,value`
    Csv,
}

impl Style {
    fn key(self, attr: &Attr) -> String {
        match self {
            Style::Json => format!(",{}", attr.key),
            Style::Csv => ",".to_owned(),
        }
    }

    fn label(self, attr: &Attr, index: u32) -> String {
        let text = match self {
            Style::Json => attr
                .rendered
                .get(index as usize)
                .map(|json| json.to_string()),
            Style::Csv => attr.label_of(index).map(quoted),
        };
        text.unwrap_or_else(|| index.to_string())
    }
}

/// Whether a cell of RFC 4180 is what it says.
#[inline]
pub(crate) fn is_plain(cell: &str) -> bool {
    let odd = |byte| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    !cell.bytes().any(odd)
}

/// A cell of RFC 4180.
pub(crate) fn quoted(text: &str) -> String {
    match is_plain(text) {
        true => text.to_owned(),
        false => format!("\"{}\"", text.replace('"', "\"\"")),
    }
}

/// Writes the points of one product.
#[derive(Debug)]
pub(crate) struct Plan {
    style: Style,
    /// For a message with all points at their places.
    pieces: Vec<Piece>,
    /// For any other, by id.
    points: Vec<Piece>,
    /// Finished texts; of those that are longer than a step, the first step and the length.
    short: Vec<[u8; STEP]>,
    texts: Vec<(u32, u32)>,
    steps: Vec<[u8; STEP]>,
    /// No more is written for one record.
    most: usize,
    /// The status, with room in front of it.
    status: Vec<u8>,
}

/// What is written at once.
#[derive(Debug)]
struct Piece {
    /// Where its bits are: see [`Place`].
    place: Place,
    /// The least and the greatest raw value that it writes.
    min: u32,
    max: u32,
    /// As many ones as it has bits.
    mask: u32,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// The finished text of the least value is this one: short ones have their length in the last byte.
    Short(u32),
    Long(u32),
    /// A key, and a number.
    Number(Key, Fixed),
    /// A key, and hex.
    Binary(Key, usize),
}

/// A key of at most two steps, or a longer one.
#[derive(Debug)]
struct Key {
    head: [u8; STEP],
    text: Box<[u8]>,
}

impl Key {
    fn new(text: String) -> Self {
        let mut head = [0; STEP];
        for (to, from) in head.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        let text = text.into_bytes().into();
        Key { head, text }
    }

    #[inline]
    fn put(&self, out: &mut Text) {
        match self.text.len() {
            len @ ..=STEP => out.put_of(&self.head, len),
            _ => out.put(&self.text),
        }
    }
}

/// Where a value is in a status with all points: the bits of a window of 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// One past its last byte.
    pub(crate) end: usize,
    /// The bits of the last byte below it.
    pub(crate) shift: u8,
    /// Of a number, its bits; of a binary 0.
    pub(crate) bits: u8,
    /// The bytes that it touches.
    pub(crate) len: usize,
}

/// Where the points of a product are in a status with all of them, by id.
pub(crate) fn places(product: &Product) -> Vec<Place> {
    let layout = product.layout();
    let mut known = vec![0; layout.mask_len()];
    let status = vec![0; layout.status_len()];
    for id in 0..usize::from(layout.points()) {
        let last = known.len() - 1;
        known[last - id / 8] |= 1 << (id % 8);
    }
    let view = layout.view_known(&known, &status);
    let places = view.into_iter().flatten().map(|reading| {
        let span = reading.span();
        let point = product.attr(reading.id()).map(Attr::point);
        let bits = match point.map(|point| (point.kind, point.position.len)) {
            Some((Kind::Uint8(_), _)) => 8,
            Some((Kind::Uint16(_), _)) => 16,
            Some((Kind::Uint32(_), _)) => 32,
            Some((Kind::Bool | Kind::Enum { .. }, len)) => len as u8,
            _ => 0,
        };
        Place {
            end: span.bytes.end,
            shift: span.shift,
            bits,
            len: span.bytes.len(),
        }
    });
    places.collect()
}

/// `ratio * raw + addition` at a fixed number of decimal places.
#[derive(Clone, Copy, Debug)]
struct Fixed {
    ratio: i64,
    addition: i64,
    decimals: u8,
}

impl Fixed {
    fn new(scale: Scale) -> Self {
        let addition = scale.value(0).coefficient();
        Fixed {
            ratio: scale.value(1).coefficient().wrapping_sub(addition),
            addition,
            decimals: scale.decimals(),
        }
    }

    #[inline]
    fn put(&self, raw: u32, out: &mut Text) {
        let value = i64::from(raw)
            .wrapping_mul(self.ratio)
            .wrapping_add(self.addition);
        if value < 0 {
            out.put(b"-");
        }
        let value = value.unsigned_abs();
        match self.decimals {
            0 => out.put_number(value),
            1 => {
                out.put_number(value / 10);
                out.put_of(
                    &[b'.', b'0' + (value % 10) as u8],
                    2 * usize::from(value % 10 > 0),
                );
            }
            2 => {
                out.put_number(value / 100);
                let part = (value % 100) as usize;
                let (tens, ones) = ((part * 103) >> 10, part % 10);
                let len = if part == 0 {
                    0
                } else {
                    2 + usize::from(ones > 0)
                };
                out.put_of(&[b'.', b'0' + tens as u8, b'0' + ones as u8], len);
            }
            decimals => {
                let mut unit = 10_u64.pow(decimals.into());
                out.put_number(value / unit);
                let mut part = value % unit;
                let point = usize::from(part > 0);
                out.put_of(b".", point);
                while part > 0 {
                    unit /= 10;
                    out.put_of(&[b'0' + (part / unit) as u8], 1);
                    part %= unit;
                }
            }
        }
    }
}

/// The most values of a piece.
const MOST: u32 = 256;

impl Plan {
    pub(crate) fn new(product: &Product, style: Style) -> Self {
        let mut plan = Plan {
            style,
            pieces: Vec::new(),
            points: Vec::new(),
            short: Vec::new(),
            texts: Vec::new(),
            steps: Vec::new(),
            most: 64,
            status: vec![0; 8 + product.layout().status_len()],
        };
        let places = places(product);
        let attrs: Vec<&Attr> = product.attrs().collect();
        for (attr, place) in attrs.iter().zip(&places) {
            let piece = plan.piece(product, &[(attr, *place)]);
            plan.points.push(piece);
        }
        // Points in a row that share a byte are one piece.
        let all: Vec<(&Attr, Place)> = attrs.into_iter().zip(places).collect();
        let mut rest = &all[..];
        while !rest.is_empty() {
            let mut len = 1;
            while len < rest.len() && together(&rest[..=len]).is_some() {
                len += 1;
            }
            let (points, behind) = rest.split_at(len);
            let piece = plan.piece(product, points);
            plan.pieces.push(piece);
            rest = behind;
        }
        let of = |attr: &Attr, place: &Place| {
            let labels =
                (0..attr.labels().len() as u32).map(|index| style.label(attr, index).len());
            style.key(attr).len() + labels.max().unwrap_or(0).max(2 * place.len).max(24) + 4
        };
        plan.most += all
            .iter()
            .map(|(attr, place)| of(attr, place))
            .sum::<usize>();
        plan
    }

    /// How many bytes the points of a record are at most.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// A piece of points that are [`together`].
    fn piece(&mut self, product: &Product, points: &[(&Attr, Place)]) -> Piece {
        let (attr, place) = points[0];
        let layout = product.layout();
        let (min, max) = layout.limits(attr.id()).unwrap_or((0, 0));
        let scale = layout.scale(attr.id()).unwrap_or(Scale::IDENTITY);
        if place.bits == 0 {
            let key = match self.style {
                Style::Json => format!("{}\"", self.style.key(attr)),
                Style::Csv => self.style.key(attr),
            };
            return Piece {
                place,
                min: 0,
                max: u32::MAX,
                mask: 0,
                form: Form::Binary(Key::new(key), place.len),
            };
        }
        let (place, min, max) = match points.len() {
            1 => (place, min, max),
            _ => match together(points) {
                Some(place) => (place, 0, (1 << place.bits) - 1),
                None => (place, min, max),
            },
        };
        if max - min >= MOST {
            return Piece {
                place,
                min,
                max,
                mask: u32::MAX >> (32 - place.bits),
                form: Form::Number(Key::new(self.style.key(attr)), Fixed::new(scale)),
            };
        }
        let texts: Vec<String> = (min..=max)
            .map(|raw| self.text(product, points, place, raw))
            .collect();
        let form = match texts.iter().all(|text| text.len() < STEP) {
            true => Form::Short(self.short.len() as u32),
            false => Form::Long(self.texts.len() as u32),
        };
        for text in texts {
            let len = text.len();
            let mut bytes = text.into_bytes();
            bytes.resize(len.next_multiple_of(STEP).max(STEP), 0);
            let steps = bytes.as_chunks::<STEP>().0;
            if let (Form::Short(_), [step]) = (&form, steps) {
                let mut step = *step;
                step[STEP - 1] = len as u8;
                self.short.push(step);
            } else {
                self.texts.push((self.steps.len() as u32, len as u32));
                self.steps.extend(steps);
            }
        }
        Piece {
            place,
            min,
            max,
            mask: u32::MAX >> (32 - place.bits),
            form,
        }
    }

    /// The text of some points that share the value of a place; empty if one of them is flagged.
    fn text(&self, product: &Product, points: &[(&Attr, Place)], at: Place, raw: u32) -> String {
        let mut text = String::new();
        for (attr, place) in points {
            let layout = product.layout();
            let (min, max) = layout.limits(attr.id()).unwrap_or((0, 0));
            let below =
                8 * (at.end - place.end) as u32 + u32::from(place.shift) - u32::from(at.shift);
            let raw = match points.len() {
                1 => raw,
                _ => raw >> below & (u32::MAX >> (32 - place.bits)),
            };
            if raw < min || raw > max {
                return String::new();
            }
            text += &self.style.key(attr);
            text += &match attr.point().kind {
                Kind::Enum { .. } => self.style.label(attr, raw),
                Kind::Bool => raw.to_string(),
                _ => layout
                    .scale(attr.id())
                    .unwrap_or(Scale::IDENTITY)
                    .value(raw)
                    .to_string(),
            };
        }
        text
    }

    /// Appends the points of a status. False if there is one that is flagged: then nothing is appended.
    #[inline]
    pub(crate) fn put_status(&mut self, status: &[u8], out: &mut Text) -> bool {
        let Some(to) = self.status.get_mut(8..) else {
            return false;
        };
        if to.len() != status.len() {
            return false;
        }
        to.copy_from_slice(status);
        let start = out.len;
        out.reserve(self.most);
        let mut len = start;
        for piece in &self.pieces {
            let place = piece.place;
            let window = self.status.get(place.end..).and_then(<[u8]>::first_chunk);
            let Some(window) = window else { return false };
            let raw = (u64::from_be_bytes(*window) >> place.shift) as u32 & piece.mask;
            // Most are like this, so it comes first.
            if let Form::Short(first) = piece.form {
                let index = raw.wrapping_sub(piece.min);
                if index <= piece.max.wrapping_sub(piece.min)
                    && let Some(text) = self.short.get((first + index) as usize)
                    && text[STEP - 1] > 0
                    && let Some(to) = out.room.get_mut(len..).and_then(<[u8]>::first_chunk_mut)
                {
                    *to = *text;
                    len += usize::from(text[STEP - 1]);
                    continue;
                }
                out.len = start;
                return false;
            }
            out.len = len;
            if let Form::Binary(key, bytes) = &piece.form {
                key.put(out);
                let start = place.end + 8 - bytes;
                out.put_hex(self.status.get(start..start + bytes).unwrap_or(&[]));
                if self.style == Style::Json {
                    out.put_of(b"\"", 1);
                }
            } else if !self.put_raw(piece, raw, out) {
                out.len = start;
                return false;
            }
            len = out.len;
        }
        out.len = len;
        true
    }

    #[inline]
    fn put_raw(&self, piece: &Piece, raw: u32, out: &mut Text) -> bool {
        let Some(index) = raw.checked_sub(piece.min).filter(|_| raw <= piece.max) else {
            return false;
        };
        match &piece.form {
            Form::Short(first) => {
                let Some(text) = self.short.get((first + index) as usize) else {
                    return false;
                };
                let len = usize::from(text[STEP - 1]);
                out.put_of(text, len);
                len > 0
            }
            Form::Long(first) => {
                let Some(&(at, len)) = self.texts.get((first + index) as usize) else {
                    return false;
                };
                let mut rest = len as usize;
                for step in self.steps.get(at as usize..).unwrap_or(&[]) {
                    out.put_of(step, rest.min(STEP));
                    if rest <= STEP {
                        break;
                    }
                    rest -= STEP;
                }
                len > 0
            }
            Form::Number(key, fixed) => {
                key.put(out);
                fixed.put(raw, out);
                true
            }
            Form::Binary(..) => false,
        }
    }

    /// Appends the points of any message; of CSV a cell for each point of the product. What is flagged
    /// is written as its value.
    pub(crate) fn put_view(&self, product: &Product, view: View<'_, '_>, out: &mut Text) -> bool {
        let mut next = 0;
        let mut sound = true;
        view.iter().for_each(|reading| {
            let id = reading.id();
            let Some(piece) = self.points.get(id.index()) else {
                return;
            };
            if self.style == Style::Csv {
                self.skip(&mut next, id, out);
            }
            match reading.raw() {
                Raw::Bytes(bytes) => {
                    if let Form::Binary(key, _) = &piece.form {
                        key.put(out);
                    }
                    out.put_hex(bytes);
                    if self.style == Style::Json {
                        out.put(b"\"");
                    }
                }
                Raw::Number(raw) if self.put_raw(piece, raw, out) => {}
                Raw::Number(raw) => {
                    // No label has this value, and JSON is left to the product.
                    sound = false;
                    if self.style == Style::Csv {
                        let scale = product.layout().scale(id).unwrap_or(Scale::IDENTITY);
                        out.with(|out| {
                            let _ = write!(out, ",{}", scale.value(raw));
                        });
                    }
                }
            }
        });
        if self.style == Style::Csv {
            self.skip(&mut next, PointId(product.layout().points()), out);
        }
        sound
    }

    /// Appends a row of empty cells.
    pub(crate) fn put_nothing(&self, product: &Product, out: &mut Text) {
        self.skip(&mut 0, PointId(product.layout().points()), out);
    }

    /// Appends empty cells up to the one of a point.
    fn skip(&self, next: &mut u16, id: PointId, out: &mut Text) {
        while *next < id.0 {
            out.put(b",");
            *next += 1;
        }
        *next += 1;
    }
}

/// The place that points in a row have together, if it has at most 8 bits.
fn together(points: &[(&Attr, Place)]) -> Option<Place> {
    let end = points.iter().map(|(_, place)| place.end).max()?;
    let from = |place: &Place| 8 * (end - place.end) + usize::from(place.shift);
    let low = points.iter().map(|(_, place)| from(place)).min()?;
    let high = points
        .iter()
        .map(|(_, place)| from(place) + usize::from(place.bits))
        .max()?;
    // Every value of the byte has its text, so these should not be long.
    let all = points.iter().all(|(attr, place)| {
        let labels = attr.labels().iter().map(String::len).max();
        place.bits > 0 && attr.key.len() + labels.unwrap_or(0) <= 64
    });
    (all && high - low <= 8 && low < 8).then_some(Place {
        end,
        shift: low as u8,
        bits: (high - low) as u8,
        len: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers(number: u64, few in 0_u32..100_000_000) {
            for number in [number, u64::from(few), number >> 32] {
                let mut text = Text::default();
                text.put_number(number);
                let expected = number.to_string();
                prop_assert_eq!(text.as_slice(), expected.as_bytes());
            }
        }
    }

    #[test]
    fn every_pair_of_digits() {
        for number in 0..10_000 {
            let number = number * 10_001;
            let text: Vec<u8> = digits(number)
                .to_le_bytes()
                .map(|digit| digit + b'0')
                .into();
            assert_eq!(text, format!("{number:08}").into_bytes());
        }
    }
}
