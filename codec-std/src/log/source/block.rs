//! Blocks of whole lines.

use std::sync::Arc;

/// Lines of one or several inputs.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    /// The parts of the bytes; each ends where the next begins.
    pub(crate) parts: Vec<Part>,
    /// How many whole lines there are; other parts count for themselves.
    pub(super) lines: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) start: usize,
    /// The input.
    pub(crate) origin: Arc<Origin>,
    /// The number of its first line, from 1.
    pub(crate) line: u64,
    pub(crate) what: PartKind,
}

/// The name of an input, and its device if all of its records are of one.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) name: String,
    pub(crate) did: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum PartKind {
    /// Whole lines.
    Lines,
    /// The head of a line that is so long.
    Long(u64),
    /// An input that can't be read on, and why.
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
    /// About how many bytes a block has.
    pub(crate) bytes: usize,
    /// The most lines of a block: what is made of each takes memory, however short it is.
    pub(crate) lines: usize,
    /// The longest line.
    pub(crate) line: usize,
    /// Whether what there is goes on at once.
    pub(crate) eager: bool,
}

impl Bounds {
    /// Whether a block is full that has so many bytes.
    pub(super) fn reached(&self, block: &Block, bytes: usize) -> bool {
        bytes >= self.bytes || block.lines + block.parts.len() >= self.lines
    }

    /// Whether what there is goes on, since no more than this could be read.
    pub(super) fn waits(&self, read: usize) -> bool {
        self.eager && read < 1 << 15
    }
}

/// How much of a record that is too long is shown.
pub(crate) const SAMPLE: usize = 4096;
