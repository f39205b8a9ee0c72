//! Output: tables, drawings, diagnostics and progress bars for people, and files.

pub(crate) mod diagnostic;
pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod image;
pub(crate) mod line;
pub(crate) mod picture;
pub(crate) mod plot;
pub(crate) mod progress;
pub(crate) mod table;
