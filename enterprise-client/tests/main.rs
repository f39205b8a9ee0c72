//! Tests through the public interface. They are one program, because each program links all that the crate depends on.

// Each example has `common` for itself, as it has when it is a program.
#![allow(clippy::duplicate_mod)]

mod calls;
#[cfg(feature = "codec")]
mod codec;
mod common;
mod endpoints;
#[cfg(feature = "codec")]
mod examples;
mod log_reader;
mod pages;
mod rate_limit;
mod retries;
mod sockets;
mod tokens;
