//! `gizwits decode`

use std::borrow::Cow;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read, Write};
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::{Args, ValueEnum};
use gizwits_codec_std::core::m2m::{self, Event};
use gizwits_codec_std::core::{P0, Protocol, Raw, Value};
use gizwits_codec_std::{Content, Decoded, Error, Product, payload};
use unicode_width::UnicodeWidthStr as _;

use crate::definition;
use crate::failure::Failure;
use crate::payload::{Encoding, pointed_at};
use crate::text::{counted, printable, tell};

/// The longest line that is taken for a payload: 64 KiB as a list of bytes, several times over.
const MAX_LINE: usize = 16 << 20;

/// What ends the input of a terminal.
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
    /// Payloads; - or none at all for standard input, one a line
    #[arg(value_name = "PAYLOAD")]
    payloads: Vec<String>,
    /// What the payloads are, if not told by their first bytes
    #[arg(long, value_enum)]
    input: Option<Input>,
    /// How the payloads are written, if not told by their content
    #[arg(long, value_enum)]
    encoding: Option<Encoding>,
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
    let mut help = String::from("Kinds of errors:\n");
    for (kind, meaning) in Error::KINDS {
        help.push_str(&format!("  {kind:18} {meaning}\n"));
    }
    help.push_str("\nExit status: 0; 1 if a payload failed; 2 for wrong usage or definition.\n\n");
    help + EXAMPLES
}

#[derive(Clone, Copy, ValueEnum)]
enum Input {
    /// M2M frames
    M2m,
    /// Bare P0s
    P0,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Json,
    Table,
}

impl Decode {
    pub(crate) fn run(&self, out: &mut impl Write, colours: bool) -> Result<(), Failure> {
        let standard = self.payloads.is_empty() || self.payloads.iter().any(|one| one == "-");
        if standard && self.definition.as_os_str() == "-" {
            let message = "error: standard input is the definition: give payloads as arguments";
            return Err(Failure::Usage(message.to_owned()));
        }
        let (_, product) = definition::load(&self.definition)?;
        let mut decoder = Decoder {
            options: self,
            product: &product,
            colours,
            bytes: Vec::new(),
            line: Vec::new(),
            payloads: 0,
            failed: 0,
        };
        if self.payloads.is_empty() {
            decoder.stdin(out)?;
        }
        for payload in &self.payloads {
            match payload.as_str() {
                "-" => decoder.stdin(out)?,
                payload => decoder.payload(Ok(payload), out)?,
            }
        }
        out.flush()?;
        match decoder.failed {
            0 => Ok(()),
            failed => {
                let payloads = counted(decoder.payloads, "payload");
                tell(format_args!("{payloads}, {failed} failed"));
                Err(Failure::Some)
            }
        }
    }
}

struct Decoder<'a> {
    options: &'a Decode,
    product: &'a Product,
    colours: bool,
    bytes: Vec<u8>,
    line: Vec<u8>,
    payloads: usize,
    failed: u64,
}

impl Decoder<'_> {
    fn stdin(&mut self, out: &mut impl Write) -> io::Result<()> {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            tell(format_args!("reading payloads, one a line; {END} ends"));
        }
        self.lines(BufReader::with_capacity(1 << 16, stdin.lock()), out)
    }

    fn lines(&mut self, mut input: BufReader<impl Read>, out: &mut impl Write) -> io::Result<()> {
        let mut line = Vec::new();
        // Some programs begin a text with a byte order mark.
        let mut mark = "\u{feff}";
        loop {
            line.clear();
            let mut read = 0;
            // A line of any length ends; of one that is too long the rest is passed over.
            loop {
                // Whoever follows a log wants what there is before the next line is waited for.
                if input.buffer().is_empty() {
                    out.flush()?;
                }
                let chunk = match input.fill_buf() {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    chunk => chunk?,
                };
                let end = chunk.iter().position(|byte| *byte == b'\n');
                let taken = end.map_or(chunk.len(), |end| end + 1);
                let room = MAX_LINE.saturating_sub(line.len()).min(taken);
                line.extend_from_slice(&chunk[..room]);
                read += taken;
                let ended = end.is_some() || taken == 0;
                input.consume(taken);
                if ended {
                    break;
                }
            }
            if read == 0 {
                return Ok(());
            }
            let refused = |why: &str| Error {
                kind: "not_hex_or_base64",
                message: format!("the line {why}"),
                point: None,
                byte: None,
                bit: None,
            };
            let text = line.strip_prefix(mark.as_bytes()).unwrap_or(&line);
            mark = "";
            match std::str::from_utf8(text) {
                _ if read > MAX_LINE => self.payload(Err(refused("is over 16 MiB long")), out)?,
                Err(_) => self.payload(Err(refused("is not UTF-8 text")), out)?,
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => self.payload(Ok(text), out)?,
            }
        }
    }

    fn payload(&mut self, text: Result<&str, Error>, out: &mut impl Write) -> io::Result<()> {
        self.payloads += 1;
        let encoding = self.options.encoding.map(payload::Encoding::from);
        let bytes = &mut self.bytes;
        let parsed = text.and_then(|text| payload::parse_into(text, encoding, bytes));
        let decoded = parsed.and_then(|()| {
            let (exact, lax) = (self.product, self.product.lax());
            match (self.options.input, self.options.lax) {
                (None, false) => exact.decode(bytes),
                (None, true) => lax.decode(bytes),
                (Some(Input::M2m), false) => exact.decode_m2m(bytes),
                (Some(Input::M2m), true) => lax.decode_m2m(bytes),
                (Some(Input::P0), false) => exact.decode_p0(bytes),
                (Some(Input::P0), true) => lax.decode_p0(bytes),
            }
        });
        self.line.clear();
        match (&decoded, self.options.output) {
            (Ok(decoded), Output::Json) => decoded.write_json(&mut self.line),
            (Ok(decoded), Output::Table) => {
                table(self.product, decoded, self.colours, &mut self.line)?
            }
            (Err(error), Output::Json) => write_error(error, &mut self.line)?,
            (Err(error), Output::Table) => {
                let style = paint(self.colours, AnsiColor::Red);
                let (number, message) = (self.payloads, printable(&error.message));
                write!(
                    self.line,
                    "{style}error{style:#}: payload {number}: {message}"
                )?;
                if let Some(byte) = error.byte {
                    self.line
                        .extend(pointed_at(bytes, byte as usize).as_bytes());
                }
            }
        }
        self.failed += u64::from(decoded.is_err());
        self.line.push(b'\n');
        out.write_all(&self.line)
    }
}

