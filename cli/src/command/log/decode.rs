//! `gizwits log decode`: the records of logs as lines or columns.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use gizwits_codec_std::log::{self, Arrow, ByProduct, Csv, Log, Ndjson, Options, Parquet};

use super::input::Input;
use crate::failure::{Failure, usage};
use crate::output::file::{Target, is_special};

/// Decode the records of logs to lines or columns
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = long_help(),
    long_about = "Decode the records of logs to lines or columns, in order.\n\n\
        A record is a line of JSON with a payload, as the cloud's command log has it \
        ({\"timestamp\":…,\"type\":\"dev2app\",\"payload\":\"…\"}), an object in a page of the Enterprise \
        API ({\"meta\":…,\"objects\":[…]}), or a bare payload. Inputs may be compressed with gzip or zstd. \
        A record that fails is counted and, with --rejects, written to a file."
)]
pub(crate) struct Decode {
    #[command(flatten)]
    input: Input,
    /// Where the output goes; standard output without it
    #[arg(short, long, value_name = "OUT")]
    out: Option<PathBuf>,
    /// The form of the output, if not told by the extension of OUT
    #[arg(long, value_enum)]
    format: Option<Form>,
    /// Carry the last known values of a device's points forward (var_len); reports and replies that name no
    /// device are rejected: see --did
    #[arg(long)]
    fill: bool,
    /// Keep the members of records that have no meaning here
    #[arg(long)]
    keep: bool,
    /// Prefix names, labels, types and dids of a CSV with ' if they begin with = + - @, tab, CR or LF, so that
    /// no spreadsheet reads them as formulas; without it cells are exactly what the log has
    #[arg(long)]
    csv_guard: bool,
    /// How much zstd compresses Parquet, from 1 to 22
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=22))]
    level: i32,
    /// How many threads read and decode, each with a block in memory; as many as there are cores without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  gizwits log decode -d tests/fixtures/air-conditioner.json log.ndjson -o log.csv
  gizwits log decode -d a.json -d b.json 'logs/*.ndjson.zst' -o out.parquet --rejects rejects.ndjson
  zcat log.gz | gizwits log decode -d tests/fixtures/air-conditioner.json - --did DID";

pub(crate) fn long_help() -> String {
    let mut help = String::from("Reasons of rejects, besides those of `gizwits decode`:\n");
    for (kind, meaning) in log::KINDS {
        help.push_str(&format!("  {kind:18} {meaning}\n"));
    }
    help.push_str(
        "\nExit status: 0; 1 if a record was rejected; 2 for wrong usage or definition.\n\n",
    );
    help + EXAMPLES
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    Ndjson,
    Csv,
    Arrow,
    Parquet,
}

impl Form {
    /// Whether a table has the columns of one product.
    fn is_table(self) -> bool {
        self != Form::Ndjson
    }
}

impl Decode {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let form = self.form()?;
        if self.csv_guard && form != Form::Csv {
            return Err(usage(format_args!(
                "--csv-guard is for CSV: say --format csv or name a file .csv"
            )));
        }
        let products = self.input.products()?;
        let mut targets = Vec::new();
        let out = self.out();
        match (out, products.iter().len()) {
            (out, 2..) if form.is_table() && out.is_none_or(is_special) => {
                return Err(usage(format_args!(
                    "a table has the columns of one product, and there are several: give a file with \
                     --out, of which there will be one for each"
                )));
            }
            (Some(out), 2..) if form.is_table() => {
                for (product, file) in products.iter().zip(&self.input.definitions) {
                    let key = product.product_key();
                    if key.len() != 32 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                        return Err(usage(format_args!(
                            "{}: the product_key `{key}` becomes part of a file name: expected 32 hex digits",
                            file.display()
                        )));
                    }
                    let mut name = out.file_stem().unwrap_or_default().to_owned();
                    name.push(format!(".{key}"));
                    if let Some(extension) = out.extension() {
                        name.push(".");
                        name.push(extension);
                    }
                    targets.push(Target::create(&out.with_file_name(name))?);
                }
            }
            (Some(out), _) => targets.push(Target::create(out)?),
            (None, _) => {
                if matches!(form, Form::Arrow | Form::Parquet) && io::stdout().is_terminal() {
                    return Err(usage(format_args!(
                        "a terminal can't show this: give a file with --out, or a pipe"
                    )));
                }
                targets.push(Target::Stdout);
            }
        }
        let options = Options {
            keep: self.keep,
            fill: self.fill,
            ..self.input.options()
        };
        // Whoever follows a log wants what there is.
        let mut log = Log::new(&products).options(options).eager(out.is_none());
        if let Some(threads) = self.threads {
            log = log.threads(threads.into());
        }
        let files: Vec<Box<dyn Write + Send>> = targets
            .iter()
            .map(Target::file)
            .collect::<io::Result<_>>()?;
        let written: Vec<&Path> = targets.iter().filter_map(Target::path).collect();
        let mut pairs = products.iter().zip(files);
        // What is missing or extra has its column.
        let extra = self.keep || self.input.lax;
        let summary = match form {
            Form::Ndjson => {
                let (_, file) = pairs.next().ok_or_else(none)?;
                self.input
                    .decode(log, Ndjson::new(&products, file), &written)?
            }
            Form::Csv => {
                let csv = |(product, file)| match self.csv_guard {
                    true => Csv::guarded(product, extra, file),
                    false => Csv::new(product, extra, file),
                };
                let formats = pairs.map(csv).collect::<io::Result<_>>()?;
                self.input.decode(log, ByProduct::new(formats), &written)?
            }
            Form::Arrow => {
                let arrow = |(product, file)| match out {
                    Some(_) => Arrow::file(product, extra, file),
                    None => Arrow::stream(product, extra, file),
                };
                let formats = pairs.map(arrow).collect::<io::Result<_>>()?;
                self.input.decode(log, ByProduct::new(formats), &written)?
            }
            Form::Parquet => {
                let parquet = |(product, file)| Parquet::new(product, extra, self.level, file);
                let formats = pairs.map(parquet).collect::<io::Result<_>>()?;
                self.input.decode(log, ByProduct::new(formats), &written)?
            }
        };
        let (summary, seconds) = summary;
        let mut written = Vec::new();
        for target in targets {
            written.extend(target.commit()?);
        }
        self.input.tell(&summary, seconds, &written)
    }

    /// Where the output goes, if not to standard output.
    fn out(&self) -> Option<&Path> {
        let standard = |out: &&Path| *out == Path::new("-") || *out == Path::new("/dev/stdout");
        self.out.as_deref().filter(|out| !standard(out))
    }

    fn form(&self) -> Result<Form, Failure> {
        let extension = self.out().and_then(Path::extension);
        let extension = extension.map(|one| one.to_string_lossy().to_lowercase());
        Ok(match (self.format, extension.as_deref()) {
            (Some(form), _) => form,
            (None, None | Some("ndjson" | "jsonl" | "json")) => Form::Ndjson,
            (None, Some("csv")) => Form::Csv,
            (None, Some("arrow" | "feather" | "ipc")) => Form::Arrow,
            (None, Some("parquet")) => Form::Parquet,
            (None, Some(other)) => {
                return Err(usage(format_args!(
                    "the form of a file `.{other}` is not known: use .ndjson, .csv, .arrow or .parquet, or \
                     say --format"
                )));
            }
        })
    }
}

/// There is a product and a target for each.
pub(crate) fn none() -> Failure {
    usage(format_args!("no definition"))
}
