//! The law of the C ABI, over whatever libFuzzer makes up: its tests share it.

#![no_main]

#[path = "../../codec-c/tests/abi/caller.rs"]
mod caller;
#[path = "../../codec-c/tests/abi/law.rs"]
mod law;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| law::law(bytes));
