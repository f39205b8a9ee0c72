//! A frame, and writing it to the wire.

use super::command::Command;
use crate::error::{Error, ErrorKind};

/// The stuffing byte, which follows every 0xff after the header.
pub(super) const STUFFING: u8 = 0x55;
/// The number of bytes of a frame in addition to its payload, without stuffing.
pub const OVERHEAD: usize = 9;
/// The maximum length of a payload in bytes. A length from 0xff00 would be part of the header before it.
pub const MAX_PAYLOAD: usize = 0xfeff - 5;

/// A UART frame, without stuffing.
///
/// ```
/// use gizwits_codec_core::uart::{self, Command, Frame};
///
/// let frame = Frame { command: Command::FROM_DEVICE, sn: 0xff, flags: 0, payload: b"\x04\xff\xff\x55" };
/// let mut wire = [0; 32];
/// let len = frame.encode(&mut wire)?;
/// let expected = b"\xff\xff\0\x09\x05\xff\x55\0\0\x04\xff\x55\xff\x55\x55\x64";
/// assert_eq!(&wire[..len], expected);
///
/// let mut buffer = [0; 32];
/// assert_eq!(uart::parse(expected, &mut buffer)?, (frame, &[][..]));
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Frame<'b> {
    /// The command, which defines the content of the payload.
    pub command: Command,
    /// The sequence number. An acknowledgement has the sequence number of its request.
    pub sn: u8,
    /// The flags. If bit 0 is set, the payload begins with the length of a sub-device's did and the did.
    pub flags: u16,
    /// The payload, up to [`MAX_PAYLOAD`] bytes.
    pub payload: &'b [u8],
}

impl Frame<'_> {
    /// Writes the bytes of the frame, stuffing included, to a sink, for example the transmit buffer of a
    /// UART.
    ///
    /// A payload of more than [`MAX_PAYLOAD`] bytes results in an invalid frame. [`encode`](Self::encode)
    /// checks the length.
    ///
    /// ```
    /// use gizwits_codec_core::uart::{Command, Frame};
    ///
    /// let mut wire = Vec::new();
    /// let frame = Frame { command: Command::HEARTBEAT, sn: 2, flags: 0, payload: &[] };
    /// frame.write(|byte| wire.push(byte));
    /// assert_eq!(wire, b"\xff\xff\0\x05\x07\x02\0\0\x0e");
    /// ```
    #[inline]
    pub fn write(&self, sink: impl FnMut(u8)) {
        let mut writer = Writer::begin(sink, self.command, self.sn, self.flags, self.payload.len());
        writer.put(self.payload);
        writer.end();
    }

    /// Writes the bytes of the frame, stuffing included, to the start of `out`. Returns their number.
    ///
    /// # Errors
    /// - [`ErrorKind::OutOfSpace`] if `out` is too short.
    /// - [`ErrorKind::FrameLimit`] if the payload is longer than [`MAX_PAYLOAD`] bytes.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Error> {
        if self.payload.len() > MAX_PAYLOAD {
            return Err(Error::new(ErrorKind::FrameLimit));
        }
        let room = out.len();
        let (mut slots, mut len) = (out.iter_mut(), 0_usize);
        self.write(|byte| {
            len = len.saturating_add(1);
            if let Some(slot) = slots.next() {
                *slot = byte;
            }
        });
        match len <= room {
            true => Ok(len),
            false => {
                let needed = len as u32;
                Err(Error::new(ErrorKind::OutOfSpace { needed }))
            }
        }
    }
}

/// Writes one frame to a sink, with its payload in pieces.
///
/// ```
/// use gizwits_codec_core::uart::{Command, Writer};
///
/// let mut wire = Vec::new();
/// let mut writer = Writer::begin(|byte| wire.push(byte), Command::FROM_DEVICE, 0, 0, 3);
/// writer.put(&[0x04]);
/// writer.put(&[0x01, 0x18]);
/// writer.end();
/// assert_eq!(wire, b"\xff\xff\0\x08\x05\0\0\0\x04\x01\x18\x2a");
/// ```
#[derive(Debug)]
pub struct Writer<F: FnMut(u8)> {
    sink: F,
    sum: u8,
}

impl<F: FnMut(u8)> Writer<F> {
    /// Writes the header and the fields of a frame with a payload of `len` bytes, at most [`MAX_PAYLOAD`].
    /// The caller must then write `len` bytes with [`put`](Self::put).
    #[inline]
    #[must_use = "a frame is complete only after `end`"]
    pub fn begin(mut sink: F, command: Command, sn: u8, flags: u16, len: usize) -> Self {
        sink(0xff);
        sink(0xff);
        let mut writer = Writer { sink, sum: 0 };
        writer.put(&head(command, sn, flags, len));
        writer
    }

    /// Writes the next piece of the payload.
    pub fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.sum = self.sum.wrapping_add(*byte);
            self.stuffed(*byte);
        }
    }

    /// Writes the checksum, which completes the frame.
    #[inline]
    pub fn end(mut self) {
        self.stuffed(self.sum);
    }

    #[inline]
    fn stuffed(&mut self, byte: u8) {
        stuffed(byte, &mut self.sink);
    }
}

/// Writes a byte, and the stuffing byte after an ff.
#[inline]
fn stuffed(byte: u8, sink: &mut (impl FnMut(u8) + ?Sized)) {
    sink(byte);
    if byte == 0xff {
        sink(STUFFING);
    }
}

/// Returns the fields of a frame before its payload, from the length to the flags.
#[inline]
fn head(command: Command, sn: u8, flags: u16, len: usize) -> [u8; 6] {
    let [high, low] = (len as u16).wrapping_add(5).to_be_bytes();
    let [flags_high, flags_low] = flags.to_be_bytes();
    [high, low, command.0, sn, flags_high, flags_low]
}

/// Writes a frame whose payload consists of pieces, together at most [`MAX_PAYLOAD`] bytes. The link sends all of
/// its frames with this function, so that a firmware contains the writer once.
///
/// ```
/// use gizwits_codec_core::uart::{self, Command};
///
/// let mut wire = Vec::new();
/// uart::write(Command::FROM_DEVICE, 0, &[&[0x04], &[0x01, 0x18]], &mut |byte| wire.push(byte));
/// assert_eq!(wire, b"\xff\xff\0\x08\x05\0\0\0\x04\x01\x18\x2a");
/// ```
pub fn write(command: Command, sn: u8, pieces: &[&[u8]], sink: &mut dyn FnMut(u8)) {
    let lens = pieces.iter().map(|piece| piece.len());
    let len = lens.fold(0, usize::wrapping_add);
    let head = head(command, sn, 0, len);
    let (mut piece, mut rest) = (&head[..], pieces.iter());
    let mut sum = 0_u8;
    sink(0xff);
    sink(0xff);
    // One loop for the fields and the payload, because a compiler repeats a loop in a function of its own for each use.
    loop {
        for byte in piece {
            sum = sum.wrapping_add(*byte);
            stuffed(*byte, sink);
        }
        match rest.next() {
            Some(next) => piece = next,
            None => break,
        }
    }
    stuffed(sum, sink);
}
