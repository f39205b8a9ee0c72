//! The decoder of frames: byte by byte, and from a slice.

use super::command::Command;
use super::frame::{Frame, OVERHEAD, STUFFING};
use crate::error::{Error, ErrorKind};

/// A frame that a [`Decoder`] has completed or rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Event<'b> {
    /// A complete frame.
    Frame(Frame<'b>),
    /// A frame whose checksum is wrong.
    Corrupt {
        /// The sequence number of the frame, which may be wrong as well.
        sn: u8,
        /// The checksum of the bytes of the frame.
        expected: u8,
        /// The checksum at the end of the frame.
        found: u8,
    },
    /// A frame, or noise after ff ff, whose length is above that of the buffer.
    TooLong {
        /// The length of the payload in bytes.
        payload: u16,
    },
}

/// A decoder for a stream that arrives byte by byte. It works in a buffer of the caller.
///
/// The decoder skips noise and incomplete frames. ff ff always begins a new frame. Some modules do not stuff
/// the last byte of a frame, so a checksum of ff is accepted with and without a stuffing byte.
///
/// ```
/// use gizwits_codec_core::uart::{Command, Decoder, Event};
///
/// let mut buffer = [0; 32];
/// let mut decoder = Decoder::new(&mut buffer);
/// let mut wire = &b"noise\xff\xff\0\x05\x07\x02\0\0\x0e"[..];
/// let Some(Event::Frame(frame)) = decoder.next_event(&mut wire) else { panic!() };
/// assert_eq!((frame.command, frame.sn), (Command::HEARTBEAT, 2));
/// assert!(wire.is_empty());
/// ```
#[derive(Debug)]
pub struct Decoder<'o> {
    /// The content of the current frame, from its command to the end of its payload.
    buffer: &'o mut [u8],
    /// The number of bytes read since `state` changed.
    at: u16,
    /// The length of the content in bytes.
    end: u16,
    /// The sum of the bytes after the header, modulo 256.
    sum: u8,
    /// Whether the last byte was an ff that the next byte decides about: header, stuffing or noise.
    ff: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Outside,
    Length,
    Content,
}

/// The effect of a byte. It is one byte in size, because every call returns it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    None,
    Frame,
    Corrupt,
    TooLong,
}

impl<'o> Decoder<'o> {
    /// The number of bytes that a buffer needs in addition to the payload: command, sequence number, flags.
    pub const OVERHEAD: usize = 4;

    /// Creates a decoder that accepts payloads of up to `buffer.len() - OVERHEAD` bytes.
    #[must_use]
    pub const fn new(buffer: &'o mut [u8]) -> Self {
        Decoder {
            buffer,
            at: 0,
            end: 0,
            sum: 0,
            ff: false,
            state: State::Outside,
        }
    }

