//! The M2M frame: what the LAN, MQTT and the cloud's command logs carry (vendor: GAgent, "M2M").
//!
//! ```text
//! 00 00 00 03 | length, varint | flag | command, 2 | sn, 4 | did length, 2, did | body
//!                                                    └ 0093, 0094 only  └ flag & 1 only
//! ```
//!
//! The length counts what follows it; its varint has 7 bits a byte, the least significant first, in
//! 1 to 4 bytes. The 021x service messages of MQTT have the first four bytes and the command alone.
//!
//! One grammar serves both ways to read: [`parse`] takes a slice, [`Decoder`] a stream.

use nom::bytes::streaming::tag;
use nom::combinator::cond;
use nom::error::ErrorKind as Fault;
use nom::number::streaming::{be_u8, be_u16, be_u32};
use nom::{Err, IResult, Needed, Parser};

use crate::bits;
use crate::error::{Error, ErrorKind};

/// The bytes that every frame begins with.
pub const PREFIX: [u8; 4] = [0, 0, 0, 3];
/// The length that a stream accepts unless told otherwise.
pub const DEFAULT_LIMIT: usize = 64 * 1024;
/// The longest did.
pub const MAX_DID: usize = 64;

/// P0 to the device, without acknowledgement.
pub const TO_DEVICE: u16 = 0x0090;
/// P0 from the device: a reply or a report.
pub const FROM_DEVICE: u16 = 0x0091;
/// P0 in either direction, to be acknowledged.
pub const REQUEST: u16 = 0x0093;
/// The acknowledgement of a [`REQUEST`], with or without a P0.
pub const ACK: u16 = 0x0094;

/// One M2M frame.
///
/// ```
/// use gizwits_codec_core::m2m::{self, Event};
///
/// let (event, rest) = m2m::parse(b"\0\0\0\x03\x04\0\0\x90\x02", m2m::DEFAULT_LIMIT)?;
/// let Event::Frame(frame) = event else { panic!() };
/// assert_eq!((frame.command, frame.sn, frame.p0()), (m2m::TO_DEVICE, None, Some(&[0x02][..])));
/// assert!(rest.is_empty());
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'b> {
    /// Bit 0: a did follows. The other bits have no known meaning.
    pub flag: u8,
    /// The meaning of the body.
    pub command: u16,
    /// The sequence number, of 0x0093 and 0x0094 alone.
    pub sn: Option<u32>,
    /// The device, usually 22 ASCII characters.
    pub did: Option<&'b [u8]>,
    /// The rest: for 0x0090, 0x0091, 0x0093 and 0x0094 a P0.
    pub body: &'b [u8],
}

impl<'b> Frame<'b> {
    /// Whether frames of this command have a sequence number.
    #[inline]
    pub const fn has_sn(command: u16) -> bool {
        matches!(command, REQUEST | ACK)
    }

    /// Whether frames of this command carry a P0.
    #[inline]
    pub const fn has_p0(command: u16) -> bool {
        matches!(command, TO_DEVICE | FROM_DEVICE | REQUEST | ACK)
    }

