//! The other end of a link: a Wi-Fi module, and a line that loses, doubles, inserts and flips.
//!
//! It has a decoder of its own and shares nothing with the codec.

use std::collections::VecDeque;

use crate::uart::wire;

/// How long it waits for an acknowledgement, and how often it sends.
const RESEND: u32 = 200;
const TRIES: u32 = 3;

/// A frame, as [`Module::frames`] has them: command, sn, payload.
pub type Seen = (u8, u8, Vec<u8>);

/// A module: it sends what it is told to, again until that is acknowledged, and acknowledges reports.
#[derive(Debug, Default)]
pub struct Module {
    /// The content of the frame that comes in; `None` outside of one.
    content: Option<Vec<u8>>,
    ff: bool,
    queue: VecDeque<(u8, Vec<u8>)>,
    waiting: Option<Waiting>,
    sn: u8,
    /// All frames that came whole, in order.
    pub frames: Vec<Seen>,
    /// What was acknowledged: command and payload, with the payload of the acknowledgement.
    pub acked: Vec<(u8, Vec<u8>, Vec<u8>)>,
    /// What was given up.
    pub lost: Vec<(u8, Vec<u8>)>,
}

#[derive(Debug)]
struct Waiting {
    command: u8,
    sn: u8,
    payload: Vec<u8>,
    tries: u32,
    since: u32,
}

impl Module {
    /// Sends a frame once those before it are acknowledged or given up.
    pub fn send(&mut self, command: u8, payload: &[u8]) {
        self.queue.push_back((command, payload.to_vec()));
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_none() && self.queue.is_empty()
    }

    /// The payload of the last report.
    #[must_use]
    pub fn report(&self) -> Option<&[u8]> {
        let report = self
            .frames
            .iter()
            .rev()
            .find(|(command, ..)| *command == 0x05);
        report.map(|(_, _, payload)| &payload[..])
    }

    /// What is due at a time in ms, as it goes over the line.
    pub fn poll(&mut self, now: u32) -> Vec<u8> {
        if let Some(waiting) = &mut self.waiting {
            if now.wrapping_sub(waiting.since) < RESEND {
                return Vec::new();
            }
            if waiting.tries < TRIES {
                waiting.tries += 1;
                waiting.since = now;
                return wire(waiting.command, waiting.sn, 0, &waiting.payload);
            }
            let waiting = self.waiting.take().expect("it waits");
            self.lost.push((waiting.command, waiting.payload));
        }
        let Some((command, payload)) = self.queue.pop_front() else {
            return Vec::new();
        };
        self.sn = self.sn.wrapping_add(1);
        let sent = wire(command, self.sn, 0, &payload);
        self.waiting = Some(Waiting {
            command,
            sn: self.sn,
            payload,
            tries: 1,
            since: now,
        });
        sent
    }

    /// Takes a byte; returns what it answers.
    pub fn receive(&mut self, byte: u8) -> Vec<u8> {
        let ff = std::mem::replace(&mut self.ff, byte == 0xff);
        let byte = match (ff, byte) {
            (true, 0xff) => {
                self.content = Some(Vec::new());
                self.ff = false;
                return Vec::new();
            }
            (false, 0xff) => return Vec::new(),
            (true, 0x55) => 0xff,
            (true, _) => {
                self.content = None;
                return Vec::new();
            }
            (false, byte) => byte,
        };
        let Some(content) = &mut self.content else {
            return Vec::new();
        };
        content.push(byte);
        let [high, low, ..] = content[..] else {
            return Vec::new();
        };
        let total = usize::from(u16::from_be_bytes([high, low])) + 2;
        if !(7..1024).contains(&total) {
            self.content = None;
        } else if content.len() == total {
            let content = self.content.take().expect("it is there");
            let (body, sum) = content.split_at(content.len() - 1);
            if body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) == sum[0] {
                return self.frame(content[2], content[3], &body[6..]);
            }
        }
        Vec::new()
    }

    fn frame(&mut self, command: u8, sn: u8, payload: &[u8]) -> Vec<u8> {
        self.frames.push((command, sn, payload.to_vec()));
        if let Some(waiting) = &self.waiting
            && (waiting.command + 1, waiting.sn) == (command, sn)
        {
            let waiting = self.waiting.take().expect("it waits");
            self.acked
                .push((waiting.command, waiting.payload, payload.to_vec()));
        }
        match command {
            0x05 | 0x09 | 0x0b | 0x13 | 0x15 | 0x29 => wire(command + 1, sn, 0, &[]),
            0x17 => wire(
                0x18,
                sn,
                0,
                &[7, 0xea, 11, 24, 10, 30, 45, 0x6a, 0x2b, 0x3c, 0x4d],
            ),
            0x21 => wire(
                0x22,
                sn,
                0,
                &[&[payload.first().copied().unwrap_or(0)][..], &[b'0'; 64]].concat(),
            ),
            _ => Vec::new(),
        }
    }
}

/// A line that isn't good: how many of 100,000 bytes are lost, doubled, have another before them, have a bit
/// flipped.
#[derive(Clone, Copy, Debug)]
pub struct Noise(pub [u32; 4]);

impl Noise {
    /// None.
    pub const NONE: Noise = Noise([0; 4]);

    /// What becomes of a byte, and whether it is still itself.
    pub fn pass(self, byte: u8, chance: &mut impl FnMut(u32) -> u32) -> (Vec<u8>, bool) {
        let [lose, double, insert, flip] = self.0;
        let at = chance(100_000);
        if at < lose {
            (vec![], false)
        } else if at < lose + double {
            (vec![byte, byte], false)
        } else if at < lose + double + insert {
            (vec![chance(256) as u8, byte], false)
        } else if at < lose + double + insert + flip {
            (vec![byte ^ 1 << chance(8)], false)
        } else {
            (vec![byte], true)
        }
    }
}
