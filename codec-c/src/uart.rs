//! Functions for frames of the serial line between an MCU and its Wi-Fi module.

use core::ffi::c_void;
use core::mem::{align_of, size_of};
use core::ptr;

use gizwits_codec_core::ErrorKind;
use gizwits_codec_core::uart::{self, Command, Decoder, Event, Frame};

use crate::argument::{Call, Output, call};
use crate::error::{Failure, gizwits_error};
use crate::status::gizwits_status;

/// The number of bytes that a buffer for a frame needs in addition to its payload.
pub const GIZWITS_UART_OVERHEAD: usize = 4;
/// The number of pointers that the memory of a decoder has room for.
pub const GIZWITS_UART_WORDS: usize = 8;

/// A frame of the serial line, without stuffing bytes. Its pointer borrows: from the buffer that a frame was decoded to, or
/// from the caller that encodes the frame.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gizwits_uart_frame {
    /// The payload.
    pub payload: *const u8,
    /// The number of bytes of the payload, at most 65274.
    pub payload_length: usize,
    /// The flags. If bit 0 is set, the payload begins with the length of a sub-device's did and the did.
    pub flags: u16,
    /// The command.
    pub command: u8,
    /// The sequence number. An acknowledgement has that of its request.
    pub sn: u8,
}

impl gizwits_uart_frame {
    const NONE: gizwits_uart_frame = gizwits_uart_frame {
        payload: ptr::null(),
        payload_length: 0,
        flags: 0,
        command: 0,
        sn: 0,
    };
}

impl From<Frame<'_>> for gizwits_uart_frame {
    fn from(frame: Frame<'_>) -> Self {
        gizwits_uart_frame {
            payload: frame.payload.as_ptr(),
            payload_length: frame.payload.len(),
            flags: frame.flags,
            command: frame.command.0,
            sn: frame.sn,
        }
    }
}

/// The kind of an event: one of GIZWITS_UART_NONE to GIZWITS_UART_TOO_LONG.
pub type gizwits_uart_kind = i32;
/// No event: the decoder needs more bytes.
pub const GIZWITS_UART_NONE: gizwits_uart_kind = 0;
/// A complete frame.
pub const GIZWITS_UART_FRAME: gizwits_uart_kind = 1;
/// A frame whose checksum is wrong: `expected` and `found`. Of `frame`, only `sn` is set, which may be wrong as well.
pub const GIZWITS_UART_CORRUPT: gizwits_uart_kind = 2;
/// A frame, or noise after ff ff, that is longer than the buffer. Of `frame`, only `payload_length` is set.
pub const GIZWITS_UART_TOO_LONG: gizwits_uart_kind = 3;

/// A frame that a decoder has completed or rejected. Members that the kind does not mention are 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gizwits_uart_event {
    /// The frame. Its payload is in the buffer of the decoder until the decoder reads the next byte.
    pub frame: gizwits_uart_frame,
    /// The kind.
    pub kind: gizwits_uart_kind,
    /// The checksum of the bytes of a frame.
    pub expected: u8,
    /// The checksum at the end of a frame.
    pub found: u8,
}

impl From<Option<Event<'_>>> for gizwits_uart_event {
    fn from(event: Option<Event<'_>>) -> Self {
        let mut to = gizwits_uart_event {
            frame: gizwits_uart_frame::NONE,
            kind: GIZWITS_UART_NONE,
            expected: 0,
            found: 0,
        };
        match event {
            None => {}
            Some(Event::Frame(frame)) => (to.kind, to.frame) = (GIZWITS_UART_FRAME, frame.into()),
            Some(Event::Corrupt {
                sn,
                expected,
                found,
            }) => {
                (to.kind, to.frame.sn) = (GIZWITS_UART_CORRUPT, sn);
                (to.expected, to.found) = (expected, found);
            }
            Some(Event::TooLong { payload }) => {
                (to.kind, to.frame.payload_length) = (GIZWITS_UART_TOO_LONG, payload.into());
            }
        }
        to
    }
}

/// The memory of a decoder for a stream of frames. Its content belongs to the library.
///
/// A decoder begins with gizwits_uart_init() and needs no end. It must not be moved or copied. All calls for a decoder come
/// from one thread at a time.
#[repr(C)]
pub struct gizwits_uart_decoder {
    /// The content.
    pub memory: [*mut c_void; GIZWITS_UART_WORDS],
}

/// A decoder that was initialised, in its memory.
#[repr(C)]
struct Content {
    /// [`Content::MARK`], which memory that is no decoder is unlikely to hold.
    mark: u32,
    buffer: *const u8,
    capacity: usize,
    decoder: Decoder<'static>,
}

const _: () = assert!(size_of::<Content>() <= size_of::<gizwits_uart_decoder>());
const _: () = assert!(align_of::<Content>() <= align_of::<gizwits_uart_decoder>());
const _: () = assert!(GIZWITS_UART_OVERHEAD == Decoder::OVERHEAD);

impl Content {
    const MARK: u32 = 0x676c_7561;
}

