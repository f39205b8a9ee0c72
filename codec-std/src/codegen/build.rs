//! Code generation in a build script.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::names::Names;
use super::options::Options;
use crate::error::counted;
use crate::product::check::check;
use crate::product::diagnostic::{Check, CheckError, Diagnostic, Severity};
use crate::product::{Product, is_product_key};
use crate::text::printable;

/// Generates `$OUT_DIR/product.rs` from the definition `product.json`, in a `build.rs`. The output has the name of the
/// definition: `lamp.json` becomes `lamp.rs`.
///
/// ```no_run
/// use gizwits_codec_std::codegen;
///
/// fn main() -> Result<(), codegen::BuildError> {
///     codegen::build("product.json")
/// }
/// ```
///
/// [`Build`] takes several definitions, and names for points and labels, and describes what is printed.
///
/// # Errors
/// The errors of [`Build::run`].
pub fn build(definition: impl AsRef<Path>) -> Result<(), BuildError> {
    Build::new().definition(definition).run()
}

/// The generation of code in a build script, from one or several definitions.
///
/// ```no_run
/// use gizwits_codec_std::codegen;
///
/// fn main() -> Result<(), codegen::BuildError> {
///     codegen::Build::new()
///         .definition("lamp.json")
///         .definition_with_names("pump.json", "pump.names.toml")
///         .run()
/// }
/// ```
///
/// Paths are relative to the folder of the package. The output of `lamp.json` is `$OUT_DIR/lamp.rs`. Its types derive
/// `defmt::Format` if the package has the feature `defmt` and the feature is enabled.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Build {
    jobs: Vec<Job>,
}

#[derive(Clone, Debug)]
struct Job {
    definition: PathBuf,
    names: Option<PathBuf>,
}

impl Build {
    /// Creates a build without definitions.
    pub fn new() -> Self {
        Build::default()
    }

    /// Adds a definition.
    pub fn definition(mut self, definition: impl AsRef<Path>) -> Self {
        self.jobs.push(Job {
            definition: definition.as_ref().to_owned(),
            names: None,
        });
        self
    }

    /// Adds a definition, and a file of [`Names`] for its points and labels.
    pub fn definition_with_names(
        mut self,
        definition: impl AsRef<Path>,
        names: impl AsRef<Path>,
    ) -> Self {
        self.jobs.push(Job {
            definition: definition.as_ref().to_owned(),
            names: Some(names.as_ref().to_owned()),
        });
        self
    }

    /// Generates the code of all definitions, or of none if one has an error.
    ///
    /// Prints the lines that tell cargo to run the build script again if a file changes, and a `cargo::warning` for each
    /// warning of a definition.
    ///
    /// # Errors
    /// All errors of all files: files that cannot be read or written, definitions and names with errors, product keys
    /// that are not 32 hex digits (a device identifies its product by the key), and two definitions with the same file
    /// name.
    pub fn run(&self) -> Result<(), BuildError> {
        let variables = Variables {
            out_dir: env::var_os("OUT_DIR"),
            defmt: env::var_os("CARGO_FEATURE_DEFMT").is_some(),
        };
        let mut lines = String::new();
        let result = self.run_with(&variables, &mut lines);
        print!("{lines}");
        result
    }

    /// Generates the code, and appends the lines for cargo to `lines`.
    fn run_with(&self, variables: &Variables, lines: &mut String) -> Result<(), BuildError> {
        let mut errors = Vec::new();
        let mut outputs: Vec<(OsString, String)> = Vec::new();
        let mut sources: HashMap<OsString, &Path> = HashMap::new();
        for job in &self.jobs {
            let output = job.output();
            if let Some(other) = sources.insert(output.clone(), &job.definition) {
                let (one, two) = (other.display(), job.definition.display());
                let output = output.display();
                errors.push(format!(
                    "{one} and {two} have the same output, {output}: rename one of them"
                ));
            }
            match job.code(variables.defmt, lines) {
                Ok(code) => outputs.push((output, code)),
                Err(more) => errors.extend(more),
            }
        }
        match &variables.out_dir {
            None => errors
                .push("OUT_DIR is not set: this is for build scripts, which cargo runs".to_owned()),
            Some(folder) if errors.is_empty() => {
                for (name, code) in outputs {
                    let path = Path::new(folder).join(name);
                    if let Err(unwritten) = fs::write(&path, code) {
                        errors.push(format!("{}: {unwritten}", path.display()));
                    }
                }
            }
            Some(_) => {}
        }
        match errors.is_empty() {
            true => Ok(()),
            false => Err(BuildError { errors }),
        }
    }
}

