//! The values of a message.

use core::ptr;

use gizwits_codec_std::core::m2m::Event;
use gizwits_codec_std::core::{P0, PointId, PointValue, Protocol, Raw};
use gizwits_codec_std::{Action, Content, Decimal, Decoded, Message, Product, Value};

use crate::argument::Call;
use crate::error::Failure;
use crate::frame::gizwits_frame;
use crate::point::{attr, gizwits_decimal};
use crate::status::gizwits_status::{self, InvalidArgument};

/// The action of a message: one of GIZWITS_ACTION_CONTROL to GIZWITS_ACTION_GATEWAY, or GIZWITS_ACTION_NONE.
pub type gizwits_action = i32;
/// The frame has no P0.
pub const GIZWITS_ACTION_NONE: gizwits_action = 0;
/// A control, which sets points of a device.
pub const GIZWITS_ACTION_CONTROL: gizwits_action = 1;
/// A read, which asks a device for its status.
pub const GIZWITS_ACTION_READ: gizwits_action = 2;
/// A reply, with which a device answers a read.
pub const GIZWITS_ACTION_REPLY: gizwits_action = 3;
/// A report, which a device sends without a request.
pub const GIZWITS_ACTION_REPORT: gizwits_action = 4;
/// Transparent data: bytes that the protocol does not interpret.
pub const GIZWITS_ACTION_TRANSPARENT: gizwits_action = 5;
/// A message of a gateway about its sub-devices.
pub const GIZWITS_ACTION_GATEWAY: gizwits_action = 6;

/// The kind of a value: one of GIZWITS_KIND_NONE to GIZWITS_KIND_BINARY.
pub type gizwits_kind = i32;
/// No value: a point that a read of a var_len product asks for.
pub const GIZWITS_KIND_NONE: gizwits_kind = 0;
/// A bool: `raw` is 0 or 1.
pub const GIZWITS_KIND_BOOL: gizwits_kind = 1;
/// An enum: `raw` is the index of the label.
pub const GIZWITS_KIND_ENUM: gizwits_kind = 2;
/// A number: `exact` is the engineering value.
pub const GIZWITS_KIND_NUMBER: gizwits_kind = 3;
/// A binary: `bytes` and `length`.
pub const GIZWITS_KIND_BINARY: gizwits_kind = 4;

/// The value of a point.
///
/// Decoding sets all members. Encoding uses `point`, `kind` and the members that the kind names; the others must be
/// initialised, for example by `= {0}`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gizwits_value {
    /// The exact engineering value of a number, otherwise 0.
    pub exact: gizwits_decimal,
    /// The engineering value of a number as the nearest floating-point number, otherwise `raw`. Encoding does not read
    /// it.
    pub number: f64,
    /// The bytes of a binary, otherwise NULL. A decoded value borrows them from the payload.
    pub bytes: *const u8,
    /// The number of bytes of a binary, otherwise 0.
    pub length: usize,
    /// The raw value of a bool, an enum or a number, otherwise 0. Encoding does not read that of a number.
    pub raw: u32,
    /// The kind of the value.
    pub kind: gizwits_kind,
    /// The gizwits_status of the rule that the value breaks, or GIZWITS_STATUS_OK. Encoding does not read it.
    pub flagged: i32,
    /// The id of the point.
    pub point: u16,
}

impl gizwits_value {
    fn empty(point: PointId) -> Self {
        gizwits_value {
            exact: Decimal::ZERO.into(),
            number: 0.0,
            bytes: ptr::null(),
            length: 0,
            raw: 0,
            kind: GIZWITS_KIND_NONE,
            flagged: gizwits_status::Ok as i32,
            point: point.0,
        }
    }
}

impl From<PointValue<'_, '_>> for gizwits_value {
    fn from(reading: PointValue<'_, '_>) -> Self {
        let mut value = gizwits_value::empty(reading.id());
        if let Raw::Number(raw) = reading.raw() {
            (value.raw, value.number) = (raw, f64::from(raw));
        }
        if let Some(kind) = reading.flagged() {
            value.flagged = gizwits_status::from(kind) as i32;
        }
        value.kind = match reading.value() {
            Value::Bool(_) => GIZWITS_KIND_BOOL,
            Value::Enum(_) => GIZWITS_KIND_ENUM,
            Value::Number(number) => {
                (value.exact, value.number) = (number.into(), number.to_f64());
                GIZWITS_KIND_NUMBER
            }
            Value::Binary(bytes) => {
                (value.bytes, value.length) = (bytes.as_ptr(), bytes.len());
                GIZWITS_KIND_BINARY
            }
        };
        value
    }
}

