//! The data points of a product, as the server returns them.

use serde_json::Value;

use crate::model::scalar::model;

model! {
    /// The data points of a product, as the server returns them.
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
        /// The display of the data points in an app.
        ui: Value,
    }
}

#[cfg(feature = "codec")]
impl Datapoints {
    /// Converts the data points to a definition for the codec.
    ///
    /// # Errors
    /// All problems of the definition.
    pub fn definition(&self) -> Result<gizwits_codec_std::Product, gizwits_codec_std::CheckError> {
        gizwits_codec_std::Product::from_json(&serde_json::to_string(self).unwrap_or_default())
    }
}
