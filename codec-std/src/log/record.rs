//! A record in its line: strictly parsed, or by a shape that earlier lines had.
//!
//! Lines of one log look alike. What is the same in all of them is compared, byte for byte; what varies
//! is held against the bytes that may stand there. Whatever differs goes to the strict parser, which
//! alone decides what is right and what is wrong.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use gizwits_codec_core::Decimal;
use gizwits_codec_core::m2m::Event;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use sonic_rs::LazyValue;

use super::text::Text;
use crate::decode::Decoded;
use crate::error::Error;

/// One record of a command log, over its line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it was.
    pub timestamp: Option<Moment<'a>>,
    /// `dev2app` or `app2dev`.
    pub kind: Option<Cow<'a, str>>,
    /// The device.
    pub did: Option<Cow<'a, str>>,
    /// Its product.
    pub product_key: Option<Cow<'a, str>>,
    /// Hex, base64, or a list of bytes.
    pub payload: Cow<'a, str>,
    /// The other members as JSON, a comma before each; empty unless they are kept.
    pub extra: &'a [u8],
    /// The head of the line, if it is what NDJSON begins with: all of the above but the payload.
    pub(crate) head: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// A payload, and nothing about it.
    #[must_use]
    pub fn bare(payload: &'a str) -> Self {
        Record {
            payload: payload.into(),
            ..Record::default()
        }
    }

    /// The device: what the record says, or else the frame of its payload.
    #[must_use]
    pub fn device(&self, decoded: &Decoded<'_, 'a>) -> Option<Cow<'a, str>> {
        match (&self.did, decoded.envelope) {
            (Some(did), _) => Some(did.clone()),
            (None, Some(Event::Frame(frame))) => {
                let did = frame.did?;
                Some(match std::str::from_utf8(did) {
                    Ok(did) => did.into(),
                    Err(_) => format!("0x{}", crate::payload::hex(did)).into(),
                })
            }
            (None, _) => None,
        }
    }
}

/// The time of a record: JSON as it stands, which is known to be a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment<'a>(Cow<'a, str>);

impl<'a> Moment<'a> {
    /// The JSON of a number of seconds since 1970, or of milliseconds if it is 10^11 or more; or RFC 3339
    /// as a text.
    ///
    /// # Errors
    /// `timestamp`
    pub fn new(json: Cow<'a, str>) -> Result<Self, Error> {
        let moment = Moment(json);
        match moment.parse() {
            Some(_) => Ok(moment),
            None => Err(Error::new(
                "timestamp",
                format!(
                    "`timestamp` is `{}`: a number of seconds, or a time like \
                     \"2018-01-31T07:37:32.294Z\" is expected",
                    crate::error::shown(moment.json())
                ),
            )),
        }
    }

    /// As it stands in the log.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.0
    }

    /// Milliseconds since 1970; what is finer is cut.
    #[must_use]
    pub fn millis(&self) -> i64 {
        self.parse().unwrap_or(0)
    }

    /// Whether other digits in place of these are a moment as well.
    fn is_sure(&self) -> bool {
        let whole = self.0.bytes().take_while(u8::is_ascii_digit).count();
        (1..=11).contains(&whole) || (whole == self.0.len() && whole <= 16)
    }

    fn parse(&self) -> Option<i64> {
        if let Some(text) = self.0.strip_prefix('"') {
            let text = text.strip_suffix('"')?;
            return Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond());
        }
        if let Some(millis) = plain_seconds(self.0.as_bytes()) {
            return Some(millis);
        }
        let number: Decimal = self.0.parse().ok()?;
        let unit = 10_i128.checked_pow(number.scale().into())?;
        let whole = i128::from(number.coefficient());
        let factor = if whole.abs() >= SECONDS * unit {
            1
        } else {
            1000
        };
        i64::try_from((whole * factor).div_euclid(unit)).ok()
    }
}

/// Below this a number counts seconds.
const SECONDS: i128 = 100_000_000_000;

