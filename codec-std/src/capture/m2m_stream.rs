//! The M2M frames of a stream.

use gizwits_codec_core::m2m::{self, Event, PREFIX};
use gizwits_codec_core::{self as core, ErrorKind};

use super::piece::{Garbage, Piece};
use crate::error::{Error, counted};

/// A stream of M2M frames, which arrives in pieces of any size: TCP segments, lines of a dump, blocks of a file.
///
/// The pieces that a stream passes on do not depend on how it was cut. Bytes before a frame, between frames and after
/// them are passed on as errors, and the search goes on at the next header. A service message has no length: its bytes
/// are those up to the next header.
///
/// ```
/// use gizwits_codec_std::capture::M2mStream;
///
/// let mut seen = Vec::new();
/// let mut stream = M2mStream::new();
/// let mut each = |piece: gizwits_codec_std::capture::Piece<'_, ()>| {
///     seen.push((piece.offset, piece.bytes.len(), piece.frame.err().map(|error| error.kind)));
/// };
/// stream.push(b"noise\0\0\0\x03\x04\0", &mut each);
/// stream.push(b"\0\x90\x02\0\0\0\x03\x03\0\0\x15\0\0\0\x03\x04", &mut each);
/// stream.finish(&mut each);
/// assert_eq!(
///     seen,
///     [(0, 5, Some("garbage")), (5, 9, None), (14, 8, None), (22, 5, Some("incomplete"))],
/// );
/// ```
#[derive(Debug, Default)]
pub struct M2mStream {
    /// The bytes that may still become a frame.
    bytes: Vec<u8>,
    /// The offset of the first of them in the stream.
    offset: u64,
    garbage: Garbage,
    /// The bytes of a service message whose end is not known yet, and its offset.
    service: Option<(u64, Vec<u8>)>,
}

/// The maximum length of a frame or of a service message in a stream.
const LIMIT: usize = m2m::DEFAULT_LIMIT;

impl M2mStream {
    /// Creates a stream at its beginning.
    #[must_use]
    pub fn new() -> Self {
        M2mStream::default()
    }

    /// Takes the next bytes and passes on the pieces that they complete.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(Piece<'_, ()>)) {
        self.bytes.extend(bytes);
        let mut at = 0;
        loop {
            let rest = self.bytes.get(at..).unwrap_or(&[]);
            let found = m2m::scan(rest, LIMIT);
            let (begin, end) = (at + found.skipped, at + found.consumed);
            let is_service = found
                .event
                .map(|event| matches!(event, Event::Service { .. }));
            self.skip(at, begin, each);
            at = end;
            let Some(is_service) = is_service else {
                break;
            };
            self.flush(each);
            let (offset, bytes) = (self.offset + begin as u64, self.bytes.get(begin..end));
            let bytes = bytes.unwrap_or(&[]);
            match is_service {
                true => self.service = Some((offset, bytes.to_vec())),
                false => each(Piece {
                    offset,
                    bytes,
                    frame: Ok(()),
                }),
            }
        }
        self.drop_first(at);
    }

    /// Passes on what is left at the end of the stream. The stream is then empty and at offset 0.
    pub fn finish(&mut self, each: &mut dyn FnMut(Piece<'_, ()>)) {
        while self.bytes.len() >= PREFIX.len() {
            // A frame of a wrong length may contain whole frames.
            let next = self.frame_after_first();
            let end = next.unwrap_or(self.bytes.len());
            self.flush(each);
            let error = self.incomplete(next);
            each(Piece {
                offset: self.offset,
                bytes: self.bytes.get(..end).unwrap_or(&[]),
                frame: Err(error),
            });
            self.drop_first(end);
            self.push(&[], each);
        }
        self.skip(0, self.bytes.len(), each);
        self.flush(each);
        *self = M2mStream::new();
    }

    /// Whether bytes that come next can belong to a frame: a frame is incomplete, or the bytes have a header, whose first
    /// bytes may already be in the stream.
    pub(super) fn continues(&self, bytes: &[u8]) -> bool {
        let is_header = |window: &[u8]| window == PREFIX;
        self.bytes.starts_with(&PREFIX)
            || [self.bytes.as_slice(), bytes]
                .concat()
                .windows(PREFIX.len())
                .any(is_header)
    }

    /// The index of the first complete frame after the first byte.
    fn frame_after_first(&self) -> Option<usize> {
        let mut from = 1;
        loop {
            let rest = self.bytes.get(from..)?;
            let found = m2m::scan(rest, LIMIT);
            match found.event {
                Some(Event::Frame(_)) => return Some(from + found.skipped),
                Some(Event::Service { .. }) => from += found.consumed,
                None if found.consumed < rest.len() => from += found.consumed + 1,
                None => return None,
            }
        }
    }

    /// The error of the frame at the start of the bytes, which ends with the stream or before this frame.
    fn incomplete(&self, next: Option<usize>) -> Error {
        let parsed = m2m::parse(&self.bytes, LIMIT);
        let missing = match parsed {
            Err(core::Error {
                kind: ErrorKind::Incomplete { missing },
                ..
            }) => missing as usize,
            _ => 0,
        };
        let missing = counted(missing, "byte");
        let message = match next {
            None => format!("the stream ends within an M2M frame: {missing} missing"),
            Some(len) => format!(
                "an M2M frame ends after {}, where the next frame begins: its length requires more",
                counted(len, "byte")
            ),
        };
        Error::new("incomplete", message)
    }

    /// Takes bytes that belong to no frame.
    fn skip(&mut self, from: usize, to: usize, each: &mut dyn FnMut(Piece<'_, ()>)) {
        let skipped = self.bytes.get(from..to).unwrap_or(&[]);
        if skipped.is_empty() {
            return;
        }
        let mut behind = 0;
        if let Some((offset, message)) = &mut self.service {
            behind = skipped.len().min(LIMIT - message.len());
            message.extend(skipped.iter().take(behind));
            if behind < skipped.len() {
                each(Piece {
                    offset: *offset,
                    bytes: message,
                    frame: Ok(()),
                });
                self.service = None;
            }
        }
        let skipped = skipped.get(behind..).unwrap_or(&[]);
        if !skipped.is_empty() {
            let offset = self.offset + (from + behind) as u64;
            self.garbage.add(offset, skipped);
        }
    }

    /// Passes on the service message or the garbage so far.
    fn flush(&mut self, each: &mut dyn FnMut(Piece<'_, ()>)) {
        if let Some((offset, bytes)) = self.service.take() {
            each(Piece {
                offset,
                bytes: &bytes,
                frame: Ok(()),
            });
        }
        self.garbage.flush(each);
    }

    fn drop_first(&mut self, bytes: usize) {
        self.bytes.drain(..bytes);
        self.offset += bytes as u64;
    }
}