    /// Reads one byte. Returns the event that the byte completes.
    ///
    /// ```
    /// use gizwits_codec_core::uart::{Decoder, Event};
    ///
    /// let mut buffer = [0; 32];
    /// let mut decoder = Decoder::new(&mut buffer);
    /// let wire = b"\xff\xff\0\x05\x07\x02\0\0\x0f";
    /// let event = wire.iter().find_map(|byte| match decoder.push(*byte)? {
    ///     Event::Corrupt { sn, expected, found } => Some((sn, expected, found)),
    ///     _ => None,
    /// });
    /// assert_eq!(event, Some((2, 0x0e, 0x0f)));
    /// ```
    #[inline]
    pub fn push(&mut self, byte: u8) -> Option<Event<'_>> {
        let step = self.step(byte);
        self.event(step)
    }

    /// Reads bytes up to the next event, or all of them, and removes them from the start of `bytes`.
    pub fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event<'_>> {
        let mut step = Step::None;
        let mut rest = *bytes;
        while step == Step::None {
            #[cfg(target_pointer_width = "64")]
            self.take_run(&mut rest);
            let Some((byte, behind)) = rest.split_first() else {
                break;
            };
            rest = behind;
            step = self.step(*byte);
        }
        *bytes = rest;
        self.event(step)
    }

    /// Reads the bytes up to the next ff, or to the end of the content, which all have the same effect.
    #[inline]
    #[cfg(target_pointer_width = "64")]
    fn take_run(&mut self, bytes: &mut &[u8]) {
        if self.ff {
            return;
        }
        let mut len = 0_usize;
        match self.state {
            State::Outside => {
                let ff = bytes.iter().position(|byte| *byte == 0xff);
                len = ff.unwrap_or(bytes.len());
            }
            State::Length => {}
            State::Content => {
                let content = usize::from(self.at)..usize::from(self.end);
                let room = self.buffer.get_mut(content).unwrap_or(&mut []);
                for (slot, byte) in room.iter_mut().zip(*bytes) {
                    if *byte == 0xff {
                        break;
                    }
                    *slot = *byte;
                    self.sum = self.sum.wrapping_add(*byte);
                    len = len.wrapping_add(1);
                }
                self.at = self.at.wrapping_add(len as u16);
            }
        }
        *bytes = bytes.get(len..).unwrap_or(&[]);
    }

    /// Returns whether the bytes so far end within a frame.
    pub const fn is_within(&self) -> bool {
        !matches!(self.state, State::Outside)
    }

    fn is_behind_header(&self) -> bool {
        self.state == State::Length && self.at == 0
    }

    // Always inlined: a link reads most of the event from registers, which a call would store in memory.
    #[inline(always)]
    fn event(&self, step: Step) -> Option<Event<'_>> {
        match step {
            Step::None => None,
            Step::TooLong => Some(Event::TooLong {
                payload: self.end.wrapping_sub(4),
            }),
            _ => {
                let content = self.buffer.get(..usize::from(self.end));
                let &[command, sn, high, low, ref payload @ ..] = content? else {
                    return None;
                };
                Some(match step {
                    Step::Corrupt => Event::Corrupt {
                        sn,
                        expected: self.sum,
                        found: self.at as u8,
                    },
                    _ => Event::Frame(Frame {
                        command: Command(command),
                        sn,
                        flags: u16::from_be_bytes([high, low]),
                        payload,
                    }),
                })
            }
        }
    }

    // Not inlined on microcontrollers: the state of the decoder would occupy the registers of the loop around
    // this call, which costs about a hundred bytes of spill code.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn step(&mut self, mut byte: u8) -> Step {
        let ff = self.ff;
        self.ff = byte == 0xff;
        if self.ff {
            // ff ff is a header. With a third ff directly after it, the last two are the header.
            if ff || self.is_behind_header() {
                self.state = State::Length;
                self.at = 0;
                self.sum = 0;
                self.ff = false;
                return Step::None;
            }
            // The next byte decides what this ff is. The last byte of a frame does not wait, because the
            // stuffing byte may be missing there.
            if self.state != State::Content || self.at != self.end {
                return Step::None;
            }
        } else if ff && self.state != State::Outside {
            if byte != STUFFING {
                self.state = State::Outside;
                return Step::None;
            }
            byte = 0xff;
        }
        match self.state {
            State::Outside => return Step::None,
            State::Length => {
                self.end = self.end.wrapping_shl(8) | u16::from(byte);
                if self.at == 0 {
                    self.at = 1;
                } else {
                    self.at = 0;
                    // The length counts the checksum, the content does not.
                    self.end = self.end.wrapping_sub(1);
                    self.state = match self.end {
                        4..0xfeff if usize::from(self.end) <= self.buffer.len() => State::Content,
                        4..0xfeff => {
                            self.state = State::Outside;
                            return Step::TooLong;
                        }
                        _ => State::Outside,
                    };
                }
            }
            State::Content => {
                if self.at == self.end {
                    self.state = State::Outside;
                    // `at` is not used outside of a frame, so it keeps the checksum for the event, and a
                    // `Step` needs no payload.
                    self.at = byte.into();
                    return match self.sum == byte {
                        true => Step::Frame,
                        false => Step::Corrupt,
                    };
                }
                if let Some(slot) = self.buffer.get_mut(usize::from(self.at)) {
                    *slot = byte;
                }
                self.at = self.at.wrapping_add(1);
            }
        }
        self.sum = self.sum.wrapping_add(byte);
        Step::None
    }
}

