//! The law `definition`, over whatever libFuzzer makes up: texts, however deep they are nested; behind a
//! byte 0 definitions with anything wrong in any number; behind a byte 1 the law `scale`.

#![no_main]

use gizwits_tests::arbitrary::{Draw, broken_definition};
use gizwits_tests::{laws, log::nested};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| match bytes {
    [0, rest @ ..] => laws::definition(broken_definition(&mut Draw::new(rest)).as_bytes()),
    [1, rest @ ..] => laws::scale(rest),
    text => laws::definition(&nested(text)),
});
