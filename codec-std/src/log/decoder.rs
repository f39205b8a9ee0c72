//! Decodes lines in memory into a sink.

use std::borrow::Cow;
use std::io;

use gizwits_codec_core::{P0, Protocol};

use super::record::foreign::{self, Found};
use super::record::head::is_plain;
use super::record::lazy::LazyRecord;
use super::record::reader::{Reader, may_be_foreign, not_utf8};
use super::record::{Record, framed};
use super::sink::Sink;
use super::states::States;
use crate::error::{Error, shown};
use crate::message::payload::{self, Encoding};
use crate::message::{Content, Status};
use crate::product::products::Products;

/// The default of [`Options::line_limit`]: 1 MiB.
pub const LINE_LIMIT: usize = 1 << 20;

/// The default of [`Options::device_limit`]: one million devices.
pub const DEVICE_LIMIT: usize = 1_000_000;

/// Options of how records are read and decoded.
///
/// ```
/// use gizwits_codec_std::log::Options;
///
/// let options = Options { lax: true, line_limit: 64 << 10, ..Options::default() };
/// assert_eq!((options.fill, options.device_limit), (false, 1_000_000));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The encoding of all payloads. With `None`, the default, it is detected for each payload.
    pub encoding: Option<Encoding>,
    /// Whether members of records that the codec does not use are kept. NDJSON contains them as they are,
    /// tables in the column `extra` if the format has one. Default: false.
    pub keep: bool,
    /// Whether every record is read by the strict parser. Changes only the time that decoding takes, not its
    /// result. Default: false.
    pub strict: bool,
    /// Whether reports and replies of var_len products are filled with the last known values of the other
    /// points of their device. Reports and replies that name no device are rejected. Default: false.
    pub fill: bool,
    /// Whether reports and replies that name no device are rejected, for products of both protocols. Default:
    /// false.
    pub known_devices: bool,
    /// The maximum number of devices of a product whose values are kept for [`fill`](Self::fill). Records of
    /// further devices are rejected. A device takes about 160 bytes plus the length of its status. Default:
    /// [`DEVICE_LIMIT`].
    pub device_limit: usize,
    /// Whether replies and reports of any length are decoded, as by [`Product::lax`](crate::Product::lax).
    /// Default: false.
    pub lax: bool,
    /// The maximum length of a line in bytes. Longer lines are rejected. Default: [`LINE_LIMIT`].
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

/// A decoder of lines in memory, which fills a sink. Each worker of a [`Log`](super::Log) has one.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{Decoder, Format, Ndjson, Options, Products, TextBlock};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let products = Products::one(Product::from_json(&definition)?);
/// let format = Ndjson::new(&products, std::io::sink());
/// let mut decoder = Decoder::new(&products, Options::default(), format.sink());
///
/// let mut block = TextBlock::default();
/// let mut rejects = Vec::new();
/// let records = decoder.lines(b"014000000018\n0140\n", &mut block, |line, _, error| {
///     rejects.push((line, error.kind));
/// });
/// assert_eq!((records, rejects), (2, vec![(1, "incomplete")]));
/// assert_eq!(block.as_bytes(), b"{\"action\":\"control\",\"attrs\":{\"set_temp\":24}}\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Decoder<S> {
    reader: Reader,
    records: RecordDecoder<S>,
    /// The number of records in lines of other programs, minus the number of their lines.
    more: i64,
}

/// Decodes records that have been read from their lines.
#[derive(Debug)]
struct RecordDecoder<S> {
    products: Products,
    options: Options,
    sink: S,
    bytes: Vec<u8>,
    /// The did of the device that all lines belong to, if there is one.
    did: Option<Box<str>>,
    /// The number of decoded records whose length does not fit their points.
    inexact: u64,
    /// The state of each device.
    states: States,
}

/// The result for a line. The error is boxed: an [`Error`] is large, and results are returned for every line.
type Outcome = Result<(), Box<Error>>;

impl<S: Sink> Decoder<S> {
    /// Creates a decoder that fills this sink.
    pub fn new(products: &Products, options: Options, sink: S) -> Self {
        Decoder {
            reader: Reader::new(options.keep, options.strict),
            more: 0,
            records: RecordDecoder {
                products: products.clone(),
                options,
                sink,
                bytes: Vec::new(),
                did: None,
                inexact: 0,
                states: States::new(products),
            },
        }
    }

    /// Sets the device of all following lines, if they belong to one device. Records without a did then
    /// belong to this device, and records of other devices are rejected. Default: `None`.
    pub fn set_device(&mut self, did: Option<&str>) {
        if self.records.did.as_deref() != did {
            self.records.did = did.map(Box::from);
        }
    }

    /// Decodes lines into a block and returns the number of records. Blank lines are not records.
    ///
    /// Calls `reject` for each record that fails, with the number of its line, from 0, the line and the error.
    pub fn lines(
        &mut self,
        lines: &[u8],
        block: &mut S::Block,
        reject: impl FnMut(u64, &[u8], &Error),
    ) -> u64 {
        decode(self, lines, block, reject)
    }

