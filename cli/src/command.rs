//! The commands, each in a file or folder of its own.

pub(crate) mod api;
pub(crate) mod check;
pub(crate) mod codegen;
pub(crate) mod completions;
pub(crate) mod decode;
pub(crate) mod definition;
pub(crate) mod demo;
pub(crate) mod device;
pub(crate) mod encode;
pub(crate) mod identify;
pub(crate) mod lan;
pub(crate) mod layout;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod module;
pub(crate) mod simulate;
