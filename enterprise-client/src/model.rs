//! The types in requests and answers.

mod datapoints;
mod ids;
#[cfg(feature = "codec")]
mod message;
mod periods;
mod places;
mod scalar;
mod time;
mod values;

pub use datapoints::Datapoints;
pub use ids::{AppId, Did, EnterpriseId, Gid, Mac, ProductKey, Uid};
#[cfg(feature = "codec")]
pub(crate) use message::label;
#[cfg(feature = "codec")]
pub use message::{Body, Message};
pub use periods::{Month, ParseError, Period, Week, YearPart};
pub use places::{Count, EventCount, Place, Places, StateCount};
pub use scalar::Extra;
pub(crate) use scalar::{Field, Scalar, model, open_enum, second};
pub use time::Timestamp;
pub use values::{AttrValue, Attrs};
