//! `gizwits codegen`: a definition as source code.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use gizwits_codec_std::{Product, codegen};

use crate::definition;
use crate::failure::{Failure, in_file, usage};
use crate::output::file::{OutputFile, is_same, named_output};

/// Generate a firmware's source code for a product
#[derive(Args)]
#[command(after_help = "\
Rust code depends only on the crate gizwits-codec-core. To generate it in a build.rs, call
gizwits_codec_std::codegen::build(\"product.json\").

C code is C99 without other dependencies than stdbool.h, stddef.h and stdint.h. It consists of a header
and a source file beside it. All its names begin with the name of the header.

Examples:
  gizwits codegen -d tests/fixtures/air-conditioner.json
  gizwits codegen -d tests/fixtures/air-conditioner.json -o product.rs
  gizwits codegen -d tests/fixtures/air-conditioner.json --lang c -o aircon.h")]
pub(crate) struct Codegen {
    /// The product's definition, as the Enterprise API returns it
    #[arg(short, long, value_name = "FILE")]
    definition: PathBuf,
    /// The programming language of the output
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    lang: Language,
    /// The output file; - is standard output. With --lang c the header, NAME.h: the source file NAME.c is
    /// written beside it. Default: standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// Rust, as a module for gizwits-codec-core
    Rust,
    /// C99, as a header and a source file
    C,
}

/// The names of the headers of standard C, without `.h`. A file of the same name could be included for one of them.
const STANDARD_HEADERS: &str = "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp \
    signal stdalign stdarg stdatomic stdbit stdbool stdckdint stddef stdint stdio stdlib stdnoreturn string tgmath \
    threads time uchar wchar wctype";

/// The header of the library that runs the serial link, which generated code includes.
const LIBRARY_HEADER: &str = "gizwits";

impl Codegen {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let product = definition::load(&self.definition)?;
        let output = named_output(self.output.as_deref());
        match (self.lang, output) {
            (Language::Rust, None) => Ok(out.write_all(codegen::rust(&product).as_bytes())?),
            (Language::Rust, Some(path)) => self.write(&[(path, codegen::rust(&product))]),
            (Language::C, None) => Err(usage(
                "C code is two files: name the header, as in -o DIR/NAME.h",
            )),
            (Language::C, Some(header)) => self.write_c(&product, header),
        }
    }

    /// Writes a header and the source file beside it.
    fn write_c(&self, product: &Product, header: &Path) -> Result<(), Failure> {
        if header.extension().is_none_or(|extension| extension != "h") {
            let message =
                "with --lang c the output file is the header: choose a name that ends with .h";
            return Err(in_file(header, message));
        }
        let name = header.file_stem().unwrap_or_default().to_string_lossy();
        // The source file includes the header by its name.
        if name.contains(|one: char| one == '"' || one == '\\' || one.is_control()) {
            let message = "C cannot include a file with this name: choose one without quotation \
                marks, backslashes and control characters";
            return Err(in_file(header, message));
        }
        // Some file systems do not distinguish the case of letters.
        let mut standard = STANDARD_HEADERS.split_whitespace();
        if standard.any(|header| name.eq_ignore_ascii_case(header)) {
            let message = "a standard header of C has this name, and a compiler could include one for the \
                other: choose another name";
            return Err(in_file(header, message));
        }
        if name.eq_ignore_ascii_case(LIBRARY_HEADER) {
            let message = "the header of the library gizwits has this name: choose another name";
            return Err(in_file(header, message));
        }
        let code = codegen::c(product, &name);
        let source = header.with_extension("c");
        if is_same(header, &source) {
            let message = "the source file beside it is the same file: choose another name";
            return Err(in_file(header, message));
        }
        self.write(&[(header, code.header), (&source, code.source)])
    }

    /// Writes files: all of them, or none if one of them is the definition or cannot be created.
    fn write(&self, files: &[(&Path, String)]) -> Result<(), Failure> {
        for (path, _) in files {
            definition::check_output(&self.definition, path)?;
        }
        let mut complete = Vec::new();
        for (path, code) in files {
            let file = OutputFile::create(path)?;
            file.writer()?.write_all(code.as_bytes())?;
            complete.push(file);
        }
        complete
            .into_iter()
            .try_for_each(|file| file.commit().map(drop))
    }
}
