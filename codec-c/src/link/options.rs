//! The memory of a link, and what it is made of.

use core::ffi::{c_char, c_void};
use core::mem::{offset_of, size_of};

use super::table::gizwits_link_product;
use crate::status::gizwits_status;

/// The number of pointers that the memory of a link has room for.
pub const GIZWITS_LINK_WORDS: usize = 24;

/// The memory of a link, usually a static variable. Its content belongs to the library.
///
/// A link begins with gizwits_link_init() and needs no end. It must not be moved or copied. All calls for a link come
/// from one thread or interrupt level at a time, and nobody writes its status during a call.
#[repr(C)]
pub struct gizwits_link {
    /// The content.
    pub memory: [*mut c_void; GIZWITS_LINK_WORDS],
}

/// The parts of a link, usually a constant in flash. The link keeps the address: this struct and all that it points
/// to must live as long as the link. Until then, only the link changes the state and the memory, and nobody changes
/// this struct, the table and the description.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gizwits_link_options {
    /// The table of the product, NAME_link_product of the generated code.
    pub product: *const gizwits_link_product,
    /// The description of the device that the link sends to the module, a text that NAME_DEVICE_INFO() of the generated
    /// code makes.
    pub info: *const c_char,
    /// The status: a NAME_status of the generated code, with valid values at first. The link sets the points of a
    /// control in it, and reports what has changed.
    pub status: *mut c_void,
    /// The memory of the product: a NAME_link_state of the generated code.
    pub state: *mut c_void,
    /// The memory for frames of the module and the outbox.
    pub memory: *mut u8,
    /// Sends a byte to the module, or puts it into a buffer that an interrupt sends. It may drop bytes if the buffer is
    /// full, because the link sends lost frames again. It must not call the link.
    pub write: Option<unsafe extern "C" fn(context: *mut c_void, byte: u8)>,
    /// The first argument of `write`, which may be NULL.
    pub context: *mut c_void,
    /// The length of `info`: 74 bytes, or 106 with a secret. It may count the NUL behind them, as `sizeof` does.
    pub info_length: usize,
    /// The length of `memory`: NAME_LINK_MEMORY and `outbox_length`, or more for longer frames of transparent data.
    pub memory_length: usize,
    /// The maximum length of the data of gizwits_link_send(). 0 if the firmware sends none.
    pub outbox_length: usize,
}

/// The number of the pointers at the start of the options that must not be null.
pub(super) const POINTERS: usize = 6;

const _: () = assert!(offset_of!(gizwits_link_options, context) == size_of::<[usize; POINTERS]>());

/// Returns the status of a pointer: of one that is null, or not a multiple of an alignment.
#[inline(never)]
pub(super) fn check(pointer: *const c_void, alignment: usize) -> gizwits_status {
    if pointer.is_null() {
        return gizwits_status::NullPointer;
    }
    match pointer.addr() & alignment.wrapping_sub(1) {
        0 => gizwits_status::Ok,
        _ => gizwits_status::Misaligned,
    }
}

/// Returns whether a pointer leads into the memory of a link.
pub(super) fn is_inside(link: *const gizwits_link, pointer: *const c_void) -> bool {
    pointer.addr().wrapping_sub(link.addr()) < size_of::<gizwits_link>()
}
