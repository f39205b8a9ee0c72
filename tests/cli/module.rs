//! Tests of `gizwits module`, with an MCU in this process: a link of the core.

use std::io::{ErrorKind, Read as _};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::time::{Duration, Instant};

use gizwits_codec_core::link::{Event, Link, Request};
use gizwits_codec_core::model::Model as _;
use gizwits_codec_core::uart::{DeviceInfo, Time};
use gizwits_tests::generated::air_conditioner::{Product, Status};
use gizwits_tests::uart::wire;

use super::*;

/// An MCU on a TCP port, which ends with its connection. It asks for the time once, and is deaf to the first bytes.
fn mcu(deaf: usize) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let timeout = Some(Duration::from_millis(5));
        stream.set_read_timeout(timeout).unwrap();
        let info = DeviceInfo::new(Product::PRODUCT_KEY).software(b"03000102");
        let mut buffer = [0; Link::<Product>::room()];
        let mut link: Link<'_, Product> = Link::new(&info, &mut buffer);
        let (mut status, start, mut heard) = (Status::new(), Instant::now(), 0);
        link.request(Request::TIME).unwrap();
        loop {
            let now = start.elapsed().as_millis() as u32;
            let (mut chunk, mut sent) = ([0; 64], Vec::new());
            let len = match stream.read(&mut chunk) {
                Ok(0) => return,
                Ok(len) => len,
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    0
                }
                Err(_) => return,
            };
            for byte in &chunk[..len] {
                heard += 1;
                if heard <= deaf {
                    continue;
                }
                match link.receive(*byte, now, &mut |byte| sent.push(byte)) {
                    Some(Event::Control(update)) => update.apply(&mut status, |_, _| {}),
                    Some(Event::Time(time)) => status.room_temp = year(time),
                    _ => {}
                }
            }
            let _ = link.poll(now, &status, &mut |byte| sent.push(byte));
            if stream.write_all(&sent).is_err() {
                return;
            }
        }
    });
    format!("tcp://127.0.0.1:{port}")
}

/// The number of years since 2000, which shows that the time has arrived.
fn year(time: Time<'_>) -> i32 {
    i32::from(time.year()) - 2000
}

/// Runs a script, as on a slow line, so that a machine under load is no reason to send a frame again.
fn patient(port: &str, lines: &str) -> Ran {
    let arguments = ["module", port, "-d", AIR_CONDITIONER, "--script", "-"];
    run_with(&[&arguments[..], &["--baud", "600"]].concat(), lines)
}

fn script(port: &str, lines: &str) -> Ran {
    let arguments = ["module", port, "-d", AIR_CONDITIONER, "--script", "-"];
    run_with(&arguments, lines)
}

#[test]
fn a_script_is_sent_and_its_effect_is_printed() {
    // The first question is lost, and is asked again.
    let port = mcu(9);
    let lines = "# Cool down.\nswitch=on set_temp=24\n\nmode=送风\nread\n";
    let ran = patient(&port, lines);
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    let lines = ran.json();
    let device = lines.iter().find(|line| line["event"] == "device").unwrap();
    assert_eq!(device["software_version"], "03000102");
    assert!(lines.iter().any(|line| line["event"] == "time"));
    let actions: Vec<_> = lines
        .iter()
        .filter_map(|line| line["decoded"]["action"].as_str())
        .filter(|action| *action != "report")
        .collect();
    assert_eq!(actions, ["control", "control", "read", "reply"]);
    let reply = lines
        .iter()
        .find(|line| line["decoded"]["action"] == "reply")
        .unwrap();
    let attrs = &reply["decoded"]["attrs"];
    assert_eq!(
        (&attrs["switch"], &attrs["set_temp"], &attrs["mode"]),
        (&json!(1), &json!(24), &json!("送风"))
    );
    // The year of the answered time.
    assert!(attrs["room_temp"].as_i64().unwrap() >= 25);
    let report = |line: &&Value| {
        line["decoded"]["action"] == "report" && line["decoded"]["attrs"]["set_temp"] == 24
    };
    assert!(lines.iter().any(|line| report(&line)));
    // The messages are records of a log; what has no payload is none.
    let ran = run_with(
        &["log", "decode", "-d", AIR_CONDITIONER, "-"],
        ran.stdout
            .lines()
            .filter(|line| line.contains("payload"))
            .collect::<Vec<_>>()
            .join("\n"),
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.json().iter().any(|line| line["action"] == "reply"));
}

