//! One device of a product.

use crate::client::Product;
use crate::endpoint::Endpoint;
use crate::exchange::Call;
use crate::mode::Mode;
use crate::model::Did;

/// One device of a product.
#[derive(Clone, Debug)]
pub struct Device<M> {
    product: Product<M>,
    did: Did,
}

impl<M: Mode> Product<M> {
    /// One device of the product.
    pub fn device(&self, did: impl Into<Did>) -> Device<M> {
        Device {
            product: self.clone(),
            did: did.into(),
        }
    }
}

impl<M: Mode> Device<M> {
    /// The id of the device.
    #[must_use]
    pub fn did(&self) -> &Did {
        &self.did
    }

    pub(crate) fn call<O>(&self, endpoint: Endpoint, operation: O) -> Call<M, O> {
        let call = self.product.call(endpoint, operation);
        call.path("did", self.did.clone())
    }
}
