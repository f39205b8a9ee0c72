//! Encodes a control of a standard product and a report of a var_len product, each in its frame, and
//! shows what the encoder refuses.
//!
//! ```console
//! $ cargo run -p gizwits-codec-core --example encode
//! control   01020031
//! over TCP  000000030b0000930000000701020031
//! report    14050115
//! over UART ffff000905000000140501153d
//! refused: the value is above the maximum: point 1, byte 1
//! refused: the value is between two steps (raw values 49 and 50): point 1, byte 1
//! refused: the point is not writable: point 2, byte 2
//! refused: the kind of the value does not match the point: point 0, byte 0
//! rounded   01020031
//! ```

use std::error::Error;
use std::io::{Write, stdout};

use gizwits_codec_core::{
    Access, Action, Decimal, Encoder, Layout, Point, PointId, Protocol, Rounding, UintSpec, Value,
    m2m, uart,
};

const SWITCH: PointId = PointId(0);
const SET_TEMP: PointId = PointId(1);
const ROOM_TEMP: PointId = PointId(2);

const POINTS: [Point; 3] = [
    Point::bool(SWITCH.0, Access::Writable, 0, 0),
    Point::uint8(SET_TEMP.0, Access::Writable, 1, SET_SPEC),
    Point::uint8(ROOM_TEMP.0, Access::ReadOnly, 2, UintSpec::new(0, 50)),
];

/// 16 to 30 °C in steps of 0.5: raw values from 32 to 60.
const SET_SPEC: UintSpec = UintSpec::new(32, 60).scaled(Decimal::new(5, 1), Decimal::ZERO);

// The same points in both protocols. Layouts in a `static` are checked by the compiler.
static STANDARD: Layout<3> = Layout::must(Protocol::Standard, &POINTS);
static VAR_LEN: Layout<3> = Layout::must(Protocol::VarLen, &POINTS);

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut stdout())
}

pub(crate) fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let mut buffer = [0; 16];
    let mut wire = [0; 64];

    // A control to a standard product: flags, and the bytes of all writable points.
    let mut control = Encoder::begin(STANDARD.get(), Action::Control, &mut buffer)?;
    control.set(SET_TEMP, Value::Number("24.5".parse()?))?;
    let body = control.finish();
    writeln!(out, "control   {}", hex(body))?;
    let frame = m2m::Frame {
        flag: 0,
        command: m2m::REQUEST,
        sn: Some(7),
        did: None,
        body,
    };
    let len = frame.encode(&mut wire)?;
    writeln!(out, "over TCP  {}", hex(wire.get(..len).unwrap_or(&[])))?;

    // A report of a var_len product: a mask, and the values of the points in it.
    let mut report = Encoder::begin(VAR_LEN.get(), Action::Report, &mut buffer)?;
    report.set(ROOM_TEMP, Value::Number(21.into()))?;
    report.set(SWITCH, Value::Bool(true))?;
    let payload = report.finish();
    writeln!(out, "report    {}", hex(payload))?;
    let frame = uart::Frame {
        command: uart::Command::FROM_DEVICE,
        sn: 0,
        flags: 0,
        payload,
    };
    let len = frame.encode(&mut wire)?;
    writeln!(out, "over UART {}", hex(wire.get(..len).unwrap_or(&[])))?;

    // What the definition does not allow is refused. The encoder stays as it was.
    let mut control = Encoder::begin(STANDARD.get(), Action::Control, &mut buffer)?;
    for (id, value) in [
        (SET_TEMP, Value::Number(31.into())),
        (SET_TEMP, Value::Number("24.7".parse()?)),
        (ROOM_TEMP, Value::Number(21.into())),
        (SWITCH, Value::Number(1.into())),
    ] {
        if let Err(error) = control.set(id, value) {
            writeln!(out, "refused: {error}")?;
        }
    }
    // An application that prefers the nearest step asks for it.
    let mut control = control.rounding(Rounding::HalfUp);
    control.set(SET_TEMP, Value::Number("24.7".parse()?))?;
    writeln!(out, "rounded   {}", hex(control.finish()))?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
