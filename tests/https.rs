//! The client over TLS, against a server with a certificate of a private authority.

use std::sync::atomic::Ordering;

use gizwits_enterprise_client::blocking::Enterprise;
use gizwits_enterprise_client::http::FailureKind;
use gizwits_enterprise_client::{Builder, Error};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

#[path = "tls/server.rs"]
mod tls;

use tls::Https;

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

fn builder(url: &str) -> Builder<gizwits_enterprise_client::blocking::Blocking> {
    Enterprise::builder()
        .id("e")
        .secret("hush-enterprise")
        .base_url(url)
        .no_proxy()
}

/// The result of a call of the server by a host name, with the authority or without.
fn call(server: &Https, host: &str, trusts: bool) -> Result<(), Error> {
    let url = format!("https://{host}:{}", server.address.port());
    let mut builder = builder(&url);
    if trusts {
        builder = builder.root_certificates(std::fs::read(tls::file("authority.pem")).unwrap());
    }
    let product = builder.build()?.product("k", "hush-product");
    product.devices().search().send().map(drop)
}

#[test]
fn a_private_authority_is_trusted_over_both_versions() {
    for (versions, counts) in [
        (&[&TLS12][..], [2, 0]),
        (&[&TLS13], [0, 2]),
        // The newer one is chosen.
        (&BOTH, [0, 2]),
    ] {
        for host in ["localhost", "127.0.0.1"] {
            let server = Https::start("server", versions);
            call(&server, host, true).unwrap();
            // The token and the search.
            let requests = server
                .requests
                .iter()
                .map(|count| count.load(Ordering::SeqCst));
            assert_eq!(requests.collect::<Vec<_>>(), counts, "{host}");
        }
    }
}

/// A certificate that is not accepted is named with its remedy, after one connection and without a request.
#[test]
fn certificates_that_are_refused() {
    for (certificate, trusts, words) in [
        (
            "server",
            false,
            "signed by an authority that this system does not trust",
        ),
        ("elsewhere", true, "check the host in the URL of the server"),
        ("expired", true, "expired"),
        ("early", true, "not valid yet"),
    ] {
        for versions in [&[&TLS12][..], &[&TLS13]] {
            let server = Https::start(certificate, versions);
            let error = call(&server, "localhost", trusts).unwrap_err();
            assert!(!error.may_have_arrived(), "{error}");
            let text = error.to_string();
            assert!(text.contains(words), "{certificate}: {text}");
            assert!(
                text.contains("certificate of the server is not accepted"),
                "{text}"
            );
            assert!(!text.contains("hush"), "{text}");
            let Error::Transport(error) = error else {
                panic!("{text}")
            };
            let failure = error.failure;
            assert_eq!(
                (failure.kind, error.attempts),
                (FailureKind::Certificate, 1),
                "{text}"
            );
            assert_eq!(
                server.connections.load(Ordering::SeqCst),
                1,
                "{certificate}"
            );
            let requests = server
                .requests
                .iter()
                .map(|count| count.load(Ordering::SeqCst));
            assert_eq!(requests.sum::<usize>(), 0, "{certificate}");
        }
    }
}

/// The dates of a certificate are refused with the word for the clock, which is the usual reason on a device without a
/// battery.
#[test]
fn dates_name_the_clock() {
    for certificate in ["expired", "early"] {
        let server = Https::start(certificate, &BOTH);
        let text = call(&server, "localhost", true).unwrap_err().to_string();
        assert!(text.contains("check the clock of this system"), "{text}");
    }
}

#[test]
fn text_that_is_no_certificate() {
    let key = std::fs::read(tls::file("server.key.pem")).unwrap();
    let cut = std::fs::read_to_string(tls::file("authority.pem")).unwrap();
    let damaged = cut.replace("MII", "AAA");
    for (pem, words) in [
        (&b""[..], "the PEM text has no certificate"),
        (b"no PEM", "the PEM text has no certificate"),
        (&key, "the PEM text has no certificate"),
        (&cut.as_bytes()[..100], "not valid PEM"),
        (damaged.as_bytes(), "certificate"),
    ] {
        for url in ["https://localhost", "http://localhost"] {
            let error = builder(url).root_certificates(pem).build().err().unwrap();
            assert!(matches!(error, Error::Invalid(_)));
            let text = error.to_string();
            assert!(
                text.starts_with("the root certificates are not valid: "),
                "{text}"
            );
            assert!(text.contains(words), "{text}");
        }
    }
}

/// A server that speaks no TLS, and one that is spoken to without TLS.
#[test]
fn the_wrong_scheme() {
    let server = Https::start("server", &BOTH);
    let url = format!("http://{}", server.address);
    let product = builder(&url).build().unwrap().product("k", "hush-product");
    let error = product.devices().search().send().unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = plain.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in plain.incoming() {
            let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
            let _ = std::io::Write::write_all(&mut stream.unwrap(), answer);
        }
    });
    let url = format!("https://localhost:{port}");
    let product = builder(&url).build().unwrap().product("k", "hush-product");
    let error = product.devices().search().send().unwrap_err();
    let text = error.to_string();
    assert!(
        !error.may_have_arrived() && text.contains("no connection"),
        "{text}"
    );
}
