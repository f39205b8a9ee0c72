//! A client that reconnects, without a socket: its answers to a device that is slow or answers in part.

use std::time::Duration;

use gizwits_codec_core::m2m::{self, Event, Message};
use gizwits_codec_core::{Access, Layout, Point, Protocol, UintSpec};
use gizwits_lan::{
    Control, ControlError, Delivery, DeviceEvent, DeviceOptions, Freshness, MAX_FRAME,
    ReconnectingClient,
};

static LAYOUT: Layout<1> = Layout::must(
    Protocol::Standard,
    &[Point::uint8(0, Access::Writable, 0, UintSpec::new(0, 255))],
);

const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn frame(message: &Message<'_>) -> Vec<u8> {
    let mut frame = vec![0; 256];
    let len = message.encode(&mut frame).unwrap();
    frame.truncate(len);
    frame
}

/// Connects and logs in, and nothing else.
fn log_in(client: &mut ReconnectingClient<'_>, now: Duration) {
    assert!(client.poll_connect(now));
    client.connected(now);
    while client.poll_output(now).is_some() {}
    if !client.is_ready() && client.passcode().is_none() {
        client.receive(&frame(&Message::Passcode(m2m::Secret(b"A"))), now);
    }
    client.receive(&frame(&Message::LoginResult(0)), now);
    assert!(client.is_ready());
}

fn report(client: &mut ReconnectingClient<'_>, value: u8, now: Duration) {
    let message = Message::P0 {
        command: 0x91,
        sn: None,
        p0: &[4, value],
    };
    client.receive(&frame(&message), now);
}

/// Lets the time pass from `from` until `until`, with a device that answers heartbeats only. Returns the requests of the
/// client, each with its sequence number.
fn requests(
    client: &mut ReconnectingClient<'_>,
    from: Duration,
    until: Duration,
) -> Vec<(u32, Vec<u8>)> {
    let (mut now, mut requests) = (from, Vec::new());
    loop {
        while let Some(bytes) = client.poll_output(now) {
            let Ok((Event::Frame(sent), [])) = m2m::parse(&bytes, MAX_FRAME) else {
                panic!("{bytes:02x?}");
            };
            match sent.message().unwrap() {
                Message::Heartbeat => client.receive(&frame(&Message::HeartbeatAck), now),
                Message::P0 {
                    sn: Some(sn), p0, ..
                } => requests.push((sn, p0.to_vec())),
                _ => {}
            }
        }
        now = client.poll_timeout().unwrap().max(now);
        if now > until {
            return requests;
        }
        client.handle_timeout(now);
    }
}

fn p0s(requests: Vec<(u32, Vec<u8>)>) -> Vec<Vec<u8>> {
    requests.into_iter().map(|(_, p0)| p0).collect()
}

/// A connection over which no status has arrived does not make the status younger.
#[test]
fn a_status_is_stale_since_it_was_up_to_date_last() {
    let mut options = DeviceOptions::default();
    options.layout = Some(LAYOUT.get());
    let mut client = ReconnectingClient::new(options, Duration::ZERO);
    log_in(&mut client, seconds(0));
    client.disconnected(seconds(5));
    assert_eq!(client.freshness(seconds(9)), Freshness::Unknown);
    log_in(&mut client, seconds(10));
    report(&mut client, 7, seconds(11));
    assert_eq!(client.freshness(seconds(12)), Freshness::Current);
    client.disconnected(seconds(15));
    for now in [100, 200] {
        log_in(&mut client, seconds(now));
        assert_eq!(
            client.freshness(seconds(now)),
            Freshness::Stale(seconds(now - 11))
        );
        client.disconnected(seconds(now + 1));
        assert_eq!(
            client.freshness(seconds(now + 1)),
            Freshness::Stale(seconds(now - 10))
        );
    }
    log_in(&mut client, seconds(300));
    report(&mut client, 8, seconds(301));
    assert_eq!(client.freshness(seconds(302)), Freshness::Current);
}

