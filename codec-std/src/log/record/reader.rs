//! Reads the record of a line: by a shape that earlier lines had, or with the strict parser.

use std::borrow::Cow;
use std::fmt;

use gizwits_codec_core::definition;
use serde::Deserialize;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::lazy::LazyRecord;
use super::scanner::{Fault, Refusal, scan};
use super::shape::LineShape;
use super::timestamp::Timestamp;
use super::{Members, Record};
use crate::error::Error;

/// The maximum depth of nested arrays and objects in a record, so that every parser can read the members that are kept.
pub const DEPTH_LIMIT: usize = 32;

/// Reads the records of one log.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// Whether members that the codec does not use are kept.
    keep: bool,
    /// Whether every line is read by the strict parser.
    strict: bool,
    extra: Vec<u8>,
    /// The learned shapes. The shape that fitted last is the first.
    shapes: Vec<LineShape>,
    /// The number of lines that fitted no shape. A line that fits halves it.
    missed: u32,
}

/// The maximum number of shapes.
const SHAPES: usize = 8;

impl Reader {
    pub(crate) fn new(keep: bool, strict: bool) -> Self {
        Reader {
            keep,
            strict,
            ..Reader::default()
        }
    }

    /// Reads a line that fits a shape. The payload has not been checked: the record is valid only if the
    /// payload contains no escapes.
    #[inline(always)]
    pub(crate) fn learnt<'a>(&'a mut self, line: &'a [u8]) -> Option<LazyRecord<'a>> {
        if !self.shapes.first()?.fits(line) && !self.another_fits(line) {
            return None;
        }
        self.missed /= 2;
        self.shaped(line)
    }

    /// Whether a shape other than the first fits. That shape becomes the first.
    #[cold]
    #[inline(never)]
    fn another_fits(&mut self, line: &[u8]) -> bool {
        // If hardly any line fits, few lines are compared with all shapes.
        if self.missed >= 32 && !self.missed.is_multiple_of(8) {
            return false;
        }
        let mut others = self.shapes.iter().skip(1);
        let found = others.position(|shape| shape.fits(line));
        if let Some(n) = found {
            self.shapes[..n + 2].rotate_right(1);
        }
        found.is_some()
    }

    /// Reads a line that fits the first shape, as after [`learnt`](Self::learnt).
    #[inline(always)]
    pub(crate) fn shaped<'a>(&'a mut self, line: &'a [u8]) -> Option<LazyRecord<'a>> {
        let shape = self.shapes.first()?;
        shape.keep(line, &mut self.extra);
        Some(LazyRecord::learnt(line, shape, &self.extra))
    }

    /// Counts a line that fits no shape.
    pub(crate) fn miss(&mut self) {
        self.missed = self.missed.saturating_add(1);
    }

