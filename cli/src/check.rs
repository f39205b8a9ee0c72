//! `gizwits check`

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use gizwits_codec_std::core::Protocol;
use gizwits_codec_std::{Severity, check};
use serde_json::Value;

use crate::{Failure, definition};

/// Say everything that is wrong with definitions
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
    /// One JSON object a finding: file, severity, kind, pointer, line, column, message
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(&self, out: &mut impl Write, colours: bool) -> Result<(), Failure> {
        let mut bad = false;
        let mut unreadable = Vec::new();
        for path in &self.definitions {
            let text = match definition::read(path) {
                Ok(text) => text,
                Err(Failure::Usage(message)) => {
                    unreadable.push(message);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            let name = path.display().to_string();
            let found = check(&text);
            for one in &found.diagnostics {
                bad |= one.severity == Severity::Error;
                if !self.json {
                    write!(out, "{}", definition::report(&name, &text, one, colours))?;
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
            if !self.json {
                summary(out, &name, &found)?;
            }
        }
        match (unreadable.is_empty(), bad) {
            (false, _) => Err(Failure::Usage(unreadable.join("\n"))),
            (true, true) => Err(Failure::Some),
            (true, false) => Ok(()),
        }
    }
}

fn summary(out: &mut impl Write, name: &str, found: &gizwits_codec_std::Check) -> io::Result<()> {
    let errors = found
        .diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .count();
    let warnings = found.diagnostics.len() - errors;
    let mut findings = Vec::new();
    for (count, word) in [(errors, "error"), (warnings, "warning")] {
        match count {
            0 => {}
            1 => findings.push(format!("1 {word}")),
            _ => findings.push(format!("{count} {word}s")),
        }
    }
    if findings.is_empty() {
        findings.push("no findings".to_owned());
    }
    let findings = findings.join(", ");
    match &found.product {
        Some(product) => {
            let protocol = match product.protocol() {
                Protocol::Standard => {
                    format!("standard, {} bytes", product.layout().status_len())
                }
                protocol @ Protocol::VarLen => protocol.name().to_owned(),
            };
            let points = product.attrs().len();
            writeln!(out, "{name}: {protocol}, {points} points, {findings}")
        }
        None => writeln!(out, "{name}: {findings}"),
    }
}
