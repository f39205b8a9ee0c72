//! The law of the module's side of the serial line.

use gizwits_codec_core::module::{Event, Module, RequestError};
use gizwits_codec_core::uart::{Command, DeviceInfo, Illegal, ModuleStatus};

use crate::arbitrary::Draw;
use crate::uart::{RefEvent, line, scan, wire};

/// The room of the slow decoder for the longest frame.
const ROOM: usize = 0xffff;

/// The frame that the module waits for an acknowledgement of.
struct Flight {
    wire: Vec<u8>,
    command: u8,
    sn: u8,
    tries: u32,
    since: u32,
}

/// Whether the module sends a frame by itself. Requests of this law have other commands.
fn is_own(flight: &Flight) -> bool {
    [0x01, 0x07, 0x0d].contains(&flight.command)
}

/// A module that is watched.
struct Watched {
    module: Module,
    is_passive: bool,
    now: u32,
    flight: Option<Flight>,
    /// The acknowledgement of the last frame that was in flight: its command and sequence number.
    ended: Option<(u8, u8)>,
    is_known: bool,
    /// The requests without an outcome, in order.
    requests: Vec<(u8, Vec<u8>)>,
    /// All bytes of the MCU, and the number of events that they had.
    line: Vec<u8>,
    events: usize,
}

