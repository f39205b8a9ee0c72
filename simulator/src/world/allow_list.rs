//! The addresses that an enterprise may call from.

use std::net::IpAddr;

use ipnet::IpNet;

/// The network that a text such as `10.0.0.0/8` means; an address alone is a network of its own.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().map(IpNet::from).ok();
    text.parse().ok().or_else(address)
}

/// Whether a list of networks, separated by spaces, allows an address. An empty list allows all.
pub(crate) fn allows(list: &str, address: IpAddr) -> bool {
    let address = address.to_canonical();
    let mut networks = list.split_whitespace().filter_map(network);
    list.is_empty() || networks.any(|network| network.contains(&address))
}
