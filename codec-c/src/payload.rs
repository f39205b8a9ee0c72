//! A function for payloads as text.

use core::ffi::c_char;

use gizwits_codec_std::payload;

use crate::argument::call;
use crate::error::{Failure, gizwits_error};
use crate::status::gizwits_status;

/// Reads the bytes of a payload from a text of `text_length` bytes: hex, base64, or a list such as `[0,0,0,3]`.
///
/// The bytes are written to `out` and their number to `*length`. If `capacity` is too small, nothing is written,
/// `*length` is the number that is needed, and the status is GIZWITS_STATUS_OUT_OF_SPACE. A text is never shorter than
/// its bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_payload_parse(
    text: *const c_char,
    text_length: usize,
    out: *mut u8,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.buffer("out", out, capacity, length)?;
            let text = call.text("text", text, text_length)?;
            let bytes = payload::parse(text, None);
            let bytes = bytes.map_err(|error| Failure::Named(Box::new(error), None))?;
            out.put(&bytes)
        })
    }
}