    /// Sets the states with which [`Options::fill`] begins. Default: no device has a known value.
    ///
    /// The states must be of the same products, in the same order.
    pub fn set_states(&mut self, mut states: States) {
        let products = self.records.products.iter().len();
        states.by_product.resize_with(products, Default::default);
        self.records.states = states;
    }

    /// Takes the states of all devices so far. The decoder continues without any known value.
    pub fn take_states(&mut self) -> States {
        let empty = States::new(&self.records.products);
        std::mem::replace(&mut self.records.states, empty)
    }

    /// Returns the number of records since the last call that were accepted only because of [`Options::lax`].
    pub fn take_inexact(&mut self) -> u64 {
        std::mem::take(&mut self.records.inexact)
    }

    /// Decodes a line like most lines: the hex digits of a payload, or a line that fits a learned shape and has a payload
    /// of hex digits. `None` for any other line.
    #[inline(always)]
    fn known(&mut self, line: &[u8], block: &mut S::Block) -> Option<Outcome> {
        let records = &mut self.records;
        if line.first() == Some(&b'{') {
            let record = self.reader.learnt(line)?;
            match records.unpack_hex(record.payload()) {
                true => Some(records.line(record, block)),
                false => self.odd(line, block),
            }
        } else {
            let is_hex = !records.options.strict && records.unpack_hex(line);
            // The closure of `bool::then` is not inlined, and its call takes 3 % of all instructions.
            match is_hex {
                true => Some(records.line(LazyRecord::bare(line), block)),
                false => None,
            }
        }
    }

    /// Decodes a line that fits the first shape and has a payload of other text than hex digits.
    #[cold]
    #[inline(never)]
    fn odd(&mut self, line: &[u8], block: &mut S::Block) -> Option<Outcome> {
        let record = self.reader.shaped(line)?;
        // A payload with escapes has to be unescaped by the strict parser.
        let is_sound = record.payload().iter().all(|byte| is_plain(*byte));
        is_sound.then(|| self.records.record(&record.record(), false, block))
    }

    /// Decodes a line that is not [`known`](Self::known).
    ///
    /// Not inlined, like all paths that few lines take: the others then have more registers.
    #[inline(never)]
    fn unknown(&mut self, line: &[u8], text: Option<&str>, block: &mut S::Block) -> Outcome {
        self.reader.miss();
        let text = match text {
            Some(text) => text,
            None => std::str::from_utf8(line).map_err(|error| not_utf8(error.valid_up_to()))?,
        };
        let members;
        let mut record = Record::default();
        let plain = self.reader.read_plain(text, &mut record)?;
        if plain {
            record.extra = self.reader.extra();
        } else {
            match self.reader.read(text) {
                Ok(read) => members = read,
                Err(error) => {
                    let found = match may_be_foreign(&error, text) {
                        true => foreign::read(text, self.records.options.encoding),
                        false => None,
                    };
                    return self.foreign(found.ok_or(error)?, block);
                }
            }
            record = members.record();
        }
        // Records of the cloud have a type. A topic names the direction and the device.
        if record.did.is_none()
            && record.kind.is_none()
            && memchr::memmem::find(text.as_bytes(), b"\"topic\"").is_some()
            && let Some(found) = foreign::read(text, self.records.options.encoding)
        {
            return self.foreign(found, block);
        }
        self.records.record(&record, plain, block)
    }

    /// Decodes the records of a line of another program. The line is rejected at most once, with all errors.
    #[cold]
    #[inline(never)]
    fn foreign(&mut self, found: Found, block: &mut S::Block) -> Outcome {
        let mut errors = found.errors;
        let before = errors.len();
        for (members, position) in &found.records {
            let done = self.records.record(&members.record(), false, block);
            errors.extend(done.err().map(|error| (*position, *error)));
        }
        let decoded = found.records.len() - (errors.len() - before);
        errors.sort_by_key(|(position, _)| *position);
        // The line itself is counted as a record.
        self.more += decoded as i64 + i64::from(!errors.is_empty()) - 1;
        let mut errors = errors
            .into_iter()
            .map(|(position, error)| position.name(error));
        match errors.next() {
            None => Ok(()),
            Some(first) => Err(errors.fold(first, Error::and).into()),
        }
    }

    /// Finishes a block.
    ///
    /// # Errors
    /// The error of [`Sink::end`].
    pub fn end(&mut self, block: &mut S::Block) -> io::Result<()> {
        self.records.sink.end(block)
    }
}

