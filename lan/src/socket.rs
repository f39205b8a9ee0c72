//! A TCP socket of tokio, and the bytes that wait on both of its sides.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until, timeout};

/// The number of bytes that are read from the socket at a time.
const CHUNK: usize = 16 * 1024;

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    outgoing: BytesMut,
    incoming: BytesMut,
}

/// The result of waiting for a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Bytes were written, or the deadline has come.
    Progress,
    /// The socket can take bytes, and all before them are written.
    Writable,
    /// Bytes were received.
    Received,
    /// The deadline has passed, and what has arrived until then is received.
    Late,
    /// The peer has closed the socket.
    Ended,
}

impl Socket {
    /// Connects to an address in this time.
    pub(crate) async fn connect(address: impl ToSocketAddrs, time: Duration) -> io::Result<Self> {
        let stream = timeout(time, TcpStream::connect(address)).await;
        let stream = stream.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        // A frame is small, and a person may wait for its effect.
        stream.set_nodelay(true)?;
        Ok(Socket {
            stream,
            outgoing: BytesMut::new(),
            incoming: BytesMut::with_capacity(CHUNK),
        })
    }

    /// Waits until something can be done or is done. `has_output` says whether there are bytes for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// No byte is lost if the future is dropped.
    pub(crate) async fn step(&mut self, has_output: bool, deadline: Instant) -> io::Result<Step> {
        if Instant::now() >= deadline {
            // What has arrived while the program did something else is no silence. The runtime knows of it after a turn.
            yield_now().await;
            return match self.stream.try_read_buf(&mut self.incoming) {
                Ok(0) => Ok(Step::Ended),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                _ => Ok(Step::Late),
            };
        }
        let ready = poll_fn(|context| {
            // A device that never stops sending cannot keep the client from sending.
            if self.outgoing.has_remaining() {
                let written = pin!(self.stream.write_buf(&mut self.outgoing)).poll(context);
                if written?.is_ready() {
                    return Poll::Ready(Ok(Step::Progress));
                }
            } else if has_output && self.stream.poll_write_ready(context)?.is_ready() {
                return Poll::Ready(Ok(Step::Writable));
            }
            let read = pin!(self.stream.read_buf(&mut self.incoming)).poll(context)?;
            read.map(|len| match len {
                0 => Ok(Step::Ended),
                _ => Ok(Step::Received),
            })
        });
        tokio::select! {
            biased;
            step = ready => step,
            () = sleep_until(deadline) => Ok(Step::Progress),
        }
    }

    /// Writes bytes, and keeps those that the system does not take for the next [`step`](Self::step).
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.outgoing.extend_from_slice(bytes);
        match self.stream.try_write(&self.outgoing) {
            Ok(len) => self.outgoing.advance(len),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Passes on the received bytes and removes them.
    pub(crate) fn take(&mut self, take: impl FnOnce(&[u8])) {
        take(&self.incoming);
        self.incoming.clear();
        self.incoming.reserve(CHUNK);
    }

    /// Closes the socket. Bytes that the peer has not acknowledged are not sent again: a control must not arrive after the
    /// client has given it up.
    pub(crate) fn abort(self) {
        // A socket that is closed already has nothing to send.
        let _ = self.stream.set_zero_linger();
    }
}

/// Returns a time after another one. A time that the clock cannot tell is 30 years away.
pub(crate) fn later(start: Instant, time: Duration) -> Instant {
    let far = Duration::from_secs(30 * 365 * 24 * 3600);
    start.checked_add(time.min(far)).unwrap_or(start)
}
