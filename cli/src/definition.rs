//! Definitions from files.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use gizwits_codec_std::{Check, Product};

use crate::failure::{Failure, in_file};
use crate::output::diagnostic::Source;
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
    let open = || -> io::Result<(u64, Box<dyn Read>)> {
        if path == Path::new("-") {
            return Ok((0, Box::new(io::stdin())));
        }
        let file = File::open(path)?;
        // The length of what is no file is 0.
        Ok((file.metadata()?.len(), Box::new(file)))
    };
    let (len, file) = open().map_err(|error| fail(&error))?;
    let mut bytes = Vec::new();
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| fail(&error))?;
    if bytes.len() as u64 > most {
        let len = match len > most {
            true => len.to_string(),
            false => format!("more than {most}"),
        };
        let told = format!("{len} bytes: a definition has at most {most}");
        return Err(fail(&told));
    }
    String::from_utf8(bytes).map_err(|error| match error.as_bytes() {
        // What PowerShell writes by `>`.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => fail(&"the text is UTF-16: UTF-8 is expected"),
        _ => {
            let at = error.utf8_error().valid_up_to();
            fail(&format!("not UTF-8 at byte {at}"))
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
    let source = Source::new(&name, &text);
    let graphical = io::stderr().is_terminal();
    let (errors, more) = invalid.first_errors();
    let mut told: Vec<String> = errors
        .map(|one| match graphical {
            true => source.report(one, true),
            false => printable(&format!("{name}:{one}")).into_owned(),
        })
        .collect();
    if more > 0 {
        told.push(format!("{name}: and {}", counted(more, "more error")));
    }
    Err(Failure::Usage(told.join("\n").trim_end().to_owned()))
}
