//! `gizwits log decode`: the records of logs as NDJSON or as tables.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use gizwits_codec_std::log::{
    self, Arrow, ByProduct, Csv, Format, Log, Ndjson, Numbers, Only, Options, Parquet, Partition,
    Partitioned, Products, Span, States, TableOptions,
};
use gizwits_codec_std::{Action, Product};

use super::input::Input;
use super::state_file::StateFile;
use super::totals::Totals;
use crate::action::ActionName;
use crate::failure::{Failure, in_file, usage};
use crate::output::file::{OutputFile, is_same, is_special, named_output};
use crate::output::folder::OutputFolder;
use crate::payload::list_of_kinds;
use crate::standard_output::StandardOutput;

/// Decode log records to NDJSON, CSV, Arrow or Parquet
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = format!(
        "Kinds of rejects, besides the kinds of errors of `gizwits decode`:\n{}\n\
         Exit status: 0 on success, 1 if a record was rejected, 2 for wrong usage, an invalid \
         definition or a file that can't be read or written.\n\n{EXAMPLES}",
        list_of_kinds(log::KINDS)
    ),
    long_about = "Decode log records to NDJSON, CSV, Arrow or Parquet, in the order of the input.\n\n\
        A record is a line of JSON with a payload, as in the cloud's command log \
        ({\"timestamp\":…,\"type\":\"dev2app\",\"payload\":\"…\"}), an object in a page of the Enterprise \
        API ({\"meta\":…,\"objects\":[…]}), or a line with nothing but a payload. Also read are the pushes s2c_raw \
        and event_push (device_status_raw), payload_bin, payloads as lists of bytes, JSON in a string, MQTT messages \
        ({\"topic\":\"dev2app/DID\",\"payload\":…}), arrays of records over any lines, and packets of `tshark -T ek`, \
        `-T json` and `-T jsonraw`. Each payload of a packet with several has its number in \"packet_payload\". Inputs \
        may be compressed with gzip or zstd. A record that can't be decoded is counted and left out of the output; --rejects \
        writes such records to a file."
)]
pub(crate) struct Decode {
    #[command(flatten)]
    input: Input,
    /// The output file; by default, standard output
    ///
    /// CSV, Arrow and Parquet are tables with the columns of one product. With several definitions, each product
    /// gets a file of its own, with the product_key before the extension.
    #[arg(short, long = "output", value_name = "OUT")]
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
    /// Begin a CSV with a byte order mark
    ///
    /// Excel shows text other than English correctly only in files with the mark. Other programs may take the mark
    /// for a part of the first column's name. Default: no mark.
    #[arg(long)]
    bom: bool,
    /// The type of numbers in Arrow and Parquet
    ///
    /// pandas turns Decimal128 into Python objects, which are slow and which many of its functions refuse: use
    /// float64 there. Bools, enums and binaries have the same columns with every type.
    #[arg(long, value_enum, value_name = "TYPE", default_value_t = NumberType::Decimal)]
    numbers: NumberType,
    /// Add the column `flagged` to tables: the names of the points whose value breaks the definition
    ///
    /// Such a value is outside its limits, between two steps, or an enum index without a label. The column is a list in
    /// Arrow and Parquet, and has names separated by spaces in CSV. NDJSON always has a member `flagged`, with the rule
    /// that each value breaks. Default: no column.
    #[arg(long)]
    flagged: bool,
    /// Write only records with these actions, separated by commas: control, read, reply, report
    ///
    /// The summary counts the other records, and --fill uses their values. Default: all records.
    #[arg(
        long,
        value_enum,
        value_name = "ACTION",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    action: Vec<ActionName>,
    /// Write a folder with a file for each day, hour or device: `day`, `hour`, `did`, or two of them as in `day,did`
    ///
    /// OUT is a new or an empty folder, and --format its format. Names are those of Hive: day=2026-01-31/records.csv,
    /// day=2026-01-31/hour=07/records.csv, did=DID/records.csv. Days and hours are in UTC. Records without a time, or
    /// without a did, are in a folder with the value __HIVE_DEFAULT_PARTITION__, which DuckDB, Spark and pyarrow take for
    /// null. pandas reads a folder with such a value only with a filter, such as filters=[("day", ">", "2000")]. A record
    /// is rejected if its did is this value, or too long for the name of a folder (255 bytes). Tables
    /// that are partitioned by did have no column `did`: readers take it from the name of the folder. All files appear
    /// together at the end. Default: one file.
    #[arg(
        long,
        value_enum,
        value_name = "BY",
        value_delimiter = ',',
        requires = "out",
        hide_possible_values = true
    )]
    partition: Vec<PartitionBy>,
    /// The maximum number of files that --partition writes; a log with more of them ends with an error
    ///
    /// Each file takes memory until the end.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10_000,
        requires = "partition"
    )]
    max_partitions: usize,
    /// A file that keeps the values of --fill from one run to the next
    ///
    /// The run begins with the values in FILE and replaces FILE at the end. Without FILE, it begins without known values
    /// and creates FILE. A run that ends with an error leaves FILE as it is.
    #[arg(long, value_name = "FILE", requires = "fill")]
    state: Option<PathBuf>,
    /// The zstd compression level of Parquet, from 1 (fastest) to 22 (smallest). Default: 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=22))]
    level: Option<i32>,
    /// The number of threads that read and decode; by default, the number of cores
    ///
    /// Each thread keeps a block of the log in memory.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

