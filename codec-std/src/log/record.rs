//! A record in its line: strictly parsed, or by a shape that earlier lines had.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use gizwits_codec_core::m2m::{self, Event};
use gizwits_codec_core::{Decimal, definition};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use sonic_rs::LazyValue;

use super::DEPTH_LIMIT;
use super::shape::{Found, Shape};
use crate::decode::Decoded;
use crate::error::Error;

/// One record of a command log, over its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it was.
    pub timestamp: Option<Moment<'a>>,
    /// `dev2app` or `app2dev`.
    pub kind: Option<&'a str>,
    /// The device.
    pub did: Option<&'a str>,
    /// Its product.
    pub product_key: Option<&'a str>,
    /// Hex, base64, or a list of bytes.
    pub payload: &'a str,
    /// The other members as JSON, a comma before each; empty unless they are kept.
    pub extra: &'a [u8],
}

impl<'a> Record<'a> {
    /// A payload, and nothing about it.
    #[must_use]
    pub fn bare(payload: &'a str) -> Self {
        Record {
            payload,
            ..Record::default()
        }
    }

    /// The device: what the record says, or else the frame of its payload.
    #[must_use]
    pub fn device(&self, decoded: &Decoded<'_, 'a>) -> Option<Cow<'a, str>> {
        match (self.did, decoded.envelope) {
            (Some(did), _) => Some(did.into()),
            (None, Some(Event::Frame(frame))) => frame.did.map(did_text),
            (None, _) => None,
        }
    }
}

/// The device that the frame of a payload names.
pub(crate) fn framed(payload: &[u8]) -> Option<Cow<'_, str>> {
    match m2m::parse(payload, usize::MAX) {
        Ok((Event::Frame(frame), _)) => frame.did.map(did_text),
        _ => None,
    }
}

/// A did as text; as `0x` and hex if it isn't UTF-8.
fn did_text(did: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(did) {
        Ok(did) => did.into(),
        Err(_) => format!("0x{}", crate::payload::hex(did)).into(),
    }
}

/// A record that is made only as far as is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a>(Form<'a>);

#[derive(Clone, Copy, Debug)]
enum Form<'a> {
    /// In a line that has this shape; what is kept of it.
    Learnt(&'a [u8], &'a Shape, &'a [u8]),
    /// Made, and whether its texts are known to need no escapes.
    Made(&'a Record<'a>, bool),
}

impl<'a> Line<'a> {
    /// One that is made already, and whether its texts are known to need no escapes.
    #[inline(always)]
    pub(crate) fn made(record: &'a Record<'a>, plain: bool) -> Self {
        Line(Form::Made(record, plain))
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> Record<'a> {
        match self.0 {
            Form::Learnt(line, shape, extra) => Record {
                timestamp: shape.timestamp.map(|slot| Moment(slot.text(line))),
                kind: shape.kind.as_deref(),
                did: self.did(),
                product_key: self.product_key(),
                payload: std::str::from_utf8(self.payload()).unwrap_or_default(),
                extra,
            },
            Form::Made(record, _) => *record,
        }
    }

    #[inline(always)]
    pub(crate) fn product_key(&self) -> Option<&'a str> {
        match self.0 {
            Form::Learnt(_, shape, _) => shape.product_key.as_deref(),
            Form::Made(record, _) => record.product_key,
        }
    }

    #[inline(always)]
    pub(crate) fn did(&self) -> Option<&'a str> {
        match self.0 {
            Form::Learnt(line, shape, _) => shape.did.map(|slot| slot.text(line)),
            Form::Made(record, _) => record.did,
        }
    }

    #[inline(always)]
    pub(crate) fn payload(&self) -> &'a [u8] {
        match self.0 {
            Form::Learnt(line, shape, _) => {
                let end = line.len().wrapping_sub(shape.tail);
                line.get(shape.head..end).unwrap_or(&[])
            }
            Form::Made(record, _) => record.payload.as_bytes(),
        }
    }

    /// The head of the line, if it is what NDJSON begins with, all but the payload; else the record, and
    /// whether its texts are known to need no escapes.
    #[inline(always)]
    pub(crate) fn head(&self) -> Result<&'a [u8], (Cow<'a, Record<'a>>, bool)> {
        match self.0 {
            Form::Learnt(line, shape, _) => {
                let head = shape.verbatim.and_then(|len| line.get(..len));
                head.ok_or_else(|| (Cow::Owned(self.record()), false))
            }
            Form::Made(record, plain) => Err((Cow::Borrowed(record), plain)),
        }
    }
}

