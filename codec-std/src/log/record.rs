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
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use sonic_rs::LazyValue;

use super::text::Text;
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

/// A record that is made only as far as is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a>(Kind<'a>);

#[derive(Clone, Copy, Debug)]
enum Kind<'a> {
    /// In a line that has this shape; what is kept of it.
    Learnt(&'a [u8], &'a Shape, &'a [u8]),
    /// Made, and whether its texts are known to need no escapes.
    Made(&'a Record<'a>, bool),
}

impl<'a> Line<'a> {
    /// One that is made already, and whether its texts are known to need no escapes.
    #[inline(always)]
    pub(crate) fn made(record: &'a Record<'a>, plain: bool) -> Self {
        Line(Kind::Made(record, plain))
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> Record<'a> {
        match self.0 {
            Kind::Learnt(line, shape, extra) => Record {
                timestamp: shape.timestamp.map(|slot| Moment(slot.text(line))),
                kind: shape.kind.as_deref(),
                did: self.did(),
                product_key: self.product_key(),
                payload: std::str::from_utf8(self.payload()).unwrap_or_default(),
                extra,
            },
            Kind::Made(record, _) => *record,
        }
    }

    #[inline(always)]
    pub(crate) fn product_key(&self) -> Option<&'a str> {
        match self.0 {
            Kind::Learnt(_, shape, _) => shape.product_key.as_deref(),
            Kind::Made(record, _) => record.product_key,
        }
    }

    #[inline(always)]
    pub(crate) fn did(&self) -> Option<&'a str> {
        match self.0 {
            Kind::Learnt(line, shape, _) => shape.did.map(|slot| slot.text(line)),
            Kind::Made(record, _) => record.did,
        }
    }

    #[inline(always)]
    pub(crate) fn payload(&self) -> &'a [u8] {
        match self.0 {
            Kind::Learnt(line, shape, _) => {
                let end = line.len().wrapping_sub(shape.tail);
                line.get(shape.head..end).unwrap_or(&[])
            }
            Kind::Made(record, _) => record.payload.as_bytes(),
        }
    }

    /// The head of the line, if it is what NDJSON begins with, all but the payload; else the record, and
    /// whether its texts are known to need no escapes.
    #[inline(always)]
    pub(crate) fn head(&self) -> Result<&'a [u8], (Cow<'a, Record<'a>>, bool)> {
        match self.0 {
            Kind::Learnt(line, shape, _) => {
                let head = shape.verbatim.and_then(|len| line.get(..len));
                head.ok_or_else(|| (Cow::Owned(self.record()), false))
            }
            Kind::Made(record, plain) => Err((Cow::Borrowed(record), plain)),
        }
    }
}

/// The time of a record: JSON as it stands, which is known to be a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment<'a>(&'a str);

