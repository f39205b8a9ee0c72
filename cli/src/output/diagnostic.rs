//! Diagnostics of definitions, for people: each with the lines that it is about.

use std::ops::Range;

use gizwits_codec_std::{Diagnostic, Severity};
use miette::{
    LabeledSpan, MietteDiagnostic, MietteError, MietteHandlerOpts, MietteSpanContents,
    ReportHandler, SourceCode, SourceSpan, SpanContents,
};
use unicode_width::UnicodeWidthChar as _;

use crate::text::{is_invisible, printable};

/// The most lines of a definition that one finding shows.
const LINES: usize = 12;

/// A definition's text, and where its lines begin.
pub(crate) struct Source<'t> {
    name: &'t str,
    text: &'t str,
    lines: Vec<usize>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(name: &'t str, text: &'t str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Source { name, text, lines }
    }

    /// The number of the line, from 0, that a byte stands in.
    fn line_of(&self, byte: usize) -> usize {
        self.lines
            .partition_point(|start| *start <= byte)
            .saturating_sub(1)
    }

    /// The place of a line in the text, its end included.
    fn line(&self, number: usize) -> Range<usize> {
        let start = |number: usize| self.lines.get(number).copied().unwrap_or(self.text.len());
        start(number)..start(number + 1)
    }

    /// A diagnostic with the line of the definition that it is about.
    pub(crate) fn report(&self, one: &Diagnostic, colours: bool) -> String {
        let terminal = terminal_size::terminal_size();
        let width = terminal.map_or(100, |(width, _)| usize::from(width.0).clamp(40, 120));
        let excerpt = Excerpt::new(self, one, width);
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
    /// The span of the finding in `shown`.
    span: Range<usize>,
    /// The first line of `shown`, and the place of the finding, from 0.
    first: usize,
    line: usize,
    column: usize,
}

impl Excerpt {
    fn new(source: &Source<'_>, one: &Diagnostic, width: usize) -> Self {
        let line = one.line.saturating_sub(1);
        let first = line.saturating_sub(1);
        let mut excerpt = Excerpt {
            name: source.name.to_owned(),
            shown: String::new(),
            span: 0..0,
            first,
            line,
            column: one.column.saturating_sub(1),
        };
        // The number of a line, its border and an arrow of several lines stand in front.
        let room = width.saturating_sub(one.line.ilog10() as usize + 12);
        let mut span = one.span.clone();
        let mut last = source.line_of(span.end);
        if last >= line + LINES {
            last = line;
            span.end = source.line(line).end - 1;
        }
        // One line before, one behind.
        for number in first..=last + 1 {
            let place = source.line(number);
            if let Some(line) = source
                .text
                .get(place.clone())
                .filter(|line| !line.is_empty())
            {
                excerpt.push(line, place.start, &span, room);
            }
        }
        excerpt
    }

    /// Adds a line of the text, or what is near the finding, in at most `room` columns.
    fn push(&mut self, line: &str, start: usize, span: &Range<usize>, room: usize) {
        let body = line.trim_end_matches(['\n', '\r']);
        let mut shown = 0..body.len();
        if head(body, room) < body.len() {
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
            shown.end = shown.start + head(&body[shown.start..], room);
        }
        if shown.start > 0 {
            self.shown += "… ";
        }
        for (at, one) in body[shown.clone()].char_indices() {
            self.mark(start + shown.start + at, span);
            match one {
                '\t' => self.shown.push_str("    "),
                '\u{feff}' => {}
                one if is_invisible(one) => self.shown.push('\u{fffd}'),
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

/// The bytes of a text's head that takes at most `room` columns.
fn head(text: &str, room: usize) -> usize {
    let mut used = 0;
    let end = text.char_indices().find(|(_, one)| {
        used += columns(*one);
        used > room
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// The columns that a character takes once it is shown. Marks without a width take one, so that a line of
/// nothing else has an end.
fn columns(one: char) -> usize {
    match one {
        '\t' => 4,
        one => one.width().unwrap_or(1).max(1),
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
