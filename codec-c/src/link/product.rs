//! A product as a table of generated functions.

use core::ffi::{c_char, c_void};
use core::slice;

use gizwits_codec_core::link::Device;
use gizwits_codec_core::model::Policy;
use gizwits_codec_core::uart::{self, Command};

use super::{check, gizwits_link, gizwits_link_options};
use crate::status::gizwits_status;

/// The table of a product, NAME_link_product of the generated code.
///
/// The generated code has it if GIZWITS_LINK is defined. A result is one of NAME_result: 0, or the rule that a value
/// breaks in the low 4 bits and the id of its point above them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gizwits_link_product {
    /// The number of bytes of the values of all points.
    pub values_length: u16,
    /// The number of bytes of a mask of points, or 0 for a standard product.
    pub mask_length: u16,
    /// The number of ranges in `measured`.
    pub measured_count: u16,
    /// The ranges of measured values among the values: first byte, and the byte after the last. A link waits with their
    /// reports.
    pub measured: *const [u16; 2],
    /// Writes the values of a status. Returns the result of the first invalid value, after which the values may be
    /// anything.
    pub encode: Option<unsafe extern "C" fn(status: *const c_void, values: *mut u8) -> u16>,
    /// Returns whether a P0 is a control with the right length and flags. NULL if no point is writable.
    pub is_control: Option<unsafe extern "C" fn(p0: *const u8, length: usize) -> bool>,
    /// Sets the valid points of such a control in a status. Returns the result of the first invalid value.
    pub apply:
        Option<unsafe extern "C" fn(p0: *const u8, length: usize, status: *mut c_void) -> u16>,
    /// Returns whether a P0 is a read, and writes the mask of the points that it asks for. For a var_len product.
    pub read: Option<unsafe extern "C" fn(p0: *const u8, length: usize, mask: *mut u8) -> bool>,
    /// Writes the mask of the points whose values differ. For a var_len product.
    pub changed: Option<unsafe extern "C" fn(one: *const u8, two: *const u8, mask: *mut u8)>,
    /// Writes a message with the points of a mask, which may have surplus bits. Returns its length. For a var_len
    /// product.
    pub pack: Option<
        unsafe extern "C" fn(action: u8, mask: *const u8, values: *const u8, p0: *mut u8) -> usize,
    >,
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
    fn bytes(&'static self) -> &'static [u8] {
        let length = match self.secret {
            [0, ..] => 74,
            _ => 106,
        };
        // SAFETY: the struct has 106 bytes without padding, and `length` is not greater.
        unsafe { slice::from_raw_parts((&raw const *self).cast::<u8>(), length) }
    }
}

const _: () = assert!(size_of::<gizwits_device_info>() == 106);

/// The room for all frames of a module but controls: the longest description of a module, and the head of a frame.
const FRAME: usize = 65 + uart::Decoder::OVERHEAD;

/// A product whose functions are in a table.
pub(super) enum Table {}

/// What a link keeps of such a product.
///
/// The memory of the link begins with the P0 of the last report and the P0 of the status. In a var_len product, they have
/// no mask, and three items follow: the mask of the last report, the mask of a read, and the P0 of a frame.
pub(super) struct TableState {
    pub(super) options: &'static gizwits_link_options,
    product: &'static gizwits_link_product,
    /// The result of the first invalid value.
    pub(super) invalid: u16,
}

/// A control whose length and flags were checked: its P0.
pub(super) struct Control<'b>(pub(super) &'b [u8]);

