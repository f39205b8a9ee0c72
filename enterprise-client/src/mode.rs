//! The two fronts: async, and blocking over it.

use crate::error::Error;

/// How calls are run.
pub trait Front: Clone + Send + Sync + 'static + sealed::Sealed {
    #[doc(hidden)]
    fn start() -> Result<Self, Error>;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// Calls are futures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Async;

impl sealed::Sealed for Async {}

impl Front for Async {
    fn start() -> Result<Self, Error> {
        Ok(Async)
    }
}
