//! A reader of captures: texts with payloads, lines of other programs, and raw bytes.

use std::io::{self, BufRead as _, BufReader, Read};

use gizwits_codec_core::m2m::PREFIX;
use gizwits_codec_core::uart;

use super::captured::{CaptureDecoder, Captured};
use super::m2m_stream::M2mStream;
use super::piece::Piece;
use super::uart_stream::UartStream;
use crate::error::{Error, shown};
use crate::message::payload::{self, Encoding, HexRun, hex_runs};

/// The messages that the payloads of a capture contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One M2M frame per payload.
    M2m,
    /// One bare P0 per payload.
    P0,
    /// UART frames anywhere in the bytes of all payloads.
    UartStream,
    /// M2M frames anywhere in the bytes of all payloads.
    M2mStream,
}

impl Framing {
    /// Whether frames may begin in one payload and end in another.
    #[must_use]
    pub fn is_stream(self) -> bool {
        matches!(self, Framing::UartStream | Framing::M2mStream)
    }
}

/// One message of a capture, or bytes or text that are none.
#[derive(Debug)]
#[non_exhaustive]
pub struct Entry<'p, 'b> {
    /// The number of the line in an input of lines, from 1. `None` for a text that is no line of an input, and in a stream,
    /// whose frames may cross lines.
    pub number: Option<u64>,
    /// The text around the payload, if the payload is a part of a line of other text.
    pub line: Option<&'b str>,
    /// The offset of the bytes in their stream, if the payload is a stream or a part of one.
    pub offset: Option<u64>,
    /// The bytes of the message. Empty for a text that is no payload.
    pub bytes: &'b [u8],
    /// The message, or the reason why there is none.
    pub captured: Result<Captured<'p, 'b>, Error>,
}

/// A receiver of the entries of a capture. Any function of an [`Entry`] is one.
pub trait EntrySink {
    /// Takes the next entry. An error ends the capture.
    ///
    /// # Errors
    /// The error of a write.
    fn entry(&mut self, entry: Entry<'_, '_>) -> io::Result<()>;

    /// Called before a read that may wait for more input. Default: does nothing.
    ///
    /// # Errors
    /// The error of a write.
    fn idle(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: FnMut(Entry<'_, '_>) -> io::Result<()>> EntrySink for F {
    fn entry(&mut self, entry: Entry<'_, '_>) -> io::Result<()> {
        self(entry)
    }
}

/// Passes on the entries of a line with the number of the line.
struct Numbered<'s> {
    number: Option<u64>,
    sink: &'s mut dyn EntrySink,
}

impl EntrySink for Numbered<'_> {
    fn entry(&mut self, entry: Entry<'_, '_>) -> io::Result<()> {
        self.sink.entry(Entry {
            number: self.number,
            ..entry
        })
    }
}

/// A reader of captures.
///
/// A text is a payload in one of the [`NOTATIONS`](crate::payload::NOTATIONS), or a line of other text with exactly one run
/// of hex digits that decodes. Without a [`Framing`], M2M frames begin with `00000003`, UART frames with `ffff`, and all
/// other payloads are P0s.
///
/// In a stream, the runs in a line of other text are the next bytes if they have the header of a frame (`00000003`, or
/// `ffff` and any other byte). A run behind an incomplete frame needs no header, unless it is a MAC address, a date or a
/// number of seconds.
///
/// ```
/// use gizwits_codec_std::capture::{CaptureDecoder, CaptureReader, Entry, Framing};
///
/// let mut seen = Vec::new();
/// let mut sink = |entry: Entry<'_, '_>| {
///     let name = entry.captured.map(|captured| captured.description().map(|message| message.name.to_string()));
///     seen.push((entry.offset, name.map_err(|error| error.kind)));
///     Ok(())
/// };
/// let mut reader = CaptureReader::new(CaptureDecoder::new()).framing(Some(Framing::M2mStream));
/// let log = "12:30:00 RX 00 00 00 03 03 00 00 15 00 00 00 03\n\
///     12:30:01 peer aa:bb:cc:dd:ee:ff\n\
///     12:30:01 RX 03 00 00 16\n";
/// reader.read(log.as_bytes(), &mut sink)?;
/// reader.finish(&mut sink)?;
/// assert_eq!(
///     seen,
///     [
///         (Some(0), Ok(Some("heartbeat".to_owned()))),
///         (None, Err("not_hex_or_base64")),
///         (Some(8), Ok(Some("heartbeat_ack".to_owned()))),
///     ],
/// );
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct CaptureReader<'p> {
    decoder: CaptureDecoder<'p>,
    framing: Option<Framing>,
    encoding: Option<Encoding>,
    m2m: M2mStream,
    uart: UartStream,
    /// The bytes of the last text.
    bytes: Vec<u8>,
}

