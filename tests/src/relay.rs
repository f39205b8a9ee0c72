//! A TCP connection over a bad network, on a clock that the test moves.

use std::collections::VecDeque;
use std::time::Duration;

use crate::arbitrary::Draw;

/// The faults of a network. A chance is a percentage of what is sent at a time, which is usually a frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The maximum delay, in milliseconds.
    pub delay: u32,
    /// The chance that the bytes arrive in pieces, often of one byte.
    pub pieces: u32,
    /// The chance that garbage arrives first.
    pub garbage: u32,
    /// The chance that the connection is cut after some of the bytes, and both sides are told.
    pub cut: u32,
    /// The chance that nothing arrives from now on, and neither side is told.
    pub half_open: u32,
}

impl Faults {
    /// Draws the faults of a network that works most of the time.
    pub fn draw(draw: &mut Draw<'_>) -> Self {
        Faults {
            delay: draw.pick(&[0, 20, 400, 3000]),
            pieces: draw.pick(&[0, 30, 100]),
            garbage: draw.pick(&[0, 20]),
            cut: draw.pick(&[0, 2, 20]),
            half_open: draw.pick(&[0, 1, 5]),
        }
    }
}

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The side that has connected.
    Client,
    /// The side that has accepted the connection.
    Device,
}

/// An arrival at a side.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Bytes in one piece.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
        /// The units, each sent at a time, whose last byte is in this piece, in order.
        whole: Vec<Vec<u8>>,
    },
    /// The connection is closed.
    Closed,
}

/// A piece of bytes on its way. No bytes are the end of the connection.
#[derive(Debug)]
struct Piece {
    at: Duration,
    bytes: Vec<u8>,
    /// The unit, sent at a time, whose last byte is in this piece.
    whole: Option<Vec<u8>>,
}

/// A connection. Bytes arrive in their order, as TCP has it.
#[derive(Debug, Default)]
pub struct Relay {
    to_client: VecDeque<Piece>,
    to_device: VecDeque<Piece>,
    is_cut: bool,
    is_half_open: bool,
}

impl Relay {
    fn queue(&mut self, to: Side) -> &mut VecDeque<Piece> {
        match to {
            Side::Client => &mut self.to_client,
            Side::Device => &mut self.to_device,
        }
    }

    /// Takes bytes for a side.
    pub fn send(
        &mut self,
        to: Side,
        bytes: &[u8],
        now: Duration,
        faults: Faults,
        draw: &mut Draw<'_>,
    ) {
        if self.is_cut || self.is_half_open {
            return;
        }
        self.is_half_open = draw.chance(faults.half_open);
        if self.is_half_open {
            return;
        }
        let delay = Duration::from_millis(draw.below(faults.delay + 1).into());
        let last = self.queue(to).back().map_or(now, |last| last.at);
        let mut at = last.max(now + delay);
        if draw.chance(faults.garbage) {
            // No byte is 0, so that no header is in it.
            let len = 1 + draw.below(30) as usize;
            let garbage = draw.bytes(len).into_iter().map(|byte| byte | 0x80);
            self.queue(to).push_back(Piece {
                at,
                bytes: garbage.collect(),
                whole: None,
            });
        }
        self.is_cut = draw.chance(faults.cut);
        let arriving = match self.is_cut {
            true => &bytes[..draw.below(bytes.len() as u32) as usize],
            false => bytes,
        };
        let size = match draw.chance(faults.pieces) {
            true => draw.pick(&[1, 1, 3, 7]),
            false => bytes.len(),
        };
        let pause = Duration::from_millis(draw.below(3).into());
        let mut left = bytes.len();
        for piece in arriving.chunks(size) {
            left -= piece.len();
            self.queue(to).push_back(Piece {
                at,
                bytes: piece.to_vec(),
                whole: (left == 0).then(|| bytes.to_vec()),
            });
            at += pause;
        }
        if self.is_cut {
            self.end(to, at);
            self.end(
                match to {
                    Side::Client => Side::Device,
                    Side::Device => Side::Client,
                },
                at,
            );
        }
    }

    fn end(&mut self, to: Side, at: Duration) {
        let last = self.queue(to).back().map_or(at, |last| last.at);
        self.queue(to).push_back(Piece {
            at: last.max(at),
            bytes: Vec::new(),
            whole: None,
        });
    }

    /// Closes the connection for a side, after the bytes that are on their way.
    pub fn close(&mut self, to: Side, now: Duration) {
        if !self.is_cut && !self.is_half_open {
            self.is_cut = true;
            self.end(to, now);
        }
    }

    /// Returns the time of the next arrival at any side.
    pub fn next(&self) -> Option<Duration> {
        let queues = [&self.to_client, &self.to_device];
        queues
            .iter()
            .filter_map(|queue| Some(queue.front()?.at))
            .min()
    }

    /// Returns what has arrived at a side, all pieces that are there in one.
    pub fn arrival(&mut self, at: Side, now: Duration) -> Option<Arrival> {
        let queue = self.queue(at);
        let (mut bytes, mut whole) = (Vec::new(), Vec::new());
        while let Some(piece) =
            queue.pop_front_if(|piece| piece.at <= now && !piece.bytes.is_empty())
        {
            bytes.extend(piece.bytes);
            whole.extend(piece.whole);
        }
        if !bytes.is_empty() {
            return Some(Arrival::Bytes { bytes, whole });
        }
        let end = queue.pop_front_if(|piece| piece.at <= now)?;
        debug_assert!(end.bytes.is_empty());
        Some(Arrival::Closed)
    }
}
