//! An HTTPS server with a certificate of this folder, which answers as the API does.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gizwits_tests::program;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    ProtocolVersion, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};

/// The server. Its threads end with the process.
pub(crate) struct Https {
    pub(crate) address: SocketAddr,
    /// The number of connections, with those on which no request came.
    pub(crate) connections: Arc<AtomicUsize>,
    /// The number of requests over TLS 1.2 and over TLS 1.3.
    pub(crate) requests: Arc<[AtomicUsize; 2]>,
}

/// The path of a file of this folder.
pub(crate) fn file(name: &str) -> PathBuf {
    program::root().join("tests/tls").join(name)
}

impl Https {
    /// Starts a server with the certificate `NAME.pem` and these versions of TLS.
    pub(crate) fn start(name: &str, versions: &[&'static SupportedProtocolVersion]) -> Self {
        let certificate = CertificateDer::from_pem_file(file(&format!("{name}.pem"))).unwrap();
        let key = PrivateKeyDer::from_pem_file(file("server.key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Https {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let (connections, requests) = (
            Arc::clone(&server.connections),
            Arc::clone(&server.requests),
        );
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (config, requests) = (Arc::clone(&config), Arc::clone(&requests));
                std::thread::spawn(move || answer(config, stream.unwrap(), &requests));
            }
        });
        server
    }
}

fn answer(config: Arc<ServerConfig>, stream: TcpStream, requests: &[AtomicUsize; 2]) {
    let connection = ServerConnection::new(config).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        // A client that refuses the certificate closes the connection.
        if stream.read_exact(&mut byte).is_err() {
            return;
        }
        head.push(byte[0]);
    }
    let is_new = stream.conn.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    requests[usize::from(is_new)].fetch_add(1, Ordering::SeqCst);
    let body = match head.starts_with(b"POST") {
        true => r#"{"token":"hush-token","expire_at":4000000000}"#,
        false => r#"{"meta":{"total":0},"objects":[]}"#,
    };
    let length = body.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    let _ = stream.write_all(answer.as_bytes());
    stream.conn.send_close_notify();
    let _ = stream.flush();
}
