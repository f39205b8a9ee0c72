//! `gizwits codegen`

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gizwits_codec_std::codegen;

use crate::definition;
use crate::failure::Failure;
use crate::output::file::is_same;

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
        let (_, product) = definition::load(&self.definition)?;
        let code = match self.lang {
            Language::Rust => codegen::rust(&product),
        };
        match self
            .output
            .as_deref()
            .filter(|path| path.as_os_str() != "-")
        {
            None => out.write_all(code.as_bytes()).map_err(Failure::Io),
            Some(path) if is_same(path, &self.definition) => Err(Failure::Usage(format!(
                "error: {} is the definition: choose another output file",
                path.display()
            ))),
            Some(path) => std::fs::write(path, code)
                .map_err(|error| Failure::Usage(format!("error: {}: {error}", path.display()))),
        }
    }
}
