//! The law `m2m_message`, over whatever libFuzzer makes up.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gizwits_tests::laws::m2m_message(bytes));
