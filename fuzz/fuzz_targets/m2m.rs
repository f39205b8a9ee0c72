//! The law `m2m`, and that of texts with M2M frames, over whatever libFuzzer makes up.

#![no_main]

use gizwits_codec_std::capture::Framing;
use gizwits_tests::{capture, laws};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    laws::m2m(bytes);
    capture::texts(bytes, None);
    capture::texts(bytes, Some(Framing::M2mStream));
});
