//! The version of the library.

use core::ffi::{CStr, c_char};

/// The version as a text of C.
const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// Returns the version of the library, for example `0.1.0`.
///
/// The text ends with a NUL and lives as long as the program. The caller does not free it.
#[unsafe(no_mangle)]
pub extern "C" fn gizwits_version() -> *const c_char {
    VERSION.as_ptr()
}
