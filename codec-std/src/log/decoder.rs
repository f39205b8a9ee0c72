//! Decodes lines that are in memory into a sink.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;

use gizwits_codec_core::{P0, Protocol};

use super::record::head::is_plain;
use super::record::lazy::LazyRecord;
use super::record::reader::{Reader, not_utf8};
use super::record::{Record, framed};
use super::sink::Sink;
use crate::error::{Error, shown};
use crate::message::payload::{self, Encoding};
use crate::message::{Content, State, Status};
use crate::product::products::Products;

/// The longest line unless told otherwise: 1 MiB.
pub const LINE_LIMIT: usize = 1 << 20;

/// The most devices whose values are kept, unless another limit is set: one million.
pub const DEVICE_LIMIT: usize = 1_000_000;

/// How records are read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How payloads are written, if not told by each.
    pub encoding: Option<Encoding>,
    /// Members without a meaning here are kept.
    pub keep: bool,
    /// Every line goes through the strict parser. Makes no difference but in time.
    pub strict: bool,
    /// Reports and replies of var_len products carry the last known values of their device's other points.
    /// Those that name no device are rejected.
    pub fill: bool,
    /// Reports and replies that name no device are rejected, whatever their product.
    pub known_devices: bool,
    /// The most devices of a product whose values are kept for [`fill`](Self::fill), one million by default:
    /// each takes about 160 bytes and those of its status. Records of further devices are rejected.
    pub device_limit: usize,
    /// Replies and reports of any length are decoded, as by [`Product::lax`](crate::Product::lax).
    pub lax: bool,
    /// The longest line, in bytes.
    pub line_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            encoding: None,
            keep: false,
            strict: false,
            fill: false,
            known_devices: false,
            device_limit: DEVICE_LIMIT,
            lax: false,
            line_limit: LINE_LIMIT,
        }
    }
}

/// Decodes lines that are in memory into a sink: what each worker of a [`Log`](super::Log) does.
#[derive(Debug)]
pub struct Decoder<S> {
    reader: Reader,
    records: RecordDecoder<S>,
}

/// Decodes records whose lines have been read.
#[derive(Debug)]
struct RecordDecoder<S> {
    products: Products,
    options: Options,
    sink: S,
    bytes: Vec<u8>,
    /// The device of all lines, if they are of one.
    did: Option<Box<str>>,
    /// The number of decoded records whose length differs from that of their points.
    inexact: u64,
    /// The state of each device, by product and did.
    states: Vec<HashMap<Box<str>, State>>,
}

/// The result for a line. One with room for an error would be copied about for every line.
type Outcome = Result<(), Box<Error>>;

impl<S: Sink> Decoder<S> {
    /// A decoder into this sink.
    pub fn new(products: &Products, options: Options, sink: S) -> Self {
        Decoder {
            reader: Reader::new(options.keep, options.strict),
            records: RecordDecoder {
                products: products.clone(),
                options,
                sink,
                bytes: Vec::new(),
                did: None,
                inexact: 0,
                states: products.iter().map(|_| HashMap::new()).collect(),
            },
        }
    }

    /// Says which device all lines that follow are of, if they are of one: records without a did are of
    /// this device, those of another are rejected.
    pub fn set_device(&mut self, did: Option<&str>) {
        if self.records.did.as_deref() != did {
            self.records.did = did.map(Box::from);
        }
    }

    /// Decodes lines into a block; each that fails is handed to `reject` with its number, from 0.
    /// Returns how many records there were. Blank lines are none.
    pub fn lines(
        &mut self,
        lines: &[u8],
        block: &mut S::Block,
        reject: impl FnMut(u64, &[u8], &Error),
    ) -> u64 {
        decode(self, lines, block, reject)
    }

    /// Returns the number of records that only [`Options::lax`] accepted since the last call.
    pub fn take_inexact(&mut self) -> u64 {
        std::mem::take(&mut self.records.inexact)
    }

    /// Decodes a line by the shape that it has; `None` if it has none that is known.
    #[inline(always)]
    fn learnt(&mut self, line: &[u8], block: &mut S::Block) -> Option<Outcome> {
        let line = self.reader.learnt(line)?;
        let payload = line.payload();
        if self.records.unpack_hex(payload) {
            return Some(self.records.line(&line, block));
        }
        // What has escapes does not say what it is as it stands.
        if !payload.iter().all(|byte| is_plain(*byte)) {
            return None;
        }
        Some(self.records.record(&line.record(), false, block))
    }

    /// Decodes a line by the strict parser.
    #[inline(always)]
    fn strict(&mut self, line: &str, block: &mut S::Block) -> Outcome {
        let members;
        let mut record = Record::default();
        let plain = self.reader.read_plain(line, &mut record);
        if plain {
            record.extra = self.reader.extra();
        } else {
            members = self.reader.read(line)?;
            record = members.record();
        }
        self.records.record(&record, plain, block)
    }

    /// Ends a block.
    ///
    /// # Errors
    /// If the sink can't make it.
    pub fn end(&mut self, block: &mut S::Block) -> io::Result<()> {
        self.records.sink.end(block)
    }
}

