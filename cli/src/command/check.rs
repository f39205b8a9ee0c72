//! `gizwits check`: all problems of definitions.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use gizwits_codec_std::core::Protocol;
use gizwits_codec_std::{Check as Findings, Diagnostic, Severity, check};
use serde_json::json;

use crate::definition;
use crate::failure::{Failure, usage_with_hint};
use crate::output::diagnostic::report;
use crate::text::counted;

/// Report every problem in a definition
#[derive(Args)]
#[command(after_help = "\
Exit status: 0 without errors (warnings are allowed), 1 with errors, 2 if a file can't be read.

ac.json is a definition: `gizwits definition PRODUCT_KEY -o ac.json` fetches one.

Examples:
  gizwits check ac.json
  gizwits check --json ac.json pump.json")]
pub(crate) struct Check {
    /// The definitions, as the Enterprise API returns them; - is standard input
    #[arg(id = "files", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The definitions, like FILE
    #[arg(short, long = "definition", value_name = "FILE", num_args = 1..)]
    definitions: Vec<PathBuf>,
    /// Print one JSON object per finding: file, severity, kind, pointer, line, column, message. After 100
    /// findings of a definition, one line of kind more_findings counts the rest in errors and warnings
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(&self, out: &mut impl Write, colours: bool) -> Result<(), Failure> {
        if self.files.is_empty() && self.definitions.is_empty() {
            return Err(usage_with_hint(
                "no definition is given: gizwits check FILE, or --definition FILE",
                definition::HOW_TO_GET,
            ));
        }
        let mut bad = false;
        let mut unreadable = Vec::new();
        for path in self.files.iter().chain(&self.definitions) {
            let text = match definition::read_definition(path) {
                Ok(text) => text,
                Err(Failure::Usage(message)) => {
                    unreadable.push(message);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            let name = path.display().to_string();
            let found = check(&text);
            bad |= found.errors > 0;
            for one in &found.diagnostics {
                match self.json {
                    true => writeln!(out, "{}", json(&name, one))?,
                    false => write!(out, "{}", report(&name, &text, one, colours))?,
                }
            }
            let last = match self.json {
                true => more(&name, &found),
                false => Some(format!("{name}: {}", summary(&found))),
            };
            if let Some(last) = last {
                writeln!(out, "{last}")?;
            }
        }
        match (unreadable.is_empty(), bad) {
            (false, _) => Err(Failure::Usage(unreadable.join("\n"))),
            (true, true) => Err(Failure::Some),
            (true, false) => Ok(()),
        }
    }
}

/// The numbers of errors and warnings that were counted after the first 100 findings.
fn rest(found: &Findings) -> (usize, usize) {
    let kept = found.diagnostics.iter();
    let errors = kept.filter(|one| one.severity == Severity::Error).count();
    let warnings = found.diagnostics.len() - errors;
    (found.errors - errors, found.warnings - warnings)
}

/// Counts as text: `2 errors, 1 warning`. Empty if both are 0.
fn counts(errors: usize, warnings: usize) -> String {
    let mut counts = [(errors, "error"), (warnings, "warning")].to_vec();
    counts.retain(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.iter().map(|(n, word)| counted(*n, word)).collect();
    counts.join(", ")
}

/// A finding as a line of JSON.
fn json(file: &str, one: &Diagnostic) -> String {
    let message = match one.label.as_str() {
        "" => one.message.clone(),
        label => format!("{} ({label})", one.message),
    };
    let (file, pointer, message) = (json!(file), json!(one.pointer), json!(message));
    let (severity, kind, line, column) = (one.severity, one.kind, one.line, one.column);
    format!(
        r#"{{"file":{file},"severity":"{severity}","kind":"{kind}","pointer":{pointer},"line":{line},"column":{column},"message":{message}}}"#
    )
}

/// The last line of JSON, which counts the findings that have no line of their own, if any.
fn more(file: &str, found: &Findings) -> Option<String> {
    let (errors, warnings) = rest(found);
    let severity = match (errors, warnings) {
        (0, 0) => return None,
        (0, _) => Severity::Warning,
        _ => Severity::Error,
    };
    let (file, message) = (json!(file), counts(errors, warnings));
    Some(format!(
        r#"{{"file":{file},"severity":"{severity}","kind":"more_findings","pointer":"","line":1,"column":1,"message":"there are more findings: {message}","errors":{errors},"warnings":{warnings}}}"#
    ))
}

/// The line that ends the findings of a definition for people.
fn summary(found: &Findings) -> String {
    let mut summary = String::new();
    if let Some(product) = &found.product {
        summary = product.protocol().name().to_owned();
        if product.protocol() == Protocol::Standard {
            summary += &format!(", {}", counted(product.layout().status_len(), "byte"));
        }
        summary += &format!(", {}, ", counted(product.attrs().len(), "point"));
    }
    summary += match &*counts(found.errors, found.warnings) {
        "" => "no findings",
        counts => counts,
    };
    if rest(found) != (0, 0) {
        summary += &format!("; {} of them are shown", found.diagnostics.len());
    }
    summary
}
