//! The vectors, and the tests of layouts and of the serial line, which `gizwits-tests` has too.

#[path = "../layouts.rs"]
mod layouts;
#[path = "../uart.rs"]
mod uart;
#[path = "../vectors.rs"]
mod vectors;
