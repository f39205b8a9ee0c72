//! The product of a firmware: a table of generated functions, and the description of the device.

use core::ffi::{c_char, c_void};
use core::slice;

/// The table of a product, NAME_link_product of the generated code, which has it if GIZWITS_LINK is defined.
///
/// The functions get the state of the link, a NAME_link_state. It has two sets of values: those of the status, and those
/// of the last report. A result is one of NAME_result: 0, or the rule that a value breaks in the low 4 bits and the id of
/// its point above them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gizwits_link_product {
    /// Writes the values of a status. Returns the result of the first invalid value, after which the values are those of
    /// the last report.
    pub encode: Option<unsafe extern "C" fn(state: *mut c_void, status: *const c_void) -> u16>,
    /// Returns whether the values differ from those of the last report. Measured values count only if `measured` is true.
    pub differs: Option<unsafe extern "C" fn(state: *const c_void, measured: bool) -> bool>,
    /// Makes the values those of the last report, with all points or those that have changed. Returns whether the report
    /// has all points.
    pub keep: Option<unsafe extern "C" fn(state: *mut c_void, all: bool) -> bool>,
    /// Returns the P0 of a reply with the values of the status, or of the last report, and stores its length.
    pub message: Option<
        unsafe extern "C" fn(state: *mut c_void, is_reply: bool, length: *mut usize) -> *const u8,
    >,
    /// Returns whether a P0 is a read, and keeps the points that it asks for.
    pub read:
        Option<unsafe extern "C" fn(state: *mut c_void, p0: *const u8, length: usize) -> bool>,
    /// Returns whether a P0 is a control with the right length and flags.
    pub is_control: Option<unsafe extern "C" fn(p0: *const u8, length: usize) -> bool>,
    /// Sets the valid points of such a control in a status. Returns the result of the first invalid value.
    pub apply:
        Option<unsafe extern "C" fn(p0: *const u8, length: usize, status: *mut c_void) -> u16>,
}

/// The description of a device, usually a constant in flash. NAME_DEVICE_INFO() of the generated code initialises it. No member ends
/// with a NUL.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gizwits_device_info {
    /// The version of the serial protocol, "00000004".
    pub serial_version: [c_char; 8],
    /// The version of the P0, "00000002".
    pub p0_version: [c_char; 8],
    /// The hardware version, for example "03000001".
    pub hardware: [c_char; 8],
    /// The software version.
    pub software: [c_char; 8],
    /// The product key.
    pub product_key: [c_char; 32],
    /// The time in seconds after a start in which a user may bind the device, the high byte first. 0 is no limit.
    pub bind_timeout: [u8; 2],
    /// Zeros.
    pub reserved: [u8; 7],
    /// Bit 0 is set for a gateway.
    pub attributes: u8,
    /// The secret of the product, which newer modules accept. The link sends it unless it begins with a NUL.
    pub secret: [c_char; 32],
}

impl gizwits_device_info {
    /// Returns the payload of the frame: 74 bytes, or 106 with a secret.
    pub(super) fn bytes(&'static self) -> &'static [u8] {
        let length = match self.secret {
            [0, ..] => 74,
            _ => 106,
        };
        // SAFETY: the struct has 106 bytes without padding, and `length` is not greater.
        unsafe { slice::from_raw_parts((&raw const *self).cast::<u8>(), length) }
    }
}

const _: () = assert!(size_of::<gizwits_device_info>() == 106);
