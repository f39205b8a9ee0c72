//! The local network: the devices of a simulator on addresses of their own, for clients without a cloud.

mod connection;
mod device;
mod network;

pub use device::LanAddress;
pub use network::LanOptions;

pub(crate) use network::Network;
