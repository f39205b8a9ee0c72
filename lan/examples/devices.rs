//! Finds the devices of the local network, or asks those with the given addresses, and prints the status of each.
//!
//! ```console
//! $ cargo run -p gizwits-lan --example devices -- 192.168.1.255
//! 192.168.1.7  fTZ6jUmwmuTUkEdbXWePQ3  product 9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50
//!   status 0401000010280000
//! ```
//!
//! The status is a P0. `gizwits decode -d DEFINITION` shows what it means.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};

use gizwits_lan::{
    ClientOptions, Connection, ConnectionError, DEVICE_PORT, DISCOVERY_PORT, Search, SearchOptions,
};

async fn status(address: IpAddr) -> Result<String, ConnectionError> {
    let device = (address, DEVICE_PORT);
    let mut device = Connection::open(device, ClientOptions::default()).await?;
    // The read of a standard product. That of a var_len product is 12 and a mask of its points.
    let status = device.read(&[0x02]).await?;
    Ok(status.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut options = SearchOptions::default();
    for address in std::env::args().skip(1) {
        let target = SocketAddr::new(address.parse()?, DISCOVERY_PORT);
        options.targets.push(target);
    }
    let mut search = Search::start(&options).await?;
    while let Some(found) = search.next().await {
        let device = &found.announcement;
        // Texts of a device can contain anything, so that they are escaped.
        let (did, key) = (device.did.escape_debug(), device.product_key.escape_debug());
        println!("{}  {did}  product {key}", found.address);
        match status(found.address).await {
            Ok(status) => println!("  status {status}"),
            Err(error) => println!("  {error}"),
        }
    }
    Ok(())
}
