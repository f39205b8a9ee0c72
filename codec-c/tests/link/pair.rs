//! A link of the core beside one of the C ABI.

use gizwits::link::*;
use gizwits::status::gizwits_status as S;
use gizwits_codec_core::link::{Event, Link, Request};
use gizwits_codec_core::model::{self, DefaultPolicy, Model};
use gizwits_codec_core::uart::{Command, ConfigMode, DeviceInfo};
use gizwits_codec_core::{Action, Protocol};
use gizwits_tests::arbitrary::Draw;
use gizwits_tests::uart::wire;

use crate::generated::{Generated, INFO, Running};

const OUTBOX: usize = 8;

/// An event of either link.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    kind: gizwits_event,
    command: u8,
    sn: u8,
    number: u32,
    data: Vec<u8>,
}

fn of_c(event: &gizwits_link_event) -> Said {
    let data = match event.length {
        0 => &[],
        // SAFETY: the data is in the memory of the link until its next byte.
        length => unsafe { std::slice::from_raw_parts(event.data, length.into()) },
    };
    Said {
        kind: event.kind,
        command: event.command,
        sn: event.sn,
        number: event.number,
        data: data.to_vec(),
    }
}

/// What both links need.
pub(crate) struct Pair<M: Model> {
    info: DeviceInfo,
    buffer: Vec<u8>,
    outbox: [u8; OUTBOX],
    running: Running,
    model: std::marker::PhantomData<M>,
}

impl<M: Model> Pair<M> {
    pub(crate) fn new(generated: &'static Generated) -> Self {
        Pair {
            info: INFO,
            buffer: vec![0; Link::<M>::room()],
            outbox: [0; OUTBOX],
            running: Running::new(generated, OUTBOX),
            model: std::marker::PhantomData,
        }
    }

    pub(crate) fn with(&mut self, check: impl FnOnce(&mut Both<'_, M>)) {
        let least = values::<M>(&mut Draw::new(&[]));
        let mut both = Both {
            link: Link::new(&self.info, &mut self.buffer).with_outbox(&mut self.outbox),
            status: M::decode(&least),
            running: &mut self.running,
            sent: Vec::new(),
            now: 0,
            controls: 0,
        };
        both.set(&least);
        check(&mut both);
    }
}

/// Valid values.
fn values<M: Model>(draw: &mut Draw<'_>) -> M::Values {
    let (mut raw, mut valid) = (M::VALUES, M::VALUES);
    for byte in raw.as_mut() {
        *byte = draw.below(256) as u8;
    }
    M::encode::<DefaultPolicy>(&M::decode(&raw), &M::VALUES, &mut valid, &mut |_, _| {});
    valid
}

/// Both links and their statuses.
pub(crate) struct Both<'b, M: Model> {
    link: Link<'b, M>,
    status: M::Status,
    running: &'b mut Running,
    sent: Vec<u8>,
    now: u32,
    controls: u8,
}