impl Watched {
    fn receive(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let mut sent = Vec::new();
            let event = self
                .module
                .receive(*byte, self.now, &mut |byte| sent.push(byte));
            self.line.push(*byte);
            let Some(event) = event else {
                assert!(sent.is_empty(), "an answer to no frame");
                continue;
            };
            self.events += 1;
            let answers = scan(&sent, ROOM);
            let answer = match &answers[..] {
                [] => None,
                [RefEvent::Frame(command, sn, flags, payload)] => {
                    assert_eq!(sent, wire(*command, *sn, *flags, payload));
                    Some((*command, *sn, *flags, payload.clone()))
                }
                other => panic!("{other:?} to {event:?}"),
            };
            let seen = event_of(&event);
            self.take(seen, answer);
        }
    }

    /// Checks the answer to a frame, and what the frame changes.
    fn take(&mut self, event: Seen, answer: Option<(u8, u8, u16, Vec<u8>)>) {
        let refusal = |sn, reason: Illegal| Some((Command::ILLEGAL.0, sn, 0, vec![reason.0]));
        match event {
            Seen::Device => {
                let flight = self.flight.take().expect("the module has asked");
                assert_eq!((flight.command, answer), (Command::INFO.0, None));
                assert!(!self.is_passive);
                self.outcome(&flight);
                self.is_known = true;
            }
            Seen::Request(command, sn) => {
                let (ack, its_sn, ..) = answer.expect("a request is acknowledged");
                assert_eq!((ack, its_sn), (command + 1, sn));
                if [Command::RESET.0, Command::MODULE_REBOOT.0].contains(&command) {
                    self.is_known = false;
                    if let Some(flight) = self.flight.take_if(|flight| is_own(flight)) {
                        self.outcome(&flight);
                    }
                }
            }
            Seen::Repeated(command, sn) => {
                let (ack, its_sn, ..) = answer.expect("a repetition is acknowledged");
                assert_eq!((ack, its_sn), (command + 1, sn));
            }
            Seen::Answer(command, sn) => {
                assert_eq!(answer, None);
                let flight = self.flight.take().expect("a frame is in flight");
                assert_eq!((flight.command + 1, flight.sn), (command, sn));
                self.outcome(&flight);
            }
            Seen::Rejected(sn, command) => {
                assert_eq!(answer, None);
                if let Some(command) = command {
                    let flight = self.flight.take().expect("a frame is in flight");
                    assert_eq!((flight.command, flight.sn), (command, sn));
                    self.outcome(&flight);
                }
            }
            Seen::Refused(command, sn, reason) => match command {
                // A description that is none: the question ends.
                0x02 => {
                    assert_eq!(answer, None);
                    let flight = self.flight.take().expect("the module has asked");
                    self.outcome(&flight);
                }
                _ => assert_eq!(answer, refusal(sn, reason)),
            },
            Seen::Corrupt(sn) => {
                assert!(answer.is_none() || answer == refusal(sn, Illegal::CHECKSUM));
            }
            // The application answers.
            Seen::Frame | Seen::Unexpected => assert_eq!(answer, None),
            Seen::Late(ack) => {
                assert_eq!((answer, self.ended), (None, Some(ack)));
            }
        }
    }

    fn outcome(&mut self, flight: &Flight) {
        self.ended = Some((flight.command + 1, flight.sn));
        if !is_own(flight) {
            assert_eq!(self.requests.remove(0).0, flight.command);
        }
    }

    /// Polls until nothing is due.
    fn poll(&mut self) {
        loop {
            let mut sent = Vec::new();
            let event = self
                .module
                .poll(self.now, &mut |byte| sent.push(byte))
                .map(|event| format!("{event:?}"));
            if !sent.is_empty() {
                assert_eq!(event, None);
                self.sent(sent);
            } else if let Some(event) = event {
                let flight = self.flight.take().expect("a frame is in flight");
                let passed = self.now.wrapping_sub(flight.since);
                assert!(flight.tries == 3 && passed >= 200, "{event} too early");
                if event == "Lost" {
                    assert_eq!(flight.command, Command::HEARTBEAT.0);
                    self.is_known = false;
                } else {
                    let command = Command(flight.command);
                    assert_eq!(event, format!("Unanswered({command:?})"));
                }
                self.outcome(&flight);
            } else {
                break;
            }
        }
        assert!(self.module.wait(self.now) > 0);
        assert_eq!(self.module.is_idle(), self.requests.is_empty());
    }

    /// Checks a frame that the module sends.
    fn sent(&mut self, sent: Vec<u8>) {
        let [RefEvent::Frame(command, sn, 0, payload)] = &scan(&sent, ROOM)[..] else {
            panic!("{sent:02x?} is no frame alone");
        };
        assert_eq!(sent, wire(*command, *sn, 0, payload));
        if let Some(flight) = &mut self.flight {
            assert_eq!(flight.wire, sent, "another frame while one is in flight");
            assert!(flight.tries < 3 && self.now.wrapping_sub(flight.since) >= 200);
            (flight.tries, flight.since) = (flight.tries + 1, self.now);
            return;
        }
        let flight = Flight {
            command: *command,
            sn: *sn,
            tries: 1,
            since: self.now,
            wire: sent.clone(),
        };
        match is_own(&flight) {
            true => {
                let is_question = *command == Command::INFO.0;
                assert!(!self.is_passive && self.is_known != is_question);
            }
            false => assert_eq!(self.requests.first(), Some(&(*command, payload.clone()))),
        }
        self.flight = Some(flight);
    }
}

/// An event, without the payload.
enum Seen {
    Device,
    Request(u8, u8),
    Repeated(u8, u8),
    Answer(u8, u8),
    Rejected(u8, Option<u8>),
    Refused(u8, u8, Illegal),
    Corrupt(u8),
    Frame,
    Late((u8, u8)),
    Unexpected,
}

fn event_of(event: &Event<'_>) -> Seen {
    match event {
        Event::Device(_) => Seen::Device,
        Event::Request(frame) => Seen::Request(frame.command.0, frame.sn),
        Event::Repeated(frame) => Seen::Repeated(frame.command.0, frame.sn),
        Event::Answer(frame) => Seen::Answer(frame.command.0, frame.sn),
        Event::Rejected { sn, command, .. } => {
            Seen::Rejected(*sn, command.map(|command| command.0))
        }
        Event::Refused { frame, reason } => Seen::Refused(frame.command.0, frame.sn, *reason),
        Event::Corrupt { sn, .. } => Seen::Corrupt(*sn),
        Event::Frame(_) => Seen::Frame,
        Event::Late(frame) => Seen::Late((frame.command.0, frame.sn)),
        Event::Unexpected(_) => Seen::Unexpected,
        other => panic!("{other:?} of a byte"),
    }
}