/// The maximum length of a line, in bytes. The longest frame has 128 KiB and takes less than 1 MiB, even as a list of
/// bytes.
const MAX_LINE: usize = 16 << 20;

impl<'p> CaptureReader<'p> {
    /// Creates a reader that decodes with this decoder.
    #[must_use]
    pub fn new(decoder: CaptureDecoder<'p>) -> Self {
        CaptureReader {
            decoder,
            framing: None,
            encoding: None,
            m2m: M2mStream::new(),
            uart: UartStream::new(),
            bytes: Vec::new(),
        }
    }

    /// Sets the messages that payloads contain. Default: `None`, recognised for each payload.
    #[must_use]
    pub fn framing(mut self, framing: Option<Framing>) -> Self {
        self.framing = framing;
        self
    }

    /// Sets the encoding of texts. Default: `None`, recognised for each text.
    #[must_use]
    pub fn encoding(mut self, encoding: Option<Encoding>) -> Self {
        self.encoding = encoding;
        self
    }

    /// Reads an input to its end: raw bytes if the payloads are a stream, no encoding is set and the input begins with
    /// bytes that no text has, otherwise lines. The input may wait for its first bytes.
    ///
    /// # Errors
    /// The errors of reading the input and of the sink.
    pub fn read(&mut self, input: impl Read, sink: &mut dyn EntrySink) -> io::Result<()> {
        let mut input = BufReader::with_capacity(1 << 16, input);
        let may_be_raw = self.encoding.is_none() && self.framing.is_some_and(Framing::is_stream);
        match may_be_raw && is_raw(input.fill_buf()?) {
            true => self.read_raw(input, sink),
            false => self.read_lines(input, sink),
        }
    }

    /// Reads an input of raw bytes to its end. The bytes are decoded as they arrive.
    ///
    /// # Errors
    /// The errors of reading the input and of the sink.
    pub fn read_raw(&mut self, input: impl Read, sink: &mut dyn EntrySink) -> io::Result<()> {
        let mut input = BufReader::with_capacity(1 << 16, input);
        loop {
            let block = input.fill_buf()?;
            let len = block.len();
            if len == 0 {
                return Ok(());
            }
            self.payload(block, sink)?;
            input.consume(len);
            sink.idle()?;
        }
    }

    /// Reads an input of lines to its end. Blank lines are no payloads. Memory is bounded whatever the length of a line.
    fn read_lines(
        &mut self,
        mut input: BufReader<impl Read>,
        sink: &mut dyn EntrySink,
    ) -> io::Result<()> {
        let mut line = Vec::new();
        // Some programs begin a text with a byte order mark. In any other line it is an error.
        let mut mark = "\u{feff}";
        let is_stream = self.framing.is_some_and(Framing::is_stream);
        for number in 1.. {
            // Without a complete line in the buffer, the next read may wait. The input may be a log that somebody
            // follows, so the results come first.
            if !input.buffer().contains(&b'\n') {
                sink.idle()?;
            }
            line.clear();
            let mut limited = input.by_ref().take(MAX_LINE as u64 + 1);
            if limited.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let is_long = line.len() > MAX_LINE;
            if is_long && !line.ends_with(b"\n") {
                input.skip_until(b'\n')?;
            }
            let mark = std::mem::take(&mut mark);
            let number = (!is_stream).then_some(number);
            let sink = &mut Numbered { number, sink };
            match std::str::from_utf8(&line) {
                _ if is_long => {
                    let error = Error::new("line_length", "the line is longer than 16 MiB");
                    refuse(error, sink)?;
                }
                Err(_) => {
                    let error = Error::new("not_hex_or_base64", "the line is not UTF-8 text");
                    refuse(error, sink)?;
                }
                Ok(text) => match text.strip_prefix(mark).unwrap_or(text).trim() {
                    "" => {}
                    text => self.text(text, sink)?,
                },
            }
        }
        Ok(())
    }

