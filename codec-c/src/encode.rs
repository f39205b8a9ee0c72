//! Functions that encode messages.

use core::ffi::c_char;

use gizwits_codec_std::{Message, Product, Rounding};

use crate::argument::call;
use crate::error::{Failure, gizwits_error};
use crate::message::{action, gizwits_action, gizwits_value, set};
use crate::products::{self, gizwits_product};
use crate::status::gizwits_status::{self, InvalidArgument};

/// Refuses a number between two steps.
pub const GIZWITS_ENCODE_EXACT: u32 = 0;
/// Rounds a number between two steps to the nearest, and up if it is in the middle.
pub const GIZWITS_ENCODE_ROUND: u32 = 1;

/// Encodes a P0 from a JSON object of points, such as `{"switch": true, "set_temp": 24}`.
///
/// `action` is GIZWITS_ACTION_CONTROL, GIZWITS_ACTION_READ, GIZWITS_ACTION_REPLY or GIZWITS_ACTION_REPORT. `options` is
/// GIZWITS_ENCODE_EXACT or GIZWITS_ENCODE_ROUND. A bool is true, false, 1 or 0, an enum a label or an index, a number an
/// engineering value, and a binary hex. A read has no values: its object is `{}`; gizwits_encode() encodes a read of
/// some points.
///
/// The bytes are written to `out` and their number to `*length`. If `capacity` is too small, nothing is written,
/// `*length` is the number that is needed, and the status is GIZWITS_STATUS_OUT_OF_SPACE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_encode_json(
    product: gizwits_product,
    action: gizwits_action,
    options: u32,
    json: *const c_char,
    json_length: usize,
    out: *mut u8,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.buffer("out", out, capacity, length)?;
            let json = call.text("json", json, json_length)?;
            let (action, rounding) = (self::action(action)?, rounding(options)?);
            products::with(product, |product| {
                let named = |error| Failure::named(product, error);
                let mut p0 = Vec::new();
                if rounding == Rounding::Exact {
                    product.encode_json(json, action, &mut p0).map_err(named)?;
                } else {
                    let mut message = product.message(action).rounding(rounding);
                    message.set_json(json).map_err(named)?;
                    p0 = message.encode().map_err(named)?;
                }
                out.put(&p0)
            })
        })
    }
}

/// Encodes a P0 from values. The values that gizwits_decode() returns encode to the same message again.
///
/// `action` and `options` are as in gizwits_encode_json(). Of each value, `point`, `kind` and the members that the kind
/// names are read. A read of some points of a var_len product has values of GIZWITS_KIND_NONE; a read of all points has
/// none.
///
/// The bytes are written to `out` and their number to `*length`. If `capacity` is too small, nothing is written,
/// `*length` is the number that is needed, and the status is GIZWITS_STATUS_OUT_OF_SPACE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_encode(
    product: gizwits_product,
    action: gizwits_action,
    options: u32,
    values: *const gizwits_value,
    count: usize,
    out: *mut u8,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header, for the bytes of binaries as well.
    unsafe {
        call(error, |call| {
            let out = call.buffer("out", out, capacity, length)?;
            let values = call.items("values", values, count)?;
            let (action, rounding) = (self::action(action)?, rounding(options)?);
            products::with(product, |product| {
                let mut message = product.message(action).rounding(rounding);
                for value in values {
                    set(call, product, &mut message, value)?;
                }
                out.put(&encode(product, &message)?)
            })
        })
    }
}

fn encode(product: &Product, message: &Message<'_>) -> Result<Vec<u8>, Failure> {
    let p0 = message.encode();
    p0.map_err(|error| Failure::named(product, error))
}

fn rounding(options: u32) -> Result<Rounding, Failure> {
    match options {
        GIZWITS_ENCODE_EXACT => Ok(Rounding::Exact),
        GIZWITS_ENCODE_ROUND => Ok(Rounding::HalfUp),
        _ => Err(Failure::Argument(InvalidArgument, "options")),
    }
}
