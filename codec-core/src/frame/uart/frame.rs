//! One frame, and its way onto the wire.

use super::command::Command;
use crate::error::{Error, ErrorKind};

/// The byte that follows every 0xff behind the header.
pub(super) const STUFFING: u8 = 0x55;
/// The bytes of a frame beside its payload, before stuffing.
pub const OVERHEAD: usize = 9;
/// The longest payload: a length may not begin with 0xff, which would stand next to the header.
pub const MAX_PAYLOAD: usize = 0xfeff - 5;

/// One UART frame, without its stuffing.
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
    /// The meaning of the payload.
    pub command: Command,
    /// The sequence number; an acknowledgement has that of its request.
    pub sn: u8,
    /// Bit 0: the payload begins with the length of a sub-device's did and the did.
    pub flags: u16,
    /// Up to [`MAX_PAYLOAD`] bytes.
    pub payload: &'b [u8],
}

impl Frame<'_> {
    /// Writes the frame into a sink, byte by byte as it goes over the wire.
    ///
    /// A payload of more than [`MAX_PAYLOAD`] bytes makes a frame that nobody can read;
    /// [`encode`](Self::encode) refuses it.
    #[inline]
    pub fn write(&self, sink: impl FnMut(u8)) {
        let mut writer = Writer::begin(sink, self.command, self.sn, self.flags, self.payload.len());
        writer.put(self.payload);
        writer.end();
    }

    /// Writes the frame, as it goes over the wire, to the head of `out` and returns its length.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfSpace`]; [`ErrorKind::FrameLimit`] for a payload of more than
    /// [`MAX_PAYLOAD`] bytes.
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

/// Writes one frame into a sink, its payload in pieces.
#[derive(Debug)]
pub struct Writer<F: FnMut(u8)> {
    sink: F,
    sum: u8,
}

impl<F: FnMut(u8)> Writer<F> {
    /// Writes the head of a frame whose payload will be `len` bytes long, at most [`MAX_PAYLOAD`].
    #[inline]
    #[must_use = "a frame has an end"]
    pub fn begin(mut sink: F, command: Command, sn: u8, flags: u16, len: usize) -> Self {
        sink(0xff);
        sink(0xff);
        let mut writer = Writer { sink, sum: 0 };
        let [high, low] = (len as u16).wrapping_add(5).to_be_bytes();
        let [flags_high, flags_low] = flags.to_be_bytes();
        writer.put(&[high, low, command.0, sn, flags_high, flags_low]);
        writer
    }

    /// Writes a piece of the payload.
    pub fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.sum = self.sum.wrapping_add(*byte);
            self.stuffed(*byte);
        }
    }

    /// Writes the checksum.
    #[inline]
    pub fn end(mut self) {
        self.stuffed(self.sum);
    }

    #[inline]
    fn stuffed(&mut self, byte: u8) {
        (self.sink)(byte);
        if byte == 0xff {
            (self.sink)(STUFFING);
        }
    }
}

/// Writes a frame whose payload comes in pieces: one function for all that a link sends.
pub(crate) fn write(command: Command, sn: u8, pieces: &[&[u8]], sink: &mut dyn FnMut(u8)) {
    let lens = pieces.iter().map(|piece| piece.len());
    let len = lens.fold(0, usize::wrapping_add);
    let mut writer = Writer::begin(sink, command, sn, 0, len);
    for piece in pieces {
        writer.put(piece);
    }
    writer.end();
}
