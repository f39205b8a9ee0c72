//! The programs that ours are measured against: code as services write it, and published crates.

pub mod naive;
pub mod popcount;
pub mod serde;
pub mod tidy;

#[cfg(feature = "peers")]
pub mod bitfield;
#[cfg(feature = "peers")]
pub mod bits;
#[cfg(feature = "peers")]
pub mod deku;
#[cfg(feature = "peers")]
pub mod modular;
#[cfg(feature = "peers")]
pub mod packed;
