//! Tests of `gizwits lan`, against devices in this process.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use gizwits_lan::{Announcement, Discovery, Identity, Server, ServerEvent, ServerOptions};

use super::*;

pub(super) const KEY: &str = "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50";

/// The product key of the definition of the air conditioner.
const AC_KEY: &str = "4d0b954d71e71a0d06e1139f0de0ff97";

/// The address of an air conditioner. It takes the control of set_temp = 24 and reports it, refuses to answer any other
/// control, and closes the connection after a silence.
pub(super) fn device(product_key: &'static str, passcode: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let start = Instant::now();
            let mut identity = Identity::default();
            identity.wifi_software = "04020034".to_owned();
            identity.product_key = product_key.to_owned();
            let options = ServerOptions::new(passcode, identity);
            let mut server = Server::new(options, start.elapsed());
            let mut buffer = [0; 512];
            while let Ok(len @ 1..) = stream.read(&mut buffer) {
                server.receive(&buffer[..len], start.elapsed());
                let mut is_closed = false;
                while let Some(event) = server.poll_event() {
                    match event {
                        ServerEvent::LoggedIn => {
                            assert!(server.report(b"\x04\x01\0\0\x10\x28\0\0"));
                        }
                        ServerEvent::Request { sn, p0 } if p0[..] == *b"\x02" => {
                            server.answer(sn, b"\x03\x01\0\0\x10\x28\0\0");
                        }
                        ServerEvent::Request { sn, p0 } if p0[..] == *b"\x01\x40\0\0\0\x18" => {
                            server.answer(sn, b"");
                            server.report(b"\x04\x01\0\0\x18\x28\0\0");
                        }
                        ServerEvent::Request { .. } | ServerEvent::Closed => is_closed = true,
                        _ => {}
                    }
                }
                while let Some(bytes) = server.poll_output() {
                    // A client may close its connection at any time.
                    is_closed |= stream.write_all(&bytes).is_err();
                }
                if is_closed {
                    break;
                }
            }
        }
    });
    address.to_string()
}

