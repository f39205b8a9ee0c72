//! What the benchmarks measure: the decoders of this workspace beside code that is written for one
//! product, and beside code as services write it. See `benches/decode.rs`.

pub mod fixture;
pub mod generated;
pub mod kernels;
pub mod log;
pub mod naive;
pub mod popcount;