    /// Reads a line that needs no unescaping; kept members go to [`extra`](Self::extra). Returns false if
    /// [`read`](Self::read) has to read the line, because it is unusual, or a shape is to be learned, or
    /// every line is read by the strict parser.
    #[inline(always)]
    pub(crate) fn read_plain<'a>(
        &mut self,
        line: &'a str,
        record: &mut Record<'a>,
    ) -> Result<bool, Error> {
        if self.strict {
            return Ok(false);
        }
        self.extra.clear();
        let extra = self.keep.then_some(&mut self.extra);
        let done = match scan(line, record, extra) {
            Ok(()) => !self.learns(),
            Err((Refusal::Incomplete, _)) => return Err(incomplete(line)),
            // The parser has an error of its own for a line that is nested too deeply after a fault.
            Err((Refusal::Broken(fault), at)) if !is_deep(line) => {
                return Err(not_json(fault.reason(), at));
            }
            Err(_) => false,
        };
        Ok(done)
    }

    /// Whether a shape is learned from the next strict line. Learning takes longer than reading, so it is done
    /// rarely if lines keep missing.
    fn learns(&self) -> bool {
        !self.strict && (self.missed < 32 || self.missed.is_multiple_of(64))
    }

    /// The kept members of the last line.
    pub(crate) fn extra(&self) -> &[u8] {
        &self.extra
    }

    /// Reads the members of a line with the strict parser.
    pub(crate) fn read<'a>(&'a mut self, line: &'a str) -> Result<Members<'a>, Error> {
        self.extra.clear();
        if !line.trim_ascii_start().starts_with('{') {
            return Ok(Members {
                payload: Some(line.into()),
                ..Members::default()
            });
        }
        if is_deep(line) {
            let message =
                format!("arrays and objects of the record are nested more than {DEPTH_LIMIT} deep");
            return Err(Error::new("depth", message));
        }
        let mut json = serde_json::Deserializer::from_str(line);
        let learn = self.learns();
        let visitor = MembersVisitor {
            keep: self.keep,
            extra: &mut self.extra,
            learn,
        };
        let members = json.deserialize_map(visitor);
        let members = members.and_then(|members| json.end().map(|()| members));
        let mut members = members.map_err(|error| refused(line, &error))??;
        members.extra = self.extra.as_slice().into();
        if learn
            && !has_topic(&members)
            && let Some(shape) = LineShape::new(line, &members, self.keep)
        {
            self.shapes.truncate(SHAPES - 1);
            self.shapes.insert(0, shape);
        }
        Ok(members)
    }
}

/// The message of a record without a payload.
const NO_PAYLOAD: &str = "the record has no `payload`";

/// Whether an error is that of a line that another program may have written in a form of its own.
pub(crate) fn may_be_foreign(error: &Error, line: &str) -> bool {
    match error.kind {
        "record" => error.message == NO_PAYLOAD || error.message.starts_with("`payload` is not"),
        // Packets of tshark have the number of milliseconds as a text.
        "timestamp" => memchr::memmem::find(line.as_bytes(), b"\"layers\"").is_some(),
        _ => false,
    }
}

/// Whether the device of a record may be that of its topic. Its place in the topic can't be learned.
fn has_topic(members: &Members<'_>) -> bool {
    members.did.is_none() && members.others.iter().any(|(key, _)| key == "topic")
}

/// Whether a line is nested deeper than [`DEPTH_LIMIT`]. Brackets are counted first, because hardly any line has enough
/// of them for that.
#[inline]
fn is_deep(line: &str) -> bool {
    brackets(line.as_bytes()) > DEPTH_LIMIT && definition::is_deeper(line, DEPTH_LIMIT)
}

/// Counts the opening brackets of a text with vector instructions. The result can be too large: for each
/// block, the last 32 bytes of the text are counted again.
#[inline]
fn brackets(text: &[u8]) -> usize {
    const LANES: usize = 32;
    let Some(last) = text.last_chunk::<LANES>() else {
        return text.len();
    };
    let mut brackets = 0;
    // A lane is a byte, so it can count up to 255.
    for block in text.chunks(254 * LANES) {
        let mut lanes = [0_u8; LANES];
        let (pieces, _) = block.as_chunks::<LANES>();
        for piece in pieces.iter().chain([last]) {
            for (lane, byte) in lanes.iter_mut().zip(piece) {
                // The mask removes the only bit in which `[` and `{` differ.
                *lane += u8::from(byte & 0xdf == b'[');
            }
        }
        brackets += lanes.iter().copied().map(usize::from).sum::<usize>();
    }
    brackets
}

/// Converts the error of a line that is not JSON.
#[cold]
fn refused(line: &str, error: &serde_json::Error) -> Error {
    if error.is_eof() {
        return incomplete(line);
    }
    let text = error.to_string();
    let reason = match text.split(" at line ").next().unwrap_or_default() {
        "expected ident" => Fault::Literal.reason(),
        reason => reason,
    };
    // The lines of a file have no line ends, but the records of an answer may.
    let before = line.split_inclusive('\n').take(error.line() - 1);
    let start: usize = before.map(str::len).sum();
    // The column is 0 if the byte is a line end.
    let byte = (start + error.column()).saturating_sub(1);
    // serde_json names the byte before a control character in a value, and the control character in a key.
    let is_before = reason == Fault::Control.reason()
        && line.as_bytes().get(byte).is_some_and(|byte| *byte >= 0x20);
    not_json(reason, byte + usize::from(is_before))
}

