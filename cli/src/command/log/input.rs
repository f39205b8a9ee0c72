//! The inputs of all `gizwits log` commands: definitions, logs, devices and limits.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::builder::{NonEmptyStringValueParser, RangedU64ValueParser};
use clap::{Args, ValueEnum};
use gizwits_codec_std::log::{self, Format, Log, Options, Products, Source};
use gizwits_codec_std::payload::Encoding;
use indicatif::ProgressBar;
use same_file::Handle;

use super::totals::Totals;
use crate::definition;
use crate::failure::{Failure, in_file, usage};
use crate::output::file::{Named, is_same, is_special, leads_to};
use crate::output::progress;
use crate::payload::encoding;
use crate::text::tell;

/// The options that all `gizwits log` commands share.
#[derive(Args)]
pub(crate) struct Input {
    /// The definition of a product, as the Enterprise API returns it; one for each product of the log
    #[arg(short, long = "definition", value_name = "FILE", required = true)]
    pub(super) definitions: Vec<PathBuf>,
    /// The logs: files, patterns such as 'logs/*.gz', or - for standard input. Default: standard input, unless it is a terminal
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The product_key of records that name neither a product nor a device of --dids
    ///
    /// With one definition, all such records are of its product.
    #[arg(long, value_name = "KEY")]
    product: Option<String>,
    /// A file that assigns devices to products: a did and a product_key per line, separated by a comma or
    /// a space
    #[arg(long, value_name = "FILE")]
    dids: Option<PathBuf>,
    /// The did of the device of all records
    ///
    /// Records without a did are assigned to this device. Records of another device are rejected.
    #[arg(long, value_name = "DID", value_parser = NonEmptyStringValueParser::new())]
    did: Option<String>,
    /// The part of each file's path that is the did of its records, with the same effect as --did
    #[arg(long, value_enum, value_name = "WHERE", conflicts_with = "did")]
    did_from: Option<DidFrom>,
    /// The maximum number of devices per product that `log stats` and --fill track
    ///
    /// Each device takes about 160 bytes of memory plus the size of a status. Beyond the limit, --fill rejects
    /// the records of further devices, and `log stats` ends with an error.
    #[arg(long, value_name = "N", default_value_t = log::DEVICE_LIMIT)]
    max_devices: usize,
    /// The encoding of the payloads; by default, each payload is recognised by its content
    #[arg(long, value_parser = encoding())]
    encoding: Option<Encoding>,
    /// A file for rejected records, as NDJSON
    ///
    /// Each record is written with its file, its line number and the reason.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// The maximum length of a line in bytes; longer lines are rejected
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = log::LINE_LIMIT,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..)
    )]
    max_line: usize,
    /// Accept replies and reports of any length, and decode the points that are complete
    ///
    /// The summary counts these records. `log decode` reports extra and missing bytes, as members of NDJSON or
    /// in the column `extra` of tables.
    #[arg(long)]
    pub(super) lax: bool,
}

/// The part of a path that is the did of the file's records.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DidFrom {
    /// The name of the file, up to the first dot: DID.ndjson.gz
    FileName,
    /// The name of the folder that contains the file: DID/2026-01-31.ndjson
    Folder,
}

impl DidFrom {
    fn did(self, path: &Path) -> Result<String, Failure> {
        // A bare file name has no parent: only the absolute path names the current folder.
        let full = std::path::absolute(path)?;
        let (part, problem) = match self {
            _ if is_stdin(path) || is_special(path) => (None, "the input is not a regular file"),
            DidFrom::FileName => (
                full.file_prefix(),
                "the file name begins with a dot or isn't UTF-8",
            ),
            DidFrom::Folder => (
                full.parent().and_then(Path::file_name),
                "the folder has no name, or a name that begins with a dot or isn't UTF-8",
            ),
        };
        match part.and_then(OsStr::to_str) {
            Some(did) if !did.starts_with('.') => Ok(did.to_owned()),
            _ => {
                let message = format!("--did-from finds no did: {problem}. Use --did instead");
                Err(in_file(path, message))
            }
        }
    }
}

