//! The C ABI as a careful C program calls it: it asks for the length, and passes memory of exactly this length.
//!
//! Every call is also made with a capacity that is one too small, which must leave the memory as it was.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::ptr;

use gizwits::decode::{gizwits_decode, gizwits_decode_json, gizwits_decode_point};
use gizwits::encode::{gizwits_encode, gizwits_encode_json};
use gizwits::error::gizwits_error;
use gizwits::frame::{
    gizwits_frame, gizwits_frame_encode, gizwits_frame_parse, gizwits_frame_scan,
};
use gizwits::message::{gizwits_action, gizwits_message, gizwits_value};
use gizwits::payload::gizwits_payload_parse;
use gizwits::point::{gizwits_point_find, gizwits_point_name};
use gizwits::product::{gizwits_definition_check, gizwits_product_free, gizwits_product_new};
use gizwits::products::gizwits_product;
use gizwits::state::*;
use gizwits::status::{gizwits_status, gizwits_status_name};
use gizwits::uart::*;

/// The error of a call that failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: String,
    pub(crate) text: String,
    pub(crate) point: Option<u16>,
    pub(crate) byte: Option<u32>,
    pub(crate) bit: Option<u32>,
}

pub(crate) type Answer<T> = Result<T, Refusal>;

const UNUSED: u8 = 0xa5;

/// Returns memory that the library has not written yet.
fn unused<T>() -> Box<MaybeUninit<T>> {
    let mut memory = Box::<T>::new_uninit();
    // SAFETY: these are the bytes of the box.
    unsafe { ptr::write_bytes(memory.as_mut_ptr().cast::<u8>(), UNUSED, size_of::<T>()) };
    memory
}

pub(crate) fn name(status: i32) -> String {
    // SAFETY: the library returns a text with a NUL that lives as long as the program.
    let name = unsafe { CStr::from_ptr(gizwits_status_name(status)) };
    name.to_str().unwrap().to_owned()
}

/// Makes a call and reads its error.
pub(crate) fn answer(call: impl FnOnce(*mut gizwits_error) -> gizwits_status) -> Answer<()> {
    let mut error = unused::<gizwits_error>();
    let status = call(error.as_mut_ptr());
    // SAFETY: every call sets the error. The test has set what a success leaves out.
    let error = unsafe { error.assume_init_ref() };
    assert_eq!(error.status, status);
    let text = error.text.iter().map(|byte| *byte as u8);
    let text: Vec<u8> = text.take_while(|byte| *byte != 0).collect();
    let refusal = Refusal {
        status: name(status as i32),
        text: String::from_utf8(text).expect("UTF-8"),
        point: u16::try_from(error.point).ok(),
        byte: u32::try_from(error.byte).ok(),
        bit: u32::try_from(error.bit).ok(),
    };
    match status {
        gizwits_status::Ok => {
            assert!(refusal.text.is_empty() && error.point == -1, "{refusal:?}");
            Ok(())
        }
        _ => {
            assert!(!refusal.text.is_empty(), "{refusal:?}");
            Err(refusal)
        }
    }
}

/// Makes a call that fills a buffer. `extra` is the room for a NUL.
fn filled<T>(
    extra: usize,
    mut call: impl FnMut(*mut T, usize, *mut usize, *mut gizwits_error) -> gizwits_status,
) -> Answer<Vec<T>> {
    let mut length = usize::MAX;
    match answer(|error| call(ptr::null_mut(), 0, &mut length, error)) {
        Ok(()) => {
            assert_eq!((length, extra), (0, 0));
            return Ok(Vec::new());
        }
        Err(refusal) if refusal.status == "out_of_space" => {}
        Err(refusal) => {
            assert_eq!(length, 0);
            return Err(refusal);
        }
    }
    let needed = length + extra;
    for capacity in [needed - 1, needed] {
        let mut out: Box<[MaybeUninit<T>]> = Box::new_uninit_slice(capacity);
        let bytes = out.as_mut_ptr().cast::<u8>();
        // SAFETY: these are the bytes of the box.
        unsafe { ptr::write_bytes(bytes, UNUSED, capacity * size_of::<T>()) };
        let mut again = usize::MAX;
        let answered = answer(|error| call(out.as_mut_ptr().cast(), capacity, &mut again, error));
        assert_eq!(again, length);
        if capacity == needed {
            answered?;
            // SAFETY: the call has succeeded and thus filled the buffer.
            let mut items = unsafe { out.assume_init() }.into_vec();
            items.truncate(length);
            return Ok(items);
        }
        assert_eq!(answered.unwrap_err().status, "out_of_space");
        // SAFETY: as above; all bytes are set.
        let bytes = unsafe { std::slice::from_raw_parts(bytes, capacity * size_of::<T>()) };
        assert!(bytes.iter().all(|byte| *byte == UNUSED));
    }
    unreachable!("the last capacity is enough")
}

