//! The law of a session on the local network.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gizwits_codec_core::m2m::{self, Event, Frame, Message};
use gizwits_lan::{
    Client, ClientEvent, ClientOptions, Identity, MAX_FRAME, RequestId, Server, ServerEvent,
    ServerOptions,
};

use crate::arbitrary::{self, Draw};

/// A client that is watched, and a second one that receives the same bytes one at a time.
struct Watched {
    client: Client,
    slow: Client,
    is_ready: bool,
    is_closed: bool,
    /// The number of outcomes of each request.
    outcomes: BTreeMap<RequestId, u32>,
    /// The number of sent frames by command, and of frames that the client was asked to acknowledge.
    sent: BTreeMap<u16, usize>,
    asked: usize,
    /// The sequence numbers of the sent requests, and the number of reads among them.
    requests: BTreeSet<Option<u32>>,
    reads: usize,
    skipped: (usize, usize),
}

fn is_read(frame: &Frame<'_>) -> bool {
    matches!(frame.p0(), Some([0x02 | 0x12, ..]))
}

impl Watched {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        let mut rest = bytes;
        // Counts more requests than the client finds if they begin in earlier bytes: an upper limit is enough.
        while let Some(at) = rest.windows(2).position(|two| two == [0, 0x93]) {
            self.asked += 1;
            rest = &rest[at + 2..];
        }
        self.asked += usize::from(bytes.first() == Some(&0x93));
        self.client.receive(bytes, now);
        for byte in bytes {
            self.slow.receive(&[*byte], now);
        }
        self.events();
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.client.handle_timeout(now);
        self.slow.handle_timeout(now);
        self.events();
        let deadline = self.client.poll_timeout();
        assert!(
            deadline.is_none_or(|deadline| deadline > now),
            "{deadline:?} at {now:?}"
        );
    }

    fn request(&mut self, p0: &[u8]) {
        let sent = self.client.request(p0);
        assert_eq!(sent, self.slow.request(p0));
        if let Ok(id) = sent {
            assert!(self.is_ready && !self.is_closed);
            assert_eq!(self.outcomes.insert(id, 0), None);
        }
    }

    /// Takes the events of both clients. They are the same, except for the cuts of garbage.
    fn events(&mut self) {
        let of = |client: &mut Client, skipped: &mut usize| {
            let mut events = Vec::new();
            while let Some(event) = client.poll_event() {
                match event {
                    ClientEvent::Skipped { bytes } => *skipped += bytes,
                    event => events.push(event),
                }
            }
            events
        };
        let events = of(&mut self.client, &mut self.skipped.0);
        assert_eq!(events, of(&mut self.slow, &mut self.skipped.1));
        assert_eq!(self.skipped.0, self.skipped.1);
        for event in events {
            assert!(!self.is_closed, "{event:?} after the end");
            match event {
                ClientEvent::Ready => {
                    assert!(!self.is_ready);
                    self.is_ready = true;
                }
                ClientEvent::Acknowledged(id)
                | ClientEvent::Unanswered(id)
                | ClientEvent::P0 {
                    answers: Some(id), ..
                } => *self.outcomes.get_mut(&id).expect("it was requested") += 1,
                ClientEvent::Closed(_) => self.is_closed = true,
                _ => assert!(self.is_ready || matches!(event, ClientEvent::Ignored { .. })),
            }
        }
    }

    /// Takes what the client sends: whole frames that are due, never a word out of turn.
    fn output(&mut self, now: Duration) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(bytes) = self.client.poll_output(now) {
            assert_eq!(Some(&bytes), self.slow.poll_output(now).as_ref());
            let (Event::Frame(frame), []) = m2m::parse(&bytes, MAX_FRAME).expect("it is a frame")
            else {
                panic!("{bytes:02x?} is no frame alone");
            };
            *self.sent.entry(frame.command).or_default() += 1;
            match frame.command {
                0x0006 | 0x0008 => assert!(!self.is_ready),
                0x0013 | 0x0015 => assert!(self.is_ready),
                m2m::ACK => assert!(self.is_ready && self.sent[&m2m::ACK] <= self.asked),
                // Each request is sent once, and a read is repeated once.
                m2m::REQUEST => {
                    let of = self.outcomes.keys().find(|id| Some(id.sn()) == frame.sn);
                    assert!(of.is_some());
                    assert!(self.requests.insert(frame.sn), "{frame:?} is sent twice");
                    self.reads += usize::from(is_read(&frame));
                }
                m2m::TO_DEVICE => {
                    assert!(is_read(&frame) && self.sent[&m2m::TO_DEVICE] <= self.reads);
                }
                command => panic!("{command:04x} out of turn"),
            }
            all.extend_from_slice(&bytes);
        }
        assert_eq!(self.slow.poll_output(now), None);
        all
    }
}

