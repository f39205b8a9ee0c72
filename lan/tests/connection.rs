//! Connections over TCP to devices in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use gizwits_lan::{
    ClientEvent, ClientOptions, Closed, Connection, ConnectionError, Identity, Server, ServerEvent,
    ServerOptions, Step,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::Instant;

/// The answer of a device to a request. `None` closes the connection.
type Behaviour = fn(&[u8]) -> Option<&'static [u8]>;

/// Serves a device on a free port. It reports once after the login, and after each control.
async fn device(behaviour: Behaviour) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let start = Instant::now();
        let options = ServerOptions::new("ABCDEFGHIJ", Identity::default());
        let mut server = Server::new(options, start.elapsed());
        let mut buffer = [0; 7];
        while let Ok(len @ 1..) = stream.read(&mut buffer).await {
            server.receive(&buffer[..len], start.elapsed());
            while let Some(event) = server.poll_event() {
                match event {
                    ServerEvent::LoggedIn => assert!(server.report(&[0x04, 0])),
                    ServerEvent::Request { sn, p0 } => match behaviour(&p0) {
                        Some(answer) => {
                            assert!(server.answer(sn, answer));
                            if answer.is_empty() {
                                assert!(server.report(&[0x04, 1]));
                            }
                        }
                        None => return,
                    },
                    _ => {}
                }
            }
            while let Some(bytes) = server.poll_output() {
                // Frames over segments.
                for part in bytes.chunks(5) {
                    stream.write_all(part).await.unwrap();
                }
            }
        }
    });
    address
}

fn p0(p0: &[u8]) -> ClientEvent {
    ClientEvent::P0 {
        p0: p0.to_vec().into(),
        answers: None,
    }
}

#[tokio::test]
async fn reads_controls_and_reports() {
    let address = device(|p0| match p0 {
        [0x02] => Some(&[0x03, 9]),
        _ => Some(&[]),
    })
    .await;
    let mut device = Connection::open(address, ClientOptions::default())
        .await
        .unwrap();
    assert_eq!(device.read(&[0x02]).await.unwrap()[..], [0x03, 9]);
    device.control(&[0x01, 1, 1]).await.unwrap();
    let mut reports = Vec::new();
    while reports.len() < 2 {
        match device.next().await.unwrap() {
            event @ ClientEvent::P0 { .. } => reports.push(event),
            ClientEvent::Identity(identity) => assert_eq!(identity, Identity::default()),
            event => panic!("{event:?}"),
        }
    }
    assert_eq!(reports, [p0(&[0x04, 0]), p0(&[0x04, 1])]);
    assert!(device.identity().is_some() && device.passcode().is_some());
    assert_eq!(device.dropped(), 0);
}

#[tokio::test]
async fn a_device_that_closes_the_connection() {
    let address = device(|_| None).await;
    let mut device = Connection::open(address, ClientOptions::default())
        .await
        .unwrap();
    let error = device.control(&[0x01, 1, 1]).await.unwrap_err();
    assert!(matches!(error, ConnectionError::Unanswered), "{error}");
    let mut last = None;
    while let Some(event) = device.next().await {
        last = Some(event);
    }
    assert_eq!(last, Some(ClientEvent::Closed(Closed::ByDevice)));
    let error = device.read(&[0x02]).await.unwrap_err();
    assert!(matches!(error, ConnectionError::Request(_)), "{error}");
}

#[tokio::test]
async fn no_device() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut options = ClientOptions::default();
    // A listener that never answers.
    options.request_timeout = Duration::from_millis(200);
    let error = Connection::open(address, options).await.unwrap_err();
    let step = Step::Passcode;
    assert!(
        matches!(error, ConnectionError::Closed(Closed::NoAnswer(found)) if found == step),
        "{error}"
    );
    // A port that is taken by this test, and on which nobody listens.
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = silent.local_addr().unwrap();
    let options = ClientOptions::default();
    let error = Connection::open(address, options).await.unwrap_err();
    let ConnectionError::Io(error) = error else {
        panic!("{error}")
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// An answer that has arrived while the program did something else is an answer.
#[tokio::test]
async fn a_program_that_is_busy() {
    let (send, receive) = std::sync::mpsc::channel();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let options = ServerOptions::new("ABCDEFGHIJ", Identity::default());
        let mut server = Server::new(options, Duration::ZERO);
        let mut buffer = [0; 512];
        while let Ok(len @ 1..) = stream.read(&mut buffer) {
            server.receive(&buffer[..len], Duration::ZERO);
            let events: Vec<_> = std::iter::from_fn(|| server.poll_event()).collect();
            for event in &events {
                if let ServerEvent::Request { sn, .. } = event {
                    assert!(server.answer(*sn, &[]));
                }
            }
            while let Some(bytes) = server.poll_output() {
                stream.write_all(&bytes).unwrap();
            }
            if events.len() > 1 || matches!(events[..], [ServerEvent::Request { .. }]) {
                send.send(()).unwrap();
            }
        }
    });
    let mut options = ClientOptions::default();
    options.request_timeout = Duration::from_secs(1);
    let answer = options.request_timeout;
    let mut device = Connection::open(address, options).await.unwrap();
    let control = device.request(&[0x01, 1, 1]).unwrap();
    // Sends the control. What comes back is not waited for.
    let mut early = Vec::new();
    while receive.try_recv().is_err() {
        let next = tokio::time::timeout(Duration::from_millis(1), device.next());
        early.extend(next.await.ok().flatten());
    }
    std::thread::sleep(answer);
    while !early.iter().any(|event| event.answers().is_some()) {
        early.push(device.next().await.unwrap());
    }
    assert!(
        early.contains(&ClientEvent::Acknowledged(control)),
        "{early:?}"
    );
}
