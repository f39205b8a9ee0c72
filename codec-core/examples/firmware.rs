//! The firmware of a heater, written by hand: a constant layout, a [`Model`] of it, and a [`Link`] that
//! answers the Wi-Fi module and reports the status. The device needs no heap. `run` plays the module and
//! prints the frames that the device sends. For real products, the code generator of
//! `gizwits-codec-std` writes layout, status and model.
//!
//! ```console
//! $ cargo run -p gizwits-codec-core --example firmware
//!     0 ms  Status { power: false, target: 20, room: 18 }
//!           -> HEARTBEAT_ACK 0 []
//!           -> FROM_DEVICE 0 [04, 00, 14, 12]
//!    20 ms  Acked(FROM_DEVICE)
//!    20 ms  Status { power: false, target: 20, room: 18 }
//!  1000 ms  Status { power: true, target: 24, room: 18 }
//!           -> TO_DEVICE_ACK 1 []
//!           -> FROM_DEVICE 1 [04, 01, 18, 12]
//!  1020 ms  Acked(FROM_DEVICE)
//!  1020 ms  Status { power: true, target: 24, room: 18 }
//!  2000 ms  point 1 was not set: the value is above the maximum
//!  2000 ms  Status { power: true, target: 24, room: 18 }
//!           -> TO_DEVICE_ACK 2 []
//!  7000 ms  Status { power: true, target: 24, room: 19 }
//!           -> HEARTBEAT_ACK 3 []
//!           -> FROM_DEVICE 2 [04, 01, 18, 13]
//! ```

use std::error::Error;
use std::io::{Write, stdout};

use gizwits_codec_core::link::{Event, Link};
use gizwits_codec_core::model::{self, Model, Policy};
use gizwits_codec_core::uart::{self, DeviceInfo, Frame};
use gizwits_codec_core::{
    Access, ErrorKind, Layout, LayoutRef, Point, PointId, Protocol, UintSpec,
};

static LAYOUT: Layout<3> = Layout::must(
    Protocol::Standard,
    &[
        Point::bool(0, Access::Writable, 0, 0),
        Point::uint8(1, Access::Writable, 1, UintSpec::new(16, 30)),
        Point::uint8(2, Access::ReadOnly, 2, UintSpec::new(0, 50)),
    ],
);

#[derive(Debug)]
struct Status {
    power: bool,
    target: u8,
    room: u8,
}

#[derive(Debug)]
enum Heater {}

impl Model for Heater {
    type Status = Status;
    type Control = (Option<bool>, Option<u8>);
    type Values = [u8; 3];
    type Mask = [u8; 0];
    type Points = [u32; 1];

    const LAYOUT: LayoutRef<'static> = LAYOUT.get();
    const PRODUCT_KEY: &'static [u8; 32] = b"9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50";
    const VALUES: [u8; 3] = [0; 3];
    const MASK: [u8; 0] = [];
    const POINTS: [u32; 1] = [0];
    // The room temperature changes all the time, so it is reported at most every 6 s.
    const MEASURED: &'static [(usize, usize)] = &[(2, 3)];

    fn encode<P: Policy>(
        status: &Status,
        last: &[u8; 3],
        values: &mut [u8; 3],
        invalid: &mut impl FnMut(PointId, ErrorKind),
    ) {
        let Status {
            power,
            target,
            room,
        } = *status;
        let [_, last_target, last_room] = last.map(u32::from);
        // Replaces invalid values as the policy of the link chooses.
        let target = model::limited::<P>(1, target.into(), (16, 30), || last_target, invalid);
        let room = model::limited::<P>(2, room.into(), (0, 50), || last_room, invalid);
        *values = [power.into(), target as u8, room as u8];
    }

    fn decode(&[power, target, room]: &[u8; 3]) -> Status {
        Status {
            power: power & 1 == 1,
            target,
            room,
        }
    }

