//! The module's side of the serial line: `Module` with a `Link`, and alone.

use gizwits_codec_core::module::{self, Event as ModuleEvent};

use super::*;

/// A module and a link on one line, at a millisecond a byte. The module sends by itself.
struct Pair<'b> {
    module: module::Module,
    link: Link<'b, climate::Product>,
    status: climate::Status,
    now: u32,
    to_mcu: Vec<u8>,
    to_module: Vec<u8>,
    /// The events of the module and of the link, as text.
    events: Vec<String>,
    /// Whether the MCU is switched on.
    is_on: bool,
}

impl Pair<'_> {
    fn run(&mut self, ms: u32) {
        let mut rest = ms;
        while rest > 0 {
            // A millisecond for the bytes on the line, or the time in which nothing happens.
            let is_silent = self.to_mcu.is_empty() && self.to_module.is_empty();
            let link = if self.is_on {
                self.link.wait(self.now)
            } else {
                u32::MAX
            };
            let wait = link.min(self.module.wait(self.now)).clamp(1, rest);
            let step = if is_silent { wait } else { 1 };
            rest -= step;
            self.now = self.now.wrapping_add(step);
            let (link, to_module, to_mcu) = (&mut self.link, &mut self.to_module, &mut self.to_mcu);
            for byte in std::mem::take(to_mcu).into_iter().filter(|_| self.is_on) {
                match link.receive(byte, self.now, &mut |byte| to_module.push(byte)) {
                    Some(LinkEvent::Control(update)) => update.apply(&mut self.status, |_, _| {}),
                    Some(LinkEvent::Status(status)) => {
                        self.events.push(format!("link: {:#06x}", status.0));
                    }
                    // Reports, which the module's events show.
                    Some(LinkEvent::Acked(Command::FROM_DEVICE)) | None => {}
                    Some(event) => self.events.push(format!("link: {event:?}")),
                }
            }
            if self.is_on {
                let _ = link.poll(self.now, &self.status, &mut |byte| to_module.push(byte));
            }
            for byte in std::mem::take(to_module) {
                let event = self
                    .module
                    .receive(byte, self.now, &mut |byte| to_mcu.push(byte));
                self.events.extend(event.map(|event| format!("{event:?}")));
            }
            let event = self.module.poll(self.now, &mut |byte| to_mcu.push(byte));
            self.events.extend(event.map(|event| format!("{event:?}")));
        }
    }

    /// The number of events that begin with this text, which are then forgotten.
    fn take(&mut self, text: &str) -> usize {
        let before = self.events.len();
        self.events.retain(|event| !event.starts_with(text));
        before - self.events.len()
    }
}

