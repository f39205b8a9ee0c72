//! A product as a table of generated functions.

use core::ffi::c_void;
use core::slice;

use gizwits_codec_core::link::Device;
use gizwits_codec_core::model::Policy;
use gizwits_codec_core::uart::{self, Command};

use super::options::{check, gizwits_link, gizwits_link_options, is_inside};
use super::table::gizwits_link_product;
use crate::status::gizwits_status;

/// The functions of a table that has all of them.
#[derive(Clone, Copy)]
#[repr(C)]
struct Functions {
    encode: unsafe extern "C" fn(*mut c_void, *const c_void) -> u16,
    differs: unsafe extern "C" fn(*const c_void, bool) -> bool,
    keep: unsafe extern "C" fn(*mut c_void, bool) -> bool,
    message: unsafe extern "C" fn(*mut c_void, bool, *mut usize) -> *const u8,
    read: unsafe extern "C" fn(*mut c_void, *const u8, usize) -> bool,
    is_control: unsafe extern "C" fn(*const u8, usize) -> bool,
    apply: unsafe extern "C" fn(*const u8, usize, *mut c_void) -> u16,
}

/// The number of the functions of a table.
const FUNCTIONS: usize = 7;

const _: () = assert!(size_of::<Functions>() == size_of::<gizwits_link_product>());
const _: () = assert!(size_of::<Functions>() == size_of::<[usize; FUNCTIONS]>());

/// The room for all frames of a module but controls: the longest description of a module, and the head of a frame.
const FRAME: usize = 65 + uart::Decoder::OVERHEAD;

/// A product whose functions are in a table.
pub(super) enum Table {}

/// The state that a link keeps for such a product.
pub(super) struct TableState {
    pub(super) options: &'static gizwits_link_options,
    functions: &'static Functions,
    /// The result of the first invalid value.
    pub(super) invalid: u16,
}

/// A control whose length and flags were checked: its P0.
pub(super) struct Control<'b> {
    pub(super) p0: &'b [u8],
    functions: &'static Functions,
}

impl Control<'_> {
    /// Sets the points of the control in the status of the firmware.
    pub(super) fn apply(&self, options: &gizwits_link_options) -> u16 {
        let (start, length) = (self.p0.as_ptr(), self.p0.len());
        // SAFETY: `is_control` has accepted the P0, and the firmware promises that the status belongs to the product.
        unsafe { (self.functions.apply)(start, length, options.status) }
    }
}

/// Returns the value behind a pointer that is neither null nor unaligned.
///
/// # Safety
/// `pointer` is null, unaligned, or points to a `T` that lives as long as the link and is not changed.
unsafe fn shared<T>(pointer: *const T) -> Result<&'static T, gizwits_status> {
    match check(pointer.cast(), align_of::<T>()) {
        // SAFETY: the pointer is neither null nor unaligned, and the caller promises the rest.
        gizwits_status::Ok => Ok(unsafe { &*pointer }),
        status => Err(status),
    }
}