/// The variables of the environment that cargo sets for build scripts.
struct Variables {
    out_dir: Option<OsString>,
    defmt: bool,
}

impl Job {
    /// Returns the file name of the output: that of the definition, with the extension `rs`.
    fn output(&self) -> OsString {
        let mut name = self.definition.file_stem().unwrap_or_default().to_owned();
        name.push(".rs");
        name
    }

    /// Returns the code, or all errors of the definition and its names.
    fn code(&self, defmt: bool, lines: &mut String) -> Result<String, Vec<String>> {
        let product = self.product(lines)?;
        let mut options = Options::new().defmt(defmt);
        if let Some(path) = &self.names {
            let text = read(path, lines)?;
            let names = Names::from_toml(&text, &product);
            options = options.names(names.map_err(|invalid| texts(path, &invalid))?);
        }
        Ok(options.rust(&product))
    }

    fn product(&self, lines: &mut String) -> Result<Product, Vec<String>> {
        let path = &self.definition;
        let text = read(path, lines)?;
        let Check {
            product,
            diagnostics,
            errors,
            warnings,
        } = check(&text);
        let is_warning = |one: &&Diagnostic| one.severity == Severity::Warning;
        let shown = diagnostics.iter().filter(is_warning);
        for one in shown.clone() {
            let _ = writeln!(lines, "cargo::warning={}", text_of(path, one, "; "));
        }
        let more = warnings.saturating_sub(shown.count());
        if more > 0 {
            let (path, more) = (path.display(), counted(more, "more warning"));
            let _ = writeln!(lines, "cargo::warning={path}: and {more}");
        }
        let Some(product) = product else {
            let invalid = CheckError {
                diagnostics,
                errors,
                warnings,
            };
            return Err(texts(path, &invalid));
        };
        if !is_product_key(product.product_key()) {
            return Err(vec![format!(
                "{}: product_key is not 32 hex digits: a device identifies its product by them",
                path.display()
            )]);
        }
        Ok(product)
    }
}

/// Reads a file, and tells cargo to run the build script again if the file changes.
fn read(path: &Path, lines: &mut String) -> Result<String, Vec<String>> {
    let _ = writeln!(lines, "cargo::rerun-if-changed={}", path.display());
    fs::read_to_string(path).map_err(|unread| {
        let folder = env::current_dir().unwrap_or_default();
        vec![format!(
            "{}: {unread} (in {})",
            path.display(),
            folder.display()
        )]
    })
}

fn texts(path: &Path, invalid: &CheckError) -> Vec<String> {
    let (errors, more) = invalid.first_errors();
    let mut texts: Vec<String> = errors
        .map(|one| text_of(path, one, "\n    help: "))
        .collect();
    if more > 0 {
        texts.push(format!(
            "{}: and {}",
            path.display(),
            counted(more, "more error")
        ));
    }
    texts
}

/// Returns a diagnostic with its place, and its help behind a separator.
fn text_of(path: &Path, one: &Diagnostic, separator: &str) -> String {
    let place = format!("{}:{}:{}", path.display(), one.line, one.column);
    let mut text = format!("{place}: {}", printable(&one.message));
    if !one.label.is_empty() {
        text += &format!(" ({})", printable(&one.label));
    }
    if !one.help.is_empty() {
        text += &format!("{separator}{}", printable(&one.help));
    }
    text
}

