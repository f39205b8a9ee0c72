//! The law `encode_json`, over whatever libFuzzer makes up.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gizwits_tests::laws::encode_json(bytes));