/// The error of a line that ends within the record.
#[cold]
fn incomplete(line: &str) -> Error {
    not_json("it ends within a value", line.len().saturating_sub(1))
}

/// The error of a line that is not JSON at this byte, for this reason.
#[cold]
fn not_json(reason: &str, byte: usize) -> Error {
    // `format!` takes several times as long.
    let parts = ["the record is not JSON: ", reason, ", byte "];
    let mut message = String::with_capacity(128);
    message.extend(parts);
    message.push_str(itoa::Buffer::new().format(byte));
    Error::own("json", message).at(u32::try_from(byte).ok(), None)
}

/// The error of a line that is not UTF-8 from this byte on.
pub(crate) fn not_utf8(at: usize) -> Error {
    let message = format!("the line is not UTF-8 at byte {at}");
    Error::new("not_utf8", message).at(u32::try_from(at).ok(), None)
}

/// Deserializes the members of a line. The inner error is that of valid JSON that is not a record.
struct MembersVisitor<'x> {
    keep: bool,
    extra: &'x mut Vec<u8>,
    learn: bool,
}

impl<'de> Visitor<'de> for MembersVisitor<'_> {
    type Value = Result<Members<'de>, Error>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        let mut wrong = None;
        while let Some(MemberKey(key)) = map.next_key()? {
            let value = map.next_value::<&'de RawValue>()?.get();
            let member = match &*key {
                "timestamp" => {
                    if value != "null" {
                        // The JSON is valid, so `Timestamp::new` is only needed for its error.
                        if Timestamp(value).parse().is_none()
                            && let Err(error) = Timestamp::new(value)
                        {
                            wrong.get_or_insert(error);
                        } else if members.timestamp.replace(value.into()).is_some() {
                            wrong.get_or_insert_with(|| repeated(&key));
                        }
                    }
                    continue;
                }
                "type" => &mut members.kind,
                "did" => &mut members.did,
                "product_key" => &mut members.product_key,
                "payload" => &mut members.payload,
                _ => {
                    if self.keep {
                        put_member(self.extra, &key, value);
                    }
                    if self.learn {
                        members.others.push((key, value.into()));
                    }
                    continue;
                }
            };
            if value == "null" {
                continue;
            }
            if member.is_some() {
                // Another program may write a payload that is no string, but not two payloads.
                wrong = wrong.filter(|error| error.kind != "record");
                wrong.get_or_insert_with(|| repeated(&key));
                continue;
            }
            *member = text(value);
            if member.is_none() {
                let message = format!("`{key}` is not a string");
                wrong.get_or_insert_with(|| Error::new("record", message));
                *member = Some(value.into());
            }
        }
        Ok(match (wrong, &members.payload) {
            (Some(error), _) => Err(error),
            (None, Some(_)) => Ok(members),
            (None, None) => Err(Error::new("record", NO_PAYLOAD)),
        })
    }
}

/// Appends a kept member.
fn put_member(extra: &mut Vec<u8>, key: &str, json: &str) {
    extra.push(b',');
    let _ = serde_json::to_writer(&mut *extra, key);
    extra.push(b':');
    extra.extend(json.as_bytes());
}

/// The error of an object that has a member twice.
pub(super) fn repeated(key: &str) -> Error {
    Error::new("record", format!("duplicate member `{key}`"))
}