const EXAMPLES: &str = "\
ac.json is a definition: `gizwits definition PRODUCT_KEY -o ac.json` fetches one.

Examples:
  gizwits log decode -d ac.json log.ndjson -o log.csv
  gizwits log decode -d ac.json -d pump.json 'logs/*.zst' -o out.parquet --rejects rejects.ndjson
  gizwits log decode -d ac.json log.ndjson -o records --format parquet --partition day
  zcat log.gz | gizwits log decode -d ac.json --did DID";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    #[value(aliases = ["jsonl", "json"])]
    Ndjson,
    Csv,
    #[value(aliases = ["feather", "ipc"])]
    Arrow,
    Parquet,
}

/// The type of numbers in Arrow and Parquet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum NumberType {
    /// Exact: Decimal128 for numbers with decimal places, integers for whole numbers
    Decimal,
    /// Float64 for numbers with decimal places, integers for whole numbers
    Float64,
    /// Raw values before ratio and addition, as unsigned integers
    Raw,
}

/// A part of --partition.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PartitionBy {
    Hour,
    Day,
    Did,
}

/// The destination of the records of one product, or of all products.
type Sink = Box<dyn Write + Send>;

/// The destination of all records.
enum Output {
    /// Standard output.
    Stdout,
    /// A file for each product of a table, or one for all products.
    Files(Vec<OutputFile>),
    /// A folder with a file for each partition.
    Folder(OutputFolder),
}

impl Output {
    fn paths(&self) -> Vec<&Path> {
        match self {
            Output::Files(files) => files.iter().map(OutputFile::path).collect(),
            Output::Stdout | Output::Folder(_) => Vec::new(),
        }
    }

    fn commit(self) -> Result<Vec<String>, Failure> {
        match self {
            Output::Stdout => Ok(Vec::new()),
            Output::Files(files) => files.into_iter().map(OutputFile::commit).collect(),
            Output::Folder(folder) => Ok(vec![folder.commit()?]),
        }
    }
}

