//! Calls about a list of devices, which may take several requests.

use std::collections::HashSet;
use std::hash::Hash;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Error;
use crate::exchange::call::{Context, Operation, Received, Requests};
use crate::exchange::request::RequestParts;
use crate::model::Extra;

/// The result of a call about a list of devices, with the devices by what became of them. A device that
/// failed is no error.
#[derive(Debug, Deserialize)]
#[must_use = "some of the devices may have failed"]
#[non_exhaustive]
pub struct Outcome<T> {
    /// The devices that the server reports as done.
    #[serde(default = "Vec::new")]
    pub success: Vec<T>,
    /// The devices that the server reports as failed.
    #[serde(default = "Vec::new")]
    pub failed: Vec<T>,
    /// The devices that were sent and that the server didn't mention.
    #[serde(skip, default = "Vec::new")]
    pub unmentioned: Vec<T>,
    /// The devices of the request that failed and of those after it.
    #[serde(skip, default = "Vec::new")]
    pub left: Vec<T>,
    /// The error that ended the call early.
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

/// The ids of devices.
pub trait DeviceId:
    Clone + Eq + Hash + AsRef<str> + DeserializeOwned + Send + Sync + 'static
{
}

/// A call about a list of devices.
#[derive(Clone, Debug)]
pub struct Batch<T> {
    ids: Vec<T>,
    /// The most ids in one request. Default: 1,000, the limit of the server.
    pub(crate) size: usize,
    /// The name of the list in the body.
    name: &'static str,
    /// The other members of the body.
    pub(crate) members: Extra,
    /// Writes the list.
    pub(crate) list: fn(&[T]) -> Value,
}

impl<T: DeviceId> Batch<T> {
    pub(crate) fn new(
        name: &'static str,
        ids: impl IntoIterator<Item = impl Into<T>>,
        members: Extra,
    ) -> Self {
        // A device that is named twice would come back as failed.
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
        // Servers take commas for separators.
        if let Some(id) = self.ids.iter().find(|id| id.as_ref().contains(',')) {
            return Err(Error::Invalid(format!(
                "`{}` can't be in a list: it has a comma",
                id.as_ref()
            )));
        }
        let requests = self.chunks().map(|ids| {
            let mut body = self.members.clone();
            body.insert(self.name.to_owned(), (self.list)(ids));
            RequestParts {
                body: Some(Value::Object(body).to_string()),
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
            // What was done is worth more than the error.
            Err(error) => {
                before.left = self.chunks().skip(index).flatten().cloned().collect();
                before.stopped = Some(error);
            }
        }
        Ok(before)
    }
}