/// Makes a call that fills a buffer with a text.
fn text(
    mut call: impl FnMut(*mut c_char, usize, *mut usize, *mut gizwits_error) -> gizwits_status,
) -> Answer<String> {
    let bytes = filled::<u8>(1, |out, capacity, length, error| {
        let status = call(out.cast(), capacity, length, error);
        if status == gizwits_status::Ok {
            // SAFETY: the call has written as many bytes, and the NUL.
            assert_eq!(unsafe { out.add(*length).read() }, 0);
        }
        status
    })?;
    Ok(String::from_utf8(bytes).expect("UTF-8"))
}

/// Makes a call that stores a value.
fn stored<T>(call: impl FnOnce(*mut T, *mut gizwits_error) -> gizwits_status) -> Answer<T> {
    let mut value = unused::<T>();
    answer(|error| call(value.as_mut_ptr(), error))?;
    // SAFETY: the call has succeeded and thus stored the value.
    Ok(unsafe { *Box::from_raw(Box::into_raw(value).cast::<T>()) })
}

/// A copy of bytes in memory of exactly their length.
fn exactly(bytes: &[u8]) -> Box<[u8]> {
    bytes.into()
}

/// A loaded product, which is freed when it is dropped.
#[derive(Debug)]
pub(crate) struct Loaded(pub(crate) gizwits_product);

impl Drop for Loaded {
    fn drop(&mut self) {
        assert_eq!(gizwits_product_free(self.0), gizwits_status::Ok);
        assert_eq!(gizwits_product_free(self.0), gizwits_status::InvalidHandle);
    }
}

// SAFETY of all calls below: each pointer comes with the length of the memory behind it, which outlives the call.
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "the comment above is that of all"
)]
impl Loaded {
    pub(crate) fn new(definition: &[u8]) -> Answer<Self> {
        let definition = exactly(definition);
        let mut handle = u64::MAX;
        let (from, length) = (definition.as_ptr().cast(), definition.len());
        let made = answer(|error| unsafe { gizwits_product_new(from, length, &mut handle, error) });
        assert_eq!(made.is_ok(), handle != 0);
        made.map(|()| Loaded(handle))
    }

    pub(crate) fn json(&self, options: u32, payload: &[u8]) -> Answer<String> {
        let payload = exactly(payload);
        let (from, len) = (payload.as_ptr(), payload.len());
        text(|out, capacity, length, error| unsafe {
            gizwits_decode_json(self.0, options, from, len, out, capacity, length, error)
        })
    }

    /// Calls `call` with the message and its values, which borrow from the payload.
    pub(crate) fn values<R>(
        &self,
        options: u32,
        payload: &[u8],
        call: impl FnOnce(&gizwits_message, &[gizwits_value]) -> R,
    ) -> Answer<R> {
        let payload = exactly(payload);
        let (from, len) = (payload.as_ptr(), payload.len());
        let mut message = unused::<gizwits_message>();
        let values = filled(0, |values, capacity, count, error| unsafe {
            let message = message.as_mut_ptr();
            gizwits_decode(
                self.0, options, from, len, message, values, capacity, count, error,
            )
        })?;
        // The message is the same whatever the capacity.
        Ok(call(unsafe { message.assume_init_ref() }, &values))
    }

    /// Calls `call` with the value of a point, which borrows from the payload.
    pub(crate) fn value<R>(
        &self,
        options: u32,
        payload: &[u8],
        point: u16,
        call: impl FnOnce(&gizwits_value) -> R,
    ) -> Answer<R> {
        let payload = exactly(payload);
        let (from, len) = (payload.as_ptr(), payload.len());
        let value = stored(|value, error| unsafe {
            gizwits_decode_point(self.0, options, from, len, point, value, error)
        })?;
        Ok(call(&value))
    }

