//! A device of a product.

use crate::client::Product;
use crate::endpoint::Endpoint;
use crate::exchange::Call;
use crate::mode::Mode;
use crate::model::Did;

/// A device of a product: its controls and its logs.
#[derive(Clone, Debug)]
pub struct Device<M> {
    product: Product<M>,
    did: Did,
}

impl<M: Mode> Product<M> {
    /// Returns the device with this id. Sends nothing.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let device = product.device("cBYkSjoE2xspYMhaUHdk5k");
    /// let values = device.data().limit(1).send().await?;
    /// assert!(values.objects[0].attrs.contains_key("set_temp"));
    /// # Ok(())
    /// # }
    /// ```
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