/// The time of a record: JSON as it stands, which is known to be a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment<'a>(pub(crate) &'a str);

impl<'a> Moment<'a> {
    /// The JSON of a number of seconds since 1970, or of milliseconds if it is 10^11 or more; or RFC 3339
    /// as a text.
    ///
    /// # Errors
    /// `timestamp`
    pub fn new(json: &'a str) -> Result<Self, Error> {
        let moment = Moment(json);
        let sound = serde_json::from_str::<IgnoredAny>(json).is_ok();
        match moment.parse().filter(|_| sound) {
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
    pub fn json(&self) -> &'a str {
        self.0
    }

    /// Milliseconds since 1970; what is finer is cut.
    #[must_use]
    pub fn millis(&self) -> i64 {
        self.parse().unwrap_or(0)
    }

    /// Whether a number in JSON is one as the API has them: a moment without more ado.
    fn is_plain(&self) -> bool {
        // So short it is a moment with a point or without.
        self.0.len() <= 14 && self.0.bytes().all(|byte| (b'.'..=b'9').contains(&byte))
    }

    /// Whether other digits in place of these are a moment as well.
    pub(crate) fn is_sure(&self) -> bool {
        let whole = self.0.bytes().take_while(u8::is_ascii_digit).count();
        (1..=11).contains(&whole) || (whole == self.0.len() && whole <= 14)
    }

    pub(crate) fn parse(&self) -> Option<i64> {
        self.count().filter(|millis| MOMENTS.contains(millis))
    }

    /// Milliseconds since 1970, whether a calendar has them or not.
    fn count(&self) -> Option<i64> {
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

/// The milliseconds that a calendar has: the years from -9999 to 9999, less a day at either end.
const MOMENTS: RangeInclusive<i64> = -377_705_023_201_000..=253_402_207_200_000;

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
    /// Lines that none fitted; those that did halve it.
    missed: u32,
}

/// The most shapes that are kept.
const SHAPES: usize = 8;

impl Reader {
    pub(crate) fn new(keep: bool, strict: bool) -> Self {
        Reader {
            keep,
            strict,
            ..Reader::default()
        }
    }

    /// A line by a shape that it fits. It is what it says if the payload, which has not been looked at,
    /// needs no unescaping.
    #[inline(always)]
    pub(crate) fn learnt<'a>(&'a mut self, line: &'a [u8]) -> Option<Line<'a>> {
        if !self.shapes.first()?.fits(line) && !self.another_fits(line) {
            return None;
        }
        self.missed /= 2;
        let shape = self.shapes.first()?;
        shape.keep(line, &mut self.extra);
        Some(Line(Form::Learnt(line, shape, &self.extra)))
    }

    /// Whether another shape fits, which then is the first.
    #[cold]
    fn another_fits(&mut self, line: &[u8]) -> bool {
        let found = self.shapes.iter().position(|shape| shape.fits(line));
        if let Some(n) = found {
            self.shapes[..=n].rotate_right(1);
        }
        found.is_some()
    }

    /// Reads the record of a line whose texts have no escapes by the strict parser, but for what is kept;
    /// false if the line is to be [`read`](Self::read), which tells what is wrong, or learns from it.
    #[inline(always)]
    pub(crate) fn skim<'a>(&mut self, line: &'a str, record: &mut Record<'a>) -> bool {
        if self.learns() || is_deep(line) {
            return false;
        }
        self.extra.clear();
        let mut json = sonic_rs::Deserializer::from_json(line);
        let extra = self.keep.then_some(&mut self.extra);
        let done = json.deserialize_map(Skim(record, extra));
        let done = done.and_then(|()| json.end()).is_ok();
        self.missed = self.missed.saturating_add(done.into());
        done
    }

    /// Whether the next strict line is learnt. That costs more than the line, so lines that vary are not
    /// learnt each time.
    fn learns(&self) -> bool {
        !self.strict && (self.missed < 32 || self.missed.is_multiple_of(64))
    }

    /// What was kept of the last line.
    pub(crate) fn extra(&self) -> &[u8] {
        &self.extra
    }

    /// What a line says, by the strict parser.
    pub(crate) fn read<'a>(&'a mut self, line: &'a str) -> Result<Members<'a>, Error> {
        self.extra.clear();
        self.found.clear();
        if !line.trim_ascii_start().starts_with('{') {
            return Ok(Members {
                payload: Some(line.into()),
                ..Members::default()
            });
        }
        if is_deep(line) {
            return Err(too_deep());
        }
        let mut json = sonic_rs::Deserializer::from_json(line);
        let learn = self.learns();
        let seed = Seed {
            keep: self.keep,
            extra: &mut self.extra,
            found: learn.then_some(&mut self.found),
        };
        let members = seed
            .deserialize(&mut json)
            .and_then(|members| json.end().map(|()| members));
        let mut members = members.map_err(|error| refused(&error))??;
        self.missed = self.missed.saturating_add(1);
        if learn && let Some(shape) = Shape::new(line, &members, &self.found, &self.extra) {
            self.shapes.truncate(SHAPES - 1);
            self.shapes.insert(0, shape);
        }
        members.extra = &self.extra;
        Ok(members)
    }
}

/// What a line says of its record. What has escapes is not in the line.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    pub(crate) timestamp: Option<Cow<'a, str>>,
    pub(crate) kind: Option<Cow<'a, str>>,
    pub(crate) did: Option<Cow<'a, str>>,
    pub(crate) product_key: Option<Cow<'a, str>>,
    pub(crate) payload: Option<Cow<'a, str>>,
    extra: &'a [u8],
}

