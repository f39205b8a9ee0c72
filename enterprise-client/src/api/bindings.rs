//! Which users devices are bound to.

use serde_json::Value;

use crate::client::Product;
use crate::endpoint::{self, Endpoint, page};
use crate::exchange::{Batch, Call, DeviceId};
use crate::mode::Mode;
use crate::model::{AppId, Did, Extra, Uid};

/// The bindings of a product's devices.
#[derive(Clone, Debug)]
pub struct Bindings<M>(Product<M>);

/// [`Bindings::bind`] and [`Bindings::unbind`]
pub type Binding = Batch<Did>;

impl DeviceId for Did {}

/// How several devices are written. The API documentation says `string, did list` and shows none; one
/// device a request fits every reading of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DidList {
    /// One device a request, as text.
    #[default]
    Single,
    /// All in one request, as text with commas.
    Comma,
    /// All in one request, as a list.
    Array,
}

impl<M: Mode> Product<M> {
    /// The users that the product's devices are bound to.
    #[must_use]
    pub fn bindings(&self) -> Bindings<M> {
        Bindings(self.clone())
    }
}

impl<M: Mode> Bindings<M> {
    /// Binds devices to a user of an app, with one request a device unless
    /// [`did_list`](Call::did_list) says otherwise. A device that failed is no error, nor is a request
    /// that fails after the first one: see [`is_complete`](crate::Outcome::is_complete) and
    /// [`stopped`](crate::Outcome::stopped).
    #[doc = page!(BIND)]
    pub fn bind<D: Into<Did>>(
        &self,
        uid: impl Into<Uid>,
        appid: impl Into<AppId>,
        dids: impl IntoIterator<Item = D>,
    ) -> Call<M, Binding> {
        self.call(endpoint::BIND, uid.into(), appid.into(), dids)
    }

    /// Unbinds devices from a user of an app, with one request a device unless
    /// [`did_list`](Call::did_list) says otherwise. A device that failed is no error, nor is a request
    /// that fails after the first one: see [`is_complete`](crate::Outcome::is_complete) and
    /// [`stopped`](crate::Outcome::stopped).
    #[doc = page!(UNBIND)]
    pub fn unbind<D: Into<Did>>(
        &self,
        uid: impl Into<Uid>,
        appid: impl Into<AppId>,
        dids: impl IntoIterator<Item = D>,
    ) -> Call<M, Binding> {
        self.call(endpoint::UNBIND, uid.into(), appid.into(), dids)
    }

    fn call<D: Into<Did>>(
        &self,
        endpoint: Endpoint,
        uid: Uid,
        appid: AppId,
        dids: impl IntoIterator<Item = D>,
    ) -> Call<M, Binding> {
        let members = [("uid", uid.as_str()), ("appid", appid.as_str())];
        let members = members.map(|(name, value)| (name.to_owned(), Value::from(value)));
        let binding = Batch::new("dids", dids, Extra::from_iter(members));
        self.0.call(endpoint, binding).did_list(DidList::Single)
    }
}

impl<M: Mode> Call<M, Binding> {
    /// How several devices are written. Default: one device a request.
    pub fn did_list(mut self, list: DidList) -> Self {
        let binding = &mut self.operation;
        binding.size = match list {
            DidList::Single => 1,
            DidList::Comma | DidList::Array => usize::MAX,
        };
        binding.list = match list {
            DidList::Single | DidList::Comma => |dids| {
                let dids: Vec<&str> = dids.iter().map(Did::as_str).collect();
                dids.join(",").into()
            },
            DidList::Array => Batch::array,
        };
        self
    }
}