/// A read without an answer is sent again after growing waits, until a status has arrived.
#[test]
fn a_status_is_read_until_it_arrives() {
    let mut options = DeviceOptions::default();
    options.layout = Some(LAYOUT.get());
    let mut client = ReconnectingClient::new(options, Duration::ZERO);
    log_in(&mut client, seconds(0));
    let reads = p0s(requests(&mut client, seconds(0), seconds(120)));
    // Each wait is 5 s for the answer and a backoff of 0.5, 1, 2, 4, 8, 16 and 30 s at the most.
    assert!((5..=10).contains(&reads.len()), "{reads:?}");
    assert!(reads.iter().all(|read| *read == [2]), "{reads:?}");
    report(&mut client, 7, seconds(120));
    let reads = p0s(requests(&mut client, seconds(120), seconds(600)));
    assert_eq!(reads, [[0; 0]; 0]);
    // The next connection reads at once.
    client.disconnected(seconds(600));
    log_in(&mut client, seconds(700));
    let reads = p0s(requests(&mut client, seconds(700), seconds(701)));
    assert_eq!(reads, [[2]]);
}

/// Without a layout, the product may be of either protocol.
#[test]
fn a_status_of_an_unknown_product_is_read() {
    let mut client = ReconnectingClient::new(DeviceOptions::default(), Duration::ZERO);
    log_in(&mut client, seconds(0));
    let reads = p0s(requests(&mut client, seconds(0), seconds(15)));
    assert_eq!(reads[..2], [&[2][..], &[0x12, 0xff, 0xff, 0xff, 0xff]]);
    // The answer of a var_len product ends the reads, also if it is late and another read was sent meanwhile.
    for late in [0, 4, 20, 60] {
        let mut client = ReconnectingClient::new(DeviceOptions::default(), Duration::ZERO);
        log_in(&mut client, seconds(0));
        let sn = requests(&mut client, seconds(0), seconds(40))
            .last()
            .unwrap()
            .0;
        let now = seconds(40 + late);
        requests(&mut client, seconds(40), now);
        let answer = Message::P0 {
            command: 0x94,
            sn: Some(sn),
            p0: &[0x13, 0x01, 0x05],
        };
        client.receive(&frame(&answer), now);
        let reads = p0s(requests(&mut client, now, seconds(600)));
        assert_eq!(reads, [[0; 0]; 0], "{late} s");
    }
}

/// The acknowledgement of a control that was sent again meanwhile counts.
#[test]
fn a_late_acknowledgement_counts() {
    let mut client = ReconnectingClient::new(DeviceOptions::default(), Duration::ZERO);
    log_in(&mut client, seconds(0));
    let mut control = Control::new(&[1, 1, 5]);
    control.deadline = seconds(60);
    control.delivery = Delivery::AtLeastOnce;
    let id = client.submit(control.clone(), seconds(0)).unwrap();
    control.delivery = Delivery::AtMostOnce;
    control.p0 = vec![1, 1, 6].into();
    let next = client.submit(control, seconds(0)).unwrap();
    let sent = requests(&mut client, seconds(0), seconds(6));
    let is_control = |(_, p0): &&(u32, Vec<u8>)| p0[0] == 1;
    let sns: Vec<u32> = sent.iter().filter(is_control).map(|one| one.0).collect();
    let [first, second] = sns[..] else {
        panic!("{sent:?}");
    };
    let outcomes = |client: &mut ReconnectingClient<'_>| -> Vec<_> {
        std::iter::from_fn(|| client.poll_event())
            .filter_map(|event| match event {
                DeviceEvent::Outcome { id, outcome } => Some((id, outcome)),
                _ => None,
            })
            .collect()
    };
    client.receive(&frame(&Message::Ack { sn: first }), seconds(6));
    assert_eq!(outcomes(&mut client), [(id, Ok(()))]);
    // The next control has a number of its own, and the acknowledgement of the repetition is none of it.
    let sent = requests(&mut client, seconds(6), seconds(7));
    assert!(sent.iter().all(|(sn, _)| *sn != second), "{sent:?}");
    client.receive(&frame(&Message::Ack { sn: second }), seconds(7));
    assert_eq!(outcomes(&mut client), []);
    requests(&mut client, seconds(7), seconds(20));
    assert_eq!(
        outcomes(&mut client),
        [(next, Err(ControlError::Unacknowledged))]
    );
}
