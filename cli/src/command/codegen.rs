//! `gizwits codegen`: a definition as source code.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use gizwits_codec_std::Product;
use gizwits_codec_std::codegen::{Names, Options};

use crate::definition;
use crate::failure::{Failure, in_file, usage};
use crate::output::file::{OutputFile, is_same, named_output};
use crate::text::{counted, tell};

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

ac.json is a definition: `gizwits definition PRODUCT_KEY -o ac.json` fetches one.

Examples:
  gizwits codegen -d ac.json
  gizwits codegen -d ac.json --print-names > names.toml
  gizwits codegen -d ac.json --names names.toml -o product.rs
  gizwits codegen -d ac.json -o product.rs
  gizwits codegen -d ac.json --lang c -o aircon.h
  gizwits codegen -d ac.json --lang lua -o aircon.lua")]
pub(crate) struct Codegen {
    /// The product's definition, as the Enterprise API returns it
    #[arg(short, long, value_name = "FILE")]
    definition: PathBuf,
    /// The programming language of the output. Default: by the ending of the output file, .h for C and .lua for Lua,
    /// otherwise Rust
    #[arg(long, value_enum)]
    lang: Option<Language>,
    /// The output file; - is standard output. For C code the header, NAME.h: the source file NAME.c is
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

fn is_standard_header(name: &str) -> bool {
    let mut standard = STANDARD_HEADERS.split_whitespace();
    standard.any(|header| name.eq_ignore_ascii_case(header))
}

/// Returns a name for a header instead of one that cannot be the prefix of C names.
fn proposal(name: &str, product: &str) -> String {
    let usable = |text: &str| -> String {
        let text = text.replace(' ', "_");
        let characters = text
            .chars()
            .filter(|one| one.is_ascii_alphanumeric() || matches!(one, '_' | '-'));
        let begun = characters.skip_while(|one| !one.is_ascii_alphabetic());
        let taken: String = begun.take(40).collect();
        taken.trim_end_matches(['_', '-']).to_owned()
    };
    let is_free = |name: &String| {
        let is_library = name.eq_ignore_ascii_case(LIBRARY_HEADER);
        !name.is_empty() && !is_library && !is_standard_header(name)
    };
    let proposals = [usable(name), usable(product)];
    let proposal = proposals.into_iter().find(is_free);
    proposal.unwrap_or_else(|| "product".to_owned())
}

impl Language {
    /// The endings of files, and the languages that they stand for.
    const ENDINGS: [(&str, Language); 4] = [
        ("h", Language::C),
        ("c", Language::C),
        ("rs", Language::Rust),
        ("lua", Language::Lua),
    ];

    fn name(self) -> &'static str {
        match self {
            Language::Rust => "Rust",
            Language::C => "C",
            Language::Lua => "Lua",
        }
    }

    /// The ending of the output file.
    fn ending(self) -> &'static str {
        match self {
            Language::Rust => "rs",
            Language::C => "h",
            Language::Lua => "lua",
        }
    }
}

impl Codegen {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        if self.print_names {
            let product = definition::load(&self.definition)?;
            return Ok(out.write_all(Names::starter(&product).as_bytes())?);
        }
        let output = named_output(self.output.as_deref());
        let language = self.language(output)?;
        if self.defmt && language != Language::Rust {
            return Err(usage(
                "--defmt is for Rust code: leave out --defmt, or choose --lang rust",
            ));
        }
        let product = definition::load_with_warnings(&self.definition)?;
        let mut options = Options::new().defmt(self.defmt);
        if let Some(path) = &self.names {
            if path == Path::new("-") && self.definition == Path::new("-") {
                let message = "standard input is the definition: --names needs a file";
                return Err(usage(message));
            }
            options = options.names(definition::load_names(path, &product)?);
        }
        match (language, output) {
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

    /// Returns the language of the code: the one of --lang, or the one that the ending of the output file stands for.
    fn language(&self, output: Option<&Path>) -> Result<Language, Failure> {
        let ending = output.and_then(Path::extension).unwrap_or_default();
        let of_ending = Language::ENDINGS
            .iter()
            .find(|(known, _)| ending.eq_ignore_ascii_case(known));
        match (self.lang, output, of_ending) {
            (Some(lang), Some(path), Some((ending, other))) if lang != *other => {
                let message = format!(
                    "a file that ends with .{ending} has {} code: choose --lang {}, or a name that ends with .{}",
                    other.name(),
                    other.name().to_lowercase(),
                    lang.ending()
                );
                Err(in_file(path, message))
            }
            (Some(lang), ..) => Ok(lang),
            (None, _, Some((_, lang))) => Ok(*lang),
            (None, _, None) => Ok(Language::Rust),
        }
    }

    /// Writes a header and the source file beside it.
    fn write_c(&self, product: &Product, options: &Options, header: &Path) -> Result<(), Failure> {
        if header.extension().is_none_or(|extension| extension != "h") {
            let name = header.with_extension("h");
            let name = name.file_name().unwrap_or_default().to_string_lossy();
            let message = format!(
                "the output file of C code is the header: choose a name that ends with .h, such as {name}"
            );
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
        if is_standard_header(&name) {
            let message = "a standard header of C has this name, and a compiler could include one for the \
                other: choose another name";
            return Err(in_file(header, message));
        }
        if name.eq_ignore_ascii_case(LIBRARY_HEADER) {
            let message = "the header of the library gizwits has this name: choose another name";
            return Err(in_file(header, message));
        }
        let code = options.c(product, &name);
        if !code.has_prefix_of_name {
            let message = format!(
                "all names in C code begin with the name of the header, which has at most 40 ASCII letters, digits and \
                underscores, the first a letter: choose another name, such as {}.h",
                proposal(&name, product.name())
            );
            return Err(in_file(header, message));
        }
        let source = header.with_extension("c");
        if is_same(header, &source) {
            let message = "the source file beside it is the same file: choose another name";
            return Err(in_file(header, message));
        }
        let mut unnamed = vec![
            (code.unnamed_points, "point", "point_N"),
            (code.unnamed_labels, "label", "labelN"),
        ];
        unnamed.retain(|(count, ..)| *count > 0);
        self.write(&[(header, code.header), (&source, code.source)])?;
        if !unnamed.is_empty() {
            let counts: Vec<_> = unnamed
                .iter()
                .map(|(count, noun, name)| {
                    format!("{} ({name} in the code)", counted(*count, noun))
                })
                .collect();
            tell(format_args!(
                "note: the definition has no C name for {}: --print-names prints a file for --names, in which you name them",
                counts.join(" and ")
            ));
        }
        Ok(())
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
