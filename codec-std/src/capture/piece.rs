//! A frame or other bytes of a stream.

use crate::error::{Error, counted};
use crate::message::payload;

/// A piece of a stream: a frame, or bytes that belong to no frame.
#[derive(Debug)]
#[non_exhaustive]
pub struct Piece<'b, F> {
    /// The offset of the first byte of the piece, from the start of the stream.
    pub offset: u64,
    /// The bytes of the piece as they are in the stream. Garbage keeps its first 64 bytes.
    pub bytes: &'b [u8],
    /// The frame, or the reason why the bytes are none: `garbage`, `incomplete`, `checksum`, `stuffing`, or
    /// `frame_length`.
    pub frame: Result<F, Error>,
}

/// Adjacent bytes that belong to no frame.
#[derive(Debug, Default)]
pub(super) struct Garbage {
    offset: u64,
    len: u64,
    /// The first bytes.
    head: Vec<u8>,
}

/// The number of bytes of garbage that are kept.
const HEAD: usize = 64;

impl Garbage {
    /// Adds bytes that follow those so far.
    pub(super) fn add(&mut self, offset: u64, bytes: &[u8]) {
        if self.len == 0 {
            self.offset = offset;
            self.head.clear();
        }
        self.len += bytes.len() as u64;
        let room = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend(bytes.iter().take(room));
    }

    /// Passes on the garbage so far, if there is any.
    pub(super) fn flush<F>(&mut self, each: &mut dyn FnMut(Piece<'_, F>)) {
        let len = std::mem::take(&mut self.len);
        if len == 0 {
            return;
        }
        let dots = if len > HEAD as u64 { "…" } else { "" };
        let message = format!(
            "{} outside of any frame: {}{dots}",
            counted(usize::try_from(len).unwrap_or(usize::MAX), "byte"),
            payload::hex(&self.head),
        );
        each(Piece {
            offset: self.offset,
            bytes: &self.head,
            frame: Err(Error::new("garbage", message)),
        });
    }
}
