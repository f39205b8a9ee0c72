//! `gizwits decode`

mod text;

use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _, Write};
use std::path::PathBuf;

use anstyle::AnsiColor;
use clap::{Args, ValueEnum};
use gizwits_codec_std::{Decoded, Error, Product, payload};
use serde_json::Value;

use self::text::{describe, paint};
use crate::definition;
use crate::failure::{Failure, usage};
use crate::payload::{encoding, list_of_kinds, pointed_at};
use crate::text::{counted, printable, tell};

/// The longest line of standard input, in bytes: 64 KiB as a list of bytes, several times over.
const MAX_LINE: usize = 16 << 20;

/// The key that ends the input of a terminal.
const END: &str = if cfg!(windows) { "Ctrl-Z" } else { "Ctrl-D" };

/// Decode payloads to JSON, one line each
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = long_help(),
    long_about = "Decode payloads to JSON, one line each, in order.\n\n\
        A payload is an M2M frame, which begins with 00000003, or a bare P0, as hex, base64 or a \
        list of bytes. One that fails gives {\"error\":…} in its place."
)]
pub(crate) struct Decode {
    /// The product's definition, as the Enterprise API hands it out
    #[arg(short, long, value_name = "FILE")]
    definition: PathBuf,
    /// Payloads; - for standard input, one a line
    #[arg(value_name = "PAYLOAD", default_value = "-")]
    payloads: Vec<String>,
    /// What the payloads are, if not told by their first bytes
    #[arg(long, value_enum)]
    input: Option<Input>,
    /// How the payloads are written, if not told by their content
    #[arg(long, value_parser = encoding())]
    encoding: Option<payload::Encoding>,
    /// Decode the complete points of replies and reports of any length, and report the rest as extra, missing
    /// or whole_body
    #[arg(long)]
    lax: bool,
    /// JSON for programs, a table for people
    #[arg(long, value_enum, default_value = "json")]
    output: Output,
}

const EXAMPLES: &str = "\
Examples:
  gizwits decode -d tests/fixtures/air-conditioner.json 000000030b0000910401000010000000
  gizwits decode -d tests/fixtures/air-conditioner.json --output table AAAAAwkAAJABAQEAABA=
  echo 0000000309000090010101000010 | gizwits decode -d tests/fixtures/air-conditioner.json";

fn long_help() -> String {
    format!(
        "Kinds of errors:\n{}\n\
         Exit status: 0; 1 if a payload failed; 2 for wrong usage or definition.\n\n{EXAMPLES}",
        list_of_kinds(Error::KINDS)
    )
}

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
        let standard = self.payloads.iter().any(|one| one == "-");
        if standard && self.definition.as_os_str() == "-" {
            return Err(usage(
                "standard input is the definition: give payloads as arguments",
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

/// Decodes the lines of standard input, each in at most 16 MiB of memory.
fn each_line<W: Write>(
    out: &mut W,
    mut decode: impl FnMut(Result<&str, Error>, &mut W) -> io::Result<()>,
) -> io::Result<()> {
    if io::stdin().is_terminal() {
        tell(format_args!("reading payloads, one a line; {END} ends"));
    }
    let mut input = BufReader::with_capacity(1 << 16, io::stdin().lock());
    let mut line = Vec::new();
    // Some programs begin a text with a byte order mark.
    let mut mark = "\u{feff}";
    loop {
        // Whoever follows a log wants each answer before the next line is waited for.
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
            _ if is_long => decode(Err(not_text("is over 16 MiB long")), out)?,
            Err(_) => decode(Err(not_text("is not UTF-8 text")), out)?,
            Ok(text) => match text.strip_prefix(mark).unwrap_or(text).trim() {
                "" => {}
                text => decode(Ok(text), out)?,
            },
        }
    }
}

/// The error of a line that is no text.
fn not_text(why: &str) -> Error {
    Error {
        kind: "not_hex_or_base64",
        message: format!("the line {why}"),
        point: None,
        byte: None,
        bit: None,
    }
}

fn error_json(error: &Error) -> String {
    let (kind, message) = (error.kind, Value::from(error.message.as_str()));
    let mut json = format!(r#"{{"error":{{"kind":"{kind}","message":{message}"#);
    let point = error.point.as_deref().map(Value::from);
    let (byte, bit) = (error.byte.map(Value::from), error.bit.map(Value::from));
    for (name, value) in [("point", point), ("byte", byte), ("bit", bit)] {
        if let Some(value) = value {
            json += &format!(r#","{name}":{value}"#);
        }
    }
    json + "}}"
}