#[test]
fn a_device_is_found() {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let address: SocketAddr = socket.local_addr().unwrap();
    let answer = Announcement::new("fTZ6jUmwmuTUkEdbXWePQ3", KEY);
    let answer = answer.encode().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok((len, client)) = socket.recv_from(&mut buffer) {
            assert_eq!(buffer[..len], Discovery::REQUEST);
            socket.send_to(&answer, client).unwrap();
        }
    });
    let ran = run(&["lan", "discover", &address.to_string(), "--wait", "2s"]);
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    let [found] = &ran.json()[..] else {
        panic!("{}", ran.stdout);
    };
    assert_eq!(found["address"], "127.0.0.1");
    assert_eq!(found["did"], "fTZ6jUmwmuTUkEdbXWePQ3");
    assert_eq!(
        (&found["product_key"], &found["api_server"]),
        (&json!(KEY), &Value::Null)
    );

    let silent = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    let ran = run(&["lan", "discover", &silent, "--wait", "50ms"]);
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(
        ran.stderr
            .starts_with("error: 127.0.0.1 does not answer on UDP port "),
        "{}",
        ran.stderr
    );
    // Announcements have one port. Another program has it, or this test.
    let _other = UdpSocket::bind(("0.0.0.0", 2415));
    let ran = run(&["lan", "discover", "--announcements"]);
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(
        ran.stderr
            .contains("announcements cannot be received on 0.0.0.0:2415"),
        "{}",
        ran.stderr
    );
    for (wait, words) in [
        ("0s", "expected more than 0s"),
        ("foo", "expected a time span such as 90s, 10m, 6h or 7d"),
    ] {
        let ran = run(&["lan", "discover", "--wait", wait]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    let ran = run(&["lan", "discover", "device.local"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("expected an IP address"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_device_is_shown() {
    let definition = Folder::new("lan-show");
    let json = std::fs::read_to_string(root().join(AIR_CONDITIONER)).unwrap();
    let mut json: Value = serde_json::from_str(&json).unwrap();
    json["product_key"] = json!(KEY.to_uppercase());
    let file = definition.write("ac.json", json.to_string());
    let folder = Path::new(&file).parent().unwrap().to_str().unwrap();
    definition.write("other.json", std::fs::read(root().join(WAVE_PUMP)).unwrap());
    let host = device(KEY, "ABCDEFGHIJ");
    // A folder, in which the product key finds the definition.
    let ran = run(&["lan", "show", &host, "-d", folder]);
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    let [shown] = &ran.json()[..] else {
        panic!("{}", ran.stdout);
    };
    assert_eq!(shown["device"]["product_key"], KEY);
    assert_eq!(shown["device"]["wifi_software"], "04020034");
    assert_eq!(shown["payload"], "0301000010280000");
    assert_eq!(shown["decoded"]["attrs"]["room_temp"], 30);
    // Without a definition, and with the definition of another product.
    let ran = program::run_in(
        GIZWITS,
        &["lan", "show", &host],
        b"",
        &BTreeMap::from([(
            "GIZWITS_CONFIG".to_owned(),
            "/no/such/config.toml".to_owned(),
        )]),
    );
    assert_eq!((ran.code, &ran.json()[0]["decoded"]), (0, &Value::Null));
    let ran = run(&["lan", "show", &host, "-d", AIR_CONDITIONER]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.stderr
            .starts_with("warning: the device is of the product"),
        "{}",
        ran.stderr
    );
    // A definition of other bytes than the device sends.
    let lamp = "tests/fixtures/lamp.json";
    for arguments in [
        &["show", &host, "-d", lamp][..],
        &["control", &host, "-d", lamp, "--other-product", "no=1"],
    ] {
        let ran = run(&[&["lan"], arguments].concat());
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains("error: "), "{}", ran.stderr);
        let _ = ran.json();
    }
    // A folder without the definition.
    let ran = run(&["lan", "show", &host, "-d", "tests/fixtures"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("no definition of the folder"),
        "{}",
        ran.stderr
    );
    // The hint has several lines.
    assert!(!ran.stderr.contains("\\n"), "{}", ran.stderr);
    // The device closes the connection at a read of another protocol. A read executes nothing.
    let ran = run(&["lan", "show", &host, "-d", WAVE_PUMP]);
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(
        ran.stderr
            .contains(": the device has not answered the read of its status\n"),
        "{}",
        ran.stderr
    );
    let nowhere = run(&["lan", "show", "127.0.0.1:1", "-d", AIR_CONDITIONER]);
    assert_eq!((nowhere.code, &*nowhere.stdout), (1, ""));
    assert!(
        nowhere
            .stderr
            .contains("127.0.0.1:1: the device cannot be reached")
    );
}

#[test]
fn a_device_is_controlled() {
    // A device of another product gets a control only if the user insists.
    let other = device(KEY, "ABCDEFGHIJ");
    let command = [
        "lan",
        "control",
        &other,
        "-d",
        AIR_CONDITIONER,
        "set_temp=24",
    ];
    let ran = run(&command);
    assert_eq!((ran.code, &*ran.stdout), (2, ""));
    assert!(
        ran.stderr.contains(KEY) && ran.stderr.contains("nothing was sent"),
        "{}",
        ran.stderr
    );
    let ran = run(&[&command[..], &["--other-product"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("warning: "), "{}", ran.stderr);

    let host = device(AC_KEY, "ABCDEFGHIJ");
    let control = |value: &str| run(&["lan", "control", &host, "-d", AIR_CONDITIONER, value]);
    let ran = control("set_temp=24");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let [sent, report] = &ran.json()[..] else {
        panic!("{}", ran.stdout);
    };
    assert_eq!(
        sent,
        &json!({"sent": {"set_temp": 24}, "payload": "014000000018"})
    );
    assert_eq!(report["attrs"]["set_temp"], 24);
    let ran = control("set_temp=31");
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(
        ran.stderr.contains("above its maximum 30"),
        "{}",
        ran.stderr
    );
    // The device closes the connection instead of an acknowledgement.
    let ran = control("set_temp=25");
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(
        ran.stderr.contains("may have executed the request"),
        "{}",
        ran.stderr
    );
    let ran = run(&[
        &command[..2],
        &[&host, "-d", AIR_CONDITIONER, "switch=on", "switch=on"],
    ]
    .concat());
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("given twice"), "{}", ran.stderr);
    let unbound = device(AC_KEY, "");
    let ran = run(&[
        "lan",
        "control",
        &unbound,
        "-d",
        AIR_CONDITIONER,
        "switch=on",
    ]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("hands out no passcode"),
        "{}",
        ran.stderr
    );
}

/// Without a definition, a device of a var_len product is read as such.
#[test]
fn a_device_of_either_protocol_is_shown_without_a_definition() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let options = ServerOptions::new("ABCDEFGHIJ", Identity::default());
        let mut server = Server::new(options, Duration::ZERO);
        let mut buffer = [0; 512];
        while let Ok(len @ 1..) = stream.read(&mut buffer) {
            server.receive(&buffer[..len], Duration::ZERO);
            while let Some(event) = server.poll_event() {
                // The read of a standard product has no answer.
                if let ServerEvent::Request { sn, p0 } = event
                    && p0[0] == 0x12
                {
                    server.answer(sn, b"\x13\x01\x01");
                }
            }
            while let Some(bytes) = server.poll_output() {
                let _ = stream.write_all(&bytes);
            }
        }
    });
    let config = (
        "GIZWITS_CONFIG".to_owned(),
        "/no/such/config.toml".to_owned(),
    );
    let config = BTreeMap::from([config]);
    let ran = program::run_in(GIZWITS, &["lan", "show", &host], b"", &config);
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    assert_eq!(ran.json()[0]["payload"], "130101");
}

/// The lines of `watch` are records that `log decode` reads.
#[test]
fn a_device_is_watched() {
    let host = device(KEY, "ABCDEFGHIJ");
    let mut child = Command::new(GIZWITS)
        .args(["lan", "watch", &host, "-d", AIR_CONDITIONER])
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let record: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(record["payload"], "0401000010280000");
    assert_eq!(record["attrs"]["room_temp"], 30);
    assert!(
        line.contains(
            r#","type":"dev2app","payload":"0401000010280000","action":"report","attrs":{"#
        ),
        "{line}"
    );
    assert!(record["timestamp"].as_f64().unwrap() > 1.7e9);
    let ran = run_with(&["log", "decode", "-d", AIR_CONDITIONER, "-"], &line);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.json()[0]["attrs"]["room_temp"], 30);
}

/// A device that drops its clients is watched on, and the gap is told.
#[test]
fn a_device_that_closes_the_connection_is_watched_on() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for (value, stream) in (0x10..).zip(listener.incoming()) {
            let mut stream = stream.unwrap();
            let mut server = Server::new(
                ServerOptions::new("ABCDEFGHIJ", Identity::default()),
                Duration::ZERO,
            );
            let mut buffer = [0; 512];
            let mut is_closed = false;
            while !is_closed && let Ok(len @ 1..) = stream.read(&mut buffer) {
                server.receive(&buffer[..len], Duration::ZERO);
                while let Some(event) = server.poll_event() {
                    if let ServerEvent::Request { sn, .. } = event {
                        server.answer(sn, &[3, 1, 0, 0, value, 0x28, 0, 0]);
                        is_closed = true;
                    }
                }
                while let Some(bytes) = server.poll_output() {
                    is_closed |= stream.write_all(&bytes).is_err();
                }
            }
        }
    });
    let mut child = Command::new(GIZWITS)
        .args(["lan", "watch", &host, "-d", AIR_CONDITIONER, "--for", "60s"])
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let lines: Vec<_> = out.lines().take(2).map(Result::unwrap).collect();
    child.kill().unwrap();
    let told = child.wait_with_output().unwrap().stderr;
    let told = String::from_utf8(told).unwrap();
    for (line, payload) in lines.iter().zip(["0301000010280000", "0301000011280000"]) {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["payload"], payload);
    }
    for text in [
        "the device has closed the connection. The next attempt to connect is in 0.",
        "connected again. Messages of ",
    ] {
        assert!(told.contains(&format!("warning: {host}: {text}")), "{told}");
    }
    // The end by time is no failure.
    let ran = run(&["lan", "watch", &host, "-d", AIR_CONDITIONER, "--for", "0s"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}
