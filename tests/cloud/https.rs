//! HTTPS and proxies as the environment sets them: `SSL_CERT_FILE`, `HTTPS_PROXY`, `NO_PROXY`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use gizwits_tests::cloud::Scripted;
use rustls::version::TLS13;

use super::GIZWITS;
use super::tls::{self, Https};

/// A server whose certificate is signed by an unknown authority: the error says so after one attempt, and names the
/// remedy, which works.
#[cfg(target_os = "linux")]
#[test]
fn certificates() {
    let server = Https::start("server", &[&TLS13]);
    let cloud = Scripted::start(GIZWITS, |_, _| None);
    let list = |host: &str, changed: &[(&str, &str)]| {
        let url = format!("https://{host}:{}", server.address.port());
        let changed = [&[("GIZWITS_BASE_URL", url.as_str())], changed].concat();
        let ran = cloud.run_with("device list", &changed);
        let connections = server.connections.swap(0, Ordering::SeqCst);
        (ran.code, ran.stderr, connections)
    };
    let (code, stderr, count) = list("127.0.0.1", &[]);
    assert_eq!((code, count), (1, 1), "{stderr}");
    for words in [
        "certificate of the server is not accepted",
        "authority",
        "SSL_CERT_FILE",
    ] {
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
    assert!(!stderr.contains("attempts"), "{stderr}");
    let authority = tls::file("authority.pem");
    let trusted = [("SSL_CERT_FILE", authority.to_str().unwrap())];
    for host in ["127.0.0.1", "localhost"] {
        let (code, stderr, count) = list(host, &trusted);
        assert_eq!((code, stderr.as_str()), (0, ""), "{host}");
        assert!(count > 0);
    }
}

/// A proxy of the environment is not asked for a server on this machine.
#[test]
fn loopback_without_a_proxy() {
    let cloud = Scripted::start(GIZWITS, |_, _| None);
    let proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let nowhere = proxies.map(|name| (name, "http://127.0.0.1:9"));
    let ran = cloud.run_with("device list", &nowhere);
    assert_eq!(
        (ran.code, ran.stdout.lines().count()),
        (0, 1),
        "{}",
        ran.stderr
    );
    // Another machine is reached by it.
    let mut changed = nowhere.to_vec();
    changed.push(("GIZWITS_BASE_URL", "http://192.0.2.1:1"));
    changed.push(("NO_PROXY", ""));
    changed.push(("no_proxy", ""));
    let ran = cloud.run_with("device list", &changed);
    assert!(
        ran.code == 1 && ran.stderr.contains("no connection"),
        "{}",
        ran.stderr
    );
}

/// The answer of a proxy to a request to connect.
#[derive(Clone, Copy)]
enum Proxy {
    /// Connects to this server, whatever host is asked for.
    Connect(SocketAddr),
    /// Refuses with this status line.
    Refuse(&'static str),
}

/// A proxy, its port, and the heads of the requests that it received.
fn proxy(way: Proxy) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (client, seen) = (stream.unwrap(), Arc::clone(&seen));
            std::thread::spawn(move || pass(client, way, &seen));
        }
    });
    (port, heads)
}

fn pass(mut client: TcpStream, way: Proxy, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if matches!(reader.read_line(&mut head), Ok(0) | Err(_)) {
            return;
        }
    }
    seen.lock().unwrap().push(head);
    let server = match way {
        Proxy::Connect(server) => server,
        Proxy::Refuse(status) => {
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            let _ = client.write_all(answer.as_bytes());
            return;
        }
    };
    let mut server = TcpStream::connect(server).unwrap();
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
    let (mut to_client, mut from_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
    let _ = std::io::copy(&mut reader.take(u64::MAX), &mut server);
}

/// The password of the proxy, and its form in the header.
const PASSWORDS: [&str; 2] = ["hush-proxy", "am86aHVzaC1wcm94eQ=="];

/// A proxy of the environment carries HTTPS to a host that this machine can't reach itself. It gets its credentials, and
/// nobody else does.
#[cfg(target_os = "linux")]
#[test]
fn a_proxy_with_credentials() {
    let server = Https::start("elsewhere", &[&TLS13]);
    let cloud = Scripted::start(GIZWITS, |_, _| None);
    let authority = tls::file("authority.pem");
    let list = |way: Proxy, more: &[(&str, &str)]| {
        let (port, heads) = proxy(way);
        let url = format!("http://jo:hush-proxy@127.0.0.1:{port}");
        let mut changed = vec![
            ("GIZWITS_BASE_URL", "https://api.example"),
            ("SSL_CERT_FILE", authority.to_str().unwrap()),
            ("HTTPS_PROXY", url.as_str()),
            ("NO_PROXY", ""),
            ("no_proxy", ""),
            ("RUST_LOG", "trace"),
        ];
        changed.extend(more);
        let ran = cloud.run_with("device list", &changed);
        for secret in PASSWORDS
            .iter()
            .chain(&["hush-enterprise", "hush-product", "hush-token"])
        {
            assert!(!ran.stderr.contains(secret), "{}", ran.stderr);
            assert!(!ran.stdout.contains(secret), "{}", ran.stdout);
        }
        let heads = heads.lock().unwrap().clone();
        (ran, heads)
    };
    let (ran, heads) = list(Proxy::Connect(server.address), &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(!heads.is_empty());
    for head in heads {
        assert!(
            head.starts_with("CONNECT api.example:443 HTTP/1.1\r\n"),
            "{head}"
        );
        let head = head.to_lowercase();
        assert!(head.contains(&format!(
            "proxy-authorization: basic {}",
            PASSWORDS[1].to_lowercase()
        )));
        // The secrets of the API are inside of TLS.
        assert!(
            !head.contains("hush") && !head.contains("x-gizwits"),
            "{head}"
        );
    }
    assert!(server.requests[1].load(Ordering::SeqCst) > 0);
    // A proxy that refuses.
    for status in ["407 Proxy Authentication Required", "502 Bad Gateway"] {
        let (ran, heads) = list(Proxy::Refuse(status), &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("no connection"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("proxy") || ran.stderr.contains("tunnel"),
            "{}",
            ran.stderr
        );
        assert!(!heads.is_empty());
    }
    // A host that is excepted is connected to directly, and has no address here.
    for except in ["api.example", ".example", "*", "other, api.example"] {
        let excepted = [("NO_PROXY", except), ("no_proxy", except)];
        let (ran, heads) = list(Proxy::Connect(server.address), &excepted);
        assert_eq!((ran.code, heads.len()), (1, 0), "{except}: {}", ran.stderr);
        assert!(ran.stderr.contains("no connection"), "{}", ran.stderr);
    }
    // Nobody listens at the proxy.
    let gone = [("HTTPS_PROXY", "http://jo:hush-proxy@127.0.0.1:9")];
    let (ran, _) = list(Proxy::Connect(server.address), &gone);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("no connection"), "{}", ran.stderr);
    // The certificate is checked behind a proxy as well.
    let wrong = Https::start("server", &[&TLS13]);
    let (ran, _) = list(Proxy::Connect(wrong.address), &[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("certificate of the server is not accepted"),
        "{}",
        ran.stderr
    );
}