/// `1517384252.294`, the form that the API has, without detours.
fn plain_seconds(json: &[u8]) -> Option<i64> {
    let (mut millis, mut places) = (0_i64, None);
    for byte in json {
        match (byte, &mut places) {
            (b'0'..=b'9', None) => millis = millis * 10 + i64::from(byte & 15),
            (b'0'..=b'9', Some(3..)) => {}
            (b'0'..=b'9', Some(places)) => {
                millis = millis * 10 + i64::from(byte & 15);
                *places += 1;
            }
            (b'.', None) if millis < SECONDS as i64 => places = Some(0),
            _ => return None,
        }
        if millis >= 1 << 56 {
            return None;
        }
    }
    match places {
        Some(places) => Some(millis * 10_i64.pow(3 - places)),
        None if i128::from(millis) < SECONDS => Some(millis * 1000),
        None => Some(millis),
    }
}

/// Reads the records of one log.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// Whether members that have no meaning here are kept.
    keep: bool,
    /// Whether every line goes to the strict parser.
    strict: bool,
    extra: Vec<u8>,
    found: Found,
    /// The last one that fitted first.
    shapes: Vec<Shape>,
    /// Lines in a row that none fitted.
    missed: u32,
}

/// The most shapes that are kept.
const SHAPES: usize = 8;

/// How far a record may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The line is what it should be.
    Whole,
    /// All of it but the payload, which has not been looked at.
    ButPayload,
}

impl Reader {
    pub(crate) fn new(keep: bool, strict: bool) -> Self {
        Reader {
            keep,
            strict,
            ..Reader::default()
        }
    }

    /// The record of a line, by a shape where one fits.
    #[inline]
    pub(crate) fn read<'a>(&'a mut self, line: &'a str) -> Result<(Record<'a>, Trust), Error> {
        if !self.strict
            && let Some(n) = self.shapes.iter().position(|shape| shape.fits(line))
        {
            self.missed = 0;
            if n > 0 {
                self.shapes[..=n].rotate_right(1);
            }
            self.extra.clear();
            let record = self.shapes[0].read(line, &mut self.extra);
            return Ok((record, Trust::ButPayload));
        }
        Ok((self.read_strictly(line)?, Trust::Whole))
    }

    /// The record of a line, by the strict parser.
    pub(crate) fn read_strictly<'a>(&'a mut self, line: &'a str) -> Result<Record<'a>, Error> {
        self.extra.clear();
        self.found.clear();
        if !line.trim_ascii_start().starts_with('{') {
            return Ok(Record::bare(line));
        }
        let mut json = sonic_rs::Deserializer::from_json(line);
        // Learning costs more than a strict line, so lines that vary are not learnt each time.
        let missed = self.missed.saturating_add(1);
        let learn = !self.strict && (missed <= 32 || missed.is_multiple_of(64));
        let seed = Members {
            keep: self.keep,
            extra: &mut self.extra,
            found: learn.then_some(&mut self.found),
        };
        let record = seed
            .deserialize(&mut json)
            .and_then(|record| json.end().map(|()| record));
        let mut record = record.map_err(|error| refused(&error))??;
        self.missed = missed;
        if learn && let Some(shape) = Shape::new(line, &record, &self.found, &self.extra) {
            self.shapes.truncate(SHAPES - 1);
            self.shapes.insert(0, shape);
        }
        record.extra = &self.extra;
        Ok(record)
    }
}

/// A line that is no record, in words.
#[cold]
fn refused(error: &sonic_rs::Error) -> Error {
    let told = error.to_string();
    let told = told.lines().next().unwrap_or_default();
    let at = told.find(" at line ").unwrap_or(told.len());
    let byte = error.offset();
    let message = format!("not a record as JSON: {}, byte {byte}", &told[..at]);
    Error::new("json", message).at(u32::try_from(byte).ok(), None)
}

/// A line that is no text from this byte on.
pub(crate) fn not_utf8(at: usize) -> Error {
    Error::new(
        "not_utf8",
        format!("the line is not UTF-8 text at byte {at}"),
    )
    .at(u32::try_from(at).ok(), None)
}

/// Where in their line the members are that have no meaning here.
#[derive(Debug, Default)]
struct Found {
    /// Their values, and those of texts without their quotes.
    others: Vec<(Range<usize>, Class)>,
    /// Those that are kept: the key without its quotes, and the value.
    kept: Vec<(Range<usize>, Range<usize>)>,
    /// Something is not where it can be found again.
    lost: bool,
}