    /// Decodes the text of a payload, or a line of other text with a payload.
    ///
    /// # Errors
    /// The error of the sink.
    pub fn text(&mut self, text: &str, sink: &mut dyn EntrySink) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.bytes);
        let done = match payload::parse_into(text, self.encoding, &mut bytes) {
            Ok(()) => self.payload(&bytes, sink),
            Err(error) if error.kind == "not_hex_or_base64" => self.line(text, error, sink),
            Err(error) => refuse(error, sink),
        };
        self.bytes = bytes;
        done
    }

    /// Decodes the bytes of a payload.
    ///
    /// # Errors
    /// The error of the sink.
    pub fn payload(&mut self, bytes: &[u8], sink: &mut dyn EntrySink) -> io::Result<()> {
        self.within(None, bytes, sink)
    }

    /// Decodes what is left of the streams.
    ///
    /// # Errors
    /// The error of the sink.
    pub fn finish(&mut self, sink: &mut dyn EntrySink) -> io::Result<()> {
        let mut out = PieceSink::new(self.decoder, None, sink);
        self.m2m.finish(&mut |piece| out.m2m(piece));
        self.uart.finish(&mut |piece| out.uart(piece));
        out.done
    }

    /// Decodes a payload with this text around it.
    fn within(
        &mut self,
        line: Option<&str>,
        bytes: &[u8],
        sink: &mut dyn EntrySink,
    ) -> io::Result<()> {
        let mut out = PieceSink::new(self.decoder, line, sink);
        match self.framing {
            Some(Framing::M2mStream) => self.m2m.push(bytes, &mut |piece| out.m2m(piece)),
            Some(Framing::UartStream) => self.uart.push(bytes, &mut |piece| out.uart(piece)),
            None if self.is_uart(bytes) => {
                self.uart.push(bytes, &mut |piece| out.uart(piece));
                self.uart.finish(&mut |piece| out.uart(piece));
            }
            _ => {
                return sink.entry(Entry {
                    number: None,
                    line,
                    offset: None,
                    bytes,
                    captured: self.decode(bytes),
                });
            }
        }
        out.done
    }

    /// Decodes one message.
    fn decode<'b>(&self, bytes: &'b [u8]) -> Result<Captured<'p, 'b>, Error> {
        match self.framing {
            Some(Framing::M2m) => self.decoder.m2m(bytes),
            Some(Framing::P0) => self.decoder.p0(bytes),
            _ => self.decoder.decode(bytes),
        }
    }

    /// Whether a payload is a part of a serial line. No P0 begins with ff.
    fn is_uart(&self, bytes: &[u8]) -> bool {
        match self.framing {
            None => bytes.starts_with(&[0xff, 0xff]),
            framing => framing == Some(Framing::UartStream),
        }
    }

    /// Decodes a line of other text that contains a payload. `error` is that of the line as a payload.
    fn line(&mut self, text: &str, error: Error, sink: &mut dyn EntrySink) -> io::Result<()> {
        let runs = match self.encoding {
            Some(Encoding::Base64) => Vec::new(),
            _ => hex_runs(text),
        };
        if self.framing.is_some_and(Framing::is_stream) {
            return self.runs_of_stream(text, &runs, error, sink);
        }
        let decodes = |run: &&HexRun| match self.is_uart(&run.bytes) {
            true => holds_uart_frame(&run.bytes),
            false => self.decode(&run.bytes).is_ok(),
        };
        let sound: Vec<&HexRun> = runs.iter().filter(decodes).collect();
        // A few digits can be a P0 by chance, but not a frame.
        let is_frame = |run: &&&HexRun| run.bytes.starts_with(&PREFIX) || self.is_uart(&run.bytes);
        let frames: Vec<&HexRun> = sound.iter().filter(is_frame).copied().collect();
        let p0s = sound.iter().filter(|run| !run.is_address(text)).copied();
        let chosen = if frames.is_empty() {
            p0s.collect()
        } else {
            frames
        };
        match chosen[..] {
            [run] => self.within(Some(&around(text, run)), &run.bytes, sink),
            [] => refuse(error, sink),
            [first, second, ..] => {
                let message = format!(
                    "the line has several payloads: {} and {}. Write one of them on a line of its own, or read the line as \
                     a stream of frames",
                    shown(&payload::hex(&first.bytes)),
                    shown(&payload::hex(&second.bytes)),
                );
                refuse(Error::new("ambiguous", message), sink)
            }
        }
    }

    /// Takes the runs of a line that can be the next bytes of a stream.
    fn runs_of_stream(
        &mut self,
        text: &str,
        runs: &[HexRun],
        error: Error,
        sink: &mut dyn EntrySink,
    ) -> io::Result<()> {
        let mut is_found = false;
        for run in runs {
            let (begins, continues) = match self.framing {
                Some(Framing::UartStream) => (
                    matches!(run.bytes[..], [0xff, 0xff, next, ..] if next != 0xff),
                    self.uart.continues(&run.bytes),
                ),
                _ => (
                    run.bytes.starts_with(&PREFIX),
                    self.m2m.continues(&run.bytes),
                ),
            };
            if continues && (begins || !run.is_address(text) && !run.is_time(text)) {
                is_found = true;
                self.payload(&run.bytes, sink)?;
            }
        }
        if is_found {
            return Ok(());
        }
        if runs.is_empty() {
            return refuse(error, sink);
        }
        let message = format!(
            "`{}` has no bytes of the stream: its hex digits have no header of a frame, and no frame before them is \
             incomplete, or they are a MAC address or a time",
            shown(text)
        );
        refuse(Error::new("not_hex_or_base64", message), sink)
    }
}

