//! Inputs, cut into blocks of whole lines.
//!
//! A block may end one input and begin the next. What can't be a line, because it is too long or
//! because the input is damaged, is a part of its own, so that it is told in its place.

use std::io;
use std::sync::Arc;

use super::Source;
use super::block::{Block, Bounds, Origin, PartKind, SAMPLE};
use super::input::{CHUNK, Input};
use super::pages::PageEvent;

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

    /// Fills a block; false if nothing is left.
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
            let read = match &input.pages {
                None => lines(input, block, &self.bounds),
                Some(_) => pages(input, block, &self.bounds),
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
    /// Not just now, as it seems.
    Wait,
    No,
}

/// Takes lines over until the block is full.
fn lines(input: &mut Input, block: &mut Block, bounds: &Bounds) -> io::Result<More> {
    block.part(&input.origin, input.line, PartKind::Lines);
    let first = block.lines;
    // Behind the last line that has its end, and behind all that was looked through.
    let mut ended = block.bytes.len();
    let mut seen = ended;
    block.bytes.append(&mut input.carry);
    // Behind all that was read: there is room for more, which is made once.
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
        // The end that is to come may have two bytes, one of which is here.
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
        // So much goes past the buffer of the reader.
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
    // The last line of an input may lack its end.
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

/// Passes over the rest of a line that began at `begun` and is too long.
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

/// Takes objects of the API's pages over until the block is full: each becomes a line.
fn pages(input: &mut Input, block: &mut Block, bounds: &Bounds) -> io::Result<More> {
    let limit = bounds.line;
    let Some(pages) = &mut input.pages else {
        return Ok(More::No);
    };
    let chunk = loop {
        match input.reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            chunk => break chunk?,
        }
    };
    if chunk.is_empty() {
        return match (pages.depth, pages.inside) {
            (0, false) => Ok(More::No),
            _ => Err(io::Error::other("the page ends within itself")),
        };
    }
    let mut taken = 0;
    for &byte in chunk {
        taken += 1;
        let line = input.line;
        input.line += u64::from(byte == b'\n');
        match pages.step(byte, line, limit) {
            None => {}
            Some(PageEvent::Stray(what)) => {
                block.part(&input.origin, line, PartKind::Damaged(what));
            }
            Some(PageEvent::Object) => {
                let is_long = pages.len > limit as u64;
                let kind = match is_long {
                    true => PartKind::Long(pages.len),
                    false => PartKind::Lines,
                };
                block.part(&input.origin, pages.line, kind);
                if is_long {
                    pages.object.truncate(SAMPLE);
                } else {
                    pages.object.push(b'\n');
                }
                block.bytes.append(&mut pages.object);
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