/// The parts of a link, checked.
pub(super) struct Made {
    pub(super) info: &'static [u8],
    pub(super) frame: &'static mut [u8],
    pub(super) outbox: &'static mut [u8],
    pub(super) state: TableState,
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
        // SAFETY: the firmware promises that the pointers are null or lead to what they say.
        let options = unsafe { shared(options)? };
        // The table and the options are all pointers, which are null if a firmware leaves them out.
        let words = options.product.cast::<*const c_void>();
        // SAFETY: as above.
        let info = unsafe {
            shared(words)?;
            shared(options.info)?
        };
        // SAFETY: the table has as many functions, and a function has the size of a pointer.
        let functions = unsafe { slice::from_raw_parts(words, FUNCTIONS) };
        let pointers = [options.status, options.state, options.memory.cast()];
        if options.write.is_none()
            || pointers.iter().any(|pointer| pointer.is_null())
            || functions.iter().any(|function| function.is_null())
        {
            return Err(gizwits_status::NullPointer);
        }
        if pointers.iter().any(|pointer| is_inside(link, *pointer)) {
            return Err(gizwits_status::Overlap);
        }
        let (memory, length) = (options.memory, options.memory_length);
        let (start, link) = (memory.addr(), link.addr());
        // The end of a memory that is no longer than the address space allows.
        let Some(end) = start
            .checked_add(length)
            .filter(|_| isize::try_from(length).is_ok())
        else {
            return Err(gizwits_status::InvalidLength);
        };
        if start < link.saturating_add(size_of::<gizwits_link>()) && link < end {
            return Err(gizwits_status::Overlap);
        }
        let frame = length.checked_sub(options.outbox_length);
        let Some(frame) = frame.filter(|frame| *frame >= FRAME) else {
            return Err(gizwits_status::OutOfSpace);
        };
        // SAFETY: the memory is not null, its length is possible, and the firmware promises that it belongs to the link.
        // It is set before there are slices of it, because memory of a C program need not be initialised.
        let (frame, outbox) = unsafe {
            memory.write_bytes(0, length);
            (
                slice::from_raw_parts_mut(memory, frame),
                slice::from_raw_parts_mut(memory.add(frame), options.outbox_length),
            )
        };
        // SAFETY: no function of the table is null, and the table promises what they do with state and status.
        let functions = unsafe { &*words.cast::<Functions>() };
        // SAFETY: as above.
        unsafe {
            if (functions.encode)(options.state, options.status) != 0 {
                return Err(gizwits_status::InvalidArgument);
            }
            // The first values are those that a status with an invalid value is replaced with.
            (functions.keep)(options.state, true);
        }
        let state = TableState {
            options,
            functions,
            invalid: 0,
        };
        Ok(Made {
            info: info.bytes(),
            frame,
            outbox,
            state,
        })
    }
}

impl TableState {
    /// Writes the frame of a reply or report.
    fn write(&self, command: Command, sn: u8, sink: &mut dyn FnMut(u8)) {
        let is_reply = command == Command::TO_DEVICE_ACK;
        let mut length = 0;
        // SAFETY: the table promises a P0 of this length in the state.
        let p0 = unsafe {
            let start = (self.functions.message)(self.options.state, is_reply, &raw mut length);
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
        let result = unsafe { (state.functions.encode)(options.state, options.status) };
        let changed = state.invalid != result;
        state.invalid = result;
        changed
    }

    fn read(state: &mut TableState, p0: &[u8]) -> bool {
        // SAFETY: the function reads as many bytes.
        unsafe { (state.functions.read)(state.options.state, p0.as_ptr(), p0.len()) }
    }

    fn control<'b, P: Policy>(state: &TableState, p0: &'b [u8]) -> Option<Control<'b>> {
        let functions = state.functions;
        // SAFETY: the function reads as many bytes.
        let is_control = unsafe { (functions.is_control)(p0.as_ptr(), p0.len()) };
        is_control.then_some(Control { p0, functions })
    }

    fn differs(state: &TableState, (): &(), measured: bool) -> bool {
        // SAFETY: as in `encode`.
        unsafe { (state.functions.differs)(state.options.state, measured) }
    }

    fn choose(state: &mut TableState, (): &(), all: bool) -> bool {
        // SAFETY: as in `encode`.
        unsafe { (state.functions.keep)(state.options.state, all) }
    }

    // `choose` has kept them.
    fn keep(_: &mut TableState, (): ()) {}

    fn reply(state: &mut TableState, (): &(), sn: u8, sink: &mut dyn FnMut(u8)) {
        state.write(Command::TO_DEVICE_ACK, sn, sink);
    }

    fn report(state: &mut TableState, sn: u8, sink: &mut dyn FnMut(u8)) {
        state.write(Command::FROM_DEVICE, sn, sink);
    }
}
