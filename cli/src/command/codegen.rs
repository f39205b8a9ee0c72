//! `gizwits codegen`

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gizwits_codec_std::codegen;

use crate::definition;
use crate::failure::{Failure, in_file};
use crate::output::file::{is_same, named_output, write};

/// Write a product's code for a firmware
#[derive(Args)]
#[command(after_help = "\
The file needs nothing but the crate gizwits-codec-core. In a build.rs, call
gizwits_codec_std::codegen::build(\"product.json\") instead.

Examples:
  gizwits codegen -d tests/fixtures/air-conditioner.json
  gizwits codegen -d tests/fixtures/air-conditioner.json --lang rust -o product.rs")]
pub(crate) struct Codegen {
    /// The product's definition, as the Enterprise API hands it out
    #[arg(short, long, value_name = "FILE")]
    definition: PathBuf,
    /// The language
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    lang: Language,
    /// The file to write; - or without it standard output
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
            return Err(in_file(
                path,
                "this is the definition: choose another output file",
            ));
        }
        write(output, code.as_bytes(), out)
    }
}
