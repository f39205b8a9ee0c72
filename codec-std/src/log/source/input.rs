//! An open input: decompressed, without its byte order mark.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use super::block::Origin;
use super::lists::Lists;

/// An open input.
pub(super) struct Input {
    pub(super) origin: Arc<Origin>,
    pub(super) reader: Box<dyn BufRead + Send>,
    /// The number of the next line, from 1.
    pub(super) line: u64,
    /// Bytes that were read but belong to no block yet: an incomplete line, or lines beyond a full block.
    pub(super) carry: Vec<u8>,
    /// The scanner, if the input consists of lists of records.
    pub(super) lists: Option<Lists>,
}

impl Input {
    pub(super) fn open(origin: Arc<Origin>, reader: Box<dyn Read + Send>) -> io::Result<Self> {
        // The longest magic number, that of zstd, has 4 bytes.
        let (head, reader) = peek(reader, |head| head.len() >= 4)?;
        let reader: Box<dyn Read + Send> = match head[..] {
            [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(reader)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::new(reader)?),
            _ => reader,
        };
        // A first line with a single bracket is not enough to recognise a list, and neither is an empty list.
        let enough = |head: &[u8]| {
            let line = head.contains(&b'\n') && !matches!(head.trim_ascii(), [] | [_] | b"[]");
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
            lists: Lists::begin(text.unwrap_or(&head)).then(Lists::default),
        })
    }
}

/// Reads the beginning of an input until `enough` is true or the input ends. Returns the beginning, and a
/// reader of the whole input.
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

/// The number of bytes that are read at once.
pub(super) const CHUNK: usize = 256 << 10;
