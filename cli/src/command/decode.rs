//! `gizwits decode`: payloads as JSON or as tables.

mod text;

use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _, Write};
use std::path::PathBuf;

use anstyle::AnsiColor;
use clap::{Args, ValueEnum};
use gizwits_codec_std::{Decoded, Error, Product, payload};

use self::text::{describe, paint};
use crate::definition;
use crate::failure::{Failure, usage};
use crate::payload::{encoding, list_of_kinds, pointed_at};
use crate::text::{counted, printable, tell};

/// The maximum length of a line of standard input, in bytes. The longest payload has 64 KiB and
/// takes less than 1 MiB, even as a list of bytes.
const MAX_LINE: usize = 16 << 20;

/// The key that ends the input of a terminal.
const END: &str = if cfg!(windows) { "Ctrl-Z" } else { "Ctrl-D" };

/// Decode payloads to JSON, one line each
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = format!(
        "Kinds of errors:\n{}\n\
         Exit status: 0 on success, 1 if a payload can't be decoded, 2 for wrong usage or an invalid definition.\n\n{EXAMPLES}",
        list_of_kinds(Error::KINDS)
    ),
    long_about = "Decode payloads to JSON, one line each, in order.\n\n\
        A payload is an M2M frame, which begins with 00000003, or a bare P0. It is written as hex, as \
        base64 or as a list of bytes such as [4,1,0]. The line of a payload that can't be decoded is \
        {\"error\":…}."
)]
pub(crate) struct Decode {
    /// The product's definition, as the Enterprise API returns it
    #[arg(short, long, value_name = "FILE")]
    definition: PathBuf,
    /// The payloads, or - to read them from standard input, one per line
    #[arg(value_name = "PAYLOAD", default_value = "-")]
    payloads: Vec<String>,
    /// The type of the payloads; by default, frames begin with 00000003 and all others are P0s
    #[arg(long, value_enum)]
    input: Option<Input>,
    /// The encoding of the payloads; by default, each payload is recognised by its content
    #[arg(long, value_parser = encoding())]
    encoding: Option<payload::Encoding>,
    /// Accept replies and reports of any length, and decode the points that are complete
    ///
    /// Differences from the definition are reported as `extra`, `missing` or `whole_body`.
    #[arg(long)]
    lax: bool,
    /// The output format: JSON for programs, tables for people
    #[arg(long, value_enum, default_value = "json")]
    output: Output,
}

const EXAMPLES: &str = "\
Examples:
  gizwits decode -d tests/fixtures/air-conditioner.json 000000030b0000910401000010000000
  gizwits decode -d tests/fixtures/air-conditioner.json --output table AAAAAwkAAJABAQEAABA=
  echo 0000000309000090010101000010 | gizwits decode -d tests/fixtures/air-conditioner.json";

#[derive(Clone, Copy, ValueEnum)]
enum Input {
    /// M2M frames
    M2m,
    /// Bare P0s
    P0,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    Json,
    Table,
}

impl Decode {
    pub(crate) fn run<W: Write>(&self, out: &mut W, colours: bool) -> Result<(), Failure> {
        let standard = self.payloads.iter().any(|payload| payload == "-");
        if standard && self.definition.as_os_str() == "-" {
            return Err(usage(
                "standard input is the definition: give the payloads as arguments",
            ));
        }
        let product = definition::load(&self.definition)?;
        let (mut bytes, mut line) = (Vec::new(), Vec::new());
        let (mut count, mut failed) = (0, 0);
        let mut decode = |text: Result<&str, Error>, out: &mut W| {
            count += 1;
            let parsed = text.and_then(|text| payload::parse_into(text, self.encoding, &mut bytes));
            let decoded = parsed.and_then(|()| self.decoded(&product, &bytes));
            failed += usize::from(decoded.is_err());
            line.clear();
            match (decoded, self.output) {
                (Ok(decoded), Output::Json) => decoded.write_json(&mut line),
                (Ok(decoded), Output::Table) => {
                    line.extend(describe(&product, &decoded, colours).as_bytes());
                }
                (Err(error), Output::Json) => line.extend(error_json(&error).as_bytes()),
                (Err(error), Output::Table) => {
                    let style = paint(colours, AnsiColor::Red.on_default());
                    let message = printable(&error.message);
                    let byte = error.byte.map(|byte| pointed_at(&bytes, byte as usize));
                    let byte = byte.unwrap_or_default();
                    write!(
                        line,
                        "{style}error{style:#}: payload {count}: {message}{byte}"
                    )?;
                }
            }
            line.push(b'\n');
            out.write_all(&line)
        };
        for payload in &self.payloads {
            match payload.as_str() {
                "-" => each_line(out, &mut decode)?,
                payload => decode(Ok(payload), out)?,
            }
        }
        out.flush()?;
        if failed > 0 {
            let payloads = counted(count, "payload");
            tell(format_args!("{payloads}, {failed} failed"));
            return Err(Failure::Some);
        }
        Ok(())
    }

    /// Decodes one payload as --input and --lax say.
    fn decoded<'p, 'b>(
        &self,
        product: &'p Product,
        bytes: &'b [u8],
    ) -> Result<Decoded<'p, 'b>, Error> {
        let lax = product.lax();
        match (self.input, self.lax) {
            (None, false) => product.decode(bytes),
            (None, true) => lax.decode(bytes),
            (Some(Input::M2m), false) => product.decode_m2m(bytes),
            (Some(Input::M2m), true) => lax.decode_m2m(bytes),
            (Some(Input::P0), false) => product.decode_p0(bytes),
            (Some(Input::P0), true) => lax.decode_p0(bytes),
        }
    }
}

/// Passes each line of standard input to `decode`. Memory is bounded whatever the length of a line.
fn each_line<W: Write>(
    out: &mut W,
    mut decode: impl FnMut(Result<&str, Error>, &mut W) -> io::Result<()>,
) -> io::Result<()> {
    if io::stdin().is_terminal() {
        tell(format_args!(
            "reading payloads from standard input, one per line; {END} ends the input"
        ));
    }
    let mut input = BufReader::with_capacity(1 << 16, io::stdin().lock());
    let mut line = Vec::new();
    // Some programs begin a text with a byte order mark. In any other line it is an error.
    let mut mark = "\u{feff}";
    loop {
        // Without a complete line in the buffer, the next read may wait. The input may be a log that somebody
        // follows, so the results come first.
        if !input.buffer().contains(&b'\n') {
            out.flush()?;
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
        match std::str::from_utf8(&line) {
            _ if is_long => decode(Err(not_text("is longer than 16 MiB")), out)?,
            Err(_) => decode(Err(not_text("is not UTF-8 text")), out)?,
            Ok(text) => match text.strip_prefix(mark).unwrap_or(text).trim() {
                "" => {}
                text => decode(Ok(text), out)?,
            },
        }
    }
}

/// The error of a line that can't be a payload in any encoding.
fn not_text(why: &str) -> Error {
    Error {
        kind: "not_hex_or_base64",
        message: format!("the line {why}"),
        point: None,
        byte: None,
        bit: None,
    }
}

/// The line of a payload that can't be decoded.
fn error_json(error: &Error) -> String {
    // Serializing an error can't fail.
    let error = serde_json::to_string(error).unwrap_or_default();
    format!(r#"{{"error":{error}}}"#)
}
