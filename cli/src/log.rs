//! `gizwits log`: command logs in bulk.

use std::fs::{self, File, OpenOptions};
use std::future::poll_fn;
use std::io::{self, BufWriter, IsTerminal as _, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
#[cfg(unix)]
use std::task::Poll;
use std::time::Instant;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use gizwits_codec_std::log::{
    self, Arrow, ByProduct, Csv, Format, Log, Ndjson, Options, Parquet, Products, Source, Summary,
};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use same_file::Handle;

use crate::decode::Encoding;
use crate::{Failure, definition, history, printable, tell};

/// Decode command logs in bulk: to NDJSON, CSV, Arrow, Parquet, figures, a drawing
#[derive(Args)]
pub(crate) struct LogArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Decode(Decode),
    Stats(history::Stats),
    Plot(history::Plot),
}

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
struct Decode {
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

/// What is read.
#[derive(Args)]
pub(crate) struct Input {
    /// The product's definition, as the Enterprise API hands it out; one for each product of the log
    #[arg(short, long = "definition", value_name = "FILE", required = true)]
    definitions: Vec<PathBuf>,
    /// Logs: files, patterns like 'logs/*.gz', - for standard input
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<String>,
    /// The product of records that don't say it, by its product_key
    #[arg(long, value_name = "KEY")]
    product: Option<String>,
    /// A file that says which device is of which product: did and product_key, one pair a line
    #[arg(long, value_name = "FILE")]
    dids: Option<PathBuf>,
    /// The device of all records: records without a did are assigned to it, records of another device are
    /// rejected
    #[arg(long, value_name = "DID", value_parser = NonEmptyStringValueParser::new())]
    did: Option<String>,
    /// Take the device of each file's records from its path, and use it like --did
    #[arg(long, value_enum, value_name = "WHERE", conflicts_with = "did")]
    did_from: Option<DidFrom>,
    /// Maximum number of devices per product that stats and --fill track. Each takes 160 bytes plus the size
    /// of a status. Beyond it, --fill rejects records and stats stops
    #[arg(long, value_name = "N", default_value_t = log::DEVICE_LIMIT)]
    max_devices: usize,
    /// How payloads are written, if not told by their content
    #[arg(long, value_enum)]
    encoding: Option<Encoding>,
    /// Where bad records go, as NDJSON
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// The longest line, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = log::LINE_LIMIT)]
    max_line: usize,
    /// Decode replies and reports of any length: the complete points. NDJSON members and the table column
    /// `extra` report extra and missing bytes; the summary counts such records
    #[arg(long)]
    lax: bool,
    /// Give every line to the strict JSON parser
    #[arg(long, hide = true)]
    strict: bool,
}

/// The part of a path that is a did.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum DidFrom {
    /// The file's name, up to its first dot: DID.ndjson.gz
    FileName,
    /// The name of the file's folder: DID/2026-01-31.ndjson
    Folder,
}