    pub(crate) fn encode_json(
        &self,
        action: gizwits_action,
        options: u32,
        json: &[u8],
    ) -> Answer<Vec<u8>> {
        let json = exactly(json);
        let (from, len) = (json.as_ptr().cast(), json.len());
        filled(0, |out, capacity, length, error| unsafe {
            gizwits_encode_json(
                self.0, action, options, from, len, out, capacity, length, error,
            )
        })
    }

    pub(crate) fn encode(
        &self,
        action: gizwits_action,
        options: u32,
        values: &[gizwits_value],
    ) -> Answer<Vec<u8>> {
        let (from, count) = (values.as_ptr(), values.len());
        filled(0, |out, capacity, length, error| unsafe {
            gizwits_encode(
                self.0, action, options, from, count, out, capacity, length, error,
            )
        })
    }

    pub(crate) fn find(&self, name: &str) -> Answer<u16> {
        let name = exactly(name.as_bytes());
        let (from, len) = (name.as_ptr().cast(), name.len());
        stored(|point, error| unsafe { gizwits_point_find(self.0, from, len, point, error) })
    }

    pub(crate) fn name(&self, point: u16) -> Answer<String> {
        text(|out, capacity, length, error| unsafe {
            gizwits_point_name(self.0, point, out, capacity, length, error)
        })
    }
}

/// All problems of a definition, as JSON.
pub(crate) fn check(definition: &[u8]) -> Answer<String> {
    let definition = exactly(definition);
    let (from, len) = (definition.as_ptr().cast(), definition.len());
    text(|out, capacity, length, error| {
        // SAFETY: as above.
        unsafe { gizwits_definition_check(from, len, out, capacity, length, error) }
    })
}

/// The bytes of a payload that is given as a text.
pub(crate) fn payload(text: &[u8]) -> Answer<Vec<u8>> {
    let text = exactly(text);
    let (from, len) = (text.as_ptr().cast(), text.len());
    filled(0, |out, capacity, length, error| {
        // SAFETY: as above.
        unsafe { gizwits_payload_parse(from, len, out, capacity, length, error) }
    })
}

/// Calls `call` with the frame at the start of some bytes and the number of its bytes.
pub(crate) fn parse<R>(
    bytes: &[u8],
    limit: usize,
    call: impl FnOnce(&gizwits_frame, usize) -> R,
) -> Answer<R> {
    let bytes = exactly(bytes);
    let mut consumed = usize::MAX;
    let frame = stored(|frame, error| {
        // SAFETY: as above.
        unsafe {
            gizwits_frame_parse(
                bytes.as_ptr(),
                bytes.len(),
                limit,
                frame,
                &mut consumed,
                error,
            )
        }
    })?;
    Ok(call(&frame, consumed))
}

/// Calls `call` with the next frame of a stream, if there is one, and the numbers of consumed and skipped bytes.
pub(crate) fn scan<R>(
    bytes: &[u8],
    limit: usize,
    call: impl FnOnce(Option<&gizwits_frame>, usize, usize) -> R,
) -> R {
    let bytes = exactly(bytes);
    let (mut found, mut consumed, mut skipped) = (9, usize::MAX, usize::MAX);
    let mut frame = unused::<gizwits_frame>();
    let scanned = answer(|error| {
        let (from, len, frame) = (bytes.as_ptr(), bytes.len(), frame.as_mut_ptr());
        let (found, consumed, skipped) = (&mut found, &mut consumed, &mut skipped);
        // SAFETY: as above.
        unsafe { gizwits_frame_scan(from, len, limit, frame, found, consumed, skipped, error) }
    });
    scanned.expect("every stream is accepted");
    let frame = match found {
        0 => None,
        // SAFETY: the call has stored a frame.
        1 => Some(unsafe { frame.assume_init_ref() }),
        other => panic!("found is {other}"),
    };
    call(frame, consumed, skipped)
}

/// The bytes of a frame.
pub(crate) fn encode_frame(frame: &gizwits_frame) -> Answer<Vec<u8>> {
    filled(0, |out, capacity, length, error| {
        // SAFETY: as above.
        unsafe { gizwits_frame_encode(frame, out, capacity, length, error) }
    })
}

/// The state of a device, which is freed when it is dropped.
#[derive(Debug)]
pub(crate) struct Device(pub(crate) gizwits_state);

