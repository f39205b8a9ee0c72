//! The routes of the API, and the steps from a request to its answer.

mod checks;
mod description;
mod dispatch;
mod openapi;
mod table;

pub use openapi::openapi;
pub use table::{Auth, ROUTES, Route};

pub(crate) use dispatch::answer;
