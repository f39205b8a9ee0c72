//! An input that is open: decompressed, without its byte order mark.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use super::block::Origin;
use super::pages::Pages;

pub(super) struct Input {
    pub(super) origin: Arc<Origin>,
    pub(super) reader: Box<dyn BufRead + Send>,
    /// The line that comes next.
    pub(super) line: u64,
    /// Bytes that are in no block yet: the head of a line, or lines that a block had no room for.
    pub(super) carry: Vec<u8>,
    pub(super) pages: Option<Pages>,
}

impl Input {
    pub(super) fn open(origin: Arc<Origin>, reader: Box<dyn Read + Send>) -> io::Result<Self> {
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

/// How much is read at once.
pub(super) const CHUNK: usize = 256 << 10;