    /// The P0, if the command has one and it is there: devices send empty bodies, too.
    #[inline]
    pub fn p0(&self) -> Option<&'b [u8]> {
        (Frame::has_p0(self.command) && !self.body.is_empty()).then_some(self.body)
    }

    /// Writes the frame to the head of `out` and returns its length.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfSpace`]; [`ErrorKind::FrameSn`] if an sn is there that the command doesn't
    /// have, or the other way round; [`ErrorKind::DidLength`]; [`ErrorKind::FrameLimit`] for a
    /// length that no varint of four bytes holds.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Error> {
        if self.sn.is_some() != Frame::has_sn(self.command) {
            return Err(Error::new(ErrorKind::FrameSn));
        }
        if self.did.is_some_and(|did| did.len() > MAX_DID) {
            return Err(Error::new(ErrorKind::DidLength));
        }
        let did_len = self.did.map_or(0, |did| did.len().saturating_add(2));
        let length = self.sn.map_or(3_usize, |_| 7).saturating_add(did_len);
        let mut rest = match u32::try_from(length.saturating_add(self.body.len())) {
            Ok(length) if length < 1 << 28 => length,
            _ => return Err(Error::new(ErrorKind::FrameLimit)),
        };

        let mut output = Output { out, len: 0 };
        output.put(&PREFIX);
        while rest > 0x7f {
            output.put(&[rest as u8 | 0x80]);
            rest >>= 7;
        }
        output.put(&[rest as u8, self.flag | u8::from(self.did.is_some())]);
        output.put(&self.command.to_be_bytes());
        if let Some(sn) = self.sn {
            output.put(&sn.to_be_bytes());
        }
        if let Some(did) = self.did {
            output.put(&(did.len() as u16).to_be_bytes());
            output.put(did);
        }
        output.put(self.body);
        output.finish()
    }
}

/// Counts all bytes that are put, and writes those that fit.
struct Output<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl Output<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let room = self.out.get_mut(self.len..).unwrap_or(&mut []);
        bits::copy(room, bytes);
        self.len = self.len.saturating_add(bytes.len());
    }

    /// The number of bytes, if all were written.
    fn finish(self) -> Result<usize, Error> {
        if self.len > self.out.len() {
            let needed = u32::try_from(self.len).unwrap_or(u32::MAX);
            return Err(Error::new(ErrorKind::OutOfSpace { needed }));
        }
        Ok(self.len)
    }
}

/// A part of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'b> {
    /// A frame.
    Frame(Frame<'b>),
    /// The six bytes that a service message begins with; they don't tell how long it is.
    Service {
        /// 0x020e, 0x0210 to 0x021f, 0x022c.
        command: u16,
    },
}

/// Takes the frame or service message at the head of `bytes` off; returns it and what follows.
///
/// # Errors
/// [`ErrorKind::Incomplete`] if more bytes may make it whole; [`ErrorKind::NotM2m`],
/// [`ErrorKind::FrameLength`]; [`ErrorKind::FrameLimit`] for a length above `limit`.
pub fn parse(bytes: &[u8], limit: usize) -> Result<(Event<'_>, &[u8]), Error> {
    match event(bytes, limit) {
        Ok((rest, event)) => Ok((event, rest)),
        Err(Err::Incomplete(needed)) => {
            let missing = match needed {
                Needed::Size(size) => u32::try_from(size.get()).unwrap_or(u32::MAX),
                Needed::Unknown => 1,
            };
            let have = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            Err(Error::new(ErrorKind::Incomplete { missing }).at(have))
        }
        Err(Err::Error((_, fault)) | Err::Failure((_, fault))) => {
            let kind = match fault {
                Fault::Tag => ErrorKind::NotM2m,
                Fault::TooLarge => ErrorKind::FrameLimit,
                _ => ErrorKind::FrameLength,
            };
            let same = bytes.iter().zip(PREFIX).take_while(|(a, b)| **a == *b);
            Err(Error::new(kind).at(same.count() as u32))
        }
    }
}

