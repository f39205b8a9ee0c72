//! The decoder of frames of the MCU. It is independent of the decoder of the link, so that a firmware with a link is
//! not tested by its own code.

use alloc::vec::Vec;

use crate::frame::uart::{Command, Frame};

/// The byte behind each ff of a frame.
const STUFFING: u8 = 0x55;
/// The valid values of the length field. A length from 0xff00 would be part of a header.
const LENGTHS: core::ops::RangeInclusive<usize> = 5..=0xfeff;

/// A frame, with or without the right checksum.
pub(super) enum Received<'b> {
    /// A frame, and its checksum.
    Frame(Frame<'b>, u8),
    /// A frame whose checksum is wrong.
    Corrupt {
        command: Command,
        sn: u8,
        expected: u8,
        found: u8,
    },
}

/// The bytes of the frame that is being received. It keeps at most one frame.
#[derive(Clone, Default)]
pub(super) struct Receiver {
    /// The bytes after the header, without stuffing.
    content: Vec<u8>,
    is_within: bool,
    /// Whether the last byte was an ff that the next byte decides about.
    ff: bool,
}

impl Receiver {
    /// Takes a byte. Returns the frame that it completes.
    pub(super) fn push(&mut self, byte: u8) -> Option<Received<'_>> {
        let ff = core::mem::replace(&mut self.ff, byte == 0xff);
        let mut byte = byte;
        if byte == 0xff {
            if ff || self.is_within && self.content.is_empty() {
                // Of more than two ff, the last two are the header.
                self.content.clear();
                self.is_within = true;
                self.ff = false;
                return None;
            }
            // Some senders do not stuff a checksum of ff.
            if !self.is_within || self.missing() != Some(1) {
                return None;
            }
        } else if ff && self.is_within {
            self.is_within = byte == STUFFING;
            byte = 0xff;
        }
        if !self.is_within {
            return None;
        }
        self.content.push(byte);
        if let [high, low] = self.content[..] {
            let length = usize::from(u16::from_be_bytes([high, low]));
            self.is_within = LENGTHS.contains(&length);
        }
        if self.missing() != Some(0) {
            return None;
        }
        self.is_within = false;
        let (found, body) = self.content.split_last()?;
        let expected = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        let &[_, _, command, sn, high, low, ref payload @ ..] = body else {
            return None;
        };
        let command = Command(command);
        Some(match *found == expected {
            true => {
                let flags = u16::from_be_bytes([high, low]);
                let frame = Frame {
                    command,
                    sn,
                    flags,
                    payload,
                };
                Received::Frame(frame, expected)
            }
            false => Received::Corrupt {
                command,
                sn,
                expected,
                found: *found,
            },
        })
    }

    /// The number of bytes that the frame still needs, once its length is known.
    fn missing(&self) -> Option<usize> {
        let &[high, low, ..] = &self.content[..] else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        length.saturating_add(2).checked_sub(self.content.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers with each length, each with more bytes behind it than a frame has.
    #[test]
    fn a_receiver_keeps_one_frame() {
        let mut receiver = Receiver::default();
        for length in (0..=0xff00_u16)
            .step_by(0x0f0)
            .chain([4, 5, 0xfefe, 0xffff])
        {
            receiver.push(0xff);
            receiver.push(0xff);
            for byte in length.to_be_bytes() {
                receiver.push(byte);
            }
            let is_valid = LENGTHS.contains(&usize::from(length));
            for byte in core::iter::repeat_n(0, 0x1_0000) {
                let most = if is_valid { usize::from(length) + 2 } else { 2 };
                assert!(receiver.content.len() <= most, "{length:#x}");
                receiver.push(byte);
            }
            assert!(!receiver.is_within, "{length:#x}");
        }
        assert!(receiver.content.capacity() <= 2 * 0xff01);
    }
}
