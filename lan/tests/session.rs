//! A session of a client and a device: its steps, its ends, and what is sent when.

use std::time::Duration;

use gizwits_lan::{
    Client, ClientEvent, ClientOptions, Closed, Identity, MAX_FRAME, RequestError, Server,
    ServerEvent, ServerOptions, Step,
};
use secrecy::ExposeSecret as _;

const START: Duration = Duration::ZERO;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn device() -> Server {
    let mut identity = Identity::default();
    identity.wifi_software = "04020034".to_owned();
    identity.product_key = "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50".to_owned();
    Server::new(ServerOptions::new("ABCDEFGHIJ", identity), START)
}

/// The frames that the client sends, as hex.
fn sent(client: &mut Client, now: Duration) -> Vec<String> {
    let frames = std::iter::from_fn(|| client.poll_output(now));
    let hex = |byte: &u8| format!("{byte:02x}");
    frames
        .map(|frame| frame.iter().map(hex).collect())
        .collect()
}

fn events(client: &mut Client) -> Vec<ClientEvent> {
    std::iter::from_fn(|| client.poll_event()).collect()
}

/// Passes bytes on in both directions until neither side has any. The device answers reads with this status.
fn run(client: &mut Client, device: &mut Server, now: Duration) {
    loop {
        let mut is_idle = true;
        while let Some(bytes) = client.poll_output(now) {
            is_idle = false;
            device.receive(&bytes, now);
        }
        while let Some(event) = device.poll_event() {
            if let ServerEvent::Request { sn, p0 } = event {
                device.answer(sn, if p0[..] == [2] { &[3, 1] } else { &[] });
            }
        }
        while let Some(bytes) = device.poll_output() {
            is_idle = false;
            client.receive(&bytes, now);
        }
        if is_idle {
            return;
        }
    }
}

/// A client that has logged in, without events that wait.
fn ready() -> (Client, Server) {
    let (mut client, mut device) = (Client::new(ClientOptions::default(), START), device());
    run(&mut client, &mut device, START);
    assert!(client.is_ready());
    events(&mut client);
    (client, device)
}

#[test]
fn the_login_byte_by_byte() {
    let mut client = Client::new(ClientOptions::default(), START);
    assert_eq!(sent(&mut client, START), ["0000000303000006"]);
    assert_eq!(client.request(&[2]), Err(RequestError::NotReady));
    for byte in b"\0\0\0\x03\x0f\0\0\x07\0\x0aABCDEFGHIJ" {
        client.receive(&[*byte], START);
    }
    assert_eq!(
        sent(&mut client, START),
        ["000000030f000008000a4142434445464748494a"]
    );
    client.receive(b"\0\0\0\x03\x04\0\0\x09\0", START);
    assert_eq!(sent(&mut client, START), ["0000000303000013"]);
    assert_eq!(events(&mut client), [ClientEvent::Ready]);
    let passcode = client.passcode().expect("the device has sent it");
    assert_eq!(passcode.expose_secret(), b"ABCDEFGHIJ");
    let shown = format!("{client:?}");
    assert!(
        !shown.contains("ABCD") && !shown.contains("65, 66"),
        "{shown}"
    );
}

#[test]
fn the_module_says_what_it_is() {
    let (mut client, mut device) = (Client::new(ClientOptions::default(), START), device());
    run(&mut client, &mut device, START);
    let [ClientEvent::Ready, ClientEvent::Identity(identity)] = &events(&mut client)[..] else {
        panic!();
    };
    assert_eq!(identity.wifi_software, "04020034");
    assert_eq!(identity.product_key, "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50");
    // A module whose fields have other lengths.
    let body = b"\0\0\0\x03\x26\0\0\x14x\0\x209b3ff3e5c9a14d4a9b1f1d8c2a7e6f50";
    client.receive(body, START);
    let [ClientEvent::Identity(identity)] = &events(&mut client)[..] else {
        panic!();
    };
    assert_eq!(identity.product_key, "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50");
}

#[test]
fn a_passcode_is_kept() {
    let mut options = ClientOptions::default();
    options.passcode = Some(b"ABCDEFGHIJ".to_vec().into());
    let mut client = Client::new(options.clone(), START);
    run(&mut client, &mut device(), START);
    assert!(client.is_ready());

    options.passcode = Some(b"0123456789".to_vec().into());
    let mut client = Client::new(options, START);
    run(&mut client, &mut device(), START);
    let closed = Closed::LoginRefused { status: 1 };
    assert_eq!(events(&mut client), [ClientEvent::Closed(closed)]);
    assert_eq!(client.request(&[2]), Err(RequestError::Closed));
}

#[test]
fn a_device_outside_its_binding_period() {
    let mut client = Client::new(ClientOptions::default(), START);
    let mut device = Server::new(ServerOptions::new("", Identity::default()), START);
    run(&mut client, &mut device, START);
    let closed = ClientEvent::Closed(Closed::NotBindable);
    assert_eq!(events(&mut client), [closed]);
    assert_eq!(device.poll_event(), None);
    assert_eq!(device.poll_timeout(), None);
}

