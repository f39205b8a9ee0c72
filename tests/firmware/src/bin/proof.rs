//! Decodes and encodes an air conditioner's frames, and messages of a var_len wave pump, on a
//! Cortex-M, under QEMU.
//!
//! What goes wrong is told by value: no `assert!`, no `unwrap`.

#![no_std]
#![no_main]

use core::hint::black_box;

use gizwits_codec_core::m2m::{self, Decoder, Event, Frame};
use gizwits_codec_core::{
    Access, Action, Decimal, Encoder, Error, ErrorKind, Layout, LayoutRef, P0, Point, PointId,
    Protocol, Raw, UintSpec, Value,
};
use gizwits_firmware::board::{self, say};

const SWITCH: PointId = PointId(0);
const SET_TEMP: PointId = PointId(6);
const ROOM_TEMP: PointId = PointId(7);

static LAYOUT: Layout<11, 1> = Layout::must(
    Protocol::Standard,
    &[
        Point::bool(0, Access::Writable, 0, 0),
        Point::bool(1, Access::Writable, 0, 1),
        Point::enumeration(2, Access::Writable, 0, 2, 2, 4),
        Point::enumeration(3, Access::Writable, 0, 4, 2, 3),
        Point::uint8(4, Access::Writable, 1, UintSpec::new(0, 24)),
        Point::uint8(5, Access::Writable, 2, UintSpec::new(0, 24)),
        Point::uint8(6, Access::Writable, 3, UintSpec::new(16, 30)),
        Point::uint8(
            7,
            Access::ReadOnly,
            4,
            UintSpec::new(0, 45).scaled(Decimal::ONE, Decimal::new(-10, 0)),
        ),
        Point::bool(8, Access::Alert, 5, 0),
        Point::bool(9, Access::Alert, 5, 1),
        Point::bool(10, Access::Fault, 6, 0),
    ],
);

const PULSE_TIDE: PointId = PointId(1);
const FAULT_UART: PointId = PointId(2);
const MODE: PointId = PointId(3);
const FLOW: PointId = PointId(4);
const CLOCK: PointId = PointId(6);

/// The first points of a wave pump of a kind, not all 71; the fault stands between writable ones.
static PUMP: Layout<7, 1> = Layout::must(
    Protocol::VarLen,
    &[
        Point::bool(0, Access::Writable, 0, 0),
        Point::bool(1, Access::Writable, 0, 0),
        Point::bool(2, Access::Fault, 0, 0),
        Point::enumeration(3, Access::Writable, 0, 0, 2, 4),
        Point::uint8(4, Access::Writable, 0, UintSpec::new(0, 100)),
        Point::uint16(
            5,
            Access::ReadOnly,
            0,
            UintSpec::new(0, 2000).scaled(Decimal::new(1, 1), Decimal::new(-40, 0)),
        ),
        Point::binary(6, Access::Writable, 0, 4),
    ],
);

/// More points than a machine word has bits.
static MANY: Layout<70> = Layout::must(Protocol::VarLen, &many());

const fn many() -> [Point; 70] {
    let mut points = [Point::bool(0, Access::Writable, 0, 0); 70];
    let mut id = 0;
    while id < 70 {
        points[id as usize] = Point::bool(id, Access::Writable, 0, 0);
        id += 1;
    }
    points
}

/// Bits 1 and 3 of the mask; PulseTide is 0, Mode 2.
static PUMP_CONTROL: [u8; 3] = [0x11, 0b0000_1010, 0b100];
/// All but the fault and the flow: bits 1, 0 and 2; 0x021c * 0.1 - 40 = 14; four bytes.
static PUMP_REPORT: [u8; 9] = [0x14, 0b0110_1011, 0b1001, 0x02, 0x1c, 1, 2, 3, 4];

/// The control of the vendor's page, and the report of the device.
static CONTROL: [u8; 14] = [0, 0, 0, 3, 9, 0, 0, 0x90, 1, 1, 1, 0, 0, 0x10];
static REPORT: [u8; 16] = [0, 0, 0, 3, 11, 0, 0, 0x91, 4, 1, 0, 0, 0x10, 0, 0, 0];

/// The layout out of the optimiser's sight: what it knows of this one proves nothing about others.
fn layout() -> LayoutRef<'static> {
    black_box(&LAYOUT).get()
}

fn pump() -> LayoutRef<'static> {
    black_box(&PUMP).get()
}

fn p0(frame: &[u8]) -> Result<P0<'static, '_>, Error> {
    match m2m::parse(frame, m2m::DEFAULT_LIMIT)? {
        (Event::Frame(frame), _) => P0::parse(layout(), frame.p0().unwrap_or(&[])),
        _ => Err(Error::new(ErrorKind::NotM2m)),
    }
}

