//! Functions that decode payloads.

use core::ffi::c_char;

use gizwits_codec_std::core::PointId;
use gizwits_codec_std::{Decoded, Product};

use crate::argument::call;
use crate::error::{Failure, gizwits_error};
use crate::message::{gizwits_message, gizwits_value, values};
use crate::point::attr;
use crate::products::{self, gizwits_product};
use crate::status::gizwits_status::{self, InvalidArgument, NoValue};

/// Accepts an M2M frame or a bare P0: bytes that begin with 00 00 00 03 are a frame.
pub const GIZWITS_DECODE_ANY: u32 = 0;
/// Accepts replies and reports of any length and decodes the points that are complete.
pub const GIZWITS_DECODE_LAX: u32 = 1;
/// Accepts a bare P0 alone. Not together with GIZWITS_DECODE_FRAME.
pub const GIZWITS_DECODE_P0: u32 = 2;
/// Accepts an M2M frame alone. Not together with GIZWITS_DECODE_P0.
pub const GIZWITS_DECODE_FRAME: u32 = 4;

/// Decodes a payload and writes it to `out` as a line of JSON without a line end.
///
/// `options` is a sum of GIZWITS_DECODE_ constants. The object has the keys `frame`, `action`, `attrs` (a bool is 0 or 1,
/// an enum its label, a number exact, a binary hex), `flagged` (the rules that values break, by point) and others that
/// the documentation of the crate `gizwits-codec-std` lists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_decode_json(
    product: gizwits_product,
    options: u32,
    payload: *const u8,
    payload_length: usize,
    out: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.text_buffer("out", out, capacity, length)?;
            let payload = call.items("payload", payload, payload_length)?;
            products::with(product, |product| {
                let mut json = Vec::new();
                decode(product, options, payload)?.write_json(&mut json);
                out.put_text(json)
            })
        })
    }
}

/// Decodes a payload and writes the values of its points to `values`, in the order of the message.
///
/// `options` is a sum of GIZWITS_DECODE_ constants. `message` is NULL, or memory of the caller for what else the payload
/// has. `*count` is the number of values. If `capacity` is smaller, no value is written, `*count` is the number that is
/// needed, and the status is GIZWITS_STATUS_OUT_OF_SPACE; `*message` is set even then. No message has more values than its product has points.
///
/// The points that a read of a var_len product asks for are values of GIZWITS_KIND_NONE. A read of a standard product
/// asks for all points and has no values. Pointers in `*message` and in the values borrow from `payload`: they are valid
/// as long as its bytes are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_decode(
    product: gizwits_product,
    options: u32,
    payload: *const u8,
    payload_length: usize,
    message: *mut gizwits_message,
    values: *mut gizwits_value,
    capacity: usize,
    count: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.buffer("values", values, capacity, count)?;
            let message = call.optional("message", message)?;
            let payload = call.items("payload", payload, payload_length)?;
            products::with(product, |product| {
                let decoded = decode(product, options, payload)?;
                if let Some(message) = message {
                    message.put(gizwits_message::new(&decoded, payload));
                }
                out.put(&self::values(product, &decoded))
            })
        })
    }
}

/// Decodes one point of a payload and stores its value in `*value`.
///
/// `options` is a sum of GIZWITS_DECODE_ constants. The status is GIZWITS_STATUS_NO_VALUE if the message does not have
/// the point, and GIZWITS_STATUS_UNKNOWN_POINT if the product does not. gizwits_point_find() returns the id of a name.
/// The pointer of a binary borrows from `payload`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_decode_point(
    product: gizwits_product,
    options: u32,
    payload: *const u8,
    payload_length: usize,
    point: u16,
    value: *mut gizwits_value,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let value = call.output("value", value)?;
            let payload = call.items("payload", payload, payload_length)?;
            products::with(product, |product| {
                attr(product, point)?;
                let decoded = decode(product, options, payload)?;
                let reading = decoded.view().and_then(|view| view.read(PointId(point)));
                value.put(reading.ok_or(Failure::Argument(NoValue, "point"))?.into());
                Ok(())
            })
        })
    }
}

/// Decodes a payload with GIZWITS_DECODE_ options.
pub(crate) fn decode<'p, 'b>(
    product: &'p Product,
    options: u32,
    payload: &'b [u8],
) -> Result<Decoded<'p, 'b>, Failure> {
    const LAX_P0: u32 = GIZWITS_DECODE_LAX | GIZWITS_DECODE_P0;
    const LAX_FRAME: u32 = GIZWITS_DECODE_LAX | GIZWITS_DECODE_FRAME;
    let decoded = match options {
        GIZWITS_DECODE_ANY => product.decode(payload),
        GIZWITS_DECODE_P0 => product.decode_p0(payload),
        GIZWITS_DECODE_FRAME => product.decode_m2m(payload),
        GIZWITS_DECODE_LAX => product.lax().decode(payload),
        LAX_P0 => product.lax().decode_p0(payload),
        LAX_FRAME => product.lax().decode_m2m(payload),
        _ => return Err(Failure::Argument(InvalidArgument, "options")),
    };
    decoded.map_err(|error| Failure::named(product, error))
}
