//! Functions for the state of a device: the last reported value of each point.

use core::ffi::c_char;
use core::ptr;
use std::sync::{Mutex, PoisonError};

use gizwits_codec_std::core::PointId;
use gizwits_codec_std::{Product, State};

use crate::argument::call;
use crate::decode::decode;
use crate::error::{Failure, gizwits_error};
use crate::handles::Handles;
use crate::message::gizwits_value;
use crate::point::attr;
use crate::products::{self, gizwits_product};
use crate::status::gizwits_status::{self, NoValue};

/// The handle of a state: the last reported values of the points of one device. 0 is never a handle.
///
/// A var_len device reports only the points that have changed, so its state is the merge of its reports. The handle is a
/// number, as that of a product. All threads may use it at the same time.
pub type gizwits_state = u64;

/// A state and its product, which lives as long as the state.
struct Device {
    product: Product,
    state: State,
}

// No handle of a state is one of a product, or a program that confuses them would get the wrong device.
static STATES: Handles<Mutex<Device>> = Handles::new("state", 1 << 63);

fn with<R>(
    handle: gizwits_state,
    call: impl FnOnce(&mut Device) -> Result<R, Failure>,
) -> Result<R, Failure> {
    STATES.with(handle, |device| {
        call(&mut device.lock().unwrap_or_else(PoisonError::into_inner))
    })
}

/// Makes the state of a device of a product, without any known values.
///
/// `*state` becomes a handle, which the caller frees with gizwits_state_free(), or 0 after a failure. The product may be
/// freed before the state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_state_new(
    product: gizwits_product,
    state: *mut gizwits_state,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let handle = call.handle("state", state)?;
            let product = products::with(product, |product| Ok(product.clone()))?;
            let state = product.state();
            handle.put(STATES.add(Mutex::new(Device { product, state })));
            Ok(())
        })
    }
}

/// Frees a state. Its handle, and every copy of it, is invalid from then on.
///
/// Calls of other threads that use the state end first. The handle 0 is refused like any other invalid handle.
#[unsafe(no_mangle)]
pub extern "C" fn gizwits_state_free(state: gizwits_state) -> gizwits_status {
    // SAFETY: there is no error to write, and no other pointer.
    unsafe { call(ptr::null_mut(), |_| STATES.remove(state)) }
}

/// Decodes a payload of the device and merges its points into the state, if it is a report or reply.
///
/// `options` is a sum of GIZWITS_DECODE_ constants. `merged` is NULL, or becomes 1 if the payload is a report or reply and
/// 0 if it is any other message, which changes nothing: a control states what somebody wants, not what the device does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_state_merge(
    state: gizwits_state,
    options: u32,
    payload: *const u8,
    payload_length: usize,
    merged: *mut u8,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let merged = call.optional("merged", merged)?;
            let payload = call.items("payload", payload, payload_length)?;
            with(state, |Device { product, state }| {
                let decoded = decode(product, options, payload)?;
                let is_merged = product.merge(state, &decoded);
                let is_merged = is_merged.map_err(|error| Failure::named(product, error))?;
                if let Some(merged) = merged {
                    merged.put(is_merged.into());
                }
                Ok(())
            })
        })
    }
}

/// Writes a state to `out` as a line of JSON without a line end.
///
/// The object has the keys `attrs` with the values as in gizwits_decode_json(), `flagged` if a value breaks a rule, and
/// `never_seen` with the names of the points without a known value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_state_json(
    state: gizwits_state,
    out: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.text_buffer("out", out, capacity, length)?;
            with(state, |device| out.put_text(device.state.to_json()))
        })
    }
}

/// Writes the known values of a state to `values`, in the order of their ids.
///
/// `*count` is the number of values. If `capacity` is smaller, no value is written, `*count` is the number that is needed,
/// and the status is GIZWITS_STATUS_OUT_OF_SPACE. The pointers of binaries borrow from the state: they are valid until the
/// next gizwits_state_merge() or gizwits_state_free() for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_state_values(
    state: gizwits_state,
    values: *mut gizwits_value,
    capacity: usize,
    count: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.buffer("values", values, capacity, count)?;
            with(state, |device| {
                let view = device.state.view();
                let values: Vec<_> = view.iter().map(gizwits_value::from).collect();
                out.put(&values)
            })
        })
    }
}

/// Stores the last known value of a point in `*value`.
///
/// The status is GIZWITS_STATUS_NO_VALUE if the device has not reported the point, and GIZWITS_STATUS_UNKNOWN_POINT if the
/// product does not have it. The pointer of a binary borrows from the state, as in gizwits_state_values().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_state_value(
    state: gizwits_state,
    point: u16,
    value: *mut gizwits_value,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let value = call.output("value", value)?;
            with(state, |device| {
                attr(&device.product, point)?;
                let reading = device.state.view().read(PointId(point));
                value.put(reading.ok_or(Failure::Argument(NoValue, "point"))?.into());
                Ok(())
            })
        })
    }
}