impl Drop for Device {
    fn drop(&mut self) {
        assert_eq!(gizwits_state_free(self.0), gizwits_status::Ok);
        assert_eq!(gizwits_state_free(self.0), gizwits_status::InvalidHandle);
    }
}

#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "the comment above `Loaded` is that of all"
)]
impl Device {
    pub(crate) fn new(loaded: &Loaded) -> Self {
        let made = stored(|state, error| unsafe { gizwits_state_new(loaded.0, state, error) });
        Device(made.expect("a state"))
    }

    pub(crate) fn merge(&self, options: u32, payload: &[u8]) -> Answer<bool> {
        let payload = exactly(payload);
        let (from, len) = (payload.as_ptr(), payload.len());
        stored(|merged, error| unsafe {
            gizwits_state_merge(self.0, options, from, len, merged, error)
        })
        .map(|merged: u8| merged == 1)
    }

    pub(crate) fn json(&self) -> String {
        text(|out, capacity, length, error| unsafe {
            gizwits_state_json(self.0, out, capacity, length, error)
        })
        .expect("JSON")
    }

    pub(crate) fn values(&self) -> Vec<gizwits_value> {
        filled(0, |values, capacity, count, error| unsafe {
            gizwits_state_values(self.0, values, capacity, count, error)
        })
        .expect("values")
    }

    pub(crate) fn value(&self, point: u16) -> Answer<gizwits_value> {
        stored(|value, error| unsafe { gizwits_state_value(self.0, point, value, error) })
    }
}

/// Calls `call` with the serial frame at the start of some bytes and the number of its bytes. `room` is that of the buffer.
pub(crate) fn parse_uart<R>(
    bytes: &[u8],
    room: usize,
    call: impl FnOnce(&gizwits_uart_frame, usize) -> R,
) -> Answer<R> {
    let (bytes, mut buffer) = (exactly(bytes), vec![UNUSED; room].into_boxed_slice());
    let (from, len) = (bytes.as_ptr(), bytes.len());
    let mut consumed = usize::MAX;
    let frame = stored(|frame, error| {
        let consumed = &mut consumed;
        // SAFETY: as above.
        unsafe { gizwits_uart_parse(from, len, buffer.as_mut_ptr(), room, frame, consumed, error) }
    })?;
    Ok(call(&frame, consumed))
}

/// The bytes of a serial frame.
pub(crate) fn encode_uart(frame: &gizwits_uart_frame) -> Answer<Vec<u8>> {
    filled(0, |out, capacity, length, error| {
        // SAFETY: as above.
        unsafe { gizwits_uart_encode(frame, out, capacity, length, error) }
    })
}

/// A decoder of serial frames, with a buffer of exactly its length.
pub(crate) struct Uart {
    pub(crate) decoder: Box<gizwits_uart_decoder>,
    buffer: Box<[u8]>,
}

impl Uart {
    pub(crate) fn new(room: usize) -> Self {
        let memory = [ptr::null_mut(); GIZWITS_UART_WORDS];
        let mut uart = Uart {
            decoder: Box::new(gizwits_uart_decoder { memory }),
            buffer: vec![UNUSED; room].into(),
        };
        let (decoder, buffer) = (&raw mut *uart.decoder, uart.buffer.as_mut_ptr());
        // SAFETY: as above.
        answer(|error| unsafe { gizwits_uart_init(decoder, buffer, room, error) })
            .expect("a decoder");
        uart
    }

    /// Calls `call` with the next event, and returns the number of bytes up to it.
    pub(crate) fn read(&mut self, bytes: &[u8], call: impl FnOnce(&gizwits_uart_event)) -> usize {
        let bytes = exactly(bytes);
        let (from, len, mut used) = (bytes.as_ptr(), bytes.len(), usize::MAX);
        let decoder = &raw mut *self.decoder;
        let event = stored(|event, error| {
            // SAFETY: as above.
            unsafe { gizwits_uart_read(decoder, from, len, event, &mut used, error) }
        });
        call(&event.expect("every stream is accepted"));
        assert!(self.buffer.len() < usize::MAX);
        used
    }
}

/// The bytes behind a pointer of the library.
pub(crate) fn bytes<'b>(from: *const u8, length: usize) -> Option<&'b [u8]> {
    // SAFETY: the library has stored both, and the memory that they borrow from outlives the test's use of them.
    (!from.is_null()).then(|| unsafe { std::slice::from_raw_parts(from, length) })
}
