//! What the tests of the whole workspace share: fixtures and vectors, a slow second decoder, a
//! generator of definitions, values and streams, and the laws that hold for all of them.
//!
//! The laws are called with bytes that proptest or a fuzzer makes up; they panic when one is broken.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "world")]
pub mod answers;
pub mod arbitrary;
pub mod capture;
pub mod cloud;
pub mod generated;
pub mod generated_c;
pub mod laws;
pub mod log;
pub mod noise;
pub mod packets;
pub mod program;
pub mod readers;
pub mod reference;
pub mod relay;
#[cfg(feature = "world")]
pub mod scenario;
pub mod targets;
pub mod uart;
pub mod vectors;
