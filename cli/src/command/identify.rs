//! `gizwits identify`: the definitions that messages fit.

use std::cmp::Ordering;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use gizwits_codec_std::capture::{CaptureDecoder, Envelope, Fit, Meaning, Piece, UartStream};
use gizwits_codec_std::core::m2m::{self, Event};
use gizwits_codec_std::core::uart;
use gizwits_codec_std::{Error, Product, payload};
use serde_json::json;

use crate::definition;
use crate::failure::{Failure, in_file, usage, usage_with_hint};
use crate::output::table::table;
use crate::payload::encoding;
use crate::text::{counted, printable, tell};

/// Find the product of a message among definitions
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    long_about = "Find the product of a message among definitions.\n\n\
        A message fits a definition if it has exactly its length and flags, and all its values are within their labels \
        and ranges. The definitions that all messages fit come first, the most specific one at the top: the one whose \
        ranges, labels and free bits leave the least to chance. Each other definition is followed by the first reason why \
        it doesn't fit. Messages that name a product key, such as a discovery reply, decide by the key. Several \
        messages of one device tell more than one."
)]
pub(crate) struct Identify {
    /// The messages, in any notation that `gizwits decode` accepts
    #[arg(value_name = "PAYLOAD", required = true)]
    payloads: Vec<String>,
    /// The definitions: a file, or a folder whose .json files are read. The option can be repeated
    #[arg(
        short,
        long = "definition",
        value_name = "DIR_OR_FILE",
        required = true
    )]
    definitions: Vec<PathBuf>,
    /// The encoding of the payloads; by default, each payload is recognised by its content
    #[arg(long, value_parser = encoding())]
    encoding: Option<payload::Encoding>,
    /// Print one JSON object per definition in place of a table
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Exit status: 0 if a definition fits, 1 if none does, 2 for wrong usage or a file that can't be read.

ac.json is a definition: `gizwits definition PRODUCT_KEY -o ac.json` fetches one.

Examples:
  gizwits identify -d definitions 000000030b0000910401000010000000
  gizwits identify 0401000010000000 -d ac.json";

/// A part of a payload that depends on its product.
enum Clue {
    /// A P0.
    P0(Vec<u8>),
    /// The product key.
    Key(String),
}

/// A definition, and how well the messages fit it.
struct Candidate {
    path: PathBuf,
    name: String,
    product_key: String,
    fit: Result<Fit, Error>,
    /// The number of messages that fit, up to the first that doesn't.
    fitting: usize,
}

impl Identify {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let mut clues = Vec::new();
        for (number, text) in (1..).zip(&self.payloads) {
            let found = clues_of(text, self.encoding).map_err(|error| {
                // The shell makes several arguments of `-d *.json`.
                let hint = match Path::new(text).exists() {
                    true => {
                        ". It is a file: give each definition with a -d of its own, or their folder"
                    }
                    false => "",
                };
                usage(format_args!("payload {number}: {}{hint}", error.message))
            })?;
            if found.is_empty() {
                tell(format_args!(
                    "payload {number} has neither data points nor a product key, so it fits any product"
                ));
            }
            clues.extend(found);
        }
        if clues.is_empty() {
            return Err(usage(
                "no payload has data points or a product key: give a report, a reply, a control or a discovery reply",
            ));
        }
        let mut candidates = Vec::new();
        for path in files(&self.definitions)? {
            let is_named = self.definitions.contains(&path);
            let text = definition::read_definition(&path)?;
            match Product::from_json(&text) {
                Ok(product) => candidates.push(candidate(path, &product, &clues)),
                // A folder can have other files, too.
                Err(_) if !is_named => {
                    let path = path.display().to_string();
                    tell(format_args!(
                        "{}: not a valid definition, left out",
                        printable(&path)
                    ));
                }
                Err(_) => definition::load(&path).map(|_| ())?,
            }
        }
        candidates.sort_by(better);
        let is_found = candidates.first().is_some_and(|best| best.fit.is_ok());
        match self.json {
            true => {
                for one in &candidates {
                    writeln!(out, "{}", one.json())?;
                }
            }
            false => {
                let rows = candidates.iter().map(Candidate::row);
                out.write_all(table(rows).as_bytes())?;
            }
        }
        match is_found {
            true => Ok(()),
            false => {
                let definitions = counted(candidates.len(), "definition");
                out.flush()?;
                tell(format_args!("no definition fits, of {definitions}"));
                Err(Failure::Some)
            }
        }
    }
}