/// Deserializes a record. What is JSON but no record is the inner error.
struct Members<'x> {
    keep: bool,
    extra: &'x mut Vec<u8>,
    found: Option<&'x mut Found>,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Result<Record<'de>, Error>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Result<Record<'de>, Error>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut record = Record::default();
        let mut payload = None;
        let mut wrong = None;
        while let Some(Word(key)) = map.next_key()? {
            let value: LazyValue<'de> = map.next_value()?;
            let value = value.as_raw_cow();
            let member = match &*key {
                "timestamp" => {
                    if value != "null" {
                        let twice = record.timestamp.is_some();
                        match Moment::new(value) {
                            Ok(moment) => record.timestamp = Some(moment),
                            Err(error) => wrong = wrong.or(Some(error)),
                        }
                        if twice {
                            wrong = wrong.or_else(|| Some(twofold(&key)));
                        }
                    }
                    continue;
                }
                "type" => &mut record.kind,
                "did" => &mut record.did,
                "product_key" => &mut record.product_key,
                "payload" => &mut payload,
                _ => {
                    match (self.found.as_deref_mut(), &value) {
                        (None, _) => {}
                        (Some(found), Cow::Borrowed(value)) => found.other(&key, value, self.keep),
                        (Some(found), Cow::Owned(_)) => found.lost = true,
                    }
                    if self.keep {
                        self.extra.push(b',');
                        let _ = serde_json::to_writer(&mut *self.extra, &*key);
                        self.extra.push(b':');
                        self.extra.extend(value.as_bytes());
                    }
                    continue;
                }
            };
            if value == "null" {
                continue;
            }
            match text(value) {
                Some(_) if member.is_some() => wrong = wrong.or_else(|| Some(twofold(&key))),
                Some(text) => *member = Some(text),
                None => {
                    wrong = wrong.or_else(|| {
                        let message = format!("`{key}` is not a text");
                        Some(Error::new("record", message))
                    });
                }
            }
        }
        Ok(match (wrong, payload) {
            (Some(error), _) => Err(error),
            (None, Some(payload)) => {
                record.payload = payload;
                Ok(record)
            }
            (None, None) => Err(Error::new("record", "the record has no `payload`")),
        })
    }
}

fn twofold(key: &str) -> Error {
    Error::new("record", format!("`{key}` stands twice"))
}

/// A text, decoded.
#[derive(Deserialize)]
#[serde(transparent)]
struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

/// What a JSON text means; `None` if it is none.
fn text(json: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match json {
        Cow::Borrowed(json) => {
            let inner = json.strip_prefix('"')?.strip_suffix('"')?;
            match memchr::memchr(b'\\', inner.as_bytes()) {
                None => Some(inner.into()),
                Some(_) => Some(sonic_rs::from_str::<String>(json).ok()?.into()),
            }
        }
        Cow::Owned(json) => Some(sonic_rs::from_str::<String>(&json).ok()?.into()),
    }
}

/// Which bytes may stand where a value varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Those of the line that was learnt, and no others.
    Same,
    /// Digits, but for the first one and what are none.
    Number,
    /// ASCII that a JSON text has as it stands.
    Text,
}

impl Found {
    fn clear(&mut self) {
        self.others.clear();
        self.kept.clear();
        self.lost = false;
    }

    fn other(&mut self, key: &str, value: &str, keep: bool) {
        let start = value.as_ptr().addr();
        let (range, class) = match value.as_bytes() {
            [b'"', inner @ .., b'"'] if inner.iter().all(|byte| plain(*byte)) => {
                (start + 1..start + value.len() - 1, Class::Text)
            }
            [b'0'..=b'9', ..] => (start..start + value.len(), Class::Number),
            _ => (start..start + value.len(), Class::Same),
        };
        self.others.push((range, class));
        if keep {
            let key_start = key.as_ptr().addr();
            let key = key_start..key_start + key.len();
            self.kept.push((key, start..start + value.len()));
        }
    }
}