fn write_error(error: &Error, out: &mut Vec<u8>) -> io::Result<()> {
    let text = |text: &str| serde_json::Value::from(text);
    write!(
        out,
        r#"{{"error":{{"kind":"{}","message":{}"#,
        error.kind,
        text(&error.message)
    )?;
    if let Some(point) = &error.point {
        write!(out, r#","point":{}"#, text(point))?;
    }
    for (name, value) in [("byte", error.byte), ("bit", error.bit)] {
        if let Some(value) = value {
            write!(out, r#","{name}":{value}"#)?;
        }
    }
    out.write_all(b"}}")
}

fn paint(colours: bool, colour: AnsiColor) -> Style {
    match colours {
        true => colour.on_default(),
        false => Style::new(),
    }
}

/// Of a point: its name, its value, the raw value where it differs, what is odd about it.
type Row<'p> = (Cow<'p, str>, String, String, String);

fn table(
    product: &Product,
    decoded: &Decoded<'_, '_>,
    colours: bool,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let strong = match colours {
        true => Style::new().bold(),
        false => Style::new(),
    };
    let warn = paint(colours, AnsiColor::Yellow);
    let (title, body) = match decoded.content {
        Content::P0(P0::Control(_)) => ("control", None),
        Content::P0(P0::Read { .. }) => ("read", None),
        Content::P0(P0::Reply(_)) => ("reply", None),
        Content::P0(P0::Report(_)) => ("report", None),
        Content::P0(P0::Transparent { data, .. }) => ("transparent", Some(data)),
        Content::P0(P0::Gateway { body, .. }) => ("gateway", Some(body)),
        Content::Body(body) => ("no data points", Some(body)),
    };
    write!(out, "{strong}{title}{strong:#}")?;
    match decoded.envelope {
        Some(Event::Frame(frame)) => {
            let way = match (frame.command, decoded.content) {
                (m2m::TO_DEVICE, _) | (_, Content::P0(P0::Control(_) | P0::Read { .. })) => {
                    "  app2dev"
                }
                (m2m::FROM_DEVICE, _) | (_, Content::P0(P0::Reply(_) | P0::Report(_))) => {
                    "  dev2app"
                }
                _ => "",
            };
            write!(out, "{way}  command {:#06x}", frame.command)?;
            if let Some(sn) = frame.sn {
                write!(out, "  sn {sn}")?;
            }
            if let Some(did) = frame.did {
                write!(out, "  did {}", String::from_utf8_lossy(did).escape_debug())?;
            }
        }
        Some(Event::Service { command }) => write!(out, "  service {command:#06x}")?,
        None => {}
    }
    if let Some(body) = body {
        write!(out, "\n  {}", payload::hex(body))?;
    }
    if let Some(broadcast) = decoded.broadcast() {
        write!(out, "\n  MAC address {}\n", broadcast.mac())?;
        table(product, &broadcast.decoded, colours, out)?;
    }
    for remark in decoded.remarks() {
        write!(out, "\n  {warn}! {remark}{warn:#}")?;
    }
    if let Content::P0(P0::Read(wanted)) = decoded.content
        && product.protocol() == Protocol::VarLen
    {
        for attr in wanted.ids().filter_map(|id| product.attr(id)) {
            write!(out, "\n  {}", printable(attr.name()))?;
        }
    }
    let Some(view) = decoded.view() else {
        return Ok(());
    };
    let rows: Vec<Row<'_>> = view
        .iter()
        .filter_map(|reading| {
            let name = printable(product.attr(reading.id())?.name());
            let value = printable(&product.show(reading)).into_owned();
            let raw = match (reading.raw(), reading.value()) {
                (Raw::Number(raw), Value::Bool(_) | Value::Enum(_)) => raw.to_string(),
                (Raw::Number(raw), _) if raw.to_string() != value => format!("raw {raw}"),
                _ => String::new(),
            };
            let flagged = product.odd(reading).unwrap_or_default();
            Some((name, value, raw, flagged))
        })
        .collect();
    let wide = |column: fn(&Row<'_>) -> usize| rows.iter().map(column).max().unwrap_or(0);
    let (names, values, raws) = (
        wide(|row| row.0.width()),
        wide(|row| row.1.width()).min(24),
        wide(|row| row.2.width()),
    );
    for (name, value, raw, flagged) in &rows {
        let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.width()));
        let mut row = format!("\n  {name}{}  {value}", pad(name, names));
        if !raw.is_empty() || !flagged.is_empty() {
            row += &format!("{}  {raw}", pad(value, values));
        }
        if !flagged.is_empty() {
            row += &format!("{}  {warn}! {flagged}{warn:#}", pad(raw, raws));
        }
        out.extend(row.trim_end().as_bytes());
    }
    Ok(())
}