impl Members<'_> {
    pub(crate) fn record(&self) -> Record<'_> {
        Record {
            timestamp: self.timestamp.as_deref().map(Moment),
            kind: self.kind.as_deref(),
            did: self.did.as_deref(),
            product_key: self.product_key.as_deref(),
            payload: self.payload.as_deref().unwrap_or(""),
            extra: self.extra,
        }
    }
}

/// Whether a line is nested deeper than [`DEPTH_LIMIT`]: sonic-rs recurses without a limit of its own.
/// Brackets are counted first, since hardly any line has enough of them.
#[inline]
fn is_deep(line: &str) -> bool {
    brackets(line.as_bytes()) > DEPTH_LIMIT && definition::is_deeper(line, DEPTH_LIMIT)
}

/// At least as many as the opening brackets of a text, by vectors: the last 32 bytes count in full, also those
/// that were counted before.
#[inline]
fn brackets(text: &[u8]) -> usize {
    const LANES: usize = 32;
    let Some(last) = text.last_chunk::<LANES>() else {
        return text.len();
    };
    let mut brackets = 0;
    // A lane is a byte, so that it counts up to 255.
    for block in text.chunks(254 * LANES) {
        let mut lanes = [0_u8; LANES];
        let (pieces, _) = block.as_chunks::<LANES>();
        for piece in pieces.iter().chain([last]) {
            for (lane, byte) in lanes.iter_mut().zip(piece) {
                // [ and { differ in one bit.
                *lane += u8::from(byte & 0xdf == b'[');
            }
        }
        brackets += lanes.iter().copied().map(usize::from).sum::<usize>();
    }
    brackets
}

