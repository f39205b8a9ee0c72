//! The law of a client that reconnects, over a bad network.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use gizwits_codec_core::m2m::{self, Event};
use gizwits_codec_core::{Access, Layout, Point, PointId, Protocol, UintSpec};
use gizwits_lan::{
    BackoffOptions, Control, ControlError, ControlId, Delivery, DeviceEvent, DeviceOptions,
    Freshness, Identity, MAX_FRAME, ReconnectingClient, Server, ServerEvent, ServerOptions,
};

use crate::arbitrary::{self, Draw};
use crate::relay::{Arrival, Faults, Relay, Side};

/// A number that controls set, and one that changes by itself.
static LAYOUT: Layout<2> = Layout::must(
    Protocol::Standard,
    &[
        Point::uint32(0, Access::Writable, 0, UintSpec::new(0, u32::MAX)),
        Point::uint32(1, Access::ReadOnly, 4, UintSpec::new(0, u32::MAX)),
    ],
);

/// The device: its numbers, and the controls that it has applied.
#[derive(Debug, Default)]
struct Model {
    numbers: [u32; 2],
    applied: Vec<u32>,
}

impl Model {
    fn status(&self, action: u8) -> Vec<u8> {
        let [first, second] = self.numbers.map(u32::to_be_bytes);
        [&[action][..], &first, &second].concat()
    }
}

/// A control that was submitted.
#[derive(Debug)]
struct Submitted {
    number: u32,
    delivery: Delivery,
    until: Duration,
    outcome: Option<Result<(), ControlError>>,
}

/// A client and a device, and the network between them.
struct World<'d> {
    draw: Draw<'d>,
    now: Duration,
    faults: Faults,
    /// Whether bytes arrive at the client that the device has not sent.
    is_hostile: bool,
    backoff: BackoffOptions,
    client: ReconnectingClient<'static>,
    device: Model,
    /// The device's side of the connection, and the network.
    connection: Option<(Server, Relay)>,
    /// When an attempt to connect ends, and whether it succeeds.
    connecting: Option<(Duration, bool)>,
    /// When the client has to connect again.
    retry: Option<Duration>,
    failures: u32,
    controls: BTreeMap<ControlId, Submitted>,
    /// The statuses that have arrived whole and that the client has not passed on yet.
    arrived: Vec<Vec<u8>>,
    is_ready: bool,
    /// Whether a status has arrived over this connection.
    is_known: bool,
    /// The last frame of the last connection over which a status has arrived.
    stale_since: Option<Duration>,
}