#[test]
fn a_device_that_does_not_answer_the_login() {
    let mut client = Client::new(ClientOptions::default(), START);
    assert_eq!(client.poll_timeout(), Some(seconds(5.0)));
    client.handle_timeout(seconds(4.9));
    assert_eq!(events(&mut client), []);
    client.handle_timeout(seconds(5.0));
    let closed = Closed::NoAnswer(Step::Passcode);
    assert_eq!(events(&mut client), [ClientEvent::Closed(closed)]);
    assert_eq!(
        (client.poll_timeout(), client.poll_output(START)),
        (None, None)
    );
}

#[test]
fn heartbeats_and_silence() {
    let (mut client, mut device) = ready();
    let mut now = START;
    for _ in 0..100 {
        now = client.poll_timeout().expect("a heartbeat is due");
        client.handle_timeout(now);
        run(&mut client, &mut device, now);
    }
    assert_eq!(now, seconds(400.0));
    assert_eq!(events(&mut client), []);
    // The device is switched off, or sends nothing but garbage.
    while let Some(deadline) = client.poll_timeout() {
        now = deadline;
        client.receive(b"garbage", now);
        client.handle_timeout(now);
    }
    assert_eq!(now, seconds(420.0));
    let last = events(&mut client).pop();
    assert_eq!(last, Some(ClientEvent::Closed(Closed::Silent)));
    // The device drops a client that is silent.
    assert_eq!(device.poll_timeout(), Some(seconds(414.0)));
    device.handle_timeout(seconds(414.0));
    assert_eq!(device.poll_event(), Some(ServerEvent::Closed));
}

#[test]
fn a_control_is_sent_once() {
    let (mut client, mut device) = ready();
    let done = client.request(&[1, 1, 1]).unwrap();
    assert_eq!(
        client.poll_output(START).as_deref(),
        Some(&b"\0\0\0\x03\x0a\0\0\x93\0\0\0\x01\x01\x01\x01"[..])
    );
    let lost = client.request(&[1, 1, 0]).unwrap();
    client.receive(b"\0\0\0\x03\x07\0\0\x94\0\0\0\x01", START);
    // Some devices send their did with the acknowledgement, and a second acknowledgement changes nothing.
    client.receive(b"\0\0\0\x03\x0b\x01\0\x94\0\0\0\x01\0\x02ab", START);
    let ignored = ClientEvent::Ignored { command: 0x94 };
    let acknowledged = ClientEvent::Acknowledged(done);
    assert_eq!(events(&mut client), [acknowledged, ignored]);
    sent(&mut client, START);
    client.handle_timeout(seconds(4.0));
    assert_eq!(sent(&mut client, START), ["0000000303000015"]);
    client.handle_timeout(seconds(5.0));
    assert_eq!(events(&mut client), [ClientEvent::Unanswered(lost)]);
    assert_eq!(sent(&mut client, START), [""; 0]);
    let open = client.request(&[1, 1, 1]).unwrap();
    client.disconnected();
    let closed = ClientEvent::Closed(Closed::ByDevice);
    assert_eq!(events(&mut client), [ClientEvent::Unanswered(open), closed]);
    run(&mut client, &mut device, seconds(5.0));
}

#[test]
fn reads() {
    let p0 = |p0: &[u8], answers| ClientEvent::P0 {
        p0: p0.to_vec().into(),
        answers,
    };
    let (mut client, mut device) = ready();
    let read = client.request(&[2]).unwrap();
    run(&mut client, &mut device, START);
    assert_eq!(events(&mut client), [p0(&[3, 1], Some(read))]);
    // A report in between is no answer, a reply in a frame of its own is one.
    let read = client.request(&[2]).unwrap();
    client.receive(
        b"\0\0\0\x03\x05\0\0\x91\x04\x01\0\0\0\x03\x05\0\0\x91\x03\x01",
        START,
    );
    assert_eq!(
        events(&mut client),
        [p0(&[4, 1], None), p0(&[3, 1], Some(read))]
    );
    // An old module, which answers no acknowledged read, and answers a plain one with a report.
    sent(&mut client, START);
    let read = client.request(&[2]).unwrap();
    assert_eq!(sent(&mut client, START), ["00000003080000930000000302"]);
    client.handle_timeout(seconds(2.5));
    assert_eq!(sent(&mut client, START), ["000000030400009002"]);
    client.receive(b"\0\0\0\x03\x05\0\0\x91\x04\x01", seconds(2.6));
    assert_eq!(events(&mut client), [p0(&[4, 1], Some(read))]);
}