/// The command with its lines from a pipe that stays open.
fn typed(port: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = Command::new(GIZWITS)
        .args(["module", port, "-d", AIR_CONDITIONER, "--baud", "600"])
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

/// A wrong line is told with its number, and the next one is sent all the same. Values may stand in quotation marks.
#[test]
fn controls_are_typed() {
    let (mut child, out) = typed(&mcu(0));
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(b"set_temp=31\nswitch\nswitch=\xff\nmode='\nmode='\xe9\x80\x81\xe9\xa3\x8e' \"set_temp=25\" # warm\n")
        .unwrap();
    let reported = out.lines().map(Result::unwrap).find(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["decoded"]["action"] == "report" && line["decoded"]["attrs"]["set_temp"] == 25
    });
    assert!(reported.is_some());
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let [first, second, third, fourth] = told.lines().collect::<Vec<_>>()[..] else {
        panic!("{told}");
    };
    assert!(first.starts_with("error: line 1: ") && first.contains("above its maximum 30"));
    assert!(second.starts_with("error: line 2: `switch` is no NAME=VALUE"));
    assert!(third.starts_with("error: line 3: the line is no UTF-8"));
    assert_eq!(fourth, "error: line 4: a quotation mark has no end");
}

/// An MCU that acknowledges the question for its description with something else fails a script, instead of keeping it
/// forever, and one that acknowledges each frame twice is no reason for a warning.
#[test]
fn an_mcu_describes_nothing_or_acknowledges_twice() {
    let nothing = peer(Vec::new(), |command, sn| {
        Some(wire(command + 1, sn, 0, &[0]))
    });
    let waiting = std::thread::spawn(move || script(&nothing, "switch=on"));
    let port = peer(Vec::new(), |command, sn| {
        let answer = match command {
            1 => described(sn),
            _ => wire(command + 1, sn, 0, &[]),
        };
        Some([answer.clone(), answer].concat())
    });
    let ran = patient(&port, "switch=on");
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    let ran = waiting.join().unwrap();
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("the MCU has not described its device within 10 s: is it on"),
        "{}",
        ran.stderr
    );
}

/// An MCU that is no link: it sends these bytes, and what `answer` says to each frame.
fn peer(first: Vec<u8>, answer: impl Fn(u8, u8) -> Option<Vec<u8>> + Send + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&first).unwrap();
        let mut frame = [0; 9];
        // Each frame of the module that matters here has no payload, or one that is read with it.
        while let Some((command, sn)) = next(&mut stream, &mut frame) {
            match answer(command, sn) {
                Some(bytes) => stream.write_all(&bytes).unwrap(),
                None => return,
            }
        }
    });
    format!("tcp://127.0.0.1:{port}")
}

/// Reads a frame without an ff in it. Returns its command and sequence number.
fn next(stream: &mut TcpStream, head: &mut [u8; 9]) -> Option<(u8, u8)> {
    stream.read_exact(&mut head[..4]).ok()?;
    let mut rest = vec![0; usize::from(head[3])];
    stream.read_exact(&mut rest).ok()?;
    Some((rest[0], rest[1]))
}

fn described(sn: u8) -> Vec<u8> {
    wire(2, sn, 0, DeviceInfo::new(Product::PRODUCT_KEY).bytes())
}

