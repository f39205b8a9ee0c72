//! Definitions and other texts that are read from files or from standard input.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use gizwits_codec_std::codegen::Names;
use gizwits_codec_std::{Check, CheckError, Diagnostic, Product, Severity, check};
use same_file::Handle;

use crate::failure::{Failure, in_file};
use crate::output::diagnostic::report;
use crate::output::file::{is_same, leads_to};
use crate::text::{counted, printable, tell};

/// How to get a definition, for messages that ask for one.
pub(crate) const HOW_TO_GET: &str = "\
A definition is the JSON of a product's data points. With an account, `gizwits api product datapoint` prints it, and the
vendor's developer center exports it. Without an account, `gizwits definition PRODUCT_KEY` fetches it from a public
address. `gizwits lan discover` prints the product keys of the devices in your network.";

/// Reads the text of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    text(path, u64::MAX)
}

/// Reads the text of a definition like [`read`]. A file that is too long for a definition is refused before
/// it fills the memory.
pub(crate) fn read_definition(path: &Path) -> Result<String, Failure> {
    text(path, Check::MAX_LEN as u64)
}

/// Reads a text of at most `max_len` bytes.
fn text(path: &Path, max_len: u64) -> Result<String, Failure> {
    let fail = |error: &dyn Display| in_file(path, error);
    let open = || -> io::Result<(u64, Box<dyn Read>)> {
        if path == Path::new("-") {
            return Ok((0, Box::new(io::stdin())));
        }
        let file = File::open(path)?;
        // Pipes and devices have the length 0.
        Ok((file.metadata()?.len(), Box::new(file)))
    };
    let (len, file) = open().map_err(|error| fail(&error))?;
    let mut bytes = Vec::new();
    let read = file.take(max_len.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| fail(&error))?;
    if bytes.len() as u64 > max_len {
        let len = match len > max_len {
            true => len.to_string(),
            false => format!("more than {max_len}"),
        };
        let message = format!("{len} bytes: a definition has at most {max_len}");
        return Err(fail(&message));
    }
    String::from_utf8(bytes).map_err(|error| match error.as_bytes() {
        // Windows PowerShell writes UTF-16 when output is redirected.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => fail(&"the text is UTF-16: UTF-8 is expected"),
        _ => {
            let at = error.utf8_error().valid_up_to();
            fail(&format!("not UTF-8 at byte {at}"))
        }
    })
}

/// Checks that an output file is not the definition, which would be lost.
pub(crate) fn check_output(definition: &Path, output: &Path) -> Result<(), Failure> {
    check_is_not(definition, "definition", output)
}

/// Checks that an output file is not an input, which would be lost. `what` is the word for the input.
pub(crate) fn check_is_not(input: &Path, what: &str, output: &Path) -> Result<(), Failure> {
    let is_input = match input == Path::new("-") {
        true => leads_to(Handle::stdin(), output),
        false => is_same(output, input),
    };
    match is_input {
        true => Err(in_file(
            output,
            format_args!("this is the {what}: choose another output file"),
        )),
        false => Ok(()),
    }
}

/// Loads a product from the file of its definition.
///
/// # Errors
/// All errors of the definition, formatted for a terminal if stderr is one.
pub(crate) fn load(path: &Path) -> Result<Product, Failure> {
    let text = read_definition(path)?;
    Product::from_json(&text).map_err(|invalid| failure(path, &text, &invalid))
}

/// Loads a product like [`load`], and prints the warnings of its definition to stderr.
pub(crate) fn load_with_warnings(path: &Path) -> Result<Product, Failure> {
    let text = read_definition(path)?;
    let found = check(&text);
    let Some(product) = found.product else {
        return Product::from_json(&text).map_err(|invalid| failure(path, &text, &invalid));
    };
    let name = path.display().to_string();
    let mut more = found.warnings;
    let is_warning = |one: &&Diagnostic| one.severity == Severity::Warning;
    for warning in found.diagnostics.iter().filter(is_warning) {
        tell(shown(&name, &text, warning).trim_end());
        more = more.saturating_sub(1);
    }
    if more > 0 {
        tell(format_args!(
            "{name}: and {}",
            counted(more, "more warning")
        ));
    }
    Ok(product)
}

/// Compares a definition with the product key of a device. Returns the difference as text, or `None` if there is none.
pub(crate) fn difference(product: &Product, key: &str) -> Option<String> {
    let own = product.product_key();
    (!own.eq_ignore_ascii_case(key)).then(|| {
        format!("the device is of the product {key}, and the definition of the product {own}")
    })
}

/// Warns the user if a device with this product key is of another product than the definition.
pub(crate) fn warn_of_another(product: &Product, key: &str) {
    if let Some(difference) = difference(product, key) {
        tell(format_args!("warning: {difference}"));
    }
}

/// Loads the names that generated code gives to the points and labels of a product.
///
/// # Errors
/// All errors of the file, formatted for a terminal if stderr is one.
pub(crate) fn load_names(path: &Path, product: &Product) -> Result<Names, Failure> {
    let text = read(path)?;
    Names::from_toml(&text, product).map_err(|invalid| failure(path, &text, &invalid))
}

/// Returns a finding with an excerpt of the file if stderr is a terminal, and as a line otherwise.
fn shown(name: &str, text: &str, one: &Diagnostic) -> String {
    match io::stderr().is_terminal() {
        true => report(name, text, one, true),
        false => printable(&format!("{name}:{one}")).into_owned(),
    }
}

/// Returns the failure of a file with errors.
fn failure(path: &Path, text: &str, invalid: &CheckError) -> Failure {
    let name = path.display().to_string();
    let (errors, more) = invalid.first_errors();
    let mut reports: Vec<String> = errors.map(|error| shown(&name, text, error)).collect();
    if more > 0 {
        reports.push(format!("{name}: and {}", counted(more, "more error")));
    }
    Failure::Usage(reports.join("\n").trim_end().to_owned())
}
