//! The data points of a product, as the server describes them.

use serde_json::Value;

use crate::model::scalar::model;

model! {
    /// The data points of a product, as the server describes them.
    Datapoints {
        /// The entities and their data points.
        entities: Vec<Value>,
    } or {
        /// The name of the product.
        name: String,
        /// The key of the product.
        product_key: String,
        /// `standard` or `var_len`.
        protocol_type as "protocolType": String,
        /// The version of the protocol.
        packet_version as "packetVersion": String,
        /// How an app shows the data points.
        ui: Value,
    }
}

#[cfg(feature = "codec")]
impl Datapoints {
    /// The definition that the codec works by.
    ///
    /// # Errors
    /// Every problem of the definition.
    pub fn definition(&self) -> Result<gizwits_codec_std::Product, gizwits_codec_std::Invalid> {
        gizwits_codec_std::Product::from_json(&serde_json::to_string(self).unwrap_or_default())
    }
}
