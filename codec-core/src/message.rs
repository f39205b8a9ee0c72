//! Messages: a P0, which is an action and its body, read and written in place.

mod encoder;
mod p0;
mod view;
mod wanted;

pub use encoder::Encoder;
pub(crate) use encoder::pack;
pub use p0::{Action, P0};
pub use view::{Iter, PointValue, Span, View};
pub use wanted::Wanted;