/// [`Decoder::lines`], compiled for either kind of machine.
#[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2"))]
fn decode<S: Sink, R: FnMut(u64, &[u8], &Error)>(
    decoder: &mut Decoder<S>,
    lines: &[u8],
    block: &mut S::Block,
    mut reject: R,
) -> u64 {
    let limit = decoder.records.options.line_limit;
    let (mut start, mut len, mut number, mut records) = (0, 0, 0, 0);
    let (mut sure, mut text) = (false, None);
    while start < lines.len() {
        // Most lines are as long as the last one, and what fits a shape has no end of a line within.
        if sure || lines.get(start + len) != Some(&b'\n') {
            let rest = lines.get(start..).unwrap_or(&[]);
            len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            sure = true;
        }
        let line = lines.get(start..start + len).unwrap_or(&[]);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut done = match line.len() > limit {
            true => sure.then(|| Err(too_long(line.len() as u64, limit).into())),
            false => decoder.learnt(line, block),
        };
        if done.is_none() && !sure {
            sure = true;
            continue;
        }
        if done.is_none() && !line.trim_ascii().is_empty() {
            // All at once takes less than line by line.
            let text = text.get_or_insert_with(|| std::str::from_utf8(lines).ok());
            let text = match text.and_then(|text| text.get(start..start + line.len())) {
                Some(text) => Ok(text),
                None => std::str::from_utf8(line),
            };
            done = Some(match text {
                Ok(text) => decoder.strict(text, block),
                Err(error) => Err(not_utf8(error.valid_up_to()).into()),
            });
        }
        if let Some(done) = done {
            records += 1;
            if let Err(error) = done {
                reject(number, line, &error);
            }
        }
        (start, number, sure) = (start + len + 1, number + 1, false);
    }
    records
}

impl<S: Sink> RecordDecoder<S> {
    /// Takes a payload that is nothing but hex.
    #[inline(always)]
    fn unpack_hex(&mut self, payload: &[u8]) -> bool {
        self.options.encoding != Some(Encoding::Base64)
            && payload::plain_hex_into(payload, &mut self.bytes)
    }

    /// Decodes the bytes that were taken from a line.
    #[inline(always)]
    fn line(&mut self, line: &LazyRecord<'_>, block: &mut S::Block) -> Outcome {
        if self.did.is_some() {
            return self.of_device(line, block);
        }
        let index = self
            .products
            .of(line.product_key(), line.did(), &self.bytes)?;
        let product = self.products.get(index);
        match product.and_then(|product| Status::of(product, &self.bytes)) {
            Some(_) if self.options.known_devices && line.did().is_none_or(str::is_empty) => {
                Err(unknown_device())
            }
            Some(status) => {
                self.sink.status(block, line, index, &status);
                Ok(())
            }
            None => self.any(&line.record(), index, block),
        }
    }

    /// Decodes the bytes that were taken from a line, which are of the device of all lines.
    #[inline(never)]
    fn of_device(&mut self, line: &LazyRecord<'_>, block: &mut S::Block) -> Outcome {
        let given = self.did.take();
        let mut record = line.record();
        let named = match record.did.filter(|did| !did.is_empty()) {
            Some(did) => Some(Cow::Borrowed(did)),
            None => framed(&self.bytes),
        };
        let done = match (&given, named) {
            (Some(given), Some(named)) if **given != *named => {
                let (given, named) = (shown(given), shown(&named));
                let message = format!(
                    "the record is of device `{named}`: all of the input were to be of `{given}`"
                );
                Err(Error::new("other_device", message).into())
            }
            (given, _) => {
                record.did = given.as_deref();
                self.line(&LazyRecord::made(&record, false), block)
            }
        };
        self.did = given;
        done
    }

    /// Decodes a record; its texts are plain if they need no escapes.
    #[inline(always)]
    fn record(&mut self, record: &Record<'_>, plain: bool, block: &mut S::Block) -> Outcome {
        if !self.unpack_hex(record.payload.as_bytes()) {
            payload::parse_into(record.payload, self.options.encoding, &mut self.bytes)?;
        }
        self.line(&LazyRecord::made(record, plain), block)
    }

    /// Decodes the bytes that were taken from a record.
    #[inline(never)]
    fn any(&mut self, record: &Record<'_>, index: usize, block: &mut S::Block) -> Outcome {
        let Some(product) = self.products.get(index) else {
            return Ok(());
        };
        let mut decoded = match self.options.lax {
            false => product.decode(&self.bytes)?,
            true => product.lax().decode(&self.bytes)?,
        };
        let inexact = self.options.lax && !decoded.is_exact();
        let fill = self.options.fill && product.protocol() == Protocol::VarLen;
        if (fill || self.options.known_devices)
            && let Content::P0(P0::Report(view) | P0::Reply(view)) = decoded.content
        {
            let did = record.device(&decoded).filter(|did| !did.is_empty());
            let did = did.ok_or_else(unknown_device)?;
            if fill {
                let states = &mut self.states[index];
                if !states.contains_key(&*did) {
                    let limit = self.options.device_limit;
                    if states.len() >= limit {
                        let did = shown(&did);
                        let message = format!(
                            "device `{did}` is one more than the {limit} devices whose values are kept"
                        );
                        return Err(Error::new("device_limit", message).into());
                    }
                    states.insert(did.as_ref().into(), product.state());
                }
                let Some(state) = states.get_mut(&*did) else {
                    return Ok(());
                };
                state.update(view)?;
                if decoded.has_remarks() {
                    decoded.own = decoded.body_of(&self.bytes);
                }
                decoded.content = Content::P0(match decoded.content {
                    Content::P0(P0::Report(_)) => P0::Report(state.view()),
                    _ => P0::Reply(state.view()),
                });
            }
        }
        self.inexact += u64::from(inexact);
        self.sink.record(block, record, index, &decoded);
        Ok(())
    }
}

#[cold]
fn unknown_device() -> Box<Error> {
    let message = "the record names no device: a `did` is expected, in the record or in its frame, or a \
                   device that all records of the input are of";
    Error::new("unknown_device", message).into()
}

#[cold]
pub(crate) fn too_long(len: u64, limit: usize) -> Error {
    let message = format!("the line is {len} bytes long; at most {limit} are expected");
    Error::new("line_length", message)
}
