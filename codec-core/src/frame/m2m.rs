//! The M2M frame, used on the LAN, over MQTT and in the command logs of the cloud (vendor: GAgent, "M2M").
//!
//! ```text
//! 00 00 00 03 | length, varint | flag | command, 2 | sn, 4 | did length, 2, did | body
//!                                                    └ 0093, 0094 only  └ flag & 1 only
//! ```
//!
//! The length counts the bytes that follow it. Its varint has 1 to 4 bytes of 7 bits each, the least
//! significant byte first. The 021x service messages of MQTT consist of the prefix, the command, and content
//! of unknown length.
//!
//! [`parse`] reads one frame from a slice, [`Decoder`] reads a stream. Both use the same grammar. [`Frame::message`]
//! reads the body of a frame.

mod message;

use nom::bytes::streaming::tag;
use nom::combinator::cond;
use nom::error::ErrorKind as Fault;
use nom::number::streaming::{be_u8, be_u16, be_u32};
use nom::{Err, IResult, Needed, Parser};

use crate::bits;
use crate::error::{Error, ErrorKind};

pub use message::{DeviceInfo, Hotspot, Hotspots, Message, ModuleInfo, Secret};

/// The prefix of every frame.
pub const PREFIX: [u8; 4] = [0, 0, 0, 3];
/// The default limit for the length of a frame, in bytes: 128 KiB, or `usize::MAX` if `usize` has 16 bits. Every P0 of a
/// valid definition is shorter.
pub const DEFAULT_LIMIT: usize = (u16::MAX as usize).saturating_add(1).saturating_mul(2);
/// The maximum length of a did, in bytes.
pub const MAX_DID: usize = 64;

/// The command of a P0 to the device, without acknowledgement.
pub const TO_DEVICE: u16 = 0x0090;
/// The command of a P0 from the device: a reply or a report.
pub const FROM_DEVICE: u16 = 0x0091;
/// The command of a P0 in either direction that the receiver acknowledges.
pub const REQUEST: u16 = 0x0093;
/// The command that acknowledges a [`REQUEST`], with or without a P0.
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
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Frame<'b> {
    /// The flags. Bit 0 announces a did; the other bits have no known meaning.
    pub flag: u8,
    /// The command, which defines the content of the body.
    pub command: u16,
    /// The sequence number. Only [`REQUEST`] and [`ACK`] frames have one.
    pub sn: Option<u32>,
    /// The did of the device, usually 22 ASCII characters.
    pub did: Option<&'b [u8]>,
    /// The body: a P0 for the four commands of this module, unknown content for others.
    pub body: &'b [u8],
}

impl<'b> Frame<'b> {
    /// Returns whether frames of this command have a sequence number.
    #[inline]
    pub const fn has_sn(command: u16) -> bool {
        matches!(command, REQUEST | ACK)
    }

    /// Returns whether frames of this command carry a P0.
    #[inline]
    pub const fn has_p0(command: u16) -> bool {
        matches!(command, TO_DEVICE | FROM_DEVICE | REQUEST | ACK)
    }

