//! The serial link between an MCU and its Wi-Fi module, for firmware in C.
//!
//! A link is `gizwits_codec_core::link::Link` over a table of generated functions. It never allocates, and keeps
//! everything in memory of the firmware.

mod device;
mod event;
mod options;
mod table;

use core::ffi::c_void;
use core::mem::{align_of, size_of};
use core::ptr::{NonNull, null};
use core::slice;

use gizwits_codec_core::link::{Event, Link, Request, SendError, Timing};
use gizwits_codec_core::uart::{Command, MAX_PAYLOAD};

use self::device::{Made, Table};
pub use self::event::*;
pub use self::options::{GIZWITS_LINK_WORDS, gizwits_link, gizwits_link_options};
use self::options::{check, is_inside};
use self::table::function;
pub use self::table::gizwits_link_product;
use crate::status::gizwits_status;

/// The waiting times of a link in milliseconds, and the number of transmissions.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gizwits_link_timing {
    /// The maximum time between two reports of all points: 600000 at first.
    pub full: u32,
    /// The minimum time between two reports if only measured values have changed: 6000 at first.
    pub measured: u16,
    /// The time until a frame that was not acknowledged is sent again: 200 at first.
    pub resend: u16,
    /// The maximum number of transmissions of a frame: 3 at first.
    pub tries: u8,
}

/// The request that lets a phone configure the network of the module. The argument is 1 for SoftAP and 2 for AirLink. Like
/// all requests, it has the number of its command, which is `command` of an event about it.
pub const GIZWITS_REQUEST_CONFIGURE: u8 = 0x09;
/// The request that resets the module, which forgets its network and its owner.
pub const GIZWITS_REQUEST_RESET: u8 = 0x0b;
/// The request that starts the factory test of the module.
pub const GIZWITS_REQUEST_TEST: u8 = 0x13;
/// The request that opens the period in which a user can bind the device.
pub const GIZWITS_REQUEST_BIND: u8 = 0x15;
/// The request for the network time. The answer is GIZWITS_EVENT_TIME.
pub const GIZWITS_REQUEST_TIME: u8 = 0x17;
/// The request for the description of the module. The argument is 0 for a Wi-Fi module and 1 for a mobile module. The
/// answer is GIZWITS_EVENT_MODULE.
pub const GIZWITS_REQUEST_MODULE: u8 = 0x21;
/// The request that restarts the module.
pub const GIZWITS_REQUEST_REBOOT: u8 = 0x29;

/// A link that was initialised, in its memory.
#[repr(C)]
struct Content {
    link: Link<'static, Table>,
    /// [`Content::MARK`], which memory that is no link is unlikely to hold.
    mark: u32,
}

const _: () = assert!(size_of::<Content>() <= size_of::<gizwits_link>());
const _: () = assert!(align_of::<Content>() <= align_of::<gizwits_link>());

impl Content {
    const MARK: u32 = 0x676c_6e6b;

    fn options(&self) -> &'static gizwits_link_options {
        self.link.state().options
    }
}

/// Sends a byte of the link. One function makes all sinks, because each closure type adds a table of its own.
fn sink(options: &'static gizwits_link_options) -> impl FnMut(u8) {
    // SAFETY: the firmware promises that `write` can be called with its context as long as the link lives.
    |byte| unsafe { function(options.write)(options.context, byte) }
}

/// Returns the link in its memory, if that and another pointer can be used. The alignment 0 stands for no other pointer.
///
/// # Safety
/// `link` is null, or points to the memory of a link that nobody else uses as long as `'a`.
#[inline(never)]
unsafe fn content<'a>(
    link: *mut gizwits_link,
    other: *const c_void,
    alignment: usize,
) -> Result<&'a mut Content, gizwits_status> {
    match check(link.cast_const().cast(), align_of::<Content>()) {
        gizwits_status::Ok => {}
        status => return Err(status),
    }
    if alignment > 0 {
        match check(other, alignment) {
            gizwits_status::Ok if is_inside(link, other) => return Err(gizwits_status::Overlap),
            gizwits_status::Ok => {}
            status => return Err(status),
        }
    }
    let content = link.cast::<Content>();
    // SAFETY: the pointer is neither null nor unaligned, and a link is as long as the content.
    if unsafe { (&raw const (*content).mark).read() } != Content::MARK {
        return Err(gizwits_status::InvalidHandle);
    }
    // SAFETY: `gizwits_link_init` has written the content before the mark, and the caller promises the rest.
    Ok(unsafe { &mut *content })
}

/// Returns the link in its memory, if the payload behind a pointer can be used as well.
///
/// # Safety
/// As for [`content`].
#[inline(never)]
unsafe fn with_payload<'a>(
    link: *mut gizwits_link,
    payload: *const u8,
    length: usize,
) -> Result<&'a mut Content, gizwits_status> {
    if length > MAX_PAYLOAD {
        return Err(gizwits_status::InvalidLength);
    }
    // SAFETY: the promise is that of this function.
    unsafe { content(link, payload.cast(), usize::from(length > 0)) }
}

