//! The bindings of devices to users.

use serde_json::Value;

use crate::client::Product;
use crate::endpoint::{self, Endpoint, page};
use crate::exchange::{Batch, Call, DeviceId};
use crate::mode::Mode;
use crate::model::{AppId, Did, Extra, Uid};

/// The calls that bind devices of a product to users.
#[derive(Clone, Debug)]
pub struct Bindings<M>(Product<M>);

/// The operation of [`Bindings::bind`] and [`Bindings::unbind`].
pub type Binding = Batch<Did>;

impl DeviceId for Did {}

/// The form of several dids in a request. The API documentation describes the parameter as `string, did list`
/// and has no example. Requests with one device are right with every interpretation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DidList {
    /// A request for each device, with the did as text.
    #[default]
    Single,
    /// One request for all devices, with a text of dids and commas.
    Comma,
    /// One request for all devices, with a list of dids.
    Array,
}

impl<M: Mode> Product<M> {
    /// The calls that bind devices of the product to users.
    #[must_use]
    pub fn bindings(&self) -> Bindings<M> {
        Bindings(self.clone())
    }
}

impl<M: Mode> Bindings<M> {
    /// Binds devices to a user of an app, with a request for each device unless
    /// [`did_list`](Call::did_list) is set. The call succeeds even if devices or later requests fail: check
    /// [`is_complete`](crate::Outcome::is_complete) and [`stopped`](crate::Outcome::stopped).
    #[doc = page!(BIND)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let (uid, appid) = ("25a5324c807842348f63ade277eb413a", "a44100000000000000000000000000a1");
    /// let dids = ["cBYkSjoE2xspYMhaUHdk5k"];
    /// let outcome = product.bindings().bind(uid, appid, dids).send().await?;
    /// assert!(outcome.is_complete(), "not bound: {:?}", outcome.failed);
    /// # Ok(())
    /// # }
    /// ```
    pub fn bind<D: Into<Did>>(
        &self,
        uid: impl Into<Uid>,
        appid: impl Into<AppId>,
        dids: impl IntoIterator<Item = D>,
    ) -> Call<M, Binding> {
        self.call(endpoint::BIND, uid.into(), appid.into(), dids)
    }

    /// Unbinds devices from a user of an app, with a request for each device unless
    /// [`did_list`](Call::did_list) is set. The call succeeds even if devices or later requests fail: check
    /// [`is_complete`](crate::Outcome::is_complete) and [`stopped`](crate::Outcome::stopped).
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
    /// Sets the form of several dids. Default: [`DidList::Single`], a request for each device.
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