/// A module with an MCU that sends frames, noise and nothing, at any times. Each whole frame has exactly one event, and is
/// answered as its command demands, or not at all. Each request has one outcome, a frame is sent three times at most and
/// not too early, every byte of it is right, no frame is sent while another is in flight, and the module waits for no more than 64 requests.
///
/// # Panics
/// If the law is broken.
pub fn uart_module(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let is_passive = draw.chance(20);
    let mut watched = Watched {
        module: match is_passive {
            true => Module::passive(),
            false => Module::new(),
        },
        is_passive,
        now: draw.below(u32::MAX),
        flight: None,
        ended: None,
        is_known: false,
        requests: Vec::new(),
        line: Vec::new(),
        events: 0,
    };
    let info = DeviceInfo::new(b"9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50");
    for _ in 0..200 {
        if draw.is_empty() {
            break;
        }
        match draw.below(10) {
            0 => watched.now = watched.now.wrapping_add(draw.below(250)),
            1 => {
                // A caller polls when it is time to.
                let wait = watched.module.wait(watched.now).min(700_000);
                watched.now = watched.now.wrapping_add(wait);
            }
            2 => {
                let len = draw.below(40) as usize;
                let bytes = draw.bytes(len);
                watched.receive(&bytes);
            }
            3 => {
                let (bytes, _) = line(&mut draw);
                watched.receive(&bytes);
            }
            4 | 5 => {
                // The acknowledgement of the frame in flight, or nearly.
                let (command, sn) = watched
                    .flight
                    .as_ref()
                    .map_or((3, 0), |flight| (flight.command, flight.sn));
                let command = match draw.chance(10) {
                    true => Command::ILLEGAL_ACK.0,
                    false => command + 1,
                };
                let sn = sn.wrapping_add(u8::from(draw.chance(10)));
                let payload = match command {
                    0x02 if !draw.chance(10) => info.bytes().to_vec(),
                    _ => {
                        let len = draw.below(4) as usize;
                        draw.bytes(len)
                    }
                };
                watched.receive(&wire(command, sn, 0, &payload));
            }
            6 | 7 => {
                let commands = [5, 9, 0x0b, 0x13, 0x15, 0x17, 0x21, 0x29, 0x19, 0x2b, 0x01];
                let command = draw.pick(&commands);
                let len = draw.below(20) as usize;
                let flags = u16::from(draw.chance(20));
                let sn = draw.below(4) as u8;
                watched.receive(&wire(command, sn, flags, &draw.bytes(len)));
            }
            8 => {
                let count = match draw.chance(5) {
                    true => Module::MAX_REQUESTS + 1,
                    false => 1,
                };
                for _ in 0..count {
                    let len = draw.below(5) as usize;
                    let (command, payload) = (draw.pick(&[3, 0x0f, 0x19]), draw.bytes(len));
                    match watched.module.request(Command(command), &payload) {
                        Ok(()) => watched.requests.push((command, payload)),
                        Err(error) => {
                            assert_eq!(error, RequestError::TooMany);
                            assert!(watched.requests.len() >= Module::MAX_REQUESTS);
                        }
                    }
                }
                assert!(watched.requests.len() <= Module::MAX_REQUESTS + 1);
            }
            _ => {
                let status = ModuleStatus(draw.below(0x10000) as u16);
                watched.module.set_status(status);
            }
        }
        watched.poll();
    }
    // No frame is lost, whatever is in front of it.
    assert_eq!(watched.events, scan(&watched.line, ROOM).len());
}
