//! Inputs, cut into blocks of whole lines.
//!
//! A block may end one input and begin the next. What can't be a line, because it is too long or
//! because the input is damaged, is a part of its own, so that it is told in its place.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

/// One input: a file, standard input, anything that can be read. gzip and zstd are told by their first
/// bytes.
pub struct Source {
    /// What rejects call it.
    pub name: String,
    /// Where it comes from.
    pub reader: Box<dyn Read + Send>,
}

impl Source {
    /// An input with its name.
    pub fn new(name: impl Into<String>, reader: impl Read + Send + 'static) -> Self {
        Source {
            name: name.into(),
            reader: Box::new(reader),
        }
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
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) start: usize,
    /// The number of the input.
    pub(crate) source: usize,
    /// The number of its first line, from 1.
    pub(crate) line: u64,
    pub(crate) what: What,
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
    fn part(&mut self, source: usize, line: u64, what: What) {
        let start = self.bytes.len();
        self.parts.push(Part {
            start,
            source,
            line,
            what,
        });
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
    /// How many sources there were.
    number: usize,
    /// The names of those that were not told yet.
    pub(crate) names: Vec<String>,
    /// About how long a block is.
    block: usize,
    /// The longest line.
    limit: usize,
    /// Whether what there is goes on at once.
    eager: bool,
}

struct Input {
    reader: Box<dyn BufRead + Send>,
    /// The line that comes next.
    line: u64,
    /// The head of a line whose end is not read yet.
    carry: Vec<u8>,
    pages: Option<Pages>,
}

impl Input {
    fn open(source: Source) -> io::Result<Self> {
        let (head, reader) = peek(source.reader, |head| head.len() >= 4)?;
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
    pub(crate) fn new(sources: I, block: usize, limit: usize, eager: bool) -> Self {
        Cutter {
            sources,
            current: None,
            number: 0,
            names: Vec::new(),
            block: block.max(1),
            limit,
            eager,
        }
    }

    /// Fills a block; false if nothing is left.
    pub(crate) fn fill(&mut self, block: &mut Block) -> bool {
        block.bytes.clear();
        block.parts.clear();
        while block.bytes.len() < self.block && block.parts.len() < 1 << 16 {
            let Some(input) = &mut self.current else {
                let Some(source) = self.sources.next() else {
                    break;
                };
                self.number += 1;
                self.names.push(source.name.clone());
                match Input::open(source) {
                    Ok(input) => self.current = Some(input),
                    Err(error) => {
                        block.part(self.number - 1, 1, What::Damaged(error.to_string()));
                    }
                }
                continue;
            };
            let source = self.number - 1;
            let read = match &mut input.pages {
                None => lines(input, source, block, self.block, self.limit, self.eager),
                Some(_) => pages(input, source, block, self.block, self.limit),
            };
            match read {
                Ok(More::Yes) => {}
                Ok(More::Wait) => break,
                Ok(More::No) => self.current = None,
                Err(error) => {
                    block.part(source, input.line, What::Damaged(error.to_string()));
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
fn lines(
    input: &mut Input,
    source: usize,
    block: &mut Block,
    full: usize,
    limit: usize,
    eager: bool,
) -> io::Result<More> {
    block.part(source, input.line, What::Lines);
    let start = block.bytes.len();
    block.bytes.append(&mut input.carry);
    let mut ended = None;
    let mut searched = start;
    let more = loop {
        if let Some(end) = memchr::memrchr(b'\n', &block.bytes[searched..]) {
            ended = Some(searched + end + 1);
            if block.bytes.len() >= full {
                break Ok(More::Yes);
            }
        }
        searched = block.bytes.len();
        let begun = ended.unwrap_or(start);
        if searched - begun > limit {
            break long(input, source, block, start, begun);
        }
        let chunk = match input.reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => break Err(error),
            Ok(chunk) => chunk,
        };
        let len = chunk.len();
        if len == 0 {
            break Ok(More::No);
        }
        block.bytes.extend_from_slice(chunk);
        input.reader.consume(len);
        if eager && len < 1 << 15 && memchr::memchr(b'\n', &block.bytes[start..]).is_some() {
            ended = memchr::memrchr(b'\n', &block.bytes).map(|end| end + 1);
            break Ok(More::Wait);
        }
    };
    let end = match more {
        // The last line of an input may lack its end.
        Ok(More::No) => {
            if block.bytes.len() > start && block.bytes.last() != Some(&b'\n') {
                block.bytes.push(b'\n');
            }
            block.bytes.len()
        }
        Err(_) => ended.unwrap_or(start),
        _ if matches!(
            block.parts.last(),
            Some(Part {
                what: What::Long(_),
                ..
            })
        ) =>
        {
            return more;
        }
        _ => ended.unwrap_or(start),
    };
    input.carry.extend_from_slice(&block.bytes[end..]);
    block.bytes.truncate(end);
    input.line += memchr::memchr_iter(b'\n', &block.bytes[start..]).count() as u64;
    more
}

/// Passes over the rest of a line that began at `begun` and is too long.
fn long(
    input: &mut Input,
    source: usize,
    block: &mut Block,
    start: usize,
    begun: usize,
) -> io::Result<More> {
    input.line += memchr::memchr_iter(b'\n', &block.bytes[start..begun]).count() as u64;
    let mut len = (block.bytes.len() - begun) as u64;
    block.bytes.truncate(begun + SAMPLE);
    let sample = block.bytes.split_off(begun);
    let more = loop {
        let chunk = match input.reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) | Ok([]) => break More::No,
            Ok(chunk) => chunk,
        };
        let end = memchr::memchr(b'\n', chunk);
        let taken = end.unwrap_or(chunk.len());
        len += taken as u64;
        input.reader.consume(taken + usize::from(end.is_some()));
        if end.is_some() {
            break More::Yes;
        }
    };
    block.part(source, input.line, What::Long(len));
    block.bytes.extend(sample);
    input.line += 1;
    Ok(more)
}

/// The API's pages, `{"meta":…,"objects":[…]}`, one or several in a row, on one line or on many: their
/// objects become lines.
///
/// It follows strings and brackets, no more: each object is parsed as any other record.
#[derive(Debug, Default)]
struct Pages {
    depth: u32,
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
fn pages(
    input: &mut Input,
    source: usize,
    block: &mut Block,
    full: usize,
    limit: usize,
) -> io::Result<More> {
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
                    block.part(source, line, What::Damaged(what));
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
                    block.part(source, line, What::Damaged(what));
                }
                if pages.depth == 2 && pages.inside {
                    pages.inside = false;
                    if pages.len > limit as u64 {
                        block.part(source, pages.line, What::Long(pages.len));
                        input.carry.truncate(SAMPLE);
                        block.bytes.append(&mut input.carry);
                    } else {
                        block.part(source, pages.line, What::Lines);
                        block.bytes.append(&mut input.carry);
                        block.bytes.push(b'\n');
                    }
                    if block.bytes.len() >= full || block.parts.len() >= 1 << 16 {
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
                block.part(source, line, What::Damaged(what));
            }
            _ => {}
        }
    }
    input.reader.consume(taken);
    Ok(More::Yes)
}
