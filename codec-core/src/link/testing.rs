//! A Wi-Fi module for tests of an application on the host (feature `testing`).
//!
//! A [`Module`] is the other end of a serial line. It acknowledges reports, sends controls and other frames until the
//! device acknowledges them, and knows the status that the device has reported. [`Module::run`] lets milliseconds pass
//! without waiting for them, so that a test of ten minutes takes an instant and always has the same result.
//!
//! ```
//! # use gizwits_codec_core::{Access, ErrorKind, Layout, LayoutRef, Point, PointId, Protocol};
//! # use gizwits_codec_core::model::{Model, Policy};
//! # static LAYOUT: Layout<1> =
//! #     Layout::must(Protocol::Standard, &[Point::bool(0, Access::Writable, 0, 0)]);
//! # struct Product;
//! # #[derive(Debug, Default, PartialEq)]
//! # struct Status { on: bool }
//! # impl Status { fn new() -> Self { Status::default() } }
//! # #[derive(Default)]
//! # struct Control { on: Option<bool> }
//! # impl Model for Product {
//! #     type Status = Status;
//! #     type Control = Control;
//! #     type Values = [u8; 1];
//! #     type Mask = [u8; 0];
//! #     type Points = [u32; 0];
//! #     const LAYOUT: LayoutRef<'static> = LAYOUT.get();
//! #     const PRODUCT_KEY: &'static [u8; 32] = b"9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50";
//! #     const VALUES: [u8; 1] = [0];
//! #     const MASK: [u8; 0] = [];
//! #     const POINTS: [u32; 0] = [];
//! #     const MEASURED: &'static [(usize, usize)] = &[];
//! #     fn encode<P: Policy>(status: &Status, _: &[u8; 1], values: &mut [u8; 1], _: &mut impl FnMut(PointId, ErrorKind)) {
//! #         values[0] = u8::from(status.on);
//! #     }
//! #     fn decode(values: &[u8; 1]) -> Status { Status { on: values[0] == 1 } }
//! #     fn control(_: &[u8], values: &[u8], _: &mut impl FnMut(PointId, ErrorKind)) -> Control {
//! #         Control { on: Some(values.first() == Some(&1)) }
//! #     }
//! #     fn apply(_: &[u8], values: &[u8], status: &mut Status, _: &mut impl FnMut(PointId, ErrorKind)) {
//! #         status.on = values.first() == Some(&1);
//! #     }
//! #     fn encode_control(control: &Control, flags: &mut [u8], values: &mut [u8], _: &mut impl FnMut(PointId, ErrorKind)) {
//! #         if let Some(on) = control.on {
//! #             flags.fill(1);
//! #             values.fill(u8::from(on));
//! #         }
//! #     }
//! # }
//! use gizwits_codec_core::link::testing::Module;
//! use gizwits_codec_core::link::{Event, Link};
//! use gizwits_codec_core::uart::DeviceInfo;
//!
//! /// The application: one turn of its main loop.
//! fn turn(
//!     link: &mut Link<'_, Product>, status: &mut Status,
//!     now: u32, byte: Option<u8>, send: &mut dyn FnMut(u8),
//! ) {
//!     let event = byte.and_then(|byte| link.receive(byte, now, send));
//!     if let Some(Event::Control(update)) = event {
//!         update.apply(status, |point, why| eprintln!("{point:?}: {why}"));
//!     }
//!     let _ = link.poll(now, status, send);
//! }
//!
//! static INFO: DeviceInfo = DeviceInfo::new(Product::PRODUCT_KEY);
//! let mut buffer = [0; 80];
//! let (mut link, mut status) = (Link::new(&INFO, &mut buffer), Status::new());
//!
//! let mut module = Module::<Product>::new();
//! module.control(&Control { on: Some(true) })?;
//! module.run(100, |now, byte, send| turn(&mut link, &mut status, now, byte, send));
//! assert_eq!(module.reported(), Some(Status { on: true }));
//! # Ok::<(), gizwits_codec_core::Error>(())
//! ```
//!
//! An application whose main loop reads a board of its own connects the board with [`Module::poll`] and
//! [`Module::receive`].
//!
//! It is a [`module::Module`] that sends nothing by itself, with a record of all frames and the
//! status of the product. It needs an allocator.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use crate::error::{Error, PointId};
use crate::frame::uart::Command;
use crate::message::{Action, P0};
use crate::model::{self, Model};
use crate::module::{self, Event};

