//! What became of a list of devices: some in, some out, some not even tried.

use std::collections::HashSet;
use std::hash::Hash;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::exchange::call::Received;
use crate::exchange::driver::Parts;
use crate::model::scalar::Extra;

/// What became of the devices of a call. That some failed is no error.
#[derive(Debug)]
#[must_use = "some of the devices may have failed"]
#[non_exhaustive]
pub struct Outcome<T> {
    /// With these it was done.
    pub success: Vec<T>,
    /// With these it wasn't, by the server's word.
    pub failed: Vec<T>,
    /// These were sent, and the server didn't mention them.
    pub unmentioned: Vec<T>,
    /// These were not sent any more, or in the request that failed.
    pub left: Vec<T>,
    /// Why it stopped before the end, if it did.
    pub stopped: Option<Error>,
    /// Members of the answers that this crate doesn't know.
    pub extra: Extra,
}

/// Each once: a server that has done it fails the second.
pub(crate) fn once<T: Clone + Eq + Hash>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut known = HashSet::new();
    let new = |one: &T| known.insert(one.clone());
    all.into_iter().filter(new).collect()
}

/// One answer.
#[derive(Deserialize)]
struct Lists<T> {
    #[serde(default = "Vec::new")]
    success: Vec<T>,
    #[serde(default = "Vec::new")]
    failed: Vec<T>,
    #[serde(flatten)]
    extra: Extra,
}

impl<T> Outcome<T> {
    /// Whether all of them are in `success`.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
            && self.unmentioned.is_empty()
            && self.left.is_empty()
            && self.stopped.is_none()
    }

    pub(crate) fn join(mut self, next: Self) -> Self {
        self.success.extend(next.success);
        self.failed.extend(next.failed);
        self.unmentioned.extend(next.unmentioned);
        self.extra.extend(next.extra);
        self
    }
}

impl<T: From<String> + Eq + Hash + DeserializeOwned> Outcome<T> {
    pub(crate) fn read(received: &Received<'_>) -> Result<Self, Error> {
        let lists: Lists<T> = received.json()?;
        let mentioned: HashSet<&T> = lists.success.iter().chain(&lists.failed).collect();
        let sent = received.parts.about.iter().cloned().map(T::from);
        let unmentioned = sent.filter(|one| !mentioned.contains(one)).collect();
        Ok(Outcome {
            unmentioned,
            success: lists.success,
            failed: lists.failed,
            left: Vec::new(),
            stopped: None,
            extra: lists.extra,
        })
    }

    pub(crate) fn stop(mut self, error: Error, rest: &[Parts]) -> Self {
        self.stopped = Some(error);
        let left = rest.iter().flat_map(|parts| parts.about.iter().cloned());
        self.left = left.map(T::from).collect();
        self
    }
}
