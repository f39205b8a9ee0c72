//! Definitions from files, and their diagnostics for people.

use std::io::{IsTerminal as _, Read as _};
use std::ops::Range;
use std::path::Path;

use gizwits_codec_std::{Diagnostic, Product, Severity, check};
use miette::{
    LabeledSpan, MietteDiagnostic, MietteError, MietteHandlerOpts, MietteSpanContents,
    ReportHandler, SourceCode, SourceSpan, SpanContents,
};
use unicode_width::UnicodeWidthChar as _;

use crate::{Failure, printable};

/// The most lines of a definition that one finding shows.
const LINES: usize = 12;

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
            false => printable(&format!("{name}:{one}")).into_owned(),
        })
        .collect();
    Err(Failure::Usage(told.join("\n").trim_end().to_owned()))
}

/// A diagnostic with the line of the definition that it is about.
pub(crate) fn report(name: &str, text: &str, one: &Diagnostic, colours: bool) -> String {
    let terminal = terminal_size::terminal_size();
    let width = terminal.map_or(100, |(width, _)| usize::from(width.0).clamp(40, 120));
    let excerpt = Excerpt::new(name, text, one, width);
    let label = Some(printable(&one.label).into_owned()).filter(|label| !label.is_empty());
    let span = LabeledSpan::new(label, excerpt.span.start, excerpt.span.len());
    let mut told = MietteDiagnostic::new(printable(&one.message))
        .with_severity(match one.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
        .with_label(span);
    if !one.help.is_empty() {
        told = told.with_help(printable(&one.help));
    }
    let handler = MietteHandlerOpts::new()
        .color(colours)
        .terminal_links(false)
        .context_lines(1)
        .width(width)
        .build();
    let report = miette::Report::new(told).with_source_code(excerpt);
    let report = Shown(&handler, report.as_ref()).to_string();
    // Padding in front of nothing is no use to whoever copies it.
    report
        .lines()
        .fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

struct Shown<'a>(&'a dyn ReportHandler, &'a dyn miette::Diagnostic);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.debug(self.1, f)
    }
}

/// The lines around a finding, fit to be shown.
///
/// The Enterprise API hands out definitions in one line of many thousand characters, so a line is
/// cut to what is near the finding.
#[derive(Debug)]
struct Excerpt {
    name: String,
    shown: String,
    /// What the finding is about, in `shown`.
    span: Range<usize>,
    /// The first line of `shown`, and the place of the finding, from 0.
    first: usize,
    line: usize,
    column: usize,
}

impl Excerpt {
    fn new(name: &str, text: &str, one: &Diagnostic, width: usize) -> Self {
        let line = one.line.saturating_sub(1);
        let first = line.saturating_sub(1);
        let mut excerpt = Excerpt {
            name: name.to_owned(),
            shown: String::new(),
            span: 0..0,
            first,
            line,
            column: one.column.saturating_sub(1),
        };
        // The number of a line, its border and an arrow of several lines stand in front.
        let room = width.saturating_sub(one.line.ilog10() as usize + 12);
        let within = text.get(one.span.clone()).unwrap_or("");
        let span = match within.split('\n').nth(LINES) {
            None => one.span.clone(),
            Some(_) => one.span.start..one.span.start + within.find('\n').unwrap_or(0),
        };
        // One line before, one behind.
        let last = line + text.get(span.clone()).unwrap_or("").matches('\n').count() + 1;
        let mut start = 0;
        for (number, line) in text.split_inclusive('\n').enumerate().take(last + 1) {
            if number >= first {
                excerpt.push(line, start, &span, room);
            }
            start += line.len();
        }
        excerpt
    }

    /// Adds a line of the text, or what is near the finding, in at most `room` columns.
    fn push(&mut self, line: &str, start: usize, span: &Range<usize>, room: usize) {
        let body = line.trim_end_matches(['\n', '\r']);
        let wide = |text: &str| text.chars().map(columns).sum::<usize>();
        let mut shown = 0..body.len();
        if wide(body) > room {
            // Two columns at either end are for the ellipses.
            let room = room.saturating_sub(4);
            let about = span.start.saturating_sub(start);
            let mut before = match span.start >= start && about < body.len() {
                true => room / 3,
                false => 0,
            };
            shown.start = if before > 0 { about } else { 0 };
            while let Some(one) = body[..shown.start].chars().next_back() {
                before = match before.checked_sub(columns(one)) {
                    Some(rest) => rest,
                    None => break,
                };
                shown.start -= one.len_utf8();
            }
            let mut used = 0;
            for (at, one) in body[shown.start..].char_indices() {
                used += columns(one);
                if used > room {
                    shown.end = shown.start + at;
                    break;
                }
            }
        }
        if shown.start > 0 {
            self.shown += "… ";
        }
        for (at, one) in body[shown.clone()].char_indices() {
            self.mark(start + shown.start + at, span);
            match one {
                '\t' => self.shown.push_str("    "),
                '\u{feff}' => {}
                one if one.is_control() => self.shown.push('\u{fffd}'),
                one => self.shown.push(one),
            }
        }
        self.mark(start + shown.end, span);
        if shown.end < body.len() {
            self.shown += " …";
        }
        self.shown.push('\n');
    }

    /// Notes where the span begins and ends, once it is known that byte `at` comes next.
    fn mark(&mut self, at: usize, span: &Range<usize>) {
        let next = self.shown.len();
        if at <= span.start {
            self.span.start = next;
        }
        if at <= span.end {
            self.span.end = next;
        }
    }
}

/// The columns that a character takes once it is shown.
fn columns(one: char) -> usize {
    match one {
        '\t' => 4,
        one => one.width().unwrap_or(1),
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // Without lines around it the place alone is asked for, which is that of the whole text.
        let (range, line, column) = match before {
            0 => (
                span.offset()..span.offset() + span.len(),
                self.line,
                self.column,
            ),
            _ => (0..self.shown.len(), self.first, 0),
        };
        let data = self.shown.as_bytes().get(range.clone());
        let span = SourceSpan::new(range.start.into(), range.len());
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            data.ok_or(MietteError::OutOfBounds)?,
            span,
            line,
            column,
            0,
        )))
    }
}
