//! The result of a check: diagnostics, each with its place in the text.

use std::fmt;
use std::ops::Range;

use gizwits_codec_core::rules::MAX_POINTS;

use super::Product;
use crate::error::counted;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The definition can't be used.
    Error,
    /// The definition can be used, though something about it is odd.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// One finding about a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The kind in snake_case.
    pub kind: &'static str,
    /// The JSON pointer of the value it is about; of one that is missing, where it belongs. In place of
    /// a pointer of over 1,000 bytes stands that of the nearest value around it with a shorter one.
    pub pointer: String,
    /// The bytes of the text that it is about.
    pub span: Range<usize>,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1; a byte order mark at the head of the text is none.
    pub column: usize,
    /// The problem, with the points' names.
    pub message: String,
    /// The present value in a few words; may be empty.
    pub label: String,
    /// The expected value; may be empty.
    pub help: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column, severity) = (self.line, self.column, self.severity);
        write!(f, "{line}:{column}: {severity}: {}", self.message)?;
        match &*self.label {
            "" => Ok(()),
            label => write!(f, " ({label})"),
        }
    }
}

/// The result of [`check`](crate::check()), and the product if there is no error among it.
#[derive(Clone, Debug)]
pub struct Check {
    /// The product.
    pub product: Option<Product>,
    /// The findings in the order of the text: the first [`MAX_DIAGNOSTICS`](Self::MAX_DIAGNOSTICS), errors
    /// before warnings if there are more.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of errors, those that are not among the diagnostics included.
    pub errors: usize,
    /// The number of warnings, those that are not among the diagnostics included.
    pub warnings: usize,
}

impl Check {
    /// The most bytes that a definition may have: 4 KiB for each of its points. Those of real products
    /// have less than 1 KiB a point.
    pub const MAX_LEN: usize = 4096 * MAX_POINTS;
    /// The most findings that are kept; all are counted.
    pub const MAX_DIAGNOSTICS: usize = 100;
}

/// Why a definition can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The findings, warnings among them, as [`Check::diagnostics`] has them.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of errors, those that are not among the diagnostics included.
    pub errors: usize,
    /// The number of warnings, those that are not among the diagnostics included.
    pub warnings: usize,
}

impl Invalid {
    /// The first ten errors, which are those that the error's text names, and how many more there are.
    pub fn first_errors(&self) -> (impl Iterator<Item = &Diagnostic>, usize) {
        const SHOWN: usize = 10;
        let errors = self.diagnostics.iter();
        let errors = errors.filter(|one| one.severity == Severity::Error);
        (errors.take(SHOWN), self.errors.saturating_sub(SHOWN))
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (errors, more) = self.first_errors();
        let mut lines: Vec<String> = errors.map(Diagnostic::to_string).collect();
        if more > 0 {
            lines.push(format!("and {}", counted(more, "more error")));
        }
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Invalid {}