    /// Returns the P0, or `None` if the command carries none or the body is empty, as devices send it in
    /// acknowledgements.
    ///
    /// ```
    /// use gizwits_codec_core::m2m::{self, Frame};
    ///
    /// let ack = Frame { flag: 0, command: m2m::ACK, sn: Some(7), did: None, body: &[] };
    /// assert_eq!(ack.p0(), None);
    /// let report = Frame { command: m2m::FROM_DEVICE, sn: None, body: &[0x04, 0x01], ..ack };
    /// assert_eq!(report.p0(), Some(&[0x04, 0x01][..]));
    /// ```
    #[inline]
    pub fn p0(&self) -> Option<&'b [u8]> {
        (Frame::has_p0(self.command) && !self.body.is_empty()).then_some(self.body)
    }

    /// Writes the frame to the start of `out` and returns its length in bytes. Sets bit 0 of the flags if the
    /// frame has a did.
    ///
    /// # Errors
    /// - [`ErrorKind::OutOfSpace`] if `out` is too short.
    /// - [`ErrorKind::FrameSn`] if the sequence number is missing, or the command has none.
    /// - [`ErrorKind::DidLength`] if the did is longer than [`MAX_DID`] bytes.
    /// - [`ErrorKind::FrameLimit`] if the length does not fit a varint of four bytes.
    ///
    /// # Examples
    /// ```
    /// use gizwits_codec_core::m2m::{self, Frame};
    ///
    /// let frame = Frame { flag: 0, command: m2m::REQUEST, sn: Some(7), did: None, body: &[0x02] };
    /// let mut out = [0; 32];
    /// let len = frame.encode(&mut out)?;
    /// assert_eq!(out[..len], *b"\0\0\0\x03\x08\0\0\x93\0\0\0\x07\x02");
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Error> {
        let mut output = Output { out, len: 0 };
        self.put_head(self.body.len(), &mut output)?;
        output.put(self.body);
        output.finish()
    }

    /// Writes a frame around a body of `len` bytes that is in `out` already, [`HEAD_ROOM`] bytes from its start.
    /// Returns the frame.
    pub(crate) fn wrap<'o>(&self, out: &'o mut [u8], len: usize) -> Result<&'o [u8], Error> {
        let mut head = [0; HEAD_ROOM];
        let mut output = Output {
            out: &mut head,
            len: 0,
        };
        self.put_head(len, &mut output)?;
        let head_len = output.finish()?;
        let start = HEAD_ROOM.saturating_sub(head_len);
        bits::copy(
            out.get_mut(start..).unwrap_or(&mut []),
            head.get(..head_len).unwrap_or(&[]),
        );
        let end = HEAD_ROOM.saturating_add(len);
        Ok(out.get(start..end).unwrap_or(&[]))
    }

    /// Writes everything before a body of this length.
    // Inlined, because a firmware has a single caller.
    #[inline(always)]
    fn put_head(&self, body_len: usize, output: &mut Output<'_>) -> Result<(), Error> {
        if self.sn.is_some() != Frame::has_sn(self.command) {
            return Err(Error::new(ErrorKind::FrameSn));
        }
        if self.did.is_some_and(|did| did.len() > MAX_DID) {
            return Err(Error::new(ErrorKind::DidLength));
        }
        let did_len = self.did.map_or(0, |did| did.len().saturating_add(2));
        let length = self.sn.map_or(3_usize, |_| 7).saturating_add(did_len);
        let mut rest = match u32::try_from(length.saturating_add(body_len)) {
            Ok(length) if length < 1 << 28 => length,
            _ => return Err(Error::new(ErrorKind::FrameLimit)),
        };

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
        Ok(())
    }
}

/// The length in bytes of the longest head of a frame without a did: prefix, length, flag, command and sn.
pub(crate) const HEAD_ROOM: usize = 15;

/// An output buffer that counts all bytes written to it and stores those that fit.
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

    /// Returns the number of bytes, or an error if not all of them fit.
    fn finish(self) -> Result<usize, Error> {
        if self.len > self.out.len() {
            let needed = u32::try_from(self.len).unwrap_or(u32::MAX);
            return Err(Error::new(ErrorKind::OutOfSpace { needed }));
        }
        Ok(self.len)
    }
}

/// A frame or a service message in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Event<'b> {
    /// A frame.
    Frame(Frame<'b>),
    /// The first six bytes of a service message. The length of its content is unknown, so a stream searches
    /// for the next prefix.
    Service {
        /// The command: 0x020e, 0x0210 to 0x021f, or 0x022c.
        command: u16,
    },
}

/// Reads the frame or service message at the start of `bytes`. Returns it and the bytes that follow.
///
/// # Errors
/// - [`ErrorKind::Incomplete`] if `bytes` end within the frame.
/// - [`ErrorKind::NotM2m`] if `bytes` do not begin with [`PREFIX`].
/// - [`ErrorKind::FrameLength`] if the length leaves no room for the fields of the frame, if the length has more
///   than four bytes, or if the service command is unknown.
/// - [`ErrorKind::FrameLimit`] if the length is above `limit`.
///
/// # Examples
/// ```
/// use gizwits_codec_core::{Error, ErrorKind, m2m};
///
/// let bytes = b"\0\0\0\x03\x05\0\0\x91\x04\x01\0\0";
/// let (event, rest) = m2m::parse(bytes, m2m::DEFAULT_LIMIT)?;
/// assert!(matches!(event, m2m::Event::Frame(frame) if frame.p0() == Some(&[0x04, 0x01])));
/// assert_eq!(rest, [0, 0]);
///
/// let error = m2m::parse(b"GET / HTTP/1.1", m2m::DEFAULT_LIMIT).unwrap_err();
/// assert_eq!(error, Error::new(ErrorKind::NotM2m).at(0));
/// # Ok::<(), Error>(())
/// ```
#[inline]
pub fn parse(bytes: &[u8], limit: usize) -> Result<(Event<'_>, &[u8]), Error> {
    match short_frame(bytes, limit) {
        Some((rest, frame)) => Ok((Event::Frame(frame), rest)),
        None => parse_any(bytes, limit),
    }
}

