//! The result of a check: diagnostics, each with its location in the text.

use std::fmt;
use std::ops::Range;

use gizwits_codec_core::rules::MAX_POINTS;

use super::Product;
use crate::error::counted;

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The definition is unusable.
    Error,
    /// The definition is usable, but probably not as intended.
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

/// One problem of a definition, with its location in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// The severity of the problem.
    pub severity: Severity,
    /// The kind of the problem in snake_case, for programs. Kinds never change.
    pub kind: &'static str,
    /// The JSON pointer of the value, or the pointer that a missing value would have. A pointer of more than
    /// 1,000 bytes is cut to that of the nearest enclosing value that fits.
    pub pointer: String,
    /// The bytes of the text that the problem is about.
    pub span: Range<usize>,
    /// The line number, from 1.
    pub line: usize,
    /// The number of the character in the line, from 1. A leading byte order mark does not count.
    pub column: usize,
    /// The description of the problem, with the names of the points.
    pub message: String,
    /// The present value, for example the location of the point; may be empty.
    pub label: String,
    /// A hint that says what would be valid; may be empty.
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

/// The result of [`check`](crate::check()): all diagnostics, and the product if none is an error.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Check {
    /// The product; `None` if there are errors.
    pub product: Option<Product>,
    /// The first [`MAX_DIAGNOSTICS`](Self::MAX_DIAGNOSTICS) problems, in the order of the text. If there are
    /// more, errors take precedence over warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of errors, including those that `diagnostics` leaves out.
    pub errors: usize,
    /// The number of warnings, including those that `diagnostics` leaves out.
    pub warnings: usize,
}

impl Check {
    /// The maximum length of a definition in bytes: 4 KiB for each of [`MAX_POINTS`] points. Real definitions
    /// have less than 1 KiB for each point.
    pub const MAX_LEN: usize = 4096 * MAX_POINTS;
    /// The maximum length of [`diagnostics`](Self::diagnostics). Further problems are only counted.
    pub const MAX_DIAGNOSTICS: usize = 100;
}

/// The error of [`Product::from_json`] and of [`Names::from_toml`](crate::codegen::Names::from_toml): the problems of a
/// definition, or of names for its code.
///
/// Its message has one line for each of the first ten errors.
///
/// ```
/// use gizwits_codec_std::Product;
///
/// let error = Product::from_json("{\n}").unwrap_err();
/// let kinds: Vec<&str> = error.diagnostics.iter().map(|one| one.kind).collect();
/// assert_eq!(kinds, ["missing", "missing", "packet_version", "product_key"]);
/// assert_eq!((error.errors, error.warnings), (2, 2));
/// assert!(error.to_string().starts_with("1:1: error: entities is missing"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckError {
    /// The diagnostics, including warnings, as in [`Check::diagnostics`].
    pub diagnostics: Vec<Diagnostic>,
    /// The number of errors, including those that `diagnostics` leaves out.
    pub errors: usize,
    /// The number of warnings, including those that `diagnostics` leaves out.
    pub warnings: usize,
}

impl CheckError {
    /// Returns the first ten errors, which the message lists, and the number of further errors.
    pub fn first_errors(&self) -> (impl Iterator<Item = &Diagnostic>, usize) {
        const SHOWN: usize = 10;
        let errors = self.diagnostics.iter();
        let errors = errors.filter(|one| one.severity == Severity::Error);
        (errors.take(SHOWN), self.errors.saturating_sub(SHOWN))
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (errors, more) = self.first_errors();
        let mut lines: Vec<String> = errors.map(Diagnostic::to_string).collect();
        if more > 0 {
            lines.push(format!("and {}", counted(more, "more error")));
        }
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for CheckError {}
