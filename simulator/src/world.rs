//! The world: enterprises, products, devices and users in a database, and what devices do as time passes.

mod act;
mod allow_list;
mod behaviour;
mod clock;
pub(crate) mod day;
mod device;
mod file;
mod local;
mod population;
pub(crate) mod random;
mod remark;
pub(crate) mod row;
mod scenario;
mod status;
mod store;
mod switch;
mod timeline;
mod user;

pub use act::Act;
pub use clock::Time;
pub use remark::{Kind as RemarkKind, Remark};
pub use scenario::{OFFLINE_REASONS, Scenario};
pub use switch::Switch;

pub(crate) use allow_list::allows;
pub(crate) use clock::Clock;
pub(crate) use device::LOG_RETENTION;
pub(crate) use local::{LocalDevice, LocalNews, is_local};
pub(crate) use store::{Definition, Sql, Store, json};
