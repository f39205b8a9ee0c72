//! `gizwits codegen`: a definition as source code.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gizwits_codec_std::codegen;

use crate::definition;
use crate::failure::{Failure, in_file};
use crate::output::file::{is_same, named_output, write};

/// Generate a firmware's source code for a product
#[derive(Args)]
#[command(after_help = "\
The generated code depends only on the crate gizwits-codec-core. To generate code in a build.rs,
call gizwits_codec_std::codegen::build(\"product.json\").

Examples:
  gizwits codegen -d tests/fixtures/air-conditioner.json
  gizwits codegen -d tests/fixtures/air-conditioner.json --lang rust -o product.rs")]
pub(crate) struct Codegen {
    /// The product's definition, as the Enterprise API returns it
    #[arg(short, long, value_name = "FILE")]
    definition: PathBuf,
    /// The programming language of the output
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    lang: Language,
    /// The output file; - is standard output. Default: standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Rust,
}

impl Codegen {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let product = definition::load(&self.definition)?;
        let code = match self.lang {
            Language::Rust => codegen::rust(&product),
        };
        let output = named_output(self.output.as_deref());
        if let Some(path) = output.filter(|path| is_same(path, &self.definition)) {
            let message = "this is the definition: choose another output file";
            return Err(in_file(path, message));
        }
        write(output, code.as_bytes(), out)
    }
}