/// Reads the frame at the start of `bytes` and stores it in `*frame`.
///
/// The content of the frame is copied without stuffing bytes to `buffer`, which `*frame` points into. The buffer needs
/// GIZWITS_UART_OVERHEAD more bytes than the payload: the status is GIZWITS_STATUS_FRAME_LIMIT if it is too short.
/// `*consumed` is the number of bytes that the frame has; further bytes may follow. GIZWITS_STATUS_INCOMPLETE says that
/// the frame goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_uart_parse(
    bytes: *const u8,
    length: usize,
    buffer: *mut u8,
    capacity: usize,
    frame: *mut gizwits_uart_frame,
    consumed: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let bytes = call.items("bytes", bytes, length)?;
            let consumed = call.output("consumed", consumed)?;
            consumed.put(0);
            let frame = call.output("frame", frame)?;
            let buffer = call.memory("buffer", buffer, capacity)?;
            let (found, rest) = uart::parse(bytes, buffer)?;
            frame.put(found.into());
            consumed.put(bytes.len().saturating_sub(rest.len()));
            Ok(())
        })
    }
}

/// Writes a frame with its stuffing bytes to `out`, and the number of bytes to `*length`.
///
/// If `capacity` is too small, nothing is written, `*length` is the number that is needed, and the status is
/// GIZWITS_STATUS_OUT_OF_SPACE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_uart_encode(
    frame: *const gizwits_uart_frame,
    out: *mut u8,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header, for the pointer in the frame as well.
    unsafe {
        call(error, |call| {
            let out = call.buffer("out", out, capacity, length)?;
            let [frame] = call.items("frame", frame, 1)? else {
                return Err(Failure::Internal);
            };
            let frame = Frame {
                command: Command(frame.command),
                sn: frame.sn,
                flags: frame.flags,
                payload: call.items("payload", frame.payload, frame.payload_length)?,
            };
            // Without space, the encoder returns the length.
            let needed = match frame.encode(&mut []) {
                Ok(length) => length,
                Err(error) => match error.kind {
                    ErrorKind::OutOfSpace { needed } => needed as usize,
                    _ => return Err(error.into()),
                },
            };
            let mut written = Ok(0);
            out.fill(needed, |bytes| written = frame.encode(bytes))?;
            written.map(drop).map_err(Failure::Codec)
        })
    }
}

/// Makes a decoder for a stream of bytes.
///
/// `buffer` holds a frame while it is received. It needs GIZWITS_UART_OVERHEAD more bytes than the longest payload, and
/// belongs to the decoder from then on. After a failure, every call for this decoder returns GIZWITS_STATUS_INVALID_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_uart_init(
    decoder: *mut gizwits_uart_decoder,
    buffer: *mut u8,
    capacity: usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let content = call.output("decoder", decoder)?.as_ptr().cast::<Content>();
            (&raw mut (*content).mark).write(0);
            let memory = call.memory("buffer", buffer, capacity)?;
            // The buffer lives as long as the decoder, which is longer than this call.
            let memory = core::slice::from_raw_parts_mut(memory.as_mut_ptr(), memory.len());
            content.write(Content {
                mark: Content::MARK,
                buffer: memory.as_ptr(),
                capacity,
                decoder: Decoder::new(memory),
            });
            Ok(())
        })
    }
}

/// Reads bytes up to the next frame, or all of them, and stores what it has found in `*event` and the number of bytes that
/// it has read in `*used`. The rest is for the next call.
///
/// The decoder skips noise and incomplete frames. Every stream is accepted, so that the status tells nothing but misuse.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_uart_read(
    decoder: *mut gizwits_uart_decoder,
    bytes: *const u8,
    length: usize,
    event: *mut gizwits_uart_event,
    used: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let memory = call.output("decoder", decoder)?;
            // The number is outside of the decoder, and 0 also if there is no decoder in the memory.
            let used = call.output("used", used)?;
            used.put(0);
            let content = content(call, memory)?;
            let bytes = call.items("bytes", bytes, length)?;
            let event = call.output("event", event)?;
            let mut rest = bytes;
            event.put(content.decoder.next_event(&mut rest).into());
            used.put(bytes.len().saturating_sub(rest.len()));
            Ok(())
        })
    }
}

/// Takes the decoder in its memory, and its buffer.
///
/// # Safety
/// Nobody else uses the memory and the decoder in it as long as `'a`.
unsafe fn content<'a>(
    call: &mut Call<'a>,
    memory: Output<gizwits_uart_decoder>,
) -> Result<&'a mut Content, Failure> {
    let content = memory.as_ptr().cast::<Content>();
    // SAFETY: the pointer is neither null nor unaligned, and a decoder is as long as the content.
    if unsafe { (&raw const (*content).mark).read() } != Content::MARK {
        let status = gizwits_status::InvalidHandle;
        return Err(Failure::Argument(status, "decoder"));
    }
    // SAFETY: `gizwits_uart_init` has written the content with the mark, and the caller promises the rest.
    let content = unsafe { &mut *content };
    call.written("buffer", content.buffer, content.capacity)?;
    Ok(content)
}
