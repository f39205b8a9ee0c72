//! The law of logs, over whatever libFuzzer makes up, however deep it is nested.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gizwits_tests::targets::log(bytes));
