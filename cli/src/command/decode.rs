//! `gizwits decode`: payloads as JSON or as tables.

mod answers;
mod text;

use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Write};
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use gizwits_codec_std::capture::{self, CaptureDecoder, CaptureReader, Framing};
use gizwits_codec_std::{Error, payload};

use self::answers::Answers;
use crate::definition;
use crate::failure::{Failure, in_file, usage};
use crate::payload::{list_of_kinds, list_of_notations};
use crate::standard_output::failed_output;
use crate::text::{printable, tell};

/// The key that ends the input of a terminal.
const END: &str = if cfg!(windows) { "Ctrl-Z" } else { "Ctrl-D" };

/// Decode payloads, frames and captures to JSON, one line each
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = format!(
        "Notations of payloads:\n{}\n\
         A text that has two readings is refused: b'0003' can be hex or four characters, and the comma in \\x00\\x03, a \
         byte or not. A line of other text with exactly one run of at least 8 hex digits that decodes is decoded, and \
         the text is kept as \"line\". MAC addresses (aa:bb:cc:dd:ee:ff) are no payloads.\n\n\
         With --input stream or uart, the runs in a line of other text are the next bytes if they have the header of a \
         frame: 00000003, or ffff and any other byte. A run behind an incomplete frame needs no header, unless it is a \
         MAC address, a date (20240131) or a number of seconds (1706704200).\n\n\
         Kinds of errors:\n{}{}\n\
         Exit status: 0 on success, 1 if a payload can't be decoded, 2 for wrong usage, an invalid \
         definition or a file that can't be read or written.\n\n{EXAMPLES}",
        list_of_notations(),
        list_of_kinds(Error::KINDS),
        list_of_kinds(capture::KINDS),
    ),
    long_about = "Decode payloads, frames and captures to JSON, one line each, in order.\n\n\
        A payload is an M2M frame, which begins with 00000003, a UART frame, which begins with ffff, or a bare P0. \
        Frames, and messages between modules and their clients (discovery, passcode, module info, heartbeat and more), \
        need no definition. The names and values of data points need the definition of the product: without it, they are \
        shown as bytes. The line of a payload that can't be decoded is {\"error\":…}.\n\n\
        Files and standard input have one payload per line. Empty lines are skipped. \"input_line\" of an error is the \
        number of its line in the input, from 1, except in streams of bytes, where \"offset\" is the place."
)]
pub(crate) struct Decode {
    /// The product's definition, as the Enterprise API returns it; without one, data points are shown as bytes
    #[arg(short, long, value_name = "FILE")]
    definition: Option<PathBuf>,
    /// The payloads, or - to read them from standard input, one per line
    #[arg(value_name = "PAYLOAD", default_value = "-")]
    payloads: Vec<String>,
    /// A file with the payloads, one per line, or with the raw bytes of a stream
    #[arg(long, value_name = "FILE", conflicts_with = "payloads")]
    file: Option<PathBuf>,
    /// The type of the payloads; by default, M2M frames begin with 00000003, UART frames with ffff, and all others are
    /// P0s
    #[arg(long, value_enum)]
    input: Option<Input>,
    /// The encoding of the payloads; by default, each payload is recognised by its content
    ///
    /// The encoding raw is for streams of bytes in files and on standard input.
    #[arg(long, value_parser = encoding())]
    encoding: Option<Encoding>,
    /// Accept replies and reports of any length, and decode the points that are complete
    ///
    /// Differences from the definition are reported as `extra`, `missing` or `whole_body`.
    #[arg(long)]
    lax: bool,
    /// The output format: JSON for programs, tables for people
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
}

const EXAMPLES: &str = "\
ac.json is a definition: `gizwits definition PRODUCT_KEY -o ac.json` fetches one.

Examples:
  gizwits decode 000000030f000007000a4142434445464748494a
  gizwits decode -d ac.json 000000030b0000910401000010000000
  gizwits decode -d ac.json --format table AAAAAwkAAJABAQEAABA=
  gizwits decode -d ac.json ffff000d0501000004010000101e000046
  gizwits decode --input stream 0000000303000015000000030300 0016
  echo 0000000309000090010101000010 | gizwits decode -d ac.json";

/// The encoding of payloads: text, or raw bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Text(payload::Encoding),
    Raw,
}

