//! Diagnostics of definitions for people, each with an excerpt of the definition.

use std::ops::Range;

use gizwits_codec_std::{Diagnostic, Severity};
use miette::{
    LabeledSpan, MietteDiagnostic, MietteError, MietteHandlerOpts, MietteSpanContents,
    ReportHandler, SourceCode, SourceSpan, SpanContents,
};
use unicode_width::UnicodeWidthChar as _;

use crate::text::{is_invisible, printable};

/// The most lines of a definition that the span of one finding shows.
const LINES: usize = 12;

/// Formats a diagnostic with the lines of the definition that it refers to. `name` is the file name, `text` the
/// definition.
pub(crate) fn report(name: &str, text: &str, one: &Diagnostic, colours: bool) -> String {
    let terminal = terminal_size::terminal_size();
    let width = terminal.map_or(100, |(width, _)| usize::from(width.0).clamp(40, 120));
    let excerpt = Excerpt::new(name, text, one, width);
    let label = Some(printable(&one.label).into_owned()).filter(|label| !label.is_empty());
    let span = LabeledSpan::new(label, excerpt.span.start, excerpt.span.len());
    let mut diagnostic = MietteDiagnostic::new(printable(&one.message))
        .with_severity(match one.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
        .with_label(span);
    if !one.help.is_empty() {
        diagnostic = diagnostic.with_help(printable(&one.help));
    }
    let handler = MietteHandlerOpts::new()
        .color(colours)
        .terminal_links(false)
        .context_lines(1)
        .width(width)
        .build();
    let report = miette::Report::new(diagnostic).with_source_code(excerpt);
    let report = std::fmt::from_fn(|f| handler.debug(report.as_ref(), f)).to_string();
    // miette pads lines with spaces, which nobody wants in copied text.
    report
        .lines()
        .fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

/// The lines around a finding, ready to be shown.
///
/// The Enterprise API returns definitions as one line of many thousand characters, so long lines are cut to
/// the text near the finding.
#[derive(Debug)]
struct Excerpt {
    name: String,
    shown: String,
    /// The span of the finding in `shown`.
    span: Range<usize>,
    /// The line and the column of the finding in the definition, counted from 0.
    line: usize,
    column: usize,
}

impl Excerpt {
    fn new(name: &str, text: &str, one: &Diagnostic, width: usize) -> Self {
        let mut excerpt = Excerpt {
            name: name.to_owned(),
            shown: String::new(),
            span: 0..0,
            line: one.line.saturating_sub(1),
            column: one.column.saturating_sub(1),
        };
        // miette writes the line number, a border and the arrow of a span of several lines before the text.
        let room = width.saturating_sub(one.line.ilog10() as usize + 12);
        let mut span = one.span.clone();
        let (before, from) = text.split_at(span.start);
        let mut lines = from[..span.len()].matches('\n').count() + 1;
        if lines > LINES {
            lines = 1;
            span.end = span.start + from.find('\n').unwrap_or(from.len());
        }
        // One more line before and after the finding.
        let line_of = |text: &str| text.rfind('\n').map_or(0, |end| end + 1);
        let mut start = line_of(before);
        if start > 0 {
            start = line_of(&before[..start - 1]);
            lines += 1;
        }
        for line in text[start..].split_inclusive('\n').take(lines + 1) {
            excerpt.push(line, start, &span, room);
            start += line.len();
        }
        excerpt
    }

    /// Adds a line that starts at byte `start` of the definition. A line of more than `room` columns is cut to
    /// the text near the finding.
    fn push(&mut self, line: &str, start: usize, span: &Range<usize>, room: usize) {
        let body = line.trim_end_matches(['\n', '\r']);
        let mut shown = 0..body.len();
        if fitting(body.chars(), room) < body.len() {
            // The ellipses and their spaces take two columns at either end.
            let room = room.saturating_sub(4);
            if let Some(about) = span.start.checked_sub(start)
                && let Some(before) = body.get(..about)
                && about < body.len()
            {
                shown.start = about - fitting(before.chars().rev(), room / 3);
            }
            shown.end = shown.start + fitting(body[shown.start..].chars(), room);
        }
        if shown.start > 0 {
            self.shown += "… ";
        }
        let base = self.shown.len();
        let offset = |at: usize| {
            let at = at.checked_sub(start).filter(|at| *at >= shown.start)?;
            let before = body.get(shown.start..at.min(shown.end))?;
            Some(base + clean(before).len())
        };
        self.span.start = offset(span.start).unwrap_or(self.span.start);
        self.span.end = offset(span.end).unwrap_or(self.span.end);
        self.shown += &clean(&body[shown.clone()]);
        if shown.end < body.len() {
            self.shown += " …";
        }
        self.shown.push('\n');
    }
}

/// Replaces tabs by four spaces, because their width depends on the terminal, and control characters, which a
/// terminal would obey. Removes byte order marks.
fn clean(text: &str) -> String {
    let text = text.replace('\t', "    ").replace('\u{feff}', "");
    text.replace(is_invisible, "\u{fffd}")
}

/// The length in bytes of the first characters that take at most `room` columns when they are shown. A
/// character without a width counts as one column, so that a line of such characters is cut as well.
fn fitting(characters: impl Iterator<Item = char>, room: usize) -> usize {
    let mut used = 0;
    let fitting = characters.take_while(|one| {
        used += match one {
            '\t' => 4,
            one => one.width().unwrap_or(1).max(1),
        };
        used <= room
    });
    fitting.map(char::len_utf8).sum()
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // miette asks without context lines for the position in the heading, which refers to the definition,
        // and otherwise for the excerpt.
        let (span, line, column) = match before {
            0 => (*span, self.line, self.column),
            _ => ((0, self.shown.len()).into(), self.line.saturating_sub(1), 0),
        };
        let data = self.shown.as_bytes().get(span.offset()..);
        let data = data.and_then(|data| data.get(..span.len()));
        let data = data.ok_or(MietteError::OutOfBounds)?;
        let name = self.name.clone();
        let contents = MietteSpanContents::new_named(name, data, span, line, column, 0);
        Ok(Box::new(contents))
    }
}