/// The year, month, day, hour, minute, second and Unix time that the module answers.
const TIME: [u8; 11] = [7, 0xea, 11, 24, 10, 30, 45, 0x6a, 0x2b, 0x3c, 0x4d];

/// A frame that the device has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The command of the frame.
    pub command: Command,
    /// The sequence number. An acknowledgement has that of the frame that it acknowledges.
    pub sn: u8,
    /// The payload, without stuffing.
    pub payload: Vec<u8>,
}

/// A frame that the module has sent, and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// The command of the frame.
    pub command: Command,
    /// The payload of the frame.
    pub payload: Vec<u8>,
    /// The payload of the acknowledgement. `None` if the device has rejected the frame as illegal, or has not acknowledged
    /// it, also not after the third transmission.
    pub answer: Option<Vec<u8>>,
}

/// A Wi-Fi module on the other end of the serial line. The page of the [module](self) has an example.
///
/// The module sends nothing by itself: a test queues each frame, for example a heartbeat with
/// `module.send(Command::HEARTBEAT, &[])`.
#[derive(Clone, Debug)]
pub struct Module<M: Model> {
    module: module::Module,
    /// The frames without an outcome. The module has only the first of them.
    queue: VecDeque<(Command, Vec<u8>)>,
    now: u32,
    /// The bytes on their way to the device.
    line: VecDeque<u8>,
    values: M::Values,
    /// The points that were reported: one entry for each point.
    known: Vec<bool>,
    /// All complete frames of the device, in order.
    pub received: Vec<Received>,
    /// All frames of the module that were acknowledged, rejected or given up, in order.
    pub sent: Vec<Sent>,
}

impl<M: Model> Default for Module<M> {
    fn default() -> Self {
        Module::new()
    }
}

