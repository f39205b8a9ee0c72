//! `gizwits log decode`: the records of logs as NDJSON or as tables.

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

/// Decode log records to NDJSON, CSV, Arrow or Parquet
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = format!(
        "Kinds of rejects, besides the kinds of errors of `gizwits decode`:\n{}\n\
         Exit status: 0 on success, 1 if a record was rejected, 2 for wrong usage or an invalid definition.\n\n{EXAMPLES}",
        list_of_kinds(log::KINDS)
    ),
    long_about = "Decode log records to NDJSON, CSV, Arrow or Parquet, in the order of the input.\n\n\
        A record is a line of JSON with a payload, as in the cloud's command log \
        ({\"timestamp\":…,\"type\":\"dev2app\",\"payload\":\"…\"}), an object in a page of the Enterprise \
        API ({\"meta\":…,\"objects\":[…]}), or a line with nothing but a payload. Inputs may be compressed \
        with gzip or zstd. A record that can't be decoded is counted and left out of the output; --rejects \
        writes such records to a file."
)]
pub(crate) struct Decode {
    #[command(flatten)]
    input: Input,
    /// The output file; by default, standard output
    ///
    /// CSV, Arrow and Parquet are tables with the columns of one product. With several definitions, each product
    /// gets a file of its own, with the product_key before the extension.
    #[arg(short, long, value_name = "OUT")]
    out: Option<PathBuf>,
    /// The output format; by default, the one of the extension of OUT, or ndjson
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
    /// Complete reports and replies of var_len products with the last known values of the device
    ///
    /// Reports and replies that name no device are rejected: name the device with --did or --did-from.
    #[arg(long)]
    fill: bool,
    /// Copy the members of records that the codec does not know to the output
    #[arg(long)]
    keep: bool,
    /// Put ' before cells of a CSV that a spreadsheet would read as formulas
    ///
    /// These are names, labels, types and dids that begin with = + - @, tab, CR or LF. Without the option, cells
    /// have exactly the text of the log.
    #[arg(long)]
    csv_guard: bool,
    /// The zstd compression level of Parquet, from 1 (fastest) to 22 (smallest)
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=22))]
    level: i32,
    /// The number of threads that read and decode; by default, the number of cores
    ///
    /// Each thread keeps a block of the log in memory.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

const EXAMPLES: &str = "\
Examples:
  gizwits log decode -d tests/fixtures/air-conditioner.json log.ndjson -o log.csv
  gizwits log decode -d a.json -d b.json 'logs/*.ndjson.zst' -o out.parquet --rejects rejects.ndjson
  zcat log.gz | gizwits log decode -d tests/fixtures/air-conditioner.json - --did DID";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    #[value(aliases = ["jsonl", "json"])]
    Ndjson,
    Csv,
    #[value(aliases = ["feather", "ipc"])]
    Arrow,
    Parquet,
}

/// The destination of the records of one product, or of all products.
type Sink = Box<dyn Write + Send>;

impl Decode {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let format = self.format()?;
        if self.csv_guard && format != OutputFormat::Csv {
            return Err(usage(
                "--csv-guard requires CSV: add --format csv, or give OUT the extension .csv",
            ));
        }
        let products = self.input.products()?;
        let files = self.output_files(format, &products)?;
        let totals = self.decode(format, &products, &files)?;
        let written = files.into_iter().map(OutputFile::commit);
        let written: Vec<String> = written.collect::<Result<_, _>>()?;
        totals.report(&written)
    }

    /// Creates the output files: one per product if the output is a table, none if it is standard output.
    fn output_files(
        &self,
        format: OutputFormat,
        products: &Products,
    ) -> Result<Vec<OutputFile>, Failure> {
        let out = named_output(self.out.as_deref());
        if format == OutputFormat::Ndjson || products.iter().len() == 1 {
            let is_binary = matches!(format, OutputFormat::Arrow | OutputFormat::Parquet);
            if out.is_none() && is_binary && io::stdout().is_terminal() {
                return Err(usage(
                    "a terminal can't show a binary format: give a file with --out, or redirect the output",
                ));
            }
            return out.map(OutputFile::create).into_iter().collect();
        }
        let Some(out) = out.filter(|out| !is_special(out)) else {
            return Err(usage(
                "a table has the columns of one product, and there are several definitions: give a file with \
                 --out, and each product gets a file of its own",
            ));
        };
        let definitions = products.iter().zip(&self.input.definitions);
        let files = definitions.map(|(product, definition)| {
            let key = product.product_key();
            if key.len() != 32 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let message = format!(
                    "the product_key `{key}` is part of the output file's name: expected 32 hex digits"
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
        format: OutputFormat,
        products: &Products,
        files: &[OutputFile],
    ) -> Result<Totals<'_>, Failure> {
        let options = Options {
            keep: self.keep,
            fill: self.fill,
            ..self.input.options()
        };
        let to_file = !files.is_empty();
        // Whoever reads standard output may follow a log that grows, so every record is written at once.
        let mut log = Log::new(products).options(options).eager(!to_file);
        if let Some(threads) = self.threads {
            log = log.threads(threads.into());
        }
        // The column `extra` is for kept members and for what lax decoding sets aside.
        let extra = self.keep || self.input.lax;
        let paths: Vec<&Path> = files.iter().map(OutputFile::path).collect();
        let sink = |index: usize| -> io::Result<Sink> {
            Ok(match files.get(index) {
                Some(file) => Box::new(file.writer()?),
                None => Box::new(io::stdout()),
            })
        };
        match format {
            OutputFormat::Ndjson => {
                let format = Ndjson::new(products, sink(0)?);
                self.input.decode(log, format, &paths)
            }
            OutputFormat::Csv => {
                let tables = by_product(products, sink, |product, sink| match self.csv_guard {
                    true => Csv::guarded(product, extra, sink),
                    false => Csv::new(product, extra, sink),
                });
                self.input.decode(log, tables?, &paths)
            }
            OutputFormat::Arrow => {
                let tables = by_product(products, sink, |product, sink| match to_file {
                    true => Arrow::file(product, extra, sink),
                    false => Arrow::stream(product, extra, sink),
                });
                self.input.decode(log, tables?, &paths)
            }
            OutputFormat::Parquet => {
                let table = |product: &_, sink| Parquet::new(product, extra, self.level, sink);
                self.input
                    .decode(log, by_product(products, sink, table)?, &paths)
            }
        }
    }

    /// Returns the format of --format or of the extension of OUT.
    fn format(&self) -> Result<OutputFormat, Failure> {
        let extension = named_output(self.out.as_deref()).and_then(Path::extension);
        match (self.format, extension.map(OsStr::to_string_lossy)) {
            (Some(format), _) => Ok(format),
            (None, None) => Ok(OutputFormat::Ndjson),
            (None, Some(extension)) => OutputFormat::from_str(&extension, true).map_err(|_| {
                usage(format_args!(
                    "unknown output format `.{extension}`: use .ndjson, .csv, .arrow or .parquet, or give --format"
                ))
            }),
        }
    }
}

/// Creates a table for each product.
fn by_product<F: Format>(
    products: &Products,
    sink: impl Fn(usize) -> io::Result<Sink>,
    table: impl Fn(&Product, Sink) -> io::Result<F>,
) -> io::Result<ByProduct<F>> {
    let products = products.iter().enumerate();
    let tables = products.map(|(index, product)| table(product, sink(index)?));
    Ok(ByProduct::new(tables.collect::<io::Result<_>>()?))
}