/// A module finds an MCU, tells it its status, keeps the line alive, and answers what the MCU asks for.
#[test]
fn a_module_and_a_link_find_each_other() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY).secret(&[b'S'; 32]);
    let mut buffer = vec![0; Link::<climate::Product>::room()];
    let mut pair = Pair {
        module: module::Module::new(),
        link: Link::new(&info, &mut buffer),
        status: climate::Status::new(),
        now: u32::MAX - 30_000, // The clock turns over.
        to_mcu: Vec::new(),
        to_module: Vec::new(),
        events: Vec::new(),
        is_on: false,
    };
    // The MCU is off: three questions, and again after a second.
    pair.run(1_500);
    assert_eq!((pair.take("Unanswered(INFO)"), pair.events.len()), (1, 0));
    pair.is_on = true;
    pair.run(1_000);
    assert!(!format!("{:?}", pair.events).contains("83, 83"), "a secret");
    assert_eq!(pair.take("Device("), 1);
    assert_eq!(pair.take("Request { command: FROM_DEVICE"), 1);
    assert_eq!(pair.take("link: 0x0f32"), 1);
    assert_eq!(pair.take("Answer { command: STATUS_ACK"), 1);
    assert_eq!(pair.events, [] as [String; 0]);
    // A control is acknowledged and reported.
    let mut control = vec![0x01, 0, 0, 0, 1];
    control.resize(29, 0);
    pair.status.power = true;
    pair.run(100);
    assert_eq!(pair.take("Request { command: FROM_DEVICE"), 1);
    pair.module.request(Command::TO_DEVICE, &control).unwrap();
    pair.module.request(Command::TO_DEVICE, &[0x02]).unwrap();
    assert!(!pair.module.is_idle());
    pair.run(300);
    assert!(pair.module.is_idle() && !pair.status.power);
    assert_eq!(pair.take("Answer { command: TO_DEVICE_ACK"), 2);
    assert_eq!(pair.take("Request { command: FROM_DEVICE"), 1);
    // What the link asks for. A reset is followed by the question for the description.
    pair.module.time = [7, 0xea, 11, 24, 10, 30, 45, 0x6a, 0x2b, 0x3c, 0x4d];
    for (request, event) in [
        (Request::TIME, "link: Time(Time([7, 234, 11, 24"),
        (
            Request::module(1),
            "link: Module(ModuleInfo([1, 48, 48, 48, 48, 48, 48, 48, 52",
        ),
        (
            Request::configure(uart::ConfigMode::AirLink),
            "link: Acked(CONFIGURE)",
        ),
        (Request::BIND, "link: Acked(BIND)"),
        (Request::TEST, "link: Acked(TEST)"),
        (Request::RESET, "link: Acked(RESET)"),
    ] {
        pair.link.request(request).unwrap();
        pair.run(200);
        assert_eq!(pair.take(event), 1, "{event} is not in {:?}", pair.events);
        assert_eq!(pair.take("Request {"), 1);
    }
    pair.run(2_000);
    assert_eq!((pair.take("Device("), pair.take("link: 0x0f32")), (1, 1));
    // Heartbeats every 55 s, the status every 600 s and when it changes.
    pair.events.clear();
    pair.run(601_000);
    assert_eq!(pair.take("Answer { command: HEARTBEAT_ACK"), 10);
    assert_eq!(pair.take("link: 0x0f32"), 1);
    pair.module.set_status(uart::ModuleStatus(0x0002));
    pair.run(100);
    assert_eq!(pair.take("link: 0x0002"), 1);
    // The MCU is switched off: four heartbeats are lost, and the module asks again.
    pair.is_on = false;
    pair.events.clear();
    pair.run(4 * 55_000 + 3_000);
    assert_eq!(
        (pair.take("Unanswered(HEARTBEAT)"), pair.take("Lost")),
        (3, 1)
    );
    pair.is_on = true;
    pair.run(2_000);
    assert_eq!(pair.take("Device("), 1);
}

