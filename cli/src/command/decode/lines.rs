//! The lines of an input, counted while they are decoded.

use std::cell::Cell;
use std::io::{self, BufRead as _, BufReader, Read};

/// The position in an input of lines, which its reader and the answers share.
#[derive(Default)]
pub(super) struct Position {
    /// The number of the present line, from 1. 0 if the input has no lines, or has not been read.
    pub(super) line: Cell<u64>,
    /// The length of the present line in bytes, as far as it was read.
    pub(super) len: Cell<usize>,
    /// Whether another line was read already, so that the next one does not wait.
    pub(super) has_more: Cell<bool>,
}

/// A reader that returns at most one line for each read, so that nobody has read beyond the present line.
pub(super) struct Lines<'p, R> {
    input: BufReader<R>,
    position: &'p Position,
    /// Whether the last read ended with the end of a line, or is the first.
    is_at_start: bool,
}

impl<'p, R: Read> Lines<'p, R> {
    pub(super) fn new(input: R, position: &'p Position) -> Self {
        position.line.set(0);
        Lines {
            input: BufReader::with_capacity(1 << 16, input),
            position,
            is_at_start: true,
        }
    }
}

impl<R: Read> Read for Lines<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ready = self.input.fill_buf()?;
        let end = ready.iter().position(|byte| *byte == b'\n');
        let len = end.map_or(ready.len(), |end| end + 1).min(out.len());
        let (Some(line), Some(out)) = (ready.get(..len), out.get_mut(..len)) else {
            return Ok(0);
        };
        out.copy_from_slice(line);
        let is_end = line.ends_with(b"\n");
        self.input.consume(len);
        let Position {
            line,
            len: line_len,
            has_more,
        } = self.position;
        if std::mem::replace(&mut self.is_at_start, is_end) && len > 0 {
            line.set(line.get() + 1);
            line_len.set(0);
        }
        line_len.set(line_len.get() + len);
        has_more.set(self.input.buffer().contains(&b'\n'));
        Ok(len)
    }
}
