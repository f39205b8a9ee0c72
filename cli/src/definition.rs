//! Definitions from files.

use std::fmt::Display;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use gizwits_codec_std::{Check, Product};

use crate::failure::{Failure, in_file};
use crate::output::diagnostic::report;
use crate::text::{counted, printable};

/// The text of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    text(path, u64::MAX)
}

/// The text of a definition, from a file or standard input. What is too long for one is not read to its end.
pub(crate) fn read_definition(path: &Path) -> Result<String, Failure> {
    text(path, Check::MAX_LEN as u64)
}

fn text(path: &Path, most: u64) -> Result<String, Failure> {
    let fail = |error: &dyn Display| in_file(path, error);
    let mut bytes = Vec::new();
    let mut read = || {
        let limit = most.saturating_add(1);
        if path == Path::new("-") {
            return std::io::stdin().lock().take(limit).read_to_end(&mut bytes);
        }
        let file = std::fs::File::open(path)?;
        // Of what is no file it is 0.
        let len = file.metadata()?.len();
        match len > most {
            true => Ok(len as usize),
            false => file.take(limit).read_to_end(&mut bytes),
        }
    };
    let len = read().map_err(|error| fail(&error))?;
    if len as u64 > most {
        let len = match bytes.is_empty() {
            true => len.to_string(),
            false => format!("more than {most}"),
        };
        return Err(fail(&format!(
            "{len} bytes: a definition has at most {most}"
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        // What PowerShell writes by `>`.
        let utf16 = matches!(error.as_bytes(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        let at = error.utf8_error().valid_up_to();
        match utf16 {
            true => fail(&"the text is UTF-16: UTF-8 is expected"),
            false => fail(&format!("not UTF-8 at byte {at}")),
        }
    })
}

/// Loads the product of a definition. A definition that can't be used ends the command, with its errors.
pub(crate) fn load(path: &Path) -> Result<Product, Failure> {
    let text = read_definition(path)?;
    let invalid = match Product::from_json(&text) {
        Ok(product) => return Ok(product),
        Err(invalid) => invalid,
    };
    let name = path.display().to_string();
    let graphical = std::io::stderr().is_terminal();
    let (errors, more) = invalid.first_errors();
    let mut told: Vec<String> = errors
        .map(|one| match graphical {
            true => report(&name, &text, one, true),
            false => printable(&format!("{name}:{one}")).into_owned(),
        })
        .collect();
    if more > 0 {
        told.push(format!("{name}: and {}", counted(more, "more error")));
    }
    Err(Failure::Usage(told.join("\n").trim_end().to_owned()))
}
