//! Tests through the public interface. They are one program, because each program links all that the crate depends on.

mod clock;
mod devices;
mod durability;
mod errors;
mod limits;
mod load;
mod model;
mod openapi;
mod page;
mod reports;
mod server;
mod shapes;
mod support;