/// Reads any frame or service message.
fn parse_any(bytes: &[u8], limit: usize) -> Result<(Event<'_>, &[u8]), Error> {
    match any_event(bytes, limit) {
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

/// A complete frame without sn and did whose length field is one byte, as nearly all frames are. This takes half the
/// time of the general parser.
#[inline]
fn short_frame(input: &[u8], limit: usize) -> Option<(&[u8], Frame<'_>)> {
    /// The bits of the prefix, and those of a longer length field and of a did.
    const DECIDING: u64 = 0xffff_ffff_8001_0000;
    let (head, behind) = input.split_first_chunk::<8>()?;
    let head = u64::from_be_bytes(*head);
    let length = usize::from(head.wrapping_shr(24) as u8);
    let (flag, command) = (head.wrapping_shr(16) as u8, head as u16);
    let is_short = head & DECIDING == 0x0000_0003_0000_0000;
    if !is_short || Frame::has_sn(command) || length > limit {
        return None;
    }
    let (body, rest) = behind.split_at_checked(length.checked_sub(3)?)?;
    let frame = Frame {
        flag,
        command,
        sn: None,
        did: None,
        body,
    };
    Some((rest, frame))
}

/// The number of bytes that are missing of a frame whose length field is one byte, or 1 if the length is missing.
/// `None` if the general parser has to decide.
#[inline]
fn missing_bytes(input: &[u8], limit: usize) -> Option<usize> {
    match input {
        [] | [0] | [0, 0] | [0, 0, 0] | [0, 0, 0, 3] => Some(1),
        [0, 0, 0, 3, length @ 3..=0x7f, rest @ ..] if usize::from(*length) <= limit => {
            usize::from(*length)
                .checked_sub(rest.len())
                .filter(|missing| *missing > 0)
        }
        _ => None,
    }
}

fn any_event(input: &[u8], limit: usize) -> Parsed<'_, Event<'_>> {
    let (input, _) = tag(&PREFIX[..]).parse(input)?;
    // The length of a frame is at least 3, so a 2 is the first byte of a service command.
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
    // A length may have 28 bits, a `usize` only 16.
    let length = match usize::try_from(length) {
        Ok(length) if length <= limit => length,
        _ => return fail(Fault::TooLarge),
    };
    let (rest, content) = split(length, input)?;
    match frame(content) {
        Ok((_, frame)) => Ok((rest, Event::Frame(frame))),
        // The content is complete, so a missing field means that the length is wrong, not that more bytes
        // are needed.
        Err(_) => fail(Fault::Verify),
    }
}

fn fail<'b, O>(fault: Fault) -> Parsed<'b, O> {
    Err(Err::Error((&[], fault)))
}

fn varint(mut input: &[u8]) -> Parsed<'_, u32> {
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        let (rest, byte) = be_u8(input)?;
        input = rest;
        length |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((input, length));
        }
    }
    fail(Fault::Verify)
}

/// Takes `len` bytes. nom's own `take` would leave a reachable panic in the firmware image.
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
    // Some devices set the flag without sending a did: if no did fits, the bytes are the body.
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

/// The result of [`scan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Scan<'b> {
    /// The number of bytes to remove from the start of the buffer, including those of the event.
    pub consumed: usize,
    /// The number of consumed bytes that belong to no event.
    pub skipped: usize,
    /// The event at the end of the consumed bytes, or `None` if more bytes are needed.
    pub event: Option<Event<'b>>,
}