impl World<'_> {
    /// Lets everything happen that is due until a time.
    fn run(&mut self, until: Duration) {
        loop {
            self.settle();
            let connecting = self.connecting.map(|(at, _)| at);
            let connection = self.connection.as_ref();
            let network = connection.and_then(|(_, relay)| relay.next());
            let server = connection.and_then(|(server, _)| server.poll_timeout());
            let due = [connecting, network, server, self.client.poll_timeout()];
            let next = due.into_iter().flatten().min();
            match next.filter(|next| *next <= until) {
                Some(next) => self.now = self.now.max(next),
                None => break,
            }
            self.step();
        }
        self.now = self.now.max(until);
    }

    /// Does what is due now.
    fn step(&mut self) {
        if let Some((at, is_up)) = self.connecting
            && self.now >= at
        {
            self.connecting = None;
            match is_up {
                true => {
                    let options = ServerOptions::new("ABCDEFGHIJ", Identity::default());
                    let server = Server::new(options, self.now);
                    self.connection = Some((server, Relay::default()));
                    self.client.connected(self.now);
                }
                false => {
                    let kind = io::ErrorKind::ConnectionRefused;
                    self.client.unreachable(kind, self.now);
                }
            }
        }
        if let Some((server, relay)) = &mut self.connection {
            match relay.arrival(Side::Device, self.now) {
                Some(Arrival::Bytes { bytes, .. }) => server.receive(&bytes, self.now),
                Some(Arrival::Closed) => server.close(),
                None => server.handle_timeout(self.now),
            }
            match relay.arrival(Side::Client, self.now) {
                Some(Arrival::Bytes { bytes, whole }) => {
                    for frame in whole {
                        self.arrived.extend(status(&frame));
                    }
                    self.client.receive(&bytes, self.now);
                }
                Some(Arrival::Closed) => self.client.disconnected(self.now),
                None => {}
            }
        }
        self.client.handle_timeout(self.now);
    }

    /// Takes the events and the output of both sides, until there are none.
    fn settle(&mut self) {
        loop {
            let mut is_idle = true;
            while let Some(event) = self.client.poll_event() {
                is_idle = false;
                self.event(event);
            }
            if !self.client.is_connected() {
                self.connection = None;
                self.arrived.clear();
            }
            if self.client.poll_connect(self.now) {
                is_idle = false;
                if let Some(retry) = self.retry.take() {
                    assert_eq!(retry, self.now, "the wait is the one that was told");
                }
                let wait = Duration::from_millis(self.draw.below(5000).into());
                let is_up = self.faults.cut == 0 || !self.draw.chance(30);
                self.connecting = Some((self.now + wait, is_up));
            }
            assert!(self.client.has_output() || self.client.poll_output(self.now).is_none());
            while let Some(bytes) = self.client.poll_output(self.now) {
                is_idle = false;
                self.output(&bytes);
            }
            if let Some((server, relay)) = &mut self.connection {
                let mut is_closed = false;
                while let Some(event) = server.poll_event() {
                    is_idle = false;
                    match event {
                        ServerEvent::Request { sn, p0 } => match &p0[..] {
                            [0x02] => _ = server.answer(sn, &self.device.status(0x03)),
                            [0x01, 1, number @ ..] => {
                                let number = u32::from_be_bytes(number.try_into().unwrap());
                                self.device.numbers[0] = number;
                                self.device.applied.push(number);
                                server.answer(sn, &[]);
                                server.report(&self.device.status(0x04));
                            }
                            p0 => panic!("{p0:02x?}"),
                        },
                        ServerEvent::LoggedIn => {}
                        ServerEvent::Closed => is_closed = true,
                        event => panic!("{event:?}"),
                    }
                }
                while let Some(bytes) = server.poll_output() {
                    is_idle = false;
                    let (draw, faults) = (&mut self.draw, self.faults);
                    relay.send(Side::Client, &bytes, self.now, faults, draw);
                }
                if is_closed {
                    relay.close(Side::Client, self.now);
                }
            }
            if is_idle {
                return;
            }
        }
    }

    /// Takes a frame of the client. A control in it is due.
    fn output(&mut self, bytes: &[u8]) {
        let (Event::Frame(frame), []) = m2m::parse(bytes, MAX_FRAME).expect("it is a frame") else {
            panic!("{bytes:02x?} is no frame alone");
        };
        if let Some([0x01, 1, number @ ..]) = frame.p0() {
            let number = u32::from_be_bytes(number.try_into().unwrap());
            let submitted = self.controls.values().find(|one| one.number == number);
            let submitted = submitted.expect("the control was submitted");
            assert_eq!(
                submitted.outcome, None,
                "{number} is sent after its outcome"
            );
            assert!(self.now < submitted.until, "{number} is sent too late");
        }
        let (_, relay) = self.connection.as_mut().expect("there is a connection");
        let (draw, faults) = (&mut self.draw, self.faults);
        relay.send(Side::Device, bytes, self.now, faults, draw);
    }

    fn event(&mut self, event: DeviceEvent) {
        match event {
            DeviceEvent::Ready { .. } => {
                assert!(!std::mem::replace(&mut self.is_ready, true));
            }
            DeviceEvent::NotConnected { retry, .. } => self.lost(false, retry),
            DeviceEvent::Disconnected { silence, retry, .. } => {
                assert!(silence <= Duration::from_secs(20) + Duration::from_millis(1));
                if std::mem::take(&mut self.is_known) {
                    self.stale_since = Some(self.now - silence);
                }
                let freshness = match self.stale_since {
                    Some(since) => Freshness::Stale(self.now - since),
                    None => Freshness::Unknown,
                };
                assert_eq!(self.client.freshness(self.now), freshness);
                self.lost(true, retry);
            }
            DeviceEvent::Outcome { id, outcome } => {
                let submitted = self.controls.get_mut(&id).expect("it was submitted");
                assert_eq!(submitted.outcome.replace(outcome), None);
            }
            DeviceEvent::Status { p0 } => {
                self.is_known = true;
                if !self.is_hostile {
                    assert!(self.is_ready && !self.arrived.is_empty(), "{p0:02x?}");
                    assert_eq!(self.arrived.remove(0), p0);
                }
            }
            DeviceEvent::Data { p0 } if !self.is_hostile => panic!("{p0:02x?}"),
            _ => {}
        }
    }

    /// The connection has ended, or an attempt has failed.
    fn lost(&mut self, was_ready: bool, retry: Duration) {
        assert_eq!(std::mem::replace(&mut self.is_ready, false), was_ready);
        // Without a connection that has lasted, each wait is longer than the last. With one, it may be the first again.
        let limit = |failures: u32| {
            let first = self.backoff.base;
            first
                .saturating_mul(1 << failures.min(20))
                .min(self.backoff.cap)
        };
        let (low, high) = (if was_ready { 0 } else { self.failures }, self.failures);
        assert!(retry >= limit(low) / 2 && retry <= limit(high), "{retry:?}");
        self.failures = match retry < limit(high) / 2 {
            true => 1,
            false => self.failures + 1,
        };
        assert!(self.retry.replace(self.now + retry).is_none());
        // All that has arrived whole was passed on.
        assert!(self.is_hostile || self.arrived.is_empty());
    }

    fn submit(&mut self) {
        let number = self.controls.len() as u32 + 1;
        let mut control = Control::new(&[&[0x01, 1][..], &number.to_be_bytes()].concat());
        control.deadline = Duration::from_millis(self.draw.pick(&[0, 300, 10_000, 60_000]));
        control.delivery = match self.draw.bool() {
            true => Delivery::AtLeastOnce,
            false => Delivery::AtMostOnce,
        };
        let (delivery, until) = (control.delivery, self.now + control.deadline);
        let waiting = self.controls.values().filter(|one| one.outcome.is_none());
        let is_full = waiting.count() >= ReconnectingClient::MAX_CONTROLS;
        let submitted = self.client.submit(control, self.now);
        assert_eq!(submitted.is_err(), is_full);
        if let Ok(id) = submitted {
            let submitted = Submitted {
                number,
                delivery,
                until,
                outcome: None,
            };
            assert!(self.controls.insert(id, submitted).is_none());
        }
    }
}

