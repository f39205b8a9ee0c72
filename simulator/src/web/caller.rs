//! The origin of a request, judged by its address and headers: the administration and the device page serve this
//! machine only.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::HeaderMap;

/// The address at the other end of a connection.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Headers that proxies add to requests of others.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// A request from this machine to a loopback address of this machine, with the headers that name the page it comes
/// from.
pub(crate) struct Caller<'r> {
    host: &'r str,
    origin: Option<&'r str>,
    referer: Option<&'r str>,
    site: Option<&'r str>,
}

impl<'r> Caller<'r> {
    /// Returns the caller. None if the request comes from another machine or through a proxy, or if its `Host` is not a
    /// loopback name: an attacker's DNS name may point to 127.0.0.1.
    pub(crate) fn of(request: &'r Request) -> Option<Self> {
        Self::new(request.headers(), request.extensions().get())
    }

    fn new(headers: &'r HeaderMap, peer: Option<&Peer>) -> Option<Self> {
        // Browsers send each of these headers once, as ASCII. Anything else is refused.
        let only = |name: &str| {
            let mut values = headers.get_all(name).iter();
            match (values.next(), values.next()) {
                (None, _) => Some(None),
                (Some(value), None) => value.to_str().ok().map(Some),
                _ => None,
            }
        };
        let caller = Caller {
            host: only("host")??,
            origin: only("origin")?,
            referer: only("referer")?,
            site: only("sec-fetch-site")?,
        };
        let local = peer.is_some_and(|Peer(address)| address.to_canonical().is_loopback())
            && is_loopback(caller.host)
            && !FORWARDED.iter().any(|name| headers.contains_key(*name));
        local.then_some(caller)
    }

    fn is_ours(&self, url: &str) -> bool {
        let rest = url.strip_prefix("http://");
        rest.is_some_and(|rest| rest.split_once('/').map_or(rest, |(host, _)| host) == self.host)
    }

    /// Whether a page of this server sent the request: `Referer` and `Host` name the same server.
    pub(crate) fn is_own_page(&self) -> bool {
        self.referer.is_some_and(|referer| self.is_ours(referer))
            && self.origin.is_none_or(|origin| self.is_ours(origin))
            && matches!(self.site, None | Some("same-origin"))
    }

    /// Whether no page sent the request: it comes from a program or from the address bar.
    pub(crate) fn is_no_page(&self) -> bool {
        self.origin.is_none() && self.referer.is_none() && matches!(self.site, None | Some("none"))
    }
}

/// Whether a host, with or without a port, is `localhost` or a loopback address.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let address = match name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
    {
        Some(name) => name.parse().map(IpAddr::V6),
        None => name.parse().map(IpAddr::V4),
    };
    name == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn who_is_of_this_machine() {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("127.0.0.1:8080"));
        for (address, local) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("192.168.1.2", false),
            ("::ffff:192.168.1.2", false),
            ("fe80::1", false),
        ] {
            let peer = Peer(address.parse().expect(address));
            assert_eq!(
                Caller::new(&headers, Some(&peer)).is_some(),
                local,
                "{address}"
            );
        }
        assert!(Caller::new(&headers, None).is_none());
    }
}
