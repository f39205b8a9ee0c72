//! The frames that carry messages: M2M on networks, UART on the serial line.

pub mod m2m;
pub mod uart;