/// The status in a frame, if it has one.
fn status(frame: &[u8]) -> Option<Vec<u8>> {
    let (Event::Frame(frame), []) = m2m::parse(frame, MAX_FRAME).ok()? else {
        return None;
    };
    frame
        .p0()
        .filter(|p0| matches!(p0, [3 | 4, ..]))
        .map(<[u8]>::to_vec)
}

/// A client that reconnects and a device, behind a network that delays, cuts into pieces, adds garbage, cuts connections and
/// loses them in silence. No status that has arrived whole is lost or out of order. Each control has exactly one outcome, is
/// applied at most once unless it may be sent again, in the order of the controls, never if its outcome says that it was
/// not sent, and is not sent after its deadline. Attempts to connect follow the backoff. When the network works again, the
/// status of the client is that of the device.
///
/// # Panics
/// If the law is broken.
pub fn lan_device(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let mut options = DeviceOptions::default();
    options.layout = Some(LAYOUT.get());
    options.backoff.base = Duration::from_millis(draw.pick(&[500, 1, 3000]));
    options.backoff.seed = Some(draw.below(1000).into());
    if draw.chance(20) {
        options.client.passcode = Some(b"old".to_vec().into());
    }
    let is_hostile = draw.chance(20);
    let mut world = World {
        faults: Faults::draw(&mut draw),
        is_hostile,
        backoff: options.backoff.clone(),
        client: ReconnectingClient::new(options, Duration::ZERO),
        draw,
        now: Duration::ZERO,
        device: Model::default(),
        connection: None,
        connecting: None,
        retry: None,
        failures: 0,
        controls: BTreeMap::new(),
        arrived: Vec::new(),
        is_ready: false,
        is_known: false,
        stale_since: None,
    };
    for _ in 0..200 {
        if world.draw.is_empty() {
            break;
        }
        match world.draw.below(8) {
            0 | 1 => {
                let time = world.draw.pick(&[1, 100, 2000, 30_000]);
                let time = Duration::from_millis(world.draw.below(time).into());
                world.run(world.now + time);
            }
            2 | 3 => world.submit(),
            4 if is_hostile => {
                let bytes = match world.draw.bool() {
                    true => arbitrary::stream(&mut world.draw),
                    false => world.draw.bytes(20),
                };
                world.client.receive(&bytes, world.now);
                world.settle();
            }
            _ => {
                world.device.numbers[1] += 1;
                let report = world.device.status(0x04);
                if let Some((server, _)) = &mut world.connection {
                    server.report(&report);
                }
                world.settle();
            }
        }
    }
    world.faults = Faults::default();
    world.run(world.now + Duration::from_secs(600));
    let World {
        client,
        device,
        controls,
        ..
    } = &world;
    for Submitted {
        number,
        delivery,
        outcome,
        ..
    } in controls.values()
    {
        let applied = device.applied.iter().filter(|one| *one == number).count();
        let outcome = outcome.expect("each control has an outcome");
        match outcome {
            Err(ControlError::NotSent) => assert_eq!(applied, 0, "{number}"),
            Ok(()) => assert!(is_hostile || applied > 0, "{number}"),
            Err(error) => assert!(error.may_be_executed()),
        }
        assert!(
            applied <= 1 || *delivery == Delivery::AtLeastOnce,
            "{number}"
        );
    }
    assert!(device.applied.is_sorted(), "{:?}", device.applied);
    if !is_hostile {
        assert!(client.is_ready(), "{client:?}");
        assert_eq!(client.freshness(world.now), Freshness::Current);
        let view = client.view().expect("there is a layout");
        let known = [0, 1].map(|id| view.raw(PointId(id)));
        assert_eq!(known, device.numbers.map(Some));
    }
}
