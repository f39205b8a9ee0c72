//! The types of requests and answers.

pub(crate) mod datapoints;
pub(crate) mod ids;
#[cfg(feature = "codec")]
pub(crate) mod message;
pub(crate) mod periods;
pub(crate) mod places;
pub(crate) mod scalar;
pub(crate) mod time;
pub(crate) mod values;