type Parsed<'b, O> = IResult<&'b [u8], O, (&'b [u8], Fault)>;

/// The event at the head of some bytes.
#[inline]
fn event(input: &[u8], limit: usize) -> Parsed<'_, Event<'_>> {
    match short_frame(input, limit) {
        Some((rest, frame)) => Ok((rest, Event::Frame(frame))),
        None => any_event(input, limit),
    }
}

/// A whole frame of less than 128 bytes without sn and did, which nearly all frames are: a look at its head takes
/// half the time of the general parser.
#[inline]
fn short_frame(input: &[u8], limit: usize) -> Option<(&[u8], Frame<'_>)> {
    let (&[0, 0, 0, 3, length @ 3..=0x7f, flag, high, low], behind) = input.split_first_chunk()?
    else {
        return None;
    };
    let command = u16::from_be_bytes([high, low]);
    let length = usize::from(length);
    if flag & 1 != 0 || Frame::has_sn(command) || length > limit {
        return None;
    }
    let (body, rest) = behind.split_at_checked(length.wrapping_sub(3))?;
    let frame = Frame {
        flag,
        command,
        sn: None,
        did: None,
        body,
    };
    Some((rest, frame))
}

fn any_event(input: &[u8], limit: usize) -> Parsed<'_, Event<'_>> {
    let (input, _) = tag(&PREFIX[..]).parse(input)?;
    // A frame's length is 3 at least, so a 2 in its place begins a service command.
    if let Some((2, rest)) = input.split_first() {
        let (rest, low) = be_u8(rest)?;
        return match low {
            0x0e | 0x10..=0x1f | 0x2c => {
                let command = 0x0200 | u16::from(low);
                Ok((rest, Event::Service { command }))
            }
            _ => fail(Fault::Verify),
        };
    }
    let (input, length) = varint(input)?;
    if length < 3 {
        return fail(Fault::Verify);
    }
    if length > limit {
        return fail(Fault::TooLarge);
    }
    let (rest, content) = split(length, input)?;
    match frame(content) {
        Ok((_, frame)) => Ok((rest, Event::Frame(frame))),
        // The content is whole: what it lacks, its length denies it.
        Err(_) => fail(Fault::Verify),
    }
}

fn fail<'b, O>(fault: Fault) -> Parsed<'b, O> {
    Err(Err::Error((&[], fault)))
}

fn varint(mut input: &[u8]) -> Parsed<'_, usize> {
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        let (rest, byte) = be_u8(input)?;
        input = rest;
        length |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((input, length));
        }
    }
    fail(Fault::Verify)
}

/// nom's `take` leaves a panic in the image; this doesn't.
fn split(len: usize, input: &[u8]) -> Parsed<'_, &[u8]> {
    match input.split_at_checked(len) {
        Some((head, rest)) => Ok((rest, head)),
        None => Err(Err::Incomplete(Needed::new(
            len.saturating_sub(input.len()),
        ))),
    }
}

fn frame(input: &[u8]) -> Parsed<'_, Frame<'_>> {
    let (input, (flag, command)) = (be_u8, be_u16).parse(input)?;
    let (input, sn) = cond(Frame::has_sn(command), be_u32).parse(input)?;
    // Devices set the flag without a did, too: one that doesn't fit is none.
    let (body, did) = cond(flag & 1 == 1, did)
        .parse(input)
        .unwrap_or((input, None));
    let frame = Frame {
        flag,
        command,
        sn,
        did,
        body,
    };
    Ok((&[], frame))
}

fn did(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (input, len) = be_u16(input)?;
    if usize::from(len) > MAX_DID {
        return fail(Fault::Verify);
    }
    split(usize::from(len), input)
}

/// The result of [`scan`] at the head of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan<'b> {
    /// The number of bytes to drop, those of the event included.
    pub consumed: usize,
    /// The number of these bytes that belong to no event.
    pub skipped: usize,
    /// The event that these bytes end with; `None` if more bytes are needed.
    pub event: Option<Event<'b>>,
}

/// Looks for the next event of a stream: what can't begin one is skipped byte by byte.
///
/// The caller drops `consumed` bytes and asks again, with more bytes if there was no event.
/// How the bytes are cut into calls makes no difference to the events.
#[must_use]
pub fn scan(bytes: &[u8], limit: usize) -> Scan<'_> {
    scan_for(bytes, limit).0
}