/// A module tells the MCU why a frame is illegal, and is silent to acknowledgements.
#[test]
fn a_module_refuses_illegal_frames() {
    let mut module = module::Module::passive();
    let mut say = |wire: &[u8], now| {
        let (mut sent, mut events) = (Vec::new(), Vec::new());
        for byte in wire {
            let event = module.receive(*byte, now, &mut |byte| sent.push(byte));
            events.extend(event.map(|event| match event {
                ModuleEvent::Refused { reason, .. } => format!("refused {}", reason.0),
                event => {
                    let text = format!("{event:?}");
                    text.split(['(', ' ']).next().unwrap().to_owned()
                }
            }));
        }
        (whole(&sent), events.join(" "))
    };
    let frame = |command: Command, payload: &[u8]| witness::wire(command.0, 7, 0, payload);
    let illegal = |reason: u8| vec![(0x11, 7, vec![reason])];
    let refused = |reason: u8| (illegal(reason), format!("refused {reason}"));
    assert_eq!(say(&frame(Command(0x60), &[]), 0), refused(2));
    assert_eq!(say(&frame(Command::INFO, &[]), 0), refused(2));
    assert_eq!(say(&frame(Command::FROM_DEVICE, &[]), 0), refused(3));
    assert_eq!(say(&frame(Command::CONFIGURE, &[1, 2]), 0), refused(3));
    // The did of a sub-device is repeated. One that is longer than its frame is illegal.
    let device = witness::wire(5, 7, 1, b"\x02id\x04\x01");
    let (sent, event) = say(&device, 0);
    assert_eq!(
        (sent, &*event),
        (vec![(6, 7, b"\x02id".to_vec())], "Request")
    );
    assert_eq!(say(&witness::wire(5, 7, 1, b"\x09id"), 0), refused(3));
    // A frame that comes again within six seconds is no second request.
    let report = frame(Command::FROM_DEVICE, &[0x04, 1]);
    for (now, expected) in [(0, "Request"), (5_999, "Repeated"), (11_999, "Request")] {
        let (sent, event) = say(&report, now);
        assert_eq!((sent, &*event), (vec![(6, 7, vec![])], expected), "{now}");
    }
    // Wrong checksums of a request and of acknowledgements.
    for (command, answer) in [(5, illegal(1)), (4, vec![]), (0x12, vec![])] {
        let mut wire = witness::wire(command, 7, 0, &[4, 1]);
        *wire.last_mut().unwrap() ^= 1;
        assert_eq!(say(&wire, 0), (answer, "Corrupt".to_owned()));
    }
    let (sent, event) = say(&frame(Command::TO_DEVICE_ACK, &[]), 0);
    assert_eq!((sent.len(), &*event), (0, "Unexpected"));
    let (sent, event) = say(&frame(Command::TRANSFER_READY, &[0]), 0);
    assert_eq!((sent.len(), &*event), (0, "Frame"));
    let mut sent = Vec::new();
    module.answer(Command::TRANSFER_READY, 7, &[1], &mut |byte| {
        sent.push(byte)
    });
    module.refuse(8, uart::Illegal::FILE_TYPE, &mut |byte| sent.push(byte));
    assert_eq!(whole(&sent), [(0x1c, 7, vec![1]), (0x11, 8, vec![4])]);
    let long = vec![0; uart::MAX_PAYLOAD + 1];
    let error = module.request(Command::TO_DEVICE, &long).unwrap_err();
    assert!(error.to_string().contains("longer than"));
}

/// A module with what it sends, by time.
struct Sender {
    module: module::Module,
    now: u32,
}

impl Sender {
    /// The next frame, and the event before it, if there is one.
    fn next(&mut self) -> ((u8, u8), Option<String>) {
        let mut seen = None;
        loop {
            self.now += self.module.wait(self.now);
            let mut sent = Vec::new();
            let event = self.module.poll(self.now, &mut |byte| sent.push(byte));
            seen = event.map(|event| format!("{event:?}")).or(seen);
            if let [(command, sn, _)] = whole(&sent)[..] {
                return ((command, sn), seen);
            }
        }
    }

    /// The event of a frame of the MCU.
    fn hear(&mut self, command: u8, sn: u8, payload: &[u8]) -> String {
        let mut events = Vec::new();
        for byte in witness::wire(command, sn, 0, payload) {
            let event = self.module.receive(byte, self.now, &mut |_| {});
            events.extend(event.map(|event| format!("{event:?}")));
        }
        events.concat()
    }
}

/// A status that the MCU does not acknowledge is sent again after the time of a heartbeat.
#[test]
fn a_lost_status_is_sent_again() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    for is_refused in [false, true] {
        let mut line = Sender {
            module: module::Module::new(),
            now: 0,
        };
        assert_eq!(line.next(), ((1, 1), None));
        assert!(line.hear(2, 1, info.bytes()).starts_with("Device("));
        // Its second transmission was acknowledged as well.
        assert!(line.hear(2, 1, info.bytes()).starts_with("Late "));
        assert_eq!(line.next(), ((0x0d, 2), None));
        let described = line.now;
        if is_refused {
            assert!(line.hear(0x12, 2, &[3]).starts_with("Rejected "));
        } else {
            for _ in 0..2 {
                assert_eq!(line.next(), ((0x0d, 2), None));
            }
        }
        let lost = (!is_refused).then(|| "Unanswered(STATUS)".to_owned());
        assert_eq!(line.next(), ((0x0d, 3), lost));
        assert_eq!(line.now, described + 55_000);
        assert!(line.hear(0x0e, 3, &[]).starts_with("Answer "));
        assert!(line.hear(0x0e, 3, &[]).starts_with("Late "));
        assert!(line.hear(0x0e, 2, &[]).starts_with("Unexpected "));
        // The next one is due after ten minutes: now comes a heartbeat.
        assert_eq!(line.next(), ((7, 4), None));
    }
}

