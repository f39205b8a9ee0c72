//! The laws, each over bytes that somebody makes up.

mod definition;
mod encode;
mod lan;
mod lan_device;
mod layout;
mod m2m;
mod message;
mod module;

pub use definition::{definition, scale};
pub use encode::{encode_json, state};
pub use lan::lan_session;
pub use lan_device::lan_device;
pub use layout::layout;
pub use m2m::{m2m, m2m_message};
pub use message::{number_of_points, numbers, standard, var_len};
pub use module::uart_module;
