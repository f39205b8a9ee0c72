//! Inputs, cut into blocks of whole lines.
//!
//! A block may end one input and begin the next. What can't be a line, because it is too long or
//! because the input is damaged, is a part of its own, so that it is told in its place.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

/// One input: a file, standard input, anything that can be read. gzip and zstd are told by their first
/// bytes.
pub struct Source {
    /// What rejects call it.
    pub name: String,
    /// The device of all its records: those without a did are of this device, those of another are
    /// rejected.
    pub did: Option<String>,
    /// Where it comes from.
    pub reader: Box<dyn Read + Send>,
}

impl Source {
    /// An input with its name.
    pub fn new(name: impl Into<String>, reader: impl Read + Send + 'static) -> Self {
        Source {
            name: name.into(),
            did: None,
            reader: Box::new(reader),
        }
    }

    /// Says that all records of the input are of one device.
    #[must_use]
    pub fn of_device(mut self, did: impl Into<String>) -> Self {
        self.did = Some(did.into());
        self
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish()
    }
}

/// Lines of one or several inputs.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    /// What is where in the bytes; each part ends where the next begins.
    pub(crate) parts: Vec<Part>,
    /// How many whole lines there are; other parts count for themselves.
    lines: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) start: usize,
    /// The input.
    pub(crate) origin: Arc<Origin>,
    /// The number of its first line, from 1.
    pub(crate) line: u64,
    pub(crate) what: What,
}

/// The name of an input, and its device if all of its records are of one.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) name: String,
    pub(crate) did: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Whole lines.
    Lines,
    /// The head of a line that is so long.
    Long(u64),
    /// Nothing more: the input can't be read on.
    Damaged(String),
}

impl Block {
    fn part(&mut self, origin: &Arc<Origin>, line: u64, what: What) {
        self.parts.push(Part {
            start: self.bytes.len(),
            origin: Arc::clone(origin),
            line,
            what,
        });
    }
}

/// Where a block ends, and a line.
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
    fn reached(&self, block: &Block, bytes: usize) -> bool {
        bytes >= self.bytes || block.lines + block.parts.len() >= self.lines
    }

    /// Whether what there is goes on, since no more than this could be read.
    fn waits(&self, read: usize) -> bool {
        self.eager && read < 1 << 15
    }
}

/// How much of a record that is too long is shown.
pub(crate) const SAMPLE: usize = 4096;
/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// Cuts inputs into blocks.
pub(crate) struct Cutter<I> {
    sources: I,
    current: Option<Input>,
    bounds: Bounds,
}

struct Input {
    origin: Arc<Origin>,
    reader: Box<dyn BufRead + Send>,
    /// The line that comes next.
    line: u64,
    /// What is read and in no block yet: the head of a line, or lines that a block had no room for.
    carry: Vec<u8>,
    pages: Option<Pages>,
}

impl Input {
    fn open(origin: Arc<Origin>, reader: Box<dyn Read + Send>) -> io::Result<Self> {
        let (head, reader) = peek(reader, |head| head.len() >= 4)?;
        let reader: Box<dyn Read + Send> = match head[..] {
            [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(reader)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::new(reader)?),
            _ => reader,
        };
        // A bracket alone on its line does not tell what comes.
        let enough = |head: &[u8]| {
            let line = head.contains(&b'\n') && head.trim_ascii().len() > 1;
            line || head.len() >= 64
        };
        let (head, reader) = peek(reader, enough)?;
        let mut reader = BufReader::with_capacity(CHUNK, reader);
        let text = head.strip_prefix(b"\xef\xbb\xbf");
        if text.is_some() {
            io::copy(&mut (&mut reader).take(3), &mut io::sink())?;
        }
        Ok(Input {
            origin,
            reader: Box::new(reader),
            line: 1,
            carry: Vec::new(),
            pages: Pages::begin(text.unwrap_or(&head)).then(Pages::default),
        })
    }
}

