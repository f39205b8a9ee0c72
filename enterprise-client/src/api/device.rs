//! One device: controls and logs.

use serde::Serialize;

use crate::api::control::Control;
use crate::api::log::{CmdLog, Data, Online};
use crate::client::Product;
use crate::endpoint::{self, Endpoint, page};
use crate::exchange::call::Call;
use crate::mode::Front;
use crate::model::ids::Did;

/// One device of a product.
#[derive(Clone, Debug)]
pub struct Device<C> {
    pub(crate) product: Product<C>,
    pub(crate) did: Did,
}

impl<C: Front> Device<C> {
    /// Its id.
    #[must_use]
    pub fn did(&self) -> &Did {
        &self.did
    }

    /// Sets data points: anything that is a JSON object of names and values. With the codec they are
    /// held against the product's definition first, and completed, before it costs a call.
    ///
    /// The answer means that the command was sent, not that the device took it: a status read at once
    /// may be the old one. The device must be online. A control that may have arrived is never sent
    /// again.
    #[doc = page!(CONTROL)]
    pub fn control(&self, attrs: impl Serialize) -> Call<C, Control> {
        let control = Control::attrs(&attrs);
        self.call(endpoint::CONTROL, control)
    }

    /// Sends bytes to the device as they are: for data points a P0, whose first byte is the action.
    /// Early editions of the page wanted the whole M2M frame; the codec's `wrap` makes one.
    ///
    /// Where the product's definition is known, by an earlier call or `set_definition`, bytes are
    /// refused that are no message of it, or set a point to what it doesn't allow: the server doesn't
    /// look into them. `unchecked` sends them all the same.
    #[doc = page!(CONTROL)]
    pub fn control_raw(&self, bytes: impl Into<Vec<u8>>) -> Call<C, Control> {
        self.call(endpoint::CONTROL, Control::raw(bytes.into()))
    }

    /// When it came and went. Only of products that aren't published, in windows of two days of the
    /// last seven.
    #[doc = page!(ONLINE)]
    pub fn online(&self) -> Call<C, Online> {
        self.call(endpoint::ONLINE, Online::new())
    }

    /// The frames between it and the cloud; with the codec, decoded. Only of products that aren't
    /// published, in windows of two days of the last seven.
    #[doc = page!(CMD)]
    pub fn cmd_log(&self) -> Call<C, CmdLog> {
        self.call(endpoint::CMD, CmdLog::new())
    }

    /// The values of its data points, at each change. Only of products that aren't published, in
    /// windows of two days of the last seven.
    #[doc = page!(DATA)]
    pub fn data(&self) -> Call<C, Data> {
        self.call(endpoint::DATA, Data::new())
    }

    fn call<O>(&self, endpoint: Endpoint, operation: O) -> Call<C, O> {
        self.product
            .call(endpoint, operation)
            .path("did", self.did.clone())
    }
}