/// Reads the frame at the start of `wire`. Returns the frame and the bytes that follow it. The content of the
/// frame is copied to `buffer` without stuffing, so `buffer` must be [`Decoder::OVERHEAD`] bytes longer than
/// the payload.
///
/// # Errors
/// The byte offset of the error is the byte of `wire` that shows the error.
///
/// - [`ErrorKind::Incomplete`] if `wire` ends within the frame.
/// - [`ErrorKind::NotUart`] if `wire` does not begin with ff ff.
/// - [`ErrorKind::FrameLength`] if the length leaves no room for the fields of the frame, or begins with ff.
/// - [`ErrorKind::FrameLimit`] if the frame is too long for `buffer`.
/// - [`ErrorKind::Stuffing`] if an ff is not followed by 55, except for the last byte.
/// - [`ErrorKind::Checksum`] if the checksum is wrong.
///
/// # Examples
/// ```
/// use gizwits_codec_core::uart::{self, Command};
///
/// let mut buffer = [0; 32];
/// let (frame, rest) = uart::parse(b"\xff\xff\0\x05\x07\x02\0\0\x0e\xff", &mut buffer)?;
/// assert_eq!((frame.command, frame.sn, frame.payload), (Command::HEARTBEAT, 2, &[][..]));
/// assert_eq!(rest, [0xff]);
///
/// let error = uart::parse(b"\xff\xff\0\x05\x07\x02\0\0\x0f", &mut buffer).unwrap_err();
/// assert_eq!(error.to_string(), "wrong checksum (expected 0x0e, found 0x0f): byte 8");
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
pub fn parse<'b, 'w>(wire: &'w [u8], buffer: &'b mut [u8]) -> Result<(Frame<'b>, &'w [u8]), Error> {
    let fail = |kind, rest: &[u8]| {
        let at = wire.len().saturating_sub(rest.len()).saturating_sub(1);
        Error::new(kind).at(at as u32)
    };
    let mut decoder = Decoder::new(buffer);
    let mut rest = wire;
    let mut header = 0_u16;
    let mut step = Step::None;
    while step == Step::None {
        let Some((byte, behind)) = rest.split_first() else {
            // The minimum number of bytes that the frame still needs.
            let left = match decoder.state {
                State::Content => decoder.end.saturating_add(1),
                _ => (OVERHEAD as u16).saturating_sub(header),
            };
            let missing = left.saturating_sub(decoder.at).into();
            let have = u32::try_from(wire.len()).unwrap_or(u32::MAX);
            return Err(Error::new(ErrorKind::Incomplete { missing }).at(have));
        };
        rest = behind;
        if header < 2 {
            header = header.saturating_add(1);
            if *byte != 0xff {
                return Err(fail(ErrorKind::NotUart, rest));
            }
        } else if (decoder.ff || decoder.is_behind_header()) && *byte == 0xff {
            // A header within the frame. In a stream it begins the next frame.
            return Err(fail(ErrorKind::Stuffing, rest));
        }
        let stuffed = decoder.ff;
        step = decoder.step(*byte);
        if header == 2 && decoder.state == State::Outside && step == Step::None {
            return Err(match stuffed && *byte != STUFFING {
                true => fail(ErrorKind::Stuffing, rest),
                false => fail(ErrorKind::FrameLength, rest),
            });
        }
    }
    // Skip the stuffing of the last byte, which some modules leave out.
    if let (true, Some((&STUFFING, behind))) = (decoder.ff, rest.split_first()) {
        rest = behind;
    }
    match step {
        Step::Corrupt => {
            let (expected, found) = (decoder.sum, decoder.at as u8);
            return Err(fail(ErrorKind::Checksum { expected, found }, rest));
        }
        Step::TooLong => return Err(fail(ErrorKind::FrameLimit, rest)),
        _ => {}
    }
    let Decoder { buffer, end, .. } = decoder;
    match buffer.get(..usize::from(end)) {
        Some(&[command, sn, high, low, ref payload @ ..]) => {
            let frame = Frame {
                command: Command(command),
                sn,
                flags: u16::from_be_bytes([high, low]),
                payload,
            };
            Ok((frame, rest))
        }
        _ => Err(fail(ErrorKind::FrameLength, rest)),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// Bytes of frames, headers, stuffing and noise.
    fn wire() -> impl Strategy<Value = Vec<u8>> {
        let frame = (
            any::<u8>(),
            vec(prop_oneof![any::<u8>(), Just(0xff)], 0..20),
        )
            .prop_map(|(sn, payload)| {
                let frame = Frame {
                    command: Command::HEARTBEAT,
                    sn,
                    flags: 0,
                    payload: &payload,
                };
                let mut out = [0; 64];
                let len = frame.encode(&mut out).unwrap_or(0);
                out.iter().copied().take(len).collect()
            });
        let piece = prop_oneof![
            3 => frame,
            1 => vec(any::<u8>(), 0..9),
            1 => Just(std::vec![0xff, 0xff, 0x00]),
            1 => Just(std::vec![0xff]),
            1 => Just(std::vec![0xff, 0x55]),
        ];
        vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// Slices of any size have the events of their single bytes.
        #[test]
        fn slices_are_their_bytes(wire in wire(), size in 1_usize..80, room in 0_usize..40) {
            let mut buffer = [0; 40];
            let mut decoder = Decoder::new(buffer.get_mut(..room).unwrap_or_default());
            let mut by_byte = Vec::new();
            for byte in &wire {
                by_byte.extend(decoder.push(*byte).map(|event| std::format!("{event:?}")));
            }
            let state = std::format!("{decoder:?}");

            let mut buffer = [0; 40];
            let mut decoder = Decoder::new(buffer.get_mut(..room).unwrap_or_default());
            let mut by_slice = Vec::new();
            for mut piece in wire.chunks(size) {
                while let Some(event) = decoder.next_event(&mut piece) {
                    by_slice.push(std::format!("{event:?}"));
                }
                prop_assert!(piece.is_empty());
            }
            prop_assert_eq!(by_slice, by_byte);
            prop_assert_eq!(std::format!("{decoder:?}"), state);
        }
    }
}