/// The error of code generation in a build script.
///
/// Both `Display` and `Debug` write one error on each line, because cargo shows what `main` of a build script returns
/// with `Debug`, and `unwrap` does the same.
pub struct BuildError {
    errors: Vec<String>,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no code was generated: {}",
            counted(self.errors.len(), "error")
        )?;
        self.errors
            .iter()
            .try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of files, which is removed in the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let folder =
                env::temp_dir().join(format!("gizwits-build-{name}-{}", std::process::id()));
            fs::create_dir_all(folder.join("out")).unwrap();
            for (name, text) in files {
                fs::write(folder.join(name), text).unwrap();
            }
            Folder(folder)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }

        /// Runs a build. Returns its lines for cargo and its error, with paths relative to the folder.
        fn run(&self, build: &Build) -> (String, String) {
            let variables = Variables {
                out_dir: Some(self.path("out").into()),
                defmt: true,
            };
            let mut lines = String::new();
            let error = match build.run_with(&variables, &mut lines) {
                Ok(()) => String::new(),
                Err(error) => format!("{error:?}"),
            };
            let prefix = format!("{}{}", self.0.display(), std::path::MAIN_SEPARATOR);
            (lines.replace(&prefix, ""), error.replace(&prefix, ""))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const LAMP: &str = r#"{
  "name": "lamp", "product_key": "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50", "protocolType": "standard",
  "packetVersion": "0x00000004", "entities": [{"id": 0, "name": "entity0", "attrs": [
    {"id": 0, "name": "level", "type": "status_writable", "data_type": "uint8",
     "position": {"unit": "byte", "byte_offset": 0, "bit_offset": 0, "len": 1},
     "uint_spec": {"min": 0, "max": 100, "ratio": 1, "addition": 0}}]}]
}"#;

    #[test]
    fn each_definition_has_an_output_of_its_name() {
        let warned = LAMP.replace(r#", "addition": 0"#, "");
        let names = "points.level = 'brightness'";
        let folder = Folder::new(
            "outputs",
            &[
                ("lamp.json", &warned),
                ("pump.v2.json", LAMP),
                ("pump.toml", names),
            ],
        );
        let build = Build::new()
            .definition(folder.path("lamp.json"))
            .definition_with_names(folder.path("pump.v2.json"), folder.path("pump.toml"));
        let (lines, error) = folder.run(&build);
        assert_eq!(error, "");
        let expected = "cargo::rerun-if-changed=lamp.json
cargo::warning=lamp.json:6:19: `level` has no addition: 0 is assumed
cargo::rerun-if-changed=pump.v2.json
cargo::rerun-if-changed=pump.toml
";
        assert_eq!(lines, expected);
        let lamp = fs::read_to_string(folder.path("out/lamp.rs")).unwrap();
        let pump = fs::read_to_string(folder.path("out/pump.v2.rs")).unwrap();
        assert!(lamp.contains("pub level: u8,") && pump.contains("pub brightness: u8,"));
        assert!(lamp.contains("derive(defmt::Format)"));
    }

    #[test]
    fn all_errors_are_told_in_lines_and_nothing_is_written() {
        let folder = Folder::new(
            "errors",
            &[
                ("lamp.json", LAMP),
                ("names.toml", "points.levle = 'brightness'"),
                (
                    "pump.json",
                    &LAMP.replace("uint8", "uint9").replace("standard", "fixed"),
                ),
                ("nobody.json", &LAMP.replace("9b3ff3e5", "")),
            ],
        );
        fs::create_dir_all(folder.path("other")).unwrap();
        fs::write(folder.path("other/lamp.json"), LAMP).unwrap();
        let build = Build::new()
            .definition(folder.path("lamp.json"))
            .definition(folder.path("pump.json"))
            .definition_with_names(folder.path("other/lamp.json"), folder.path("names.toml"))
            .definition(folder.path("nobody.json"))
            .definition(folder.path("missing.json"));
        let (_, error) = folder.run(&build);
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines[0], "no code was generated: 6 errors");
        for expected in [
            "  pump.json:2:",
            "  pump.json:4:",
            "  lamp.json and other/lamp.json have the same output, lamp.rs: rename one of them",
            "  names.toml:1:8: unknown point `levle`: did you mean `level`?",
            "  nobody.json: product_key is not 32 hex digits",
            "  missing.json: ",
        ] {
            assert!(
                lines.iter().any(|line| line.starts_with(expected)),
                "{expected}: {error}"
            );
        }
        assert_eq!(fs::read_dir(folder.path("out")).unwrap().count(), 0);
    }
}
