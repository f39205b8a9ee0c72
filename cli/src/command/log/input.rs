//! What the commands of `gizwits log` read, and what they say about it.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use gizwits_codec_std::log::{self, Format, Log, Options, Products, Source, Summary};
use indicatif::HumanCount;
use same_file::Handle;

use crate::definition;
use crate::failure::{Failure, usage};
use crate::output::file::{Named, is_same, is_special, leads_to};
use crate::output::progress;
use crate::payload::Encoding;
use crate::text::tell;

/// What is read.
#[derive(Args)]
pub(crate) struct Input {
    /// The product's definition, as the Enterprise API hands it out; one for each product of the log
    #[arg(short, long = "definition", value_name = "FILE", required = true)]
    pub(super) definitions: Vec<PathBuf>,
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
    pub(super) lax: bool,
    /// Give every line to the strict JSON parser
    #[arg(long, hide = true)]
    strict: bool,
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
        let bar = progress::of_bytes(total);
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
pub(crate) fn files(input: &str) -> Result<Vec<PathBuf>, Failure> {
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

/// A file that is opened once it is read: there may be more of them than can be open at once.
pub(crate) struct Lazy {
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
pub(crate) struct Counted<R> {
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