/// Searches the next event of a stream in a buffer of the caller. Bytes that can't begin an event are skipped
/// one by one.
///
/// The caller removes [`Scan::consumed`] bytes from its buffer and calls again, with more bytes if there was
/// no event. The events do not depend on how the stream is cut into buffers.
///
/// ```
/// use gizwits_codec_core::m2m::{self, Event};
///
/// let bytes = b"noise\0\0\0\x03\x04\0\0\x90\x02\0\0";
/// let scan = m2m::scan(bytes, m2m::DEFAULT_LIMIT);
/// assert_eq!((scan.skipped, scan.consumed), (5, 14));
/// let Some(Event::Frame(frame)) = scan.event else { panic!() };
/// assert_eq!(frame.command, m2m::TO_DEVICE);
/// ```
#[inline]
#[must_use]
pub fn scan(bytes: &[u8], limit: usize) -> Scan<'_> {
    if let Some((rest, frame)) = short_frame(bytes, limit) {
        return Scan {
            consumed: bytes.len().saturating_sub(rest.len()),
            skipped: 0,
            event: Some(Event::Frame(frame)),
        };
    }
    scan_for(bytes, limit).0
}

/// The result of a scan, and the number of bytes that must arrive before another scan can find more.
///
/// Callers try shortcuts first, and a test compares them with this function.
#[cfg_attr(target_pointer_width = "64", inline(never))]
fn scan_for(bytes: &[u8], limit: usize) -> (Scan<'_>, usize) {
    let mut rest = bytes;
    let mut skipped = 0_usize;
    let mut missing = 0;
    loop {
        let (consumed, event) = match any_event(rest, limit) {
            Ok((behind, event)) => (bytes.len().saturating_sub(behind.len()), Some(event)),
            Err(Err::Incomplete(needed)) => {
                // Less than a prefix may turn out to be garbage with any byte.
                missing = match needed {
                    Needed::Size(size) if rest.len() >= PREFIX.len() => size.get(),
                    _ => 1,
                };
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

/// A decoder for a stream that arrives in chunks of any size. It works in a buffer of the caller.
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
    /// Creates a decoder that accepts frames whose length field is at most the length of the buffer minus 8.
    /// Longer frames are skipped like noise.
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

    /// Copies as many of `bytes` as fit into the buffer and returns the rest. Push the rest again after
    /// [`next_event`](Self::next_event) has returned `None`.
    #[inline]
    #[must_use = "the bytes that do not fit are returned"]
    pub fn push<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        // A serial line or a slow reader: a call of `memcpy` for each byte takes longer than all else.
        if let ([byte], Some(slot)) = (bytes, self.buffer.get_mut(self.end)) {
            *slot = *byte;
            self.end = self.end.saturating_add(1);
            return &[];
        }
        self.push_all(bytes)
    }

    /// Copies any number of bytes, and moves those of the buffer to its start if they need its room.
    fn push_all<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if self.start == self.end {
            (self.start, self.end, self.needed) = (0, 0, 0);
        } else if self.start > 0 && self.buffer.len().saturating_sub(self.end) < bytes.len() {
            match self.buffer.get_mut(..self.end) {
                Some(kept) if self.start <= kept.len() => kept.copy_within(self.start.., 0),
                _ => {}
            }
            self.needed = self.needed.saturating_sub(self.start);
            (self.start, self.end) = (0, self.end.saturating_sub(self.start));
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or(&mut []);
        let (taken, rest) = bytes.split_at(room.len().min(bytes.len()));
        if let Some(room) = room.get_mut(..taken.len()) {
            room.copy_from_slice(taken);
        }
        self.end = self.end.saturating_add(taken.len());
        rest
    }

    /// Returns the next frame or service message, or `None` if more bytes are needed.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub fn next_event(&mut self) -> Option<Event<'_>> {
        if self.end < self.needed {
            return None;
        }
        let limit = self.buffer.len().saturating_sub(8);
        let bytes = self.buffer.get(self.start..self.end)?;
        if let Some((rest, frame)) = short_frame(bytes, limit) {
            self.start = self.end.wrapping_sub(rest.len());
            return Some(Event::Frame(frame));
        }
        if let Some(missing) = missing_bytes(bytes, limit) {
            self.needed = self.end.saturating_add(missing);
            return None;
        }
        let (found, missing) = scan_for(bytes, limit);
        self.start = self.start.saturating_add(found.consumed);
        self.skipped = self.skipped.saturating_add(found.skipped);
        self.needed = self.end.saturating_add(missing);
        found.event
    }

    /// Returns the number of skipped bytes: those so far that belonged to no event.
    pub fn skipped(&self) -> usize {
        self.skipped
    }
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// Bytes that often begin like a frame.
    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(std::vec![0, 0, 0, 3]),
            Just(std::vec![0, 0]),
            (0_u8..=0x20, 0_u8..4, 0x8f_u8..0x96).prop_map(|(length, flag, command)| {
                std::vec![0, 0, 0, 3, length, flag, 0, command]
            }),
            vec(any::<u8>(), 0..12),
            vec(0_u8..4, 0..12),
        ];
        vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    /// Every group of a length counts, where a frame is read and where it is written. A head is enough for that: the
    /// error of an incomplete frame has the number of bytes that are missing.
    #[test]
    fn every_group_of_a_length_counts() {
        let groups = (0..4).flat_map(|group| (1..0x80_u32).map(move |bits| bits << (7 * group)));
        let borders = (2..29).flat_map(|bits| [(1_u32 << bits) - 1, 1 << bits, (1 << bits) + 1]);
        let lengths = groups.chain(borders);
        for length in lengths.filter(|length| (3..1 << 28).contains(length)) {
            let mut head = PREFIX.to_vec();
            let mut rest = length;
            while rest >= 128 {
                head.push((128 + rest % 128) as u8);
                rest /= 128;
            }
            head.push(rest as u8);

            let error = parse(&head, length as usize).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Incomplete { missing: length });
            let error = parse(&head, length as usize - 1).unwrap_err();
            assert_eq!(error.kind, ErrorKind::FrameLimit);

            let frame = Frame {
                flag: 0,
                command: TO_DEVICE,
                sn: None,
                did: None,
                body: &[],
            };
            let mut out = [0; HEAD_ROOM];
            let mut output = Output {
                out: &mut out,
                len: 0,
            };
            frame.put_head(length as usize - 3, &mut output).unwrap();
            assert_eq!(output.finish(), Ok(head.len() + 3));
            assert_eq!(&out[..head.len()], &head[..]);
        }
        // A fifth group is neither read nor written.
        let five = [&PREFIX[..], &[0x80, 0x80, 0x80, 0x80, 1]].concat();
        let error = parse(&five, usize::MAX).unwrap_err();
        assert_eq!(error.kind, ErrorKind::FrameLength);
    }

    proptest! {
        /// The shortcuts agree with the general parser, and what they leave to it is not cut short.
        #[test]
        fn shortcuts_are_the_general_parser(bytes in stream(), limit in prop_oneof![0_usize..40, Just(DEFAULT_LIMIT)]) {
            let general = any_event(&bytes, limit);
            if let Some((rest, frame)) = short_frame(&bytes, limit) {
                prop_assert_eq!(general, Ok((rest, Event::Frame(frame))));
                let scan = Scan { consumed: bytes.len() - rest.len(), skipped: 0, event: Some(Event::Frame(frame)) };
                prop_assert_eq!(scan_for(&bytes, limit), (scan, 0));
            }
            if let Some(missing) = missing_bytes(&bytes, limit) {
                let nothing = Scan { consumed: 0, skipped: 0, event: None };
                prop_assert_eq!(scan_for(&bytes, limit), (nothing, missing));
            }
            prop_assert_eq!(scan(&bytes, limit), scan_for(&bytes, limit).0);
        }

        /// The events and the skipped bytes do not depend on how the stream is cut.
        #[test]
        fn cuts_change_nothing(bytes in stream(), size in 1_usize..5, room in 8_usize..64) {
            let events = |size| {
                let mut buffer = [0; 64];
                let mut decoder = Decoder::new(&mut buffer[..room]);
                let mut events = Vec::new();
                for piece in bytes.chunks(size) {
                    let mut rest = piece;
                    loop {
                        rest = decoder.push(rest);
                        while let Some(event) = decoder.next_event() {
                            events.push(std::format!("{event:?}"));
                        }
                        if rest.is_empty() {
                            break;
                        }
                    }
                }
                (events, decoder.skipped())
            };
            prop_assert_eq!(events(size), events(64));
        }
    }
}