#[test]
fn requests_of_the_device() {
    let (mut client, _) = ready();
    sent(&mut client, START);
    client.receive(b"\0\0\0\x03\x09\0\0\x93\0\0\0\x07\x04\x01", START);
    assert_eq!(sent(&mut client, START), ["000000030700009400000007"]);
    // A sequence number in a frame whose command has none.
    client.receive(b"\0\0\0\x03\x09\0\0\x91\0\0\0\x07\x04\x01", START);
    let report = ClientEvent::P0 {
        p0: vec![4, 1].into(),
        answers: None,
    };
    assert_eq!(events(&mut client), [report.clone(), report]);
}

#[test]
fn limits() {
    let (mut client, _) = ready();
    for p0 in [&[][..], &[0x04], &[0x06]] {
        assert_eq!(client.request(p0), Err(RequestError::Action));
    }
    let long = vec![5; MAX_FRAME];
    assert_eq!(client.request(&long), Err(RequestError::TooLong));
    let limit = Client::MAX_REQUESTS;
    assert!((0..limit).all(|_| client.request(&[2]).is_ok()));
    assert_eq!(client.request(&[2]), Err(RequestError::TooMany));
    // A status of 65,535 bytes, one byte at a time, and a device that makes the client answer without end.
    let mut frame = b"\0\0\0\x03\x83\x80\x04\0\0\x91\x04".to_vec();
    frame.resize(frame.len() + 65_535, 7);
    for byte in &frame {
        client.receive(&[*byte], START);
    }
    let [ClientEvent::P0 { p0, .. }] = &events(&mut client)[..] else {
        panic!();
    };
    assert_eq!(p0.len(), 65_536);
    for _ in 0..10_000 {
        client.receive(b"\0\0\0\x03\x07\0\0\x93\0\0\0\x07", START);
    }
    assert!(sent(&mut client, START).len() <= 256);
}

/// A status of few points is no answer to a read of others, be it a report or the answer to somebody else.
#[test]
fn reads_of_points() {
    let frame = |p0: &[u8]| [&[0, 0, 0, 3, 3 + p0.len() as u8, 0, 0, 0x91], p0].concat();
    let answers = |client: &mut Client, p0: &[u8]| {
        client.receive(&frame(p0), seconds(3.0));
        match &events(client)[..] {
            [ClientEvent::P0 { answers, .. }] => *answers,
            events => panic!("{events:?}"),
        }
    };
    let (mut client, _) = ready();
    let read = client.request(&[0x12, 0x7f, 0xff]).unwrap();
    sent(&mut client, START);
    assert_eq!(answers(&mut client, &[0x14, 0x7f, 0xff, 1]), None);
    client.handle_timeout(seconds(2.5));
    assert_eq!(answers(&mut client, &[0x14, 0, 1, 1]), None);
    assert_eq!(answers(&mut client, &[0x13, 0, 1, 1]), None);
    assert_eq!(answers(&mut client, &[0x13, 0x7f]), None);
    assert_eq!(answers(&mut client, &[0x14, 0x7f, 0xff, 1]), Some(read));
    // A mask of ones asks for all points, whatever their number.
    let read = client.request(&[0x12, 0xff, 0xff, 0xff, 0xff]).unwrap();
    assert_eq!(answers(&mut client, &[0x13, 3, 0xff, 1]), Some(read));
}

/// The time of a request begins when the caller takes its bytes, so that no request is given up and then sent.
#[test]
fn a_request_that_waits_to_be_sent() {
    let (mut client, mut device) = ready();
    let control = client.request(&[1, 1, 1]).unwrap();
    client.handle_timeout(seconds(6.0));
    assert_eq!(events(&mut client), []);
    run(&mut client, &mut device, seconds(6.0));
    assert_eq!(events(&mut client), [ClientEvent::Acknowledged(control)]);
}

#[test]
fn times_without_an_end() {
    let mut options = ClientOptions::default();
    (options.request_timeout, options.idle_timeout) = (Duration::MAX, Duration::MAX);
    options.heartbeat_interval = Duration::ZERO;
    let mut client = Client::new(options, START);
    assert_eq!(client.poll_timeout(), Some(Duration::MAX));
    run(&mut client, &mut device(), START);
    client.handle_timeout(seconds(1e6));
    assert!(client.is_ready());
    assert_eq!(
        client.poll_timeout(),
        Some(seconds(1e6) + Duration::from_millis(100))
    );
}

/// Modules ignore the body of a request that has none.
#[test]
fn a_request_with_bytes_too_many() {
    let mut device = device();
    device.receive(b"\0\0\0\x03\x05\0\0\x06\x01\0", START);
    let answer = device.poll_output().unwrap();
    assert_eq!(answer[..], *b"\0\0\0\x03\x0f\0\0\x07\0\x0aABCDEFGHIJ");
    // A login without its passcode is none.
    device.receive(b"\0\0\0\x03\x05\0\0\x08\x01\0", START);
    assert_eq!((device.poll_output(), device.poll_event()), (None, None));
}
