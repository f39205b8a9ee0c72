//! The table of generated functions that is a product.

use core::ffi::c_void;

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
    /// The length of the memory for the longest frame of a module, NAME_LINK_MEMORY.
    pub memory_length: usize,
}

/// The number of the functions at the start of a table.
pub(super) const FUNCTIONS: usize = 7;

const _: () = assert!(size_of::<gizwits_link_product>() == size_of::<[usize; FUNCTIONS + 1]>());

/// Returns a function of a table, or of the options, without null pointers.
///
/// # Safety
/// `gizwits_link_init` has accepted the table and the options.
#[inline(always)]
pub(super) unsafe fn function<F>(member: Option<F>) -> F {
    // SAFETY: `gizwits_link_init` refuses null pointers, and nobody changes the structs.
    unsafe { member.unwrap_unchecked() }
}
