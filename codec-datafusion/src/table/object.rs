//! Reads parts of objects without async code, for the threads that decode.

use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use datafusion::object_store::{GetOptions, GetRange, GetResultPayload, ObjectStore};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use tokio::runtime::Handle;

use super::files::Part;

/// A part of an object, which is opened by the first read.
pub(super) struct PartReader {
    part: Part,
    store: Arc<dyn ObjectStore>,
    handle: Handle,
    open: Option<Box<dyn Read + Send>>,
}

impl PartReader {
    pub(super) fn new(part: Part, store: Arc<dyn ObjectStore>, handle: Handle) -> Self {
        PartReader {
            part,
            store,
            handle,
            open: None,
        }
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let Part { file, range } = &self.part;
        let is_whole = *range == (0..file.size);
        // The byte before a part tells whether a line begins at its first byte.
        let start = range.start.saturating_sub(1);
        let options = GetOptions {
            range: (start > 0).then_some(GetRange::Offset(start)),
            ..GetOptions::default()
        };
        let object = self.store.get_opts(&file.location, options);
        let object = self.handle.block_on(object)?;
        let reader: Box<dyn Read + Send> = match object.payload {
            GetResultPayload::File(mut file, _) => {
                file.seek(SeekFrom::Start(start))?;
                Box::new(file)
            }
            GetResultPayload::Stream(chunks) => Box::new(ChunkReader {
                chunks,
                chunk: Bytes::new(),
                handle: self.handle.clone(),
            }),
        };
        if is_whole {
            return Ok(reader);
        }
        let reader = BufReader::with_capacity(CHUNK, reader);
        Ok(Box::new(LineRange::new(
            reader,
            range.start > 0,
            range.end - start,
        )?))
    }
}

impl Read for PartReader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let reader = match &mut self.open {
            Some(reader) => reader,
            None => {
                let reader = self.open()?;
                self.open.insert(reader)
            }
        };
        reader.read(to)
    }
}

/// The number of bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// A stream of chunks as a reader.
struct ChunkReader {
    chunks: BoxStream<'static, datafusion::object_store::Result<Bytes>>,
    chunk: Bytes,
    handle: Handle,
}

impl Read for ChunkReader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.handle.block_on(self.chunks.next()) {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
        }
        let len = to.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut to[..len]);
        Ok(len)
    }
}

/// The whole lines that begin before an offset.
#[derive(Debug)]
struct LineRange<R> {
    reader: R,
    /// The number of bytes up to the offset. Negative once the last line has passed it.
    left: i64,
    done: bool,
}

impl<R: BufRead> LineRange<R> {
    /// Reads the lines that begin in the first `len` bytes of the reader, without the first line if it is a
    /// rest.
    fn new(mut reader: R, rest: bool, len: u64) -> io::Result<Self> {
        let skipped = match rest {
            true => reader.skip_until(b'\n')?,
            false => 0,
        };
        let left = len as i64 - skipped as i64;
        Ok(LineRange {
            reader,
            left,
            done: left <= 0,
        })
    }
}

impl<R: BufRead> Read for LineRange<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.done {
            return Ok(0);
        }
        let chunk = self.reader.fill_buf()?;
        let mut len = chunk.len().min(to.len());
        // The line that has the last byte before the offset is the last line.
        let last = usize::try_from(self.left - 1).unwrap_or(0);
        if let Some(end) = chunk
            .get(last..len)
            .and_then(|rest| rest.iter().position(|byte| *byte == b'\n'))
        {
            len = last + end + 1;
            self.done = true;
        }
        to[..len].copy_from_slice(&chunk[..len]);
        self.reader.consume(len);
        self.left -= len as i64;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranges that cover a text have each of its lines once, in order.
    #[test]
    fn every_line_is_in_one_range() {
        for text in ["", "a", "a\n", "ab\n\n\ncdefg\nh\n", "\n\n", "abcdefghi\nj"] {
            for pieces in 1..=text.len() + 2 {
                let cut = |n: usize| text.len() * n / pieces;
                let mut all = String::new();
                for (start, end) in (0..pieces).map(|n| (cut(n), cut(n + 1))) {
                    let before = start.saturating_sub(1);
                    for capacity in [1, 3, 100] {
                        let reader = BufReader::with_capacity(capacity, &text.as_bytes()[before..]);
                        let mut lines =
                            LineRange::new(reader, start > 0, (end - before) as u64).unwrap();
                        let mut piece = String::new();
                        lines.read_to_string(&mut piece).unwrap();
                        if capacity == 100 {
                            all += &piece;
                        }
                        assert!(
                            piece.is_empty()
                                || start == 0
                                || text[..start].ends_with('\n')
                                || text[start..].contains(&piece)
                        );
                    }
                }
                assert_eq!(all, text, "{pieces}");
            }
        }
    }
}
