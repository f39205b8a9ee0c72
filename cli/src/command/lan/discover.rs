//! `gizwits lan discover`: the devices that answer.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use gizwits_lan::{ANNOUNCEMENT_PORT, DISCOVERY_PORT, Found, Search, SearchOptions};
use serde_json::json;

use crate::failure::{Failure, refused};
use crate::moment::time_span;
use crate::output::line::Output;

/// Find the devices of the local network
///
/// All networks of this host are asked by a broadcast. The output is one line per device, as soon as it answers.
#[derive(Args)]
pub(super) struct Discover {
    /// The addresses to ask in place of the broadcast, with a port if it is not 12414
    #[arg(value_parser = target)]
    addresses: Vec<SocketAddr>,
    /// The time to wait for answers, such as 10s
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = wait)]
    wait: Duration,
    /// Also receive the announcements of devices that start meanwhile, on UDP port 2415
    #[arg(long)]
    announcements: bool,
}

fn wait(text: &str) -> Result<Duration, String> {
    match time_span(text)? {
        Duration::ZERO => Err("expected more than 0s".to_owned()),
        wait => Ok(wait),
    }
}

fn target(text: &str) -> Result<SocketAddr, String> {
    let with_port = |address: IpAddr| SocketAddr::new(address, DISCOVERY_PORT);
    let address = text.parse().or_else(|_| text.parse().map(with_port));
    address.map_err(|_| "expected an IP address, such as 192.168.1.7".to_owned())
}

impl Discover {
    pub(super) async fn run(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        let mut options = SearchOptions::default();
        options.targets.clone_from(&self.addresses);
        options.duration = self.wait;
        options.announcements = self
            .announcements
            .then(|| (Ipv4Addr::UNSPECIFIED, ANNOUNCEMENT_PORT).into());
        let mut search = Search::start(&options)
            .await
            .map_err(|error| refused(format_args!("no network can be searched: {error}")))?;
        while let Some(found) = search.next().await {
            print(&found, output)?;
        }
        match search.discovery().devices().next() {
            Some(_) => Ok(()),
            None if !self.addresses.is_empty() => {
                let silent: Vec<String> = self
                    .addresses
                    .iter()
                    .map(|address| {
                        let (host, port) = (address.ip(), address.port());
                        format!("{host} does not answer on UDP port {port}")
                    })
                    .collect();
                Err(refused(silent.join("; ")))
            }
            None => Err(refused(
                "no device answers. It must be in a network of this host, and a firewall or the isolation of Wi-Fi clients \
                 may drop broadcasts: try the address of the device",
            )),
        }
    }
}

fn print(found: &Found, output: &mut Output<'_>) -> Result<(), Failure> {
    let device = &found.announcement;
    let mac: String = device
        .mac
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let json = || {
        json!({
            "address": found.address.to_string(),
            "did": device.did,
            "mac": mac,
            "product_key": device.product_key,
            "firmware": device.firmware,
            "api_server": device.api_server,
            "version": device.version,
        })
    };
    let text = || {
        let firmware = match &*device.firmware {
            "" => String::new(),
            version => format!("  firmware {version}"),
        };
        format!(
            "{}  {}  product {}  MAC address {mac}{firmware}",
            found.address, device.did, device.product_key
        )
    };
    output.line(json, text)?;
    Ok(output.out.flush()?)
}