impl DidFrom {
    fn did(self, path: &Path) -> Result<String, Failure> {
        let unnamed = |why: &str| {
            let path = path.display();
            usage(format_args!(
                "{path}: {why}, so --did-from takes no device from it: use --did"
            ))
        };
        if is_special(path) {
            return Err(unnamed("it is no regular file"));
        }
        // A bare name has its folder all the same.
        let path = std::path::absolute(path)?;
        let (part, what) = match self {
            DidFrom::FileName => (
                path.file_name(),
                "its name begins with a dot or isn't UTF-8",
            ),
            DidFrom::Folder => (
                path.parent().and_then(Path::file_name),
                "it has no folder whose name is UTF-8",
            ),
        };
        let part = part.and_then(|part| part.to_str());
        let did = match self {
            DidFrom::FileName => part.and_then(|name| name.split('.').next()),
            DidFrom::Folder => part,
        };
        match did {
            Some(did) if !did.is_empty() => Ok(did.to_owned()),
            _ => Err(unnamed(what)),
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  gizwits log decode -d tests/fixtures/air-conditioner.json log.ndjson -o log.csv
  gizwits log decode -d a.json -d b.json 'logs/*.ndjson.zst' -o out.parquet --rejects rejects.ndjson
  zcat log.gz | gizwits log decode -d tests/fixtures/air-conditioner.json - --did DID";

fn long_help() -> String {
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
enum Form {
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

impl LogArgs {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        match &self.verb {
            Verb::Decode(decode) => decode.run(),
            Verb::Stats(stats) => stats.run(out),
            Verb::Plot(plot) => plot.run(out),
        }
    }
}

impl Decode {
    fn run(&self) -> Result<(), Failure> {
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

pub(crate) fn usage(message: std::fmt::Arguments<'_>) -> Failure {
    Failure::Usage(format!("error: {}", printable(&message.to_string())))
}

/// There is a product and a target for each.
fn none() -> Failure {
    usage(format_args!("no definition"))
}

impl Input {
    pub(crate) fn options(&self) -> Options {
        Options {
            encoding: self.encoding.map(Into::into),
            strict: self.strict,
            lax: self.lax,
            line_limit: self.max_line,
            device_limit: self.max_devices,
            ..Options::default()
        }
    }

    pub(crate) fn products(&self) -> Result<Products, Failure> {
        let refused = |error: gizwits_codec_std::Error| usage(format_args!("{}", error.message));
        let mut products = Vec::new();
        let files = self.definitions.iter().chain(&self.dids);
        let standard = files.filter(|file| file.as_os_str() == "-").count();
        if standard + usize::from(self.reads_stdin()) > 1 {
            return Err(usage(format_args!(
                "standard input can't be the definition and the log: give - once"
            )));
        }
        for file in &self.definitions {
            products.push(definition::load(file)?.1);
        }
        let mut products = match <[_; 1]>::try_from(products) {
            Ok([product]) => Products::one(product),
            Err(products) => Products::several(products).map_err(refused)?,
        };
        if let Some(key) = &self.product {
            products = products.with_default(key).map_err(refused)?;
        }
        if let Some(file) = &self.dids {
            let text = definition::read(file)?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            for (number, line) in text.lines().enumerate() {
                let line = line.trim();
                let mut words = line
                    .split([',', ' ', '\t', ';'])
                    .filter(|word| !word.is_empty());
                match (words.next(), words.next(), words.next()) {
                    (None | Some("did"), ..) => {}
                    (Some(did), Some(key), None) => {
                        products = products.with_did(did, key).map_err(|error| {
                            let (file, line) = (file.display(), number + 1);
                            usage(format_args!("{file}:{line}: {}", error.message))
                        })?;
                    }
                    _ => {
                        return Err(usage(format_args!(
                            "{}:{}: a did and a product_key are expected, with a comma between them",
                            file.display(),
                            number + 1
                        )));
                    }
                }
            }
        }
        Ok(products)
    }

    fn reads_stdin(&self) -> bool {
        self.inputs.iter().any(|input| input == "-")
    }

    /// An input whose records are of the device that was given, if one was.
    fn source(&self, name: &str, reader: impl Read + Send + 'static) -> Source {
        let mut source = Source::new(name, reader);
        source.did = self.did.clone();
        source
    }

    /// The inputs, opened as they are read, and how many bytes they have as they are, if that is known.
    fn sources(&self, read: &Arc<AtomicU64>) -> Result<(Vec<Source>, Option<u64>), Failure> {
        let mut sources = Vec::new();
        let mut total = Some(0);
        for input in &self.inputs {
            if input == "-" {
                if self.did_from.is_some() {
                    return Err(usage(format_args!(
                        "standard input has no name to take a device from: use --did"
                    )));
                }
                if io::stdin().is_terminal() {
                    tell(format_args!("reading records, one a line"));
                }
                let read = Arc::clone(read);
                let reader = Counted {
                    inner: io::stdin(),
                    read,
                };
                sources.push(self.source("-", reader));
                total = None;
                continue;
            }
            for path in files(input)? {
                match fs::metadata(&path) {
                    Ok(found) if found.is_dir() => {
                        return Err(usage(format_args!(
                            "{} is a folder: give its files, like '{}/*'",
                            path.display(),
                            path.display()
                        )));
                    }
                    Ok(found) if found.is_file() => total = total.map(|total| total + found.len()),
                    Ok(_) => total = None,
                    Err(error) => {
                        return Err(usage(format_args!("{}: {error}", path.display())));
                    }
                }
                let name = path.display().to_string();
                let did = self.did_from.map(|part| part.did(&path)).transpose()?;
                let inner = Lazy { path, file: None };
                let read = Arc::clone(read);
                let mut source = self.source(&name, Counted { inner, read });
                source.did = did.or(source.did);
                sources.push(source);
            }
        }
        Ok((sources, total))
    }

    /// Output would take the place of what is read, and rejects that of output, too.
    fn check_files(&self, written: &[&Path]) -> Result<(), Failure> {
        let mut taken: Vec<PathBuf> = self.definitions.iter().chain(&self.dids).cloned().collect();
        let standard = self.reads_stdin() || taken.iter().any(|file| file.as_os_str() == "-");
        for input in self.inputs.iter().filter(|input| *input != "-") {
            taken.extend(files(input)?);
        }
        let is_taken = |taken: &[PathBuf], path: &Path| {
            standard && leads_to(Handle::stdin(), path)
                || taken.iter().any(|one| is_same(one, path))
        };
        if let Some(path) = written.iter().find(|path| is_taken(&taken, path)) {
            return Err(usage(format_args!(
                "{} is an input: choose another output file",
                path.display()
            )));
        }
        // Elsewhere this is no file.
        taken.push("-".into());
        taken.extend(written.iter().map(PathBuf::from));
        match &self.rejects {
            Some(path) if is_taken(&taken, path) || leads_to(Handle::stdout(), path) => {
                Err(usage(format_args!(
                    "{} is already an input or output: choose another file for --rejects",
                    path.display()
                )))
            }
            _ => Ok(()),
        }
    }

    /// Runs it, with a bar for whoever looks on. None of the files that are written may be one that is read.
    pub(crate) fn decode<'l, F: Format>(
        &self,
        log: Log<'l>,
        format: F,
        written: &[&Path],
    ) -> Result<(Summary, f64), Failure> {
        self.check_files(written)?;
        let began = Instant::now();
        let read = Arc::new(AtomicU64::new(0));
        let (sources, total) = self.sources(&read)?;
        let bar = progress(total);
        let rejects = match &self.rejects {
            Some(path) => {
                let file = Named::new(File::create(path), path)?;
                Some(BufWriter::new(file))
            }
            None => None,
        };
        let shown = bar.clone();
        let log = log.watch(move |_| shown.set_position(read.load(Ordering::Relaxed)));
        let log = match rejects {
            Some(rejects) => log.rejects(rejects),
            None => log,
        };
        let summary = log.decode(sources, format);
        bar.finish_and_clear();
        Ok((summary?, began.elapsed().as_secs_f64()))
    }

    /// What became of it, for people.
    pub(crate) fn tell(
        &self,
        summary: &Summary,
        seconds: f64,
        written: &[String],
    ) -> Result<(), Failure> {
        let mut told = format!(
            "{} record{}   {} decoded   {} rejected",
            HumanCount(summary.records),
            if summary.records == 1 { "" } else { "s" },
            HumanCount(summary.decoded),
            HumanCount(summary.records - summary.decoded),
        );
        if summary.inexact > 0 {
            told += &format!("   {} of another length", HumanCount(summary.inexact));
        }
        if !summary.rejected.is_empty() {
            let mut kinds: Vec<_> = summary.rejected.iter().collect();
            kinds.sort_by(|one, two| two.1.cmp(one.1));
            let kinds = kinds
                .iter()
                .map(|(kind, count)| format!("{} {kind}", HumanCount(**count)));
            told += &format!(" ({})", kinds.collect::<Vec<_>>().join(", "));
            if let Some(path) = &self.rejects {
                told += &format!(" -> {}", path.display());
            }
        }
        let rate = summary.bytes as f64 / 1e6 / seconds.max(1e-9);
        told += &format!("\n{seconds:.1} s   {rate:.0} MB/s");
        for file in written {
            told += &format!("   {file}");
        }
        if summary.rejected.contains_key("unknown_device") {
            told += "\nSome records name no device. Use --did DID for a log of one device, or \
                     --did-from file-name|folder";
        }
        tell(format_args!("{}", told));
        match summary.rejected.is_empty() {
            true => Ok(()),
            false => Err(Failure::Some),
        }
    }
}

/// The files that a pattern means; a name that is one means itself.
fn files(input: &str) -> Result<Vec<PathBuf>, Failure> {
    if !input.contains(['*', '?', '[']) || Path::new(input).exists() {
        return Ok(vec![input.into()]);
    }
    let found = glob::glob(input).map_err(|error| usage(format_args!("{input}: {error}")))?;
    let files: Result<Vec<PathBuf>, _> = found.collect();
    match files {
        Ok(files) if files.is_empty() => Err(usage(format_args!("no file is like {input}"))),
        Ok(files) => Ok(files),
        Err(error) => Err(usage(format_args!("{error}"))),
    }
}

/// Whether it is there and no file: a device, a pipe, a folder.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file())
}

/// Whether two names are of one file, which need not be there yet. Devices and pipes are none.
pub(crate) fn is_same(one: &Path, two: &Path) -> bool {
    if is_special(one) || is_special(two) {
        return false;
    }
    // A file that is not there, or may not be read, can't be opened to look at.
    same_file::is_same_file(one, two).unwrap_or_else(|_| real(one) == real(two))
}

/// Whether a standard stream was redirected to this file.
fn leads_to(stream: io::Result<Handle>, path: &Path) -> bool {
    !is_special(path)
        && stream.is_ok_and(|stream| Handle::from_path(path).is_ok_and(|file| file == stream))
}

/// The path of a file without links, also if the file is not there yet.
fn real(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // As many links as systems follow.
    for _ in 0..40 {
        match (fs::canonicalize(&path), fs::read_link(&path)) {
            (Ok(real), _) => return real,
            (Err(_), Ok(to)) => path = path.with_file_name("").join(to),
            (Err(_), Err(_)) => break,
        }
    }
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str() != "" => folder,
        _ => Path::new("."),
    };
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// A file that is written, whose name its errors tell.
struct Named {
    name: PathBuf,
    file: File,
}

impl Named {
    fn new(file: io::Result<File>, name: &Path) -> io::Result<Self> {
        let file = file.map_err(|error| named(name, &error))?;
        let name = name.to_owned();
        Ok(Named { name, file })
    }
}

impl Write for Named {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        written.map_err(|error| named(&self.name, &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn named(name: &Path, error: &io::Error) -> io::Error {
    let name = name.to_string_lossy();
    io::Error::new(error.kind(), format!("{}: {error}", printable(&name)))
}

/// A file that is opened once it is read: there may be more of them than can be open at once.
struct Lazy {
    path: PathBuf,
    file: Option<File>,
}

impl Read for Lazy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::open(&self.path)?,
        };
        self.file.insert(file).read(buffer)
    }
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// A bar on a terminal, while the output goes elsewhere.
fn progress(total: Option<u64>) -> ProgressBar {
    if io::stdout().is_terminal() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()),
            "decoding  {bar:26}  {bytes}/{total_bytes}  {bytes_per_sec}  eta {eta}",
        ),
        None => (
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
            "decoding  {bytes}  {bytes_per_sec}",
        ),
    };
    let style = ProgressStyle::with_template(template);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Where output goes.
pub(crate) enum Target {
    Stdout,
    /// Beside its place, where it is moved once it is whole.
    File {
        beside: PathBuf,
        path: PathBuf,
        file: File,
    },
}

/// Files that are not whole yet: the signals that ask the process to end remove them.
static BESIDE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn beside() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    BESIDE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Target {
    fn path(&self) -> Option<&Path> {
        match self {
            Target::Stdout => None,
            Target::File { path, .. } => Some(path),
        }
    }

    fn create(path: &Path) -> Result<Self, Failure> {
        let refused = |error: io::Error| usage(format_args!("{}: {error}", path.display()));
        // A pipe or a device is written to as it is.
        if is_special(path) {
            let path = path.to_owned();
            let file = OpenOptions::new().write(true).open(&path);
            return Ok(Target::File {
                beside: path.clone(),
                file: file.map_err(refused)?,
                path,
            });
        }
        // A link stays: what it leads to is replaced, or made.
        let path = match path.is_symlink() {
            true => real(path),
            false => path.to_owned(),
        };
        let part = |number: u32| {
            let mut name = std::ffi::OsString::from(".");
            name.push(path.file_name().unwrap_or_default());
            name.push(format!(".{}.{number}.part", std::process::id()));
            path.with_file_name(name)
        };
        let mut list = beside();
        if list.is_empty() {
            on_end();
        }
        // One that is there was left by a process that was killed: in containers all have the same id.
        let mut number = 0;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let file = loop {
            match options.open(part(number)) {
                Ok(file) => break file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => {
                    number += 1;
                }
                Err(error) => return Err(refused(error)),
            }
        };
        let part = part(number);
        list.push(part.clone());
        drop(list);
        let replaced = fs::metadata(&path).map(|found| found.permissions());
        let target = Target::File {
            beside: part,
            path,
            file,
        };
        // Who may not read what is replaced may not read this, from the first byte on.
        #[cfg(unix)]
        if let (Target::File { file, path, .. }, Ok(mode)) = (&target, replaced) {
            file.set_permissions(mode)
                .map_err(|error| usage(format_args!("{}: {error}", path.display())))?;
        }
        Ok(target)
    }

    fn file(&self) -> io::Result<Box<dyn Write + Send>> {
        Ok(match self {
            Target::Stdout => Box::new(io::stdout()),
            Target::File { file, path, .. } => Box::new(Named::new(file.try_clone(), path)?),
        })
    }

    /// Moves it to its place, and says what it is.
    fn commit(self) -> Result<Option<String>, Failure> {
        let Target::File {
            beside: part, path, ..
        } = &self
        else {
            return Ok(None);
        };
        let len = fs::metadata(part).map_or(0, |found| found.len());
        if part != path {
            let mut list = beside();
            fs::rename(part, path)
                .map_err(|error| usage(format_args!("{}: {error}", path.display())))?;
            list.retain(|one| one != part);
        }
        Ok(Some(format!("{} {}", path.display(), HumanBytes(len))))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Target::File {
            beside: part, path, ..
        } = self
            && part != path
        {
            let mut list = beside();
            if list.contains(part) {
                let _ = fs::remove_file(&part);
                list.retain(|one| one != part);
            }
        }
    }
}

/// From here on, on a signal that asks the process to end, nothing is left behind that is not whole.
fn on_end() {
    let (watching, watched) = channel();
    let watch = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build();
        if let Ok(runtime) = runtime
            && let Ok(status) = runtime.block_on(ended(&watching))
        {
            for part in &*beside() {
                let _ = fs::remove_file(part);
            }
            std::process::exit(status);
        }
    };
    // Without it a signal ends the process all the same.
    let _ = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(watch);
    let _ = watched.recv();
}

/// The exit status for the signal that comes; they are watched for from the first poll on.
#[cfg(unix)]
async fn ended(watching: &Sender<()>) -> io::Result<i32> {
    use tokio::signal::unix::{SignalKind, signal};

    let kinds = [
        SignalKind::hangup(),
        SignalKind::interrupt(),
        SignalKind::terminate(),
    ];
    // What the parent had ignored, as nohup does, stays so.
    let kinds = kinds.map(|kind| kind.as_raw_value());
    let heeded = kinds.into_iter().filter(|number| !is_ignored(*number));
    let mut signals = heeded
        .map(|number| Ok((signal(SignalKind::from_raw(number))?, number)))
        .collect::<io::Result<Vec<_>>>()?;
    poll_fn(|context| {
        let _ = watching.send(());
        let mut come = signals.iter_mut().filter_map(|(signal, number)| {
            signal
                .poll_recv(context)
                .is_ready()
                .then_some(128 + *number)
        });
        match come.next() {
            Some(status) => Poll::Ready(Ok(status)),
            None => Poll::Pending,
        }
    })
    .await
}

/// Whether the process was started with this signal ignored. Where the system doesn't say, a process without
/// a terminal heeds no SIGHUP: it may be under nohup.
#[cfg(unix)]
fn is_ignored(number: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    match mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) {
        Some(mask) => mask >> (number - 1) & 1 == 1,
        None => {
            let hangup = tokio::signal::unix::SignalKind::hangup().as_raw_value();
            let seen = io::stdin().is_terminal() || io::stderr().is_terminal();
            number == hangup && !seen
        }
    }
}

/// The exit status for Ctrl-C, which is watched for from the first poll on.
#[cfg(not(unix))]
async fn ended(watching: &Sender<()>) -> io::Result<i32> {
    use std::future::Future as _;

    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    poll_fn(|context| {
        let poll = interrupt.as_mut().poll(context).map_ok(|()| 130);
        let _ = watching.send(());
        poll
    })
    .await
}