fn decodes_the_logged_control() -> bool {
    let Ok(P0::Control(view)) = p0(black_box(&CONTROL)) else {
        return false;
    };
    let mut readings = view.iter().map(|reading| (reading.id(), reading.value()));
    readings.next() == Some((SWITCH, Value::Bool(true))) && readings.next().is_none()
}

fn decodes_the_logged_report() -> bool {
    let Ok(P0::Report(view)) = p0(black_box(&REPORT)) else {
        return false;
    };
    view.get(ROOM_TEMP) == Some(Value::Number(Decimal::new(-10, 0)))
        && view.get(SET_TEMP) == Some(Value::Number(Decimal::new(16, 0)))
        && view.iter().count() == 11
}

fn finds_the_frame_in_a_stream() -> bool {
    let mut buffer = [0; 40];
    let mut decoder = Decoder::new(&mut buffer);
    let mut found = 0;
    for part in [
        &[0xff, 0, 0, 0, 0][..],
        black_box(&CONTROL),
        black_box(&[3, 0]),
        black_box(&REPORT),
    ] {
        for byte in part {
            if !decoder.push(core::slice::from_ref(byte)).is_empty() {
                return false;
            }
            while let Some(event) = decoder.next_event() {
                if let Event::Frame(frame) = event {
                    found = found << 8 | u32::from(frame.command);
                }
            }
        }
    }
    found == 0x9091
}

fn encodes_the_logged_report() -> bool {
    let mut status = [0; 8];
    let Ok(mut report) = Encoder::begin(layout(), Action::Report, &mut status) else {
        return false;
    };
    let number = |value| Value::Number(Decimal::new(black_box(value), 0));
    for (id, value) in [
        (SWITCH, Value::Bool(black_box(true))),
        (PointId(2), Value::Enum(black_box(0))),
        (ROOM_TEMP, number(-10)),
        (SET_TEMP, number(16)),
    ] {
        if report.set(id, value).is_err() {
            return false;
        }
    }
    let frame = Frame {
        flag: 0,
        command: m2m::FROM_DEVICE,
        sn: None,
        did: None,
        body: report.finish(),
    };
    let mut out = [0; 32];
    frame
        .encode(&mut out)
        .is_ok_and(|len| out.get(..len) == Some(&REPORT))
}

fn encodes_a_control() -> bool {
    let mut out = [0; 8];
    let Ok(mut control) = Encoder::begin(layout(), Action::Control, &mut out) else {
        return false;
    };
    let set = control.set(SET_TEMP, Value::Number(Decimal::new(black_box(24), 0)));
    set.is_ok() && control.finish() == [0x01, 0x40, 0, 0, 0, 0x18]
}

fn refuses_what_is_wrong() -> bool {
    let mut out = [0; 8];
    let Ok(mut control) = Encoder::begin(layout(), Action::Control, &mut out) else {
        return false;
    };
    let hot = control.set(SET_TEMP, Value::Number(Decimal::new(black_box(31), 0)));
    let room = control.set(ROOM_TEMP, Value::Number(Decimal::new(black_box(20), 0)));
    let cut = p0(black_box(&REPORT).get(..9).unwrap_or(&[]));
    let action = P0::parse(layout(), black_box(&[0x53]));
    kind(hot) == Some(ErrorKind::AboveMax)
        && kind(room) == Some(ErrorKind::NotWritable)
        && cut.is_err_and(|error| error.is_incomplete() && error.byte == Some(9))
        && kind(action) == Some(ErrorKind::UnknownAction { action: 0x53 })
}

fn decodes_a_var_len_control() -> bool {
    let Ok(P0::Control(view)) = P0::parse(pump(), black_box(&PUMP_CONTROL)) else {
        return false;
    };
    let mut readings = view.iter().map(|reading| (reading.id(), reading.value()));
    readings.next() == Some((PULSE_TIDE, Value::Bool(false)))
        && readings.next() == Some((MODE, Value::Enum(2)))
        && readings.next().is_none()
        && view.raw(MODE) == Some(2)
}

fn decodes_a_var_len_report() -> bool {
    let Ok(P0::Report(view)) = P0::parse(pump(), black_box(&PUMP_REPORT)) else {
        return false;
    };
    view.get(PointId(5)) == Some(Value::Number(Decimal::new(14, 0)))
        && view.get(CLOCK) == Some(Value::Binary(&[1, 2, 3, 4]))
        && view.get(FLOW).is_none()
        && view.iter().count() == 5
}

