//! Tests of the codec: laws and vectors, in Rust and in generated C.

mod c_code;
mod laws;
mod layouts;
mod partitions;
mod reference;
mod seeds;
mod structure;
mod surface;
mod tables;
mod uart;
mod vectors;