/// Whether a byte is ASCII that may stand in a JSON text as it is.
#[inline]
pub(crate) fn plain(byte: u8) -> bool {
    (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\'
}

/// What a line looks like whose payload may have any length.
#[derive(Debug)]
struct Shape {
    head: Stencil,
    /// Counted from the end of the line.
    tail: Stencil,
    timestamp: Option<Slot>,
    /// The value, which is the same in all lines of this shape.
    kind: Option<Box<str>>,
    did: Option<Slot>,
    product_key: Option<Box<str>>,
    kept: Vec<(Slot, Slot)>,
    /// So many bytes are what NDJSON begins with.
    verbatim: Option<usize>,
}

/// A place before the payload, counted from the start, or behind it, counted from the end.
#[derive(Clone, Copy, Debug)]
struct Slot {
    behind: bool,
    start: usize,
    end: usize,
}

impl Slot {
    #[inline]
    fn of(self, line: &str) -> &str {
        let range = match self.behind {
            false => self.start..self.end,
            true => line.len().wrapping_sub(self.start)..line.len().wrapping_sub(self.end),
        };
        line.get(range).unwrap_or_default()
    }
}

impl Shape {
    /// The shape of a line that was strictly parsed.
    fn new(text: &str, record: &Record<'_>, found: &Found, extra: &[u8]) -> Option<Self> {
        let line = text.as_bytes();
        let base = line.as_ptr().addr();
        let place = |text: &Cow<'_, str>| match text {
            Cow::Borrowed(text) => {
                let start = text.as_ptr().addr().checked_sub(base)?;
                (start + text.len() <= line.len()).then_some(start..start + text.len())
            }
            Cow::Owned(_) => None,
        };
        if found.lost || record.payload.is_empty() {
            return None;
        }
        let payload = place(&record.payload)?;
        let slot = |range: Range<usize>| {
            let behind = range.start >= payload.end;
            let (start, end) = match behind {
                false => (range.start, range.end),
                true => (line.len() - range.start, line.len() - range.end),
            };
            Slot { behind, start, end }
        };
        let mut classes = vec![Class::Same; line.len()];
        let mut vary = |range: Range<usize>, class: Class| {
            let digits = class == Class::Number;
            let number = line.get(range.clone()).unwrap_or(&[]);
            // A number of several digits has no 0 in front.
            let first = usize::from(digits && number.get(1).is_some_and(u8::is_ascii_digit));
            let exponent = number.iter().any(|byte| byte.eq_ignore_ascii_case(&b'e'));
            if digits && exponent {
                return;
            }
            for (n, class_of) in classes[range].iter_mut().enumerate() {
                if !digits || n >= first && number[n].is_ascii_digit() {
                    *class_of = class;
                }
            }
        };
        let mut shape = Shape {
            head: Stencil::default(),
            tail: Stencil::default(),
            timestamp: None,
            kind: None,
            did: None,
            product_key: None,
            kept: Vec::new(),
            verbatim: None,
        };
        if let Some(moment) = &record.timestamp {
            let range = place(&moment.0)?;
            match moment.0.strip_prefix('"') {
                Some(_) => vary(range.start + 1..range.end - 1, Class::Text),
                None if moment.is_sure() => vary(range.clone(), Class::Number),
                None => {}
            }
            shape.timestamp = Some(slot(range));
        }
        if let Some(did) = &record.did {
            let range = place(did)?;
            if did.bytes().all(plain) {
                vary(range.clone(), Class::Text);
            }
            shape.did = Some(slot(range));
        }
        for (text, to) in [
            (&record.kind, &mut shape.kind),
            (&record.product_key, &mut shape.product_key),
        ] {
            if let Some(text) = text {
                place(text)?;
                *to = Some((**text).into());
            }
        }
        for (range, class) in &found.others {
            let range = range.start.checked_sub(base)?..range.end.checked_sub(base)?;
            if range.end > line.len() {
                return None;
            }
            if *class != Class::Same {
                vary(range, *class);
            }
        }
        for (key, value) in &found.kept {
            let within = |range: &Range<usize>| {
                let range = range.start.checked_sub(base)?..range.end.checked_sub(base)?;
                (range.end <= line.len()).then_some(range)
            };
            // A key with escapes is not in the line.
            let (key, value) = (within(key)?, within(value)?);
            shape.kept.push((slot(key), slot(value)));
        }
        shape.head = Stencil::new(&line[..payload.start], &classes[..payload.start]);
        shape.tail = Stencil::new(&line[payload.end..], &classes[payload.end..]);
        let mut head = Text::default();
        super::ndjson::put_head(&mut head, record, record.did.as_deref(), extra);
        // What varies is copied as it stands, so this holds for every line of the shape.
        shape.verbatim = Some(head.as_slice())
            .filter(|head| head.len() <= payload.start && line.starts_with(head))
            .map(<[u8]>::len);
        Some(shape)
    }

    #[inline]
    fn fits(&self, line: &str) -> bool {
        let (head, tail) = (self.head.len, self.tail.len);
        let bytes = line.as_bytes();
        bytes.len() > head + tail
            && self.head.fits(&bytes[..head])
            && self.tail.fits(&bytes[bytes.len() - tail..])
            // Numbers are right by their digits, times in words are not.
            && self.timestamp.is_none_or(|slot| {
                let json = slot.of(line);
                !json.starts_with('"') || Moment(json.into()).parse().is_some()
            })
    }

    /// The record of a line that fits.
    #[inline]
    fn read<'a>(&'a self, line: &'a str, extra: &'a mut Vec<u8>) -> Record<'a> {
        for (key, value) in &self.kept {
            extra.extend(b",\"");
            extra.extend(key.of(line).as_bytes());
            extra.extend(b"\":");
            extra.extend(value.of(line).as_bytes());
        }
        let payload = line.get(self.head.len..line.len() - self.tail.len);
        Record {
            timestamp: self.timestamp.map(|slot| Moment(slot.of(line).into())),
            kind: self.kind.as_deref().map(Cow::Borrowed),
            did: self.did.map(|slot| slot.of(line).into()),
            product_key: self.product_key.as_deref().map(Cow::Borrowed),
            // What begins or ends within a character is not right: the strict parser will say so.
            payload: payload.unwrap_or("\n").into(),
            extra,
            head: self.verbatim.and_then(|len| line.get(..len)),
        }
    }
}

