//! What people and files get.

pub(crate) mod diagnostic;
pub(crate) mod file;
pub(crate) mod picture;
pub(crate) mod progress;
pub(crate) mod table;
