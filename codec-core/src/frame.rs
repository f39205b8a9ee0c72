//! The frames around a message.

pub mod m2m;
pub mod uart;
