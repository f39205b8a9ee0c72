//! Messages of a product: payloads to JSON and back.

mod decode;
mod decoded;
mod description;
mod encode;
mod explain;
pub(crate) mod json;
#[cfg(feature = "tokio")]
mod m2m_codec;
mod members;
pub mod payload;
pub mod picture;
mod snapshot;
mod state;

pub use decode::{Lax, Status};
#[cfg(feature = "log")]
pub(crate) use decoded::ACTION_WORDS;
pub use decoded::{Broadcast, Content, Decoded};
pub use description::Description;
pub use encode::{Message, wrap_m2m, wrap_uart};
#[cfg(feature = "tokio")]
pub use m2m_codec::{M2mCodec, M2mFrame};
pub use state::State;