    fn control(
        flags: &[u8],
        values: &[u8],
        invalid: &mut impl FnMut(PointId, ErrorKind),
    ) -> Self::Control {
        let [flags] = *model::array(flags);
        let [power, target] = *model::array(values);
        let has_power = flags & 0b01 != 0;
        let has_target =
            flags & 0b10 != 0 && model::check_limits(1, target.into(), (16, 30), invalid);
        (
            has_power.then_some(power & 1 == 1),
            has_target.then_some(target),
        )
    }

    fn apply(
        flags: &[u8],
        values: &[u8],
        status: &mut Status,
        invalid: &mut impl FnMut(PointId, ErrorKind),
    ) {
        let (power, target) = Self::control(flags, values, invalid);
        status.power = power.unwrap_or(status.power);
        status.target = target.unwrap_or(status.target);
    }

    // Only senders of controls call this function, so the linker removes it from the firmware of a device.
    fn encode_control(
        (power, target): &Self::Control,
        flags: &mut [u8],
        values: &mut [u8],
        invalid: &mut impl FnMut(PointId, ErrorKind),
    ) {
        let ([flags], [power_byte, target_byte]) = (flags, values) else {
            return;
        };
        if let Some(power) = *power {
            *flags |= 0b01;
            *power_byte = power.into();
        }
        if let Some(target) = *target
            && model::check_limits(1, target.into(), (16, 30), invalid)
        {
            *flags |= 0b10;
            *target_byte = target;
        }
    }
}

static INFO: DeviceInfo = DeviceInfo::new(Heater::PRODUCT_KEY);

/// One turn of the main loop: bytes in, sensors, `poll`. On a device the bytes come from the receive
/// buffer of the UART, `now` from a timer, and the sink writes to the transmit buffer.
fn turn(
    link: &mut Link<'_, Heater>,
    status: &mut Status,
    (now, received): (u32, &[u8]),
    uart: &mut dyn FnMut(u8),
    log: &mut dyn Write,
) -> std::io::Result<()> {
    for byte in received {
        match link.receive(*byte, now, uart) {
            Some(Event::Control(update)) => update.apply(status, |point, why| {
                let _ = writeln!(log, "{now:5} ms  point {point} was not set: {why}");
            }),
            Some(event) => writeln!(log, "{now:5} ms  {event:?}")?,
            None => {}
        }
    }
    status.room = if now < 5_000 { 18 } else { 19 };
    // A report if the status has changed, or a frame again that was not acknowledged.
    link.poll(now, status, uart);
    writeln!(log, "{now:5} ms  {status:?}")
}

/// The time in ms, and the bytes that the module sends then.
const MODULE: [(u32, &[u8]); 6] = [
    (0, b"\xff\xff\0\x05\x07\0\0\0\x0c"),  // a heartbeat
    (20, b"\xff\xff\0\x05\x06\0\0\0\x0b"), // acknowledges the first report
    (1_000, b"\xff\xff\0\x09\x03\x01\0\0\x01\x03\x01\x18\x2a"), // power = true, target = 24
    (1_020, b"\xff\xff\0\x05\x06\x01\0\0\x0c"), // acknowledges the second report
    (2_000, b"\xff\xff\0\x09\x03\x02\0\0\x01\x02\0\x63\x74"), // target = 99
    (7_000, b"\xff\xff\0\x05\x07\x03\0\0\x0f"), // a heartbeat
];

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut stdout())
}

pub(crate) fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let mut buffer = [0; Link::<Heater>::room()];
    let mut link: Link<Heater> = Link::new(&INFO, &mut buffer);
    let mut status = Status {
        power: false,
        target: 20,
        room: 18,
    };
    for received in MODULE {
        let mut sent = Vec::new();
        let mut uart = |byte| sent.push(byte);
        turn(&mut link, &mut status, received, &mut uart, out)?;

        let mut wire = &sent[..];
        while let Ok((frame, rest)) = uart::parse(wire, &mut [0; 32]) {
            let Frame { command, sn, .. } = frame;
            writeln!(out, "          -> {command:?} {sn} {:02x?}", frame.payload)?;
            wire = rest;
        }
    }
    Ok(())
}
