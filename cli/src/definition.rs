//! Definitions from files, and their diagnostics for people.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use gizwits_codec_std::{Diagnostic, Product, Severity, check};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, SourceCode,
};

use crate::Failure;

/// The text of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    if let Err(error) = read {
        return Err(Failure::Usage(format!(
            "error: {}: {error}",
            path.display()
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::Usage(format!("error: {}: not UTF-8 at byte {at}", path.display()))
    })
}

/// The text and the product of a definition.
///
/// A definition that can't be used ends the command, with all that is wrong with it.
pub(crate) fn load(path: &Path) -> Result<(String, Product), Failure> {
    let text = read(path)?;
    let found = check(&text);
    if let Some(product) = found.product {
        return Ok((text, product));
    }
    let name = path.display().to_string();
    let graphical = std::io::stderr().is_terminal();
    let errors = found
        .diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Error);
    let told: Vec<String> = errors
        .map(|one| match graphical {
            true => report(&name, &text, one, true),
            false => format!("{name}:{one}"),
        })
        .collect();
    Err(Failure::Usage(told.join("\n")))
}

/// A diagnostic with the line of the definition that it is about.
pub(crate) fn report(name: &str, text: &str, one: &Diagnostic, colours: bool) -> String {
    let label = match one.label.as_str() {
        "" => None,
        label => Some(label.to_owned()),
    };
    let span = LabeledSpan::new(label, one.span.start, one.span.len());
    let mut told = MietteDiagnostic::new(&one.message)
        .with_severity(match one.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
        .with_label(span);
    if !one.help.is_empty() {
        told = told.with_help(&one.help);
    }
    let theme = match colours {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_context_lines(1);
    let report =
        miette::Report::new(told).with_source_code(Named(NamedSource::new(name, text.to_owned())));
    let mut out = String::new();
    match handler.render_report(&mut out, report.as_ref()) {
        Ok(()) => out,
        Err(_) => format!("{name}:{one}\n"),
    }
}

struct Named(NamedSource<String>);

impl SourceCode for Named {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        self.0.read_span(span, before, after)
    }
}