impl<'a> Moment<'a> {
    /// The JSON of a number of seconds since 1970, or of milliseconds if it is 10^11 or more; or RFC 3339
    /// as a text.
    ///
    /// # Errors
    /// `timestamp`
    pub fn new(json: &'a str) -> Result<Self, Error> {
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
        self.0.len() <= 15 && self.0.bytes().all(|byte| (b'.'..=b'9').contains(&byte))
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
        self.missed = 0;
        let shape = self.shapes.first()?;
        shape.keep(line, &mut self.extra);
        Some(Line(Kind::Learnt(line, shape, &self.extra)))
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
        if self.learns() {
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
    timestamp: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    did: Option<Cow<'a, str>>,
    product_key: Option<Cow<'a, str>>,
    payload: Option<Cow<'a, str>>,
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

/// Which bytes may stand where a value varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Those of the line that was learnt, and no others.
    Same,
    /// Digits, but for the first one and what are none.
    Number,
    /// ASCII that a JSON text has as it stands.
    Text,
    /// Anything: the payload, which is looked at elsewhere.
    Any,
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
    /// The bytes in front of the payload, and behind it.
    head: usize,
    tail: usize,
    /// A line is at least as long.
    least: usize,
    cells: Vec<Cell>,
    timestamp: Option<Slot>,
    /// Whether that is in words.
    worded: bool,
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
    fn of(self, line: &[u8]) -> &[u8] {
        let range = match self.behind {
            false => self.start..self.end,
            true => line.len().wrapping_sub(self.start)..line.len().wrapping_sub(self.end),
        };
        line.get(range).unwrap_or_default()
    }

    /// What fits a shape is text: the bytes are those of the line that was learnt, or ASCII.
    fn text(self, line: &[u8]) -> &str {
        std::str::from_utf8(self.of(line)).unwrap_or_default()
    }
}

impl Shape {
    /// The shape of a line that was strictly parsed.
    fn new(text: &str, members: &Members<'_>, found: &Found, extra: &[u8]) -> Option<Self> {
        let line = text.as_bytes();
        let base = line.as_ptr().addr();
        let place = |text: &Cow<'_, str>| match text {
            Cow::Borrowed(text) => {
                let start = text.as_ptr().addr().checked_sub(base)?;
                (start + text.len() <= line.len()).then_some(start..start + text.len())
            }
            Cow::Owned(_) => None,
        };
        let payload = place(members.payload.as_ref()?)?;
        if found.lost || payload.is_empty() {
            return None;
        }
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
        let (head, tail) = (payload.start, line.len() - payload.end);
        let mut shape = Shape {
            head,
            tail,
            least: 16.max(head + tail + 1),
            cells: Vec::new(),
            timestamp: None,
            worded: false,
            kind: None,
            did: None,
            product_key: None,
            kept: Vec::new(),
            verbatim: None,
        };
        if let Some(json) = &members.timestamp {
            let range = place(json)?;
            shape.worded = json.starts_with('"');
            match shape.worded {
                true => vary(range.start + 1..range.end - 1, Class::Text),
                false if Moment(json).is_sure() => vary(range.clone(), Class::Number),
                false => {}
            }
            shape.timestamp = Some(slot(range));
        }
        if let Some(did) = &members.did {
            let range = place(did)?;
            if did.bytes().all(plain) {
                vary(range.clone(), Class::Text);
            }
            shape.did = Some(slot(range));
        }
        for (text, to) in [
            (&members.kind, &mut shape.kind),
            (&members.product_key, &mut shape.product_key),
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
        // Cells that reach into the payload don't look at it. The last of a side overlaps the one before.
        let mut sides = [classes.clone(), classes];
        sides[0][head..].fill(Class::Any);
        sides[1][..payload.end].fill(Class::Any);
        for at in (0..head).step_by(16) {
            let at = at.min(head.saturating_sub(16));
            shape.cells.push(Cell::new(line, &sides[0], at));
        }
        for end in (0..tail).step_by(16) {
            let at = (end + 16).min(tail.max(16));
            let mut cell = Cell::new(line, &sides[1], line.len().checked_sub(at)?);
            (cell.at, cell.behind) = (at.wrapping_neg(), usize::MAX);
            shape.cells.push(cell);
        }
        let record = Record {
            extra,
            ..members.record()
        };
        let mut head = Text::default();
        let mut room = head.room(super::ndjson::head_len(&record, record.did));
        super::ndjson::put_head(&mut room, &record, record.did, false);
        let len = room.len();
        head.keep(len);
        // What varies is copied as it stands, so this holds for every line of the shape.
        shape.verbatim = Some(head.as_slice())
            .filter(|head| head.len() <= payload.start && line.starts_with(head))
            .map(<[u8]>::len);
        Some(shape)
    }

    #[inline(always)]
    fn fits(&self, line: &[u8]) -> bool {
        if line.len() < self.least {
            return false;
        }
        let mut wrong = [0; 2];
        for cell in &self.cells {
            let start = cell.at.wrapping_add(line.len() & cell.behind);
            let Some(chunk) = line.get(start..).and_then(<[u8]>::first_chunk) else {
                return false;
            };
            cell.check(chunk, &mut wrong);
        }
        wrong == [0; 2]
            // Numbers are right by their digits, times in words are not.
            && (!self.worded
                || self.timestamp.is_none_or(|slot| Moment(slot.text(line)).parse().is_some()))
    }

    /// The members that are kept of a line that fits.
    #[inline(always)]
    fn keep(&self, line: &[u8], extra: &mut Vec<u8>) {
        extra.clear();
        for (key, value) in &self.kept {
            extra.extend(b",\"");
            extra.extend(key.of(line));
            extra.extend(b"\":");
            extra.extend(value.of(line));
        }
    }
}

/// What 16 bytes of a line may be: two words, whose bytes are looked at side by side.
#[derive(Debug)]
struct Cell {
    /// Where they begin, modulo 2^n; those behind the payload count from the end: all bits are set.
    at: usize,
    behind: usize,
    want: [u64; 2],
    /// The bits of `want` that matter.
    mask: [u64; 2],
    /// 6 where a digit is wanted: added to its low half it stays below 16.
    digit: [u64; 2],
    /// The highest bit where text is wanted.
    text: Option<[u64; 2]>,
}

impl Cell {
    /// A cell that begins at `start` in this line.
    fn new(line: &[u8], classes: &[Class], start: usize) -> Self {
        let (mut want, mut mask, mut digit, mut text) = ([0; 16], [0; 16], [0; 16], [0; 16]);
        let bytes = line[start..].iter().zip(&classes[start..]);
        for (n, (byte, class)) in bytes.take(16).enumerate() {
            (want[n], mask[n]) = match class {
                Class::Same => (*byte, 0xff),
                Class::Number => (0x30, 0xf0),
                Class::Text => (0, 0x80),
                Class::Any => (0, 0),
            };
            digit[n] = if *class == Class::Number { 6 } else { 0 };
            text[n] = if *class == Class::Text { 0x80 } else { 0 };
        }
        Cell {
            at: start,
            behind: 0,
            want: words(&want),
            mask: words(&mask),
            digit: words(&digit),
            text: Some(words(&text)).filter(|text| *text != [0; 2]),
        }
    }

    /// Adds the bits of some bytes that are wrong.
    #[inline(always)]
    fn check(&self, bytes: &[u8; 16], wrong: &mut [u64; 2]) {
        const ONES: u64 = u64::MAX / 255;
        let words = words(bytes);
        for n in 0..2 {
            let digit = (words[n] & (15 * ONES)) + self.digit[n];
            wrong[n] |= (words[n] ^ self.want[n]) & self.mask[n] | digit & (16 * ONES);
        }
        if let Some(text) = &self.text {
            for n in 0..2 {
                // Where a sum has its highest bit the byte is no control character, no quote, no backslash.
                let low = words[n] & (0x7f * ONES);
                let other = |byte: u8| (low ^ (u64::from(byte) * ONES)) + 0x7f * ONES;
                wrong[n] |= !((low + 0x60 * ONES) & other(b'"') & other(b'\\')) & text[n];
            }
        }
    }
}

#[inline(always)]
fn words(bytes: &[u8; 16]) -> [u64; 2] {
    let [low, high] = bytes.as_chunks().0 else {
        return [0; 2];
    };
    [u64::from_le_bytes(*low), u64::from_le_bytes(*high)]
}
