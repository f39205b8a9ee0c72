//! Calls with a list of devices, which may need several requests.

use std::collections::HashSet;
use std::hash::Hash;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Error;
use crate::exchange::call::{Context, Operation, Received, Requests};
use crate::exchange::request::RequestParts;
use crate::model::Extra;

/// The result of a call with a list of devices. The call succeeds even if some of the devices failed.
#[derive(Debug, Deserialize)]
#[must_use = "some of the devices may have failed"]
#[non_exhaustive]
pub struct Outcome<T> {
    /// The devices for which the server reports success.
    #[serde(default = "Vec::new")]
    pub success: Vec<T>,
    /// The devices for which the server reports a failure.
    #[serde(default = "Vec::new")]
    pub failed: Vec<T>,
    /// The devices that were sent and that the answer doesn't mention.
    #[serde(skip, default = "Vec::new")]
    pub unmentioned: Vec<T>,
    /// The devices of the request that failed, and of the requests that were not sent after it.
    #[serde(skip, default = "Vec::new")]
    pub left: Vec<T>,
    /// The error of the request that failed, if the call ended early.
    #[serde(skip)]
    pub stopped: Option<Error>,
    /// Members of the answers that this crate doesn't know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl<T> Outcome<T> {
    /// Whether all devices are in `success`.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
            && self.unmentioned.is_empty()
            && self.left.is_empty()
            && self.stopped.is_none()
    }
}

/// An id of a device in a list: a did or a MAC.
pub trait DeviceId:
    Clone + Eq + Hash + AsRef<str> + DeserializeOwned + Send + Sync + 'static
{
}

/// A call with a list of devices.
#[derive(Clone, Debug)]
pub struct Batch<T> {
    ids: Vec<T>,
    /// The maximum number of ids in one request. Default: 1,000, the limit of the server.
    pub(crate) size: usize,
    /// The name of the list in the body.
    name: &'static str,
    /// The other members of the body.
    pub(crate) members: Extra,
    /// Writes the list as JSON.
    pub(crate) list: fn(&[T]) -> Value,
}

impl<T: DeviceId> Batch<T> {
    pub(crate) fn new(
        name: &'static str,
        ids: impl IntoIterator<Item = impl Into<T>>,
        members: Extra,
    ) -> Self {
        // The server reports a device that is in a list twice as failed.
        let mut known = HashSet::new();
        let ids = ids.into_iter().map(Into::into);
        Batch {
            ids: ids.filter(|id: &T| known.insert(id.clone())).collect(),
            size: 1000,
            name,
            members,
            list: Batch::array,
        }
    }

    /// The ids as a JSON array.
    pub(crate) fn array(ids: &[T]) -> Value {
        ids.iter().map(AsRef::as_ref).collect()
    }

    fn chunks(&self) -> std::slice::Chunks<'_, T> {
        self.ids.chunks(self.size)
    }
}

impl<T: DeviceId> Operation for Batch<T> {
    type Output = Outcome<T>;

    fn requests(&self, parts: &RequestParts, _: &Context<'_>) -> Requests {
        // The server separates ids at commas.
        if let Some(id) = self.ids.iter().find(|id| id.as_ref().contains(',')) {
            return Err(Error::Invalid(format!(
                "`{}` is not valid in a list: it contains a comma",
                id.as_ref()
            )));
        }
        let requests = self.chunks().map(|ids| {
            let mut body = self.members.clone();
            body.insert(self.name.to_owned(), (self.list)(ids));
            RequestParts {
                body: Some(Value::from(body).to_string()),
                ..parts.clone()
            }
        });
        Ok(requests.collect())
    }

    fn read(&self, received: &Received<'_>) -> Result<Outcome<T>, Error> {
        let mut outcome: Outcome<T> = received.json()?;
        let mentioned: HashSet<&T> = outcome.success.iter().chain(&outcome.failed).collect();
        let sent = self.chunks().nth(received.index).unwrap_or_default();
        let unmentioned = sent.iter().filter(|id| !mentioned.contains(id));
        outcome.unmentioned = unmentioned.cloned().collect();
        Ok(outcome)
    }

    fn join(
        &self,
        mut before: Outcome<T>,
        next: Result<Outcome<T>, Error>,
        index: usize,
    ) -> Result<Outcome<T>, Error> {
        match next {
            Ok(next) => {
                before.success.extend(next.success);
                before.failed.extend(next.failed);
                before.unmentioned.extend(next.unmentioned);
                before.extra.extend(next.extra);
            }
            // The caller needs to know the devices that succeeded, so the error is part of the result.
            Err(error) => {
                before.left = self.chunks().skip(index).flatten().cloned().collect();
                before.stopped = Some(error);
            }
        }
        Ok(before)
    }
}
