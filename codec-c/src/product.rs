//! Functions for products: definitions, which are read at run time.

use core::ffi::c_char;
use core::ptr;

use gizwits_codec_std::core::Protocol;
use gizwits_codec_std::{Product, check};
use serde_json::{Value, json};

use crate::argument::call;
use crate::error::{Failure, gizwits_error};
use crate::products::{self, gizwits_product};
use crate::status::gizwits_status;

/// The protocol of a product: GIZWITS_PROTOCOL_STANDARD or GIZWITS_PROTOCOL_VAR_LEN.
pub type gizwits_protocol = i32;
/// Every report has all points.
pub const GIZWITS_PROTOCOL_STANDARD: gizwits_protocol = 1;
/// A message has the points that its presence mask names.
pub const GIZWITS_PROTOCOL_VAR_LEN: gizwits_protocol = 2;

/// The numbers of a product.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct gizwits_product_info {
    /// The protocol of the product.
    pub protocol: gizwits_protocol,
    /// The number of points. Their ids are 0 to `points - 1`.
    pub points: u16,
    /// The number of bytes of all values.
    pub status_length: u32,
}

/// Loads a definition: its JSON text, as the cloud returns it.
///
/// `definition` is UTF-8 of `length` bytes; a NUL behind them is not part of it. The library copies what it needs.
/// `*product` becomes a handle, which the caller frees with gizwits_product_free(), or 0 after a failure.
///
/// If the definition has errors, the status is GIZWITS_STATUS_DEFINITION, and the text of the error has a line for each
/// of the first ten. gizwits_definition_check() returns all problems.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_product_new(
    definition: *const c_char,
    length: usize,
    product: *mut gizwits_product,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let handle = call.handle("product", product)?;
            let text = call.text("definition", definition, length)?;
            let product = Product::from_json(text).map_err(Failure::Definition)?;
            handle.put(products::add(product));
            Ok(())
        })
    }
}

/// Frees a product. Its handle, and every copy of it, is invalid from then on.
///
/// Calls of other threads that use the product end first. The handle 0 is refused like any other invalid handle.
#[unsafe(no_mangle)]
pub extern "C" fn gizwits_product_free(product: gizwits_product) -> gizwits_status {
    // SAFETY: there is no error to write, and no other pointer.
    unsafe { call(ptr::null_mut(), |_| products::remove(product)) }
}

/// Stores the numbers of a product in `*info`, which is memory of the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_product_describe(
    product: gizwits_product,
    info: *mut gizwits_product_info,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let info = call.output("info", info)?;
            products::with(product, |product| {
                let layout = product.layout();
                info.put(gizwits_product_info {
                    protocol: match layout.protocol() {
                        Protocol::Standard => GIZWITS_PROTOCOL_STANDARD,
                        Protocol::VarLen => GIZWITS_PROTOCOL_VAR_LEN,
                    },
                    points: layout.point_count(),
                    status_length: layout.status_len() as u32,
                });
                Ok(())
            })
        })
    }
}

/// Copies the name of a product to `out`. The text is empty if the definition has no name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_product_name(
    product: gizwits_product,
    out: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.text_buffer("out", out, capacity, length)?;
            products::with(product, |product| out.put_text(product.name()))
        })
    }
}

/// Copies the product key to `out`. The text is empty if the definition has no key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_product_key(
    product: gizwits_product,
    out: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.text_buffer("out", out, capacity, length)?;
            products::with(product, |product| out.put_text(product.product_key()))
        })
    }
}

/// Checks a definition and writes every problem to `out`, as a JSON array of objects.
///
/// An object has the keys `severity` ("error" or "warning"), `kind`, `pointer` (a JSON pointer), `line` and `column` (from
/// 1), `message`, `label` (the present value) and `help` (what would be valid). The array has at most 100 objects; it
/// is `[]` if the definition has no problem. The status is GIZWITS_STATUS_OK whatever the check finds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_definition_check(
    definition: *const c_char,
    definition_length: usize,
    out: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.text_buffer("out", out, capacity, length)?;
            let text = call.text("definition", definition, definition_length)?;
            let found = check(text).diagnostics;
            let problems = found.iter().map(|one| {
                json!({
                    "severity": one.severity.to_string(),
                    "kind": one.kind,
                    "pointer": one.pointer,
                    "line": one.line,
                    "column": one.column,
                    "message": one.message,
                    "label": one.label,
                    "help": one.help,
                })
            });
            out.put_text(Value::Array(problems.collect()).to_string())
        })
    }
}
