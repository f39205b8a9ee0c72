//! The laws of captured streams, M2M and UART, and of packets, over whatever libFuzzer makes up.

#![no_main]

use gizwits_tests::{capture, packets};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    capture::streams(bytes);
    packets::forms(bytes);
});