impl Input {
    pub(super) fn options(&self) -> Options {
        Options {
            encoding: self.encoding,
            lax: self.lax,
            line_limit: self.max_line,
            device_limit: self.max_devices,
            ..Options::default()
        }
    }

    pub(super) fn products(&self) -> Result<Products, Failure> {
        let refused = |error: gizwits_codec_std::Error| usage(error.message);
        let inputs = self.inputs()?;
        let log = inputs.iter().find(|input| is_stdin(input));
        let files = self.definitions.iter().chain(&self.dids);
        if files.chain(log).filter(|file| is_stdin(file)).count() > 1 {
            return Err(usage(
                "standard input can be read only once: give - for a definition, for --dids or for the log",
            ));
        }
        let products = self.definitions.iter().map(|file| definition::load(file));
        let products: Vec<_> = products.collect::<Result<_, _>>()?;
        let mut products = match <[_; 1]>::try_from(products) {
            Ok([product]) => Products::one(product),
            Err(products) => Products::several(products).map_err(refused)?,
        };
        if let Some(key) = &self.product {
            products = products.with_default(key).map_err(refused)?;
        }
        match &self.dids {
            Some(file) => with_dids(products, file),
            None => Ok(products),
        }
    }

    /// The logs that were given, or standard input.
    fn inputs(&self) -> Result<Vec<PathBuf>, Failure> {
        match self.inputs.is_empty() {
            true if io::stdin().is_terminal() => Err(usage(
                "the log is missing: give its files, or - to type records into the terminal",
            )),
            true => Ok(vec![PathBuf::from("-")]),
            false => Ok(self.inputs.clone()),
        }
    }

    /// Checks that no output replaces an input, and that the file of --rejects replaces neither an input nor
    /// an output.
    fn check_files(&self, logs: &[PathBuf], written: &[&Path]) -> Result<(), Failure> {
        let inputs = self.definitions.iter().chain(&self.dids).chain(logs);
        let is_input = |path: &Path| {
            inputs.clone().any(|input| match is_stdin(input) {
                true => leads_to(Handle::stdin(), path),
                false => is_same(input, path),
            })
        };
        if let Some(path) = written.iter().find(|path| is_input(path)) {
            let message = "this file is an input: choose another output file";
            return Err(in_file(path, message));
        }
        if let Some(path) = &self.rejects
            && (is_input(path)
                || is_stdin(path)
                || written.iter().any(|output| is_same(output, path))
                || leads_to(Handle::stdout(), path))
        {
            let message = "this file is an input or an output: choose another file for --rejects";
            return Err(in_file(path, message));
        }
        Ok(())
    }

    /// Creates the source of one log. The bytes that are read from it move the progress bar.
    fn source(&self, path: PathBuf, bar: &ProgressBar) -> Result<Source, Failure> {
        let did = match self.did_from {
            Some(part) => Some(part.did(&path)?),
            None => self.did.clone(),
        };
        let name = path.display().to_string();
        let mut source = if is_stdin(&path) {
            if io::stdin().is_terminal() {
                tell("reading records from standard input, one per line");
            }
            let input = Checked {
                input: io::stdin(),
                is_begun: false,
            };
            Source::new(name, bar.wrap_read(input))
        } else {
            Source::new(name, bar.wrap_read(Lazy { path, file: None }))
        };
        source.did = did;
        Ok(source)
    }

