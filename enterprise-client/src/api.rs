//! The calls of the endpoints, with a file for each group of the API documentation.

pub mod bindings;
pub(crate) mod control;
pub(crate) mod custom;
pub mod device;
pub mod devices;
pub mod groups;
pub mod log;
pub(crate) mod product;
pub mod reports;
pub mod users;