impl Decode {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let format = self.format()?;
        self.check_options(format)?;
        let partition = self.partition()?;
        let products = self.input.products()?;
        let output = match named_output(self.out.as_deref()) {
            Some(out) if partition.is_some() => {
                if format != OutputFormat::Ndjson && products.iter().len() > 1 {
                    self.product_keys(&products)?;
                }
                Output::Folder(OutputFolder::create(out)?)
            }
            None if partition.is_some() => {
                return Err(usage("--partition writes a folder: name it with --output"));
            }
            None => {
                self.output_files(format, &products)?;
                Output::Stdout
            }
            Some(_) => Output::Files(self.output_files(format, &products)?),
        };
        let mut state = match &self.state {
            Some(path) => Some(StateFile::open(path, &products)?),
            None => None,
        };
        let state_path = state.as_ref().map(|state| state.path().to_owned());
        let mut paths = output.paths();
        if let Some(state) = &state_path
            && paths.iter().any(|path| is_same(path, state))
        {
            let message = "this file is the output: choose another file for --state";
            return Err(in_file(state, message));
        }
        paths.extend(state_path.as_deref());
        let states = state.as_mut().map(|state| &mut state.states);
        let partition = partition.unwrap_or_default();
        let totals = self.decode(format, partition, &products, &output, states, &paths)?;
        let mut written = output.commit()?;
        if let Some(state) = state {
            written.push(state.commit()?);
        }
        totals.report(&written)
    }

    /// Refuses options of other formats.
    fn check_options(&self, format: OutputFormat) -> Result<(), Failure> {
        use OutputFormat::{Arrow, Csv, Ndjson, Parquet};
        let csv = "requires CSV: add --format csv, or give OUT the extension .csv";
        if self.csv_guard && format != Csv {
            return Err(usage(format_args!("--csv-guard {csv}")));
        }
        if self.bom && format != Csv {
            return Err(usage(format_args!("--bom {csv}")));
        }
        if self.numbers != NumberType::Decimal && !matches!(format, Arrow | Parquet) {
            return Err(usage(
                "--numbers requires Arrow or Parquet: add --format arrow or parquet, or give OUT the extension \
                 .arrow or .parquet",
            ));
        }
        if self.level.is_some() && format != Parquet {
            return Err(usage(
                "--level requires Parquet: add --format parquet, or give OUT the extension .parquet",
            ));
        }
        if self.flagged && format == Ndjson {
            return Err(usage(
                "--flagged is for tables: NDJSON always has the member `flagged`",
            ));
        }
        Ok(())
    }

    /// The partition of --partition.
    fn partition(&self) -> Result<Option<Partition>, Failure> {
        let has = |by| self.partition.contains(&by);
        let time = match (has(PartitionBy::Hour), has(PartitionBy::Day)) {
            (true, true) => {
                return Err(usage(
                    "--partition takes day or hour, not both: folders of hours are in folders of days",
                ));
            }
            (true, false) => Some(Span::Hour),
            (false, true) => Some(Span::Day),
            (false, false) => None,
        };
        let did = has(PartitionBy::Did);
        Ok((!self.partition.is_empty()).then_some(Partition { time, did }))
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
                    "a terminal can't show a binary format: give a file with --output, or redirect the output",
                ));
            }
            return out.map(OutputFile::create).into_iter().collect();
        }
        let Some(out) = out.filter(|out| !is_special(out)) else {
            return Err(usage(
                "a table has the columns of one product, and there are several definitions: give a file with \
                 --output, and each product gets a file of its own",
            ));
        };
        let files = self.product_keys(products)?.into_iter().map(|key| {
            let mut extension = OsString::from(key);
            if let Some(own) = out.extension() {
                extension.push(".");
                extension.push(own);
            }
            OutputFile::create(&out.with_extension(extension))
        });
        files.collect()
    }

    /// The keys of the products, which are parts of the names of files or folders.
    fn product_keys<'p>(&self, products: &'p Products) -> Result<Vec<&'p str>, Failure> {
        let definitions = products.iter().zip(&self.input.definitions);
        let keys = definitions.map(|(product, definition)| {
            let key = product.product_key();
            if key.len() != 32 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let message = format!(
                    "the product_key `{key}` is part of an output file's path: expected 32 hex digits"
                );
                return Err(in_file(definition, message));
            }
            Ok(key)
        });
        keys.collect()
    }

    /// Decodes the records to the output.
    fn decode(
        &self,
        format: OutputFormat,
        partition: Partition,
        products: &Products,
        output: &Output,
        states: Option<&mut States>,
        paths: &[&Path],
    ) -> Result<Totals<'_>, Failure> {
        let options = Options {
            keep: self.keep,
            fill: self.fill,
            ..self.input.options()
        };
        let to_stdout = matches!(output, Output::Stdout);
        // Whoever reads standard output may follow a log that grows, so every record is written at once.
        let mut log = Log::new(products).options(options).eager(to_stdout);
        if let Some(threads) = self.threads {
            log = log.threads(threads.into());
        }
        if let Some(states) = states {
            log = log.states(states);
        }
        let table = TableOptions {
            // The column `extra` is for kept members and for what lax decoding sets aside.
            extra: self.keep || self.input.lax,
            flagged: self.flagged,
            numbers: match self.numbers {
                NumberType::Decimal => Numbers::Decimal,
                NumberType::Float64 => Numbers::Float64,
                NumberType::Raw => Numbers::Raw,
            },
            partition,
            guard: self.csv_guard,
            bom: self.bom,
            level: self.level.unwrap_or(1),
        };
        let run = Run {
            decode: self,
            output,
            partition,
            paths,
        };
        match format {
            OutputFormat::Ndjson => {
                let format = |sink| Ok(Ndjson::new(products, sink));
                match output {
                    Output::Folder(folder) => {
                        let mut partitioned =
                            run.partitioned(folder, "records.ndjson".into(), format)?;
                        let mut totals = run.log(log, &mut partitioned)?;
                        totals.remark = remark(partitioned.untimed());
                        Ok(totals)
                    }
                    _ => run.log(log, format(run.sink(0)?)?),
                }
            }
            OutputFormat::Csv => run.tables(log, products, "csv", move |product, sink| {
                Csv::new(product, table, sink)
            }),
            OutputFormat::Arrow => {
                run.tables(
                    log,
                    products,
                    "arrow",
                    move |product, sink| match to_stdout {
                        true => Arrow::stream(product, table, sink),
                        false => Arrow::file(product, table, sink),
                    },
                )
            }
            OutputFormat::Parquet => run.tables(log, products, "parquet", move |product, sink| {
                Parquet::new(product, table, sink)
            }),
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

/// One run of the command.
#[derive(Clone, Copy)]
struct Run<'d, 'o> {
    decode: &'d Decode,
    output: &'o Output,
    partition: Partition,
    /// The files that are written.
    paths: &'o [&'o Path],
}