impl<M: Model> Both<'_, M> {
    /// One step: a frame, noise, a change, a request, or time that passes.
    pub(crate) fn step(&mut self, draw: &mut Draw<'_>) {
        match draw.below(12) {
            0..4 => {
                let frame = self.frame(draw);
                self.receive(&frame);
            }
            4 => {
                let length = draw.below(6) as usize;
                self.receive(&draw.bytes(length));
            }
            5 => {
                let sent = std::mem::take(&mut self.sent);
                self.acknowledge(&sent, draw);
            }
            6 => {
                let values = values::<M>(draw);
                self.set(&values);
            }
            7 => self.request(draw),
            8 => {
                let length = draw.below(OUTBOX as u32 + 2) as usize;
                let data = draw.bytes(length);
                let here = self.link.send(&data).is_ok();
                // SAFETY: the link was initialised.
                let there =
                    unsafe { gizwits_link_send(self.running.link(), data.as_ptr(), data.len()) };
                assert_eq!(here, there == S::Ok);
            }
            9 => {
                let passed = draw.pick(&[1, 150, 200, 999, 6_000, 600_000, u32::MAX / 2]);
                self.now = self.now.wrapping_add(passed);
            }
            _ => self.poll(),
        }
        assert_eq!(self.link.wait(self.now), self.running.wait(self.now));
    }

    fn set(&mut self, values: &M::Values) {
        self.status = M::decode(values);
        let p0 = report::<M>(values);
        self.running.set(&p0);
    }

    /// Checks that both have sent the same, which is kept.
    fn compare(&mut self, sent: Vec<u8>) {
        assert_eq!(sent, self.running.sent());
        self.sent.extend(sent);
        let valid = model::encode::<M>(&self.status).unwrap();
        assert_eq!(report::<M>(&valid), self.running.status());
    }

    fn receive(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let mut sent = Vec::new();
            let status = &mut self.status;
            let event = self
                .link
                .receive(*byte, self.now, &mut |byte| sent.push(byte));
            let here = event.map_or_else(none, |event| said::<M>(event, status));
            let there = self.running.receive(*byte, self.now);
            let mut there = of_c(&there);
            if there.kind == gizwits_event::Control {
                // The core gives a control no bytes.
                assert!(!there.data.is_empty());
                there.data.clear();
            }
            assert_eq!(here, there);
            self.compare(sent);
        }
    }

    fn poll(&mut self) {
        let mut sent = Vec::new();
        let event = self
            .link
            .poll(self.now, &self.status, &mut |byte| sent.push(byte));
        let here = event.map_or_else(none, |event| said::<M>(event, &mut self.status));
        assert_eq!(here, of_c(&self.running.poll(self.now)));
        self.compare(sent);
    }

    /// Acknowledges what the device has sent, mostly.
    fn acknowledge(&mut self, sent: &[u8], draw: &mut Draw<'_>) {
        let mut buffer = vec![0; 2048];
        let mut decoder = gizwits_codec_core::uart::Decoder::new(&mut buffer);
        let mut answers = Vec::new();
        for byte in sent {
            if let Some(gizwits_codec_core::uart::Event::Frame(frame)) = decoder.push(*byte) {
                let payload = match (frame.command, draw.below(8)) {
                    (_, 0) => continue,
                    (Command::TIME, 1..7) => {
                        vec![7, 0xea, 11, 24, 10, 30, 45, 0x6a, 0x2b, 0x3c, 0x4d]
                    }
                    (Command::MODULE, 1..7) => vec![b'0'; 65],
                    _ => vec![],
                };
                answers.push(wire(frame.command.0 + 1, frame.sn, 0, &payload));
            }
        }
        for answer in answers {
            self.receive(&answer);
        }
    }

    fn request(&mut self, draw: &mut Draw<'_>) {
        let kind = draw.pick(&[
            GIZWITS_REQUEST_CONFIGURE,
            GIZWITS_REQUEST_MODULE,
            GIZWITS_REQUEST_RESET,
            GIZWITS_REQUEST_TEST,
            GIZWITS_REQUEST_BIND,
            GIZWITS_REQUEST_TIME,
            GIZWITS_REQUEST_REBOOT,
        ]);
        let argument = draw.below(3) as u8;
        let request = match kind {
            GIZWITS_REQUEST_CONFIGURE if argument == 0 => {
                // SAFETY: the link was initialised.
                let refused = unsafe { gizwits_link_request(self.running.link(), kind, argument) };
                assert_eq!(refused, S::InvalidArgument);
                return;
            }
            GIZWITS_REQUEST_CONFIGURE => Request::configure(ConfigMode::from(argument)),
            GIZWITS_REQUEST_MODULE => Request::module(argument),
            GIZWITS_REQUEST_RESET => Request::RESET,
            GIZWITS_REQUEST_TEST => Request::TEST,
            GIZWITS_REQUEST_BIND => Request::BIND,
            GIZWITS_REQUEST_TIME => Request::TIME,
            _ => Request::REBOOT,
        };
        let here = self.link.request(request).is_ok();
        // SAFETY: the link was initialised.
        let there = unsafe { gizwits_link_request(self.running.link(), kind, argument) };
        assert_eq!(here, there == S::Ok);
    }

    /// A frame of a module, some of them wrong.
    fn frame(&mut self, draw: &mut Draw<'_>) -> Vec<u8> {
        self.controls = self.controls.wrapping_add(draw.below(2) as u8);
        let command = draw.pick(&[
            0x01, 0x03, 0x03, 0x03, 0x03, 0x07, 0x0d, 0x0f, 0x11, 0x19, 0x2d, 0x70,
        ]);
        let payload = match (command, draw.below(8)) {
            (0x03, 0) => read::<M>(draw),
            (0x03, 1) => vec![0x05, 0xff, 0x55],
            (0x03, 2) => vec![0x71, 1],
            (0x03, 3) => {
                let mut p0 = control::<M>(draw);
                let at = draw.below(p0.len() as u32) as usize;
                p0[at] ^= 1 << draw.below(8);
                p0
            }
            (0x03, 4) => {
                let mut p0 = control::<M>(draw);
                p0.truncate(draw.below(p0.len() as u32 + 1) as usize);
                p0
            }
            (0x03, _) => control::<M>(draw),
            (0x0d, _) => vec![0x07, 0x32],
            (_, 0) => vec![1],
            _ => vec![],
        };
        let flags = u16::from(draw.chance(3));
        let mut frame = wire(command, self.controls, flags, &payload);
        if draw.chance(4) {
            let at = draw.below(frame.len() as u32) as usize;
            frame[at] ^= 1 << draw.below(8);
        }
        frame
    }
}