    /// Decodes the logs and shows a progress bar. `written` are the output files, which are checked against
    /// the inputs first.
    pub(super) fn decode<F: Format>(
        &self,
        mut log: Log<'_>,
        format: F,
        written: &[&Path],
    ) -> Result<Totals<'_>, Failure> {
        let logs: Vec<Vec<PathBuf>> = self
            .inputs()?
            .iter()
            .map(|input| files(input))
            .collect::<Result<_, _>>()?;
        let logs = logs.concat();
        refuse_tables(&logs)?;
        self.check_files(&logs, written)?;
        let began = Instant::now();
        let lens: Vec<Option<u64>> = logs.iter().map(|log| len(log)).collect::<Result<_, _>>()?;
        let bar = progress::of_bytes(lens.into_iter().sum());
        let sources = logs.into_iter().map(|path| self.source(path, &bar));
        let sources: Vec<Source> = sources.collect::<Result<_, _>>()?;
        let rejects = self.rejects.as_deref();
        if let Some(path) = rejects {
            log = log.rejects(BufWriter::new(Named::new(File::create(path), path)?));
        }
        let summary = log.decode(sources, format);
        bar.finish_and_clear();
        Ok(Totals {
            summary: summary?,
            seconds: began.elapsed().as_secs_f64(),
            rejects,
            left_out: None,
            remark: None,
        })
    }
}

/// Refuses logs that are tables in a binary format, which have no lines.
fn refuse_tables(logs: &[PathBuf]) -> Result<(), Failure> {
    for path in logs.iter().filter(|path| !is_stdin(path) && path.is_file()) {
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(6).read_to_end(&mut head));
        // A file that cannot be read is reported by the run.
        if read.is_ok()
            && let Some(format) = table_of(&head)
        {
            return Err(in_file(path, not_a_log(format)));
        }
    }
    Ok(())
}

/// The binary format of a table that begins with these bytes.
fn table_of(head: &[u8]) -> Option<&'static str> {
    match head {
        [b'P', b'A', b'R', b'1', ..] => Some("Parquet"),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Some("Arrow"),
        _ => None,
    }
}

fn not_a_log(format: &str) -> String {
    format!("this is a table in {format}: expected a log, with a record or a payload on each line")
}

/// Standard input, which is refused if it is a table in a binary format.
struct Checked<R> {
    input: R,
    is_begun: bool,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.input.read(buffer)?;
        let head = buffer.get(..len).unwrap_or_default();
        match table_of(head).filter(|_| !self.is_begun) {
            Some(format) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                not_a_log(format),
            )),
            None => {
                self.is_begun = true;
                Ok(len)
            }
        }
    }
}

/// Whether an argument stands for standard input.
fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// The length of a log in bytes, before decompression. Streams have none.
fn len(path: &Path) -> Result<Option<u64>, Failure> {
    if is_stdin(path) {
        return Ok(None);
    }
    let metadata = fs::metadata(path).map_err(|error| in_file(path, error))?;
    if metadata.is_dir() {
        let shown = path.display();
        return Err(usage(format_args!(
            "{shown} is a folder: give its files, such as '{shown}/*'"
        )));
    }
    Ok(metadata.is_file().then_some(metadata.len()))
}

/// Assigns devices to products, as the lines of the file of --dids say.
fn with_dids(mut products: Products, file: &Path) -> Result<Products, Failure> {
    let text = definition::read(file)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    for (number, line) in (1..).zip(text.lines()) {
        let words = line.trim().split([',', ' ', '\t', ';']);
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let assigned = match words[..] {
            [] | ["did", ..] => Ok(products),
            [did, key] => products.with_did(did, key).map_err(|error| error.message),
            _ => Err("expected a did and a product_key, separated by a comma".to_owned()),
        };
        let refused =
            |message: String| usage(format_args!("{}:{number}: {message}", file.display()));
        products = assigned.map_err(refused)?;
    }
    Ok(products)
}

/// Returns the files that match a pattern. An existing file is never a pattern, whatever its name.
fn files(input: &Path) -> Result<Vec<PathBuf>, Failure> {
    let is_pattern = |text: &&str| text.contains(['*', '?', '[']) && !input.exists();
    let Some(pattern) = input.to_str().filter(is_pattern) else {
        return Ok(vec![input.to_owned()]);
    };
    let matches = glob::glob(pattern).map_err(|error| in_file(input, error))?;
    let files: Vec<PathBuf> = matches.collect::<Result<_, _>>().map_err(usage)?;
    match files.is_empty() {
        true => Err(usage(format_args!("no file matches {pattern}"))),
        false => Ok(files),
    }
}

/// A file that is opened by the first read. A log may have more files than a process can open at once.
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