impl<'d, 'o> Run<'d, 'o> {
    /// The destination of the table with this index, or of all records.
    fn sink(self, index: usize) -> io::Result<Sink> {
        Ok(match self.output {
            Output::Files(files) if let Some(file) = files.get(index) => Box::new(file.writer()?),
            _ => Box::new(StandardOutput(io::stdout())),
        })
    }

    /// Decodes the log with the actions of --action.
    fn log<F: Format>(self, log: Log<'_>, format: F) -> Result<Totals<'d>, Failure> {
        let actions = &self.decode.action;
        if actions.is_empty() {
            return self.decode.input.decode(log, format, self.paths);
        }
        let actions = actions.iter().map(|action| Action::from(*action));
        let mut only = Only::new(format, actions);
        let mut totals = self.decode.input.decode(log, &mut only, self.paths)?;
        totals.left_out = Some(only.left_out());
        Ok(totals)
    }

    /// Decodes the log to tables, one for each product and partition.
    fn tables<F: Format + Send + 'static>(
        self,
        log: Log<'_>,
        products: &Products,
        extension: &str,
        table: impl Fn(&Product, Sink) -> io::Result<F> + Copy,
    ) -> Result<Totals<'d>, Failure> {
        let products: Vec<&Product> = products.iter().collect();
        let Output::Folder(folder) = self.output else {
            let tables = products.iter().enumerate();
            let tables = tables.map(|(index, product)| table(product, self.sink(index)?));
            let tables = tables.collect::<io::Result<_>>()?;
            return self.log(log, ByProduct::new(tables));
        };
        let name = format!("records.{extension}");
        let tables = products.iter().map(|product| {
            let path = match products.len() {
                1 => PathBuf::from(&name),
                _ => Path::new(&format!("product_key={}", product.product_key())).join(&name),
            };
            self.partitioned(folder, path, move |sink| table(product, sink))
        });
        let mut tables = ByProduct::new(tables.collect::<io::Result<_>>()?);
        let mut totals = self.log(log, &mut tables)?;
        totals.remark = remark(tables.formats().map(Partitioned::untimed).sum());
        Ok(totals)
    }

    /// Creates a format whose partitions are files in the folder. The last part of `path` is the name of each file, the
    /// rest precedes the folders of partitions.
    fn partitioned<F: Format>(
        self,
        folder: &'o OutputFolder,
        path: PathBuf,
        format: impl Fn(Sink) -> io::Result<F>,
    ) -> io::Result<Partitioned<F, impl FnMut(&str) -> io::Result<F>>> {
        let template = format(Box::new(io::sink()))?;
        let open = move |part: &str| {
            let name = path.file_name().unwrap_or_default();
            let path = path.with_file_name("").join(part).join(name);
            format(Box::new(folder.file(path)?))
        };
        let limit = self.decode.max_partitions;
        Ok(Partitioned::new(self.partition, template, open).limit(limit))
    }
}

/// The remark on records without a timestamp.
fn remark(untimed: u64) -> Option<String> {
    let records = match untimed {
        1 => "record has no timestamp and is",
        _ => "records have no timestamp and are",
    };
    let text = || format!("{untimed} {records} in day=__HIVE_DEFAULT_PARTITION__");
    (untimed > 0).then(text)
}
