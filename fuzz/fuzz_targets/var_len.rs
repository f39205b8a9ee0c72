//! The law `var_len`, over whatever libFuzzer makes up.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gizwits_tests::laws::var_len(bytes));