fn none() -> Said {
    of_c(&gizwits_link_event::default())
}

/// A report of all points.
fn report<M: Model>(values: &M::Values) -> Vec<u8> {
    let mask = full::<M>();
    let code = Action::Report.code(M::LAYOUT.protocol());
    [&[code], &mask[..], values.as_ref()].concat()
}

/// The mask of all points, empty for a standard product.
fn full<M: Model>() -> Vec<u8> {
    if M::LAYOUT.protocol() == Protocol::Standard {
        return Vec::new();
    }
    let points = usize::from(M::LAYOUT.point_count());
    let mut mask = vec![0xff; points.div_ceil(8)];
    mask[0] >>= 8 * mask.len() - points;
    mask
}

fn read<M: Model>(draw: &mut Draw<'_>) -> Vec<u8> {
    let mask = full::<M>()
        .iter()
        .map(|byte| byte & draw.below(256) as u8)
        .collect();
    [vec![Action::Read.code(M::LAYOUT.protocol())], mask].concat()
}

/// A control, whose values are valid.
fn control<M: Model>(draw: &mut Draw<'_>) -> Vec<u8> {
    let flags = draw.bytes(M::LAYOUT.flags_len());
    let values = values::<M>(draw);
    let control = M::control(&flags, values.as_ref(), &mut |_, _| {});
    let mut out = vec![0; 1024];
    model::encode_control::<M>(&control, &mut out)
        .unwrap()
        .to_vec()
}

/// The event of the core. The points of a control are set in the status.
fn said<M: Model>(event: Event<'_, M>, status: &mut M::Status) -> Said {
    let mut said = none();
    match event {
        Event::Control(update) => {
            said.kind = gizwits_event::Control;
            update.apply(status, |point, kind| {
                if said.number == 0 {
                    let code = match kind {
                        gizwits_codec_core::ErrorKind::PastLabels => 6,
                        gizwits_codec_core::ErrorKind::BelowMin => 7,
                        _ => 8,
                    };
                    said.number = u32::from(point.0) << 4 | code;
                }
            });
        }
        Event::Transparent(data) => {
            (said.kind, said.data) = (gizwits_event::Transparent, data.to_vec())
        }
        Event::Status(status) => {
            (said.kind, said.number) = (gizwits_event::Status, status.0.into())
        }
        Event::Reboot => said.kind = gizwits_event::Reboot,
        Event::Illegal(code) => (said.kind, said.number) = (gizwits_event::Illegal, code.0.into()),
        Event::Time(time) => {
            (said.kind, said.number) = (gizwits_event::Time, time.unix());
            said.data = time.bytes().to_vec();
        }
        Event::Module(module) => {
            (said.kind, said.data) = (gizwits_event::Module, module.bytes().to_vec());
        }
        Event::Acked(command) => (said.kind, said.command) = (gizwits_event::Acked, command.0),
        Event::Unanswered(command) => {
            (said.kind, said.command) = (gizwits_event::Unanswered, command.0);
        }
        Event::Frame(frame) => {
            (said.kind, said.data) = (gizwits_event::Frame, frame.payload.to_vec());
            (said.command, said.sn) = (frame.command.0, frame.sn);
        }
        Event::Refused(payload) => {
            (said.kind, said.data) = (gizwits_event::Refused, payload.to_vec())
        }
        Event::Invalid => said.kind = gizwits_event::Invalid,
        _ => {}
    }
    said
}
