//! `gizwits codegen`: a definition as source code.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use gizwits_codec_std::Product;
use gizwits_codec_std::codegen::{Names, Options};

use crate::definition;
use crate::failure::{Failure, in_file, usage};
use crate::output::file::{OutputFile, is_same, named_output};

/// Generate source code for a product: of a firmware, or of a Wireshark dissector
#[derive(Args)]
#[command(after_help = "\
Rust code depends only on the crate gizwits-codec-core. To generate it in a build.rs, call
gizwits_codec_std::codegen::build(\"product.json\").

C code is C99 without other dependencies than stdbool.h, stddef.h and stdint.h. It consists of a header
and a source file beside it. All its names begin with the name of the header.

Lua code is a dissector for Wireshark. Its display filters begin with gizwits_ and the name of the file, or
of the product on standard output. Files with different names can be loaded together.

The file of --names is TOML. It has the names of points and labels in the definition, and their names in
the code, as in this file, and may leave out any of them:

  [points]
  \"开关\" = \"power\"

  [labels.mode]
  \"制冷\" = \"cool\"

Examples:
  gizwits codegen -d tests/fixtures/air-conditioner.json
  gizwits codegen -d tests/fixtures/air-conditioner.json --print-names > names.toml
  gizwits codegen -d tests/fixtures/air-conditioner.json --names names.toml -o product.rs
  gizwits codegen -d tests/fixtures/air-conditioner.json -o product.rs
  gizwits codegen -d tests/fixtures/air-conditioner.json --lang c -o aircon.h
  gizwits codegen -d tests/fixtures/air-conditioner.json --lang lua -o aircon.lua")]
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
    /// The names of points and labels in the code, as TOML; - is standard input. Default: names that follow from the
    /// definition
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
    /// Print a file for --names with all points and labels, as comments to begin with, and exit
    #[arg(long, conflicts_with_all = ["names", "output", "lang", "defmt"])]
    print_names: bool,
    /// Let the types of Rust code derive defmt::Format behind the feature `defmt` of your crate, which is declared as
    /// defmt = ["dep:defmt", "gizwits-codec-core/defmt"]. Default: no such derives
    #[arg(long)]
    defmt: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// Rust, as a module for gizwits-codec-core
    Rust,
    /// C99, as a header and a source file
    C,
    /// Lua, as a dissector for Wireshark
    Lua,
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
        if self.print_names {
            return Ok(out.write_all(Names::starter(&product).as_bytes())?);
        }
        if self.defmt && self.lang != Language::Rust {
            return Err(usage(
                "--defmt is for Rust code: leave out --defmt or --lang",
            ));
        }
        let mut options = Options::new().defmt(self.defmt);
        if let Some(path) = &self.names {
            if path == Path::new("-") && self.definition == Path::new("-") {
                let message = "standard input is the definition: --names needs a file";
                return Err(usage(message));
            }
            options = options.names(definition::load_names(path, &product)?);
        }
        let output = named_output(self.output.as_deref());
        match (self.lang, output) {
            (Language::Rust, None) => Ok(out.write_all(options.rust(&product).as_bytes())?),
            (Language::Rust, Some(path)) => self.write(&[(path, options.rust(&product))]),
            (Language::Lua, None) => {
                let code = options.lua(&product, product.name());
                Ok(out.write_all(code.as_bytes())?)
            }
            (Language::Lua, Some(path)) => {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                self.write(&[(path, options.lua(&product, &name))])
            }
            (Language::C, None) => Err(usage(
                "C code is two files: name the header, as in -o DIR/NAME.h",
            )),
            (Language::C, Some(header)) => self.write_c(&product, &options, header),
        }
    }

    /// Writes a header and the source file beside it.
    fn write_c(&self, product: &Product, options: &Options, header: &Path) -> Result<(), Failure> {
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
        let code = options.c(product, &name);
        let source = header.with_extension("c");
        if is_same(header, &source) {
            let message = "the source file beside it is the same file: choose another name";
            return Err(in_file(header, message));
        }
        self.write(&[(header, code.header), (&source, code.source)])
    }

    /// Writes files: all of them, or none if one of them is an input or cannot be created.
    fn write(&self, files: &[(&Path, String)]) -> Result<(), Failure> {
        for (path, _) in files {
            definition::check_output(&self.definition, path)?;
            if let Some(names) = &self.names {
                definition::check_is_not(names, "file of names", path)?;
            }
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
