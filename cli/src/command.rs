//! The commands, each in a file or folder of its own.

pub(crate) mod api;
pub(crate) mod check;
pub(crate) mod codegen;
pub(crate) mod decode;
pub(crate) mod demo;
pub(crate) mod device;
pub(crate) mod encode;
pub(crate) mod layout;
pub(crate) mod log;
pub(crate) mod simulate;
