//! The problems that a check has found so far.

use std::ops::Range;

use super::Product;
use super::diagnostic::{Check, Diagnostic, Severity};
use super::finding_text::FindingText;
use super::json::Place;
use crate::error::cut;

/// The problems found so far. All are counted, and the first [`Check::MAX_DIAGNOSTICS`] are kept.
#[derive(Default)]
pub(crate) struct Findings {
    /// The length of the byte order mark before the text.
    pub(super) skipped: usize,
    /// The kept diagnostics, ordered by severity and then by location.
    pub(super) kept: Vec<Diagnostic>,
    pub(super) errors: usize,
    pub(super) warnings: usize,
}

impl Findings {
    pub(super) fn error(&mut self, kind: &'static str, at: Place, text: impl Into<FindingText>) {
        self.add(Severity::Error, kind, at.range, || {
            (at.pointer, text.into())
        });
    }

    pub(super) fn warning(&mut self, kind: &'static str, at: Place, text: impl Into<FindingText>) {
        self.add(Severity::Warning, kind, at.range, || {
            (at.pointer, text.into())
        });
    }

    /// Counts a problem. Calls `describe` for its pointer and text only if the diagnostic is kept: a
    /// definition can break a rule millions of times.
    pub(crate) fn add(
        &mut self,
        severity: Severity,
        kind: &'static str,
        range: Range<usize>,
        describe: impl FnOnce() -> (String, FindingText),
    ) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        let span = range.start + self.skipped..range.end + self.skipped;
        // Errors come first, so that warnings never displace them.
        let order = (severity, span.start);
        let before = |one: &Diagnostic| (one.severity, one.span.start) <= order;
        let at = self.kept.partition_point(before);
        if at == Check::MAX_DIAGNOSTICS {
            return;
        }
        let (pointer, text) = describe();
        let diagnostic = Diagnostic {
            severity,
            kind,
            pointer,
            span,
            line: 0,
            column: 0,
            message: cut(text.message),
            label: cut(text.label),
            help: cut(text.help),
        };
        self.kept.truncate(Check::MAX_DIAGNOSTICS - 1);
        self.kept.insert(at, diagnostic);
    }

    /// Ends the check of a text. Computes all lines and columns in one pass, in the order of the text.
    pub(crate) fn finish(mut self, text: &str, product: Option<Product>) -> Check {
        self.kept.sort_by_key(|one| (one.span.start, one.severity));
        let (mut at, mut line, mut column) = (0, 1, 1);
        for one in &mut self.kept {
            let start = one.span.start - self.skipped;
            for char in text.get(at..start).unwrap_or("").chars() {
                match char {
                    '\n' => (line, column) = (line + 1, 1),
                    _ => column += 1,
                }
            }
            at = start;
            (one.line, one.column) = (line, column);
        }
        Check {
            product: product.filter(|_| self.errors == 0),
            diagnostics: self.kept,
            errors: self.errors,
            warnings: self.warnings,
        }
    }
}
