//! Cuts inputs into blocks of whole lines.
//!
//! A block may contain the end of one input and the beginning of the next. A line that is too long and the
//! damaged end of an input are parts of their own, so that rejects come in the order of the input.

use std::io;
use std::sync::Arc;

use super::Source;
use super::block::{Block, Bounds, Origin, PartKind, SAMPLE};
use super::input::{CHUNK, Input};
use super::lists::ListEvent;

/// Cuts inputs into blocks.
pub(crate) struct Cutter<I> {
    sources: I,
    current: Option<Input>,
    bounds: Bounds,
}

impl<I: Iterator<Item = Source>> Cutter<I> {
    pub(crate) fn new(sources: I, bounds: Bounds) -> Self {
        Cutter {
            sources,
            current: None,
            bounds,
        }
    }

    /// Fills a block. Returns false if all inputs have ended.
    pub(crate) fn fill(&mut self, block: &mut Block) -> bool {
        block.bytes.clear();
        block.parts.clear();
        block.lines = 0;
        while !self.bounds.reached(block, block.bytes.len()) {
            let Some(input) = &mut self.current else {
                let Some(Source { name, did, reader }) = self.sources.next() else {
                    break;
                };
                let origin = Arc::new(Origin { name, did });
                match Input::open(Arc::clone(&origin), reader) {
                    Ok(input) => self.current = Some(input),
                    Err(error) => block.part(&origin, 1, PartKind::Damaged(error.to_string())),
                }
                continue;
            };
            let read = match &input.lists {
                None => lines(input, block, &self.bounds),
                Some(_) => objects(input, block, &self.bounds),
            };
            match read {
                Ok(More::Yes) => {}
                Ok(More::Wait) => break,
                Ok(More::No) => self.current = None,
                Err(error) => {
                    let damage = PartKind::Damaged(error.to_string());
                    block.part(&input.origin, input.line, damage);
                    self.current = None;
                }
            }
        }
        !block.parts.is_empty()
    }
}

/// Whether an input has more.
enum More {
    Yes,
    /// Probably not yet: the block is passed on.
    Wait,
    No,
}

/// Appends lines of an input until the block is full.
fn lines(input: &mut Input, block: &mut Block, bounds: &Bounds) -> io::Result<More> {
    block.part(&input.origin, input.line, PartKind::Lines);
    let first = block.lines;
    // `ended` is the end of the last complete line, `seen` the end of the bytes that were searched.
    let mut ended = block.bytes.len();
    let mut seen = ended;
    block.bytes.append(&mut input.carry);
    // The end of the bytes that were read. The buffer is longer, so that it is not zeroed again for each read.
    let mut end = block.bytes.len();
    let more = loop {
        let new = &block.bytes[seen..end];
        let room = bounds.lines.saturating_sub(block.lines).max(1);
        let found = memchr::memchr_iter(b'\n', new).count();
        let last = match found > room {
            true => memchr::memchr_iter(b'\n', new).nth(room - 1),
            false => memchr::memrchr(b'\n', new),
        };
        let waits = bounds.waits(new.len());
        ended = last.map_or(ended, |last| seen + last + 1);
        seen = end;
        block.lines += found.min(room);
        if found > room {
            break Ok(More::Yes);
        }
        // One byte more than the limit is allowed: it can be the CR of a line end.
        if end - ended > bounds.line.saturating_add(1) {
            input.line += (block.lines - first) as u64;
            block.bytes.truncate(end);
            return long(input, block, ended);
        }
        if block.lines > first {
            if bounds.reached(block, end) {
                break Ok(More::Yes);
            } else if waits {
                break Ok(More::Wait);
            }
        }
        // A read of this length bypasses the buffer of `BufReader`.
        if block.bytes.len() < end + CHUNK {
            block.bytes.resize(end + CHUNK, 0);
        }
        match input.reader.read(&mut block.bytes[end..]) {
            Ok(0) => break Ok(More::No),
            Ok(read) => end = block.bytes.len().min(end + read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    block.bytes.truncate(end);
    // The last line of an input may have no line end.
    if matches!(more, Ok(More::No)) && block.bytes.len() > ended {
        block.bytes.push(b'\n');
        block.lines += 1;
        ended = block.bytes.len();
    }
    input.carry.extend_from_slice(&block.bytes[ended..]);
    block.bytes.truncate(ended);
    input.line += (block.lines - first) as u64;
    more
}

/// Skips the rest of a line that is too long. The line begins at `begun` in the block.
fn long(input: &mut Input, block: &mut Block, begun: usize) -> io::Result<More> {
    let mut len = (block.bytes.len() - begun) as u64;
    let mut last = block.bytes.last().copied();
    block.bytes.truncate(begun + SAMPLE);
    let mut sample = block.bytes.split_off(begun);
    let more = loop {
        let chunk = match input.reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => break Err(error),
            Ok([]) => break Ok(More::No),
            Ok(chunk) => chunk,
        };
        let end = memchr::memchr(b'\n', chunk);
        let rest = &chunk[..end.unwrap_or(chunk.len())];
        len += rest.len() as u64;
        last = rest.last().copied().or(last);
        sample.extend(rest.iter().take(SAMPLE - sample.len()));
        let taken = rest.len() + usize::from(end.is_some());
        input.reader.consume(taken);
        if end.is_some() {
            break Ok(More::Yes);
        }
    };
    if last == Some(b'\r') {
        len -= 1;
        sample.truncate(usize::try_from(len).unwrap_or(SAMPLE));
    }
    block.part(&input.origin, input.line, PartKind::Long(len));
    block.bytes.extend(sample);
    input.line += 1;
    more
}

/// Appends objects of lists until the block is full. Each object becomes a line.
fn objects(input: &mut Input, block: &mut Block, bounds: &Bounds) -> io::Result<More> {
    let limit = bounds.line;
    let Some(lists) = &mut input.lists else {
        return Ok(More::No);
    };
    let chunk = loop {
        match input.reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            chunk => break chunk?,
        }
    };
    if chunk.is_empty() {
        return match (lists.depth, lists.inside) {
            (0, false) => Ok(More::No),
            _ => Err(io::Error::other(
                "the list of records is incomplete: its closing bracket is missing",
            )),
        };
    }
    let mut taken = 0;
    for &byte in chunk {
        taken += 1;
        let line = input.line;
        input.line += u64::from(byte == b'\n');
        match lists.step(byte, line, limit) {
            None => {}
            Some(ListEvent::Stray(what)) => {
                block.part(&input.origin, line, PartKind::Damaged(what));
            }
            Some(ListEvent::Object) => {
                let is_long = lists.len > limit as u64;
                let kind = match is_long {
                    true => PartKind::Long(lists.len),
                    false => PartKind::Lines,
                };
                block.part(&input.origin, lists.line, kind);
                if is_long {
                    lists.object.truncate(SAMPLE);
                } else {
                    lists.object.push(b'\n');
                }
                block.bytes.append(&mut lists.object);
                if bounds.reached(block, block.bytes.len()) {
                    break;
                }
            }
        }
    }
    input.reader.consume(taken);
    Ok(match bounds.waits(taken) && !block.parts.is_empty() {
        true => More::Wait,
        false => More::Yes,
    })
}