impl Control<'_> {
    /// Sets the points of the control in the status of the firmware.
    pub(super) fn apply(&self, options: &gizwits_link_options) -> u16 {
        // SAFETY: `TableState::new` has checked the pointer to the product.
        let apply = unsafe { (*options.product).apply };
        // SAFETY: `is_control` has accepted the P0, and the firmware promises that the status belongs to the product.
        apply.map_or(0, |apply| unsafe {
            apply(self.0.as_ptr(), self.0.len(), options.status)
        })
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

/// Returns whether two memories share a byte.
#[inline(never)]
pub(super) fn overlap(one: (*const u8, usize), two: (*const u8, usize)) -> bool {
    let ends_before = |(start, length): (*const u8, usize), (other, _): (*const u8, usize)| {
        start.addr().saturating_add(length) <= other.addr()
    };
    one.1 > 0 && two.1 > 0 && !ends_before(one, two) && !ends_before(two, one)
}

/// What a link is made of.
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
        // SAFETY: as above.
        let (product, info) = unsafe { (shared(options.product)?, shared(options.info)?) };
        let (memory, length) = (options.memory, options.memory_length);
        if memory.is_null() || options.status.is_null() || options.write.is_none() {
            return Err(gizwits_status::NullPointer);
        }
        if isize::try_from(length).is_err() {
            return Err(gizwits_status::InvalidLength);
        }
        if overlap((memory, length), (link.cast(), size_of::<gizwits_link>())) {
            return Err(gizwits_status::Overlap);
        }
        let packs = product.read.is_some() && product.changed.is_some() && product.pack.is_some();
        let Some(encode) = product.encode else {
            return Err(gizwits_status::InvalidArgument);
        };
        if (product.mask_length > 0) != packs
            || (product.measured.is_null() && product.measured_count > 0)
        {
            return Err(gizwits_status::InvalidArgument);
        }
        let state = TableState {
            options,
            product,
            invalid: 0,
        };
        // Products have at most 65535 bytes, so that nothing here overflows.
        let used = state.end();
        let Some(frame) = length
            .checked_sub(used)
            .and_then(|rest| rest.checked_sub(options.outbox_length))
            .filter(|frame| *frame >= FRAME)
        else {
            return Err(gizwits_status::OutOfSpace);
        };
        // SAFETY: the memory is not null, its length is possible, and the firmware promises that it belongs to the link.
        // Frame and outbox are behind what the state uses.
        let (frame, outbox) = unsafe {
            let start = memory.add(used);
            (
                slice::from_raw_parts_mut(start, frame),
                slice::from_raw_parts_mut(start.add(frame), options.outbox_length),
            )
        };
        // SAFETY: the table promises a function for this status that writes as many values as there is room for.
        if unsafe { encode(options.status, state.sent().add(1)) } != 0 {
            return Err(gizwits_status::InvalidArgument);
        }
        Ok(Made {
            info: info.bytes(),
            frame,
            outbox,
            state,
        })
    }
}

impl TableState {
    /// The length of a P0 without a mask.
    fn length(&self) -> usize {
        usize::from(self.product.values_length).wrapping_add(1)
    }

    /// The P0 of the last report.
    fn sent(&self) -> *mut u8 {
        self.options.memory
    }

    /// The P0 of the status.
    fn new(&self) -> *mut u8 {
        self.options.memory.wrapping_add(self.length())
    }

    /// The mask of the last report.
    fn mask(&self) -> *mut u8 {
        self.new().wrapping_add(self.length())
    }

    /// The mask of a read.
    fn wanted(&self) -> *mut u8 {
        self.mask().wrapping_add(self.product.mask_length.into())
    }

    /// The P0 of a frame of a var_len product.
    fn packed(&self) -> *mut u8 {
        self.wanted().wrapping_add(self.product.mask_length.into())
    }

    /// The number of bytes of the memory that the state uses.
    fn end(&self) -> usize {
        let mask = usize::from(self.product.mask_length);
        match mask {
            0 => self.length().wrapping_mul(2),
            _ => self.length().wrapping_add(mask).wrapping_mul(3),
        }
    }

    /// The bytes of a P0 in the memory of the link.
    fn p0(&self, start: *const u8) -> &[u8] {
        // SAFETY: `Made::new` has checked that the memory has room for it, and has set what is read.
        unsafe { slice::from_raw_parts(start, self.length()) }
    }

    /// Copies a P0 within the memory.
    fn copy(&self, to: *mut u8, from: *const u8) {
        // SAFETY: both are one of the first two P0s, which do not overlap.
        unsafe { to.copy_from_nonoverlapping(from, self.length()) }
    }

