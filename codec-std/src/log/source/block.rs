//! Blocks of whole lines.

use std::sync::Arc;

/// A block of lines of one or several inputs.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    /// The parts of the block. Each part ends where the next begins.
    pub(crate) parts: Vec<Part>,
    /// The number of lines in parts of [`PartKind::Lines`].
    pub(super) lines: usize,
}

/// A part of a block, which belongs to one input.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) start: usize,
    /// The input of the part.
    pub(crate) origin: Arc<Origin>,
    /// The number of the first line in its input, from 1.
    pub(crate) line: u64,
    pub(crate) what: PartKind,
}

/// The name of an input, and the device that all its records belong to, if there is one.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) name: String,
    pub(crate) did: Option<String>,
}

/// The contents of a part.
#[derive(Clone, Debug)]
pub(crate) enum PartKind {
    /// Whole lines.
    Lines,
    /// The beginning of a line that is too long, with the length of the line in bytes.
    Long(u64),
    /// The end of an input that is unreadable, with the reason.
    Damaged(String),
}

impl Block {
    pub(super) fn part(&mut self, origin: &Arc<Origin>, line: u64, what: PartKind) {
        self.parts.push(Part {
            start: self.bytes.len(),
            origin: Arc::clone(origin),
            line,
            what,
        });
    }
}

/// The limits of a block and of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The approximate number of bytes of a block.
    pub(crate) bytes: usize,
    /// The maximum number of lines of a block. The output of a line takes memory even if the line is short.
    pub(crate) lines: usize,
    /// The maximum length of a line in bytes.
    pub(crate) line: usize,
    /// Whether available lines are passed on at once instead of waiting for a full block.
    pub(crate) eager: bool,
}

impl Bounds {
    /// Whether a block with this number of bytes is full.
    pub(super) fn reached(&self, block: &Block, bytes: usize) -> bool {
        bytes >= self.bytes || block.lines + block.parts.len() >= self.lines
    }

    /// Whether available lines are passed on now, because the last read returned only a few bytes.
    pub(super) fn waits(&self, read: usize) -> bool {
        self.eager && read < 1 << 15
    }
}

/// The number of bytes that a reject shows of a record that is too long.
pub(crate) const SAMPLE: usize = 4096;
