//! The devices of a product: found by MAC or by search.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use crate::client::Product;
use crate::endpoint::{self, page};
use crate::exchange::{ByPlace, ByState, Call, Grouped, Page, Paged, flag, operations};
use crate::mode::Mode;
use crate::model::{Did, Extra, Mac, ProductKey, Timestamp, Uid, lenient, model};

/// The devices of a product.
#[derive(Clone, Debug)]
pub struct Devices<M>(Product<M>);

impl<M: Mode> Product<M> {
    /// The devices of the product.
    #[must_use]
    pub fn devices(&self) -> Devices<M> {
        Devices(self.clone())
    }
}

impl<M: Mode> Devices<M> {
    /// The id of the device with this MAC, and its passcode.
    #[doc = page!(DEVICE_BY_MAC)]
    pub fn by_mac(&self, mac: impl Into<Mac>) -> Call<M, ByMac> {
        self.0
            .call(endpoint::DEVICE_BY_MAC, ByMac)
            .query("mac", mac.into())
    }

    /// How the device with this MAC is registered.
    #[doc = page!(DEVICE_DETAIL)]
    pub fn detail(&self, mac: impl Into<Mac>) -> Call<M, Detail> {
        self.0
            .call(endpoint::DEVICE_DETAIL, Detail)
            .query("mac", mac.into())
    }

    /// Devices by place and state. Pages of 20 unless told otherwise.
    #[doc = page!(DEVICES)]
    pub fn search(&self) -> Call<M, Search> {
        self.0.call(endpoint::DEVICES, Search)
    }
}

operations! {
    /// [`Devices::by_mac`]
    ByMac => Identity;
    /// [`Devices::detail`]
    Detail => Registration;
    /// [`Devices::search`]
    Search => Page<FoundDevice> [Grouped, ByState, ByPlace];
}

impl Paged for Search {
    type Item = FoundDevice;
}

impl<M: Mode> Call<M, Search> {
    /// Disabled ones too.
    pub fn show_disabled(self, show: bool) -> Self {
        self.query("show_disabled", flag(show))
    }

    /// Only those that were active at this moment or later.
    pub fn active_since(self, moment: impl Into<Timestamp>) -> Self {
        self.query("liveness_start", moment.into().seconds().to_string())
    }

    /// Only the one with this id.
    pub fn did(self, did: impl Into<Did>) -> Self {
        self.query("type", "did").query("val", did.into())
    }

    /// Only the one with this MAC.
    pub fn mac(self, mac: impl Into<Mac>) -> Self {
        self.query("type", "mac").query("val", mac.into())
    }

    /// Only those that are bound to this user.
    pub fn uid(self, uid: impl Into<Uid>) -> Self {
        self.query("type", "uid").query("val", uid.into())
    }
}

/// The id of a device, and its passcode, which `Debug` doesn't show.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// The device's id.
    pub did: Did,
    /// What authenticates the device on LAN and MQTT: a secret.
    #[serde(default, deserialize_with = "passcode")]
    pub passcode: Option<SecretString>,
    /// Members that this crate doesn't know.
    #[serde(flatten)]
    pub extra: Extra,
}

fn passcode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    let text: Option<String> = lenient(deserializer)?;
    Ok(text.map(SecretString::from))
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("did", &self.did)
            .field("passcode", &self.passcode)
            .finish_non_exhaustive()
    }
}

model! {
    /// How a device is registered.
    Registration {
        /// Its id.
        did: Did,
        /// Its MAC.
        mac: Mac,
    } or {
        /// Its product.
        product_key: ProductKey,
        /// Its type; `normal` is the one seen.
        kind as "type": String,
        /// Whether it is online.
        is_online: bool,
        /// Whether it is disabled.
        is_disabled: bool,
    }

    /// A device that a search found.
    FoundDevice {
        /// Its id.
        did: Did,
        /// Its MAC.
        mac: Mac,
    } or {
        /// Its country, by its address on the internet.
        country: String,
        /// Its region.
        region: String,
        /// Its city.
        city: String,
        /// Its longitude in degrees.
        longitude: f64,
        /// Its latitude in degrees.
        latitude: f64,
        /// Whether it is online.
        is_online: bool,
        /// Whether it has a fault.
        is_faulty: bool,
        /// Whether it has an alert.
        is_alert: bool,
        /// When it came online the last time.
        online_latest or "latest_online": Timestamp,
        /// When it was registered.
        created_at: Timestamp,
        /// The version of its MCU's hardware.
        mcu_hard_version: String,
        /// The version of its MCU's software.
        mcu_soft_version: String,
        /// The version of its module's hardware.
        wifi_hard_version: String,
        /// The version of its module's software.
        wifi_soft_version: String,
    }
}