/// Implements [`Decoder::lines`]. Compiled twice, with and without AVX2.
#[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2"))]
fn decode<S: Sink, R: FnMut(u64, &[u8], &Error)>(
    decoder: &mut Decoder<S>,
    lines: &[u8],
    block: &mut S::Block,
    mut reject: R,
) -> u64 {
    let limit = decoder.records.options.line_limit;
    let (mut rest, mut len, mut number, mut records) = (lines, 0, 0, 0_u64);
    // All lines as UTF-8, once needed.
    let mut text = None;
    while !rest.is_empty() {
        // Most lines have the length of the line before. Hex digits, and lines that fit a shape, contain no line
        // end. Only other lines need a search for their end.
        let mut sure = rest.get(len) != Some(&b'\n');
        if sure {
            len = line_len(rest);
        }
        let done = loop {
            let line = rest.get(..len).unwrap_or(rest);
            let line = without_cr(line);
            if line.len() <= limit
                && let done @ Some(_) = decoder.known(line, block)
            {
                break done;
            }
            if !sure {
                (len, sure) = (line_len(rest), true);
                continue;
            }
            if line.len() > limit {
                break Some(Err(too_long(line.len() as u64, limit).into()));
            }
            if line.trim_ascii().is_empty() {
                break None;
            }
            // Validating all lines at once is faster than one by one.
            let text = text.get_or_insert_with(|| std::str::from_utf8(lines).ok());
            let start = lines.len() - rest.len();
            let text = text.and_then(|text| text.get(start..start + line.len()));
            break Some(decoder.unknown(line, text, block));
        };
        records += u64::from(done.is_some());
        if let Some(Err(error)) = done {
            let line = rest.get(..len).unwrap_or(rest);
            reject(number, without_cr(line), &error);
        }
        rest = rest.get(len + 1..).unwrap_or(&[]);
        number += 1;
    }
    // Outside the loop, because nearly no line is of another program.
    records.wrapping_add_signed(std::mem::take(&mut decoder.more))
}

/// A line without the CR of its line end.
// `strip_suffix` takes twice as many instructions.
#[inline(always)]
fn without_cr(line: &[u8]) -> &[u8] {
    match line {
        [line @ .., b'\r'] => line,
        line => line,
    }
}

/// The length of the first line.
fn line_len(lines: &[u8]) -> usize {
    memchr::memchr(b'\n', lines).unwrap_or(lines.len())
}

impl<S: Sink> RecordDecoder<S> {
    /// Decodes a payload that consists of hex digits only; false for any other payload.
    #[inline(always)]
    fn unpack_hex(&mut self, payload: &[u8]) -> bool {
        self.options.encoding != Some(Encoding::Base64)
            && payload::plain_hex_into(payload, &mut self.bytes)
    }

    /// Decodes the unpacked payload of a line.
    #[inline(always)]
    fn line(&mut self, line: LazyRecord<'_>, block: &mut S::Block) -> Outcome {
        if self.did.is_some() {
            return self.of_device(line, block);
        }
        let usual = self.products.usual();
        let index = match (line.product_key(), usual) {
            (None, Some(index)) => index,
            (key, _) => self.products.of(key, line.did(), &self.bytes)?,
        };
        let product = self.products.get(index);
        match product.and_then(|product| Status::of(product, &self.bytes)) {
            Some(_) if self.options.known_devices && line.did().is_none_or(str::is_empty) => {
                Err(unknown_device())
            }
            Some(status) => self.sink.status(block, &line, index, &status),
            None => self.any(&line.record(), index, block),
        }
    }

    /// Decodes the unpacked payload of a line if all lines belong to one device.
    #[inline(never)]
    fn of_device(&mut self, line: LazyRecord<'_>, block: &mut S::Block) -> Outcome {
        // `line` would come back here as long as the device is set.
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
                    "the record belongs to device `{named}`, but the whole input belongs to `{given}`"
                );
                Err(Error::new("other_device", message).into())
            }
            (given, _) => {
                record.did = given.as_deref();
                self.line(LazyRecord::made(&record, false), block)
            }
        };
        self.did = given;
        done
    }

    /// Decodes a record. `plain` means that its texts need no escapes in JSON.
    #[inline(never)]
    fn record(&mut self, record: &Record<'_>, plain: bool, block: &mut S::Block) -> Outcome {
        if !self.unpack_hex(record.payload.as_bytes()) {
            payload::parse_into(record.payload, self.options.encoding, &mut self.bytes)?;
        }
        self.line(LazyRecord::made(record, plain), block)
    }

    /// Decodes the unpacked payload of a record, in any form.
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
                let states = &mut self.states.by_product[index];
                if !states.contains_key(&*did) {
                    let limit = self.options.device_limit;
                    if states.len() >= limit {
                        let did = shown(&did);
                        let message = format!(
                            "too many devices: the values of {limit} devices are kept, and `{did}` is one more"
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
        self.sink.record(block, record, index, &decoded)?;
        self.inexact += u64::from(inexact);
        Ok(())
    }
}

#[cold]
fn unknown_device() -> Box<Error> {
    let message = "the record names no device: expected a `did` in the record or in its frame, or a device \
                   for the whole input";
    Error::new("unknown_device", message).into()
}

#[cold]
pub(crate) fn too_long(len: u64, limit: usize) -> Error {
    let message = format!("the line has {len} bytes: expected at most {limit}");
    Error::new("line_length", message)
}
