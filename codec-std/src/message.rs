//! Messages of a product: payloads to JSON and back.

pub(crate) mod decode;
pub(crate) mod decoded;
pub(crate) mod encode;
mod explain;
pub(crate) mod json;
#[cfg(feature = "tokio")]
pub(crate) mod m2m_codec;
pub mod payload;
pub(crate) mod picture;
pub(crate) mod state;