/// Returns the bytes behind a pointer, which may be null if the length is 0.
///
/// # Safety
/// The length is possible, and a pointer that is not null points to as many bytes that nobody changes as long as `'a`.
unsafe fn bytes<'a>(from: *const u8, length: usize) -> &'a [u8] {
    match NonNull::new(from.cast_mut()) {
        // SAFETY: the promise is that of this function.
        Some(from) => unsafe { slice::from_raw_parts(from.as_ptr(), length) },
        None => &[],
    }
}

/// Makes a link, which reports the status at the first gizwits_link_poll().
///
/// `options` must live as long as the link. The status is GIZWITS_STATUS_OUT_OF_SPACE if `memory` is shorter than the
/// product needs, GIZWITS_STATUS_INVALID_LENGTH if `info` has another length than a description,
/// GIZWITS_STATUS_OVERLAP if a part is in the memory of the link, and GIZWITS_STATUS_INVALID_ARGUMENT if the status of the
/// device has an invalid value. After any other status than GIZWITS_STATUS_OK, every call for this link returns
/// GIZWITS_STATUS_INVALID_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_link_init(
    link: *mut gizwits_link,
    options: *const gizwits_link_options,
) -> gizwits_status {
    match check(link.cast_const().cast(), align_of::<Content>()) {
        gizwits_status::Ok => {}
        status => return status,
    }
    let content = link.cast::<Content>();
    // SAFETY: the pointer is neither null nor unaligned, and the caller passes memory of a link.
    unsafe { (&raw mut (*content).mark).write(0) };
    // SAFETY: the caller keeps the contract of the header.
    let made = match unsafe { Made::new(link, options) } {
        Ok(made) => made,
        Err(status) => return status,
    };
    let link = Link::with_state(made.info, made.frame, made.state).with_outbox(made.outbox);
    let mark = Content::MARK;
    // SAFETY: the memory is that of a link, and long and aligned enough for the content.
    unsafe { content.write(Content { link, mark }) };
    gizwits_status::Ok
}

/// Changes the waiting times of a link.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_link_set_timing(
    link: *mut gizwits_link,
    timing: *const gizwits_link_timing,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    match unsafe { content(link, timing.cast(), align_of::<gizwits_link_timing>()) } {
        Ok(content) => {
            // SAFETY: the pointer is checked, and the caller keeps the contract of the header.
            let timing = unsafe { &*timing };
            content.link.timing = Timing {
                resend: timing.resend,
                tries: timing.tries,
                measured: timing.measured,
                full: timing.full,
            };
            gizwits_status::Ok
        }
        Err(status) => status,
    }
}

/// Reads one byte from the module. If the byte completes a frame, the link answers it and stores its event; otherwise
/// the event is GIZWITS_EVENT_NONE.
///
/// `now` is the time in milliseconds of any clock that may wrap around, the same as for gizwits_link_poll(). The data of
/// the event is in the memory of the link until the next byte is read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_link_receive(
    link: *mut gizwits_link,
    byte: u8,
    now: u32,
    event: *mut gizwits_link_event,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    match unsafe { content(link, event.cast(), align_of::<gizwits_link_event>()) } {
        Ok(content) => {
            // The event is none before the link does anything, or a compiler stores all members for each kind of event.
            // SAFETY: the pointer is checked, and the caller keeps the contract of the header.
            let event = unsafe {
                event.write(gizwits_link_event::NONE);
                &mut *event
            };
            let options = content.options();
            event.set(options, content.link.receive(byte, now, &mut sink(options)));
            gizwits_status::Ok
        }
        Err(status) => status,
    }
}

/// Reads bytes from the module up to the first event, or all of them, and stores the number of bytes that it has read.
/// The rest is for the next call. Apart from that, the function is like gizwits_link_receive().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_link_receive_bytes(
    link: *mut gizwits_link,
    bytes: *const u8,
    length: usize,
    now: u32,
    event: *mut gizwits_link_event,
    used: *mut usize,
) -> gizwits_status {
    match check(used.cast_const().cast(), align_of::<usize>()) {
        gizwits_status::Ok if is_inside(link, used.cast_const().cast()) => {
            return gizwits_status::Overlap;
        }
        gizwits_status::Ok => {}
        status => return status,
    }
    // SAFETY: the pointer is checked, and the caller keeps the contract of the header.
    let checked = unsafe {
        used.write(0);
        content(link, event.cast(), align_of::<gizwits_link_event>()).and_then(|_| {
            event.write(gizwits_link_event::NONE);
            content(link, bytes.cast(), usize::from(length > 0))
        })
    };
    match checked {
        Ok(_) if isize::try_from(length).is_err() => return gizwits_status::InvalidLength,
        Ok(_) => {}
        Err(status) => return status,
    }
    // SAFETY: as above.
    let bytes = unsafe { self::bytes(bytes, length) };
    for (byte, read) in bytes.iter().zip(1_usize..) {
        // SAFETY: the caller keeps the contract of the header, which is that of the other function.
        unsafe {
            let status = gizwits_link_receive(link, *byte, now, event);
            if status != gizwits_status::Ok {
                return status;
            }
            used.write(read);
            if (*event).kind != gizwits_event::None {
                break;
            }
        }
    }
    gizwits_status::Ok
}

