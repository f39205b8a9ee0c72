//! Messages: a P0 consists of an action and a body, which is read and written in place.

mod encoder;
mod merge;
mod numbers;
mod p0;
mod view;
mod wanted;

pub use encoder::Encoder;
pub(crate) use encoder::pack;
pub use p0::{Action, P0};
pub use view::{Iter, PointValue, Span, View};
pub use wanted::Wanted;
