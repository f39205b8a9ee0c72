//! Decoding frames: byte by byte, and from a slice.

use super::command::Command;
use super::frame::{Frame, OVERHEAD, STUFFING};
use crate::error::{Error, ErrorKind};

/// A frame that a [`Decoder`] completed or gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Event<'b> {
    /// A frame.
    Frame(Frame<'b>),
    /// A frame whose checksum is wrong.
    Corrupt {
        /// Its sequence number, which may be wrong.
        sn: u8,
        /// The checksum that its bytes have.
        expected: u8,
        /// The checksum that it ends with.
        found: u8,
    },
    /// A frame, or noise, that says it is longer than the buffer has room for.
    TooLong {
        /// The bytes that its payload would have.
        payload: u16,
    },
}

/// Decodes a stream byte by byte, over a buffer of the caller's.
///
/// Noise, and frames that are cut, are skipped; ff ff begins a new frame wherever it stands. Modules
/// are known that don't stuff the last byte of a frame: one that is ff is taken without its 55.
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
    /// The content of a frame, from its command to the end of its payload.
    buffer: &'o mut [u8],
    /// The number of bytes read since `state` changed, and the length of the content in bytes.
    at: u16,
    end: u16,
    sum: u8,
    /// The last byte was an ff of which nothing is known yet.
    ff: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Outside,
    Length,
    Content,
}

/// The effect of a byte. One byte, since every call returns it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    None,
    Frame,
    Corrupt,
    TooLong,
}

impl<'o> Decoder<'o> {
    /// The bytes that a buffer needs beside a payload.
    pub const OVERHEAD: usize = 4;

    /// A decoder of frames whose payload is up to [`OVERHEAD`](Self::OVERHEAD) bytes shorter than the
    /// buffer.
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

    /// Takes the next byte; returns what it completes.
    #[inline]
    pub fn push(&mut self, byte: u8) -> Option<Event<'_>> {
        let step = self.step(byte);
        self.event(step)
    }

    /// Takes bytes off the head of `bytes` up to the next event; without one all of them.
    pub fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event<'_>> {
        let mut step = Step::None;
        while step == Step::None
            && let Some((byte, rest)) = bytes.split_first()
        {
            *bytes = rest;
            step = self.step(*byte);
        }
        self.event(step)
    }

    /// Whether the bytes so far end within a frame.
    pub const fn is_within(&self) -> bool {
        !matches!(self.state, State::Outside)
    }

    fn is_behind_header(&self) -> bool {
        self.state == State::Length && self.at == 0
    }

    /// The sum of the frame's bytes so far; before the last one, its checksum.
    pub(crate) const fn sum(&self) -> u8 {
        self.sum
    }

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

    // Out of line on a microcontroller, or its state takes the registers of the loop around it, which costs
    // about a hundred bytes of spills.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn step(&mut self, mut byte: u8) -> Step {
        let ff = self.ff;
        self.ff = byte == 0xff;
        if self.ff {
            // Two are a header. So is a third: there the last two are it.
            if ff || self.is_behind_header() {
                self.state = State::Length;
                self.at = 0;
                self.sum = 0;
                self.ff = false;
                return Step::None;
            }
            // What it is, the next one says; the last one of a frame has none that it waits for.
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
                    // The length has the checksum as well.
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
                    // Outside of a frame there is nothing to count: `at` holds the checksum that was found,
                    // so that a step is one byte.
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

/// Takes the frame at the head of `wire` off, its content without stuffing in `buffer`; returns it and
/// what follows. `buffer` is at least as long as the payload and 4 bytes.
///
/// # Errors
/// [`ErrorKind::Incomplete`] if more bytes may make it whole; [`ErrorKind::NotUart`] for other bytes
/// than a header; [`ErrorKind::FrameLength`] for a length that can't be;
/// [`ErrorKind::FrameLimit`] for one beyond the buffer; [`ErrorKind::Stuffing`] for an ff without its
/// 55, other than the last byte; [`ErrorKind::Checksum`]. `byte` is where it shows on the wire.
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
            // The least that a frame still needs.
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
            // A header within the frame: for a stream it begins the next one.
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
    // The stuffing of the last byte.
    if decoder.ff
        && let Some((&STUFFING, behind)) = rest.split_first()
    {
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