/// The head of an input, up to its end if it is never enough, and the whole of it all the same.
fn peek(
    mut reader: Box<dyn Read + Send>,
    enough: impl Fn(&[u8]) -> bool,
) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::new();
    while !enough(&head) {
        let mut some = [0; 64];
        match reader.read(&mut some) {
            Ok(0) => break,
            Ok(read) => head.extend(&some[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let whole = io::Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
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
                    Err(error) => block.part(&origin, 1, What::Damaged(error.to_string())),
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
                    block.part(&input.origin, input.line, What::Damaged(error.to_string()));
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
    block.part(&input.origin, input.line, What::Lines);
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
    block.part(&input.origin, input.line, What::Long(len));
    block.bytes.extend(sample);
    input.line += 1;
    more
}

/// The API's pages, `{"meta":…,"objects":[…]}`, one or several in a row, on one line or on many: their
/// objects become lines.
///
/// It follows strings and brackets, no more: each object is parsed as any other record.
#[derive(Debug, Default)]
struct Pages {
    depth: u64,
    /// Within a text, and behind a backslash in it.
    text: bool,
    escaped: bool,
    /// The last text at the page's own level, which may be a key.
    key: Vec<u8>,
    /// Within the list of objects, which is at depth 2.
    objects: bool,
    /// The object that is being read began.
    inside: bool,
    /// How long it is so far, and the line that it began on.
    len: u64,
    line: u64,
    /// The page has a list of objects.
    listed: bool,
    /// Something that doesn't belong there was told, up to the next comma or bracket.
    stray: bool,
}

impl Pages {
    /// Whether an input begins as a page does.
    fn begin(head: &[u8]) -> bool {
        let head = head.trim_ascii_start();
        let Some(rest) = head.strip_prefix(b"{") else {
            return false;
        };
        let rest = rest.trim_ascii_start();
        [(&b"\"meta\""[..], b'{'), (b"\"objects\"", b'[')]
            .iter()
            .any(|(key, open)| {
                let value = rest.strip_prefix(*key).map(<[u8]>::trim_ascii_start);
                let value = value.and_then(|value| value.strip_prefix(b":"));
                value.is_some_and(|value| value.trim_ascii_start().first() == Some(open))
            })
    }
}

/// Takes objects over until the block is full.
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
            _ => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the page ends within itself",
            )),
        };
    }
    let mut taken = 0;
    for &byte in chunk {
        taken += 1;
        let line = input.line;
        input.line += u64::from(byte == b'\n');
        if pages.inside {
            pages.len += 1;
            let held = input.carry.len() < limit.max(SAMPLE);
            if held {
                // One object, one line.
                input.carry.push(if matches!(byte, b'\n' | b'\r') {
                    b' '
                } else {
                    byte
                });
            }
        }
        if pages.text {
            match byte {
                _ if pages.escaped => pages.escaped = false,
                b'\\' => pages.escaped = true,
                b'"' => pages.text = false,
                _ if pages.depth == 1 && pages.key.len() < 16 => pages.key.push(byte),
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => {
                pages.text = true;
                if pages.depth == 2 && pages.objects && !pages.stray {
                    pages.stray = true;
                    let what = "a text where a record is expected".to_owned();
                    block.part(&input.origin, line, What::Damaged(what));
                }
                if pages.depth == 1 {
                    pages.key.clear();
                }
            }
            b'{' | b'[' => {
                pages.depth += 1;
                pages.stray = false;
                if pages.depth == 1 {
                    pages.listed = false;
                } else if pages.depth == 2 {
                    pages.objects = byte == b'[' && pages.key == b"objects";
                    pages.listed |= pages.objects;
                } else if pages.depth == 3 && pages.objects {
                    pages.inside = true;
                    pages.len = 1;
                    pages.line = line;
                    input.carry.clear();
                    input.carry.push(byte);
                }
            }
            b'}' | b']' => {
                let closed = pages.depth == 1;
                pages.depth = pages.depth.saturating_sub(1);
                pages.stray = false;
                if closed && !pages.listed {
                    let what = "a page without a list `objects`".to_owned();
                    block.part(&input.origin, line, What::Damaged(what));
                }
                if pages.depth == 2 && pages.inside {
                    pages.inside = false;
                    if pages.len > limit as u64 {
                        block.part(&input.origin, pages.line, What::Long(pages.len));
                        input.carry.truncate(SAMPLE);
                        block.bytes.append(&mut input.carry);
                    } else {
                        block.part(&input.origin, pages.line, What::Lines);
                        block.bytes.append(&mut input.carry);
                        block.bytes.push(b'\n');
                    }
                    if bounds.reached(block, block.bytes.len()) {
                        break;
                    }
                }
            }
            b',' => pages.stray = false,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            // What is neither a record nor between them.
            _ if !pages.stray && (pages.depth == 0 || pages.depth == 2 && pages.objects) => {
                pages.stray = true;
                let what = format!(
                    "`{}` where a record or a page is expected",
                    byte.escape_ascii()
                );
                block.part(&input.origin, line, What::Damaged(what));
            }
            _ => {}
        }
    }
    input.reader.consume(taken);
    Ok(match bounds.waits(taken) && !block.parts.is_empty() {
        true => More::Wait,
        false => More::Yes,
    })
}