#[cold]
fn too_deep() -> Error {
    let message =
        format!("arrays and objects of the record are nested more than {DEPTH_LIMIT} deep");
    Error::new("depth", message)
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

/// Deserializes what a line says. What is JSON but no record is the inner error.
struct Seed<'x> {
    keep: bool,
    extra: &'x mut Vec<u8>,
    found: Option<&'x mut Found>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Result<Members<'de>, Error>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Result<Members<'de>, Error>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        let mut wrong = None;
        while let Some(Word(key)) = map.next_key()? {
            let value: LazyValue<'de> = map.next_value()?;
            let value = value.as_raw_cow();
            if !escapes_are_sound(&value) {
                return Err(A::Error::custom("an escape that is none"));
            }
            let member = match &*key {
                "timestamp" => {
                    if value != "null" {
                        if let Err(error) = Moment::new(&value) {
                            wrong = wrong.or(Some(error));
                        } else if members.timestamp.replace(value).is_some() {
                            wrong = wrong.or_else(|| Some(twofold(&key)));
                        }
                    }
                    continue;
                }
                "type" => &mut members.kind,
                "did" => &mut members.did,
                "product_key" => &mut members.product_key,
                "payload" => &mut members.payload,
                _ => {
                    match (self.found.as_deref_mut(), &value) {
                        (None, _) => {}
                        (Some(found), Cow::Borrowed(value)) => found.other(&key, value, self.keep),
                        (Some(found), Cow::Owned(_)) => found.lost = true,
                    }
                    if self.keep {
                        put_member(self.extra, &key, &value);
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
        Ok(match (wrong, &members.payload) {
            (Some(error), _) => Err(error),
            (None, Some(_)) => Ok(members),
            (None, None) => Err(Error::new("record", "the record has no `payload`")),
        })
    }
}

/// Deserializes a record all of whose texts stand in the line. Fails if there is anything to be said.
struct Skim<'x, 'de>(&'x mut Record<'de>, Option<&'x mut Vec<u8>>);

impl<'de> Visitor<'de> for Skim<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let odd = || A::Error::custom("odd");
        let Skim(record, mut extra) = self;
        let mut payload = None;
        while let Some(key) = map.next_key::<&'de str>()? {
            let member = match key {
                "payload" => &mut payload,
                "type" => &mut record.kind,
                "did" => &mut record.did,
                "product_key" => &mut record.product_key,
                _ => {
                    let value: LazyValue<'de> = map.next_value()?;
                    let Cow::Borrowed(json) = value.as_raw_cow() else {
                        return Err(odd());
                    };
                    if key == "timestamp" {
                        let moment = Some(Moment(json)).filter(Moment::is_plain);
                        if moment.is_none() || record.timestamp.is_some() {
                            return Err(odd());
                        }
                        record.timestamp = moment;
                    } else if memchr::memchr(b'\\', json.as_bytes()).is_some() {
                        return Err(odd());
                    } else if let Some(extra) = &mut extra {
                        put_member(extra, key, json);
                    }
                    continue;
                }
            };
            if member.replace(map.next_value()?).is_some() {
                return Err(odd());
            }
        }
        record.payload = payload.ok_or_else(odd)?;
        Ok(())
    }
}

/// Whether what sonic-rs passed over, which does not look at the digits of `\u`, is JSON.
fn escapes_are_sound(json: &str) -> bool {
    memchr::memchr(b'\\', json.as_bytes()).is_none()
        || serde_json::from_str::<IgnoredAny>(json).is_ok()
}

/// Appends a member that is kept.
fn put_member(extra: &mut Vec<u8>, key: &str, json: &str) {
    extra.push(b',');
    let _ = serde_json::to_writer(&mut *extra, key);
    extra.push(b':');
    extra.extend(json.as_bytes());
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

#[cfg(test)]
mod tests {
    use super::MOMENTS;

    /// Moments are those that a date can be written of.
    #[test]
    fn moments_are_of_the_calendar() {
        let is_dated = |millis| jiff::Timestamp::from_millisecond(millis).is_ok();
        let (first, last) = MOMENTS.into_inner();
        assert!(is_dated(first) && is_dated(last));
        assert!(!is_dated(first - 1) && !is_dated(last + 1));
    }
}
