//! Which users devices are bound to.

use serde_json::{Value, json};

use crate::client::Product;
use crate::endpoint::{self, Endpoint, page};
use crate::error::Error;
use crate::exchange::batch::{Outcome, once};
use crate::exchange::call::{Call, Context, Operation, Received};
use crate::exchange::driver::Parts;
use crate::mode::Front;
use crate::model::ids::{AppId, Did, Uid};

/// The bindings of a product's devices.
#[derive(Clone, Debug)]
pub struct Bindings<C>(pub(crate) Product<C>);

/// How several devices are written. The page says `string, did list` and shows none; one device a
/// call fits every reading of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DidList {
    /// One device a call, as text.
    #[default]
    Single,
    /// All in one call, as text with commas.
    Comma,
    /// All in one call, as a list.
    Array,
}

impl<C: Front> Bindings<C> {
    /// Binds devices to a user of an app. One device a call unless told otherwise by
    /// [`did_list`](Call::did_list). That some failed is no error, nor is a call behind the first that
    /// fails: look at [`is_complete`](Outcome::is_complete) and [`stopped`](Outcome::stopped).
    #[doc = page!(BIND)]
    pub fn bind<D: Into<Did>>(
        &self,
        uid: impl Into<Uid>,
        appid: impl Into<AppId>,
        dids: impl IntoIterator<Item = D>,
    ) -> Call<C, Binding> {
        self.call(endpoint::BIND, uid.into(), appid.into(), dids)
    }

    /// Unbinds devices from a user of an app. One device a call unless told otherwise by
    /// [`did_list`](Call::did_list). That some failed is no error, nor is a call behind the first that
    /// fails: look at [`is_complete`](Outcome::is_complete) and [`stopped`](Outcome::stopped).
    #[doc = page!(UNBIND)]
    pub fn unbind<D: Into<Did>>(
        &self,
        uid: impl Into<Uid>,
        appid: impl Into<AppId>,
        dids: impl IntoIterator<Item = D>,
    ) -> Call<C, Binding> {
        self.call(endpoint::UNBIND, uid.into(), appid.into(), dids)
    }

    fn call<D: Into<Did>>(
        &self,
        endpoint: Endpoint,
        uid: Uid,
        appid: AppId,
        dids: impl IntoIterator<Item = D>,
    ) -> Call<C, Binding> {
        let binding = Binding {
            uid,
            appid,
            dids: once(dids.into_iter().map(Into::into)),
            list: DidList::Single,
        };
        self.0.call(endpoint, binding)
    }
}

/// [`Bindings::bind`] and [`Bindings::unbind`]
#[derive(Clone, Debug)]
pub struct Binding {
    uid: Uid,
    appid: AppId,
    dids: Vec<Did>,
    list: DidList,
}

impl<C: Front> Call<C, Binding> {
    /// How several devices are written.
    pub fn did_list(mut self, list: DidList) -> Self {
        self.operation.list = list;
        self
    }
}

impl Operation for Binding {
    type Output = Outcome<Did>;

    fn requests(&self, parts: &Parts, _: &Context<'_>) -> Result<Vec<Parts>, Error> {
        if let Some(did) = self.dids.iter().find(|did| did.as_str().contains(',')) {
            return Err(Error::invalid(format!("`{did}` is no did: it has a comma")));
        }
        // Of a list that is sent at once there is one piece, and none if it is empty.
        let piece = match self.list {
            DidList::Single => 1,
            DidList::Comma | DidList::Array => self.dids.len().max(1),
        };
        let part = |dids: &[Did]| {
            let mut parts = parts.clone();
            let texts: Vec<&str> = dids.iter().map(Did::as_str).collect();
            let list = match self.list {
                DidList::Single | DidList::Comma => Value::from(texts.join(",")),
                DidList::Array => Value::from(texts),
            };
            let body = json!({"uid": self.uid, "appid": self.appid, "dids": list});
            parts.body = Some(body.to_string());
            parts.about = dids.iter().map(Did::to_string).collect();
            parts
        };
        Ok(self.dids.chunks(piece).map(part).collect())
    }

    fn read(&self, received: &Received<'_>) -> Result<Outcome<Did>, Error> {
        Outcome::read(received)
    }

    fn join(&self, before: Outcome<Did>, next: Outcome<Did>) -> Outcome<Did> {
        before.join(next)
    }

    fn stop(
        &self,
        done: Outcome<Did>,
        error: Error,
        rest: &[Parts],
    ) -> Result<Outcome<Did>, Error> {
        Ok(done.stop(error, rest))
    }
}
