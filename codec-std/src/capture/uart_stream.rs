//! The UART frames of a serial line.

use gizwits_codec_core::ErrorKind;
use gizwits_codec_core::uart::{self, Frame};

use super::piece::{Garbage, Piece};
use crate::error::{Error, counted};

/// A stream of UART frames, which arrives in pieces of any size.
///
/// The pieces that a stream passes on do not depend on how it was cut. A frame with a wrong checksum, an incomplete frame
/// and bytes outside of frames are passed on as errors, and the search goes on at the next header.
///
/// ```
/// use gizwits_codec_std::capture::{Piece, UartStream};
/// use gizwits_codec_std::core::uart::Frame;
///
/// let mut seen = Vec::new();
/// let mut stream = UartStream::new();
/// let mut each = |piece: Piece<'_, Frame<'_>>| {
///     let frame = piece.frame.map(|frame| frame.sn);
///     seen.push((piece.offset, frame.map_err(|error| error.message)));
/// };
/// stream.push(b"\xff\xff\0\x05\x07\x02\0\0\x0e\xff\xff\0", &mut each);
/// stream.push(b"\x05\x07\x03\0\0\x0e", &mut each);
/// stream.finish(&mut each);
/// let wrong = "wrong checksum: expected 0x0f, found 0x0e".to_owned();
/// assert_eq!(seen, [(0, Ok(2)), (9, Err(wrong))]);
/// ```
#[derive(Debug)]
pub struct UartStream {
    /// The bytes that may still become a frame.
    bytes: Vec<u8>,
    /// The offset of the first of them in the stream.
    offset: u64,
    /// Whether the first byte is also the last byte of the frame before it.
    is_shared: bool,
    /// The number of bytes without which the frame at the start can't be complete.
    needed: usize,
    garbage: Garbage,
    /// The content of one frame without stuffing.
    content: Box<[u8]>,
}

impl Default for UartStream {
    fn default() -> Self {
        UartStream::new()
    }
}

/// A function that gets the pieces of a stream.
type Each<'e> = dyn FnMut(Piece<'_, Frame<'_>>) + 'e;

impl UartStream {
    /// Creates a stream at its beginning.
    #[must_use]
    pub fn new() -> Self {
        UartStream {
            bytes: Vec::new(),
            offset: 0,
            is_shared: false,
            needed: 0,
            garbage: Garbage::default(),
            content: vec![0; uart::MAX_PAYLOAD + uart::Decoder::OVERHEAD].into(),
        }
    }

    /// Takes the next bytes and passes on the pieces that they complete.
    pub fn push(&mut self, bytes: &[u8], each: &mut Each<'_>) {
        // Each frame moves the bytes behind it, so few are taken at a time.
        for piece in bytes.chunks(4096) {
            self.bytes.extend(piece);
            self.scan(false, each);
        }
    }

    /// Passes on what is left at the end of the stream. The stream is then empty and at offset 0.
    pub fn finish(&mut self, each: &mut Each<'_>) {
        self.scan(true, each);
        self.garbage.flush(each);
        (self.offset, self.is_shared, self.needed) = (0, false, 0);
        self.bytes.clear();
    }

    /// Whether bytes that come next can belong to a frame: a frame is incomplete, or the bytes have a header, whose first
    /// bytes may already be in the stream.
    pub(super) fn continues(&self, bytes: &[u8]) -> bool {
        let is_header = |window: &[u8]| matches!(window, [0xff, 0xff, next] if *next != 0xff);
        let begins = self.bytes.get(..3).is_some_and(is_header);
        begins
            || [self.bytes.as_slice(), bytes]
                .concat()
                .windows(3)
                .any(is_header)
    }

