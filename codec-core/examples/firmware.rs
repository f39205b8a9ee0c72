//! The firmware of a heater, written by hand: a layout in a constant, a [`Model`] over it, and a
//! [`Link`] that answers the Wi-Fi module and reports the status. None of it needs a heap, so it runs
//! unchanged on a microcontroller; `main` plays the module's part. The code generator of
//! `gizwits-codec-std` writes the [`Model`] for a product of any size.
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
use gizwits_codec_core::uart::{self, Command, DeviceInfo, Frame};
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
    // The room temperature changes all the time, so it is reported every 6 s at most.
    const MEASURED: &'static [(usize, usize)] = &[(2, 3)];

    fn encode<P: Policy>(
        status: &Status,
        last: &[u8; 3],
        values: &mut [u8; 3],
        invalid: &mut impl FnMut(PointId, ErrorKind),
    ) {
        let [_, target, room] = *last;
        let target = || target.into();
        let room = || room.into();
        *values = [
            status.power.into(),
            model::limited::<P>(1, status.target.into(), (16, 30), target, invalid) as u8,
            model::limited::<P>(2, status.room.into(), (0, 50), room, invalid) as u8,
        ];
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
        let is_set = flags & 0b10 != 0;
        let is_set = is_set && model::check_limits(1, target.into(), (16, 30), invalid);
        (
            (flags & 1 == 1).then_some(power & 1 == 1),
            is_set.then_some(target),
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
}

static INFO: DeviceInfo = DeviceInfo::new(Heater::PRODUCT_KEY);

/// What the module sends, and when: milliseconds, command, sequence number, payload.
const MODULE: [(u32, Command, u8, &[u8]); 6] = [
    (0, Command::HEARTBEAT, 0, b""),
    (20, Command::FROM_DEVICE_ACK, 0, b""),
    (1_000, Command::TO_DEVICE, 1, b"\x01\x03\x01\x18"),
    (1_020, Command::FROM_DEVICE_ACK, 1, b""),
    (2_000, Command::TO_DEVICE, 2, b"\x01\x02\x00\x63"),
    (7_000, Command::HEARTBEAT, 3, b""),
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

    for (now, command, sn, payload) in MODULE {
        let (mut received, mut sent) = (Vec::new(), Vec::new());
        Frame {
            command,
            sn,
            flags: 0,
            payload,
        }
        .write(|byte| received.push(byte));

        // One turn of the firmware's main loop: bytes in, sensors, `poll`. On a device the bytes come
        // from the UART's receive buffer, `now` from a timer, and the sink is the transmit buffer.
        let mut refused = None;
        let mut uart = |byte| sent.push(byte);
        for byte in received {
            match link.receive(byte, now, &mut uart) {
                Some(Event::Control(update)) => update.apply(&mut status, |point, why| {
                    refused = Some((point, why));
                }),
                Some(event) => writeln!(out, "{now:5} ms  {event:?}")?,
                None => {}
            }
        }
        status.room = if now < 5_000 { 18 } else { 19 };
        link.poll(now, &status, &mut uart);

        if let Some((point, why)) = refused {
            writeln!(out, "{now:5} ms  point {point} was not set: {why}")?;
        }
        writeln!(out, "{now:5} ms  {status:?}")?;
        let mut wire = &sent[..];
        while let Ok((frame, rest)) = uart::parse(wire, &mut [0; 32]) {
            writeln!(
                out,
                "          -> {:?} {} {:02x?}",
                frame.command, frame.sn, frame.payload
            )?;
            wire = rest;
        }
    }
    Ok(())
}
