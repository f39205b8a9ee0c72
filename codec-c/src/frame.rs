//! Functions for M2M frames, which devices exchange on the local network and with the cloud.

use core::ptr;

use gizwits_codec_core::ErrorKind;
use gizwits_codec_core::m2m::{self, Event, Frame};

use crate::argument::{Call, call};
use crate::error::{Failure, gizwits_error};
use crate::status::gizwits_status;

/// The command of a frame to a device without a sequence number.
pub const GIZWITS_M2M_TO_DEVICE: u16 = 0x0090;
/// The command of a frame from a device without a sequence number.
pub const GIZWITS_M2M_FROM_DEVICE: u16 = 0x0091;
/// The command of a frame with a sequence number, which is acknowledged.
pub const GIZWITS_M2M_REQUEST: u16 = 0x0093;
/// The command of an acknowledgement.
pub const GIZWITS_M2M_ACK: u16 = 0x0094;

/// An M2M frame. Its pointers borrow: from the bytes that were parsed, or from the caller that encodes the frame.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gizwits_frame {
    /// The did of the device, usually 22 ASCII characters without a NUL. NULL if the frame has none.
    pub did: *const u8,
    /// The number of bytes of the did.
    pub did_length: usize,
    /// The body: a P0 for the commands GIZWITS_M2M_TO_DEVICE to GIZWITS_M2M_ACK.
    pub body: *const u8,
    /// The number of bytes of the body.
    pub body_length: usize,
    /// The sequence number, if `has_sn` is not 0.
    pub sn: u32,
    /// The command.
    pub command: u16,
    /// The flags. Bit 0 announces a did; it is set by itself in a frame that is encoded.
    pub flag: u8,
    /// 1 if the frame has a sequence number, otherwise 0.
    pub has_sn: u8,
    /// 1 for a service message, of which nothing but the command is known; otherwise 0. Must be 0 to
    /// encode a frame.
    pub is_service: u8,
}

impl From<Event<'_>> for gizwits_frame {
    fn from(event: Event<'_>) -> Self {
        let mut to = gizwits_frame {
            did: ptr::null(),
            did_length: 0,
            body: ptr::null(),
            body_length: 0,
            sn: 0,
            command: 0,
            flag: 0,
            has_sn: 0,
            is_service: 0,
        };
        match event {
            Event::Service { command } => (to.command, to.is_service) = (command, 1),
            Event::Frame(frame) => {
                (to.command, to.flag) = (frame.command, frame.flag);
                (to.body, to.body_length) = (frame.body.as_ptr(), frame.body.len());
                if let Some(did) = frame.did {
                    (to.did, to.did_length) = (did.as_ptr(), did.len());
                }
                if let Some(sn) = frame.sn {
                    (to.sn, to.has_sn) = (sn, 1);
                }
            }
        }
        to
    }
}

/// Reads the frame at the start of `bytes` and stores it in `*frame`, with pointers into `bytes`.
///
/// `*consumed` is the number of bytes that the frame has; further bytes may follow. `limit` is the highest length that
/// is accepted in the length field of the frame, or 0 for 131072. GIZWITS_STATUS_INCOMPLETE says that the frame goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_frame_parse(
    bytes: *const u8,
    length: usize,
    limit: usize,
    frame: *mut gizwits_frame,
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
            let (event, rest) = m2m::parse(bytes, limit_of(limit))?;
            frame.put(event.into());
            consumed.put(bytes.len().saturating_sub(rest.len()));
            Ok(())
        })
    }
}

/// Finds the next frame in the bytes of a stream.
///
/// `*consumed` is the number of bytes that the caller removes from the start of its buffer when it is done with the
/// frame, `*skipped` the number of those that belong to no frame. `*found` is 1 if `*frame` holds a frame, with pointers
/// into `bytes`; 0 if more bytes are needed. `limit` is as in gizwits_frame_parse(): a frame that claims to be longer
/// is skipped. Every stream is accepted, so that the status tells nothing but misuse.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_frame_scan(
    bytes: *const u8,
    length: usize,
    limit: usize,
    frame: *mut gizwits_frame,
    found: *mut u8,
    consumed: *mut usize,
    skipped: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let bytes = call.items("bytes", bytes, length)?;
            let frame = call.output("frame", frame)?;
            let found = call.output("found", found)?;
            let consumed = call.output("consumed", consumed)?;
            let skipped = call.output("skipped", skipped)?;
            let scan = m2m::scan(bytes, limit_of(limit));
            if let Some(event) = scan.event {
                frame.put(event.into());
            }
            found.put(scan.event.is_some().into());
            consumed.put(scan.consumed);
            skipped.put(scan.skipped);
            Ok(())
        })
    }
}

/// Writes a frame to `out`, and the number of its bytes to `*length`.
///
/// If `capacity` is too small, nothing is written, `*length` is the number that is needed, and the status is
/// GIZWITS_STATUS_OUT_OF_SPACE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_frame_encode(
    frame: *const gizwits_frame,
    out: *mut u8,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header, for the pointers in the frame as well.
    unsafe {
        call(error, |call| {
            let out = call.buffer("out", out, capacity, length)?;
            let frame = frame_of(call, frame)?;
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

/// Takes a frame and the memory that it borrows.
///
/// # Safety
/// As for [`Call::items`], for the frame and for each pointer in it.
unsafe fn frame_of<'a>(
    call: &mut Call<'a>,
    frame: *const gizwits_frame,
) -> Result<Frame<'a>, Failure> {
    // SAFETY: the promise is that of this function.
    let [frame] = (unsafe { call.items("frame", frame, 1)? }) else {
        return Err(Failure::Internal);
    };
    if frame.is_service != 0 {
        return Err(Failure::Argument(
            gizwits_status::InvalidArgument,
            "is_service",
        ));
    }
    let has_did = !frame.did.is_null() || frame.did_length > 0;
    // SAFETY: the promise is that of this function.
    let (did, body) = unsafe {
        (
            call.items("did", frame.did, frame.did_length)?,
            call.items("body", frame.body, frame.body_length)?,
        )
    };
    Ok(Frame {
        flag: frame.flag,
        command: frame.command,
        sn: (frame.has_sn != 0).then_some(frame.sn),
        did: has_did.then_some(did),
        body,
    })
}

fn limit_of(limit: usize) -> usize {
    match limit {
        0 => m2m::DEFAULT_LIMIT,
        limit => limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_those_of_the_core() {
        let ours = [
            GIZWITS_M2M_TO_DEVICE,
            GIZWITS_M2M_FROM_DEVICE,
            GIZWITS_M2M_REQUEST,
            GIZWITS_M2M_ACK,
        ];
        assert_eq!(
            ours,
            [m2m::TO_DEVICE, m2m::FROM_DEVICE, m2m::REQUEST, m2m::ACK]
        );
    }
}