/// What the bytes of a stretch may be, 16 at a time. The last 16 overlap those before.
#[derive(Debug, Default)]
struct Stencil {
    len: usize,
    cells: Vec<Cell>,
}

/// 16 bytes as one integer, in the machine's order.
#[derive(Debug)]
struct Cell {
    start: usize,
    want: u128,
    /// The bits of `want` that matter.
    mask: u128,
    /// 6 where a digit is wanted: added to its low half it stays below 16.
    digit: u128,
    /// All bits where text is wanted; none if there is none.
    text: Option<[u8; 16]>,
}

impl Stencil {
    fn new(bytes: &[u8], classes: &[Class]) -> Self {
        let len = bytes.len();
        let starts = (0..len / 16).map(|n| 16 * n);
        let last = (!len.is_multiple_of(16)).then(|| len.saturating_sub(16));
        let cells = starts.chain(last).map(|start| {
            let (mut want, mut mask, mut digit, mut text) = ([0; 16], [0; 16], [0; 16], [0; 16]);
            let rest = bytes[start..].iter().zip(&classes[start..]);
            for (n, (byte, class)) in rest.take(16).enumerate() {
                (want[n], mask[n]) = match class {
                    Class::Same => (*byte, 0xff),
                    Class::Number => (0x30, 0xf0),
                    Class::Text => (0, 0x80),
                };
                digit[n] = if *class == Class::Number { 6 } else { 0 };
                text[n] = if *class == Class::Text { 0xff } else { 0 };
            }
            Cell {
                start,
                want: u128::from_ne_bytes(want),
                mask: u128::from_ne_bytes(mask),
                digit: u128::from_ne_bytes(digit),
                text: Some(text).filter(|text| *text != [0; 16]),
            }
        });
        Stencil {
            len,
            cells: cells.collect(),
        }
    }

    #[inline]
    fn fits(&self, bytes: &[u8]) -> bool {
        self.cells.iter().all(|cell| {
            let rest = bytes.get(cell.start..).unwrap_or(&[]);
            match rest.first_chunk::<16>() {
                Some(chunk) => cell.fits(chunk),
                // A stretch of less than 16 in all.
                None => {
                    let mut chunk = [0; 16];
                    for (to, from) in chunk.iter_mut().zip(rest) {
                        *to = *from;
                    }
                    cell.fits(&chunk)
                }
            }
        })
    }
}

impl Cell {
    #[inline]
    fn fits(&self, bytes: &[u8; 16]) -> bool {
        const ONES: u128 = u128::MAX / 255;
        let all = u128::from_ne_bytes(*bytes);
        let wrong =
            (all ^ self.want) & self.mask | ((all & (15 * ONES)) + self.digit) & (16 * ONES);
        wrong == 0
            && self.text.as_ref().is_none_or(|text| {
                let odd = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
                bytes
                    .iter()
                    .zip(text)
                    .all(|(byte, text)| *text == 0 || !odd(*byte))
            })
    }
}
