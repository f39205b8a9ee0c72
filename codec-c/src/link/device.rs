//! A product as a table of generated functions.

use core::ffi::c_void;
use core::slice;

use gizwits_codec_core::link::Device;
use gizwits_codec_core::model::Policy;
use gizwits_codec_core::uart::{self, Command};

use super::options::{POINTERS, check, gizwits_link, gizwits_link_options, is_inside};
use super::table::{FUNCTIONS, function, gizwits_link_product};
use crate::status::gizwits_status;

/// A product whose functions are in a table.
pub(super) enum Table {}

/// The state that a link keeps for such a product.
pub(super) struct TableState {
    pub(super) options: &'static gizwits_link_options,
    product: &'static gizwits_link_product,
    /// The result of the first invalid value.
    pub(super) invalid: u16,
}

/// A control whose length and flags were checked: its P0.
pub(super) struct Control<'b> {
    pub(super) p0: &'b [u8],
}

impl Control<'_> {
    /// Sets the points of the control in the status of the firmware.
    pub(super) fn apply(&self, options: &gizwits_link_options) -> u16 {
        let (start, length) = (self.p0.as_ptr(), self.p0.len());
        // SAFETY: `is_control` has accepted the P0, and the firmware promises that the status belongs to the product.
        unsafe { function((*options.product).apply)(start, length, options.status) }
    }
}

/// The parts of a link, checked.
pub(super) struct Made {
    pub(super) info: &'static [u8],
    pub(super) frame: &'static mut [u8],
    pub(super) outbox: &'static mut [u8],
    pub(super) state: TableState,
}

/// Returns whether `count` pointers, one after another, are neither null nor lead into the memory of a link.
///
/// # Safety
/// `pointers` points to as many pointers.
#[inline(never)]
unsafe fn check_all(
    pointers: *const c_void,
    count: usize,
    link: *const gizwits_link,
) -> gizwits_status {
    // SAFETY: the promise is that of this function.
    for pointer in unsafe { slice::from_raw_parts(pointers.cast::<*const c_void>(), count) } {
        if pointer.is_null() {
            return gizwits_status::NullPointer;
        }
        if is_inside(link, *pointer) {
            return gizwits_status::Overlap;
        }
    }
    gizwits_status::Ok
}

impl Made {
    /// Checks the options of a link.
    ///
    /// # Safety
    /// The firmware keeps the contract of `gizwits_link_options`.
    #[inline]
    pub(super) unsafe fn new(
        link: *const gizwits_link,
        options: *const gizwits_link_options,
    ) -> Result<Made, gizwits_status> {
        // All members of both structs have the alignment of a pointer.
        let pointers = |from: *const c_void, count| match check(from, align_of::<usize>()) {
            // SAFETY: the pointer is neither null nor unaligned, and the firmware promises what it leads to.
            gizwits_status::Ok => unsafe { check_all(from, count, link) },
            status => status,
        };
        match pointers(options.cast(), POINTERS) {
            gizwits_status::Ok => {}
            status => return Err(status),
        }
        // SAFETY: the pointer is neither null nor unaligned, and the firmware promises the rest.
        let options = unsafe { &*options };
        match pointers(options.product.cast(), FUNCTIONS) {
            gizwits_status::Ok => {}
            status => return Err(status),
        }
        // SAFETY: as above.
        let product = unsafe { &*options.product };
        let info_length = options.info_length & !1;
        let (memory, length) = (options.memory, options.memory_length);
        if !matches!(info_length, 74 | 106)
            || isize::try_from(length).is_err()
            || memory.addr().checked_add(length).is_none()
        {
            return Err(gizwits_status::InvalidLength);
        }
        // The memory does not begin in the link. The link may begin in the memory.
        if link.addr().wrapping_sub(memory.addr()) < length {
            return Err(gizwits_status::Overlap);
        }
        let frame = length.checked_sub(options.outbox_length);
        let Some(frame) = frame.filter(|frame| *frame >= product.memory_length) else {
            return Err(gizwits_status::OutOfSpace);
        };
        // SAFETY: no pointer is null, the lengths are possible, and the firmware promises the memory. That of the link is
        // set before there are slices of it, because memory of a C program need not be initialised.
        unsafe {
            if function(product.encode)(options.state, options.status) != 0 {
                return Err(gizwits_status::InvalidArgument);
            }
            // The first values are those that a status with an invalid value is replaced with.
            function(product.keep)(options.state, true);
            memory.write_bytes(0, length);
            Ok(Made {
                info: slice::from_raw_parts(options.info.cast(), info_length),
                frame: slice::from_raw_parts_mut(memory, frame),
                outbox: slice::from_raw_parts_mut(memory.add(frame), options.outbox_length),
                state: TableState {
                    options,
                    product,
                    invalid: 0,
                },
            })
        }
    }
}

impl TableState {
    /// Writes the frame of a reply or report.
    fn write(&self, command: Command, sn: u8, sink: &mut dyn FnMut(u8)) {
        let is_reply = command == Command::TO_DEVICE_ACK;
        let mut length = 0;
        // SAFETY: the table promises a P0 of this length in the state.
        let p0 = unsafe {
            let start =
                function(self.product.message)(self.options.state, is_reply, &raw mut length);
            slice::from_raw_parts(start, length)
        };
        uart::write(command, sn, &[p0], sink);
    }
}

impl Device for Table {
    type Status = ();
    type Control<'b> = Control<'b>;
    type Values = ();
    type State = TableState;

    const VALUES: () = ();

    fn encode<P: Policy>(state: &mut TableState, (): &(), (): &mut ()) -> bool {
        let options = state.options;
        // SAFETY: the firmware promises that state and status belong to the product, here and below.
        let result = unsafe { function(state.product.encode)(options.state, options.status) };
        let changed = state.invalid != result;
        state.invalid = result;
        changed
    }

    fn read(state: &mut TableState, p0: &[u8]) -> bool {
        // SAFETY: the function reads as many bytes.
        unsafe { function(state.product.read)(state.options.state, p0.as_ptr(), p0.len()) }
    }

    fn control<'b, P: Policy>(state: &TableState, p0: &'b [u8]) -> Option<Control<'b>> {
        // SAFETY: the function reads as many bytes.
        let is_control = unsafe { function(state.product.is_control)(p0.as_ptr(), p0.len()) };
        is_control.then_some(Control { p0 })
    }

    fn differs(state: &TableState, (): &(), measured: bool) -> bool {
        // SAFETY: as in `encode`.
        unsafe { function(state.product.differs)(state.options.state, measured) }
    }

    fn choose(state: &mut TableState, (): &(), all: bool) -> bool {
        // SAFETY: as in `encode`.
        unsafe { function(state.product.keep)(state.options.state, all) }
    }

    // `choose` has kept them.
    fn keep(_: &mut TableState, (): &()) {}

    fn reply(state: &mut TableState, (): &(), sn: u8, sink: &mut dyn FnMut(u8)) {
        state.write(Command::TO_DEVICE_ACK, sn, sink);
    }

    fn report(state: &mut TableState, sn: u8, sink: &mut dyn FnMut(u8)) {
        state.write(Command::FROM_DEVICE, sn, sink);
    }
}