/// The result of a scan, and the least number of bytes without which another one is in vain.
fn scan_for(bytes: &[u8], limit: usize) -> (Scan<'_>, usize) {
    let mut rest = bytes;
    let mut skipped = 0_usize;
    let mut missing = 0;
    loop {
        let (consumed, event) = match event(rest, limit) {
            Ok((behind, event)) => (bytes.len().saturating_sub(behind.len()), Some(event)),
            Err(Err::Incomplete(needed)) => {
                if let Needed::Size(size) = needed {
                    missing = size.get();
                }
                (skipped, None)
            }
            Err(_) => {
                // An event begins with a 0.
                let next = rest.iter().skip(1).position(|byte| *byte == 0);
                let garbage = next.map_or(rest.len(), |garbage| garbage.saturating_add(1));
                rest = rest.get(garbage..).unwrap_or(&[]);
                skipped = skipped.saturating_add(garbage);
                continue;
            }
        };
        let scan = Scan {
            consumed,
            skipped,
            event,
        };
        return (scan, missing);
    }
}

/// Decodes a stream in chunks of any size, over a buffer of the caller's.
///
/// ```
/// use gizwits_codec_core::m2m::{Decoder, Event};
///
/// let mut buffer = [0; 64];
/// let mut decoder = Decoder::new(&mut buffer);
/// for chunk in [&b"noise\0\0"[..], b"\0\x03\x03", b"\0\0\x15"] {
///     let rest = decoder.push(chunk);
///     assert!(rest.is_empty(), "there was room for it");
/// }
/// let Some(Event::Frame(frame)) = decoder.next_event() else { panic!() };
/// assert_eq!(frame.command, 0x0015);
/// ```
#[derive(Debug)]
pub struct Decoder<'o> {
    buffer: &'o mut [u8],
    start: usize,
    end: usize,
    skipped: usize,
    /// The end that the bytes must reach before there can be another event.
    needed: usize,
}

impl<'o> Decoder<'o> {
    /// A decoder of frames that are up to 8 bytes shorter than the buffer, header included; longer
    /// ones are skipped as garbage.
    #[must_use]
    pub fn new(buffer: &'o mut [u8]) -> Self {
        Decoder {
            buffer,
            start: 0,
            end: 0,
            skipped: 0,
            needed: 0,
        }
    }

    /// Takes what fits of `bytes` and returns the rest, to be pushed again when
    /// [`next_event`](Self::next_event) has no more events.
    #[must_use = "what doesn't fit is returned"]
    pub fn push<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if self.start == self.end {
            (self.start, self.end, self.needed) = (0, 0, 0);
        } else if self.start > 0 && self.buffer.len().saturating_sub(self.end) < bytes.len() {
            if let Some(kept) = self.buffer.get_mut(..self.end)
                && self.start <= kept.len()
            {
                kept.copy_within(self.start.., 0);
            }
            self.needed = self.needed.saturating_sub(self.start);
            (self.start, self.end) = (0, self.end.saturating_sub(self.start));
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or(&mut []);
        if let ([byte], [slot, ..]) = (bytes, &mut *room) {
            // A serial line or a slow reader: a call of `memcpy` for each byte takes longer than all else.
            *slot = *byte;
            self.end = self.end.saturating_add(1);
            return &[];
        }
        let (taken, rest) = bytes.split_at(room.len().min(bytes.len()));
        if let Some(room) = room.get_mut(..taken.len()) {
            room.copy_from_slice(taken);
        }
        self.end = self.end.saturating_add(taken.len());
        rest
    }

    /// The next frame or service message; `None`: push more bytes.
    pub fn next_event(&mut self) -> Option<Event<'_>> {
        if self.end < self.needed {
            return None;
        }
        let limit = self.buffer.len().saturating_sub(8);
        let (found, missing) = scan_for(self.buffer.get(self.start..self.end)?, limit);
        self.start = self.start.saturating_add(found.consumed);
        self.skipped = self.skipped.saturating_add(found.skipped);
        self.needed = self.end.saturating_add(missing);
        found.event
    }

    /// The number of bytes so far that belonged to no event.
    pub fn skipped(&self) -> usize {
        self.skipped
    }
}
