//! `gizwits log decode`: the records of logs as lines or columns.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use gizwits_codec_std::Product;
use gizwits_codec_std::log::{
    self, Arrow, ByProduct, Csv, Format, Log, Ndjson, Options, Parquet, Products,
};

use super::input::Input;
use super::totals::Totals;
use crate::failure::{Failure, in_file, usage};
use crate::output::file::{OutputFile, is_special, named_output};
use crate::payload::list_of_kinds;

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

const EXAMPLES: &str = "\
Examples:
  gizwits log decode -d tests/fixtures/air-conditioner.json log.ndjson -o log.csv
  gizwits log decode -d a.json -d b.json 'logs/*.ndjson.zst' -o out.parquet --rejects rejects.ndjson
  zcat log.gz | gizwits log decode -d tests/fixtures/air-conditioner.json - --did DID";

fn long_help() -> String {
    format!(
        "Reasons of rejects, besides those of `gizwits decode`:\n{}\n\
         Exit status: 0; 1 if a record was rejected; 2 for wrong usage or definition.\n\n{EXAMPLES}",
        list_of_kinds(log::KINDS)
    )
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    #[value(aliases = ["jsonl", "json"])]
    Ndjson,
    Csv,
    #[value(aliases = ["feather", "ipc"])]
    Arrow,
    Parquet,
}

/// A destination of decoded records.
type Sink = Box<dyn Write + Send>;

impl Decode {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let form = self.form()?;
        if self.csv_guard && form != Form::Csv {
            return Err(usage(
                "--csv-guard is for CSV: say --format csv or name a file .csv",
            ));
        }
        let products = self.input.products()?;
        let files = self.output_files(form, &products)?;
        let totals = self.decode(form, &products, &files)?;
        let written = files.into_iter().map(OutputFile::commit);
        let written: Vec<String> = written.collect::<Result<_, _>>()?;
        totals.tell(&written)
    }

    /// Creates the output files: one for each product if the output is a table, none for standard output.
    fn output_files(&self, form: Form, products: &Products) -> Result<Vec<OutputFile>, Failure> {
        let out = named_output(self.out.as_deref());
        if form == Form::Ndjson || products.iter().len() == 1 {
            let is_binary = matches!(form, Form::Arrow | Form::Parquet);
            if out.is_none() && is_binary && io::stdout().is_terminal() {
                return Err(usage(
                    "a terminal can't show this: give a file with --out, or a pipe",
                ));
            }
            return out.map(OutputFile::create).into_iter().collect();
        }
        let Some(out) = out.filter(|out| !is_special(out)) else {
            return Err(usage(
                "a table has the columns of one product, and there are several: give a file with --out, of \
                 which there will be one for each",
            ));
        };
        let definitions = products.iter().zip(&self.input.definitions);
        let files = definitions.map(|(product, definition)| {
            let key = product.product_key();
            if key.len() != 32 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let message = format!(
                    "the product_key `{key}` becomes part of a file name: expected 32 hex digits"
                );
                return Err(in_file(definition, message));
            }
            let mut extension = OsString::from(key);
            if let Some(own) = out.extension() {
                extension.push(".");
                extension.push(own);
            }
            OutputFile::create(&out.with_extension(extension))
        });
        files.collect()
    }

    /// Decodes the records into the files, or to standard output if there are none.
    fn decode(
        &self,
        form: Form,
        products: &Products,
        files: &[OutputFile],
    ) -> Result<Totals<'_>, Failure> {
        let options = Options {
            keep: self.keep,
            fill: self.fill,
            ..self.input.options()
        };
        let to_file = !files.is_empty();
        // Whoever follows a log wants each record at once.
        let mut log = Log::new(products).options(options).eager(!to_file);
        if let Some(threads) = self.threads {
            log = log.threads(threads.into());
        }
        // A table has a column for missing and extra bytes.
        let extra = self.keep || self.input.lax;
        let paths: Vec<&Path> = files.iter().map(OutputFile::path).collect();
        let sink = |index: usize| -> io::Result<Sink> {
            Ok(match files.get(index) {
                Some(file) => Box::new(file.writer()?),
                None => Box::new(io::stdout()),
            })
        };
        match form {
            Form::Ndjson => {
                let format = Ndjson::new(products, sink(0)?);
                self.input.decode(log, format, &paths)
            }
            Form::Csv => {
                let tables = by_product(products, sink, |product, sink| match self.csv_guard {
                    true => Csv::guarded(product, extra, sink),
                    false => Csv::new(product, extra, sink),
                });
                self.input.decode(log, tables?, &paths)
            }
            Form::Arrow => {
                let tables = by_product(products, sink, |product, sink| match to_file {
                    true => Arrow::file(product, extra, sink),
                    false => Arrow::stream(product, extra, sink),
                });
                self.input.decode(log, tables?, &paths)
            }
            Form::Parquet => {
                let table = |product: &_, sink| Parquet::new(product, extra, self.level, sink);
                self.input
                    .decode(log, by_product(products, sink, table)?, &paths)
            }
        }
    }

    fn form(&self) -> Result<Form, Failure> {
        let extension = named_output(self.out.as_deref()).and_then(Path::extension);
        match (self.format, extension.map(OsStr::to_string_lossy)) {
            (Some(form), _) => Ok(form),
            (None, None) => Ok(Form::Ndjson),
            (None, Some(extension)) => Form::from_str(&extension, true).map_err(|_| {
                usage(format_args!(
                    "unknown output format `.{extension}`: use .ndjson, .csv, .arrow or .parquet, or say --format"
                ))
            }),
        }
    }
}

fn by_product<F: Format>(
    products: &Products,
    sink: impl Fn(usize) -> io::Result<Sink>,
    table: impl Fn(&Product, Sink) -> io::Result<F>,
) -> io::Result<ByProduct<F>> {
    let products = products.iter().enumerate();
    let tables = products.map(|(index, product)| table(product, sink(index)?));
    Ok(ByProduct::new(tables.collect::<io::Result<_>>()?))
}
