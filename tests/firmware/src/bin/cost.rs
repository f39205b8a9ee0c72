//! What it costs: instructions of each step, and the stack of the application, on a scripted line.
//!
//! QEMU's `-icount shift=0` makes an instruction a nanosecond, and a tick of the timer 40.

#![no_std]
#![no_main]

use core::hint::black_box;

use gizwits_codec_core::link::{Event as LinkEvent, Link};
use gizwits_codec_core::model::{self, DefaultPolicy, Model};
use gizwits_codec_core::uart::{Command, Decoder, DeviceInfo, Event, Frame, Writer};
use gizwits_codec_core::{Action, ErrorKind, PointId};
use gizwits_firmware::application::{self, Machine};
use gizwits_firmware::board::{self, Timer};
use gizwits_firmware::product::{Product, Status};

const REPEATS: u32 = 2_000;

/// All 31 flags, then 24 bytes of values.
static CONTROL: [u8; 29] = [
    0x01, 0x7f, 0xff, 0xff, 0xff, 0x35, 0x5a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x02, 0x1c, 0,
    30, 0, 40, 0, 50, 0, 60,
];

/// Takes note of an invalid point. All calls share this function, so that the functions of the codec exist once.
fn note(point: PointId, why: ErrorKind) {
    black_box((point, why));
}

/// Instructions of a step, those of the loop around it taken off.
fn measure(name: &'static str, mut step: impl FnMut()) -> u32 {
    let mut timer = Timer::new();
    for _ in 0..REPEATS {
        black_box(());
    }
    let empty = timer.lap();
    for _ in 0..REPEATS {
        step();
        black_box(());
    }
    let cost = (timer.lap() - empty) * 40 / REPEATS;
    board::say(name);
    board::say_number(cost);
    board::say("\n\0");
    cost
}

/// The frames of a module: info, the time and an acknowledgement while they are waited for, status, heartbeat,
/// a read, a control, bytes, an unknown command, something illegal, big data, a control that is cut, the
/// test, a restart.
static LINE: [&[u8]; 14] = [
    b"\xff\xff\0\x05\x01\x01\0\0\x07",
    b"\xff\xff\0\x10\x18\0\0\0\x07\xea\x0b\x18\x0a\x1e\x2d\x6a\x2b\x3c\x4d\xaf",
    b"\xff\xff\0\x05\x06\x01\0\0\x0c",
    b"\xff\xff\0\x07\x0d\x02\0\0\0\x30\x46",
    b"\xff\xff\0\x05\x07\x03\0\0\x0f",
    b"\xff\xff\0\x06\x03\x04\0\0\x02\x0f",
    b"\xff\xff\0\x22\x03\x05\0\0\x01\x7f\xff\x55\xff\x55\xff\x55\x35\x5a\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x02\x1c\0\x1e\0\x28\0\x32\0\x3c\x56",
    b"\xff\xff\0\x08\x03\x06\0\0\x05\x01\x02\x19",
    b"\xff\xff\0\x05\x70\x07\0\0\x7c",
    b"\xff\xff\0\x06\x11\x09\0\0\x01\x21",
    b"\xff\xff\0\x06\x19\x0a\0\0\x01\x2a",
    b"\xff\xff\0\x06\x03\x0b\0\0\x01\x15",
    b"\xff\xff\0\x07\x0d\x0c\0\0\x10\0\x30",
    b"\xff\xff\0\x05\x0f\x0d\0\0\x21",
];

/// A line that was recorded, and nobody who listens.
struct Script {
    line: core::iter::Flatten<core::iter::Copied<core::slice::Iter<'static, &'static [u8]>>>,
    ms: u32,
}

impl Machine for Script {
    fn read(&mut self) -> Option<u8> {
        self.line.next().copied()
    }

    fn write(&mut self, byte: u8) {
        black_box(byte);
    }

    fn now(&mut self) -> u32 {
        self.ms += 5;
        self.ms
    }

    fn button(&mut self) -> u8 {
        // Each for a while.
        (self.ms / 1000) as u8
    }

    fn goes_on(&mut self) -> bool {
        self.line.size_hint().0 > 0 || self.ms < 10_000
    }

    fn restart(&mut self) {}
}

fn script() {
    application::run(&mut Script {
        line: LINE.iter().copied().flatten(),
        ms: 0,
    });
}

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let stack = board::stack_of(script);
    let mut status = Status::new();
    let mut values = Product::VALUES;
    let mut buffer = [0; 64];
    let mut wire = [0; 96];
    let mut sum = 0;

    sum += measure("control_decode \0", || {
        if let Some(update) = model::update::<Product>(black_box(&CONTROL)) {
            update.apply(&mut status, note);
        }
        black_box(&status);
    });
    sum += measure("status_encode \0", || {
        let last = Product::VALUES;
        Product::encode::<DefaultPolicy>(black_box(&status), &last, &mut values, &mut note);
        black_box(&values);
    });
    sum += measure("frame_send \0", || {
        let mut slots = wire.iter_mut();
        let sink = |byte| {
            if let Some(slot) = slots.next() {
                *slot = byte;
            }
        };
        let values = black_box(&values);
        let mut report = Writer::begin(sink, Command::FROM_DEVICE, 7, 0, 1 + values.len());
        report.put(&[Action::Report.code(Product::LAYOUT.protocol())]);
        report.put(values);
        report.end();
        black_box(&wire);
    });
    let frame = Frame {
        command: Command::TO_DEVICE,
        sn: 5,
        flags: 0,
        payload: &CONTROL,
    };
    let len = frame.encode(&mut wire).unwrap_or(0);
    let line = wire.get(..len).unwrap_or(&[]);
    let mut decoder = Decoder::new(&mut buffer);
    let mut found = 0;
    sum += measure("frame_receive \0", || {
        for byte in black_box(line) {
            if let Some(Event::Frame(frame)) = decoder.push(*byte) {
                found += black_box(frame.payload).len();
            }
        }
    });
    board::say("sum \0");
    board::say_number(sum);
    board::say("\n\0");

    // The same through a link: a control, its acknowledgement, and the report that follows.
    let info = DeviceInfo::new(Product::PRODUCT_KEY);
    let mut link: Link<'_, Product> = Link::new(&info, &mut buffer);
    let (mut controls, mut acked) = (0, 0);
    let mut now = 0;
    let mut ack = *b"\xff\xff\0\x05\x06\0\0\0\x0b";
    measure("link_turn \0", || {
        now += 5_000;
        let mut sink = |byte| {
            black_box(byte);
        };
        for byte in black_box(line) {
            if let Some(LinkEvent::Control(update)) = link.receive(*byte, now, &mut sink) {
                update.apply(&mut status, note);
                controls += 1;
            }
        }
        status.power = controls % 2 == 0;
        let _ = link.poll(now, &status, &mut sink);
        for byte in black_box(&ack) {
            let event = link.receive(*byte, now, &mut sink);
            acked += u32::from(matches!(event, Some(LinkEvent::Acked(_))));
        }
        // A link numbers what it sends from 0 to 254.
        let sn = (acked % 255) as u8;
        let [.., number, _, _, sum] = &mut ack;
        (*number, *sum) = (sn, sn.wrapping_add(0x0b));
    });
    board::say("stack \0");
    board::say_number(stack);
    board::say("\n\0");
    let whole = found == CONTROL.len() * REPEATS as usize;
    board::exit(whole && controls == REPEATS && acked == REPEATS)
}