/// Sends what is due: at most the answer to a read, and one report or request. Stores GIZWITS_EVENT_UNANSWERED,
/// GIZWITS_EVENT_INVALID, or GIZWITS_EVENT_NONE.
///
/// To be called after bytes were received, when the status may have changed, and when the time of gizwits_link_wait()
/// has passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_link_poll(
    link: *mut gizwits_link,
    now: u32,
    event: *mut gizwits_link_event,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    match unsafe { content(link, event.cast(), align_of::<gizwits_link_event>()) } {
        Ok(content) => {
            // SAFETY: the pointer is checked, and the caller keeps the contract of the header.
            let event = unsafe {
                event.write(gizwits_link_event::NONE);
                &mut *event
            };
            let options = content.options();
            match content.link.poll(now, &(), &mut sink(options)) {
                Some(Event::Invalid) => {
                    event.kind = gizwits_event::Invalid;
                    event.number = content.link.state().invalid.into();
                }
                Some(Event::Unanswered(of)) => {
                    (event.kind, event.command) = (gizwits_event::Unanswered, of.0);
                }
                _ => {}
            }
            gizwits_status::Ok
        }
        Err(status) => status,
    }
}

/// Stores the time in milliseconds until the next gizwits_link_poll() is due, unless bytes are received or the status
/// changes before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_link_wait(
    link: *mut gizwits_link,
    now: u32,
    wait: *mut u32,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    match unsafe { content(link, wait.cast_const().cast(), align_of::<u32>()) } {
        Ok(content) => {
            // SAFETY: the pointer is checked, and the caller keeps the contract of the header.
            unsafe { wait.write(content.link.wait(now)) };
            gizwits_status::Ok
        }
        Err(status) => status,
    }
}

/// Queues a request, which gizwits_link_poll() sends once no frame is in flight. The outcome is GIZWITS_EVENT_ACKED,
/// GIZWITS_EVENT_UNANSWERED, or the event with the answer.
///
/// `request` is a GIZWITS_REQUEST_... number. `argument` is that of the request, otherwise 0. The status is
/// GIZWITS_STATUS_BUSY while another request is in progress.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_link_request(
    link: *mut gizwits_link,
    request: u8,
    argument: u8,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    let content = match unsafe { content(link, null(), 0) } {
        Ok(content) => content,
        Err(status) => return status,
    };
    let Some(request) = Request::from_command(Command(request), argument) else {
        return gizwits_status::InvalidArgument;
    };
    match content.link.request(request) {
        Ok(()) => gizwits_status::Ok,
        Err(_) => gizwits_status::Busy,
    }
}

/// Sends transparent data, as a request. The data, which may be that of an event, is copied to the outbox, which keeps it
/// until the module acknowledges it.
///
/// The status is GIZWITS_STATUS_BUSY while another request is in progress, and GIZWITS_STATUS_OUT_OF_SPACE if the outbox
/// is shorter than the data.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_link_send(
    link: *mut gizwits_link,
    data: *const u8,
    length: usize,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    let (content, data) = match unsafe { with_payload(link, data, length) } {
        // SAFETY: as above.
        Ok(content) => (content, unsafe { bytes(data, length) }),
        Err(status) => return status,
    };
    match content.link.send(data) {
        Ok(()) => gizwits_status::Ok,
        Err(SendError::Busy) => gizwits_status::Busy,
        Err(_) => gizwits_status::OutOfSpace,
    }
}

/// Answers the frame of a GIZWITS_EVENT_FRAME. `command` and `sn` are those of the event. The payload has at most 65274
/// bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_link_answer(
    link: *mut gizwits_link,
    command: u8,
    sn: u8,
    payload: *const u8,
    length: usize,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    let (content, payload) = match unsafe { with_payload(link, payload, length) } {
        // SAFETY: as above.
        Ok(content) => (content, unsafe { bytes(payload, length) }),
        Err(status) => return status,
    };
    let options = content.options();
    let link = &mut content.link;
    link.answer(Command(command), sn, payload, &mut sink(options));
    gizwits_status::Ok
}
