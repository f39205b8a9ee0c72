//! The law `definition`, over whatever libFuzzer makes up, however deep it is nested.

#![no_main]

use gizwits_tests::{laws, log::nested};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| laws::definition(&nested(bytes)));