/// The parser of `--encoding`.
fn encoding() -> impl TypedValueParser<Value = Encoding> {
    PossibleValuesParser::new(["hex", "base64", "raw"]).map(|name| match &*name {
        "hex" => Encoding::Text(payload::Encoding::Hex),
        "base64" => Encoding::Text(payload::Encoding::Base64),
        _ => Encoding::Raw,
    })
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Input {
    /// One M2M frame per payload
    M2m,
    /// One bare P0 per payload
    P0,
    /// The bytes of a serial line: UART frames, anywhere in one or several payloads. Other bytes are reported
    Uart,
    /// The bytes of a network connection: M2M frames, anywhere in one or several payloads. Other bytes are reported
    Stream,
}

impl Input {
    fn framing(self) -> Framing {
        match self {
            Input::M2m => Framing::M2m,
            Input::P0 => Framing::P0,
            Input::Uart => Framing::UartStream,
            Input::Stream => Framing::M2mStream,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Table,
}

impl Decode {
    pub(crate) fn run<W: Write>(&self, out: &mut W, colours: bool) -> Result<(), Failure> {
        let standard = self.file.is_none() && self.payloads.iter().any(|payload| payload == "-");
        if standard
            && self
                .definition
                .as_ref()
                .is_some_and(|file| file.as_os_str() == "-")
        {
            return Err(usage(
                "standard input is the definition: give the payloads as arguments",
            ));
        }
        let framing = self.input.map(Input::framing);
        let is_stream = framing.is_some_and(Framing::is_stream);
        if self.encoding == Some(Encoding::Raw) && !is_stream {
            return Err(usage(
                "raw bytes have no lines: add --input stream for M2M frames or --input uart for UART frames",
            ));
        }
        let product = self
            .definition
            .as_deref()
            .map(definition::load)
            .transpose()?;
        let mut decoder = CaptureDecoder::new().lax(self.lax);
        if let Some(product) = &product {
            decoder = decoder.product(product);
        }
        let encoding = match self.encoding {
            Some(Encoding::Text(encoding)) => Some(encoding),
            _ => None,
        };
        let mut reader = CaptureReader::new(decoder)
            .framing(framing)
            .encoding(encoding);
        let mut answers = Answers::new(product.as_ref(), self.format, colours, out);
        let mut is_binary = false;
        match &self.file {
            Some(path) => {
                if path.is_dir() {
                    return Err(in_file(path, "this is a folder: expected a file"));
                }
                let mut file = File::open(path).map_err(|error| in_file(path, error))?;
                let head = head(&mut file).map_err(|error| in_file(path, error))?;
                is_binary = !is_stream && is_raw(&head);
                let read = self.read(head.chain(file), &mut reader, &mut answers);
                read.map_err(|error| match failed_output(&error) {
                    Some(_) => Failure::Io(error),
                    None => in_file(path, error),
                })?;
            }
            None => {
                for payload in &self.payloads {
                    if payload != "-" {
                        reader.text(payload, &mut answers)?;
                        continue;
                    }
                    if io::stdin().is_terminal() {
                        tell(format_args!(
                            "reading payloads from standard input, one per line; {END} ends the input"
                        ));
                    }
                    self.read(io::stdin().lock(), &mut reader, &mut answers)?;
                }
            }
        }
        reader.finish(&mut answers)?;
        let ended = answers.finish();
        if let (Some(path), true, true) = (&self.file, is_binary, ended.is_err()) {
            let path = path.display().to_string();
            tell(format_args!(
                "{}: this is no text: for the raw bytes of a connection add --encoding raw --input stream, for those of a \
                 serial line --encoding raw --input uart",
                printable(&path)
            ));
        }
        ended
    }

    /// Reads lines with payloads, or the raw bytes of a stream.
    fn read<W: Write>(
        &self,
        input: impl Read,
        reader: &mut CaptureReader<'_>,
        answers: &mut Answers<'_, W>,
    ) -> io::Result<()> {
        match self.encoding {
            Some(Encoding::Raw) => reader.read_raw(input, answers),
            _ => reader.read(input, answers),
        }
    }
}

/// The first bytes of a file.
fn head(file: &mut File) -> io::Result<io::Cursor<Vec<u8>>> {
    let mut head = Vec::new();
    file.take(512).read_to_end(&mut head)?;
    Ok(io::Cursor::new(head))
}

/// Whether a file that begins with these bytes is no text. Texts in UTF-16 have zeros, too, but begin with a mark.
fn is_raw(head: &io::Cursor<Vec<u8>>) -> bool {
    let head = head.get_ref();
    let is_utf16 = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    !is_utf16 && (head.contains(&0) || head.starts_with(&[0xff, 0xff]))
}
