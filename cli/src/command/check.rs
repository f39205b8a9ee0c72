//! `gizwits check`

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use gizwits_codec_std::core::Protocol;
use gizwits_codec_std::{Severity, check};
use serde_json::Value;

use crate::definition;
use crate::failure::Failure;
use crate::output::diagnostic::Source;
use crate::text::counted;

/// Report every problem in a definition
#[derive(Args)]
#[command(after_help = "\
Exit status: 0; 1 if there is an error among the findings; 2 if a file can't be read.

Examples:
  gizwits check -d tests/fixtures/air-conditioner.json
  gizwits check --json -d tests/fixtures/air-conditioner.json tests/fixtures/spa.json")]
pub(crate) struct Check {
    /// The definitions, as the Enterprise API hands them out; - is standard input
    #[arg(short, long = "definition", value_name = "FILE", required = true, num_args = 1..)]
    definitions: Vec<PathBuf>,
    /// One JSON object a finding: file, severity, kind, pointer, line, column, message. At most 100 findings
    /// per definition are listed; a last line of kind more_findings counts the rest: errors, warnings
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(&self, out: &mut impl Write, colours: bool) -> Result<(), Failure> {
        let mut bad = false;
        let mut unreadable = Vec::new();
        for path in &self.definitions {
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
            let source = Source::new(&name, &text);
            bad |= found.errors > 0;
            for one in &found.diagnostics {
                if !self.json {
                    write!(out, "{}", source.report(one, colours))?;
                    continue;
                }
                let message = match one.label.as_str() {
                    "" => one.message.clone(),
                    label => format!("{} ({label})", one.message),
                };
                let text = |text: &str| Value::from(text);
                writeln!(
                    out,
                    r#"{{"file":{},"severity":"{}","kind":"{}","pointer":{},"line":{},"column":{},"message":{}}}"#,
                    text(&name),
                    one.severity,
                    one.kind,
                    text(&one.pointer),
                    one.line,
                    one.column,
                    text(&message),
                )?;
            }
            match self.json {
                true => more(out, &name, &found)?,
                false => summary(out, &name, &found)?,
            }
        }
        match (unreadable.is_empty(), bad) {
            (false, _) => Err(Failure::Usage(unreadable.join("\n"))),
            (true, true) => Err(Failure::Some),
            (true, false) => Ok(()),
        }
    }
}

/// The errors and warnings of a definition that are counted and not kept.
fn rest(found: &gizwits_codec_std::Check) -> (usize, usize) {
    let kept = |severity| {
        let kept = found.diagnostics.iter();
        kept.filter(|one| one.severity == severity).count()
    };
    (
        found.errors - kept(Severity::Error),
        found.warnings - kept(Severity::Warning),
    )
}

/// `2 errors, 1 warning`; empty without either.
fn findings(errors: usize, warnings: usize) -> String {
    let counts = [(errors, "error"), (warnings, "warning")].into_iter();
    let counts = counts.filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, word)| counted(count, word)).collect();
    counts.join(", ")
}

/// A last line that counts what no line was written for.
fn more(out: &mut impl Write, name: &str, found: &gizwits_codec_std::Check) -> io::Result<()> {
    let (errors, warnings) = rest(found);
    let severity = match (errors, warnings) {
        (0, 0) => return Ok(()),
        (0, _) => Severity::Warning,
        _ => Severity::Error,
    };
    let (name, message) = (Value::from(name), findings(errors, warnings));
    writeln!(
        out,
        r#"{{"file":{name},"severity":"{severity}","kind":"more_findings","pointer":"","line":1,"column":1,"message":"there are more findings: {message}","errors":{errors},"warnings":{warnings}}}"#
    )
}

fn summary(out: &mut impl Write, name: &str, found: &gizwits_codec_std::Check) -> io::Result<()> {
    let mut findings = match findings(found.errors, found.warnings) {
        none if none.is_empty() => "no findings".to_owned(),
        findings => findings,
    };
    if rest(found) != (0, 0) {
        let shown = found.diagnostics.len();
        findings += &format!("; {shown} of them are shown");
    }
    match &found.product {
        Some(product) => {
            let protocol = match product.protocol() {
                Protocol::Standard => {
                    let len = product.layout().status_len();
                    format!("standard, {}", counted(len, "byte"))
                }
                protocol @ Protocol::VarLen => protocol.name().to_owned(),
            };
            let points = counted(product.attrs().len(), "point");
            writeln!(out, "{name}: {protocol}, {points}, {findings}")
        }
        None => writeln!(out, "{name}: {findings}"),
    }
}