/// Returns a module whose MCU has described itself and has acknowledged the status, up to sequence number 2.
fn connected() -> Sender {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let mut line = Sender {
        module: module::Module::new(),
        now: 0,
    };
    assert_eq!(line.next(), ((1, 1), None));
    assert!(line.hear(2, 1, info.bytes()).starts_with("Device("));
    assert_eq!(line.next(), ((0x0d, 2), None));
    assert!(line.hear(0x0e, 2, &[]).starts_with("Answer "));
    line
}

/// An answer to a heartbeat, also that it is illegal, ends the count of those that were missed.
#[test]
fn an_answer_ends_the_count_of_missed_heartbeats() {
    for (command, payload) in [(0x08, &[][..]), (0x12, &[3])] {
        let mut line = connected();
        let mut missed = Vec::new();
        for count in [3, 4] {
            let mut rest = count;
            let mut sn = 0;
            while rest > 0 {
                let ((sent, its_sn), event) = line.next();
                let is_lost = event.as_deref() == Some("Lost");
                rest -= usize::from(event.is_some());
                missed.extend(event);
                if is_lost {
                    break;
                }
                assert_eq!(sent, 7);
                sn = its_sn;
            }
            if count == 3 {
                assert!(!line.hear(command, sn, payload).is_empty());
            }
        }
        let mut expected = vec!["Unanswered(HEARTBEAT)"; 6];
        expected.push("Lost");
        assert_eq!(missed, expected, "{command:#04x}");
    }
}

/// A refused question for the description is asked again after as long as a description that can't be read.
#[test]
fn a_refused_question_is_asked_again_later() {
    let times = [(0x12, &[3][..]), (0x02, &[0])].map(|(command, payload)| {
        let mut line = Sender {
            module: module::Module::new(),
            now: 0,
        };
        assert_eq!(line.next(), ((1, 1), None));
        line.hear(command, 1, payload);
        assert_eq!(line.next(), ((1, 2), None));
        line.now
    });
    assert_eq!(times[0], times[1]);
    assert!(times[0] > 0);
}

/// A status that the application sends is not sent again if the MCU refuses it.
#[test]
fn a_refused_status_of_the_application_is_forgotten() {
    let mut line = connected();
    line.module.request(Command::STATUS, &[0, 1]).unwrap();
    assert_eq!(line.next(), ((0x0d, 3), None));
    assert!(line.hear(0x12, 3, &[3]).starts_with("Rejected "));
    assert_eq!(line.next(), ((7, 4), None));
    line.hear(8, 4, &[]);
    assert_eq!(line.next(), ((7, 5), None));
}

/// `Debug` of events has their payload, but for a description, which may have a secret.
#[test]
fn a_description_is_not_shown() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let mut line = connected();
    assert_eq!(
        line.hear(2, 1, info.bytes()),
        "Unexpected { command: INFO_ACK, sn: 1 }"
    );
    assert_eq!(
        line.hear(0x0e, 2, &[1]),
        "Late { command: STATUS_ACK, sn: 2, payload: [1] }"
    );
    let shown = format!("{:?}", line.module);
    assert!(shown.starts_with("Module { timing: "), "{shown}");
    line.module
        .request(Command::TO_DEVICE, &[0; uart::MAX_PAYLOAD])
        .unwrap();
}
