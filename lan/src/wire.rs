//! The bytes of a connection, in both directions.

use std::collections::VecDeque;

use bytes::{Buf as _, Bytes, BytesMut};
use gizwits_codec_core::m2m::{self, Event, Frame, Message};
use gizwits_codec_core::{Error, ErrorKind};

/// The maximum length of a frame, in bytes after its length field: 128 KiB. Every P0 of a valid definition is shorter.
pub const MAX_FRAME: usize = m2m::DEFAULT_LIMIT;

/// The maximum number of frames that wait to be sent. A peer can make a session answer, and more answers are not kept.
const MAX_WAITING: usize = 256;

/// Returns the frame of a message.
pub(crate) fn encoded(message: &Message<'_>) -> Result<Bytes, Error> {
    let mut frame = vec![0; 64];
    let mut result = message.encode(&mut frame);
    if let Err(Error {
        kind: ErrorKind::OutOfSpace { needed },
        ..
    }) = result
    {
        frame.resize(needed as usize, 0);
        result = message.encode(&mut frame);
    }
    frame.truncate(result?);
    Ok(frame.into())
}

/// The received bytes that are no whole frame yet.
#[derive(Debug, Default)]
pub(crate) struct Input {
    buffer: BytesMut,
}

/// A part of the received bytes.
pub(crate) enum Piece<'b> {
    /// A frame.
    Frame(Frame<'b>),
    /// Bytes that belong to no frame, and their number.
    Skipped(usize),
}

impl Input {
    /// Takes the bytes and passes on each frame that is complete. At most [`MAX_FRAME`] bytes and a prefix are kept.
    pub(crate) fn receive(&mut self, bytes: &[u8], mut piece: impl FnMut(Piece<'_>)) {
        self.buffer.extend_from_slice(bytes);
        loop {
            let scan = m2m::scan(&self.buffer, MAX_FRAME);
            if scan.skipped > 0 {
                piece(Piece::Skipped(scan.skipped));
            }
            let is_event = scan.event.is_some();
            if let Some(Event::Frame(frame)) = scan.event {
                piece(Piece::Frame(frame));
            }
            self.buffer.advance(scan.consumed);
            if !is_event {
                return;
            }
        }
    }

    /// The number of bytes that are kept.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len()
    }
}

/// The frames that wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// The frames, and the sequence number of the request that a frame is.
    frames: VecDeque<(Option<u32>, Bytes)>,
}

impl Output {
    /// Appends the frame of a message. Drops it if it has no valid frame or too many frames wait, and returns whether it was
    /// kept.
    pub(crate) fn send(&mut self, message: &Message<'_>) -> bool {
        self.push(None, message)
    }

    /// Appends the frame of a request with this sequence number, like [`send`](Self::send).
    pub(crate) fn request(&mut self, sn: u32, message: &Message<'_>) -> bool {
        self.push(Some(sn), message)
    }

    fn push(&mut self, sn: Option<u32>, message: &Message<'_>) -> bool {
        match encoded(message) {
            Ok(frame) if self.frames.len() < MAX_WAITING => {
                self.frames.push_back((sn, frame));
                true
            }
            _ => false,
        }
    }

    /// Returns whether no frame waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Removes the frame that waits longest, and returns it with the sequence number of its request.
    pub(crate) fn next(&mut self) -> Option<(Option<u32>, Bytes)> {
        self.frames.pop_front()
    }
}
