//! The law of logs, over whatever libFuzzer makes up.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gizwits_tests::log::law(bytes));
