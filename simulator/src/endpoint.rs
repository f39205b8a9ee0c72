//! The handlers of the routes, one file for each group of endpoints.

pub(crate) mod bindings;
pub(crate) mod control;
pub(crate) mod device_reports;
pub(crate) mod devices;
pub(crate) mod groups;
pub(crate) mod history;
pub(crate) mod location;
pub(crate) mod logs;
mod period;
pub(crate) mod products;
pub(crate) mod user_reports;
pub(crate) mod users;
