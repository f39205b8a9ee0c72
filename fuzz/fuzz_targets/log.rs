//! The law of logs, over whatever libFuzzer makes up, however deep it is nested.

#![no_main]

use gizwits_tests::log::{law, nested};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| match bytes {
    [which, how, text @ ..] => law(&[&[*which, *how], &*nested(text)].concat()),
    _ => {}
});
