//! M2M frames over byte streams of tokio.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use gizwits_codec_core::m2m::{self, Event, Frame};
use tokio_util::codec::{Decoder, Encoder};

use crate::error::counted;

/// An M2M frame that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct M2mFrame {
    /// The flag byte. Bit 0 is set if the frame has a did.
    pub flag: u8,
    /// The command, which determines the contents of the body.
    pub command: u16,
    /// The sequence number, which only the commands 0x0093 and 0x0094 have.
    pub sn: Option<u32>,
    /// The id of the device.
    pub did: Option<Bytes>,
    /// The body. For the commands 0x0090, 0x0091, 0x0093 and 0x0094 it is a P0.
    pub body: Bytes,
}

impl M2mFrame {
    /// Returns the frame as the core's type, which borrows the bytes.
    #[must_use]
    pub fn as_frame(&self) -> Frame<'_> {
        Frame {
            flag: self.flag,
            command: self.command,
            sn: self.sn,
            did: self.did.as_deref(),
            body: &self.body,
        }
    }
}

/// A codec for tokio's `Framed` that reads and writes M2M frames. Garbage and the service messages of MQTT
/// are skipped.
///
/// ```
/// use bytes::BytesMut;
/// use gizwits_codec_std::M2mCodec;
/// use tokio_util::codec::Decoder;
///
/// let mut stream = BytesMut::from(&b"noise\0\0\0\x03\x04\0\0\x90\x02\0\0"[..]);
/// let frame = M2mCodec::new().decode(&mut stream)?.expect("a complete frame");
/// assert_eq!((frame.command, &frame.body[..]), (0x0090, &[0x02][..]));
/// assert_eq!(&stream[..], b"\0\0", "possibly the beginning of the next frame");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct M2mCodec {
    limit: usize,
}

impl M2mCodec {
    /// Returns a codec for frames of at most 128 KiB.
    #[must_use]
    pub fn new() -> Self {
        M2mCodec {
            limit: m2m::DEFAULT_LIMIT,
        }
    }

    /// Sets the maximum length of a frame in bytes. Longer frames are skipped as garbage. Default: 128 KiB.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

impl Default for M2mCodec {
    fn default() -> Self {
        M2mCodec::new()
    }
}

impl Decoder for M2mCodec {
    type Item = M2mFrame;
    type Error = io::Error;

    fn decode(&mut self, stream: &mut BytesMut) -> io::Result<Option<M2mFrame>> {
        loop {
            let found = m2m::scan(stream, self.limit);
            let Some(Event::Frame(frame)) = found.event else {
                let is_service = found.event.is_some();
                stream.advance(found.consumed);
                match is_service {
                    true => continue,
                    false => return Ok(None),
                }
            };
            let (flag, command, sn) = (frame.flag, frame.command, frame.sn);
            let (did_len, body_len) = (frame.did.map(<[u8]>::len), frame.body.len());
            // The did and then the body are the last of the consumed bytes.
            stream.advance(found.consumed - body_len - did_len.unwrap_or(0));
            let did = did_len.map(|len| stream.split_to(len).freeze());
            let body = stream.split_to(body_len).freeze();
            return Ok(Some(M2mFrame {
                flag,
                command,
                sn,
                did,
                body,
            }));
        }
    }

    /// Returns `UnexpectedEof` if the stream ends with an incomplete frame or garbage.
    fn decode_eof(&mut self, stream: &mut BytesMut) -> io::Result<Option<M2mFrame>> {
        match self.decode(stream)? {
            Some(frame) => Ok(Some(frame)),
            None if stream.is_empty() => Ok(None),
            None => {
                let have = counted(stream.len(), "byte");
                let message = format!("the stream ends within an M2M frame, after {have} of it");
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, message))
            }
        }
    }
}

impl Encoder<Frame<'_>> for M2mCodec {
    type Error = io::Error;

    fn encode(&mut self, frame: Frame<'_>, stream: &mut BytesMut) -> io::Result<()> {
        let start = stream.len();
        // 24 bytes are enough for prefix, length, flag, command, sn and the length of the did.
        let room = frame.body.len() + frame.did.map_or(0, <[u8]>::len) + 24;
        stream.resize(start + room, 0);
        let encoded = frame.encode(&mut stream[start..]);
        stream.truncate(start + encoded.unwrap_or(0));
        encoded.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(())
    }
}

impl Encoder<M2mFrame> for M2mCodec {
    type Error = io::Error;

    fn encode(&mut self, frame: M2mFrame, stream: &mut BytesMut) -> io::Result<()> {
        self.encode(frame.as_frame(), stream)
    }
}