/// The key of a member. The derived implementation borrows from the line where that of `Cow` would allocate.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct MemberKey<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Unescapes a JSON string; `None` for any other JSON.
fn text(json: &str) -> Option<Cow<'_, str>> {
    match memchr::memchr(b'\\', json.as_bytes()) {
        None => Some(json.strip_prefix('"')?.strip_suffix('"')?.into()),
        Some(_) => Some(serde_json::from_str::<String>(json).ok()?.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The scanner's error of an incomplete record is that of the strict parser, byte by byte.
    #[test]
    fn incomplete_records_have_the_error_of_the_parser() {
        let nested = r#" { "timestamp" : 1517384243.044 , "x\u00e9" : [ 1 , {"b" : -2.5, "c":"\t",
            "d":0} , [ ] , { } , true ] , "\u6e29":null,"type":"dev2app","did" : "x", "payload":"0140" } "#;
        let nested = nested.replace(r"\u6e29", "\u{6e29}").replace('\n', " ");
        let plain = nested
            .replace(r"\u00e9", "")
            .replace(r"\t", "")
            .replace("1517384243.044", "-0.5");
        let times = plain.replace("-0.5", "\"2018-01-31T07:37:32.294Z\"");
        let mut incomplete = 0;
        for line in [nested, plain, times] {
            for end in 1..=line.len() {
                let Some(line) = line.get(..end).filter(|line| !line.trim().is_empty()) else {
                    continue;
                };
                let mut reader = Reader::new(true, false);
                // So many that no shape is learned.
                reader.missed = 33;
                let mut record = Record::default();
                let scanned = reader.read_plain(line, &mut record);
                let extra = reader.extra().to_vec();
                let parsed = reader.read(line).map(|members| {
                    Record {
                        extra: b"",
                        ..members.record()
                    } == record
                });
                match scanned {
                    Ok(true) => {
                        assert_eq!((parsed, &extra[..]), (Ok(true), reader.extra()), "{line}")
                    }
                    Ok(false) => {}
                    Err(error) => {
                        assert_eq!(parsed, Err(error), "{line}");
                        incomplete += 1;
                    }
                }
            }
        }
        assert!(incomplete > 300, "{incomplete}");
    }

    /// The scanner's error of a record with one byte removed, inserted or replaced is that of the strict parser.
    #[test]
    fn broken_records_have_the_error_of_the_parser() {
        let spaced = " { \"timestamp\" : 15.5 , \"x\" : [ 1 , {\"b\" : -2.5} ] ,\"z\":true, \"payload\" : \"0140\" } ";
        let dense = r#"{"type":"dev2app","n":null,"did":"x","payload":"0140"}"#;
        let mut broken = 0;
        let escaped = r#"{"a":"\u00e9\n","t":[true,false],"f":{"x":"\\\""},"payload":"01"}"#;
        let lines = "{\n\t\"a\": 1,\r\n\t\"payload\": \"0140\"\n}";
        for line in [spaced, dense, escaped, lines] {
            for at in 0..=line.len() {
                for byte in "\"{}[],: \t\u{1}0-.etrue\\né".chars() {
                    let head = &line[..at];
                    let inserted = format!("{head}{byte}{}", &line[at..]);
                    let replaced = format!("{head}{byte}{}", line.get(at + 1..).unwrap_or(""));
                    let removed = format!("{head}{}", line.get(at + 1..).unwrap_or(""));
                    for line in [inserted, replaced, removed] {
                        let mut reader = Reader::new(true, false);
                        reader.missed = 33;
                        let mut record = Record::default();
                        let scanned = reader.read_plain(&line, &mut record);
                        if let Err(error) = scanned {
                            let parsed = reader.read(&line).map(|_| ());
                            assert_eq!(parsed, Err(error), "{line}");
                            broken += 1;
                        }
                    }
                }
            }
        }
        assert!(broken > 1000, "{broken}");
    }

    /// A strict reader leaves every line to the strict parser, so that it can be compared with the other readers.
    #[test]
    fn strict_readers_do_not_scan() {
        for line in [r#"{"payload":"0140"}"#, r#"{"payload":"0140"#] {
            let mut record = Record::default();
            let scanned = Reader::new(true, true).read_plain(line, &mut record);
            assert_eq!((scanned, record), (Ok(false), Record::default()));
            let mut reader = Reader::new(true, false);
            reader.missed = 33;
            assert_ne!(reader.read_plain(line, &mut record), Ok(false));
        }
    }
}