impl<M: Model> Module<M> {
    /// Creates a module at the time 0 ms, which knows nothing of the device.
    #[must_use]
    pub fn new() -> Self {
        let mut module = module::Module::passive();
        module.time = TIME;
        Module {
            module,
            queue: VecDeque::new(),
            now: 0,
            line: VecDeque::new(),
            values: M::VALUES,
            known: vec![false; M::LAYOUT.point_count().into()],
            received: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// Queues a frame. The module sends it once the frames before it are acknowledged or given up. A payload of more than
    /// [`MAX_PAYLOAD`](crate::uart::MAX_PAYLOAD) bytes has no frame and is given up at once.
    pub fn send(&mut self, command: Command, payload: &[u8]) {
        self.queue.push_back((command, payload.to_vec()));
        if self.queue.len() == 1 {
            self.request();
        }
    }

    /// Passes the first frame of the queue to the module.
    fn request(&mut self) {
        while let Some((command, payload)) = self.queue.front() {
            if self.module.request(*command, payload).is_ok() {
                return;
            }
            self.end(None);
        }
    }

    /// Queues a control.
    ///
    /// # Errors
    /// The errors of [`model::encode_control`]. To test what the application does with an invalid control, pass its
    /// bytes to [`send`](Self::send).
    pub fn control(&mut self, control: &M::Control) -> Result<(), Error> {
        let mut out = vec![0; M::LAYOUT.p0_len(Action::Control)];
        let p0 = model::encode_control::<M>(control, &mut out)?;
        self.send(Command::TO_DEVICE, p0);
        Ok(())
    }

    /// Queues a read of all points.
    pub fn read(&mut self) {
        let code = Action::Read.code(M::LAYOUT.protocol());
        // A mask of only ff bytes, of any length, asks for all points.
        let mut p0 = vec![0xff; M::MASK.as_ref().len().saturating_add(1)];
        if let Some(action) = p0.first_mut() {
            *action = code;
        }
        self.send(Command::TO_DEVICE, &p0);
    }

    /// Returns the status that the device has reported, or `None` until each point was reported.
    #[must_use]
    pub fn reported(&self) -> Option<M::Status> {
        let all = self.known.iter().all(|known| *known);
        all.then(|| M::decode(&self.values))
    }

    /// Returns the P0s of the reports, in order.
    pub fn reports(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        let code = Action::Report.code(M::LAYOUT.protocol());
        let is_report = move |frame: &&Received| {
            frame.command == Command::FROM_DEVICE && frame.payload.first() == Some(&code)
        };
        self.received
            .iter()
            .filter(is_report)
            .map(|frame| &*frame.payload)
    }

    /// Returns whether each queued frame is acknowledged or given up.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns the time in ms that has passed in [`run`](Self::run).
    #[must_use]
    pub fn now(&self) -> u32 {
        self.now
    }

    /// Lets `ms` milliseconds pass. Calls `turn` in each of them with the time, the byte that the device receives, if
    /// there is one, and the function that sends a byte to the module.
    ///
    /// The line to the device carries one byte in a millisecond, as at 9600 baud.
    pub fn run(&mut self, ms: u32, mut turn: impl FnMut(u32, Option<u8>, &mut dyn FnMut(u8))) {
        for _ in 0..ms {
            let due = self.poll(self.now);
            self.line.extend(due);
            let (byte, mut sent) = (self.line.pop_front(), Vec::new());
            turn(self.now, byte, &mut |byte| sent.push(byte));
            for byte in sent {
                let answer = self.receive(byte);
                self.line.extend(answer);
            }
            self.now = self.now.wrapping_add(1);
        }
    }

    /// Returns the bytes that the module sends at the time `now` in ms: the next frame of the queue, the frame in
    /// flight again, or nothing.
    pub fn poll(&mut self, now: u32) -> Vec<u8> {
        self.now = now;
        let mut wire = Vec::new();
        while let Some(event) = self.module.poll(now, &mut |byte| wire.push(byte)) {
            if let Event::Unanswered(_) = event {
                self.end(None);
                self.request();
            }
        }
        wire
    }

    /// Reads a byte of the device. Returns the bytes of the answer if the byte completes a frame.
    pub fn receive(&mut self, byte: u8) -> Vec<u8> {
        let mut answer = Vec::new();
        let event = self
            .module
            .receive(byte, self.now, &mut |byte| answer.push(byte));
        let Some(event) = event else {
            return answer;
        };
        let frame = match event {
            Event::Rejected { sn, reason, .. } => Some((Command::ILLEGAL_ACK, sn, vec![reason.0])),
            _ => event
                .frame()
                .map(|frame| (frame.command, frame.sn, frame.payload.to_vec())),
        };
        let outcome = match event {
            Event::Answer(frame) => Some(Some(frame.payload.to_vec())),
            Event::Rejected {
                command: Some(_), ..
            } => Some(None),
            _ => None,
        };
        if let Some((command, sn, payload)) = frame {
            if matches!(command, Command::FROM_DEVICE | Command::TO_DEVICE_ACK) {
                self.learn(&payload);
            }
            self.received.push(Received {
                command,
                sn,
                payload,
            });
        }
        if let Some(answer) = outcome {
            self.end(answer);
            self.request();
        }
        answer
    }

    /// Keeps the points of a reply or report.
    fn learn(&mut self, p0: &[u8]) {
        let Ok(P0::Reply(view) | P0::Report(view)) = P0::parse(M::LAYOUT, p0) else {
            return;
        };
        view.put_into(self.values.as_mut());
        for (id, known) in (0..).map(PointId).zip(&mut self.known) {
            *known |= view.read(id).is_some();
        }
    }

    /// Records the outcome of the first frame of the queue.
    fn end(&mut self, answer: Option<Vec<u8>>) {
        if let Some((command, payload)) = self.queue.pop_front() {
            self.sent.push(Sent {
                command,
                payload,
                answer,
            });
        }
    }
}