#[test]
fn an_mcu_refuses_or_goes_away() {
    // The control is illegal for the MCU.
    let port = peer(Vec::new(), |command, sn| {
        Some(match command {
            1 => described(sn),
            3 => wire(0x12, sn, 0, &[3]),
            _ => wire(command + 1, sn, 0, &[]),
        })
    });
    let ran = script(&port, "\nswitch=on\nswitch=off\n");
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("line 2: the MCU has rejected the control"),
        "{}",
        ran.stderr
    );
    // It acknowledges no control.
    let port = peer(Vec::new(), |command, sn| {
        Some(match command {
            1 => described(sn),
            3 => Vec::new(),
            _ => wire(command + 1, sn, 0, &[]),
        })
    });
    let ran = script(&port, "switch=on");
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("line 1: the MCU has not acknowledged the control"),
        "{}",
        ran.stderr
    );
    // It closes the line, after a description of another product, a wrong checksum and an unknown command.
    let mut corrupt = wire(5, 1, 0, &[4]);
    *corrupt.last_mut().unwrap() ^= 1;
    let first = [corrupt, wire(0x60, 2, 0, &[]), wire(5, 3, 0, &[4, 1])].concat();
    let port = peer(first, |command, sn| match command {
        1 => Some(wire(2, sn, 0, DeviceInfo::new(&[b'0'; 32]).bytes())),
        0x11 => Some(Vec::new()),
        _ => None,
    });
    let ran = run(&["module", &port, "-d", AIR_CONDITIONER]);
    assert_eq!(ran.code, 1);
    for told in [
        "a frame of the MCU has the checksum",
        "0x60 of the MCU was refused: the command is unknown",
        "warning: the device is of the product 00000000000000000000000000000000",
        "error: tcp://127.0.0.1:",
    ] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    // A report that is too short is shown with its error.
    let report = ran.json();
    let report = report.iter().find(|line| line["payload"] == "0401");
    assert!(report.unwrap()["decoded"]["error"].is_object());
}

#[test]
fn typical_mistakes_are_told() {
    let folder = Folder::new("module");
    let file = folder.write("file", "");
    let here = folder.0.to_str().unwrap();
    for (port, code, told) in [
        ("/no/such/port", 2, "/no/such/port: there is no such port"),
        (here, 2, "this is a folder: expected a serial port"),
        (&file, 2, "this is a file: expected a serial port"),
        ("/dev/null", 2, "this is no serial port"),
        ("udp://127.0.0.1:1", 2, "expected a serial port"),
        ("tcp://127.0.0.1", 2, "the address has no port"),
        ("tcp://127.0.0.1:1", 2, "tcp://127.0.0.1:1: "),
    ] {
        if cfg!(windows) && port.starts_with('/') {
            continue;
        }
        let ran = run(&["module", port, "-d", AIR_CONDITIONER]);
        assert_eq!((ran.code, &*ran.stdout), (code, ""), "{port}");
        assert!(ran.stderr.contains(told), "{port}: {}", ran.stderr);
    }
    // All lines of a script are checked before the port is opened.
    for (lines, told) in [
        ("switch=on\nset_temp=31\n", "-: line 2: "),
        ("# no\n\nspeed=1\n", "-: line 3: "),
        ("write\n", "-: line 1: `write` is no NAME=VALUE"),
    ] {
        let ran = script("/no/such/port", lines);
        assert_eq!((ran.code, &*ran.stdout), (1, ""), "{lines}");
        assert!(
            ran.stderr.starts_with(&format!("error: {told}")),
            "{}",
            ran.stderr
        );
    }
    let ran = run(&["module", "/no/such/port", "-d", "no-such-file.json"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("no-such-file.json"), "{}", ran.stderr);
    let ran = run(&[
        "module",
        "/no/such/port",
        "-d",
        AIR_CONDITIONER,
        "--baud",
        "0",
    ]);
    assert_eq!(ran.code, 2);
}
