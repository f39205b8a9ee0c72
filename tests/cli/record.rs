//! Tests of `gizwits lan record`, against devices in this process.

use std::io::Read as _;
use std::net::TcpListener;
use std::time::Instant;

use gizwits_lan::{Identity, Server, ServerEvent, ServerOptions};

use super::*;

/// The values of `room_temp` that the device reports.
const REPORTED: [u8; 3] = [20, 21, 30];

/// The address of an air conditioner that reports and then closes the connection, for each client anew.
fn device() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let start = Instant::now();
            let mut identity = Identity::default();
            identity.product_key = "4d0b954d71e71a0d06e1139f0de0ff97".to_owned();
            let options = ServerOptions::new("ABCDEFGHIJ", identity);
            let mut server = Server::new(options, start.elapsed());
            let mut buffer = [0; 512];
            // The request for the passcode, the login, and the request for the module info.
            for _ in 0..3 {
                let Ok(len @ 1..) = stream.read(&mut buffer) else {
                    break;
                };
                server.receive(&buffer[..len], start.elapsed());
                while let Some(event) = server.poll_event() {
                    if event == ServerEvent::LoggedIn {
                        for room_temp in REPORTED {
                            let report = [0x04, 0x01, 0, 0, 0x10, room_temp + 10, 0, 0];
                            assert!(server.report(&report));
                        }
                    }
                }
                while let Some(bytes) = server.poll_output() {
                    // A client may close its connection at any time.
                    let _ = stream.write_all(&bytes);
                }
            }
        }
    });
    address.to_string()
}

/// The values of the records in a log.
fn decoded(log: &str) -> Vec<Value> {
    let ran = run_with(&["log", "decode", "-d", AIR_CONDITIONER, "-"], log);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.json().iter().map(|one| one["attrs"].clone()).collect()
}

/// The first lines that a command prints, after which it is killed.
fn lines(arguments: &[&str], count: usize) -> String {
    let mut child = Command::new(GIZWITS)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..count {
        out.read_line(&mut lines).unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lines
}

/// A recording has the values that `watch` prints, and the did of the device.
#[test]
fn a_recording_has_what_the_watch_shows() {
    let (host, folder) = (device(), Folder::new("lan-record"));
    let file = folder.0.join("log.ndjson");
    let path = file.to_str().unwrap();
    let record = |more: &[&str]| {
        let command = ["lan", "record", &host, "-o", path];
        run(&[&command[..], more].concat())
    };
    let ran = record(&["--did", "fTZ6jUmwmuTUkEdbXWePQ3"]);
    assert_eq!((ran.code, &*ran.stdout), (1, ""), "{}", ran.stderr);
    let told = format!("recording to {path} until Ctrl-C\n3 records   {path}\n");
    assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    assert!(ran.stderr.contains("the device has closed the connection"));
    let log = std::fs::read_to_string(&file).unwrap();
    for line in log.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["did"], "fTZ6jUmwmuTUkEdbXWePQ3");
        assert_eq!(record["type"], "dev2app");
        assert!(record["timestamp"].as_f64().unwrap() > 1.7e9);
    }
    let values = decoded(&log);
    let temperatures: Vec<_> = values.iter().map(|one| one["room_temp"].clone()).collect();
    assert_eq!(temperatures, REPORTED.map(Value::from));
    assert_eq!(
        decoded(&lines(&["lan", "watch", &host], REPORTED.len())),
        values
    );

    // Standard output, decoded.
    let ran = run(&["lan", "record", &host, "-o", "-", "-d", AIR_CONDITIONER]);
    assert!(
        ran.stderr
            .contains("recording to standard output until Ctrl-C\n3 records   standard output\n"),
        "{}",
        ran.stderr
    );
    assert!(!root().join("-").exists());
    let attrs = |one: &Value| one["attrs"].clone();
    assert_eq!(ran.json().iter().map(attrs).collect::<Vec<_>>(), values);
    assert_eq!(decoded(&ran.stdout), values);

    // A file that exists is appended to only when the user says so.
    let refused = record(&[]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("the file exists: add --append"),
        "{}",
        refused.stderr
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), log);
    // The last line of a file may be cut.
    let cut = log.trim_end_matches("}\n");
    std::fs::write(&file, cut).unwrap();
    assert_eq!(record(&["--append"]).code, 1);
    let appended = std::fs::read_to_string(&file).unwrap();
    let behind = appended.strip_prefix(&format!("{cut}\n")).unwrap();
    assert_eq!(decoded(behind), values);
}

/// A line is written at once, so that a kill loses none.
#[test]
#[cfg(target_os = "linux")]
fn a_killed_recording_has_all_lines() {
    let host = lan::device(lan::KEY, "ABCDEFGHIJ");
    let line = lines(&["lan", "record", &host, "-o", "/dev/stdout"], 1);
    assert_eq!(decoded(&line)[0]["room_temp"], 30);
}

#[test]
fn a_recording_ends_after_its_time() {
    let (host, folder) = (
        lan::device(lan::KEY, "ABCDEFGHIJ"),
        Folder::new("lan-record-for"),
    );
    let file = folder.0.join("log.ndjson");
    let arguments = [
        "lan",
        "record",
        &host,
        "--for",
        "0s",
        "-o",
        file.to_str().unwrap(),
    ];
    let ran = run(&arguments);
    assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
    assert!(
        ran.stderr.contains(" for 0s, or until Ctrl-C\n"),
        "{}",
        ran.stderr
    );
    let nowhere = folder.0.join("no/such/log.ndjson");
    let ran = run(&["lan", "record", &host, "-o", nowhere.to_str().unwrap()]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("no/such/log.ndjson: "),
        "{}",
        ran.stderr
    );
}

/// Ctrl-C ends the recording of a device that sends without a pause, and is not lost.
#[test]
#[cfg(unix)]
fn a_recording_ends_by_ctrl_c() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let start = Instant::now();
        let options = ServerOptions::new("ABCDEFGHIJ", Identity::default());
        let mut server = Server::new(options, start.elapsed());
        let mut buffer = [0; 512];
        let mut requests = 0;
        let mut is_open = true;
        while is_open {
            // The request for the passcode, the login, and the request for the module info.
            if requests < 3 {
                let Ok(len @ 1..) = stream.read(&mut buffer) else {
                    break;
                };
                server.receive(&buffer[..len], start.elapsed());
                requests += 1;
            } else {
                assert!(server.report(b"\x04\x01\0\0\x10\x28\0\0"));
            }
            while server.poll_event().is_some() {}
            while let Some(bytes) = server.poll_output() {
                is_open &= stream.write_all(&bytes).is_ok();
            }
        }
    });
    let mut child = Command::new(GIZWITS)
        .args(["lan", "record", &host, "-o", "/dev/stdout"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    let id = child.id().to_string();
    let interrupted = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(interrupted.success());
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}