    fn scan(&mut self, is_end: bool, each: &mut Each<'_>) {
        while is_end || self.bytes.len() >= self.needed {
            self.needed = 0;
            let header = self.bytes.windows(2).position(|two| two == [0xff, 0xff]);
            let Some(header) = header else {
                // The last byte may be the first of a header.
                let kept = usize::from(!is_end && self.bytes.ends_with(&[0xff]));
                self.skip(self.bytes.len() - kept);
                return;
            };
            self.skip(header);
            match self.bytes.get(2) {
                // The last two of several ff are the header.
                Some(0xff) => {
                    let run = self.bytes.iter().take_while(|byte| **byte == 0xff);
                    self.skip(run.count() - 2);
                    continue;
                }
                None if !is_end => return,
                _ => {}
            }
            if !self.take_frame(is_end, each) {
                return;
            }
        }
    }

    /// Takes the frame at the start of the bytes. Returns false if more bytes have to arrive first.
    fn take_frame(&mut self, is_end: bool, each: &mut Each<'_>) -> bool {
        let len = self.bytes.len();
        let (mut end, frame) = match uart::parse(&self.bytes, &mut self.content) {
            Ok((frame, rest)) => (len - rest.len(), Ok(frame)),
            Err(error) => {
                let at = error.byte.unwrap_or(0) as usize;
                let (end, kind, message) = match error.kind {
                    ErrorKind::Incomplete { missing } => {
                        self.needed = len + missing as usize;
                        if !is_end {
                            return false;
                        }
                        let missing = counted(missing as usize, "byte");
                        let message = format!(
                            "the stream ends within a UART frame: at least {missing} missing"
                        );
                        (len, "incomplete", message)
                    }
                    ErrorKind::Stuffing if self.bytes.get(at) == Some(&0xff) => {
                        let bytes = counted(at - 1, "byte");
                        let message = format!(
                            "a UART frame ends after {bytes}, where the next header begins: its length requires more"
                        );
                        (at - 1, "incomplete", message)
                    }
                    ErrorKind::Stuffing => {
                        let message = "an ff within a UART frame is not followed by 55".to_owned();
                        (at + 1, "stuffing", message)
                    }
                    ErrorKind::Checksum { expected, found } => {
                        let message =
                            format!("wrong checksum: expected {expected:#04x}, found {found:#04x}");
                        (at + 1, "checksum", message)
                    }
                    _ => {
                        let message = "the UART frame has an impossible length".to_owned();
                        (at + 1, "frame_length", message)
                    }
                };
                (end, Err(Error::new(kind, message)))
            }
        };
        // An ff in place of the last byte may lack its stuffing, and may be the first byte of the next header.
        let is_whole = frame
            .as_ref()
            .map_or_else(|error| error.kind == "checksum", |_| true);
        let ends_with_ff = is_whole && self.bytes.get(end - 1) == Some(&0xff);
        let behind = self.bytes.get(end..end + 2).or(self.bytes.get(end..));
        let is_shared = match (ends_with_ff, behind.unwrap_or(&[])) {
            (true, [] | [0xff]) if !is_end => {
                // Until then nothing else can be decided.
                self.needed = len + 1;
                return false;
            }
            (true, [0xff, next, ..]) => *next != 0xff,
            _ => false,
        };
        self.garbage.flush(each);
        each(Piece {
            offset: self.offset,
            bytes: self.bytes.get(..end).unwrap_or(&[]),
            frame,
        });
        end -= usize::from(is_shared);
        self.drop_first(end);
        self.is_shared = is_shared;
        true
    }

    /// Takes bytes that belong to no frame from the start.
    fn skip(&mut self, len: usize) {
        let own = usize::from(self.is_shared).min(len);
        let skipped = self.bytes.get(own..len).unwrap_or(&[]);
        if !skipped.is_empty() {
            self.garbage.add(self.offset + own as u64, skipped);
        }
        self.drop_first(len);
    }

    fn drop_first(&mut self, len: usize) {
        if len > 0 {
            self.bytes.drain(..len);
            self.offset += len as u64;
            self.is_shared = false;
        }
    }
}
