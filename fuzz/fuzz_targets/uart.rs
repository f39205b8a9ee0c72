//! The law of the UART's frames, and that of texts with UART frames, over whatever libFuzzer makes up.

#![no_main]

use gizwits_codec_std::capture::Framing;
use gizwits_tests::{capture, uart};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    uart::frames(bytes);
    capture::texts(bytes, Some(Framing::UartStream));
});
