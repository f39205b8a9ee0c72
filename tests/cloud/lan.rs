//! Devices of one world that are reached through the cloud and on the local network.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use gizwits_lan::{ClientEvent, ClientOptions, Connection, ConnectionError, Search, SearchOptions};
use gizwits_simulator::{Act, LanAddress, LanOptions, Options, Server};

use super::*;

/// The longest wait for something that does happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A world whose devices have addresses with free ports.
fn world() -> Server {
    let mut lan = LanOptions::default();
    lan.port = Some(0);
    let mut options = Options::default();
    options.lan = Some(lan);
    Server::start(Simulator::builder().build().unwrap(), options).unwrap()
}

/// The first air conditioner, as the cloud and as the local network know it.
fn first(server: &Server) -> (Device, LanAddress) {
    let account = server.simulator().credentials().unwrap().swap_remove(0);
    let enterprise = Enterprise::builder()
        .id(&account.enterprise_id)
        .secret(account.enterprise_secret)
        .base_url(server.url())
        .build()
        .unwrap();
    let product = enterprise.product(&account.product_key, account.product_secret);
    let address = server.lan()[0].clone();
    assert_eq!(account.dids[0], address.did);
    (product.device(address.did.as_str()), address)
}

async fn connected(address: SocketAddr) -> Connection {
    let mut options = ClientOptions::default();
    // A busy machine is no silent device.
    (options.request_timeout, options.idle_timeout) = (PATIENCE, PATIENCE);
    Connection::open(address, options).await.unwrap()
}

/// Waits for a report whose `set_temp` has this value.
async fn reported(connection: &mut Connection, set_temp: u8) {
    let wait = async {
        loop {
            match connection.next().await.expect("a connection") {
                ClientEvent::P0 { p0, .. } if p0[0] == 0x04 && p0[4] == set_temp => return,
                _ => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

/// Runs calls of the blocking client.
async fn cloud<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(call).await.unwrap()
}

#[tokio::test]
async fn a_control_from_either_side_shows_on_both() {
    let server = world();
    let (device, address) = first(&server);
    let (mut one, mut other) = (connected(address.tcp).await, connected(address.tcp).await);

    // From the local network: both clients see it, and so does the cloud.
    one.control(b"\x01\x40\0\0\0\x18").await.unwrap();
    reported(&mut one, 0x18).await;
    reported(&mut other, 0x18).await;
    assert_eq!(other.read(&[0x02]).await.unwrap()[4], 0x18);
    let of_cloud = device.clone();
    let payloads: Vec<String> = cloud(move || {
        let log = of_cloud.cmd_log().iter();
        log.take(20)
            .map(|record| record.unwrap().payload.to_string())
            .collect()
    })
    .await;
    let control = payloads
        .iter()
        .position(|payload| payload.ends_with("014000000018"))
        .expect("the control is in the log");
    assert!(
        payloads[control].contains("000093"),
        "the frame of the client: {}",
        payloads[control]
    );
    let report = &payloads[control - 1];
    assert!(
        report.contains("00009104") && report.contains("0018"),
        "{report}"
    );

    // From the cloud: both clients of the local network see it.
    cloud(move || device.control(json!({"set_temp": 25})).send().unwrap()).await;
    reported(&mut one, 25).await;
    reported(&mut other, 25).await;
    cloud(move || server.stop()).await;
}

#[tokio::test]
async fn a_device_that_is_offline_does_not_answer() {
    let server = world();
    let address = server.lan()[0].clone();
    let search = async || {
        let mut options = SearchOptions::default();
        options.targets = vec![address.udp, server.lan()[1].udp];
        options.interval = Duration::from_millis(20);
        options.duration = PATIENCE;
        let mut search = Search::start(&options).await.unwrap();
        let mut dids = Vec::new();
        while let Some(found) = search.next().await {
            let is_second = found.announcement.did == server.lan()[1].did;
            dids.push(found.announcement.did);
            if is_second || dids.len() == 2 {
                break;
            }
        }
        dids
    };
    let mut client = connected(address.tcp).await;
    let offline = Act::Offline("no_heartbeat".to_owned());
    server.simulator().act(&address.did, &offline).unwrap();
    // The device drops its clients.
    let ended = async { while client.next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
    assert_eq!(search().await, [server.lan()[1].did.clone()]);
    let refused = Connection::open(address.tcp, ClientOptions::default()).await;
    assert!(
        matches!(
            refused,
            Err(ConnectionError::Closed(_) | ConnectionError::Io(_))
        ),
        "{refused:?}"
    );
    server.simulator().act(&address.did, &Act::Online).unwrap();
    let again = async {
        while Connection::open(address.tcp, ClientOptions::default())
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
    cloud(move || server.stop()).await;
}

/// A client that sends controls without waiting causes more reports than wait for a client.
#[test]
fn all_controls_of_a_burst_are_acknowledged() {
    const COUNT: u32 = 500;
    let server = world();
    let mut stream = TcpStream::connect(server.lan()[0].tcp).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"\0\0\0\x03\x03\0\0\x06").unwrap();
    let passcode = received(&mut stream);
    assert_eq!(passcode[..3], [0, 0, 0x07]);
    let login = [&[0, 0, 0x08], &passcode[3..]].concat();
    stream.write_all(&frame(&login)).unwrap();
    assert_eq!(received(&mut stream), [0, 0, 0x09, 0]);
    let control = |sn: u32| {
        let sn = sn.to_be_bytes();
        frame(&[&[0, 0, 0x93], &sn[..], b"\x01\x40\0\0\0\x18"].concat())
    };
    let burst: Vec<u8> = (0..COUNT).flat_map(control).collect();
    let mut writer = stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || writer.write_all(&burst).unwrap());
    let mut acknowledged = 0;
    while acknowledged < COUNT {
        let body = received(&mut stream);
        if body[..3] == [0, 0, 0x94] {
            assert_eq!(body[3..], acknowledged.to_be_bytes());
            acknowledged += 1;
        }
    }
    writer.join().unwrap();
    server.stop();
}

/// The frame of flags, a command and what follows, of at most 127 bytes.
fn frame(body: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 3, u8::try_from(body.len()).unwrap()], body].concat()
}

/// The flags, the command and what follows of the next frame.
fn received(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[..4], [0, 0, 0, 3]);
    let mut body = vec![0; head[4].into()];
    stream.read_exact(&mut body).unwrap();
    body
}

/// The addresses that the program prints are those of `gizwits lan`.
#[test]
fn the_program_prints_the_addresses() {
    let simulated = Simulated::start(GIZWITS, &["--lan", "--lan-port", "0"]);
    let line = simulated
        .comments
        .iter()
        .find(|line| line.starts_with("# On the local network: cBYkSjoE2xspYMhaUHdk5k TCP "))
        .unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let [tcp, udp] = [words[7], words[9]];
    let shown = run(&[
        "lan",
        "show",
        tcp,
        "-d",
        "tests/fixtures/air-conditioner.json",
    ]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.json()[0]["decoded"]["attrs"]["room_temp"].is_number());
    let found = run(&["lan", "discover", udp, "--wait", "2s"]);
    assert_eq!(found.json()[0]["did"], "cBYkSjoE2xspYMhaUHdk5k");

    let ran = run(&["simulate", "--lan", "--lan-address", "192.0.2.1"]);
    assert_eq!((ran.code, &*ran.stdout), (2, ""));
    assert!(
        ran.stderr
            .starts_with("error: can't listen on 192.0.2.1:12416, the address of a device: ")
            && ran.stderr.contains("--lan-address"),
        "{}",
        ran.stderr
    );
}