fn encodes_var_len_messages() -> bool {
    let mut out = [0; 16];
    let Ok(mut report) = Encoder::begin(pump(), Action::Report, &mut out) else {
        return false;
    };
    // In any order.
    for (id, value) in [
        (CLOCK, Value::Binary(&[1, 2, 3, 4])),
        (MODE, Value::Enum(black_box(2))),
        (PointId(5), Value::Number(Decimal::new(black_box(14), 0))),
        (PULSE_TIDE, Value::Bool(black_box(false))),
        (SWITCH, Value::Bool(black_box(true))),
    ] {
        if report.set(id, value).is_err() {
            return false;
        }
    }
    if report.finish() != PUMP_REPORT {
        return false;
    }
    let Ok(mut control) = Encoder::begin(pump(), Action::Control, &mut out) else {
        return false;
    };
    let fault = control.set(FAULT_UART, Value::Bool(black_box(true)));
    let mode = control.set(MODE, Value::Enum(black_box(2)));
    let tide = control.set(PULSE_TIDE, Value::Bool(black_box(false)));
    kind(fault) == Some(ErrorKind::NotWritable)
        && mode.is_ok()
        && tide.is_ok()
        && control.finish() == PUMP_CONTROL
}

fn reads_and_whole_bodies() -> bool {
    let mut out = [0; 16];
    let Ok(mut read) = Encoder::begin(pump(), Action::Read, &mut out) else {
        return false;
    };
    if read.want(FLOW).is_err() || read.want(PointId(7)).is_ok() {
        return false;
    }
    let wanted = match P0::parse(pump(), black_box(read.finish())) {
        Ok(P0::Read(wanted)) => wanted.ids().eq([FLOW]),
        _ => false,
    };
    // The answer has more than was asked for: bits, flow, two bytes, four.
    let answer = black_box(&[0b0001_0000, 0b10, 75, 0, 0, 1, 2, 3, 4]);
    let lax = pump().view_lax(answer);
    wanted
        && pump().view(answer).is_err()
        && lax.is_whole_body()
        && lax.raw(FLOW) == Some(75)
        && lax.raw(PULSE_TIDE) == Some(1)
}

fn masks_of_several_words() -> bool {
    const SET: [u16; 7] = [0, 31, 32, 33, 63, 64, 69];
    let mut out = [0; 24];
    let many = black_box(&MANY).get();
    let Ok(mut report) = Encoder::begin(many, Action::Report, &mut out) else {
        return false;
    };
    for id in SET.iter().rev() {
        // Every other one is on.
        if report.set(PointId(*id), Value::Bool(id % 2 == 1)).is_err() {
            return false;
        }
    }
    let report = report.finish();
    let expected = [0x14, 0x21, 0x80, 0, 0, 0x03, 0x80, 0, 0, 0x01, 0b101_1010];
    let Ok(P0::Report(view)) = P0::parse(many, black_box(report)) else {
        return false;
    };
    let readings = view.iter().map(|reading| (reading.id().0, reading.raw()));
    let raws = SET.iter().map(|id| (*id, Raw::Number(u32::from(id % 2))));
    report == expected && readings.eq(raws)
}

fn keeps_a_state() -> bool {
    let (mut known, mut status) = ([0; 1], [0; 16]);
    let Some(status) = status.get_mut(..pump().status_len()) else {
        return false;
    };
    for message in [&PUMP_REPORT[..], black_box(&[0x13, 0b0000_0101, 0b10])] {
        let Ok(P0::Reply(view) | P0::Report(view)) = P0::parse(pump(), message) else {
            return false;
        };
        if view.merge_into(&mut known, status).is_err() {
            return false;
        }
    }
    pump().view_known(&known, status).is_ok_and(|state| {
        state.get(FAULT_UART) == Some(Value::Bool(true))
            && state.get(SWITCH) == Some(Value::Bool(false))
            && state.get(MODE) == Some(Value::Enum(2))
            && state.get(FLOW).is_none()
    })
}

fn kind<T>(result: Result<T, Error>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind)
}

type Step = (&'static str, fn() -> bool);

static STEPS: [Step; 12] = [
    ("decodes the logged control\n\0", decodes_the_logged_control),
    ("decodes the logged report\n\0", decodes_the_logged_report),
    (
        "finds the frames in a stream\n\0",
        finds_the_frame_in_a_stream,
    ),
    ("encodes the logged report\n\0", encodes_the_logged_report),
    ("encodes a control\n\0", encodes_a_control),
    ("refuses what is wrong\n\0", refuses_what_is_wrong),
    ("decodes a var_len control\n\0", decodes_a_var_len_control),
    ("decodes a var_len report\n\0", decodes_a_var_len_report),
    ("encodes var_len messages\n\0", encodes_var_len_messages),
    ("reads, and whole bodies\n\0", reads_and_whole_bodies),
    ("reads masks of several words\n\0", masks_of_several_words),
    ("keeps a state\n\0", keeps_a_state),
];

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let mut all = true;
    for (name, step) in &STEPS {
        let good = step();
        all &= good;
        say(if good { "ok    \0" } else { "FAIL  \0" });
        say(name);
    }
    board::exit(all)
}
