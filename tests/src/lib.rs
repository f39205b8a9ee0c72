//! What the tests of the whole workspace share: fixtures and vectors, a slow second decoder, a
//! generator of definitions, values and streams, and the laws that hold for all of them.
//!
//! The laws are called with bytes that proptest or a fuzzer makes up; they panic when one is broken.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod arbitrary;
pub mod cloud;
pub mod generated;
pub mod generated_c;
pub mod laws;
pub mod log;
pub mod module;
pub mod program;
pub mod reference;
pub mod uart;
pub mod vectors;
