//! Tests of the client and the simulator together, and of the examples.

// Each example has `common` for itself, as it has when it is a program.
#![allow(clippy::duplicate_mod)]

mod examples;
#[cfg(target_os = "linux")]
mod faults;
mod https;
mod world;
