//! The law of generated C code, over whatever libFuzzer makes up: the code of every fixture and of drawn products, which
//! `build.rs` compiles into this program, answers what the layout says.

#![no_main]

use std::ffi::{CString, c_char, c_uint};
use std::sync::LazyLock;

use gizwits_tests::generated_c::{self, DRAWN_TO_FUZZ, GeneratedC};

unsafe extern "C" {
    /// Answers a line, as `tests/c/line.h` says.
    fn drive(product: c_uint, line: *mut c_char, answer: *mut c_char, room: usize) -> usize;
}

/// The products, in the order of the table that `build.rs` wrote.
static PRODUCTS: LazyLock<Vec<GeneratedC>> = LazyLock::new(|| generated_c::products(DRAWN_TO_FUZZ));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    generated_c::law(&PRODUCTS, bytes, |product, line| {
        let mut line = CString::new(line).expect("no NUL").into_bytes_with_nul();
        let mut answer = vec![0_u8; 1 << 19];
        // SAFETY: the table has this product. `line` is a line of at least one character with a NUL at its end, and
        // `answer` has as many bytes as the call says; both are only used during the call. The fuzzer has one thread.
        let len = unsafe {
            drive(
                product as c_uint,
                line.as_mut_ptr().cast(),
                answer.as_mut_ptr().cast(),
                answer.len(),
            )
        };
        answer.truncate(len);
        String::from_utf8(answer).expect("ASCII")
    });
});