/// A decoded message, without its values. The pointers borrow from the payload.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gizwits_message {
    /// The M2M frame around the message, if `has_frame` is not 0.
    pub frame: gizwits_frame,
    /// The P0: its action byte and what follows. NULL if the frame has no P0. The data of a transparent message begin
    /// behind the first byte.
    pub p0: *const u8,
    /// The number of bytes of the P0.
    pub p0_length: usize,
    /// The number of bytes that a reply or report lacks, which GIZWITS_DECODE_LAX accepts.
    pub missing: usize,
    /// The number of bytes behind the last point, which GIZWITS_DECODE_LAX accepts.
    pub extra: usize,
    /// The action.
    pub action: gizwits_action,
    /// 1 if there is a frame, otherwise 0.
    pub has_frame: u8,
}

impl gizwits_message {
    pub(crate) fn new(decoded: &Decoded<'_, '_>, payload: &[u8]) -> Self {
        let p0 = match decoded.envelope {
            None => Some(payload),
            Some(Event::Frame(frame)) => frame.p0(),
            Some(Event::Service { .. }) => None,
        };
        let none = Event::Service { command: 0 };
        let view = decoded.view();
        gizwits_message {
            frame: decoded.envelope.unwrap_or(none).into(),
            p0: p0.map_or(ptr::null(), <[u8]>::as_ptr),
            p0_length: p0.map_or(0, <[u8]>::len),
            missing: view.map_or(0, |view| view.missing()),
            extra: view.map_or(0, |view| view.extra().len()),
            action: match decoded.content {
                Content::P0(P0::Control(_)) => GIZWITS_ACTION_CONTROL,
                Content::P0(P0::Read(_)) => GIZWITS_ACTION_READ,
                Content::P0(P0::Reply(_)) => GIZWITS_ACTION_REPLY,
                Content::P0(P0::Report(_)) => GIZWITS_ACTION_REPORT,
                Content::P0(P0::Transparent { .. }) => GIZWITS_ACTION_TRANSPARENT,
                Content::P0(P0::Gateway { .. }) => GIZWITS_ACTION_GATEWAY,
                Content::Body(_) => GIZWITS_ACTION_NONE,
            },
            has_frame: decoded.envelope.is_some().into(),
        }
    }
}

/// Returns the values of a message; for a read of a var_len product, the points that it asks for.
pub(crate) fn values(product: &Product, decoded: &Decoded<'_, '_>) -> Vec<gizwits_value> {
    match decoded.content {
        Content::P0(P0::Read(wanted)) if product.protocol() == Protocol::VarLen => {
            wanted.ids().map(gizwits_value::empty).collect()
        }
        _ => {
            let view = decoded.view();
            let readings = view.iter().flat_map(|view| view.iter());
            readings.map(gizwits_value::from).collect()
        }
    }
}

/// Returns the action that a message is encoded with.
pub(crate) fn action(action: gizwits_action) -> Result<Action, Failure> {
    Ok(match action {
        GIZWITS_ACTION_CONTROL => Action::Control,
        GIZWITS_ACTION_READ => Action::Read,
        GIZWITS_ACTION_REPLY => Action::Reply,
        GIZWITS_ACTION_REPORT => Action::Report,
        _ => return Err(Failure::Argument(InvalidArgument, "action")),
    })
}

/// Sets the value of a point in a message.
///
/// # Safety
/// As for [`Call::items`], for the bytes of a binary.
pub(crate) unsafe fn set(
    call: &mut Call<'_>,
    product: &Product,
    message: &mut Message<'_>,
    value: &gizwits_value,
) -> Result<(), Failure> {
    let invalid = |name| Err(Failure::Argument(InvalidArgument, name));
    let name = attr(product, value.point)?.name();
    let codec = match value.kind {
        GIZWITS_KIND_NONE => {
            let wanted = message.want(name);
            return wanted.map_err(|error| Failure::named(product, error));
        }
        GIZWITS_KIND_BOOL => match value.raw {
            0 | 1 => Value::Bool(value.raw == 1),
            _ => return invalid("raw"),
        },
        GIZWITS_KIND_ENUM => Value::Enum(value.raw),
        GIZWITS_KIND_NUMBER => match value.exact.scale {
            scale @ 0..=18 => Value::Number(Decimal::new(value.exact.coefficient, scale)),
            _ => return invalid("scale"),
        },
        GIZWITS_KIND_BINARY => {
            // SAFETY: the promise is that of this function.
            Value::Binary(unsafe { call.peek("bytes", value.bytes, value.length)? })
        }
        _ => return invalid("kind"),
    };
    let set = message.set(name, codec);
    set.map_err(|error| Failure::named(product, error))
}
