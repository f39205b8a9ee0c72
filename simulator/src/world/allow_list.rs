//! The addresses that an enterprise may call from.

use std::net::IpAddr;

use ipnet::IpNet;

/// Parses a network such as `10.0.0.0/8`. A single address is a network, too.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().map(IpNet::from).ok();
    text.parse().ok().or_else(address)
}

/// Whether a list of networks, separated by spaces, allows an address. An empty list allows every address.
pub(crate) fn allows(list: &str, address: IpAddr) -> bool {
    let address = address.to_canonical();
    let mut networks = list.split_whitespace().filter_map(network);
    list.is_empty() || networks.any(|network| network.contains(&address))
}
