//! Searches for devices in this process.

use std::net::SocketAddr;
use std::time::Duration;

use gizwits_lan::{Announcement, Discovery, Search, SearchOptions};
use tokio::net::UdpSocket;

/// A device that answers every second request, twice, after a datagram that is no announcement.
async fn device(did: &str) -> SocketAddr {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let answer = Announcement::new(did, "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50");
    let answer = answer.encode().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 64];
        for requests in 1.. {
            let (len, client) = socket.recv_from(&mut buffer).await.unwrap();
            assert_eq!(buffer[..len], Discovery::REQUEST);
            if requests % 2 == 0 {
                for datagram in [&b"HTTP/1.1 200 OK"[..], &answer, &answer] {
                    socket.send_to(datagram, client).await.unwrap();
                }
            }
        }
    });
    address
}

#[tokio::test]
async fn devices_are_found_once() {
    let mut options = SearchOptions::default();
    // Nobody is at the last address: the answer of the system is no end of the search.
    let gone = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    options.targets = vec![
        gone.local_addr().unwrap(),
        device("one").await,
        device("two").await,
    ];
    drop(gone);
    options.interval = Duration::from_millis(10);
    // The search ends with the second device, on a busy machine as well.
    options.duration = Duration::from_secs(60);
    let mut search = Search::start(&options).await.unwrap();
    let mut dids = Vec::new();
    while dids.len() < 2 {
        let found = search.next().await.expect("both answer");
        assert!(found.address.is_loopback());
        dids.push(found.announcement.did);
    }
    dids.sort();
    assert_eq!(dids, ["one", "two"]);
    assert_eq!(search.discovery().devices().count(), 2);
}

#[tokio::test]
async fn nobody_answers() {
    let mut options = SearchOptions::default();
    let silent = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    options.targets = vec![silent.local_addr().unwrap()];
    options.duration = Duration::from_millis(30);
    let mut search = Search::start(&options).await.unwrap();
    assert_eq!(search.next().await, None);
    assert_eq!(search.next().await, None);
}

/// Devices that have answered while the program did something else are found.
#[tokio::test]
async fn a_program_that_is_busy() {
    let mut options = SearchOptions::default();
    options.duration = Duration::from_millis(100);
    let (send, receive) = std::sync::mpsc::channel();
    for did in ["one", "two"] {
        let socket = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        options.targets.push(socket.local_addr().unwrap());
        let answer = Announcement::new(did, "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50");
        let (answer, send) = (answer.encode().unwrap(), send.clone());
        std::thread::spawn(move || {
            let (_, client) = socket.recv_from(&mut [0; 64]).unwrap();
            socket.send_to(&answer, client).unwrap();
            send.send(()).unwrap();
        });
    }
    let mut search = Search::start(&options).await.unwrap();
    // Sends the requests.
    let first = tokio::time::timeout(Duration::ZERO, search.next()).await;
    for _ in 0..2 {
        receive.recv().unwrap();
    }
    std::thread::sleep(options.duration);
    let mut found: Vec<_> = first.ok().flatten().into_iter().collect();
    while let Some(device) = search.next().await {
        found.push(device);
    }
    assert_eq!(found.len(), 2, "{found:?}");
}

/// A device that starts while the search runs is found, once, although it also answers.
#[tokio::test]
async fn a_device_announces_itself() {
    let mut options = SearchOptions::default();
    let silent = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    options.targets = vec![silent.local_addr().unwrap()];
    options.duration = Duration::from_secs(60);
    options.announcements = Some(([127, 0, 0, 1], 0).into());
    let mut search = Search::start(&options).await.unwrap();
    let address = search.announcements().expect("they are received");
    // One program can have the port.
    options.announcements = Some(address);
    let error = Search::start(&options).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&address.to_string()), "{error}");

    let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    for did in ["one", "one", "two"] {
        let announcement = Announcement::new(did, "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50");
        let mut datagram = announcement.encode().unwrap().to_vec();
        // The command of an announcement.
        let command = datagram.iter().position(|byte| *byte == 4).unwrap();
        datagram[command] = 5;
        socket.send_to(&datagram, address).await.unwrap();
    }
    for did in ["one", "two"] {
        assert_eq!(search.next().await.unwrap().announcement.did, did);
    }
    assert_eq!(search.discovery().devices().count(), 2);
}