impl Candidate {
    fn json(&self) -> serde_json::Value {
        let mut json = json!({
            "file": self.path.display().to_string(),
            "name": self.name,
            "product_key": self.product_key,
            "fits": self.fit.is_ok(),
        });
        match &self.fit {
            Ok(fit) => {
                json["points"] = json!(fit.points);
                json["evidence_bits"] = json!((fit.evidence * 10.0).round() / 10.0);
                json["spare_bits_set"] = json!(fit.spare_bits_set);
            }
            Err(error) => json["error"] = json!(error),
        }
        json
    }

    fn row(&self) -> [String; 3] {
        let (mark, why) = match &self.fit {
            Ok(fit) => (
                "fits",
                format!("{fit}; {:.0} bits of evidence", fit.evidence),
            ),
            Err(error) => ("-", error.message.clone()),
        };
        let file = self.path.file_name().unwrap_or(self.path.as_os_str());
        let name = match self.name.as_str() {
            "" => file.to_string_lossy().into_owned(),
            name => format!("{name} ({})", file.to_string_lossy()),
        };
        [mark.to_owned(), name, why]
    }
}

/// The order of candidates, the best first.
fn better(one: &Candidate, other: &Candidate) -> Ordering {
    let by_fit = match (&one.fit, &other.fit) {
        (Ok(one), Ok(other)) => {
            let by_spare = one.spare_bits_set.cmp(&other.spare_bits_set);
            by_spare.then(other.evidence.total_cmp(&one.evidence))
        }
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => other.fitting.cmp(&one.fitting),
    };
    by_fit.then_with(|| one.path.cmp(&other.path))
}

fn candidate(path: PathBuf, product: &Product, clues: &[Clue]) -> Candidate {
    let mut total = Fit::default();
    let mut fitting = 0;
    let mut fit = Ok(());
    for clue in clues {
        let one = match clue {
            Clue::P0(p0) => product.fit(p0),
            Clue::Key(key) => product.fit_key(key),
        };
        match one {
            Ok(one) => {
                total.points = total.points.max(one.points);
                total.evidence += one.evidence;
                total.spare_bits_set += one.spare_bits_set;
                fitting += 1;
            }
            Err(error) => {
                fit = Err(error);
                break;
            }
        }
    }
    Candidate {
        path,
        name: product.name().to_owned(),
        product_key: product.product_key().to_owned(),
        fit: fit.map(|()| total),
        fitting,
    }
}

/// The P0s and product keys of a payload.
fn clues_of(text: &str, encoding: Option<payload::Encoding>) -> Result<Vec<Clue>, Error> {
    let mut bytes = Vec::new();
    payload::parse_into(text, encoding, &mut bytes)?;
    let decoder = CaptureDecoder::new();
    let mut clues = Vec::new();
    if bytes.starts_with(&[0xff, 0xff]) {
        let mut stream = UartStream::new();
        let mut failed = None;
        let mut each = |piece: Piece<'_, uart::Frame<'_>>| match piece
            .frame
            .and_then(|frame| decoder.uart(frame))
        {
            Ok(captured) => {
                let key = captured.product_key().map(Clue::Key);
                let p0 = match captured.meaning {
                    Meaning::P0 { code, body, .. } if captured.needs_definition() => {
                        Some(Clue::P0([&[code], body].concat()))
                    }
                    _ => None,
                };
                clues.extend(key.into_iter().chain(p0));
            }
            Err(error) => failed = failed.take().or(Some(error)),
        };
        stream.push(&bytes, &mut each);
        stream.finish(&mut each);
        return match failed {
            Some(error) if clues.is_empty() => Err(error),
            _ => Ok(clues),
        };
    }
    let captured = decoder.decode(&bytes)?;
    clues.extend(captured.product_key().map(Clue::Key));
    if captured.needs_definition() {
        let p0 = match captured.envelope {
            Some(Envelope::M2m(Event::Frame(m2m::Frame { body, .. }))) => body,
            _ => &bytes,
        };
        clues.push(Clue::P0(p0.to_vec()));
    }
    Ok(clues)
}

/// The files of definitions, in the order of their names within a folder.
pub(super) fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in given {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let fail = |error| in_file(path, error);
        let mut inside: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(path).map_err(fail)? {
            inside.push(entry.map_err(fail)?.path());
        }
        inside.retain(|file| file.is_file() && file.extension().is_some_and(|kind| kind == "json"));
        if inside.is_empty() {
            let shown = path.display();
            return Err(usage_with_hint(
                format_args!("{shown} has no .json files"),
                definition::HOW_TO_GET,
            ));
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}
