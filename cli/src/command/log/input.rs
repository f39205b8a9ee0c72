//! The inputs of the commands of `gizwits log`: definitions, logs, devices and limits.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::builder::NonEmptyStringValueParser;
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

/// The logs that are read, and how.
#[derive(Args)]
pub(crate) struct Input {
    /// The product's definition, as the Enterprise API hands it out; one for each product of the log
    #[arg(short, long = "definition", value_name = "FILE", required = true)]
    pub(super) definitions: Vec<PathBuf>,
    /// Logs: files, patterns like 'logs/*.gz', - for standard input
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,
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
    #[arg(long, value_parser = encoding())]
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
    pub(super) lax: bool,
}

/// The part of a path that is a did.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DidFrom {
    /// The file's name, up to its first dot: DID.ndjson.gz
    FileName,
    /// The name of the file's folder: DID/2026-01-31.ndjson
    Folder,
}

impl DidFrom {
    fn did(self, path: &Path) -> Result<String, Failure> {
        // A bare name has its folder all the same.
        let full = std::path::absolute(path)?;
        let (part, problem) = match self {
            _ if is_stdin(path) || is_special(path) => (None, "it is no regular file"),
            DidFrom::FileName => (
                full.file_prefix(),
                "its name begins with a dot or isn't UTF-8",
            ),
            DidFrom::Folder => (
                full.parent().and_then(Path::file_name),
                "its folder has no name, or one that begins with a dot or isn't UTF-8",
            ),
        };
        match part.and_then(OsStr::to_str) {
            Some(did) if !did.starts_with('.') => Ok(did.to_owned()),
            _ => {
                let told = format!("{problem}, so --did-from takes no device from it: use --did");
                Err(in_file(path, told))
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
        let log = self.inputs.iter().find(|input| is_stdin(input));
        let files = self.definitions.iter().chain(&self.dids);
        if files.chain(log).filter(|file| is_stdin(file)).count() > 1 {
            return Err(usage(
                "standard input can't be the definition and the log: give - once",
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

    /// Checks that no output replaces an input, and that the rejects replace neither.
    fn check_files(&self, logs: &[PathBuf], written: &[&Path]) -> Result<(), Failure> {
        let inputs = self.definitions.iter().chain(&self.dids).chain(logs);
        let is_input = |path: &Path| {
            inputs.clone().any(|input| match is_stdin(input) {
                true => leads_to(Handle::stdin(), path),
                false => is_same(input, path),
            })
        };
        if let Some(path) = written.iter().find(|path| is_input(path)) {
            let told = "this is an input: choose another output file";
            return Err(in_file(path, told));
        }
        if let Some(path) = &self.rejects
            && (is_input(path)
                || is_stdin(path)
                || written.iter().any(|output| is_same(output, path))
                || leads_to(Handle::stdout(), path))
        {
            let told = "this is an input or output: choose another file for --rejects";
            return Err(in_file(path, told));
        }
        Ok(())
    }

    /// A log that is opened when it is read, with the bar for its bytes.
    fn source(&self, path: PathBuf, bar: &ProgressBar) -> Result<Source, Failure> {
        let did = match self.did_from {
            Some(part) => Some(part.did(&path)?),
            None => self.did.clone(),
        };
        let name = path.display().to_string();
        let mut source = if is_stdin(&path) {
            if io::stdin().is_terminal() {
                tell("reading records, one a line");
            }
            Source::new(name, bar.wrap_read(io::stdin()))
        } else {
            Source::new(name, bar.wrap_read(Lazy { path, file: None }))
        };
        source.did = did;
        Ok(source)
    }

    /// Decodes the logs with a progress bar. None of the files that are `written` may be one that is read.
    pub(super) fn decode<F: Format>(
        &self,
        mut log: Log<'_>,
        format: F,
        written: &[&Path],
    ) -> Result<Totals<'_>, Failure> {
        let logs: Vec<Vec<PathBuf>> = self
            .inputs
            .iter()
            .map(|input| files(input))
            .collect::<Result<_, _>>()?;
        let logs = logs.concat();
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
        })
    }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// The length of a log as it is stored, in bytes, if it is known.
fn len(path: &Path) -> Result<Option<u64>, Failure> {
    if is_stdin(path) {
        return Ok(None);
    }
    let found = fs::metadata(path).map_err(|error| in_file(path, error))?;
    if found.is_dir() {
        let shown = path.display();
        return Err(usage(format_args!(
            "{shown} is a folder: give its files, like '{shown}/*'"
        )));
    }
    Ok(found.is_file().then_some(found.len()))
}

/// Assigns devices to products, by the lines of a file.
fn with_dids(mut products: Products, file: &Path) -> Result<Products, Failure> {
    let text = definition::read(file)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    for (number, line) in (1..).zip(text.lines()) {
        let words = line.trim().split([',', ' ', '\t', ';']);
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let assigned = match words[..] {
            [] | ["did", ..] => Ok(products),
            [did, key] => products.with_did(did, key).map_err(|error| error.message),
            _ => Err("a did and a product_key are expected, with a comma between them".to_owned()),
        };
        let refused = |told: String| usage(format_args!("{}:{number}: {told}", file.display()));
        products = assigned.map_err(refused)?;
    }
    Ok(products)
}

/// The files that match a pattern. The name of a file matches itself.
fn files(input: &Path) -> Result<Vec<PathBuf>, Failure> {
    let is_pattern = |text: &&str| text.contains(['*', '?', '[']) && !input.exists();
    let Some(pattern) = input.to_str().filter(is_pattern) else {
        return Ok(vec![input.to_owned()]);
    };
    let found = glob::glob(pattern).map_err(|error| in_file(input, error))?;
    let files: Vec<PathBuf> = found.collect::<Result<_, _>>().map_err(usage)?;
    match files.is_empty() {
        true => Err(usage(format_args!("no file is like {pattern}"))),
        false => Ok(files),
    }
}

/// A file that is opened when it is read: there may be more of them than can be open at once.
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
