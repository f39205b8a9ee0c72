//! Decodes a stream of M2M frames, as devices and apps send them over TCP, without an allocator: the
//! compiler checks the layout, the stream decoder works in a fixed buffer, and views read the values in
//! place.
//!
//! ```console
//! $ cargo run -p gizwits-codec-core --example decode
//! Report: switch true, mode #1, set_temp 24, room_temp 11.5
//! Report: switch true, mode #3 (the enum index has no label), set_temp 24, room_temp 11.5
//! Control: set_temp 25
//! a payload was refused: the bytes end too early (at least 1 missing): point 3, byte 4
//! 5 bytes belonged to no frame
//! ```

use std::error::Error;
use std::io::{Write, stdout};

use gizwits_codec_core::m2m::{Decoder, Event};
use gizwits_codec_core::{Access, Decimal, Layout, P0, Point, Protocol, UintSpec, Value, View};

/// Four points: the status of this device has 4 bytes.
static LAYOUT: Layout<4> = Layout::must(
    Protocol::Standard,
    &[
        Point::bool(0, Access::Writable, 0, 0),
        Point::enumeration(1, Access::Writable, 0, 1, 2, 3),
        Point::uint8(2, Access::Writable, 1, UintSpec::new(16, 30)),
        Point::uint16(3, Access::ReadOnly, 2, ROOM_TEMP),
    ],
);

/// Tenths of a degree above -10 °C.
const ROOM_TEMP: UintSpec = UintSpec::new(0, 500).scaled(Decimal::new(1, 1), Decimal::new(-10, 0));

const NAMES: [&str; 4] = ["switch", "mode", "set_temp", "room_temp"];

/// TCP may cut the stream anywhere. This one begins with noise.
const CHUNKS: [&[u8]; 3] = [
    b"noise\0\0\0\x03\x08\0\0\x91\x04\x03\x18\0\xd7\0\0",
    b"\0\x03\x08\0\0\x91\x04\x07\x18\0\xd7\0\0\0\x03\x07\0\0\x90",
    b"\x01\x04\x00\x19\0\0\0\x03\x07\0\0\x91\x04\x03\x18\0",
];

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut stdout())
}

pub(crate) fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let mut buffer = [0; 64];
    let mut decoder = Decoder::new(&mut buffer);
    for chunk in CHUNKS {
        let mut rest = chunk;
        while !rest.is_empty() {
            rest = decoder.push(rest);
            while let Some(event) = decoder.next_event() {
                if let Event::Frame(frame) = event
                    && let Some(p0) = frame.p0()
                {
                    show(p0, out)?;
                }
            }
        }
    }
    writeln!(out, "{} bytes belonged to no frame", decoder.skipped())?;
    Ok(())
}

fn show(p0: &[u8], out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    match P0::parse(LAYOUT.get(), p0) {
        Ok(P0::Report(view)) => write!(out, "Report:").and_then(|()| points(view, out))?,
        Ok(P0::Control(view)) => write!(out, "Control:").and_then(|()| points(view, out))?,
        Ok(other) => writeln!(out, "{other:?}")?,
        // The frame was complete, so the stream continues with the next frame.
        Err(error) => writeln!(out, "a payload was refused: {error}")?,
    }
    Ok(())
}

fn points(view: View<'_, '_>, out: &mut dyn Write) -> std::io::Result<()> {
    let mut lead = " ";
    for point in view {
        let name = NAMES.get(point.id().index()).unwrap_or(&"?");
        match point.value() {
            Value::Bool(on) => write!(out, "{lead}{name} {on}")?,
            Value::Enum(index) => write!(out, "{lead}{name} #{index}")?,
            Value::Number(number) => write!(out, "{lead}{name} {number}")?,
            Value::Binary(bytes) => write!(out, "{lead}{name} {bytes:02x?}")?,
        }
        // Devices send values that their definition does not allow: they are decoded and flagged.
        if let Some(rule) = point.flagged() {
            write!(out, " ({rule})")?;
        }
        lead = ", ";
    }
    writeln!(out)
}