    /// Writes the frame of a reply or report. Its P0 begins at `p0`.
    #[inline(never)]
    fn write(
        &self,
        (command, action): (Command, u8),
        p0: *mut u8,
        mask: *const u8,
        sn: u8,
        sink: &mut dyn FnMut(u8),
    ) {
        let (mut start, mut length) = (p0, self.length());
        // SAFETY: the memory has room for the P0, and in a var_len product for the masks and a packed P0.
        let bytes = unsafe {
            p0.write(action);
            if let Some(pack) = self.product.pack {
                start = self.packed();
                length = pack(action | 0x10, mask, p0.add(1), start);
            }
            slice::from_raw_parts(start, length)
        };
        uart::write(command, sn, &[bytes], sink);
    }
}

impl Device for Table {
    type Status = ();
    type Control<'b> = Control<'b>;
    type Values = ();
    type State = TableState;

    const VALUES: () = ();

    fn encode<P: Policy>(state: &mut TableState, (): &(), (): &mut ()) -> bool {
        let result = state.product.encode.map_or(0, |encode| {
            // SAFETY: the table promises a function for this status that writes as many values as there is room for.
            unsafe { encode(state.options.status, state.new().wrapping_add(1)) }
        });
        if result != 0 {
            state.copy(state.new(), state.sent());
        }
        let changed = state.invalid != result;
        state.invalid = result;
        changed
    }

    fn read(state: &mut TableState, p0: &[u8]) -> bool {
        match state.product.read {
            // SAFETY: the mask has the length of the table.
            Some(read) => unsafe { read(p0.as_ptr(), p0.len(), state.wanted()) },
            None => p0 == [0x02],
        }
    }

    fn control<'b, P: Policy>(state: &TableState, p0: &'b [u8]) -> Option<Control<'b>> {
        let is_control = state.product.is_control?;
        // SAFETY: the table promises a function that reads as many bytes.
        unsafe { is_control(p0.as_ptr(), p0.len()) }.then_some(Control(p0))
    }

    fn differs(state: &TableState, (): &(), measured: bool) -> bool {
        let product = state.product;
        let count = match measured {
            true => 0,
            false => product.measured_count,
        };
        // SAFETY: the table promises as many ranges, and `Made::new` has refused a null pointer to one or more. No
        // ranges are read behind a null pointer, which is replaced.
        let ranges: &[[u16; 2]] = match count {
            0 => &[],
            count => unsafe { slice::from_raw_parts(product.measured, count.into()) },
        };
        let (sent, new) = (state.p0(state.sent()), state.p0(state.new()));
        // The values are behind the action.
        let pairs = sent.iter().zip(new).zip(0_u16..).skip(1);
        pairs.into_iter().any(|((old, new), at)| {
            old != new && !ranges.iter().any(|[from, to]| *from < at && at <= *to)
        })
    }

    fn choose(state: &mut TableState, (): &(), all: bool) -> bool {
        let Some(changed) = state.product.changed else {
            return true;
        };
        let mask = state.mask();
        // SAFETY: values and mask have the lengths of the table.
        unsafe {
            match all {
                true => mask.write_bytes(0xff, state.product.mask_length.into()),
                false => changed(state.sent().add(1), state.new().add(1), mask),
            }
        }
        all
    }

    fn keep(state: &mut TableState, (): ()) {
        state.copy(state.sent(), state.new());
    }

    fn reply(state: &mut TableState, (): &(), sn: u8, sink: &mut dyn FnMut(u8)) {
        let head = (Command::TO_DEVICE_ACK, 0x03);
        state.write(head, state.new(), state.wanted(), sn, sink);
    }

    fn report(state: &mut TableState, sn: u8, sink: &mut dyn FnMut(u8)) {
        let head = (Command::FROM_DEVICE, 0x04);
        state.write(head, state.sent(), state.mask(), sn, sink);
    }
}
