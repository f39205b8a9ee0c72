//! Lines of standard input, of which none takes more memory than the longest payload.

use std::io::{self, BufRead as _, BufReader, Read};

/// The longest line that is taken for a payload: 64 KiB as a list of bytes, several times over.
const MAX_LINE: usize = 16 << 20;

pub(super) struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
    is_first: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Lines {
            input: BufReader::with_capacity(1 << 16, input),
            line: Vec::new(),
            is_first: true,
        }
    }

    /// The next line, or why it is no text. Calls `wait` before it waits for more input.
    pub(super) fn next(
        &mut self,
        mut wait: impl FnMut() -> io::Result<()>,
    ) -> io::Result<Option<Result<&str, &'static str>>> {
        self.line.clear();
        let mut read = 0;
        // The rest of a line that is too long is skipped.
        loop {
            if self.input.buffer().is_empty() {
                wait()?;
            }
            let chunk = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(chunk.len(), |end| end + 1);
            let room = MAX_LINE.saturating_sub(self.line.len()).min(taken);
            self.line.extend_from_slice(&chunk[..room]);
            read += taken;
            self.input.consume(taken);
            if end.is_some() || taken == 0 {
                break;
            }
        }
        if read == 0 {
            return Ok(None);
        }
        let mut text = &self.line[..];
        // Some programs begin a text with a byte order mark.
        if std::mem::take(&mut self.is_first) {
            text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        }
        Ok(Some(match std::str::from_utf8(text) {
            _ if read > MAX_LINE => Err("is over 16 MiB long"),
            Err(_) => Err("is not UTF-8 text"),
            Ok(text) => Ok(text),
        }))
    }
}