/// Decodes the pieces of streams, up to the first error of the sink.
struct PieceSink<'p, 's> {
    decoder: CaptureDecoder<'p>,
    line: Option<&'s str>,
    sink: &'s mut dyn EntrySink,
    done: io::Result<()>,
}

impl<'p, 's> PieceSink<'p, 's> {
    fn new(
        decoder: CaptureDecoder<'p>,
        line: Option<&'s str>,
        sink: &'s mut dyn EntrySink,
    ) -> Self {
        PieceSink {
            decoder,
            line,
            sink,
            done: Ok(()),
        }
    }

    fn m2m(&mut self, piece: Piece<'_, ()>) {
        let decoder = self.decoder;
        self.entry(piece, |(), bytes| decoder.m2m(bytes));
    }

    fn uart(&mut self, piece: Piece<'_, uart::Frame<'_>>) {
        let decoder = self.decoder;
        self.entry(piece, |frame, _| {
            decoder.uart(frame).map_err(|error| Error {
                message: format!("the payload of the UART frame: {}", error.message),
                // The offset is that of the payload without stuffing.
                byte: None,
                ..error
            })
        });
    }

    fn entry<'b, F>(
        &mut self,
        piece: Piece<'b, F>,
        decode: impl FnOnce(F, &'b [u8]) -> Result<Captured<'p, 'b>, Error>,
    ) {
        if self.done.is_ok() {
            self.done = self.sink.entry(Entry {
                number: None,
                line: self.line,
                offset: Some(piece.offset),
                bytes: piece.bytes,
                captured: piece.frame.and_then(|frame| decode(frame, piece.bytes)),
            });
        }
    }
}

/// Passes on the error of a text that is no payload.
fn refuse(error: Error, sink: &mut dyn EntrySink) -> io::Result<()> {
    sink.entry(Entry {
        number: None,
        line: None,
        offset: None,
        bytes: &[],
        captured: Err(error),
    })
}

/// Whether the first bytes of an input are bytes that no text has.
fn is_raw(head: &[u8]) -> bool {
    // A character that the block cuts is text.
    let is_text = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    !is_text || head.contains(&0)
}

/// Whether bytes contain a UART frame with a correct checksum.
fn holds_uart_frame(bytes: &[u8]) -> bool {
    let mut stream = UartStream::new();
    let mut found = false;
    let mut each = |piece: Piece<'_, uart::Frame<'_>>| found |= piece.frame.is_ok();
    stream.push(bytes, &mut each);
    stream.finish(&mut each);
    found
}

/// The text around a payload.
fn around(text: &str, run: &HexRun) -> String {
    let before = text.get(..run.range.start).unwrap_or_default().trim_end();
    match text.get(run.range.end..).unwrap_or_default() {
        "" => before.to_owned(),
        behind => format!("{before} …{behind}"),
    }
}
