//! The devices of a product, by MAC or by search.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use crate::client::Product;
use crate::endpoint::{self, page};
use crate::exchange::{ByPlace, ByState, Call, Grouped, Page, Paged, operations};
use crate::mode::Mode;
use crate::model::{Did, Extra, Field as _, Mac, ProductKey, Timestamp, Uid, model};

/// The calls that find devices of a product.
#[derive(Clone, Debug)]
pub struct Devices<M>(Product<M>);

impl<M: Mode> Product<M> {
    /// The calls that find devices of the product.
    #[must_use]
    pub fn devices(&self) -> Devices<M> {
        Devices(self.clone())
    }
}

impl<M: Mode> Devices<M> {
    /// Returns the id and the passcode of the device with this MAC.
    #[doc = page!(DEVICE_BY_MAC)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let device = product.devices().by_mac("virtual:site").send().await?;
    /// assert_eq!(device.did, "cBYkSjoE2xspYMhaUHdk5k");
    /// # Ok(())
    /// # }
    /// ```
    pub fn by_mac(&self, mac: impl Into<Mac>) -> Call<M, ByMac> {
        self.0
            .call(endpoint::DEVICE_BY_MAC, ByMac)
            .parameter("mac", mac.into())
    }

    /// Returns the registration of the device with this MAC.
    #[doc = page!(DEVICE_DETAIL)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let device = product.devices().detail("virtual:site").send().await?;
    /// assert_eq!(device.is_online, Some(true));
    /// # Ok(())
    /// # }
    /// ```
    pub fn detail(&self, mac: impl Into<Mac>) -> Call<M, Detail> {
        self.0
            .call(endpoint::DEVICE_DETAIL, Detail)
            .parameter("mac", mac.into())
    }

    /// Returns the devices of the product, in pages of 20. Parameters select devices by place, state and group.
    #[doc = page!(DEVICES)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let page = product.devices().search().city("Guangzhou").is_online(true).limit(10).send().await?;
    /// assert_eq!(page.total(), Some(1));
    /// assert_eq!(page.objects[0].mac, "virtual:site");
    /// # Ok(())
    /// # }
    /// ```
    pub fn search(&self) -> Call<M, Search> {
        self.0.call(endpoint::DEVICES, Search)
    }
}

operations! {
    /// The operation of [`Devices::by_mac`].
    ByMac => Identity;
    /// The operation of [`Devices::detail`].
    Detail => Registration;
    /// The operation of [`Devices::search`].
    Search => Page<FoundDevice> [Grouped, ByState, ByPlace];
}

impl Paged for Search {
    type Item = FoundDevice;
}

impl<M: Mode> Call<M, Search> {
    /// Sets whether the answer contains disabled devices. Default: false.
    pub fn show_disabled(self, show: bool) -> Self {
        self.parameter("show_disabled", u8::from(show).to_string())
    }

    /// Returns only devices that were active at this time or later, in whole seconds. Default: all devices.
    pub fn active_since(self, moment: impl Into<Timestamp>) -> Self {
        self.parameter("liveness_start", moment.into().seconds().to_string())
    }

    /// Returns only the device with this id. Replaces [`mac`](Self::mac) and [`uid`](Self::uid).
    pub fn did(self, did: impl Into<Did>) -> Self {
        self.parameter("type", "did").parameter("val", did.into())
    }

    /// Returns only the device with this MAC. Replaces [`did`](Self::did) and [`uid`](Self::uid).
    pub fn mac(self, mac: impl Into<Mac>) -> Self {
        self.parameter("type", "mac").parameter("val", mac.into())
    }

    /// Returns only devices that are bound to this user. Replaces [`did`](Self::did) and [`mac`](Self::mac).
    pub fn uid(self, uid: impl Into<Uid>) -> Self {
        self.parameter("type", "uid").parameter("val", uid.into())
    }
}

/// The id and the passcode of a device. `Debug` doesn't show the passcode.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// The id of the device.
    pub did: Did,
    /// The secret for connections to the device on the local network and over MQTT.
    #[serde(default, deserialize_with = "passcode")]
    pub passcode: Option<SecretString>,
    /// Members of the answer that this crate doesn't know.
    #[serde(flatten)]
    pub extra: Extra,
}

fn passcode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    let text = String::read_option(deserializer)?;
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
    /// The registration of a device.
    Registration {
        /// The id of the device.
        did: Did,
        /// The MAC of the device.
        mac: Mac,
    } or {
        /// The key of the product.
        product_key: ProductKey,
        /// The type of the device, usually `normal`.
        kind as "type": String,
        /// Whether the device is online.
        is_online: bool,
        /// Whether the device is disabled.
        is_disabled: bool,
    }

    /// A device in the result of a search.
    FoundDevice {
        /// The id of the device.
        did: Did,
        /// The MAC of the device.
        mac: Mac,
    } or {
        /// The country, by the IP address of the device.
        country: String,
        /// The region.
        region: String,
        /// The city.
        city: String,
        /// The longitude in degrees.
        longitude: f64,
        /// The latitude in degrees.
        latitude: f64,
        /// Whether the device is online.
        is_online: bool,
        /// Whether the device has a fault.
        is_faulty: bool,
        /// Whether the device has an alert.
        is_alert: bool,
        /// The time at which the device last came online.
        online_latest or "latest_online": Timestamp,
        /// The time of the registration.
        created_at: Timestamp,
        /// The hardware version of the MCU.
        mcu_hard_version: String,
        /// The software version of the MCU.
        mcu_soft_version: String,
        /// The hardware version of the Wi-Fi module.
        wifi_hard_version: String,
        /// The software version of the Wi-Fi module.
        wifi_soft_version: String,
    }
}