/// A client and a device, of whose frames some are lost, with garbage, frames of any content and any times between them. Each
/// request has exactly one outcome, nothing is sent out of turn, the cuts of the stream change nothing, and nothing follows
/// the end.
///
/// # Panics
/// If the law is broken.
pub fn lan_session(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let mut now = Duration::ZERO;
    let mut options = ClientOptions::default();
    if draw.bool() {
        let passcode = [&b"ABCDEFGHIJ"[..], b"", b"another"][draw.below(3) as usize];
        options.passcode = Some(passcode.to_vec().into());
    }
    let mut watched = Watched {
        client: Client::new(options.clone(), now),
        slow: Client::new(options, now),
        is_ready: false,
        is_closed: false,
        outcomes: BTreeMap::new(),
        sent: BTreeMap::new(),
        asked: 0,
        requests: BTreeSet::new(),
        reads: 0,
        skipped: (0, 0),
    };
    let passcode = ["ABCDEFGHIJ", ""][usize::from(draw.chance(10))];
    let mut device = Server::new(ServerOptions::new(passcode, Identity::default()), now);
    for _ in 0..200 {
        if draw.is_empty() {
            break;
        }
        match draw.below(10) {
            0 | 1 => {
                now += Duration::from_millis(draw.below(6000).into());
                watched.handle_timeout(now);
                device.handle_timeout(now);
            }
            2 => {
                let len = draw.below(30) as usize;
                watched.receive(&draw.bytes(len), now);
            }
            3 => {
                let stream = arbitrary::stream(&mut draw);
                watched.receive(&stream, now);
                device.receive(&stream, now);
            }
            4 => {
                let command = draw.pick(&[0x0007, 0x0009, 0x0014, 0x0016, 0x0091, 0x0093, 0x0094]);
                let len = draw.below(40) as usize;
                let (sn, body) = (
                    Frame::has_sn(command).then(|| draw.below(8)),
                    draw.bytes(len),
                );
                let (flag, did) = (0, None);
                let frame = Frame {
                    flag,
                    command,
                    sn,
                    did,
                    body: &body,
                };
                let mut out = vec![0; body.len() + 20];
                let len = frame.encode(&mut out).expect("there is room");
                watched.receive(&out[..len], now);
            }
            5 | 6 => {
                let p0: [&[u8]; 5] = [
                    &[0x02],
                    &[0x12, 0xff],
                    &[0x01, 1, 1],
                    &[0x11, 1, 0],
                    &[0x04],
                ];
                watched.request(draw.pick(&p0));
            }
            7 => _ = device.report(&[0x04, draw.below(256) as u8]),
            8 if draw.chance(5) => match draw.bool() {
                true => [&mut watched.client, &mut watched.slow].map(Client::close),
                false => [&mut watched.client, &mut watched.slow].map(Client::disconnected),
            }
            .into_iter()
            .for_each(drop),
            _ => {}
        }
        watched.events();
        let output = watched.output(now);
        // A tenth of what is sent is lost.
        if !draw.chance(10) {
            device.receive(&output, now);
        }
        while let Some(event) = device.poll_event() {
            if let ServerEvent::Request { sn, p0 } = event {
                let reply: &[u8] = match p0.first() {
                    Some(0x02 | 0x12) => &[0x03, 1],
                    _ => &[],
                };
                device.answer(sn, reply);
            }
        }
        while let Some(bytes) = device.poll_output() {
            let (event, _) = m2m::parse(&bytes, MAX_FRAME).expect("the device sends frames");
            if let Event::Frame(frame) = event {
                let message = frame.message().expect("the device sends sound messages");
                assert!(!matches!(message, Message::Other { .. }));
            }
            if !draw.chance(10) {
                watched.receive(&bytes, now);
            }
        }
    }
    watched.client.disconnected();
    watched.slow.disconnected();
    watched.events();
    assert!(watched.is_closed && watched.output(now).is_empty());
    for (id, outcomes) in &watched.outcomes {
        assert_eq!(*outcomes, 1, "request {id}");
    }
    let request = watched.client.request(&[0x02]);
    assert!(request.is_err() && watched.client.poll_timeout().is_none());
}
