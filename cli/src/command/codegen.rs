//! `gizwits codegen`: a definition as source code.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use gizwits_codec_std::{Product, codegen};

use crate::definition;
use crate::failure::{Failure, in_file, usage};
use crate::output::file::{is_same, named_output, write};

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

impl Codegen {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let product = definition::load(&self.definition)?;
        let output = named_output(self.output.as_deref());
        match self.lang {
            Language::Rust => self.write(output, &codegen::rust(&product), out),
            Language::C => self.write_c(&product, output, out),
        }
    }

    /// Writes a header and the source file beside it.
    fn write_c(
        &self,
        product: &Product,
        output: Option<&Path>,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let Some(header) = output else {
            return Err(usage(
                "C code is two files: name the header, as in -o DIR/NAME.h",
            ));
        };
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
        let code = codegen::c(product, &name);
        self.write(Some(header), &code.header, out)?;
        self.write(Some(&header.with_extension("c")), &code.source, out)
    }

    fn write(
        &self,
        output: Option<&Path>,
        code: &str,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        if let Some(path) = output.filter(|path| is_same(path, &self.definition)) {
            let message = "this is the definition: choose another output file";
            return Err(in_file(path, message));
        }
        write(output, code.as_bytes(), out)
    }
}
